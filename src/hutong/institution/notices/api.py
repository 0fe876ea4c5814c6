"""Notices over HTTP: the feed, for whoever it is about, and webhook endpoints, for merchants."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from litestar import Controller, MediaType, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from hutong.institution.door_api import Door, token_guard
from hutong.institution.notices.delivery_service import DeliveryService
from hutong.institution.notices.event import ID_PREFIX as EVENT_PREFIX
from hutong.institution.notices.service import PAGE_MAX, WAIT_MAX_S, Notices
from hutong.institution.notices.views import (
    DeliveryPage,
    DeliveryView,
    EventPage,
    MakeWebhook,
    Redeliver,
    SecretView,
    WebhookView,
    delivery_view,
    event_page,
    webhook_view,
)
from hutong.institution.notices.webhook import ID_PREFIX as WEBHOOK_PREFIX
from hutong.institution.notices.webhook import EndpointState, WebhookEndpoint
from hutong.institution.notices.webhook_service import WebhookService
from hutong.kernel.ids import parse_id
from hutong.runtime.journal import Journal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

Answer = TypeVar("Answer")
OwnerOf = Callable[[str], int]

_CURSOR_MAX = 2**53  # What every JSON reader takes for an integer; a journal does not get there.
After = Annotated[int, QueryParameter(ge=0, le=_CURSOR_MAX, description="The `cursor` of the last answer; 0 at first.")]
Before = Annotated[int, QueryParameter(ge=1, le=_CURSOR_MAX, description="The `before` of the last answer.")]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many at most.")]
WaitS = Annotated[
    int, QueryParameter(ge=0, le=WAIT_MAX_S, description="For how many seconds to wait if there is none.")
]


@dataclass(frozen=True, slots=True)
class NoticeEdge:
    """What the handlers need."""

    journal: Journal
    notices: Notices
    webhooks: WebhookService
    deliveries: DeliveryService

    async def answer(self, decide: Callable[[], Answer]) -> Answer:
        """Decide, and answer when that is durable."""
        return await decided(self.journal, decide)

    async def endpoint(self, decide: Callable[[], WebhookEndpoint]) -> WebhookView:
        return webhook_view(await self.answer(decide))


Edge = NamedDependency[SkipValidation[NoticeEdge]]
Owner = NamedDependency[SkipValidation[int]]


@get("/events", tags=["Events"])
async def events(
    edge: Edge, owner: Owner, after: After = 0, limit: Limit = 100, wait_s: WaitS = 0
) -> Response[EventPage]:
    """
    What happened to the merchant or user whose token this is, oldest first.

    Ask again with the answer's `cursor`: nothing is missed, however long you were away, and nothing comes twice.
    With `wait_s` an empty answer waits for news.
    """
    page = await edge.notices.feed(owner, after, limit=limit, wait_s=wait_s)
    body: Any = event_page(page)
    return Response(body, media_type=MediaType.JSON)


class Webhooks(Controller):
    """
    Where a merchant has events sent.

    Deliveries follow Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`. Answer with 2xx within
    15 seconds; anything else is tried again for three days. Go by `webhook-id`: an event may come twice.
    """

    path = "/webhooks"
    tags = ("Webhooks",)

    @post()
    async def make(self, edge: Edge, owner: Owner, data: JSONBody[MakeWebhook]) -> WebhookView:
        """A new endpoint, for what happens from now on. The same id and content again is the same endpoint."""
        id_ = parse_id(WEBHOOK_PREFIX, data.id)
        return await edge.endpoint(lambda: edge.webhooks.make(owner, id_, data.url, data.types))

    @get()
    async def list_webhooks(self, edge: Edge, owner: Owner) -> list[WebhookView]:
        """All endpoints, oldest first."""
        return [webhook_view(each) for each in await edge.answer(lambda: edge.webhooks.endpoints(owner))]

    @get("/{webhook_id:str}")
    async def show(self, edge: Edge, owner: Owner, webhook_id: FromPath[str]) -> WebhookView:
        """One endpoint."""
        id_ = parse_id(WEBHOOK_PREFIX, webhook_id)
        return await edge.endpoint(lambda: edge.webhooks.endpoint(owner, id_))

    @get("/{webhook_id:str}/secret")
    async def secret(self, edge: Edge, owner: Owner, webhook_id: FromPath[str]) -> SecretView:
        """The secret that signs."""
        id_ = parse_id(WEBHOOK_PREFIX, webhook_id)
        return SecretView(await edge.answer(lambda: edge.webhooks.secret(owner, id_)))

    @post("/{webhook_id:str}/rotate", status_code=200)
    async def rotate(self, edge: Edge, owner: Owner, webhook_id: FromPath[str]) -> SecretView:
        """A new secret; for a day deliveries carry signatures by both. Refuses WEBHOOK_ROTATING within that day."""
        id_ = parse_id(WEBHOOK_PREFIX, webhook_id)
        await edge.answer(lambda: edge.webhooks.rotate(owner, id_))
        return SecretView(await edge.answer(lambda: edge.webhooks.secret(owner, id_)))

    @post("/{webhook_id:str}/enable", status_code=200)
    async def enable(self, edge: Edge, owner: Owner, webhook_id: FromPath[str]) -> WebhookView:
        """Go on where it was: what happened meanwhile is delivered now."""
        id_ = parse_id(WEBHOOK_PREFIX, webhook_id)
        return await edge.endpoint(lambda: edge.webhooks.turn(owner, id_, EndpointState.ACTIVE, ""))

    @post("/{webhook_id:str}/disable", status_code=200)
    async def disable(self, edge: Edge, owner: Owner, webhook_id: FromPath[str]) -> WebhookView:
        """Send nothing until it is enabled."""
        id_ = parse_id(WEBHOOK_PREFIX, webhook_id)
        return await edge.endpoint(lambda: edge.webhooks.turn(owner, id_, EndpointState.DISABLED, "by the merchant"))

    @delete("/{webhook_id:str}")
    async def remove(self, edge: Edge, owner: Owner, webhook_id: FromPath[str]) -> None:
        """Remove it for good."""
        id_ = parse_id(WEBHOOK_PREFIX, webhook_id)
        await edge.answer(lambda: edge.webhooks.turn(owner, id_, EndpointState.REMOVED, "by the merchant"))

    @get("/{webhook_id:str}/deliveries")
    async def deliveries(
        self,
        edge: Edge,
        owner: Owner,
        webhook_id: FromPath[str],
        before: Before = _CURSOR_MAX,
        limit: Limit = 100,
    ) -> DeliveryPage:
        """What was tried, newest first."""
        id_ = parse_id(WEBHOOK_PREFIX, webhook_id)
        rows = await edge.webhooks.deliveries(owner, id_, before=before, limit=limit)
        older = rows[-1][0] if len(rows) == limit else 0
        return DeliveryPage([delivery_view(position, row) for position, row in rows], older)

    @post("/{webhook_id:str}/redeliver", status_code=200)
    async def redeliver(
        self, edge: Edge, owner: Owner, webhook_id: FromPath[str], data: JSONBody[Redeliver]
    ) -> DeliveryView:
        """Send one event again, now, and say what became of it."""
        id_, event_id = parse_id(WEBHOOK_PREFIX, webhook_id), parse_id(EVENT_PREFIX, data.event_id)
        row = await edge.deliveries.redeliver(owner, id_, event_id)
        return delivery_view(0, row)


def notices_api(  # Wired once.
    node: NodeRuntime,
    notices: Notices,
    webhooks: WebhookService,
    deliveries: DeliveryService,
    *,
    owner_of: OwnerOf,
    merchant_of: OwnerOf,
) -> list[ControllerRouterHandler]:
    """
    The handlers for `make_app`.

    `owner_of` tells from a token whose feed may be read, a merchant's or a user's; `merchant_of` whose endpoints may be
    changed, which reveals everything of that merchant: so it refuses the keys of one shop. Both may raise `Cold`.
    """
    edge = NoticeEdge(node.journal, notices, webhooks, deliveries)
    return [
        Door("owner", token_guard(node, owner_of)).router("/v1", [events], edge=edge),
        Door("owner", token_guard(node, merchant_of)).router("/v1", [Webhooks], edge=edge),
    ]
