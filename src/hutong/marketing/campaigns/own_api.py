"""Campaigns of merchants over HTTP: their own, and programmes of others that they join."""

from collections.abc import Callable
from functools import partial

from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, Campaign, CampaignTerms
from hutong.marketing.campaigns.edge_api import (
    AgreedTo,
    CampaignEdge,
    Cursor,
    Edge,
    Limit,
    Moved,
    Replaced,
    check_manages,
)
from hutong.marketing.campaigns.sponsor import merchant_sponsor_id
from hutong.marketing.campaigns.sponsored_views import MovementPage, SharedCampaignView
from hutong.marketing.campaigns.views import (
    AwardPage,
    CampaignView,
    Deposit,
    DepositView,
    DraftOwnCampaign,
    ProgrammeView,
    SponsorView,
    VersionView,
    programme_view,
    version_view,
)
from hutong.runtime.shelf import decided

Key = NamedDependency[SkipValidation[StaffKey]]


class OwnCampaigns(Controller):
    """A merchant's own campaigns, and programmes of others that it joins."""

    path = "/merchant"
    tags = ("Merchant: campaigns",)

    @get("/budget")
    async def budget(self, edge: Edge, key: Key) -> SponsorView:
        """
        What is set aside for campaigns and in none of them.

        Refuses ROLE_MAY_NOT.
        """
        return await edge.sponsor(await edge.look_at_own(key))

    @get("/budget/movements")
    async def movements(self, edge: Edge, key: Key, cursor: Moved = None, limit: Limit = 50) -> MovementPage:
        """
        What came into it and went out of it, the newest first.

        Refuses ROLE_MAY_NOT; SHOP_NOT_YOURS.
        """
        check_manages(key)
        return await edge.movements(merchant_sponsor_id(key.merchant_id), cursor, limit)

    @post("/budget/deposits", status_code=200)
    async def deposit(self, edge: Edge, key: Key, data: JSONBody[Deposit]) -> DepositView:
        """
        Set some of what was sold aside for campaigns.

        Refuses ROLE_MAY_NOT; SPONSOR_BUDGET_INSUFFICIENT; DEPOSIT_OTHERWISE.
        """
        return await edge.deposit(edge.sponsors.deposit, await edge.own(key), data)

    @post("/budget/withdrawals", status_code=200)
    async def withdraw(self, edge: Edge, key: Key, data: JSONBody[Deposit]) -> DepositView:
        """
        Take back what no campaign has.

        Refuses ROLE_MAY_NOT; SPONSOR_BUDGET_INSUFFICIENT; DEPOSIT_OTHERWISE.
        """
        return await edge.deposit(edge.sponsors.withdraw, await edge.own(key), data)

    @post("/campaigns")
    async def draft(self, edge: Edge, key: Key, data: JSONBody[DraftOwnCampaign]) -> CampaignView:
        """
        Write a campaign down, at the merchant's own shops, for whoever pays.

        Refuses ROLE_MAY_NOT; CAMPAIGN_TERMS_UNSOUND, RULE_NOT_UNDERSTOOD; CAMPAIGN_OVER; CAMPAIGN_OTHERWISE.
        """
        draft = data.draft(key.merchant_id, (await edge.own(key)).id)
        return await edge.campaign(lambda: edge.campaigns.draft(draft))

    @get("/campaigns")
    async def list_campaigns(self, edge: Edge, key: Key) -> list[CampaignView]:
        """
        The merchant's own, oldest first.

        Refuses ROLE_MAY_NOT.
        """
        key.check_right(Right.READ)
        return [edge.shown(each) for each in edge.campaigns.everything(key.merchant_id)]

    @get("/campaigns/{campaign_id:str}")
    async def show(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> CampaignView:
        """
        One of them.

        Refuses CAMPAIGN_UNKNOWN, for another merchant's, too.
        """
        key.check_right(Right.READ)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.campaign(id_, key.merchant_id))

    @get("/campaigns/{campaign_id:str}/versions")
    async def versions(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> list[VersionView]:
        """
        Every version of its terms, the oldest first: what the `version` and `row` of an award mean.

        Refuses ROLE_MAY_NOT; CAMPAIGN_UNKNOWN, for another merchant's, too.
        """
        key.check_right(Right.READ)
        found = await edge.campaigns.versions(parse_id(CAMPAIGN_PREFIX, campaign_id), key.merchant_id)
        return [version_view(each) for each in found]

    @put("/campaigns/{campaign_id:str}/terms")
    async def revise(
        self,
        edge: Edge,
        key: Key,
        campaign_id: FromPath[str],
        data: JSONBody[CampaignTerms],
        version: Replaced = 0,
    ) -> CampaignView:
        """
        Other terms from now on.

        Refuses ROLE_MAY_NOT; CAMPAIGN_UNKNOWN; CAMPAIGN_REVISED_SINCE; CAMPAIGN_STATE_FORBIDS; CAMPAIGN_TERMS_UNSOUND; RULE_NOT_UNDERSTOOD.
        """
        check_manages(key)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.revise(id_, data, key.merchant_id, version=version))

    @post("/campaigns/{campaign_id:str}/start", status_code=200)
    async def start(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> CampaignView:
        """
        Set its money aside and let it run, or go on.

        Refuses ROLE_MAY_NOT; CAMPAIGN_UNKNOWN; CAMPAIGN_STATE_FORBIDS; CAMPAIGN_OVER.
        """
        check_manages(key)
        return await edge.begin(parse_id(CAMPAIGN_PREFIX, campaign_id), key.merchant_id)

    @post("/campaigns/{campaign_id:str}/pause", status_code=200)
    async def pause(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> CampaignView:
        """
        Give nothing until it is started again.

        Refuses CAMPAIGN_UNKNOWN; CAMPAIGN_STATE_FORBIDS.
        """
        check_manages(key)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.pause(id_, key.merchant_id))

    @post("/campaigns/{campaign_id:str}/end", status_code=200)
    async def end(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> CampaignView:
        """
        For good: what is left goes back to the merchant's budget.

        Refuses ROLE_MAY_NOT; CAMPAIGN_UNKNOWN; CAMPAIGN_STATE_FORBIDS.
        """
        check_manages(key)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.campaign(lambda: edge.campaigns.end(id_, key.merchant_id))

    @get("/campaigns/{campaign_id:str}/awards")
    async def awards(
        self, edge: Edge, key: Key, campaign_id: FromPath[str], cursor: Cursor = None, limit: Limit = 50
    ) -> AwardPage:
        """
        What it gave, the newest first.

        Refuses SHOP_NOT_YOURS; CAMPAIGN_UNKNOWN.
        """
        key.check_whole_merchant()
        campaign = edge.campaigns.campaign(parse_id(CAMPAIGN_PREFIX, campaign_id), key.merchant_id)
        return await edge.page(campaign.id, cursor, limit)

    @get("/shared-campaigns")
    async def shared(self, edge: Edge, key: Key) -> list[SharedCampaignView]:
        """
        Campaigns of the institution that the merchant is asked to pay a part of, or does.

        Refuses ROLE_MAY_NOT; SHOP_NOT_YOURS.
        """
        key.check_right(Right.READ)
        key.check_whole_merchant()
        return edge.shared_by(merchant_sponsor_id(key.merchant_id))

    @get("/shared-campaigns/{campaign_id:str}")
    async def show_shared(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> SharedCampaignView:
        """
        One of them.

        Refuses ROLE_MAY_NOT; SHOP_NOT_YOURS; CAMPAIGN_UNKNOWN, for what the merchant pays nothing of, too.
        """
        key.check_right(Right.READ)
        key.check_whole_merchant()
        return edge.shared(parse_id(CAMPAIGN_PREFIX, campaign_id), merchant_sponsor_id(key.merchant_id))

    @post("/shared-campaigns/{campaign_id:str}/agree", status_code=200)
    async def agree(self, edge: Edge, key: Key, campaign_id: FromPath[str], version: AgreedTo) -> SharedCampaignView:
        """
        Pay one's part of it, by the terms of this version: the money leaves one's budget when the campaign is started.

        Refuses ROLE_MAY_NOT; CAMPAIGN_UNKNOWN; CAMPAIGN_REVISED_SINCE; CAMPAIGN_STATE_FORBIDS; CAMPAIGN_OVER.
        """
        return await _agreed(edge, key, campaign_id, version, agrees=True)

    @post("/shared-campaigns/{campaign_id:str}/decline", status_code=200)
    async def decline(self, edge: Edge, key: Key, campaign_id: FromPath[str], version: AgreedTo) -> SharedCampaignView:
        """
        Not, or no longer: before it is started.

        Refuses ROLE_MAY_NOT; CAMPAIGN_UNKNOWN; CAMPAIGN_REVISED_SINCE; CAMPAIGN_STATE_FORBIDS; CAMPAIGN_OVER.
        """
        return await _agreed(edge, key, campaign_id, version, agrees=False)

    @get("/programmes")
    async def programmes(self, edge: Edge, key: Key) -> list[ProgrammeView]:
        """
        What others pay for, and merchants join.

        Refuses ROLE_MAY_NOT.
        """
        key.check_right(Right.READ)
        return [_programme(edge, each, key.merchant_id) for each in edge.programmes.open()]

    @post("/programmes/{campaign_id:str}/join", status_code=200)
    async def join(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> ProgrammeView:
        """
        Take part, from now on.

        Refuses ROLE_MAY_NOT; CAMPAIGN_UNKNOWN; CAMPAIGN_STATE_FORBIDS.
        """
        return await _moved(edge, key, campaign_id, edge.programmes.join)

    @post("/programmes/{campaign_id:str}/leave", status_code=200)
    async def leave(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> ProgrammeView:
        """
        Take part no longer.

        Refuses ROLE_MAY_NOT; CAMPAIGN_UNKNOWN.
        """
        return await _moved(edge, key, campaign_id, edge.programmes.leave)


async def _agreed(
    edge: CampaignEdge, key: StaffKey, campaign_id: str, version: int, *, agrees: bool
) -> SharedCampaignView:
    check_manages(key)
    id_, sponsor_id = parse_id(CAMPAIGN_PREFIX, campaign_id), merchant_sponsor_id(key.merchant_id)
    return await edge.agreed(id_, sponsor_id, version, agrees=agrees, by=key.id)


def _programme(edge: CampaignEdge, campaign: Campaign, merchant_id: int) -> ProgrammeView:
    joined = edge.programmes.has_joined(campaign.id, merchant_id)
    return programme_view(campaign, edge.programmes.count(campaign.id), joined=joined)


async def _moved(
    edge: CampaignEdge, key: StaffKey, campaign_id: str, move: Callable[[int, int], Campaign]
) -> ProgrammeView:
    key.check_right(Right.MANAGE)
    id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
    return _programme(edge, await decided(edge.node.journal, partial(move, id_, key.merchant_id)), key.merchant_id)
