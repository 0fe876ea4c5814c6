"""Coupons on their campaign's page and on their own: made, counted, their codes, and their claiming stopped and taken up again."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, CampaignState
from hutong.marketing.coupons.code import BATCH_PREFIX
from hutong.marketing.coupons.template import STOCK_MAX, TEMPLATE_PREFIX, CodeKind
from hutong.marketing.marketing import Marketing
from hutong.operators.guard import UNATTENDED
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
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

_NAV = "campaigns"
ShowOne = Callable[[AnyRequest, int, Refusal, Form], Awaitable[Response[str]]]


def coupon_acts(desk: Desk, marketing: Marketing, show: ShowOne) -> list[ControllerRouterHandler]:
    """What is below `/desk/campaigns/{campaign_id}/coupons`; `show` is the campaign's page with a no on it."""
    templates = marketing.coupons.templates

    @post("/{campaign_id:str}/coupons")
    async def make(request: AnyRequest, campaign_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        try:
            template_id = parse_id(TEMPLATE_PREFIX, form.needed("template", length_max=40))
            name, terms, stock = read_coupon(form, marketing.calendar.zone)
            await desk.answer(lambda: templates.create(template_id, id_, name, terms, stock))
        except Refusal as refusal:
            return await show(request, id_, at_field(refusal), form)
        if terms.code is CodeKind.NONE:
            return desk.pages.go(f"{HOME}/campaigns/{campaign_id}")
        return desk.pages.go(f"{HOME}/campaigns/{campaign_id}/coupons/{form.text('template')}")

    @get("/{campaign_id:str}/coupons/preview", opt={UNATTENDED: True})
    async def preview(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        """What the form shows of itself while it is filled in."""
        parse_id(CAMPAIGN_PREFIX, campaign_id)
        return coupon_preview(desk.pages, request, desk.node.clock.now_ns(), marketing.calendar.zone)

    return [make, preview, *_one(desk, marketing)]


def _one(desk: Desk, marketing: Marketing) -> list[ControllerRouterHandler]:
    templates = marketing.coupons.templates

    async def page(
        request: AnyRequest,
        campaign_id: str,
        template_id: str,
        refusal: Refusal | None = None,
        form: Form | None = None,
    ) -> Response[str]:
        campaign = marketing.campaigns.campaign(parse_id(CAMPAIGN_PREFIX, campaign_id))
        return desk.shown(
            request,
            "institution_desk/coupon.html",
            _NAV,
            refusal,
            campaign_id=campaign_id,
            campaign=campaign,
            over=campaign.state == CampaignState.ENDED,
            shown=await shown(desk.pages.words(request), marketing, template_id),
            here_path=f"{HOME}/campaigns/{campaign_id}/coupons/{template_id}",
            coupon_states=COUPON_STATES,
            code_kinds=CODE_KINDS,
            typed_count=form.text("count") or USUAL_COUNT if form else USUAL_COUNT,
            typed_stock=form.text("stock") if form else "",
        )

    @get("/{campaign_id:str}/coupons/{template_id:str}")
    async def one(request: AnyRequest, campaign_id: FromPath[str], template_id: FromPath[str]) -> Response[str]:
        return await page(request, campaign_id, template_id)

    @post("/{campaign_id:str}/coupons/{template_id:str}")
    async def move(request: AnyRequest, campaign_id: FromPath[str], template_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_, state = parse_id(TEMPLATE_PREFIX, template_id), COUPON_MOVES.get(form.text("act"))
        try:
            if state is not None:
                await desk.answer(lambda: templates.move(id_, state))
            elif form.text("act") == "stock":
                stock = form.number("stock", least=1, most=STOCK_MAX)
                await desk.answer(lambda: templates.restock(id_, stock))
        except Refusal as refusal:
            return await page(request, campaign_id, template_id, refusal, form)
        return desk.pages.go(f"{HOME}/campaigns/{campaign_id}/coupons/{template_id}")

    @post("/{campaign_id:str}/coupons/{template_id:str}/codes")
    async def make_codes(request: AnyRequest, campaign_id: FromPath[str], template_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        template, by = templates.template(parse_id(TEMPLATE_PREFIX, template_id)), request.auth.name
        try:
            batch_id, count = codes_wanted(form, template)
            await desk.answer(lambda: templates.make_codes(batch_id, template.id, count, by))
        except Refusal as refusal:
            return await page(request, campaign_id, template_id, refusal, form)
        return desk.pages.go(f"{HOME}/campaigns/{campaign_id}/coupons/{template_id}")

    @post("/{campaign_id:str}/coupons/{template_id:str}/codes/{batch_id:str}", status_code=200)
    async def hand_out(
        request: AnyRequest, campaign_id: FromPath[str], template_id: FromPath[str], batch_id: FromPath[str]
    ) -> Response[Any]:
        await desk.pages.form(request)
        id_, by = parse_id(BATCH_PREFIX, batch_id), request.auth.name
        try:
            batch = await desk.answer(lambda: templates.hand_out(id_, by))
        except Refusal as refusal:
            return await page(request, campaign_id, template_id, refusal)
        return codes_file(templates, batch)

    return [one, move, make_codes, hand_out]
