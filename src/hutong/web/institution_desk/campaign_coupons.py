"""Coupons on their campaign's page: made, counted, and their claiming stopped and taken up again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, Campaign, CampaignKind
from hutong.marketing.coupons.template import (
    NAME_LENGTH_MAX,
    STOCK_MAX,
    TEMPLATE_PREFIX,
    ClaimLimits,
    CouponKind,
    CouponTemplate,
    CouponTerms,
    TemplateState,
)
from hutong.marketing.coupons.validity import DAYS_MAX, Validity
from hutong.marketing.marketing import Marketing
from hutong.web.form import Form
from hutong.web.language import Words, phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest
from hutong.web.wallet.coupons import Told, coupon_told

COUPON_FIELDS = ("coupon_name", "coupon_kind", "coupon_off", "coupon_percent", "coupon_cap", "coupon_least")
COUPON_COUNTS = ("coupon_stock", "coupon_days", "coupon_each")
COUPON_STATES = {
    TemplateState.ACTIVE.value: (phrase("To be claimed"), "good"),
    TemplateState.PAUSED.value: (phrase("Paused"), "warn"),
    TemplateState.ENDED.value: (phrase("Ended"), ""),
}
_MOVES = {"pause": TemplateState.PAUSED, "resume": TemplateState.ACTIVE, "end": TemplateState.ENDED}
_PER_CENT_BPS = 100
ShowOne = Callable[[AnyRequest, int, Refusal, dict[str, str]], Awaitable[Response[str]]]


@dataclass(frozen=True, slots=True)
class Listed:
    """A template as the page shows it."""

    id: str
    template: CouponTemplate
    told: Told
    claimed: int


def listed(_: Words, marketing: Marketing, campaign: Campaign) -> list[Listed] | None:
    """A campaign's coupons, oldest first; None where it has none to give."""
    if campaign.kind != CampaignKind.COUPON:
        return None
    templates = marketing.coupons.templates
    return [
        Listed(id_text(TEMPLATE_PREFIX, each.id), each, coupon_told(_, each.told), templates.stock(each.id).claimed)
        for each in templates.templates()
        if each.campaign_id == campaign.id
    ]


def coupon_acts(desk: Desk, marketing: Marketing, show: ShowOne) -> list[ControllerRouterHandler]:
    """What is sent from below `/desk/campaigns/{campaign_id}/coupons`; `show` is the campaign's page with a no on it."""
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
        return desk.pages.go(f"{HOME}/campaigns/{campaign_id}")

    @post("/{campaign_id:str}/coupons/{template_id:str}")
    async def move(request: AnyRequest, campaign_id: FromPath[str], template_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_, state = parse_id(TEMPLATE_PREFIX, template_id), _MOVES.get(form.text("act"))
        try:
            if state is not None:
                await desk.answer(lambda: templates.move(id_, state))
        except Refusal as refusal:
            return await show(request, parse_id(CAMPAIGN_PREFIX, campaign_id), refusal, {})
        return desk.pages.go(f"{HOME}/campaigns/{campaign_id}")

    return [make, move]


def _terms(form: Form) -> CouponTerms:
    """A coupon as typed. Refuses as `Form` does."""
    is_percent = form.text("coupon_kind") == CouponKind.PERCENT_OFF.value
    if not is_percent:
        form.needed("coupon_off", length_max=24)
    return CouponTerms(
        kind=CouponKind.PERCENT_OFF if is_percent else CouponKind.AMOUNT_OFF,
        amount_off=0 if is_percent else form.amount("coupon_off"),
        percent_off_bps=form.number("coupon_percent", least=1, most=99) * _PER_CENT_BPS if is_percent else 0,
        cap=form.amount("coupon_cap") if is_percent else 0,
        threshold=form.amount("coupon_least"),
        validity=Validity(days=form.number("coupon_days", least=1, most=DAYS_MAX)),
        limits=ClaimLimits(per_person=(each := form.number("coupon_each", least=1, most=100)), per_device=each),
        transferable=form.ticked("coupon_giving"),
    )
