"""What is on offer in the simulated network: found on the first day, at each institution by the same plan."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS, NS_PER_S
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import CampaignDraft, CampaignKind, CampaignTerms, Side
from hutong.marketing.campaigns.rules import RuleRow, RuleTable
from hutong.marketing.campaigns.sponsor import SponsorKind, SponsorProfile
from hutong.marketing.coupons.template import (
    ClaimLimits,
    CodeKind,
    CouponKind,
    CouponTerms,
    OnRefund,
    Stacking,
)
from hutong.marketing.coupons.validity import Validity
from hutong.runtime.shelf import decided
from hutong.simulation.offers import Template
from hutong.simulation.place import Place
from hutong.simulation.world import World

PAID_IN = {"S": 20_000, "T": 2_000}  # By sponsor, in fen.
CODES = 12  # Of a template with a code for each coupon.
_LASTS_NS = 30 * NS_PER_DAY
_HOLD_HOURS = {"jing": 0, "wei": 1, "yun": 24}
_ENDS_SOON_NS = 90 * NS_PER_S  # A coupon that is not used by then is lost.
_ONLY_S, _BOTH = (("S", 1),), (("S", 2), ("T", 1))
_Row = tuple[int, tuple[tuple[str, int], ...], Side, Caps, RuleRow]
# Several of one sponsor, one of them at a fen a time and one of one fen; one with its own days; one that two sponsors give
# in proportion; two at our merchants, for whoever pays. What two ask of a merchant, its institution says of it.
_DISCOUNTS: tuple[_Row, ...] = (
    (3_001, _ONLY_S, Side.PAYER, Caps(person_day=400, day=1_500), RuleRow(off=99, when={"amount": ">= 200"})),
    (97, _ONLY_S, Side.PAYER, Caps(), RuleRow(off=1)),
    (1, _ONLY_S, Side.PAYER, Caps(times=1), RuleRow(off=100)),
    (2_000, _ONLY_S, Side.PAYER, Caps(times_day=2, place=700), RuleRow(bps=1_500, max=150, when={"small": "false"})),
    (800, _ONLY_S, Side.PAYER, Caps(place=300, place_is="city"), RuleRow(off=11, when={"small": "true"})),
    (1_000, _BOTH, Side.PAYER, Caps(person=60), RuleRow(off=7)),
    (1_777, _ONLY_S, Side.PAYEE, Caps(day=900), RuleRow(bps=700, max=120)),
    (555, _ONLY_S, Side.PAYEE, Caps(), RuleRow(off=3)),
)
# Programmes, for those of our merchants who join: of two sponsors, for our people there and for whoever pays there.
_PROGRAMMES: tuple[_Row, ...] = (
    (900, _BOTH, Side.PAYEE, Caps(day=600), RuleRow(off=20, when={"amount": ">= 50"})),
    (601, _BOTH, Side.PAYER, Caps(person_day=90, times=40), RuleRow(bps=1_000, max=40)),
)
_DRAW = {
    "distribution": {"bands": [{"weight": 3, "low": 1, "high": 20}, {"weight": 1, "low": 21, "high": 90}]},
    "slot_s": 300,
}
_INVITE: Mapping[str, Any] = {
    "version": "simulated",
    "steps": [{"friends": 1, "total": 80}, {"friends": 2, "total": 190}, {"friends": 4, "total": 700}],
    "amount_min": 50,
    "neighbours": 9,
    "velocity_friends": 9,
}


async def found_marketing(world: World) -> None:
    """Each institution's sponsors pay in, its campaigns begin, its coupons are there to be claimed."""
    for place in world.institutions:
        sponsors = {name: await _sponsor(world, place, name) for name in PAID_IN}
        for budget, shares, side, caps, row in (*_DISCOUNTS, *_PROGRAMMES):
            rules, by_joining = RuleTable(rows=(row,)), row in [programme[-1] for programme in _PROGRAMMES]
            terms = CampaignTerms(rules=rules, caps=caps, partial=True, holdout_bps=1_000, by_joining=by_joining)
            parts = [(sponsors[name], proportion) for name, proportion in shares]
            draft = campaign_draft(world, place, parts, budget, terms, side=side)
            await _begin(place, draft)
        own = [(sponsors["S"], 1)]
        draw = CampaignTerms(holdout_bps=500, more=_DRAW)
        await _begin(place, campaign_draft(world, place, own, 1_200, draw, kind=CampaignKind.DRAW))
        invite = CampaignTerms(more={**_INVITE, "hold_hours": _HOLD_HOURS[place.node_id]})
        await _begin(place, campaign_draft(world, place, own, 1_500, invite, kind=CampaignKind.INVITE))
        for budget, coupons in _coupons(place).items():
            terms = CampaignTerms(holdout_bps=300)
            draft = campaign_draft(world, place, own, budget, terms, kind=CampaignKind.COUPON)
            await _begin(place, draft)
            for stock, told in coupons:
                world.offers.templates.append(await _template(world, place, draft.id, told, stock))


def campaign_draft(
    world: World,
    place: Place,
    sponsors: list[tuple[int, int]],
    budget: int,
    terms: CampaignTerms,
    *,
    kind: CampaignKind = CampaignKind.DISCOUNT,
    side: Side = Side.PAYER,
    merchant_id: int = 0,
) -> CampaignDraft:
    """What somebody wants to run there for a month."""
    return CampaignDraft(
        id=world.mint(),
        name="立减",
        kind=kind,
        side=side,
        sponsors=sponsors,
        budget=budget,
        terms=terms,
        ends_ns=place.clock.now_ns() + _LASTS_NS,
        merchant_id=merchant_id,
    )


def _coupons(place: Place) -> Mapping[int, list[tuple[int, CouponTerms]]]:
    """By the campaign's budget, each with its stock: plenty, and the last five fen."""
    soon_ms = (place.clock.now_ns() + _ENDS_SOON_NS) // NS_PER_MS
    week = Validity(days=7)
    return {
        2_503: [
            (
                9,
                CouponTerms(
                    kind=CouponKind.AMOUNT_OFF,
                    amount_off=60,
                    threshold=130,
                    validity=week,
                    limits=ClaimLimits(per_person=3, per_device=0),
                    transferable=True,
                ),
            ),
            (
                20,
                CouponTerms(
                    kind=CouponKind.PERCENT_OFF,
                    percent_off_bps=2_500,
                    cap=200,
                    validity=week,
                    limits=ClaimLimits(per_person=4, per_device=2),
                    code=CodeKind.UNIQUE,
                    stacking=Stacking(priority=1),
                ),
            ),
            (
                30,
                CouponTerms(
                    kind=CouponKind.FREE_ITEM,
                    item="豆浆",
                    item_price=90,
                    validity=Validity(until_ms=soon_ms),
                    limits=ClaimLimits(per_person=2, per_device=0),
                    code=CodeKind.SHARED,
                    stacking=Stacking(exclusive=True),
                    on_refund=OnRefund.BUDGET,
                    transferable=True,
                ),
            ),
        ],
        5: [
            (
                40,
                CouponTerms(
                    kind=CouponKind.AMOUNT_OFF,
                    amount_off=1,
                    validity=week,
                    limits=ClaimLimits(per_person=0, per_device=0, per_day=25),
                ),
            )
        ],
    }


async def _sponsor(world: World, place: Place, name: str) -> int:
    marketing, journal = place.software.marketing, place.software.node.journal
    profile = SponsorProfile(reference=name, kind=SponsorKind.OUTSIDE, name="消费节")
    sponsor = await decided(journal, partial(marketing.sponsors.register, profile))
    deposit = partial(marketing.sponsors.deposit, world.mint(), sponsor.id, PAID_IN[name], _deaf)
    await decided(journal, deposit)
    return int(sponsor.id)


async def _begin(place: Place, draft: CampaignDraft) -> None:
    campaigns, journal = place.software.marketing.campaigns, place.software.node.journal
    await decided(journal, partial(campaigns.draft, draft))
    await decided(journal, partial(campaigns.begin, draft.id))


async def _template(world: World, place: Place, campaign_id: int, terms: CouponTerms, stock: int) -> Template:
    templates, journal = place.software.marketing.coupons.templates, place.software.node.journal
    id_, batch_id = world.mint(), world.mint()
    await decided(journal, partial(templates.create, id_, campaign_id, "早餐券", terms, stock))
    if terms.code is CodeKind.NONE:
        return Template(place, id_, [])
    count = 1 if terms.code is CodeKind.SHARED else CODES
    batch = await decided(journal, partial(templates.make_codes, batch_id, id_, count, "operator"))
    return Template(place, id_, list(templates.codes(batch)))


def _deaf(_refusal: Any) -> None:
    pass
