"""Attack stories about discounts: what people try to get twice, and what they get."""

import pytest

from hutong.institution import chart
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.rules import RuleRow
from hutong.runtime.shelf import warmed
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import DAY_S, Fair, off
from tests.marketing.draws.test_draw_service import Town


def test_two_first_payments_at_once_are_one_first_payment() -> None:
    """What is off for newcomers is off once, also for who pays twice before the network has answered."""
    fair = Fair()
    newcomers = RuleRow(off=500, when={"new": "true"})
    campaign = fair.jing.campaign(fair.jing.sponsor(10_000), 10_000, newcomers)
    payer, plate = fair.jing.user(100_000), fair.shop(fair.wei)
    consults, terms = fair.jing.payments.consults, fair.jing.terms(plate)
    quotes = [now(warmed(fair.jing.journal, lambda: consults.quote(payer, terms, 2_000))) for _ in range(2)]
    fair.posting = True  # Nothing arrives for a while.
    assert fair.jing.pay(payer, fair.jing.order(quotes[0], 2_000)) == []
    with pytest.raises(Refusal, match="DISCOUNT_GONE"):
        fair.jing.pay(payer, fair.jing.order(quotes[1], 2_000))
    again = now(warmed(fair.jing.journal, lambda: consults.quote(payer, terms, 2_000)))
    assert again.discount == 0
    fair.jing.pay(payer, fair.jing.order(again, 2_000))
    fair.settle()
    given = [row.payer_discount for row in fair.jing.payments.debtor.payments.everything()]
    assert sorted(given) == [0, 500]
    assert fair.jing.marketing.campaigns.spent[campaign.id].total == 500


def test_a_first_payment_that_fails_leaves_the_discount_for_the_next() -> None:
    fair = Fair()
    newcomers = RuleRow(off=500, when={"new": "true"})
    fair.jing.campaign(fair.jing.sponsor(10_000), 10_000, newcomers)
    payer, plate = fair.jing.user(1_000), fair.shop(fair.wei)
    payment, outcome = fair.pay(fair.jing, payer, plate, 2_000)
    assert outcome is not None
    assert not outcome.completed
    payment, outcome = fair.pay(fair.jing, payer, plate, 1_200)
    assert outcome is not None
    assert outcome.completed
    assert payment.payer_discount == 500


def test_who_looks_at_a_newcomers_discount_and_pays_for_something_else_first_is_new_no_more() -> None:
    """What was found when it was looked at is not what holds once somebody has paid, be it without any discount."""
    fair = Fair()
    fair.jing.campaign(fair.jing.sponsor(10_000), 10_000, RuleRow(off=500, when={"new": "true", "amount": ">= 2000"}))
    payer, plate = fair.jing.user(100_000), fair.shop(fair.wei)
    assert fair.quote(fair.jing, payer, plate, 2_000).discount == 500
    payment, outcome = fair.pay(fair.jing, payer, plate, 1_000)
    assert outcome is not None
    assert (outcome.completed, payment.payer_discount) == (True, 0)
    assert fair.quote(fair.jing, payer, plate, 2_000).discount == 0
    assert fair.pay(fair.jing, payer, plate, 2_000)[0].payer_discount == 0


def test_who_sells_there_gets_no_discount_there() -> None:
    """With a shop of one's own, discounts would be money out of a sponsor's budget into one's own till."""
    fair = Fair()
    fair.jing.campaign(fair.jing.sponsor(10_000), 10_000, RuleRow(off=500))
    payer, own, other = fair.jing.user(100_000), fair.shop(fair.jing), fair.shop(fair.jing)
    fair.jing.parties.sellers.add((payer.id, fair.shops[own]))
    given = [fair.pay(fair.jing, payer, plate, 2_000)[0].payer_discount for plate in (own, other)]
    assert given == [0, 500]


def test_who_buys_in_bulk_while_chance_gives_discounts_draws_once_a_day() -> None:
    """Thirty payments for one dinner, quoted all at once, paid one by one and cancelled in between: one draw, the same one."""
    town = Town()
    jing, payer = town.drawing, town.drawing.user(1_000_000)
    quotes = [town.quote(jing, payer, town.plate, 3_000 + number) for number in range(30)]
    shown = {quote.discount for quote in quotes}
    given = []
    for number, quote in enumerate(quotes):
        order = jing.order(quote, 3_000 + number)
        try:
            ((payment, _),) = jing.pay(payer, order)
        except Refusal as refusal:
            assert refusal.reason.name == "DISCOUNT_GONE"  # noqa: PT017  # Most are refused; which, is seen below.
        else:
            given.append(payment.payer_discount)
    assert given == [*shown], "one of all of them, and what each had been shown"
    assert [town.spends(payer, 1_000) for _ in range(5)] == [0] * 5
    town.restart("jing")
    assert town.spends(payer) == 0
    town.tick(DAY_S)
    assert town.spends(payer) > 0, "and tomorrow there is another"


def test_who_pays_and_is_given_back_again_and_again_farms_nothing() -> None:
    """A friendly shop gives every payment back, in parts of a fen, in halves, whole: nobody gains a fen, or another try."""
    fair = Fair()
    jing = fair.jing
    campaign = jing.campaign(jing.sponsor(10_000), 10_000, off(300), caps=Caps(times_day=4))
    payer, plate = jing.user(5_000), fair.shop(jing)
    for parts in ((1,) * 40, (17, 18, 5), (20, 20), (40,)):
        payment, outcome = fair.pay(jing, payer, plate, 1_000)
        assert outcome is not None
        assert (outcome.completed, payment.payer_discount) == (True, 300)
        for part in parts:
            assert fair.refund(jing, plate, payment, part * 25) is not None
            assert jing.balance(payer.wallet_account) <= 5_000
            assert jing.left(campaign) <= 10_000
        assert (jing.balance(payer.wallet_account), jing.left(campaign)) == (5_000, 10_000)
        with pytest.raises(Refusal, match="REFUND_EXCEEDS_REMAINDER"):
            fair.refund(jing, plate, payment, 1)
    payment, _ = fair.pay(jing, payer, plate, 1_000)
    assert payment.payer_discount == 0, "four times a day is four times a day"
    fair.restart("jing")
    assert fair.pay(jing, payer, plate, 1_000)[0].payer_discount == 0


def test_what_is_sent_again_word_for_word_is_given_once_whatever_happened_between() -> None:
    """The same order from two phones, behind a restart, behind its refund; the same refund twice."""
    fair = Fair()
    jing = fair.jing
    campaign = jing.campaign(jing.sponsor(10_000), 10_000, off(300))
    payer, plate = jing.user(50_000), fair.shop(fair.wei)
    order = jing.order(fair.quote(jing, payer, plate, 1_000), 1_000)
    for _ in range(3):
        ((payment, outcome),) = jing.pay(payer, order)
        assert outcome is not None
        assert (outcome.completed, payment.payer_discount, jing.left(campaign)) == (True, 300, 9_700)
        fair.restart("jing")
    jing = fair.jing
    fair.refund(fair.wei, plate, payment, 1_000)
    for _ in range(2):
        ((payment, outcome),) = fair.jing.pay(payer, order)
        assert outcome is not None
        assert outcome.completed, "it was made, and it was given back: neither is said otherwise"
        assert (fair.jing.left(campaign), fair.jing.balance(payer.wallet_account)) == (10_000, 50_000)
        fair.restart("jing")
    assert fair.wei.balance(chart.merchant_account(fair.shops[plate])) == 0


def test_a_bill_that_is_split_to_pass_a_threshold_of_each_part_gets_no_more_than_the_day_allows() -> None:
    """Bulk buying of what is taken off each payment ends at the person's day, not at what the campaign has."""
    fair = Fair()
    jing = fair.jing
    campaign = jing.campaign(
        jing.sponsor(100_000), 100_000, off(100, amount=">= 500"), caps=Caps(person_day=250), partial=True
    )
    payer, plate = jing.user(100_000), fair.shop(fair.wei)
    given = [fair.pay(jing, payer, plate, 500)[0].payer_discount for _ in range(8)]
    assert given == [100, 100, 50, 0, 0, 0, 0, 0]
    assert jing.left(campaign) == 100_000 - 250
