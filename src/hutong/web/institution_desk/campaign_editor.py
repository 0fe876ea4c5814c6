"""The editor of campaigns: a new one, other terms for one that is there, and what payers will see, while either is filled in."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, Campaign, CampaignKind, CampaignTerms
from hutong.marketing.campaigns.sponsor import SPONSOR_PREFIX, Sponsor
from hutong.marketing.draws.distribution import USUAL
from hutong.marketing.marketing import Marketing
from hutong.operators.guard import UNATTENDED
from hutong.web.campaign_wording import KINDS, example, terms_give
from hutong.web.form import Form
from hutong.web.institution_desk.campaign_form import (
    FIELDS,
    OFFERED,
    ROW_FIELDS,
    ROWS,
    at_field,
    bands_text,
    read_draft,
    read_terms,
    rows_of,
    sharing_merchant,
    typed_of,
)
from hutong.web.institution_desk.campaign_terms import ASKED, terms_told
from hutong.web.institution_desk.invite_form import (
    NUMBERS,
    SIGNALS,
    STEPS,
    TIERS,
    inviting_fields,
    inviting_typed,
    steps_of,
)
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "campaigns"
_PATH = f"{HOME}/campaigns"
_TERMS = "/{campaign_id:str}/terms"


def editor_pages(desk: Desk, marketing: Marketing) -> list[ControllerRouterHandler]:
    """`/desk/campaigns/new`, `/desk/campaigns/{campaign_id}/terms`, `/desk/campaigns/preview`."""
    editor = _Editor(desk, marketing)

    @get("/new")
    async def blank(request: AnyRequest) -> Response[str]:
        return editor.page(request)

    @post("/new")
    async def draft(request: AnyRequest) -> Response[Any]:
        """A draft: nothing moves before it is started, on its own page."""
        form = await desk.pages.form(request)
        try:
            sponsors = [each.id for each in editor.sponsors()]
            wanted = read_draft(form, desk.node.clock.now_ns(), desk.pages.zone, sponsors)
            merchant_id = sharing_merchant(form)

            def write_down() -> Campaign:
                if merchant_id:
                    merchant = marketing.institution.merchants.merchant(merchant_id)
                    marketing.sponsors.of_merchant(merchant_id, merchant.name)
                return marketing.campaigns.draft(wanted)

            await desk.answer(write_down)
        except Refusal as refusal:
            return editor.page(request, None, form, at_field(refusal))
        return desk.pages.go(f"{_PATH}/{id_text(CAMPAIGN_PREFIX, wanted.id)}")

    @get(_TERMS)
    async def show(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        return editor.page(request, marketing.campaigns.campaign(parse_id(CAMPAIGN_PREFIX, campaign_id)))

    @post(_TERMS)
    async def revise(request: AnyRequest, campaign_id: FromPath[str]) -> Response[Any]:
        """Other terms from now on."""
        form = await desk.pages.form(request)
        campaign = marketing.campaigns.campaign(parse_id(CAMPAIGN_PREFIX, campaign_id))
        try:
            terms = read_terms(form, CampaignKind(campaign.kind), campaign.told)
            version = form.number("version")
            await desk.answer(lambda: marketing.campaigns.revise(campaign.id, terms, version=version))
        except Refusal as refusal:
            return editor.page(request, campaign, form, at_field(refusal))
        return desk.pages.go(f"{_PATH}/{campaign_id}")

    @get("/preview", opt={UNATTENDED: True})
    async def preview(request: AnyRequest) -> Response[str]:
        """What the form shows of itself while it is filled in."""
        return editor.preview(request, Form(request.query_params))

    return [blank, draft, show, revise, preview]


class _Editor:
    """The pages themselves, each also with what was refused on it."""

    def __init__(self, desk: Desk, marketing: Marketing) -> None:
        self._desk = desk
        self._marketing = marketing

    def sponsors(self) -> list[Sponsor]:
        """Who may pay: merchants' money is their own to give."""
        return [each for each in self._marketing.sponsors.everybody() if not each.merchant_id]

    def page(
        self,
        request: AnyRequest,
        campaign: Campaign | None = None,
        form: Form | None = None,
        refusal: Refusal | None = None,
    ) -> Response[str]:
        """An empty form, a campaign's own terms in it, or once more what was typed."""
        sponsors = self.sponsors()
        texts = [id_text(SPONSOR_PREFIX, each.id) for each in sponsors]
        typed = self._typed(campaign, form, texts)
        rows = int(typed["rows"])
        return self._desk.shown(
            request,
            "institution_desk/campaign_new.html",
            NAV,
            refusal,
            campaign=campaign,
            id=id_text(CAMPAIGN_PREFIX, campaign.id) if campaign else "",
            told=terms_told(self._desk.pages.words(request), campaign, self._marketing.sponsors) if campaign else [],
            version=(form.text("version") if form else campaign.version) if campaign else "",
            typed=typed,
            sponsors=list(zip(texts, sponsors, strict=True)),
            rows=range(1, rows + 1),
            filled=[row for row in range(1, rows + 1) if any(typed[f"{name}{row}"] for name in ROW_FIELDS)],
            kinds={kind.value: KINDS[kind.value] for kind in OFFERED},
            asked=ASKED,
            steps=range(1, int(typed["steps"]) + 1),
            numbers=NUMBERS,
            tiers=TIERS,
            signals=SIGNALS,
            new_campaign=id_text(CAMPAIGN_PREFIX, self._desk.node.mint.mint()),
        )

    def _typed(self, campaign: Campaign | None, form: Form | None, sponsors: list[str]) -> dict[str, str]:
        """Every field that the page has, as it is to be filled in."""
        typed = {"kind": CampaignKind.DISCOUNT.value, "days": "30", "bands": bands_text(USUAL)}
        if campaign is None:
            typed |= inviting_typed({}) | typed_of(CampaignTerms(), CampaignKind.DISCOUNT)
        else:
            typed |= typed_of(campaign.told, CampaignKind(campaign.kind))
            typed |= {"kind": campaign.kind, "side": campaign.side, "name": campaign.name}
        rows, steps = int(typed.get("rows", ROWS)), int(typed.get("steps", STEPS))
        if form is not None:
            rows, steps = rows_of(form), steps_of(form)
        lines = [f"{name}{row}" for name in ROW_FIELDS for row in range(1, rows + 1)]
        names = (*FIELDS, *lines, *inviting_fields(steps), *sponsors)
        if form is not None:
            typed |= {name: form.text(name) for name in names}
        return dict.fromkeys(names, "") | typed | {"rows": str(rows), "steps": str(steps)}

    def preview(self, request: AnyRequest, form: Form) -> Response[str]:
        """What payers will be told of what is typed, and an example; or what is still missing."""
        pages = self._desk.pages
        values: dict[str, Any] = {"wrong": None}
        try:
            kind = next((each for each in OFFERED if each.value == form.text("kind")), CampaignKind.DISCOUNT)
            terms = read_terms(form, kind)
            rows = [row for row in terms.rules.rows if row.gives and (row.off or row.bps)]
            prices = example(rows[0]) if rows and kind is CampaignKind.DISCOUNT else ()
            values |= {
                "name": form.text("name"),
                "rows": terms_give(pages.words(request), kind, terms),
                "example": prices,
            }
        except Refusal as refusal:
            values["wrong"] = pages.wrong(request, at_field(refusal))
        return pages.render(request, "kit/campaign_preview.html", **values)
