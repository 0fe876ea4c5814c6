"""Campaigns over HTTP: for the operator and its sponsors, for merchants, and for people."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from litestar import Controller, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from hutong.institution.door_api import Door, key_guard, session_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.merchants.views import MERCHANT_PREFIX
from hutong.institution.people.device import Session
from hutong.institution.people.service import PeopleService
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.award_service import AwardService
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, Campaign, CampaignState, CampaignTerms
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.campaigns.party_service import PartyService
from hutong.marketing.campaigns.programme_service import ProgrammeService
from hutong.marketing.campaigns.sponsor import SPONSOR_PREFIX, Sponsor
from hutong.marketing.campaigns.sponsor_service import SponsorService
from hutong.marketing.campaigns.trait import TraitOf
from hutong.marketing.campaigns.views import (
    DEPOSIT_PREFIX,
    USER_PREFIX,
    AwardPage,
    AwardView,
    CampaignView,
    Deposit,
    DepositView,
    DraftCampaign,
    DraftOwnCampaign,
    OfferView,
    ProgrammeView,
    RegisterSponsor,
    SponsorView,
    TraitsBody,
    TraitsView,
    award_view,
    campaign_view,
    offer_view,
    programme_view,
    sponsor_view,
)
from hutong.operators.guard import Guard
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

PAGE_MAX = 200
Only = Annotated[CampaignState | None, QueryParameter(description="Those in this state.")]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many at most.")]
Cursor = Annotated[int | None, QueryParameter(ge=0, le=2**62, description="The `next_cursor` of the page before.")]


@dataclass(frozen=True, slots=True)
class CampaignEdge:
    """What the handlers need, and what they share."""

    node: NodeRuntime
    sponsors: SponsorService
    campaigns: CampaignService
    programmes: ProgrammeService
    awards: AwardService
    parties: PartyService
    merchants: MerchantService

    async def campaign(self, decide: Callable[[], Campaign]) -> CampaignView:
        """The campaign that `decide` answers."""
        return self.shown(await decided(self.node.journal, decide))

    async def begin(self, id_: int, merchant_id: int = 0) -> CampaignView:
        """Start a campaign, and wait for what the ledger says. Refuses as `CampaignService.begin`."""
        answered = self.node.journal.promise()

        def answer(campaign: Campaign) -> None:
            if not answered.done():
                answered.set_result(campaign)

        await decided(self.node.journal, lambda: self.campaigns.begin(id_, merchant_id, answer))
        return self.shown(await answered)

    async def deposit(self, move: Callable[..., None], sponsor: Sponsor, data: Deposit) -> DepositView:
        """Pay into a budget, or take back. Refuses as the service."""
        answered = self.node.journal.promise()

        def answer(refusal: Refusal | None) -> None:
            if not answered.done():
                answered.set_result(refusal)

        id_ = parse_id(DEPOSIT_PREFIX, data.deposit_id)
        await decided(self.node.journal, lambda: move(id_, sponsor.id, data.amount, answer))
        refusal = await answered
        if refusal is not None:
            raise refusal
        balance = await self.sponsors.balance(sponsor.id)
        return DepositView(deposit_id=data.deposit_id, amount=data.amount, balance=balance)

    async def sponsor(self, sponsor: Sponsor) -> SponsorView:
        """A sponsor with its balance."""
        return sponsor_view(sponsor, await self.sponsors.balance(sponsor.id))

    async def own(self, key: StaffKey) -> Sponsor:
        """The merchant as its own sponsor. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS."""
        _check_manages(key)
        name = (await decided(self.node.journal, lambda: self.merchants.merchant(key.merchant_id))).name
        return await decided(self.node.journal, lambda: self.sponsors.of_merchant(key.merchant_id, name))

    async def page(self, campaign_id: int, before: int | None, limit: int) -> AwardPage:
        """Versions of a campaign's awards, newest first."""
        rows = await self.awards.page(campaign_id, before, limit)
        cursor = str(rows[-1][0]) if len(rows) == limit else ""
        return AwardPage(awards=[award_view(row) for _, row in rows], next_cursor=cursor)

    def shown(self, campaign: Campaign) -> CampaignView:
        """A campaign with its figures."""
        spent = self.campaigns.spent[campaign.id]
        return campaign_view(campaign, spent.total, spent.times)


Edge = NamedDependency[SkipValidation[CampaignEdge]]
Key = NamedDependency[SkipValidation[StaffKey]]
Signed = NamedDependency[SkipValidation[Session]]


class SponsorController(Controller):
    """Who pays for campaigns."""

    path = "/v1/operator/sponsors"
    tags = ("Operator: campaigns",)

    @post("/")
    async def register(self, edge: Edge, data: JSONBody[RegisterSponsor]) -> SponsorView:
        """A sponsor that pays in from outside. Merchants are sponsors of their own accord."""
        return await edge.sponsor(await decided(edge.node.journal, lambda: edge.sponsors.register(data.profile())))

    @get("/")
    async def list_sponsors(self, edge: Edge) -> list[SponsorView]:
        """All sponsors."""
        return [await edge.sponsor(each) for each in edge.sponsors.everybody()]

    @get("/{sponsor_id:str}")
    async def show(self, edge: Edge, sponsor_id: FromPath[str]) -> SponsorView:
        """One sponsor."""
        return await edge.sponsor(edge.sponsors.sponsor(parse_id(SPONSOR_PREFIX, sponsor_id)))

    @post("/{sponsor_id:str}/deposits", status_code=200)
    async def deposit(self, edge: Edge, sponsor_id: FromPath[str], data: JSONBody[Deposit]) -> DepositView:
        """Money came into the reserve (备付金) from outside, for this budget; a merchant's comes from what it sold."""
        sponsor = edge.sponsors.sponsor(parse_id(SPONSOR_PREFIX, sponsor_id))
        return await edge.deposit(edge.sponsors.deposit, sponsor, data)

    @post("/{sponsor_id:str}/withdrawals", status_code=200)
    async def withdraw(self, edge: Edge, sponsor_id: FromPath[str], data: JSONBody[Deposit]) -> DepositView:
        """Money left the reserve again: what no campaign has."""
        sponsor = edge.sponsors.sponsor(parse_id(SPONSOR_PREFIX, sponsor_id))
        return await edge.deposit(edge.sponsors.withdraw, sponsor, data)


class CampaignController(Controller):
    """What is given to whom, when, and from which budget."""

    path = "/v1/operator/campaigns"
    tags = ("Operator: campaigns",)

    @post("/")
    async def draft(self, edge: Edge, data: JSONBody[DraftCampaign]) -> CampaignView:
        """Write a campaign down: nothing moves and nothing is given before it is started."""
        draft = data.draft()
        return await edge.campaign(lambda: edge.campaigns.draft(draft))

    @get("/")
    async def list_campaigns(self, edge: Edge, only: Only = None) -> list[CampaignView]:
        """All campaigns, merchants' own among them, oldest first; or those `only` in a state."""
        found = edge.campaigns.everything()
        return [edge.shown(each) for each in found if only is None or each.state == only]

    @get("/{campaign_id:str}")
    async def show(self, edge: Edge, campaign_id: FromPath[str]) -> CampaignView:
        """One campaign."""
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.campaign(id_))

    @get("/{campaign_id:str}/rules")
    async def rules(self, edge: Edge, campaign_id: FromPath[str]) -> dict[str, Any]:
        """Its rules as the rules engine's own document (JDM), for its editor."""
        campaign = edge.campaigns.campaign(parse_id(CAMPAIGN_PREFIX, campaign_id))
        return campaign.told.rules.document(campaign.name)

    @put("/{campaign_id:str}/terms")
    async def revise(self, edge: Edge, campaign_id: FromPath[str], data: JSONBody[CampaignTerms]) -> CampaignView:
        """Other terms from now on; what was awarded keeps the version it was awarded by."""
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.revise(id_, data))

    @post("/{campaign_id:str}/start", status_code=200)
    async def start(self, edge: Edge, campaign_id: FromPath[str]) -> CampaignView:
        """Set its money aside and let it run, when its time comes; or let it go on. A sponsor that has not enough leaves a draft."""
        return await edge.begin(parse_id(CAMPAIGN_PREFIX, campaign_id))

    @post("/{campaign_id:str}/pause", status_code=200)
    async def pause(self, edge: Edge, campaign_id: FromPath[str]) -> CampaignView:
        """Give nothing until it is started again."""
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.pause(id_))

    @post("/{campaign_id:str}/end", status_code=200)
    async def end(self, edge: Edge, campaign_id: FromPath[str]) -> CampaignView:
        """For good: what is left goes back to its sponsors."""
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.end(id_))

    @get("/{campaign_id:str}/awards")
    async def awards(
        self, edge: Edge, campaign_id: FromPath[str], cursor: Cursor = None, limit: Limit = 50
    ) -> AwardPage:
        """What it gave, the newest first: each step of each award."""
        return await edge.page(parse_id(CAMPAIGN_PREFIX, campaign_id), cursor, limit)


class TraitController(Controller):
    """What rules may ask about people and merchants beside what the institution knows."""

    path = "/v1/operator"
    tags = ("Operator: campaigns",)

    @put("/users/{user_id:str}/segments")
    async def segment(self, edge: Edge, user_id: FromPath[str], data: JSONBody[TraitsBody]) -> TraitsView:
        """The segments a person is in."""
        return await _said(edge, TraitOf.PERSON, parse_id(USER_PREFIX, user_id), data)

    @put("/merchants/{merchant_id:str}/tags")
    async def tag(self, edge: Edge, merchant_id: FromPath[str], data: JSONBody[TraitsBody]) -> TraitsView:
        """The tags of a merchant; `small` is what rules for small merchants ask for."""
        return await _said(edge, TraitOf.MERCHANT, parse_id(MERCHANT_PREFIX, merchant_id), data)


class OwnCampaigns(Controller):
    """A merchant's own campaigns, and programmes of others that it joins."""

    path = "/merchant"
    tags = ("Merchant: campaigns",)

    @get("/budget")
    async def budget(self, edge: Edge, key: Key) -> SponsorView:
        """What is set aside for campaigns and in none of them."""
        return await edge.sponsor(await edge.own(key))

    @post("/budget/deposits", status_code=200)
    async def deposit(self, edge: Edge, key: Key, data: JSONBody[Deposit]) -> DepositView:
        """Set some of what was sold aside for campaigns."""
        return await edge.deposit(edge.sponsors.deposit, await edge.own(key), data)

    @post("/budget/withdrawals", status_code=200)
    async def withdraw(self, edge: Edge, key: Key, data: JSONBody[Deposit]) -> DepositView:
        """Take back what no campaign has."""
        return await edge.deposit(edge.sponsors.withdraw, await edge.own(key), data)

    @post("/campaigns")
    async def draft(self, edge: Edge, key: Key, data: JSONBody[DraftOwnCampaign]) -> CampaignView:
        """Write a campaign down, at the merchant's own shops, for whoever pays."""
        draft = data.draft(key.merchant_id, (await edge.own(key)).id)
        return await edge.campaign(lambda: edge.campaigns.draft(draft))

    @get("/campaigns")
    async def list_campaigns(self, edge: Edge, key: Key) -> list[CampaignView]:
        """The merchant's own, oldest first."""
        key.check_right(Right.READ)
        return [edge.shown(each) for each in edge.campaigns.everything(key.merchant_id)]

    @get("/campaigns/{campaign_id:str}")
    async def show(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> CampaignView:
        """One of them."""
        key.check_right(Right.READ)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.campaign(id_, key.merchant_id))

    @put("/campaigns/{campaign_id:str}/terms")
    async def revise(
        self, edge: Edge, key: Key, campaign_id: FromPath[str], data: JSONBody[CampaignTerms]
    ) -> CampaignView:
        """Other terms from now on."""
        _check_manages(key)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.revise(id_, data, key.merchant_id))

    @post("/campaigns/{campaign_id:str}/start", status_code=200)
    async def start(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> CampaignView:
        """Set its money aside and let it run, or go on."""
        _check_manages(key)
        return await edge.begin(parse_id(CAMPAIGN_PREFIX, campaign_id), key.merchant_id)

    @post("/campaigns/{campaign_id:str}/pause", status_code=200)
    async def pause(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> CampaignView:
        """Give nothing until it is started again."""
        _check_manages(key)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.pause(id_, key.merchant_id))

    @post("/campaigns/{campaign_id:str}/end", status_code=200)
    async def end(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> CampaignView:
        """For good: what is left goes back to the merchant's budget."""
        _check_manages(key)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.end(id_, key.merchant_id))

    @get("/campaigns/{campaign_id:str}/awards")
    async def awards(
        self, edge: Edge, key: Key, campaign_id: FromPath[str], cursor: Cursor = None, limit: Limit = 50
    ) -> AwardPage:
        """What it gave, the newest first."""
        key.check_whole_merchant()
        campaign = edge.campaigns.campaign(parse_id(CAMPAIGN_PREFIX, campaign_id), key.merchant_id)
        return await edge.page(campaign.id, cursor, limit)

    @get("/programmes")
    async def programmes(self, edge: Edge, key: Key) -> list[ProgrammeView]:
        """What others pay for, and merchants join."""
        key.check_right(Right.READ)
        return [_programme(edge, each, key.merchant_id) for each in edge.programmes.open()]

    @post("/programmes/{campaign_id:str}/join", status_code=200)
    async def join(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> ProgrammeView:
        """Take part, from now on."""
        return await _moved(edge, key, campaign_id, edge.programmes.join)

    @post("/programmes/{campaign_id:str}/leave", status_code=200)
    async def leave(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> ProgrammeView:
        """Take part no longer."""
        return await _moved(edge, key, campaign_id, edge.programmes.leave)


class Offers(Controller):
    """What a person may meet, and got."""

    path = "/me"
    tags = ("Offers",)

    @get("/offers")
    async def offers(self, edge: Edge, session: Signed) -> list[OfferView]:
        """What runs now for people of this wallet; what somebody gets is said when they pay."""
        return [offer_view(each) for each in edge.campaigns.met_by(session.user_id)]

    @get("/awards")
    async def awards(self, edge: Edge, session: Signed) -> list[AwardView]:
        """What I got, the newest first."""
        found = await decided(edge.node.journal, lambda: edge.awards.of_person(session.user_id))
        return [award_view(each) for each in reversed(found)][:PAGE_MAX]


def campaign_api(edge: CampaignEdge, people: PeopleService, operator_only: Guard) -> list[Router]:
    """The handlers for `make_app`."""
    desk = [SponsorController, CampaignController, TraitController]
    return [
        Door("operator", operator_only).router("/", desk, edge=edge),
        Door("key", key_guard(edge.node, edge.merchants)).router("/v1", [OwnCampaigns], edge=edge),
        Door("session", session_guard(edge.node, people)).router("/v1", [Offers], edge=edge),
    ]


def _check_manages(key: StaffKey) -> None:
    """Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS: it is the whole merchant's money."""
    key.check_right(Right.MANAGE)
    key.check_whole_merchant()


def _programme(edge: CampaignEdge, campaign: Campaign, merchant_id: int) -> ProgrammeView:
    joined = edge.programmes.has_joined(campaign.id, merchant_id)
    return programme_view(campaign, edge.programmes.count(campaign.id), joined=joined)


async def _moved(
    edge: CampaignEdge, key: StaffKey, campaign_id: str, move: Callable[[int, int], Campaign]
) -> ProgrammeView:
    key.check_right(Right.MANAGE)
    id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
    return _programme(edge, await decided(edge.node.journal, partial(move, id_, key.merchant_id)), key.merchant_id)


async def _said(edge: CampaignEdge, of: TraitOf, id_: int, data: TraitsBody) -> TraitsView:
    kept = await decided(edge.node.journal, lambda: edge.parties.say(of, id_, data.words))
    return TraitsView(words=sorted(kept.told))
