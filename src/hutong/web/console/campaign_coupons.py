"""A merchant's own coupons, each on its own page: how many were claimed and paid with, and its codes."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.staff import SignedInStaff
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, CampaignState
from hutong.marketing.coupons.code import BATCH_PREFIX
from hutong.marketing.coupons.template import TEMPLATE_PREFIX
from hutong.marketing.marketing import Marketing
from hutong.web.console.place import Console
from hutong.web.coupon_codes import (
    CODE_KINDS,
    COUPON_MOVES,
    COUPON_STATES,
    USUAL_COUNT,
    codes_file,
    codes_wanted,
    shown,
)
from hutong.web.page import AnyRequest

_ONE = "/campaigns/{campaign_id:str}/coupons/{template_id:str}"


def coupon_pages(console: Console, marketing: Marketing) -> list[ControllerRouterHandler]:
    """`/console/campaigns/{campaign_id}/coupons/{template_id}...`."""
    templates = marketing.coupons.templates

    async def page(
        request: AnyRequest, campaign_id: str, template_id: str, refusal: Refusal | None = None, count: str = ""
    ) -> Response[str]:
        who: SignedInStaff = request.auth
        campaign = marketing.campaigns.campaign(parse_id(CAMPAIGN_PREFIX, campaign_id), who.key.merchant_id)
        return await console.page(
            request,
            "coupon.html",
            "campaigns",
            refusal,
            campaign_id=campaign_id,
            campaign=campaign,
            over=campaign.state == CampaignState.ENDED,
            shown=await shown(console.pages.words(request), marketing, template_id, who.key.merchant_id),
            here_path=_path(campaign_id, template_id),
            coupon_states=COUPON_STATES,
            code_kinds=CODE_KINDS,
            typed_count=count or USUAL_COUNT,
        )

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
        except Refusal as refusal:
            return await page(request, campaign_id, template_id, refusal)
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
            return await page(request, campaign_id, template_id, refusal, form.text("count"))
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


def _path(campaign_id: str, template_id: str) -> str:
    return f"/console/campaigns/{campaign_id}/coupons/{template_id}"
