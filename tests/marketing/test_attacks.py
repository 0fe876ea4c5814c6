"""Attack stories about discounts: what people try to get twice, and what they get."""

import pytest

from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.rules import RuleRow
from hutong.runtime.shelf import warmed
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import Fair


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


def test_who_sells_there_gets_no_discount_there() -> None:
    """With a shop of one's own, discounts would be money out of a sponsor's budget into one's own till."""
    fair = Fair()
    fair.jing.campaign(fair.jing.sponsor(10_000), 10_000, RuleRow(off=500))
    payer, own, other = fair.jing.user(100_000), fair.shop(fair.jing), fair.shop(fair.jing)
    fair.jing.parties.sellers.add((payer.id, fair.shops[own]))
    given = [fair.pay(fair.jing, payer, plate, 2_000)[0].payer_discount for plate in (own, other)]
    assert given == [0, 500]
