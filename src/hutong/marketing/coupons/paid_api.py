"""Coupons over HTTP for whoever pays for them: a sponsor with a key, and a merchant that shares a campaign's cost."""

from dataclasses import dataclass

from litestar import Controller, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from hutong.institution.door_api import Door, key_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.campaigns.sponsor import merchant_sponsor_id
from hutong.marketing.campaigns.sponsor_api import sponsor_door
from hutong.marketing.campaigns.sponsor_key import SponsorKey
from hutong.marketing.campaigns.sponsor_key_service import SponsorKeyService
from hutong.marketing.coupons.template_api import TemplateEdge
from hutong.marketing.coupons.views import TemplateView


@dataclass(frozen=True, slots=True)
class PaidCoupons:
    """The coupons of campaigns, for those who pay for these."""

    campaigns: CampaignService
    edge: TemplateEdge

    def of(self, campaign_id: str, sponsor_id: int) -> list[TemplateView]:
        """Oldest first. Refuses CAMPAIGN_UNKNOWN, for what this sponsor pays nothing of, too."""
        campaign = self.campaigns.paid_by(parse_id(CAMPAIGN_PREFIX, campaign_id), sponsor_id)
        return [self.edge.view(each) for each in self.edge.templates.templates() if each.campaign_id == campaign.id]


Paid = NamedDependency[SkipValidation[PaidCoupons]]


class SponsoredCoupons(Controller):
    """For a sponsor that is no merchant."""

    path = "/v1/sponsor/campaigns"
    tags = ("Sponsor",)

    @get("/{campaign_id:str}/coupons", sync_to_thread=False)
    def show_sponsored(
        self, paid: Paid, key: NamedDependency[SkipValidation[SponsorKey]], campaign_id: FromPath[str]
    ) -> list[TemplateView]:
        """
        What a campaign for coupons promises people, how many there are and how many were claimed: its terms say nothing of it.

        Refuses CAMPAIGN_UNKNOWN, for what one pays nothing of, too.
        """
        return paid.of(campaign_id, key.sponsor_id)


class SharedCoupons(Controller):
    """For a merchant that shares the cost."""

    path = "/v1/merchant/shared-campaigns"
    tags = ("Merchant: campaigns",)

    @get("/{campaign_id:str}/coupons", sync_to_thread=False)
    def show_shared(
        self, paid: Paid, key: NamedDependency[SkipValidation[StaffKey]], campaign_id: FromPath[str]
    ) -> list[TemplateView]:
        """
        What a campaign for coupons promises people, how many there are and how many were claimed.

        Refuses ROLE_MAY_NOT; SHOP_NOT_YOURS; CAMPAIGN_UNKNOWN.
        """
        key.check_right(Right.READ)
        key.check_whole_merchant()
        return paid.of(campaign_id, merchant_sponsor_id(key.merchant_id))


def paid_coupon_routes(paid: PaidCoupons, keys: SponsorKeyService, merchants: MerchantService) -> list[Router]:
    """The handlers for `make_app`."""
    node = paid.edge.node
    return [
        sponsor_door(node, keys).router("/", [SponsoredCoupons], paid=paid),
        Door("key", key_guard(node, merchants)).router("/", [SharedCoupons], paid=paid),
    ]
