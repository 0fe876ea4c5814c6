"""A merchant's own coupons, made on their campaign's page; each on its own: how many were claimed and paid with, and its codes."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.staff import SignedInStaff
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, CampaignState
from hutong.marketing.coupons.code import BATCH_PREFIX
from hutong.marketing.coupons.template import STOCK_MAX, TEMPLATE_PREFIX
from hutong.marketing.marketing import Marketing
from hutong.web.console.place import Console
from hutong.web.coupon_codes import (
    COUPON_MOVES,
    COUPON_STATES,
    USUAL_COUNT,
    codes_file,
    codes_wanted,
    shown,
)
from hutong.web.coupon_form import at_field, coupon_preview, read_coupon
from hutong.web.coupon_wording import CODE_KINDS
from hutong.web.form import Form
from hutong.web.page import AnyRequest

ShowOne = Callable[[AnyRequest, int, Refusal, Form], Awaitable[Response[str]]]
_ONE = "/campaigns/{campaign_id:str}/coupons/{template_id:str}"


def coupon_pages(console: Console, marketing: Marketing, show: ShowOne) -> list[ControllerRouterHandler]:
    """`/console/campaigns/{campaign_id}/coupons...`; `show` is the campaign's page with a no on it."""
    return [*_one(console, marketing), *_making(console, marketing, show)]


class _Shown:
    """A coupon's own page, also with what was refused on it."""

    def __init__(self, console: Console, marketing: Marketing) -> None:
        self._console = console
        self._marketing = marketing

    async def page(
        self,
        request: AnyRequest,
        campaign_id: str,
        template_id: str,
        refusal: Refusal | None = None,
        form: Form | None = None,
    ) -> Response[str]:
        who: SignedInStaff = request.auth
        console, marketing, merchant_id = self._console, self._marketing, who.key.merchant_id
        campaign = marketing.campaigns.campaign(parse_id(CAMPAIGN_PREFIX, campaign_id), merchant_id)
        return await console.page(
            request,
            "coupon.html",
            "campaigns",
            refusal,
            campaign_id=campaign_id,
            campaign=campaign,
            over=campaign.state == CampaignState.ENDED,
            shown=await shown(console.pages.words(request), marketing, template_id, merchant_id),
            here_path=_path(campaign_id, template_id),
            coupon_states=COUPON_STATES,
            code_kinds=CODE_KINDS,
            typed_count=form.text("count") or USUAL_COUNT if form else USUAL_COUNT,
            typed_stock=form.text("stock") if form else "",
        )


def _one(console: Console, marketing: Marketing) -> list[ControllerRouterHandler]:
    templates, page = marketing.coupons.templates, _Shown(console, marketing).page

    @get(_ONE)
    async def one(request: AnyRequest, campaign_id: FromPath[str], template_id: FromPath[str]) -> Response[str]:
        return await page(request, campaign_id, template_id)

    @post(_ONE, status_code=200)
    async def move(request: AnyRequest, campaign_id: FromPath[str], template_id: FromPath[str]) -> Response[Any]:
        who: SignedInStaff = request.auth
        form = await console.pages.form(request)
        id_, state = parse_id(TEMPLATE_PREFIX, template_id), COUPON_MOVES.get(form.text("act"))
        try:
            if state is not None:
                await console.act(lambda: templates.move(id_, state, who.key.merchant_id))
            elif form.text("act") == "stock":
                stock = form.number("stock", least=1, most=STOCK_MAX)
                await console.act(lambda: templates.restock(id_, stock, who.key.merchant_id))
        except Refusal as refusal:
            return await page(request, campaign_id, template_id, refusal, form)
        return console.pages.go(_path(campaign_id, template_id))

    @post(f"{_ONE}/codes", status_code=200)
    async def make_codes(request: AnyRequest, campaign_id: FromPath[str], template_id: FromPath[str]) -> Response[Any]:
        who: SignedInStaff = request.auth
        form = await console.pages.form(request)
        merchant_id, by = who.key.merchant_id, who.member.name
        template = templates.template(parse_id(TEMPLATE_PREFIX, template_id), merchant_id)
        try:
            batch_id, count = codes_wanted(form, template)
            await console.act(lambda: templates.make_codes(batch_id, template.id, count, by, merchant_id))
        except Refusal as refusal:
            return await page(request, campaign_id, template_id, refusal, form)
        return console.pages.go(_path(campaign_id, template_id))

    @post(f"{_ONE}/codes/{{batch_id:str}}", status_code=200)
    async def hand_out(
        request: AnyRequest, campaign_id: FromPath[str], template_id: FromPath[str], batch_id: FromPath[str]
    ) -> Response[Any]:
        who: SignedInStaff = request.auth
        await console.pages.form(request)
        id_ = parse_id(BATCH_PREFIX, batch_id)
        try:
            batch = await console.act(lambda: templates.hand_out(id_, who.member.name, who.key.merchant_id))
        except Refusal as refusal:
            return await page(request, campaign_id, template_id, refusal)
        return codes_file(templates, batch)

    return [one, move, make_codes, hand_out]


def _making(console: Console, marketing: Marketing, show: ShowOne) -> list[ControllerRouterHandler]:
    templates = marketing.coupons.templates

    @post("/campaigns/{campaign_id:str}/coupons", status_code=200)
    async def make(request: AnyRequest, campaign_id: FromPath[str]) -> Response[Any]:
        who: SignedInStaff = request.auth
        form = await console.pages.form(request)
        id_, merchant_id = parse_id(CAMPAIGN_PREFIX, campaign_id), who.key.merchant_id
        try:
            template_id = parse_id(TEMPLATE_PREFIX, form.needed("template", length_max=40))
            name, terms, stock = read_coupon(form, marketing.calendar.zone)
            await console.act(lambda: templates.create(template_id, id_, name, terms, stock, merchant_id))
        except Refusal as refusal:
            return await show(request, id_, at_field(refusal), form)
        return console.pages.go(_path(campaign_id, form.text("template")))

    @get("/campaigns/{campaign_id:str}/coupons/preview")
    async def preview(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        """What the form shows of itself while it is filled in."""
        parse_id(CAMPAIGN_PREFIX, campaign_id)
        return coupon_preview(console.pages, request, console.institution.node.clock.now_ns(), marketing.calendar.zone)

    return [make, preview]


def _path(campaign_id: str, template_id: str) -> str:
    return f"/console/campaigns/{campaign_id}/coupons/{template_id}"
