"""A corner shop's campaign with other terms from now on; and what customers will see, while either form is filled in."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.staff import SignedInStaff
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, Campaign
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.marketing.campaigns.rules import RuleRow
from hutong.marketing.marketing import Marketing
from hutong.web.campaign_wording import example, row_told
from hutong.web.console.campaign_form import FIELDS, HOURS, read_row, read_terms, revisable
from hutong.web.console.place import Console
from hutong.web.form import Form
from hutong.web.page import AnyRequest

_TERMS = "/campaigns/{campaign_id:str}/terms"


def terms_pages(console: Console, marketing: Marketing) -> list[ControllerRouterHandler]:
    """`/console/campaigns/{campaign_id}/terms`, `/console/campaigns/preview`."""
    campaigns = marketing.campaigns

    async def page(
        request: AnyRequest, campaign_id: str, form: Form | None = None, refusal: Refusal | None = None
    ) -> Response[str]:
        campaign = _own(request, campaign_id)
        typed = revisable(campaign)
        if typed is None:  # Made by the API, with more than three steps ask.
            raise Refusal(CampaignReason.CAMPAIGN_STATE_FORBIDS, state=campaign.state)
        if form is not None:
            typed = {name: form.text(name) for name in FIELDS}
        return await console.page(
            request,
            "campaign_terms.html",
            "campaigns",
            refusal,
            campaign_id=campaign_id,
            campaign=campaign,
            version=form.text("version") if form is not None else campaign.version,
            typed=dict.fromkeys(FIELDS, "") | typed,
            hours=HOURS,
        )

    def _own(request: AnyRequest, campaign_id: str) -> Campaign:
        who: SignedInStaff = request.auth
        return campaigns.campaign(parse_id(CAMPAIGN_PREFIX, campaign_id), who.key.merchant_id)

    @get(_TERMS)
    async def show(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        return await page(request, campaign_id)

    @post(_TERMS, status_code=200)
    async def revise(request: AnyRequest, campaign_id: FromPath[str]) -> Response[Any]:
        form, campaign = await console.pages.form(request), _own(request, campaign_id)
        try:
            terms, version = read_terms(form, campaign, console.bills.currency), form.number("version")
            await console.act(lambda: campaigns.revise(campaign.id, terms, campaign.merchant_id, version=version))
        except Refusal as refusal:
            return await page(request, campaign_id, form, refusal)
        return console.pages.go(f"/console/campaigns/{campaign_id}")

    @get("/campaigns/preview")
    async def preview(request: AnyRequest) -> Response[str]:
        form, _ = Form(request.query_params), console.pages.words(request)
        values: dict[str, Any] = {"wrong": None}
        try:
            row: RuleRow = read_row(form, console.bills.currency)
            values |= {"name": form.text("name"), "rows": [row_told(_, row)], "example": example(row)}
        except Refusal as refusal:
            values["wrong"] = console.pages.wrong(request, refusal)
        return console.pages.render(request, "kit/campaign_preview.html", **values)

    return [show, revise, preview]
