"""Events: what happened to a merchant or a user, as they are told."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from hutong.kernel.clock import NS_PER_MS, NS_PER_S, instant
from hutong.kernel.ids import id_text
from hutong.runtime.tables import BigInt, Bytes, Text, Uuid

ID_PREFIX = "evt"
# As Standard Webhooks recommends: hierarchical, full-stop delimited.
_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


class Event(msgspec.Struct, frozen=True):
    """
    One event. Its position in the journal is its cursor.

    `body` is the JSON text that is told, the same bytes to whoever asks and whenever: what was signed is what happened.
    """

    id: Uuid
    owner_id: Uuid
    type: Text
    body: Bytes
    at_ns: BigInt


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Events in order, and the cursor to ask behind next time. `waited` is false where too many wait already."""

    events: list[tuple[int, Event]]
    cursor: int
    waited: bool = False


class EventBody(msgspec.Struct, frozen=True, kw_only=True):
    """The payload as Standard Webhooks lays it out, and the event's id."""

    id: str
    type: str
    timestamp: str
    data: Any


_encode = msgspec.json.Encoder().encode


def make_event(event_id: int, owner_id: int, type_: str, data: dict[str, Any], now_ns: int) -> Event:
    """The event that `type_` happened to the owner now. `data` holds JSON values; ids in it are texts."""
    assert is_event_type(type_), type_
    timestamp = f"{_second_text(now_ns // NS_PER_S)}.{now_ns // NS_PER_MS % 1000:03d}Z"
    body = _encode(EventBody(id=id_text(ID_PREFIX, event_id), type=type_, timestamp=timestamp, data=data))
    return Event(id=event_id, owner_id=owner_id, type=type_, body=body, at_ns=now_ns)


@lru_cache(maxsize=4)
def _second_text(second: int) -> str:
    # Of the many events of one second the first alone pays for a calendar.
    return instant(second * NS_PER_S).isoformat().removesuffix("+00:00")


@lru_cache(maxsize=256)
def is_event_type(text: str) -> bool:
    """Whether `text` is spelled like a type: `payment.completed`."""
    return len(text) <= 64 and _TYPE.fullmatch(text) is not None
