"""Campaigns of a corner shop: its own in three steps, programmes of others that it joins with one tap, and what they brought."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.staff import SignedInStaff
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.campaigns.campaign import (
    CAMPAIGN_PREFIX,
    NAME_LENGTH_MAX,
    Campaign,
    CampaignKind,
    CampaignState,
)
from hutong.marketing.campaigns.edge_api import CampaignEdge
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.marketing.campaigns.sponsor import merchant_sponsor_id
from hutong.marketing.campaigns.views import DEPOSIT_PREFIX, Deposit
from hutong.marketing.coupons.template import TEMPLATE_PREFIX
from hutong.marketing.marketing import Marketing
from hutong.runtime.http import HttpReason
from hutong.web.campaign_wording import KINDS, STATES, TAGS, by_day, gives, said_effects
from hutong.web.console.campaign_coupons import coupon_pages
from hutong.web.console.campaign_form import DAYS, FIELDS, HOURS, USUAL, WAYS, read_own, revisable
from hutong.web.console.campaign_making import CampaignMaker, Ids, Making
from hutong.web.console.campaign_terms import terms_pages
from hutong.web.console.place import Console
from hutong.web.coupon_codes import COUPON_STATES, listed
from hutong.web.coupon_form import offered, typed_of
from hutong.web.form import Form
from hutong.web.page import AnyRequest
from hutong.web.shared_campaign import shared_told

_PATH = "/console/campaigns"
_IDS = {"id": CAMPAIGN_PREFIX, "deposit": DEPOSIT_PREFIX, "template": TEMPLATE_PREFIX}  # What a form brings with it.
_OF_OTHERS = frozenset({"join", "leave", "agree", "decline"})


@dataclass(frozen=True, slots=True)
class Shared:
    """A campaign of the institution's that the merchant is asked to pay a part of, or does."""

    own: "Own"
    part: int
    agreed: bool
    is_open: bool  # One may still agree, or take it back.


@dataclass(frozen=True, slots=True)
class Own:
    """A campaign as the list shows it."""

    id: str
    campaign: Campaign
    gives: list[str]
    given: int


def campaign_pages(console: Console, marketing: Marketing) -> list[ControllerRouterHandler]:
    """`/console/campaigns...`."""
    shown = _Shown(console, marketing)

    async def refused(request: AnyRequest, id_: int, refusal: Refusal, form: Form) -> Response[str]:
        return await shown.one(request, id_, "campaign.html", refusal, form)

    return [
        *_list(console, marketing, shown),
        *_making(console, marketing, shown),
        *terms_pages(console, marketing),
        *coupon_pages(console, marketing, refused),
    ]


def campaign_live(console: Console, marketing: Marketing) -> list[ControllerRouterHandler]:
    """What a campaign's open page renews itself with: nobody's act."""
    shown = _Shown(console, marketing)

    @get("/campaigns/{campaign_id:str}/live")
    async def live(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        return await shown.one(request, parse_id(CAMPAIGN_PREFIX, campaign_id), "campaign_live.html")

    @get("/shared-campaigns/{campaign_id:str}/live")
    async def shared_live(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        return await shown.shared(request, parse_id(CAMPAIGN_PREFIX, campaign_id), "shared_campaign_live.html")

    return [live, shared_live]


def _list(console: Console, marketing: Marketing, shown: "_Shown") -> list[ControllerRouterHandler]:
    edge = marketing.campaign_edge

    @get("/campaigns")
    async def leaf(request: AnyRequest) -> Response[str]:
        return await shown.leaf(request)

    @get("/campaigns/{campaign_id:str}")
    async def one(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        return await shown.one(request, parse_id(CAMPAIGN_PREFIX, campaign_id), "campaign.html")

    @get("/shared-campaigns/{campaign_id:str}")
    async def shared(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        return await shown.shared(request, parse_id(CAMPAIGN_PREFIX, campaign_id), "shared_campaign.html")

    @post("/campaigns/{campaign_id:str}/{act:str}", status_code=200)
    async def act(request: AnyRequest, campaign_id: FromPath[str], act: FromPath[str]) -> Response[Any]:
        who: SignedInStaff = request.auth
        form = await console.pages.form(request)
        id_, merchant_id = parse_id(CAMPAIGN_PREFIX, campaign_id), who.key.merchant_id
        try:
            match act:
                case "join":
                    await console.act(lambda: edge.programmes.join(id_, merchant_id))
                case "leave":
                    await console.act(lambda: edge.programmes.leave(id_, merchant_id))
                case "agree":
                    await _agree(edge, who, id_, form)
                case "decline":
                    version = form.number("version", least=1)
                    await console.act(
                        lambda: edge.campaigns.agree(id_, merchant_id, version, agrees=False, by=who.key.id)
                    )
                case "pause":
                    await edge.campaign(lambda: edge.campaigns.pause(id_, merchant_id))
                case "end":
                    await edge.campaign(lambda: edge.campaigns.end(id_, merchant_id))
                case "go-on":
                    await edge.begin(id_, merchant_id)
                case _:
                    raise Refusal(HttpReason.ROUTE_UNKNOWN)
        except Refusal as refusal:
            return await shown.leaf(request, refusal)
        return console.pages.go(_PATH if act in _OF_OTHERS else f"{_PATH}/{campaign_id}")

    @post("/campaigns/take-back", status_code=200)
    async def take_back(request: AnyRequest) -> Response[Any]:
        """What is set aside and in no campaign goes back to the merchant's account."""
        form = await console.pages.form(request)
        sponsor = await edge.own(request.auth.key)
        try:
            amount = await edge.sponsors.balance(sponsor.id)
            if amount:
                taken = Deposit(deposit_id=form.needed("deposit", length_max=40), amount=amount)
                await edge.deposit(edge.sponsors.withdraw, sponsor, taken)
        except Refusal as refusal:
            return await shown.leaf(request, refusal)
        return console.pages.go(_PATH)

    return [leaf, one, shared, act, take_back]


async def _agree(edge: CampaignEdge, who: SignedInStaff, id_: int, form: Form) -> None:
    """Set aside what is missing of the part, and say yes. Refuses as these do."""
    merchant_id, version = who.key.merchant_id, form.number("version", least=1)
    sponsor = await edge.own(who.key)
    agreed = [
        each
        for each in edge.campaigns.shared_by(sponsor.id)
        if each.state == CampaignState.DRAFT and (each.id == id_ or merchant_id in each.consents)
    ]
    # What others wait for that it agreed to is spoken for: no two are to count on the same fen.
    promised = sum(edge.campaigns.asked(each)[merchant_id] for each in agreed)
    missing = promised - await edge.sponsors.balance(sponsor.id)
    if missing > 0:
        deposit = Deposit(deposit_id=form.needed("deposit", length_max=40), amount=missing)
        await edge.deposit(edge.sponsors.deposit, sponsor, deposit)
    await edge.campaign(lambda: edge.campaigns.agree(id_, merchant_id, version, agrees=True, by=who.key.id))


def _making(console: Console, marketing: Marketing, shown: "_Shown") -> list[ControllerRouterHandler]:
    edge, maker = marketing.campaign_edge, CampaignMaker(marketing)

    @get("/campaigns/new")
    async def new(request: AnyRequest) -> Response[str]:
        return await shown.form(request)

    @post("/campaigns/new", status_code=200)
    async def begin(request: AnyRequest) -> Response[Any]:
        """Set aside what is missing of its budget, write it down, and let it run: just what stands on the form, however often it is sent."""
        who: SignedInStaff = request.auth
        form = await console.pages.form(request)
        typed = {name: form.text(name, length_max=100) for name in FIELDS}
        try:
            now_ns = console.institution.node.clock.now_ns()
            ids = Ids(*(parse_id(prefix, form.needed(name, length_max=40)) for name, prefix in _IDS.items()))
            draft, coupon, stock = read_own(form, now_ns, console.bills.currency)
            sponsor = await edge.own(who.key)
            making = Making(draft.draft(who.key.merchant_id, sponsor.id), coupon, stock)
            making.draft.check()
            if coupon is not None:
                coupon.check()
            made = await maker.begin(who.key, ids, making, now_ns)
        except Refusal as refusal:
            if refusal.reason is not CampaignReason.CAMPAIGN_OTHERWISE:  # After that, what is sent next is another.
                typed |= {name: form.text(name, length_max=40) for name in _IDS}
            return await shown.form(request, typed, refusal)
        return console.pages.go(f"{_PATH}/{id_text(CAMPAIGN_PREFIX, made)}")

    return [new, begin]


class _Shown:
    """The pages themselves, each also with what was refused on it."""

    def __init__(self, console: Console, marketing: Marketing) -> None:
        self._console = console
        self._marketing = marketing

    async def leaf(self, request: AnyRequest, refusal: Refusal | None = None) -> Response[str]:
        who: SignedInStaff = request.auth
        _ = self._console.pages.words(request)
        marketing, merchant_id = self._marketing, who.key.merchant_id
        sponsor = await marketing.campaign_edge.own(who.key)
        own = [self._own(request, each) for each in reversed(marketing.campaigns.everything(merchant_id))]
        programmes = [
            (self._own(request, each), marketing.programmes.has_joined(each.id, merchant_id))
            for each in marketing.programmes.open()
        ]
        return await self._console.page(
            request,
            "campaigns.html",
            "campaigns",
            refusal,
            balance=await marketing.sponsors.balance(sponsor.id),
            own=own,
            programmes=programmes,
            shared=[self._shared(request, each, merchant_id) for each in marketing.campaigns.shared_by(sponsor.id)],
            takings=await marketing.effects.of_merchant(merchant_id),
            states=STATES,
            tags=TAGS,
            kinds=KINDS,
            new_deposit=self._new(DEPOSIT_PREFIX),
        )

    async def form(
        self, request: AnyRequest, typed: dict[str, str] | None = None, refusal: Refusal | None = None
    ) -> Response[str]:
        who: SignedInStaff = request.auth
        sponsor = await self._marketing.campaign_edge.own(who.key)
        return await self._console.page(
            request,
            "campaign_new.html",
            "campaigns",
            refusal,
            balance=await self._marketing.sponsors.balance(sponsor.id),
            typed=dict.fromkeys((*FIELDS, *_IDS), "") | USUAL | (typed or {}),
            ways=WAYS,
            new_template=self._new(TEMPLATE_PREFIX),
            hours=HOURS,
            days=DAYS,
            name_max=NAME_LENGTH_MAX,
            new_campaign=self._new(CAMPAIGN_PREFIX),
            new_deposit=self._new(DEPOSIT_PREFIX),
        )

    async def one(
        self, request: AnyRequest, id_: int, template: str, refusal: Refusal | None = None, form: Form | None = None
    ) -> Response[str]:
        typed = typed_of(form)
        who: SignedInStaff = request.auth
        _ = self._console.pages.words(request)
        campaign = self._marketing.campaigns.campaign(id_, who.key.merchant_id)
        view = await self._marketing.effects.of_campaign(id_, who.key.merchant_id)
        takings = await self._marketing.effects.of_merchant(who.key.merchant_id)
        return await self._console.page(
            request,
            template,
            "campaigns",
            refusal,
            own=self._own(request, campaign),
            view=view,
            effects=said_effects(_, view),
            chart=by_day(_, view),
            takings=next((each for each in takings if each.campaign_id == view.campaign_id), None),
            states=STATES,
            tags=TAGS,
            coupons=listed(_, self._marketing, id_) if campaign.kind == CampaignKind.COUPON else None,
            typed=typed,
            offered=offered(typed),
            was_typed=form is not None,
            new_template=self._new(TEMPLATE_PREFIX),
            may_revise=revisable(campaign) is not None,
            now_ns=self._console.institution.node.clock.now_ns(),
            coupon_states=COUPON_STATES,
            over=campaign.state == CampaignState.ENDED,
        )

    async def shared(self, request: AnyRequest, id_: int, template: str) -> Response[str]:
        """What a campaign of the institution's brings, whose cost the merchant shares."""
        who: SignedInStaff = request.auth
        sponsor_id = merchant_sponsor_id(who.key.merchant_id)
        told = await shared_told(self._marketing, self._console.pages.words(request), id_, sponsor_id)
        return await self._console.page(request, template, "campaigns", **told)

    def _shared(self, request: AnyRequest, campaign: Campaign, merchant_id: int) -> Shared:
        part = self._marketing.campaigns.asked(campaign)[merchant_id]
        is_open = campaign.state == CampaignState.DRAFT
        return Shared(self._own(request, campaign), part, merchant_id in campaign.consents, is_open)

    def _own(self, request: AnyRequest, campaign: Campaign) -> Own:
        given = self._marketing.campaigns.spent[campaign.id].total
        _ = self._console.pages.words(request)
        told = gives(_, campaign)
        if campaign.kind == CampaignKind.COUPON:
            told = [each.told.gives for each in listed(_, self._marketing, campaign.id)]
        return Own(id_text(CAMPAIGN_PREFIX, campaign.id), campaign, told, given)

    def _new(self, prefix: str) -> str:
        return id_text(prefix, self._console.institution.node.mint.mint())
