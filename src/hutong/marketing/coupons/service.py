"""Coupons of one institution, wired upon its campaigns."""

from hutong.marketing.campaigns.audience_service import AudienceService
from hutong.marketing.campaigns.calendar import Calendar
from hutong.marketing.campaigns.campaign import HELD_OUT, Campaign
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.coupons.claim_service import ClaimService
from hutong.marketing.coupons.code import Codes
from hutong.marketing.coupons.ports import Campaigns, Notices
from hutong.marketing.coupons.redemption_service import RedemptionService
from hutong.marketing.coupons.repository import CouponRepository
from hutong.marketing.coupons.template_service import TemplateService
from hutong.marketing.coupons.till_service import TillService
from hutong.runtime.node import NodeRuntime


class OfferedCampaigns:
    """Campaigns as coupons know them: who is held out is seen when a coupon is offered, for a coupon had is honoured."""

    def __init__(self, campaigns: CampaignService, audience: AudienceService) -> None:
        self._campaigns = campaigns
        self._audience = audience

    def campaign(self, campaign_id: int) -> Campaign:
        """Refuses CAMPAIGN_UNKNOWN."""
        return self._campaigns.campaign(campaign_id)

    def is_held_out(self, campaign_id: int, person_id: int) -> bool:
        """Notes that the campaign was there for this person. May raise `Cold`."""
        known = self._audience.person(person_id)
        return self._audience.expose(self._campaigns.campaign(campaign_id), person_id, known) == HELD_OUT


class Coupons:
    """Coupons upon campaigns. `key` is what codes are made with; `redemptions` is to be one of the subsidies' sources."""

    def __init__(
        self, node: NodeRuntime, campaigns: Campaigns, calendar: Calendar, notices: Notices, key: bytes
    ) -> None:
        self._repository = repository = CouponRepository(node)
        self.templates = TemplateService(node, repository, campaigns, Codes(key))
        self.claims = ClaimService(node, repository, self.templates, campaigns, calendar, notices)
        self.redemptions = RedemptionService(node, repository, self.templates, campaigns, calendar)
        self.till = TillService(node, repository, self.templates, self.claims, self.redemptions)

    async def start(self) -> None:
        """Load what it knows, and how many of each template were claimed; before anything is decided."""
        await self._repository.start()
        await self.templates.start()
