"""What somebody might try, or what just happens: the last fen of three, clocks put back, terms and days that change under a quote."""

import pytest

from hutong.institution import chart
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.award import AwardState
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import Campaign, CampaignState, Side
from hutong.marketing.campaigns.sponsor import Sponsor
from tests.marketing.campaigns.fair import DAY_S, Fair, House, off

where = pytest.mark.parametrize("on_us", [True, False])


def has(house: House, sponsors: list[Sponsor]) -> list[int]:
    """What is in their budgets and in no campaign."""
    return [house.balance(chart.budget_account(each.id)) for each in sponsors]


def end(house: House, campaign: Campaign) -> None:
    house.do(lambda: house.marketing.campaigns.end(campaign.id))


@pytest.mark.parametrize("proportions", [(1, 1, 1), (5, 3, 2), (1_000_000, 1, 1)])
def test_of_one_fen_that_three_sponsors_share_one_gives_it_and_gets_it_back(proportions: tuple[int, int, int]) -> None:
    fair = Fair()
    jing = fair.jing
    payer, plate = jing.user(10_000), fair.shop(fair.wei)
    sponsors = [jing.sponsor(1, name) for name in "abc"]
    campaign = jing.campaign(list(zip(sponsors, proportions, strict=True)), 1, off(1))
    assert has(jing, sponsors) == [0, 1, 1]  # Of equal remainders the first is served first.
    payment, _ = fair.pay(jing, payer, plate, 100)
    assert payment.payer_discount == 1
    assert fair.pay(jing, payer, plate, 100)[0].payer_discount == 0
    end(jing, campaign)
    assert has(jing, sponsors) == [0, 1, 1]
    fair.refund(fair.wei, plate, payment, 100)
    fair.tick(1)
    assert has(jing, sponsors) == [1, 1, 1]
    assert jing.left(campaign) == 0


def test_three_sponsors_pay_in_their_proportions_to_the_fen_whatever_was_given_and_came_back() -> None:
    fair = Fair()
    jing = fair.jing
    payer, plate = jing.user(100_000), fair.shop(fair.wei)
    sponsors = [jing.sponsor(1_000, name) for name in "abc"]
    campaign = jing.campaign([(sponsors[0], 1), (sponsors[1], 1), (sponsors[2], 1)], 1_000, off(77))
    payments = [fair.pay(jing, payer, plate, 1_000)[0] for _ in range(7)]
    end(jing, campaign)
    for number, payment in enumerate(payments[:4]):
        for amount in (1, 333, 13 * number + 1):
            fair.refund(fair.wei, plate, payment, amount)
            fair.tick(1)
            given = sum(award.left for each in payments for award in jing.awards(each))
            assert sum(has(jing, sponsors)) == 3_000 - given
            cost = [1_000 - each for each in has(jing, sponsors)]
            assert max(cost) - min(cost) <= 1, cost
    assert jing.left(campaign) == 0


@where
@pytest.mark.parametrize("verb", ["pause", "end"])
@pytest.mark.parametrize("side", Side)
def test_what_is_set_aside_when_a_campaign_pauses_or_ends_is_given_and_what_comes_back_goes_home(
    verb: str, side: Side, on_us: bool
) -> None:
    """Across, the payment is under way; on us it is already made. A refund comes behind either."""
    fair = Fair(immediate=False)
    shop = fair.wei
    payers = shop if on_us else fair.jing
    giver = shop if side is Side.PAYEE else payers
    payer, plate = payers.user(10_000), fair.shop(shop)
    fair.flush()
    sponsor = giver.sponsor(500)
    fair.flush()
    campaign = giver.campaign(sponsor, 500, off(100), side=side)
    fair.flush()
    quote = fair.quote(payers, payer, plate, 1_000)
    order = payers.order(quote, 1_000)
    payers.pay(payer, order)
    while not on_us and not shop.payments.creditor.undecided:  # Until both sides have set theirs aside.
        fair.flush()
        if fair.letters:
            fair.deliver(fair.letters.pop(0))
    giver.do(lambda: getattr(giver.marketing.campaigns, verb)(campaign.id))
    fair.flush()
    fair.settle()
    fair.flush()
    payment = payers.payments.debtor.payments.get(order.payment_id)
    outcome = payers.payments.debtor.outcomes.get(order.payment_id)
    assert payment is not None
    assert outcome is not None
    assert outcome.completed
    assert payment.paid == 900
    assert has(giver, [sponsor]) == [400 if verb == "end" else 0]
    fair.refund(shop, plate, payment, 550)
    for _ in range(3):
        fair.flush()
        fair.settle()
        fair.tick(1)
    assert has(giver, [sponsor]) == [455 if verb == "end" else 0]
    assert giver.left(campaign) == (0 if verb == "end" else 455)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("revised", "is_shown"), [(100, True), (99, False), (101, False)])
def test_terms_that_change_between_the_price_and_the_yes_charge_nobody_otherwise_than_shown(
    side: Side, revised: int, is_shown: bool
) -> None:
    fair = Fair()
    payers, shop = fair.jing, fair.wei
    giver = shop if side is Side.PAYEE else payers
    payer, plate = payers.user(10_000), fair.shop(shop)
    campaign = giver.campaign(giver.sponsor(500), 500, off(100), side=side)
    quote = fair.quote(payers, payer, plate, 1_000)
    assert max(quote.discount, quote.terms.payee_discount) == 100
    terms = giver.campaign(giver.sponsor(0), 1, off(revised), side=side, begin=False, priority=3).told
    giver.do(lambda: giver.marketing.campaigns.revise(campaign.id, terms))
    order = payers.order(quote, 1_000)
    paid, refused = None, ""
    try:
        ((payment, outcome),) = payers.pay(payer, order)
    except Refusal as refusal:
        refused = refusal.reason.name
    else:
        assert outcome is not None
        paid, refused = (payment.paid if outcome.completed else None), outcome.reason
    assert refused == ("" if is_shown else "DISCOUNT_GONE")
    assert paid == (900 if is_shown else None)
    assert giver.left(campaign) == (400 if is_shown else 500)
    payment, _ = fair.pay(payers, payer, plate, 1_000)
    assert payment.paid == 1_000 - revised
    if side is Side.PAYER:
        (award,) = payers.awards(payment)
        assert (award.version, award.amount, award.state) == (2, revised, AwardState.COMMITTED)


@where
def test_what_was_shown_before_midnight_counts_on_the_day_on_which_it_is_paid(on_us: bool) -> None:
    """Nobody gets two days' discounts for having asked yesterday, and nobody loses today's."""
    fair = Fair()
    jing, shop = fair.jing, fair.jing if on_us else fair.wei
    payer, plate = jing.user(10_000), fair.shop(shop)
    campaign = jing.campaign(jing.sponsor(1_000), 1_000, off(100), caps=Caps(times_day=1, day=100))
    midnight_ns = jing.marketing.calendar.midnight_ns(jing.marketing.calendar.day(fair.clock.now_ns()) + 1)
    fair.tick((midnight_ns - fair.clock.now_ns()) // NS_PER_S - 10)
    quote = fair.quote(jing, payer, plate, 1_000)
    assert fair.pay(jing, payer, plate, 1_000)[0].payer_discount == 100
    assert fair.quote(jing, payer, plate, 1_000).discount == 0
    fair.tick(20)
    ((payment, outcome),) = jing.pay(payer, jing.order(quote, 1_000))
    assert outcome is not None
    assert outcome.completed
    assert payment.payer_discount == 100
    assert fair.pay(jing, payer, plate, 1_000)[0].payer_discount == 0
    assert jing.left(campaign) == 800
    # A refund on the next day gives the money back to the campaign, and neither day's turn.
    fair.refund(shop, plate, payment, 1_000)
    assert jing.left(campaign) == 900
    assert fair.pay(jing, payer, plate, 1_000)[0].payer_discount == 0
    fair.tick(DAY_S)
    assert fair.pay(jing, payer, plate, 1_000)[0].payer_discount == 100


@pytest.mark.parametrize("days", range(1, 6))
def test_a_clock_that_is_put_back_gives_nobody_a_day_twice(days: int) -> None:
    fair = Fair()
    jing = fair.jing
    payer, plate = jing.user(100_000), fair.shop(jing)
    campaign = jing.campaign(jing.sponsor(10_000), 10_000, off(100), caps=Caps(times_day=1))
    for _ in range(5):
        assert fair.pay(jing, payer, plate, 1_000)[0].payer_discount == 100
        fair.tick(DAY_S)
    fair.clock.ns -= (days + 1) * DAY_S * NS_PER_S
    fair.restart("jing")
    for _ in range(3):
        assert fair.pay(jing, payer, plate, 1_000)[0].payer_discount == 0
    assert jing.left(campaign) == 9_500
    assert jing.newest(campaign).state == CampaignState.RUNNING
