"""What the handlers of campaigns need and share, for the operator, for merchants and for people."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.award import Award
from hutong.marketing.campaigns.award_service import AwardService
from hutong.marketing.campaigns.campaign import Campaign, CampaignState
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.campaigns.party_service import PartyService
from hutong.marketing.campaigns.programme_service import ProgrammeService
from hutong.marketing.campaigns.sponsor import Sponsor
from hutong.marketing.campaigns.sponsor_service import SponsorService
from hutong.marketing.campaigns.sponsored_views import (
    MovementPage,
    PaidAwardPage,
    SharedCampaignView,
    movement_view,
    paid_award_view,
    shared_view,
)
from hutong.marketing.campaigns.views import (
    DEPOSIT_PREFIX,
    AwardPage,
    CampaignView,
    Deposit,
    DepositView,
    SponsorView,
    agreed_view,
    award_view,
    campaign_view,
    sponsor_view,
    who_text,
)
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

PAGE_MAX = 200
Only = Annotated[CampaignState | None, QueryParameter(description="Those in this state.")]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many at most.")]
Cursor = Annotated[int | None, QueryParameter(ge=0, le=2**62, description="The `next_cursor` of the page before.")]


Moved = Annotated[int | None, QueryParameter(ge=1, le=2**62, description="The `next_cursor` of the page before.")]

Replaced = Annotated[
    int,
    QueryParameter(
        ge=0, le=2**31 - 1, description="The `version` they are to replace (CAMPAIGN_REVISED_SINCE otherwise); 0: any."
    ),
]


AgreedTo = Annotated[
    int, QueryParameter(ge=1, le=2**31 - 1, description="The `version` of the terms as they were read.")
]


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
        """The merchant as its own sponsor, from now on. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS."""
        return await self._own(key, self.sponsors.of_merchant)

    async def look_at_own(self, key: StaffKey) -> Sponsor:
        """The same for who only looks, whether it is one yet or not."""
        return await self._own(key, self.sponsors.as_sponsor)

    async def _own(self, key: StaffKey, sponsor: Callable[[int, str], Sponsor]) -> Sponsor:
        check_manages(key)
        name = (await decided(self.node.journal, lambda: self.merchants.merchant(key.merchant_id))).name
        return await decided(self.node.journal, lambda: sponsor(key.merchant_id, name))

    async def page(self, campaign_id: int, before: int | None, limit: int) -> AwardPage:
        """Versions of a campaign's awards, newest first."""
        rows, cursor = await self._page(campaign_id, before, limit)
        return AwardPage(awards=[award_view(row, with_words=True) for row in rows], next_cursor=cursor)

    async def _page(self, campaign_id: int, before: int | None, limit: int) -> tuple[list[Award], str]:
        rows = await self.awards.page(campaign_id, before, limit)
        return [row for _, row in rows], str(rows[-1][0]) if len(rows) == limit else ""

    def shown(self, campaign: Campaign) -> CampaignView:
        """A campaign with its figures."""
        spent = self.campaigns.spent[campaign.id]
        asked = {each.who: each for each in map(self.sponsors.sponsor, dict(campaign.shares))}
        waits_for = [who_text(asked[who]) for who in self.campaigns.waits_for(campaign)]
        agreed = [agreed_view(asked[each.who], each) for each in campaign.agreements]
        return campaign_view(campaign, spent.total, spent.times, waits_for, agreed)

    # Of a sponsor, a merchant or not: what it pays a part of (invariant 8).

    async def movements(self, sponsor_id: int, before: int | None, limit: int) -> MovementPage:
        """What came into its budget and went out of it, the newest first."""
        found = await self.sponsors.movements(sponsor_id, before, limit)
        views = [movement_view(each, came_in=self.sponsors.came_in(sponsor_id, each)) for each in found]
        return MovementPage(movements=views, next_cursor=found[-1].timestamp if len(found) == limit else None)

    async def paid_page(self, campaign_id: int, before: int | None, limit: int) -> PaidAwardPage:
        """Versions of a campaign's awards as whoever pays for it may see them, newest first."""
        rows, cursor = await self._page(campaign_id, before, limit)
        return PaidAwardPage(awards=[paid_award_view(row) for row in rows], next_cursor=cursor)

    def shared_by(self, sponsor_id: int) -> list[SharedCampaignView]:
        """What it pays a part of, or is to; oldest first."""
        return [self._shared(each, sponsor_id) for each in self.campaigns.shared_by(sponsor_id)]

    def shared(self, id_: int, sponsor_id: int) -> SharedCampaignView:
        """One of them. Refuses CAMPAIGN_UNKNOWN, for any other, too."""
        return self._shared(self.campaigns.paid_by(id_, sponsor_id), sponsor_id)

    async def agreed(self, id_: int, sponsor_id: int, version: int, *, agrees: bool, by: int) -> SharedCampaignView:
        """It agrees to pay its part by the terms of this version, or not. Refuses as `CampaignService.agree`."""
        self.campaigns.paid_by(id_, sponsor_id)
        who = self.sponsors.sponsor(sponsor_id).who
        say = partial(self.campaigns.agree, id_, who, version, agrees=agrees, by=by)
        return self._shared(await decided(self.node.journal, say), sponsor_id)

    def _shared(self, campaign: Campaign, sponsor_id: int) -> SharedCampaignView:
        spent, sponsor = self.campaigns.spent[campaign.id], self.sponsors.sponsor(sponsor_id)
        agreed = [agreed_view(sponsor, each) for each in campaign.agreements if each.who == sponsor.who]
        return shared_view(
            campaign,
            sponsor_id,
            (spent.total, spent.times, self.campaigns.left(campaign)),
            asked=sponsor.who in self.campaigns.asked(campaign),
            agreed=agreed[0] if agreed else None,
        )


Edge = NamedDependency[SkipValidation[CampaignEdge]]


def check_manages(key: StaffKey) -> None:
    """Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS: it is the whole merchant's money."""
    key.check_right(Right.MANAGE)
    key.check_whole_merchant()
