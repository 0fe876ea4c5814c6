"""Campaigns as their sponsors see them: budgets, and how each goes, live."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.campaigns.campaign import (
    CAMPAIGN_PREFIX,
    NAME_LENGTH_MAX,
    Campaign,
    CampaignKind,
    CampaignState,
)
from hutong.marketing.campaigns.sponsor import (
    REFERENCE_LENGTH_MAX,
    SPONSOR_PREFIX,
    SponsorKind,
    SponsorProfile,
)
from hutong.marketing.campaigns.views import DEPOSIT_PREFIX, Deposit
from hutong.marketing.coupons.template import TEMPLATE_PREFIX
from hutong.marketing.marketing import Marketing
from hutong.operators.guard import UNATTENDED
from hutong.runtime.http import HttpReason
from hutong.web.campaign_wording import KINDS, STATES, TAGS, against_plan, by_day, gives, said_effects
from hutong.web.coupon_codes import COUPON_STATES, listed
from hutong.web.coupon_form import offered, typed_of
from hutong.web.coupon_wording import CODE_KINDS
from hutong.web.form import Form
from hutong.web.institution_desk.campaign_coupons import coupon_acts
from hutong.web.institution_desk.campaign_editor import NAV, editor_pages
from hutong.web.institution_desk.campaign_terms import Version, rules_told, terms_told, version_told
from hutong.web.institution_desk.invite_form import SIGNALS
from hutong.web.institution_desk.sponsors import SPONSOR_KINDS, sponsor_pages
from hutong.web.language import Words
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest
from hutong.web.shared_campaign import agreements_told

_PATH = f"{HOME}/campaigns"


def campaign_pages(desk: Desk, marketing: Marketing) -> ControllerRouterHandler:
    """`/desk/campaigns`, and everything below it."""
    shown = _Shown(desk, marketing)

    async def refused(request: AnyRequest, id_: int, refusal: Refusal, form: Form) -> Response[str]:
        return await shown.one(request, id_, "campaign.html", refusal, form)

    return desk.router(
        _PATH,
        [
            *_list(desk, marketing, shown),
            *sponsor_pages(desk, marketing),
            *editor_pages(desk, marketing),
            *_one(desk, marketing, shown),
            *coupon_acts(desk, marketing, refused),
        ],
    )


def _list(desk: Desk, marketing: Marketing, shown: "_Shown") -> list[ControllerRouterHandler]:
    edge = marketing.campaign_edge

    @get()
    async def leaf(request: AnyRequest) -> Response[str]:
        return await shown.leaf(request)

    @post("/sponsors")
    async def register(request: AnyRequest) -> Response[Any]:
        form = await desk.pages.form(request)
        try:
            profile = SponsorProfile(
                reference=form.needed("reference", length_max=REFERENCE_LENGTH_MAX),
                kind=SponsorKind(form.text("kind")) if form.text("kind") in SPONSOR_KINDS else SponsorKind.OUTSIDE,
                name=form.needed("name", length_max=NAME_LENGTH_MAX),
            )
            await desk.answer(lambda: marketing.sponsors.register(profile))
        except Refusal as refusal:
            return await shown.leaf(request, refusal)
        return desk.pages.go(_PATH)

    @post("/sponsors/{sponsor_id:str}")
    async def deposit(request: AnyRequest, sponsor_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        try:
            sponsor = marketing.sponsors.sponsor(parse_id(SPONSOR_PREFIX, sponsor_id))
            form.needed("amount", length_max=24)
            told = Deposit(deposit_id=form.needed("deposit", length_max=40), amount=form.amount("amount"))
            await edge.deposit(marketing.sponsors.deposit, sponsor, told)
        except Refusal as refusal:
            return await shown.leaf(request, refusal)
        return desk.pages.go(_PATH)

    return [leaf, register, deposit]


def _one(desk: Desk, marketing: Marketing, shown: "_Shown") -> list[ControllerRouterHandler]:
    edge = marketing.campaign_edge

    @get("/{campaign_id:str}")
    async def show(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        return await shown.one(request, parse_id(CAMPAIGN_PREFIX, campaign_id), "campaign.html")

    @get("/{campaign_id:str}/live", opt={UNATTENDED: True})
    async def live(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        """What the open page renews itself with."""
        return await shown.one(request, parse_id(CAMPAIGN_PREFIX, campaign_id), "campaign_live.html")

    @post("/{campaign_id:str}")
    async def act(request: AnyRequest, campaign_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        try:
            match form.text("act"):
                case "pause":
                    await desk.answer(partial(marketing.campaigns.pause, id_))
                case "end":
                    await desk.answer(partial(marketing.campaigns.end, id_))
                case "start":
                    await edge.begin(id_)
                case _:
                    raise Refusal(HttpReason.ROUTE_UNKNOWN)
        except Refusal as refusal:
            return await shown.one(request, id_, "campaign.html", refusal)
        return desk.pages.go(f"{_PATH}/{campaign_id}")

    return [show, live, act]


class _Shown:
    """The pages themselves, each also with what was refused on it."""

    def __init__(self, desk: Desk, marketing: Marketing) -> None:
        self._desk = desk
        self._marketing = marketing

    async def leaf(self, request: AnyRequest, refusal: Refusal | None = None) -> Response[str]:
        marketing = self._marketing
        balances = [(each, await marketing.sponsors.balance(each.id)) for each in marketing.sponsors.everybody()]
        return self._desk.shown(
            request,
            "institution_desk/campaigns.html",
            NAV,
            refusal,
            campaigns=[
                (id_text(CAMPAIGN_PREFIX, each.id), each, marketing.campaigns.spent[each.id].total)
                for each in reversed(marketing.campaigns.everything())
            ],
            sponsors=[(id_text(SPONSOR_PREFIX, each.id), each, balance) for each, balance in balances],
            states=STATES,
            tags=TAGS,
            kinds=KINDS,
            sponsor_kinds=SPONSOR_KINDS,
            new_deposit=self._new(DEPOSIT_PREFIX),
        )

    async def one(
        self,
        request: AnyRequest,
        id_: int,
        template: str,
        refusal: Refusal | None = None,
        form: Form | None = None,
    ) -> Response[str]:
        typed = typed_of(form)
        marketing, said = self._marketing, self._desk.pages.words(request)
        campaign = marketing.campaigns.campaign(id_)
        view = await marketing.effects.of_campaign(id_)
        return self._desk.shown(
            request,
            f"institution_desk/{template}",
            NAV,
            refusal,
            id=id_text(CAMPAIGN_PREFIX, id_),
            campaign=campaign,
            view=view,
            gives=gives(said, campaign),
            terms=terms_told(said, campaign, marketing.sponsors),
            rules=rules_told(said, campaign),
            waits_for=[
                each.name
                for each in map(marketing.sponsors.sponsor, dict(campaign.shares))
                if each.who in marketing.campaigns.waits_for(campaign)
            ],
            agreements=agreements_told(marketing, campaign),
            agreed=bool(marketing.campaigns.asked(campaign)),
            earlier=await self._earlier(said, campaign),
            effects=said_effects(said, view),
            days=by_day(said, view),
            today=self._today(request, campaign),
            signals=SIGNALS,
            joined=marketing.programmes.count(id_) if campaign.told.by_joining else None,
            head=self._head(id_),
            coupons=listed(said, marketing, id_) if campaign.kind == CampaignKind.COUPON else None,
            coupon_states=COUPON_STATES,
            code_kinds=CODE_KINDS,
            typed=typed,
            offered=offered(typed),
            was_typed=form is not None,
            new_template=self._new(TEMPLATE_PREFIX),
            states=STATES,
            tags=TAGS,
            kinds=KINDS,
            now_ns=self._desk.node.clock.now_ns(),
            over=campaign.state == CampaignState.ENDED,
        )

    async def _earlier(self, said: Words, campaign: Campaign) -> list[Version]:
        """The versions before the one that stands, the newest first."""
        versions = await self._marketing.campaigns.versions(campaign.id)
        told = [
            version_told(said, each, self._marketing.sponsors) for each in versions if each.version < campaign.version
        ]
        return told[::-1]

    def _today(self, request: AnyRequest, campaign: Campaign) -> str:
        """Draws against their plan by the hour, as far as the day is; nothing for other kinds."""
        marketing = self._marketing
        now_ns = self._desk.node.clock.now_ns()
        if (
            campaign.kind != CampaignKind.DRAW
            or marketing.draws.lived(campaign.id, marketing.calendar.day(now_ns)) is None
        ):
            return ""
        view = marketing.records.pacing(campaign.id)
        every = max(1, 3600 // view.slot_s)
        hours = [*view.slots[every - 1 :: every]]
        if len(view.slots) % every:
            hours.append(view.slots[-1])
        labels = [f"{hour}:00" for hour in range(1, len(hours) + 1)]
        said = self._desk.pages.words(request)
        return against_plan(said, labels, [each.planned for each in hours], [each.given for each in hours])

    def _head(self, id_: int) -> str:
        if all(each.id != id_ for each in self._marketing.draws.campaigns()):
            return ""
        return self._marketing.draws.log.head(id_).hash

    def _new(self, prefix: str) -> str:
        return id_text(prefix, self._desk.node.mint.mint())
