"""What the API shows of notifications. Instants are milliseconds since 1970 UTC."""

from typing import Annotated

import msgspec
from msgspec import Meta

from hutong.gateways.notification import ID_PREFIX, Cause, GatewayTry, NotificationState
from hutong.gateways.notification_service import Told
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text

NotificationId = Annotated[str, Meta(examples=["ntf_01JD3V7M8Y5ZK2Q4R6T8W0X1A0"])]


class TryView(msgspec.Struct, frozen=True, kw_only=True):
    """One try, and what came back."""

    cause: Annotated[Cause, Meta(description="SCHEDULE; HAND: somebody asked for it; of a sandbox: DUPLICATE, PROBE.")]
    at_ms: int
    took_ms: int
    status: Annotated[int, Meta(description="Of HTTP; 0 without an answer.")]
    note: Annotated[str, Meta(description="Why there was no answer.")]
    answer: Annotated[str, Meta(description="How it began.")]
    headers: Annotated[dict[str, str], Meta(description="What was sent; empty where that is not kept.")]
    body: Annotated[str, Meta(description="What was sent; empty where that is not kept.")]


class NotificationView(msgspec.Struct, frozen=True, kw_only=True):
    """Something an account is told, and how that stands."""

    id: NotificationId
    dialect: str
    kind: Annotated[str, Meta(examples=["PAID", "REFUND"])]
    about: Annotated[str, Meta(description="The merchant's own number of the order or refund it is about.")]
    url: str
    state: NotificationState
    at_ms: int
    next_at_ms: Annotated[int, Meta(description="When it is tried (again); 0 when it is not.")]
    tries: Annotated[list[TryView], Meta(description="Oldest first.")]
    plain: Annotated[str, Meta(description="What is told, before it is signed and encrypted; empty in a list.")] = ""


class NotificationPage(msgspec.Struct, frozen=True):
    """Notifications, newest first; ask before `before` for older ones, 0 when there are none."""

    notifications: list[NotificationView]
    before: int


def notification_view(told: Told, about: str, *, whole: bool) -> NotificationView:
    """With all that was sent, or without."""
    row = told.notification
    return NotificationView(
        id=id_text(ID_PREFIX, row.id),
        dialect=row.dialect,
        kind=row.kind,
        about=about,
        url=row.url,
        state=told.state,
        at_ms=row.at_ns // NS_PER_MS,
        next_at_ms=told.next_at_ns // NS_PER_MS,
        tries=[try_view(each, whole=whole) for each in told.tries],
        plain=_text(told.plain) if whole else "",
    )


def try_view(made: GatewayTry, *, whole: bool) -> TryView:
    return TryView(
        cause=Cause(made.cause),
        at_ms=made.at_ns // NS_PER_MS,
        took_ms=made.took_ns // NS_PER_MS,
        status=made.status,
        note=made.note,
        answer=_text(made.answer),
        headers=msgspec.json.decode(made.headers, type=dict[str, str]) if whole and made.headers else {},
        body=_text(made.body) if whole else "",
    )


def _text(data: bytes) -> str:
    """What strangers sent may be no text."""
    return data.decode("utf-8", "replace")
