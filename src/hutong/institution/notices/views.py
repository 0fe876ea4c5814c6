"""What the API of notices takes and shows. Instants are milliseconds since 1970 UTC."""

from typing import Annotated

import msgspec

from hutong.institution.notices.delivery import WebhookDelivery
from hutong.institution.notices.event import ID_PREFIX as EVENT_PREFIX
from hutong.institution.notices.event import EventBody, FeedPage
from hutong.institution.notices.webhook import ID_PREFIX as WEBHOOK_PREFIX
from hutong.institution.notices.webhook import URL_LENGTH_MAX, WebhookEndpoint
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text

TypeText = Annotated[
    str,
    msgspec.Meta(
        max_length=64, description="A type, or `payment.*` for a family", examples=["payment.completed", "refund.*"]
    ),
]


class EventView(msgspec.Struct, frozen=True):
    """One event: its cursor, and what webhooks carry."""

    cursor: int
    event: EventBody


class EventPage(msgspec.Struct, frozen=True):
    """Events in order; ask behind `cursor` next time."""

    events: list[EventView]
    cursor: int


class MakeWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where events are to be sent; no types: all of them."""

    id: Annotated[
        str,
        msgspec.Meta(
            max_length=40,
            description="`whk_` and 26 letters, minted by the caller",
            examples=["whk_01JZ8Q5V7XN8E2M4T9B3K6C0D1"],
        ),
    ]
    url: Annotated[str, msgspec.Meta(max_length=URL_LENGTH_MAX, examples=["https://shop.example/hutong"])]
    types: list[TypeText] = []


class WebhookView(msgspec.Struct, frozen=True):
    """An endpoint. `why` says why a disabled one is."""

    id: str
    url: str
    types: list[str]
    state: str
    why: str


class SecretView(msgspec.Struct, frozen=True):
    """The secret that signs, as libraries for Standard Webhooks take it."""

    secret: str

    def __repr__(self) -> str:
        return "SecretView(...)"


class DeliveryView(msgspec.Struct, frozen=True):
    """One attempt. `status` is HTTP's, 0 without an answer; `next_at_ms` is 0 when none is due."""

    cursor: int
    outcome: str
    event_id: str
    status: int
    note: str
    failures: int
    next_at_ms: int
    at_ms: int


class DeliveryPage(msgspec.Struct, frozen=True):
    """Attempts, newest first; ask before `before` for older ones, 0 when there are none."""

    deliveries: list[DeliveryView]
    before: int


class Redeliver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The event to be sent again."""

    event_id: Annotated[str, msgspec.Meta(max_length=40, examples=["evt_01JZ8Q5V7XN8E2M4T9B3K6C0D1"])]


def event_page(page: FeedPage) -> bytes:
    """An `EventPage`, with the bodies as they were written: nothing is decoded only to be encoded again."""
    events = [{"cursor": cursor, "event": msgspec.Raw(event.body)} for cursor, event in page.events]
    return msgspec.json.encode({"events": events, "cursor": page.cursor})


def webhook_view(endpoint: WebhookEndpoint) -> WebhookView:
    return WebhookView(
        id=id_text(WEBHOOK_PREFIX, endpoint.id),
        url=endpoint.url,
        types=endpoint.types.split(),
        state=endpoint.state,
        why=endpoint.why,
    )


def delivery_view(cursor: int, delivery: WebhookDelivery) -> DeliveryView:
    return DeliveryView(
        cursor=cursor,
        outcome=delivery.outcome,
        event_id=id_text(EVENT_PREFIX, delivery.event_id) if delivery.event_id else "",
        status=delivery.status,
        note=delivery.note,
        failures=delivery.failures,
        next_at_ms=delivery.next_at_ns // NS_PER_MS,
        at_ms=delivery.at_ns // NS_PER_MS,
    )
