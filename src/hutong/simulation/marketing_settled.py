"""Liveness of what marketing gives: nothing waits for ever, and rows, ledger, counters and reports say the same."""

from collections import Counter, defaultdict
from datetime import date
from functools import partial
from typing import Any

from hutong.institution import chart
from hutong.institution.payments.payment import Why
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S
from hutong.kernel.money import Currency
from hutong.marketing.campaigns.award import AwardKind, AwardState
from hutong.marketing.campaigns.campaign import CampaignKind, CampaignState, Side
from hutong.marketing.draws.seed import KEY_DAY
from hutong.marketing.draws.verification import verify_day
from hutong.marketing.invitations.referral import ReferralState
from hutong.marketing.invitations.views import figures_view
from hutong.marketing.red_packets.red_packet import ClaimState, PacketState
from hutong.runtime.shelf import warmed
from hutong.simulation.given import Given
from hutong.simulation.place import Place
from hutong.simulation.world import World

_WITHIN_NS = 600 * NS_PER_S
_DAY_AFTER_NS = 26 * NS_PER_HOUR  # Longer than a red packet lives, a share is sent again, and any reward is held.
_SWEEP_NS = 2 * NS_PER_HOUR


def let_a_day_pass(world: World) -> None:
    """What time alone brings about comes to pass; then every campaign is ended, and what is left goes back."""
    world.let_time_go()
    world.loop.run_until(world.now_ns + _DAY_AFTER_NS)
    for place in world.institutions:
        for campaign in place.software.marketing.campaigns.everything():
            end = partial(_end, campaign.id)
            world.loop.run(world.line.decide(place, end), _WITHIN_NS)
    world.loop.run_until(world.now_ns + _SWEEP_NS)


def _end(campaign_id: int, node: Any) -> Any:
    return node.marketing.campaigns.end(campaign_id)


def check_marketing(world: World, *, is_over: bool) -> None:
    """
    Say everything that is not as it must be after healing; when it `is_over`, nothing waits for time, either.

    Each award is followed from its budget to its payment and payer, and each discount back to its awards.
    """
    for place in world.institutions:
        given = world.marketing_audit.of(world.audit.nodes[place.node_id])
        said = [
            *_awards(given),
            *_discounts(given),
            *_packets(given, is_over=is_over),
            *_referrals(given, is_over=is_over),
            *_campaigns(given, place, is_over=is_over),
            *_sponsors(given),
            *world.loop.run(_reports(given, place), _WITHIN_NS),
        ]
        for each in said:
            world.audit.say(f"{place.node_id}: {each}")
    if not world.audit.wrong:
        _check_shares(world, is_over=is_over)


# Rows.


def _awards(given: Given) -> list[str]:
    """From the budget to the payer: each has a campaign, and a payment of its person or a friend that was brought."""
    rows, wrong = given.view.rows, []
    for id_, award in rows["all_awards"].items():
        campaign = rows["campaigns"].get(award.campaign_id)
        if campaign is None:
            wrong.append(f"award {id_:032x} is of no campaign")
        elif award.kind == AwardKind.REWARD:
            wrong += _reward(given, award)
        else:
            paid, _, _ = given.paid(award.payment_id)
            payer = getattr(paid, "user_id", 0) if campaign.side == Side.PAYER else 0
            if paid is None or payer != award.person_id or (payer and payer not in rows["users"]):
                wrong.append(f"award {id_:032x} leads to no payment of {award.person_id:032x}")
            if given.standing(award) == AwardState.RESERVED:
                wrong.append(f"award {id_:032x} is still reserved")
    return wrong


def _reward(given: Given, award: Any) -> list[str]:
    rows = given.view.rows
    referrals = [row for row in rows["referrals"].values() if award.id in (row.award_id, row.further_award_id)]
    moved = given.view.books.moved.get((Why.REWARDED, award.id), 0)
    wrong = []
    if award.source == "cash":
        if award.id not in rows["cash_prizes"]:
            wrong.append(f"reward {award.id:032x} is no merchant's prize")
    elif len(referrals) != 1 or referrals[0].inviter_id != award.person_id:
        wrong.append(f"reward {award.id:032x} is for nobody whom {award.person_id:032x} brought")
    if moved != (award.left if award.state == AwardState.COMMITTED else 0):
        wrong.append(f"reward {award.id:032x} of {award.left} is {award.state}, and {moved} was paid")
    return wrong


def _discounts(given: Given) -> list[str]:
    """From the payer to the budget: each discount, on either side, is what its awards say."""
    rows, wrong = given.view.rows, []
    own = [(id_, row.payer_discount) for id_, row in rows["payments"].items() if row.payer_discount]
    sponsored = [(id_, row.payee_discount) for id_, (_, row) in given.sponsors.items()]
    for id_, discount in (*own, *sponsored):
        awarded = sum(rows["all_awards"][each].amount for each in given.of_payment.get(id_, ()))
        if awarded != discount:
            wrong.append(f"payment {id_:032x} has {discount} off, and was awarded {awarded}")
    for row in (*rows["payments"].values(), *rows["receipts"].values()):
        here = row.payee_discount and getattr(row, "creditor_agent", given.view.node_id) == given.view.node_id
        if here and not row.sponsor:
            wrong.append(f"payment {row.id:032x} has {row.payee_discount} off, by nobody")
    return wrong


def _packets(given: Given, *, is_over: bool) -> list[str]:
    rows, wrong = given.view.rows, []
    for id_, packet in rows["red_packets"].items():
        claims = [rows["red_packet_claims"][each] for each in given.shares.get(id_, ())]
        waits = [each.state for each in claims if each.state not in (ClaimState.PAID, ClaimState.GIVEN_UP)]
        if packet.state == PacketState.OPENING or ClaimState.MOVING in waits:
            wrong.append(f"red packet {id_:032x} is {packet.state} for ever, its claims are {waits}")
        if not is_over:
            continue
        if packet.state == PacketState.OPEN or waits:
            wrong.append(f"red packet {id_:032x} is {packet.state} after its day, its claims are {waits}")
        account = given.view.books.accounts[packet.account(Currency.CNY)]
        if account.credit:
            wrong.append(f"red packet {id_:032x} is {packet.state}, and {account.credit} is inside")
        paid = sum(each.amount - each.returned for each in claims if each.state == ClaimState.PAID)
        if paid + packet.returned != packet.amount:
            wrong.append(f"red packet {id_:032x} of {packet.amount}: {paid} was paid, {packet.returned} went back")
    return wrong


def _referrals(given: Given, *, is_over: bool) -> list[str]:
    waits = {ReferralState.HELD, ReferralState.WAITING} if is_over else set()
    return [
        f"referral {id_:032x} is {row.state} for ever"
        for id_, row in given.view.rows["referrals"].items()
        if row.state in waits
    ]


# The ledger, and what nodes count.


def _campaigns(given: Given, place: Place, *, is_over: bool) -> list[str]:
    """Rows, counters and ledger say the same of every campaign, and of what is on its way (invariant 7)."""
    rows, accounts, wrong = given.view.rows, given.view.books.accounts, []
    spent = place.software.marketing.campaigns.spent
    for id_, campaign in rows["campaigns"].items():
        total = given.totals[id_, "campaign", 0]
        has = given.view.books.credit_of(campaign.account)
        if has != campaign.funded - campaign.given_back - total:
            wrong.append(f"campaign {id_:032x} has {has}: {campaign.funded}, {campaign.given_back}, {total}")
        if spent[id_].total != total:
            wrong.append(f"campaign {id_:032x} counted {spent[id_].total}, and its rows say {total}")
        rests = has and not _may_appeal(given, campaign)
        if campaign.state == CampaignState.FUNDING or (is_over and (rests or campaign.state != CampaignState.ENDED)):
            wrong.append(f"campaign {id_:032x} is {campaign.state} for ever, and has {has}")
    waiting = sum(
        award.amount
        for award in rows["all_awards"].values()
        if award.kind == AwardKind.REWARD and award.state == AwardState.RESERVED
    )
    awarded = accounts[place.software.chart.awarded].credit
    if awarded != waiting:
        wrong.append(f"awarded and on its way is {awarded}, and rewards wait for {waiting}")
    return wrong


def _may_appeal(given: Given, campaign: Any) -> bool:
    """Whether something is kept back for rewards that were refused, as long as they may be appealed."""
    refused = [each for each in given.view.rows["referrals"].values() if each.campaign_id == campaign.id]
    return any(each.state in {ReferralState.REFUSED, ReferralState.APPEALED} for each in refused)


def _sponsors(given: Given) -> list[str]:
    """What sponsors have is what they paid in, less what their campaigns were given and gave back: to the fen, each."""
    rows, wrong = given.view.rows, []
    given_to: dict[int, int] = defaultdict(int)
    for campaign in rows["campaigns"].values():
        if campaign.funded:
            backs = [back for back, _ in campaign.back] or [0] * len(campaign.shares)
            for (sponsor, amount), back in zip(campaign.parts(), backs, strict=True):
                given_to[sponsor] += amount - back
    for id_ in rows["sponsors"]:
        has = given.view.books.accounts[chart.budget_account(id_)].credit
        if has != given.sponsored[id_] - given_to[id_]:
            wrong.append(f"sponsor {id_:032x} has {has}: {given.sponsored[id_]} paid in, {given_to[id_]} given")
    return wrong


# Reports: what sponsors, merchants, operators and people are shown.


async def _reports(given: Given, place: Place) -> list[str]:
    wrong = [*await _effects(given, place), *_coupons(given, place), *await _invited(given, place)]
    return wrong + await _takings(given, place) + await _drawn(place) + await _received(given, place)


async def _effects(given: Given, place: Place) -> list[str]:
    rows, wrong = given.view.rows, []
    for id_, campaign in rows["campaigns"].items():
        shown = await place.software.marketing.effects.of_campaign(id_)
        awards = [award for award in rows["all_awards"].values() if award.campaign_id == id_]
        total = sum(award.left for award in awards)
        friends = [each for each in rows["referrals"].values() if each.campaign_id == id_]
        refused = sum(each.held for each in friends if each.state in {ReferralState.REFUSED, ReferralState.APPEALED})
        days = sum(day.given for day in shown.days)
        left = given.view.books.credit_of(campaign.account)
        if (shown.given, days, shown.left, shown.refused_amount) != (total, total, left, refused):
            wrong.append(f"campaign {id_:032x} gave {total}, has {left}, refused {refused}; its report is {shown}")
    return wrong


async def _takings(given: Given, place: Place) -> list[str]:
    rows, wrong = given.view.rows, []
    for merchant_id in rows["merchants"]:
        shown = await place.software.marketing.effects.of_merchant(merchant_id)
        sold = {
            id_
            for id_, paid in (
                (award.payment_id, given.paid(award.payment_id)[0]) for award in rows["all_awards"].values()
            )
            if paid is not None and paid.merchant_id == merchant_id
        }
        awards = [
            a for a in rows["all_awards"].values() if a.payment_id in sold and given.standing(a) == AwardState.COMMITTED
        ]
        told = sum(each.given for each in shown), sum(each.returned for each in shown)
        if told != (sum(a.amount for a in awards), sum(a.returned for a in awards)):
            wrong.append(f"merchant {merchant_id:032x} is shown {told}, and awards say otherwise")
    return wrong


def _coupons(given: Given, place: Place) -> list[str]:
    templates = place.software.marketing.coupons.templates
    return [
        f"template {id_:032x} counted {templates.stock(id_).claimed} claims, and its rows are {given.claimed[id_]}"
        for id_ in given.view.rows["coupon_templates"]
        if templates.stock(id_).claimed != given.claimed[id_]
    ]


async def _invited(given: Given, place: Place) -> list[str]:
    rows, wrong = given.view.rows, []
    inviting, journal = place.software.marketing.invitations, place.software.node.journal
    for id_, campaign in rows["campaigns"].items():
        if campaign.kind != CampaignKind.INVITE:
            continue
        found = await warmed(journal, partial(inviting.register.of_campaign, id_))
        shown = figures_view(inviting.campaigns.inviting_campaign(id_), found, place.clock.now_ns())
        awards = [award for award in rows["all_awards"].values() if award.campaign_id == id_]
        paid = sum(award.left for award in awards if award.state == AwardState.COMMITTED)
        held = sum(award.amount for award in awards if award.state == AwardState.RESERVED)
        friends = sum(row.campaign_id == id_ for row in rows["referrals"].values())
        if (shown.paid, shown.held, shown.friends) != (paid, held, friends):
            wrong.append(f"campaign {id_:032x} paid {paid} and holds {held} for {friends}; its figures are {shown}")
    return wrong


async def _drawn(place: Place) -> list[str]:
    """Every day whose seed is out is as it was committed to: verified as anybody would."""
    records, wrong = place.software.marketing.records, []
    for campaign in records.draws.campaigns():
        for seed in records.draws.seeds.everything():
            if seed.campaign_id == campaign.id and seed.day != KEY_DAY and seed.revealed:
                record = await records.day(campaign.id, date.fromordinal(seed.day))
                wrong += [finding.text for finding in verify_day(record) if not finding.holds]
    return wrong


async def _received(given: Given, place: Place) -> list[str]:
    """What people are shown of shares they got at their own institution is what was moved."""
    shown: Counter[int] = Counter()
    for user_id in given.view.rows["users"]:
        for claim in await place.software.red_packets.claims.received(user_id):
            shown[claim.packet_id] += claim.amount
    return [
        f"people are shown {amount} of red packet {packet_id:032x}, and {given.moved[Why.RED_PACKET_CLAIMED, packet_id]} moved"
        for packet_id, amount in shown.items()
        if amount != given.moved[Why.RED_PACKET_CLAIMED, packet_id]
    ]


def _check_shares(world: World, *, is_over: bool) -> None:
    """What people were told of shares, wherever their wallets are, was theirs: once each, and in all the packet's."""
    told: Counter[str] = Counter()
    for (_, link), amount in world.offers.shares.items():
        told[link] += amount
    for sender, packet_id, link in world.offers.links:
        view = world.audit.nodes[sender.place.node_id]
        given = world.marketing_audit.of(view)
        claims = [view.rows["red_packet_claims"][each] for each in given.shares.get(packet_id, ())]
        claimed = sum(each.amount for each in claims)
        if told[link] > claimed:
            world.audit.say(f"of red packet {packet_id:032x} people were told {told[link]}, and {claimed} was claimed")
        for claim in claims if is_over else ():
            if claim.agent and claim.state == ClaimState.PAID:
                there = world.audit.nodes[claim.agent].outcomes["receipt_outcomes"]
                if not there.get(claim.payment_id):
                    world.audit.say(f"share {claim.id:032x} is PAID, and {claim.agent} got nothing")
