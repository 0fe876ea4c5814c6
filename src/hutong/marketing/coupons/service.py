"""Coupons of one institution, wired upon its campaigns."""

from hutong.marketing.campaigns.audience_service import AudienceService
from hutong.marketing.campaigns.calendar import Calendar
from hutong.marketing.campaigns.campaign import HELD_OUT, Campaign
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.campaigns.subsidy_service import Subsidies
from hutong.marketing.coupons.claim_service import ClaimService
from hutong.marketing.coupons.code import Codes
from hutong.marketing.coupons.ports import Notices
from hutong.marketing.coupons.redemption_service import SOURCE, RedemptionService
from hutong.marketing.coupons.repository import CouponRepository
from hutong.marketing.coupons.template_service import TemplateService
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
    """Plugs coupons in as one of the sources of a payment's benefits. `key` is what codes are made with."""

    def __init__(
        self,
        node: NodeRuntime,
        campaigns: CampaignService,
        audience: AudienceService,
        subsidies: Subsidies,
        calendar: Calendar,
        notices: Notices,
        key: bytes,
    ) -> None:
        self._repository = repository = CouponRepository(node)
        offered = OfferedCampaigns(campaigns, audience)
        self.templates = TemplateService(node, repository, offered, Codes(key))
        self.claims = ClaimService(node, repository, self.templates, offered, calendar, notices)
        self.redemptions = RedemptionService(node, repository, self.templates, offered, calendar)
        subsidies.sources[SOURCE] = self.redemptions

    async def start(self) -> None:
        """Load what it knows, and how many of each template were claimed; before anything is decided."""
        await self._repository.start()
        await self.templates.start()
