"""Campaigns over HTTP: for the operator and its sponsors, for merchants, and for people."""

from typing import Any

from litestar import Controller, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.institution.door_api import Door, key_guard, session_guard
from hutong.institution.merchants.views import MERCHANT_PREFIX
from hutong.institution.people.device import Session
from hutong.institution.people.service import PeopleService
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, Campaign, CampaignTerms
from hutong.marketing.campaigns.edge_api import PAGE_MAX, CampaignEdge, Cursor, Edge, Limit, Moved, Only, Replaced
from hutong.marketing.campaigns.own_api import OwnCampaigns
from hutong.marketing.campaigns.sponsor import SPONSOR_PREFIX
from hutong.marketing.campaigns.sponsor_api import SponsoredController, SponsorKeyController, sponsor_door
from hutong.marketing.campaigns.sponsor_key_service import SponsorKeyService
from hutong.marketing.campaigns.sponsored_views import MovementPage
from hutong.marketing.campaigns.trait import TraitOf, Traits
from hutong.marketing.campaigns.views import (
    USER_PREFIX,
    AwardPage,
    AwardView,
    CampaignView,
    Deposit,
    DepositView,
    DraftCampaign,
    OfferView,
    RegisterSponsor,
    SegmentsBody,
    SponsorView,
    TagsBody,
    TraitsBody,
    TraitsView,
    VersionView,
    award_view,
    offer_view,
    version_view,
)
from hutong.operators.guard import Guard
from hutong.runtime.shelf import decided, warmed

Signed = NamedDependency[SkipValidation[Session]]


class SponsorController(Controller):
    """Who pays for campaigns."""

    path = "/v1/operator/sponsors"
    tags = ("Operator: campaigns",)

    @post("/")
    async def register(self, edge: Edge, data: JSONBody[RegisterSponsor]) -> SponsorView:
        """
        A sponsor that pays in from outside. Merchants are sponsors of their own accord.

        Refuses SPONSOR_OTHERWISE, naming the field in which the reference is known otherwise.
        """
        return await edge.sponsor(await decided(edge.node.journal, lambda: edge.sponsors.register(data.profile())))

    @get("/")
    async def list_sponsors(self, edge: Edge) -> list[SponsorView]:
        """All sponsors."""
        return [await edge.sponsor(each) for each in edge.sponsors.everybody()]

    @get("/{sponsor_id:str}")
    async def show(self, edge: Edge, sponsor_id: FromPath[str]) -> SponsorView:
        """
        One sponsor.

        Refuses SPONSOR_UNKNOWN.
        """
        return await edge.sponsor(edge.sponsors.sponsor(parse_id(SPONSOR_PREFIX, sponsor_id)))

    @get("/{sponsor_id:str}/movements")
    async def movements(
        self, edge: Edge, sponsor_id: FromPath[str], cursor: Moved = None, limit: Limit = 50
    ) -> MovementPage:
        """
        What came into its budget and went out of it, the newest first.

        Refuses SPONSOR_UNKNOWN.
        """
        sponsor = edge.sponsors.sponsor(parse_id(SPONSOR_PREFIX, sponsor_id))
        return await edge.movements(sponsor.id, cursor, limit)

    @post("/{sponsor_id:str}/deposits", status_code=200)
    async def deposit(self, edge: Edge, sponsor_id: FromPath[str], data: JSONBody[Deposit]) -> DepositView:
        """
        Money came into the reserve (备付金) from outside, for this budget; a merchant's comes from what it sold.

        Refuses SPONSOR_UNKNOWN; DEPOSIT_OTHERWISE.
        """
        sponsor = edge.sponsors.sponsor(parse_id(SPONSOR_PREFIX, sponsor_id))
        return await edge.deposit(edge.sponsors.deposit, sponsor, data)

    @post("/{sponsor_id:str}/withdrawals", status_code=200)
    async def withdraw(self, edge: Edge, sponsor_id: FromPath[str], data: JSONBody[Deposit]) -> DepositView:
        """
        Money left the reserve again: what no campaign has.

        Refuses SPONSOR_UNKNOWN; SPONSOR_BUDGET_INSUFFICIENT; DEPOSIT_OTHERWISE.
        """
        sponsor = edge.sponsors.sponsor(parse_id(SPONSOR_PREFIX, sponsor_id))
        return await edge.deposit(edge.sponsors.withdraw, sponsor, data)


class CampaignController(Controller):
    """What is given to whom, when, and from which budget."""

    path = "/v1/operator/campaigns"
    tags = ("Operator: campaigns",)

    @post("/")
    async def draft(self, edge: Edge, data: JSONBody[DraftCampaign]) -> CampaignView:
        """
        Write a campaign down: nothing moves and nothing is given before it is started.

        Refuses CAMPAIGN_TERMS_UNSOUND, RULE_NOT_UNDERSTOOD, DISTRIBUTION_INVALID, DRAW_TERMS_INVALID, INVITATION_TERMS_INVALID; SPONSOR_UNKNOWN;
        MERCHANT_UNKNOWN; SPONSOR_NOT_YOURS; CAMPAIGN_OVER; CAMPAIGN_OTHERWISE.
        """
        draft = data.draft()
        merchant_ids = [parse_id(MERCHANT_PREFIX, each.merchant_id) for each in data.sponsors if each.merchant_id]

        def write_down() -> Campaign:
            for merchant in [edge.merchants.merchant(merchant_id) for merchant_id in merchant_ids]:
                edge.sponsors.of_merchant(merchant.id, merchant.name)
            return edge.campaigns.draft(draft)

        return await edge.campaign(write_down)

    @get("/")
    async def list_campaigns(self, edge: Edge, only: Only = None) -> list[CampaignView]:
        """All campaigns, merchants' own among them, oldest first; or those `only` in a state."""
        found = edge.campaigns.everything()
        return [edge.shown(each) for each in found if only is None or each.state == only]

    @get("/{campaign_id:str}")
    async def show(self, edge: Edge, campaign_id: FromPath[str]) -> CampaignView:
        """
        One campaign.

        Refuses CAMPAIGN_UNKNOWN.
        """
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.campaign(id_))

    @get("/{campaign_id:str}/rules")
    async def rules(self, edge: Edge, campaign_id: FromPath[str]) -> dict[str, Any]:
        """
        Its rules as the rules engine's own document (JDM), for its editor.

        Refuses CAMPAIGN_UNKNOWN.
        """
        campaign = edge.campaigns.campaign(parse_id(CAMPAIGN_PREFIX, campaign_id))
        return campaign.told.rules.document(campaign.name)

    @get("/{campaign_id:str}/versions")
    async def versions(self, edge: Edge, campaign_id: FromPath[str]) -> list[VersionView]:
        """
        Every version of its terms, the oldest first: by the `version` and `row` of an award one reads here what it was given by.

        Refuses CAMPAIGN_UNKNOWN.
        """
        found = await edge.campaigns.versions(parse_id(CAMPAIGN_PREFIX, campaign_id))
        return [version_view(each) for each in found]

    @put("/{campaign_id:str}/terms")
    async def revise(
        self, edge: Edge, campaign_id: FromPath[str], data: JSONBody[CampaignTerms], version: Replaced = 0
    ) -> CampaignView:
        """
        Other terms from now on; what was awarded keeps the version it was awarded by.

        Refuses CAMPAIGN_UNKNOWN; CAMPAIGN_REVISED_SINCE; CAMPAIGN_STATE_FORBIDS; CAMPAIGN_OVER; CAMPAIGN_TERMS_UNSOUND; RULE_NOT_UNDERSTOOD.
        """
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.revise(id_, data, version=version))

    @post("/{campaign_id:str}/start", status_code=200)
    async def start(self, edge: Edge, campaign_id: FromPath[str]) -> CampaignView:
        """
        Set its money aside and let it run, when its time comes; or let it go on. A sponsor that has not enough leaves a draft.

        Refuses CAMPAIGN_UNKNOWN; CAMPAIGN_STATE_FORBIDS; CAMPAIGN_OVER.
        """
        return await edge.begin(parse_id(CAMPAIGN_PREFIX, campaign_id))

    @post("/{campaign_id:str}/pause", status_code=200)
    async def pause(self, edge: Edge, campaign_id: FromPath[str]) -> CampaignView:
        """
        Give nothing until it is started again.

        Refuses CAMPAIGN_UNKNOWN; CAMPAIGN_STATE_FORBIDS.
        """
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.pause(id_))

    @post("/{campaign_id:str}/end", status_code=200)
    async def end(self, edge: Edge, campaign_id: FromPath[str]) -> CampaignView:
        """
        For good: what is left goes back to its sponsors.

        Refuses CAMPAIGN_UNKNOWN; CAMPAIGN_STATE_FORBIDS while its money is on its way.
        """
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.end(id_))

    @get("/{campaign_id:str}/awards")
    async def awards(
        self, edge: Edge, campaign_id: FromPath[str], cursor: Cursor = None, limit: Limit = 50
    ) -> AwardPage:
        """
        What it gave, the newest first: each step of each award.

        Refuses CAMPAIGN_UNKNOWN.
        """
        return await edge.page(parse_id(CAMPAIGN_PREFIX, campaign_id), cursor, limit)


class TraitController(Controller):
    """What rules may ask about people and merchants beside what the institution knows."""

    path = "/v1/operator"
    tags = ("Operator: campaigns",)

    @get("/users/{user_id:str}/segments")
    async def segments(self, edge: Edge, user_id: FromPath[str]) -> TraitsView:
        """
        The segments a person is in, and where they live.

        Refuses USER_UNKNOWN.
        """
        return await _known(edge, TraitOf.PERSON, parse_id(USER_PREFIX, user_id))

    @put("/users/{user_id:str}/segments")
    async def segment(self, edge: Edge, user_id: FromPath[str], data: JSONBody[SegmentsBody]) -> TraitsView:
        """
        All segments a person is in from now on, and where they live.

        Refuses USER_UNKNOWN.
        """
        return await _said(edge, TraitOf.PERSON, parse_id(USER_PREFIX, user_id), data, data.home_city)

    @get("/merchants/{merchant_id:str}/tags")
    async def tags_of(self, edge: Edge, merchant_id: FromPath[str]) -> TraitsView:
        """
        The tags of a merchant.

        Refuses MERCHANT_UNKNOWN.
        """
        return await _known(edge, TraitOf.MERCHANT, parse_id(MERCHANT_PREFIX, merchant_id))

    @put("/merchants/{merchant_id:str}/tags")
    async def tag(self, edge: Edge, merchant_id: FromPath[str], data: JSONBody[TagsBody]) -> TraitsView:
        """
        The tags of a merchant; `small` is what rules for small merchants ask for, at every institution.

        `shared` are those that other institutions are told beside it, with the city, when somebody scans the merchant's code.
        Refuses MERCHANT_UNKNOWN; WORDS_NOT_SHARED, for one that is none of the tags, or too many.
        """
        return await _said(edge, TraitOf.MERCHANT, parse_id(MERCHANT_PREFIX, merchant_id), data, shared=data.shared)


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


def campaign_api(
    edge: CampaignEdge, keys: SponsorKeyService, people: PeopleService, operator_only: Guard
) -> list[Router]:
    """The handlers for `make_app`."""
    desk = [SponsorController, SponsorKeyController, CampaignController, TraitController]
    return [
        Door("operator", operator_only).router("/", desk, edge=edge, keys=keys),
        sponsor_door(edge.node, keys).router("/", [SponsoredController], edge=edge, keys=keys),
        Door("key", key_guard(edge.node, edge.merchants)).router("/v1", [OwnCampaigns], edge=edge),
        Door("session", session_guard(edge.node, people)).router("/v1", [Offers], edge=edge),
    ]


async def _said(
    edge: CampaignEdge, of: TraitOf, id_: int, data: TraitsBody, home_city: str = "", shared: list[str] | None = None
) -> TraitsView:
    kept = await decided(edge.node.journal, lambda: edge.parties.say(of, id_, data.words, home_city, shared))
    return _traits(kept)


async def _known(edge: CampaignEdge, of: TraitOf, id_: int) -> TraitsView:
    kept = await warmed(edge.node.journal, lambda: edge.parties.said(of, id_))
    return _traits(kept)


def _traits(kept: Traits) -> TraitsView:
    return TraitsView(words=sorted(kept.told), home_city=kept.home_city, shared=list(kept.told_elsewhere))
