"""Programmes: campaigns of others that merchants join with one tap, and leave again."""

from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.campaign import Campaign, CampaignState
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.campaigns.enrolment import ENROLMENTS, Enrolment, enrolment_id
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf

_OPEN = frozenset({CampaignState.SCHEDULED.value, CampaignState.RUNNING.value, CampaignState.PAUSED.value})


class ProgrammeService:
    """Who joined what, all in memory: every payment asks."""

    def __init__(self, node: NodeRuntime, campaigns: CampaignService) -> None:
        self._node = node
        self._campaigns = campaigns
        self.all = Shelf(ENROLMENTS, node.journal, node.store)
        self._joined: set[tuple[int, int]] = set()

    async def start(self) -> None:
        """Load them."""
        self._joined = {(row.campaign_id, row.merchant_id) for row in await self.all.load_all() if row.joined}

    def open(self) -> list[Campaign]:
        """What a merchant may join, or has."""
        return [each for each in self._campaigns.everything() if each.told.by_joining and each.state in _OPEN]

    def has_joined(self, campaign_id: int, merchant_id: int) -> bool:
        """Whether the merchant takes part."""
        return (campaign_id, merchant_id) in self._joined

    def count(self, campaign_id: int) -> int:
        """How many take part."""
        return sum(joined == campaign_id for joined, _ in self._joined)

    def join(self, campaign_id: int, merchant_id: int) -> Campaign:
        """Take part. Refuses CAMPAIGN_UNKNOWN; CAMPAIGN_STATE_FORBIDS for one that is over. Repeats: nothing changes."""
        campaign = self._programme(campaign_id)
        if campaign.state not in _OPEN:
            raise Refusal(CampaignReason.CAMPAIGN_STATE_FORBIDS, state=str(campaign.state))
        self._put(campaign, merchant_id, joined=True)
        return campaign

    def leave(self, campaign_id: int, merchant_id: int) -> Campaign:
        """Take part no longer. Refuses CAMPAIGN_UNKNOWN. Repeats: nothing changes."""
        campaign = self._programme(campaign_id)
        self._put(campaign, merchant_id, joined=False)
        return campaign

    def _programme(self, campaign_id: int) -> Campaign:
        campaign = self._campaigns.campaign(campaign_id)
        if not campaign.told.by_joining:
            raise Refusal(CampaignReason.CAMPAIGN_UNKNOWN)
        return campaign

    def _put(self, campaign: Campaign, merchant_id: int, *, joined: bool) -> None:
        key = campaign.id, merchant_id
        if (key in self._joined) == joined:
            return
        (self._joined.add if joined else self._joined.discard)(key)
        self.all.put(
            Enrolment(
                id=enrolment_id(*key),
                campaign_id=campaign.id,
                merchant_id=merchant_id,
                joined=joined,
                changed_ns=self._node.clock.now_ns(),
            )
        )
