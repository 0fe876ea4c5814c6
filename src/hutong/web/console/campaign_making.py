"""A corner shop's campaign, from the form to its start: sent again it is the same campaign, typed otherwise it is what was typed."""

import hashlib
from functools import partial
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from hutong.institution.merchants.staff_key import StaffKey
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import PARTS_MAX, RANDOM_BITS, derive, id_text
from hutong.marketing.campaigns.campaign import Campaign, CampaignDraft, CampaignState
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.marketing.campaigns.views import DEPOSIT_PREFIX, Deposit
from hutong.marketing.coupons.template import CouponTerms
from hutong.marketing.marketing import Marketing


class Ids(NamedTuple):
    """What a form brings with it, as often as it is sent."""

    campaign_id: int
    deposit_id: int
    template_id: int


class Making(NamedTuple):
    """A form's content: the campaign, and the coupon that it gives, if any."""

    draft: CampaignDraft
    coupon: CouponTerms | None
    stock: int

    def named(self, ids: Ids, now_ns: int) -> Ids:
        """The ids of just this content: whatever is typed otherwise on the same form has others, and a form sent again has the same."""
        draft, coupon = self.draft, self.coupon
        if coupon is not None:  # It ends as its campaign does: so many days from now, whenever that is.
            coupon = replace(coupon, validity=replace(coupon.validity, until_ms=0))
        days = round((draft.ends_ns - now_ns) / NS_PER_DAY)
        content = [draft.name, draft.kind.value, draft.budget, days, draft.terms, coupon, self.stock]
        said = hashlib.sha256(msgspec.json.encode(content)).hexdigest()
        return Ids(*(_part(id_, said) for id_ in ids))


class CampaignMaker:
    """
    Writes down what a form says, and starts it.

    A campaign's name, budget and days never change. So when a start failed and the form comes again with something else typed, that
    is another campaign, and the draft it replaces, which has no money, is ended: what starts is what stands on the form.
    """

    def __init__(self, marketing: Marketing) -> None:
        self._marketing = marketing
        self._edge = marketing.campaign_edge

    async def begin(self, key: StaffKey, form: Ids, making: Making, now_ns: int) -> int:
        """
        Set aside what is missing of its budget, write it down, start it; the campaign's id.

        Refuses:  what a deposit, a draft and a coupon's terms are refused for; CAMPAIGN_OTHERWISE, of a form from which something
                  else was started already; SPONSOR_BUDGET_INSUFFICIENT where the money is gone by then, and it is a draft.
        Repeats:  the same campaign, whatever became of it.
        """
        campaigns, merchant_id = self._marketing.campaigns, key.merchant_id
        ids = making.named(form, now_ns)
        replaced = [each for each in campaigns.everything(merchant_id) if _replaced(each, ids.campaign_id)]
        if any(each.state != CampaignState.DRAFT for each in replaced):
            raise Refusal(CampaignReason.CAMPAIGN_OTHERWISE, field="campaign_id")
        known = campaigns.all.get(ids.campaign_id)
        if known is None or known.state == CampaignState.DRAFT:
            await self._set_aside(key, ids, making.draft.budget, known.attempt if known is not None else 0)
        for each in replaced:
            await self._edge.campaign(partial(campaigns.end, each.id, merchant_id))
        if known is None:
            await self._edge.campaign(partial(self._written, ids, making))
        begun = await self._edge.begin(ids.campaign_id, merchant_id)
        if begun.state == CampaignState.DRAFT and begun.reason:
            raise Refusal(CampaignReason[begun.reason], field="budget")
        return ids.campaign_id

    async def _set_aside(self, key: StaffKey, ids: Ids, budget: int, attempt: int) -> None:
        sponsor = await self._edge.own(key)
        missing = budget - await self._edge.sponsors.balance(sponsor.id)
        if missing > 0:
            deposit_id = id_text(DEPOSIT_PREFIX, _part(ids.deposit_id, f"{missing}/{attempt}"))
            await self._edge.deposit(
                self._edge.sponsors.deposit, sponsor, Deposit(deposit_id=deposit_id, amount=missing)
            )

    def _written(self, ids: Ids, making: Making) -> Campaign:
        draft = replace(making.draft, id=ids.campaign_id)
        made = self._edge.campaigns.draft(draft)
        if making.coupon is not None:
            self._marketing.coupons.templates.create(
                ids.template_id, draft.id, draft.name, making.coupon, making.stock, draft.merchant_id
            )
        return made


def _replaced(campaign: Campaign, id_: int) -> bool:
    """Whether a campaign came from the same form, with other content; what was ended without ever having had money counts no more."""
    is_sibling = campaign.id >> RANDOM_BITS == id_ >> RANDOM_BITS and campaign.id != id_
    return is_sibling and (campaign.state != CampaignState.ENDED or bool(campaign.funded))


def _part(id_: int, label: str) -> int:
    """An id that whoever calls may mint: of as many parts as any."""
    return derive(id_, label) // PARTS_MAX * PARTS_MAX
