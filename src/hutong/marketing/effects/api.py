"""Effects over HTTP: for sponsors through the operator, and for merchants."""

from litestar import Controller, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from hutong.institution.door_api import Door, key_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX
from hutong.marketing.campaigns.sponsor import merchant_sponsor_id
from hutong.marketing.campaigns.sponsor_api import sponsor_door
from hutong.marketing.campaigns.sponsor_key import SponsorKey
from hutong.marketing.campaigns.sponsor_key_service import SponsorKeyService
from hutong.marketing.effects.effect_service import EffectService
from hutong.marketing.effects.views import EffectsView, TakingsView
from hutong.operators.guard import Guard
from hutong.runtime.node import NodeRuntime

Effects = NamedDependency[SkipValidation[EffectService]]
Key = NamedDependency[SkipValidation[StaffKey]]


class CampaignEffects(Controller):
    """What campaigns cost and bring."""

    path = "/v1/operator/campaigns"
    tags = ("Operator: campaigns",)

    @get("/{campaign_id:str}/effects")
    async def show(self, effects: Effects, campaign_id: FromPath[str]) -> EffectsView:
        """
        Against the holdout group, with confidence intervals; cost per new payer, repeat rate, what was refused.

        Refuses CAMPAIGN_UNKNOWN.
        """
        return await effects.of_campaign(parse_id(CAMPAIGN_PREFIX, campaign_id))


class OwnEffects(Controller):
    """What they cost and bring a merchant."""

    path = "/v1/merchant"
    tags = ("Merchant: campaigns",)

    @get("/campaigns/{campaign_id:str}/effects")
    async def show_own(self, effects: Effects, key: Key, campaign_id: FromPath[str]) -> EffectsView:
        """
        Of one's own campaign.

        Refuses ROLE_MAY_NOT; SHOP_NOT_YOURS; CAMPAIGN_UNKNOWN.
        """
        _check_reads(key)
        return await effects.of_campaign(parse_id(CAMPAIGN_PREFIX, campaign_id), key.merchant_id)

    @get("/shared-campaigns/{campaign_id:str}/effects")
    async def show_shared(self, effects: Effects, key: Key, campaign_id: FromPath[str]) -> EffectsView:
        """
        Of a campaign of the institution that one pays a part of.

        Refuses ROLE_MAY_NOT; SHOP_NOT_YOURS; CAMPAIGN_UNKNOWN.
        """
        _check_reads(key)
        return await effects.of_paid(parse_id(CAMPAIGN_PREFIX, campaign_id), merchant_sponsor_id(key.merchant_id))

    @get("/takings")
    async def takings(self, effects: Effects, key: Key) -> list[TakingsView]:
        """
        What each campaign, one's own or a programme's, brought and cost.

        Refuses ROLE_MAY_NOT; SHOP_NOT_YOURS.
        """
        _check_reads(key)
        return await effects.of_merchant(key.merchant_id)


class PaidEffects(Controller):
    """What they cost and bring a sponsor that is no merchant."""

    path = "/v1/sponsor/campaigns"
    tags = ("Sponsor",)

    @get("/{campaign_id:str}/effects")
    async def show_paid(
        self, effects: Effects, key: NamedDependency[SkipValidation[SponsorKey]], campaign_id: FromPath[str]
    ) -> EffectsView:
        """
        Against the holdout group, with confidence intervals; pacing, cost per new payer, repeat rate, what was refused: as the operator sees it.

        Refuses CAMPAIGN_UNKNOWN, for what one pays nothing of, too.
        """
        return await effects.of_paid(parse_id(CAMPAIGN_PREFIX, campaign_id), key.sponsor_id)


def effect_api(
    node: NodeRuntime,
    effects: EffectService,
    keys: SponsorKeyService,
    merchants: MerchantService,
    operator_only: Guard,
) -> list[Router]:
    """`/v1/operator/campaigns/{id}/effects`, for merchants and for other sponsors; `/v1/merchant/takings`."""
    return [
        Door("operator", operator_only).router("/", [CampaignEffects], effects=effects),
        Door("key", key_guard(node, merchants)).router("/", [OwnEffects], effects=effects),
        sponsor_door(node, keys).router("/", [PaidEffects], effects=effects),
    ]


def _check_reads(key: StaffKey) -> None:
    """Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS: figures are of the whole merchant."""
    key.check_right(Right.READ)
    key.check_whole_merchant()
