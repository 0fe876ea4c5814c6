"""Templates of coupons over HTTP: a merchant's own, and all for the institution's operator."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Controller, Request, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from litestar.response import Stream

from hutong.institution.door_api import key_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.people.service import PeopleService
from hutong.institution.people.views import USER_PREFIX
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.coupons.claim_service import ClaimService
from hutong.marketing.coupons.code import BATCH_PREFIX, CodeBatch, Use
from hutong.marketing.coupons.coupon import COUPON_PREFIX
from hutong.marketing.coupons.redemption_service import RedemptionService
from hutong.marketing.coupons.template import CouponTemplate, TemplateState
from hutong.marketing.coupons.template_service import TemplateService
from hutong.marketing.coupons.use_repository import CouponUses
from hutong.marketing.coupons.views import (
    BatchView,
    CodesBody,
    CouponView,
    RedemptionPage,
    SendBody,
    StockBody,
    TemplateBody,
    TemplateView,
    batch_view,
    coupon_id_of,
    coupon_view,
    redemption_view,
    template_id_of,
    template_view,
)
from hutong.operators.guard import Guard
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

PAGE_MAX = 200
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many at most.")]
Cursor = Annotated[str | None, QueryParameter(description="The `next_cursor` of the page before.")]


@dataclass(frozen=True, slots=True)
class TemplateEdge:
    """What the handlers need."""

    node: NodeRuntime
    people: PeopleService
    templates: TemplateService
    claims: ClaimService
    redemptions: RedemptionService
    uses: CouponUses

    def view(self, template: CouponTemplate) -> TemplateView:
        stock = self.templates.stock(template.id)
        return template_view(template, stock.claimed, self.claims.claimed_today(template.id))

    async def batch(self, batch: CodeBatch) -> BatchView:
        """A batch, and how many of its codes were used."""
        return batch_view(batch, await self.uses.of_batch(batch.id))


@dataclass(frozen=True, slots=True)
class CouponDesk:
    """For whom this is done: a merchant, or the institution itself (0), and by whom."""

    merchant_id: int
    by: str


Edge = NamedDependency[SkipValidation[TemplateEdge]]
Reader = NamedDependency[SkipValidation[CouponDesk]]
Desk = NamedDependency[SkipValidation[CouponDesk]]


class _Templates(Controller):
    """What both sides may do with templates."""

    @post("/")
    async def create(self, edge: Edge, desk: Desk, data: JSONBody[TemplateBody]) -> TemplateView:
        """
        Make a template of a campaign for coupons. From now on coupons can be claimed, while the campaign runs.

        Refuses COUPON_TERMS_UNSOUND, naming the field; COUPON_CAMPAIGN_NOT_FOR_COUPONS; COUPON_TEMPLATE_OTHERWISE.
        """
        id_, campaign_id = template_id_of(data.template_id), parse_id("cmp", data.campaign_id)
        verb, merchant_id = edge.templates.create, desk.merchant_id
        made = await decided(
            edge.node.journal, lambda: verb(id_, campaign_id, data.name, data.terms, data.stock, merchant_id)
        )
        return edge.view(made)

    @get("/")
    async def everything(self, edge: Edge, reader: Reader) -> list[TemplateView]:
        """
        All templates, oldest first.

        Refuses SHOP_NOT_YOURS, ROLE_MAY_NOT to a merchant's key.
        """
        return [edge.view(each) for each in edge.templates.templates(reader.merchant_id)]

    @get("/{template_id:str}")
    async def show(self, edge: Edge, reader: Reader, template_id: FromPath[str]) -> TemplateView:
        """
        One template.

        Refuses COUPON_TEMPLATE_UNKNOWN, for another merchant's, too.
        """
        return edge.view(edge.templates.template(template_id_of(template_id), reader.merchant_id))

    @post("/{template_id:str}/stock", status_code=200)
    async def restock(
        self, edge: Edge, desk: Desk, template_id: FromPath[str], data: JSONBody[StockBody]
    ) -> TemplateView:
        """
        Let another number be claimed in all.

        Refuses COUPON_TEMPLATE_UNKNOWN; COUPON_STOCK_BELOW_CLAIMED.
        """
        id_, verb = template_id_of(template_id), edge.templates.restock
        return edge.view(await decided(edge.node.journal, lambda: verb(id_, data.stock, desk.merchant_id)))

    @post("/{template_id:str}/pause", status_code=200)
    async def pause(self, edge: Edge, desk: Desk, template_id: FromPath[str]) -> TemplateView:
        """
        Let none be claimed for now. What was claimed stays good.

        Refuses COUPON_TEMPLATE_UNKNOWN; COUPON_NOT_ON_OFFER once it was ended.
        """
        return await _moved(edge, desk, template_id, TemplateState.PAUSED)

    @post("/{template_id:str}/resume", status_code=200)
    async def resume(self, edge: Edge, desk: Desk, template_id: FromPath[str]) -> TemplateView:
        """
        Let them be claimed again.

        Refuses COUPON_TEMPLATE_UNKNOWN; COUPON_NOT_ON_OFFER once it was ended.
        """
        return await _moved(edge, desk, template_id, TemplateState.ACTIVE)

    @post("/{template_id:str}/end", status_code=200)
    async def end(self, edge: Edge, desk: Desk, template_id: FromPath[str]) -> TemplateView:
        """
        Let none be claimed any more, for good. What was claimed stays good.

        Refuses COUPON_TEMPLATE_UNKNOWN.
        """
        return await _moved(edge, desk, template_id, TemplateState.ENDED)

    @post("/{template_id:str}/codes")
    async def make_codes(
        self, edge: Edge, desk: Desk, template_id: FromPath[str], data: JSONBody[CodesBody]
    ) -> BatchView:
        """Make codes. Refuses COUPON_TAKES_NO_CODES, COUPON_CODES_OTHERWISE."""
        id_, batch_id, verb = (
            template_id_of(template_id),
            parse_id(BATCH_PREFIX, data.batch_id),
            edge.templates.make_codes,
        )
        made = await decided(edge.node.journal, lambda: verb(batch_id, id_, data.count, desk.by, desk.merchant_id))
        return await edge.batch(made)

    @get("/{template_id:str}/codes")
    async def batches(self, edge: Edge, reader: Reader, template_id: FromPath[str]) -> list[BatchView]:
        """
        The batches of codes that were made, oldest first, and how many of each were claimed and paid with.

        Refuses COUPON_TEMPLATE_UNKNOWN.
        """
        found = edge.templates.batches(template_id_of(template_id), reader.merchant_id)
        uses = await edge.uses.of_template(template_id_of(template_id))
        return [batch_view(each, uses.get(each.id, Use())) for each in found]

    @get("/{template_id:str}/codes/{batch_id:str}", media_type="text/plain")
    async def export(self, edge: Edge, desk: Desk, template_id: FromPath[str], batch_id: FromPath[str]) -> Stream:
        """
        The codes themselves, one a line: whoever has them can claim.

        Refuses COUPON_TEMPLATE_UNKNOWN; COUPON_CODES_UNKNOWN.
        """
        edge.templates.template(template_id_of(template_id), desk.merchant_id)
        batch = edge.templates.batch(parse_id(BATCH_PREFIX, batch_id), desk.merchant_id)
        name = f'attachment; filename="{batch_id}.txt"'
        headers = {"content-disposition": name, "cache-control": "no-store"}
        return Stream(_lines(edge.templates, batch), media_type="text/plain", headers=headers)

    @get("/{template_id:str}/claims")
    async def claims(
        self, edge: Edge, reader: Reader, template_id: FromPath[str], limit: Limit = 50, cursor: Cursor = None
    ) -> RedemptionPage:
        """
        Who claimed coupons and what became of them, newest first.

        Refuses COUPON_TEMPLATE_UNKNOWN.
        """
        template = edge.templates.template(template_id_of(template_id), reader.merchant_id)
        before = parse_id(COUPON_PREFIX, cursor) if cursor else None
        found = await edge.redemptions.page(template.id, before=before, limit=limit)
        more = id_text(COUPON_PREFIX, found[-1][0].id) if len(found) == limit else None
        # A merchant learns how its coupons fare, and not who its customers are to the institution.
        shown = [redemption_view(*each, named=not reader.merchant_id) for each in found]
        return RedemptionPage(claims=shown, next_cursor=more)


class MerchantTemplates(_Templates):
    """A merchant's own coupons."""

    path = "/v1/merchant/coupon-templates"
    tags = ("Coupons: merchants",)


class OperatorTemplates(_Templates):
    """All coupons of the institution."""

    path = "/v1/operator/coupon-templates"
    tags = ("Operator: coupons",)

    @post("/{template_id:str}/send")
    async def send(self, edge: Edge, template_id: FromPath[str], data: JSONBody[SendBody]) -> CouponView:
        """Send a coupon to a person, who is told. Refuses USER_CLOSED, USER_FROZEN, COUPON_LIMIT_REACHED, COUPON_STOCK_EXHAUSTED."""
        id_, claim_id = template_id_of(template_id), coupon_id_of(data.coupon_id)
        person_id, verb = parse_id(USER_PREFIX, data.user_id), edge.claims.send

        def decide() -> Any:
            person = edge.people.user(person_id)
            if not edge.claims.is_known(claim_id):
                person.may_receive()
            return verb(claim_id, id_, person_id)

        sent = await decided(edge.node.journal, decide)
        return coupon_view(sent, edge.templates.template(id_), edge.node.clock.now_ns())


def template_routes(edge: TemplateEdge, merchants: MerchantService, operator_only: Guard) -> list[Router]:
    """The handlers for `make_app`."""
    given = {"edge": Provide(lambda: edge, sync_to_thread=False)}
    merchant = given | {
        "reader": Provide(_merchant_reader, sync_to_thread=False),
        "desk": Provide(_merchant_desk, sync_to_thread=False),
    }
    operator = given | {
        "reader": Provide(_operator_reader, sync_to_thread=False),
        "desk": Provide(_operator_desk, sync_to_thread=False),
    }
    return [
        Router(
            "/", route_handlers=[MerchantTemplates], dependencies=merchant, guards=[key_guard(edge.node, merchants)]
        ),
        Router(
            "/",
            route_handlers=[OperatorTemplates],
            dependencies=operator,
            guards=[operator_only],
        ),
    ]


def _merchant_reader(request: Request[Any, Any, Any]) -> CouponDesk:
    return _desk_of(request.auth, Right.READ)


def _merchant_desk(request: Request[Any, Any, Any]) -> CouponDesk:
    return _desk_of(request.auth, Right.MANAGE)


def _desk_of(key: StaffKey, right: Right) -> CouponDesk:
    key.check_right(right)
    key.check_whole_merchant()
    return CouponDesk(key.merchant_id, key.name)


def _operator_reader(request: Request[Any, Any, Any]) -> CouponDesk:
    return CouponDesk(0, request.auth)


def _operator_desk(request: Request[Any, Any, Any]) -> CouponDesk:
    return CouponDesk(0, request.auth)


async def _moved(edge: TemplateEdge, desk: CouponDesk, template_id: str, state: TemplateState) -> TemplateView:
    id_, verb = template_id_of(template_id), edge.templates.move
    return edge.view(await decided(edge.node.journal, lambda: verb(id_, state, desk.merchant_id)))


def _lines(templates: TemplateService, batch: CodeBatch) -> Iterator[str]:
    for code in templates.codes(batch):
        yield code + "\n"
