"""What a merchant is told by callback, as the vendor's protocol has it: a queue of letters, each tried again until it is taken."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec

from hutong.runtime.tables import BigInt, Bytes, Integer, Table, Text, Uuid


class News(StrEnum):
    """What is told."""

    PAID = "PAID"
    REFUND = "REFUND"
    CLOSED = "CLOSED"


class NotificationState(StrEnum):
    WAITING = "WAITING"
    TAKEN = "TAKEN"
    GIVEN_UP = "GIVEN_UP"


class GatewayNotification(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a notification: each try leaves one."""

    id: Uuid
    account_id: Uuid
    dialect: Text
    kind: Text
    subject_id: Uuid  # Of the order, or of the refund.
    url: Text
    plain: Bytes  # What is told, before it is signed and encrypted; empty until the first try.
    state: Text
    attempts: Integer
    next_at_ns: BigInt
    status: Integer  # Of the last try: its HTTP status, 0 for none.
    note: Text
    at_ns: BigInt


class Letter(msgspec.Struct, frozen=True):
    """What is posted."""

    headers: Mapping[str, str]
    body: bytes


class Postman(Protocol):
    """One dialect's way of telling. What it looks up may be cold."""

    @property
    def schedule_s(self) -> tuple[int, ...]:
        """How long to wait before each further try."""
        ...

    @property
    def timeout_s(self) -> float: ...

    def plain(self, notification: GatewayNotification) -> bytes:
        """What is told: made once, the same at each try."""
        ...

    def letter(self, notification: GatewayNotification, plain: bytes, now_ns: int) -> Letter:
        """Signed, and encrypted, for this try."""
        ...

    def taken(self, status: int, body: bytes) -> bool:
        """Whether this answer means that it has arrived."""
        ...


NOTIFICATIONS = Table("gateway_notifications", GatewayNotification)
