"""Figures of campaigns for whoever pays for them and whoever sells with them. Nothing is decided here."""

from collections import Counter
from datetime import date

from hutong.kernel.ids import id_text
from hutong.kernel.money import BPS
from hutong.marketing.campaigns.campaign import (
    CAMPAIGN_PREFIX,
    CAMPAIGNS,
    HELD_OUT,
    TREATED,
    Campaign,
    CampaignState,
    Side,
)
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.effects.effect import Effect, Sample, effect
from hutong.marketing.effects.repository import EffectRows
from hutong.marketing.effects.unit import Refused, Unit
from hutong.marketing.effects.views import DayGiven, EffectsView, RefusedFor, SignalSeen, TakingsView
from hutong.marketing.invitations.reasons import InvitationReason
from hutong.runtime.node import NodeRuntime

_MANY = 2  # Payments, of whoever came back.


class EffectService:
    """Read off the rows when somebody asks."""

    def __init__(self, node: NodeRuntime, campaigns: CampaignService, rows: EffectRows) -> None:
        self._node = node
        self._campaigns = campaigns
        self._rows = rows

    async def of_campaign(self, campaign_id: int, merchant_id: int = 0) -> EffectsView:
        """What a campaign cost and brought, so far or until its end. Refuses CAMPAIGN_UNKNOWN, for another merchant's, too."""
        campaign = self._campaigns.campaign(campaign_id, merchant_id)
        units = await self._rows.units(campaign, min(self._node.clock.now_ns(), campaign.ends_ns))
        refused = await self._rows.refused(campaign_id)
        spent = self._campaigns.spent[campaign_id]
        people = campaign.side == Side.PAYER
        payers = [unit for unit in units if unit.arm == TREATED and unit.payments]
        new = sum(unit.is_new for unit in payers)
        return EffectsView(
            campaign_id=id_text(CAMPAIGN_PREFIX, campaign_id),
            name=campaign.name,
            state=campaign.state,
            unit="person" if people else "shop_hour",
            budget=campaign.budget,
            given=spent.total,
            times=spent.times,
            left=campaign.funded - campaign.given_back - spent.total,
            planned=await self.planned(campaign),
            days=[DayGiven(date.fromordinal(day), amount) for day, amount in sorted(spent.days.items())],
            payments=_effect(units, "payments"),
            amount=_effect(units, "amount"),
            gross_payments=_effect(units, "gross_payments"),
            gross_amount=_effect(units, "gross_amount"),
            new_payers=new,
            cost_per_new_payer=-(-spent.total // new) if new else None,
            repeat_bps=BPS * sum(unit.payments >= _MANY for unit in payers) // len(payers) if payers and people else 0,
            refused=len(refused),
            refused_amount=sum(each.amount for each in refused),
            refused_for=_reasons(refused),
            refused_signals=_signals(refused),
        )

    async def of_paid(self, campaign_id: int, sponsor_id: int) -> EffectsView:
        """The same of a campaign that this sponsor pays a part of. Refuses CAMPAIGN_UNKNOWN, for any other, too."""
        return await self.of_campaign(self._campaigns.paid_by(campaign_id, sponsor_id).id)

    async def planned(self, campaign: Campaign) -> int:
        """What it would have given by now if each moment gave alike: what was given is held against it."""
        return _planned(campaign, await self._began_ns(campaign), self._node.clock.now_ns())

    async def _began_ns(self, campaign: Campaign) -> int:
        """When it first gave something, or could; 0: not yet. A draft may wait long for its start."""
        versions = await self._node.store.find(CAMPAIGNS, "id", [campaign.id])
        return next((version.changed_ns for _, version in versions if version.state == CampaignState.RUNNING), 0)

    async def of_merchant(self, merchant_id: int) -> list[TakingsView]:
        """What each campaign brought a merchant, and what of it was the merchant's own money."""
        found = await self._rows.takings(merchant_id)
        return [
            TakingsView(
                campaign_id=id_text(CAMPAIGN_PREFIX, each.campaign_id),
                name=campaign.name,
                is_own=campaign.merchant_id == merchant_id,
                payments=each.payments,
                amount=each.amount,
                refunded=each.refunded,
                given=each.given,
                returned=each.returned,
            )
            for each in sorted(found, key=lambda each: each.campaign_id)
            for campaign in [self._campaigns.campaign(each.campaign_id)]
        ]


def _reasons(refused: list[Refused]) -> list[RefusedFor]:
    """The most frequent first."""
    amounts: Counter[str] = Counter()
    for each in refused:
        amounts[each.reason] += each.amount
    times = Counter(each.reason for each in refused)
    return [RefusedFor(reason, times[reason], amounts[reason]) for reason in _in_order(times)]


def _signals(refused: list[Refused]) -> list[SignalSeen]:
    suspected = [each for each in refused if each.reason == InvitationReason.COLLUSION_SUSPECTED.name]
    times = Counter(name for each in suspected for name in each.signals)
    return [SignalSeen(name, times[name]) for name in _in_order(times)]


def _in_order(times: Counter[str]) -> list[str]:
    return sorted(times, key=lambda name: (-times[name], name))


def _effect(units: list[Unit], value: str) -> Effect:
    arms = {arm: Sample.of(getattr(unit, value) for unit in units if unit.arm == arm) for arm in (TREATED, HELD_OUT)}
    return effect(arms[TREATED], arms[HELD_OUT])


def _planned(campaign: Campaign, began_ns: int, now_ns: int) -> int:
    """What would be given by now if each moment of the campaign gave alike."""
    if not began_ns or began_ns >= campaign.ends_ns:
        return 0
    gone = min(max(now_ns - began_ns, 0), campaign.ends_ns - began_ns)
    return campaign.budget * gone // (campaign.ends_ns - began_ns)
