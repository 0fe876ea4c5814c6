"""Payment requests over HTTP, for whoever holds a merchant's staff key."""

from collections.abc import Callable
from dataclasses import dataclass

from litestar import Controller, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from hutong.codes.picture import qr_svg
from hutong.institution.door_api import Door, key_guard
from hutong.institution.merchants.api import Cursor, Limit
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.requests.draft import RequestDraft
from hutong.institution.requests.reasons import RequestReason
from hutong.institution.requests.request import PaymentRequest
from hutong.institution.requests.service import RequestService
from hutong.institution.requests.views import (
    REQUEST_PREFIX,
    CreateRequest,
    RequestPage,
    RequestView,
    Way,
    request_view,
)
from hutong.kernel.clock import Clock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.journal import Journal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

Ask = Callable[[StaffKey, RequestDraft], PaymentRequest]


@dataclass(frozen=True, slots=True)
class RequestEdge:
    """What the handlers need. `charge` makes the request of a payment-code charge and asks the payer's side."""

    journal: Journal
    clock: Clock
    requests: RequestService
    charge: Ask

    async def request(self, decide: Callable[[], PaymentRequest]) -> RequestView:
        """The request that `decide` answers. Showing it may have to load, so it is no part of the decision."""
        request = await decided(self.journal, decide)
        return await decided(self.journal, lambda: self.view(request))

    def view(self, request: PaymentRequest) -> RequestView:
        return request_view(request, self.requests.texts(request), self.clock.now_ns())


class RequestController(Controller):
    """Asking to be paid (收款请求)."""

    path = "/v1/payment-requests"
    tags = ["Payment requests"]  # noqa: RUF012  # As Litestar has it.

    @post("/")
    async def create(
        self, edge: NamedDependency[RequestEdge], key: NamedDependency[StaffKey], data: JSONBody[CreateRequest]
    ) -> RequestView:
        """
        Ask to be paid: by a code that the merchant shows, or by the payer's code that the merchant scanned.

        The same reference with the same content answers the request as it is now.
        """
        ask = edge.charge if data.way is Way.PAYMENT_CODE else edge.requests.create
        draft = data.draft()
        return await edge.request(lambda: ask(key, draft))

    @get("/")
    async def requests(
        self,
        edge: NamedDependency[RequestEdge],
        key: NamedDependency[StaffKey],
        reference: FromQuery[str | None] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> RequestPage:
        """The requests that the key sees, newest first, those of static codes too; or the one of your reference."""
        if reference is not None:
            found = [await edge.request(lambda: edge.requests.get_by_reference(key, reference))]
            return RequestPage(requests=found, next_cursor=None)
        before = None if cursor is None else parse_id(REQUEST_PREFIX, cursor)
        requests, after = await edge.requests.page(key, before=before, limit=limit)
        views = await decided(edge.journal, lambda: [edge.view(request) for request in requests])
        return RequestPage(requests=views, next_cursor=None if after is None else id_text(REQUEST_PREFIX, after))

    @get("/{request_id:str}")
    async def request(
        self, edge: NamedDependency[RequestEdge], key: NamedDependency[StaffKey], request_id: FromPath[str]
    ) -> RequestView:
        """One request."""
        id_ = parse_id(REQUEST_PREFIX, request_id)
        return await edge.request(lambda: edge.requests.get(key, id_))

    @get("/{request_id:str}/code.svg", media_type="image/svg+xml")
    async def picture(
        self, edge: NamedDependency[RequestEdge], key: NamedDependency[StaffKey], request_id: FromPath[str]
    ) -> Response[bytes]:
        """The dynamic code, as a picture to show."""
        id_ = parse_id(REQUEST_PREFIX, request_id)
        view = await edge.request(lambda: edge.requests.get(key, id_))
        if not view.code:
            raise Refusal(RequestReason.REQUEST_SHOWS_NO_CODE, channel=view.channel)
        return Response(qr_svg(view.code), media_type="image/svg+xml")

    @post("/{request_id:str}/cancel", status_code=200)
    async def cancel(
        self, edge: NamedDependency[RequestEdge], key: NamedDependency[StaffKey], request_id: FromPath[str]
    ) -> RequestView:
        """Take a request back for good; refused while a payment of it is under way, and once it is paid."""
        id_ = parse_id(REQUEST_PREFIX, request_id)
        return await edge.request(lambda: edge.requests.cancel(key, id_))


def request_routes(node: NodeRuntime, merchants: MerchantService, requests: RequestService, charge: Ask) -> Router:
    """The handlers for `make_app`. `charge` decides a payment-code charge as `RequestService.create` does a request."""
    edge = RequestEdge(node.journal, node.clock, requests, charge)
    return Door("key", key_guard(node, merchants)).router("/", [RequestController], edge=edge)
