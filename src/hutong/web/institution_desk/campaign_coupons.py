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
from hutong.marketing.coupons.template import (
    ITEM_LENGTH_MAX,
    NAME_LENGTH_MAX,
    STOCK_MAX,
    TEMPLATE_PREFIX,
    ClaimLimits,
    CodeKind,
    CouponKind,
    CouponTerms,
)
from hutong.marketing.coupons.validity import DAYS_MAX, Validity
from hutong.marketing.marketing import Marketing
from hutong.web.coupon_codes import (
    CODE_KINDS,
    COUPON_MOVES,
    COUPON_STATES,
    USUAL_COUNT,
    codes_file,
    codes_wanted,
    shown,
)
from hutong.web.form import Form
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

COUPON_FIELDS = (
    "coupon_name",
    "coupon_kind",
    "coupon_off",
    "coupon_percent",
    "coupon_cap",
    "coupon_least",
    "coupon_item",
    "coupon_price",
    "coupon_for",
    "coupon_code",
)
COUPON_COUNTS = ("coupon_stock", "coupon_days", "coupon_each")
COUPON_KINDS = {
    CouponKind.AMOUNT_OFF.value: phrase("An amount off"),
    CouponKind.PERCENT_OFF.value: phrase("A part of the price off"),
    CouponKind.GOODS.value: phrase("An amount off one thing"),
    CouponKind.FREE_ITEM.value: phrase("One thing for free"),
    CouponKind.EXCHANGE.value: phrase("One thing for a small price"),
}
_PER_CENT_BPS = 100
_NAV = "campaigns"
ShowOne = Callable[[AnyRequest, int, Refusal, dict[str, str]], Awaitable[Response[str]]]


def coupon_acts(desk: Desk, marketing: Marketing, show: ShowOne) -> list[ControllerRouterHandler]:
    """What is below `/desk/campaigns/{campaign_id}/coupons`; `show` is the campaign's page with a no on it."""
    templates = marketing.coupons.templates

    @post("/{campaign_id:str}/coupons")
    async def make(request: AnyRequest, campaign_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        try:
            template_id = parse_id(TEMPLATE_PREFIX, form.needed("template", length_max=40))
            name = form.needed("coupon_name", length_max=NAME_LENGTH_MAX)
            terms, stock = _terms(form), form.number("coupon_stock", least=1, most=STOCK_MAX)
            await desk.answer(lambda: templates.create(template_id, id_, name, terms, stock))
        except Refusal as refusal:
            typed = {field: form.text(field) for field in (*COUPON_FIELDS, *COUPON_COUNTS, "coupon_giving")}
            return await show(request, id_, refusal, typed)
        if terms.code is CodeKind.NONE:
            return desk.pages.go(f"{HOME}/campaigns/{campaign_id}")
        return desk.pages.go(f"{HOME}/campaigns/{campaign_id}/coupons/{form.text('template')}")

    return [make, *_one(desk, marketing)]


def _one(desk: Desk, marketing: Marketing) -> list[ControllerRouterHandler]:
    templates = marketing.coupons.templates

    async def page(
        request: AnyRequest, campaign_id: str, template_id: str, refusal: Refusal | None = None, count: str = ""
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
            typed_count=count or USUAL_COUNT,
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
        except Refusal as refusal:
            return await page(request, campaign_id, template_id, refusal)
        return desk.pages.go(f"{HOME}/campaigns/{campaign_id}/coupons/{template_id}")

    @post("/{campaign_id:str}/coupons/{template_id:str}/codes")
    async def make_codes(request: AnyRequest, campaign_id: FromPath[str], template_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        template, by = templates.template(parse_id(TEMPLATE_PREFIX, template_id)), request.auth.name
        try:
            batch_id, count = codes_wanted(form, template)
            await desk.answer(lambda: templates.make_codes(batch_id, template.id, count, by))
        except Refusal as refusal:
            return await page(request, campaign_id, template_id, refusal, form.text("count"))
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


def _terms(form: Form) -> CouponTerms:
    """A coupon as typed. Refuses as `Form` does."""
    kind = CouponKind(form.text("coupon_kind")) if form.text("coupon_kind") in COUPON_KINDS else CouponKind.AMOUNT_OFF
    code = next((each for each in CodeKind if each.value == form.text("coupon_code")), CodeKind.NONE)
    each = form.number("coupon_each", least=1, most=100)
    return CouponTerms(
        kind=kind,
        **_given(form, kind),
        threshold=form.amount("coupon_least"),
        validity=Validity(days=form.number("coupon_days", least=1, most=DAYS_MAX)),
        limits=ClaimLimits(per_person=each, per_device=each),
        code=code,
        transferable=form.ticked("coupon_giving"),
    )


def _given(form: Form, kind: CouponKind) -> dict[str, Any]:
    match kind:
        case CouponKind.AMOUNT_OFF:
            return {"amount_off": _amount(form, "coupon_off")}
        case CouponKind.PERCENT_OFF:
            percent = form.number("coupon_percent", least=1, most=99)
            return {"percent_off_bps": percent * _PER_CENT_BPS, "cap": form.amount("coupon_cap")}
        case CouponKind.GOODS:
            return _item(form) | {"amount_off": _amount(form, "coupon_off")}
        case CouponKind.FREE_ITEM:
            return _item(form)
        case CouponKind.EXCHANGE:
            return _item(form) | {"exchange_price": _amount(form, "coupon_for")}


def _item(form: Form) -> dict[str, Any]:
    return {
        "item": form.needed("coupon_item", length_max=ITEM_LENGTH_MAX),
        "item_price": _amount(form, "coupon_price"),
    }


def _amount(form: Form, field: str) -> int:
    form.needed(field, length_max=24)
    return form.amount(field)
