"""A merchant's own discount on a plate: told once the payer has typed an amount, wherever the payer's institution is."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from hutong.institution.payments.quotes import Quote
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.award import AwardState
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import Side
from hutong.marketing.campaigns.rules import RuleRow
from hutong.scheme.messages import AnyMessage, CodeConsult, CodeResolve, ConsultStatus, id_hex
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import Fair, House, off

where = pytest.mark.parametrize("on_us", [False, True])
TENTH = RuleRow(bps=1_000, max=500, when={"amount": ">= 1000"})
Change = Callable[[str, str, AnyMessage], AnyMessage]


class Street(Fair):
    """A plate at wei, where a tenth is taken off from CNY 10 on, up to CNY 5; who pays is at jing, or at wei too."""

    def __init__(self, *rows: RuleRow, on_us: bool = False, budget: int = 2_000, **terms: Any) -> None:
        self.posted: list[tuple[str, AnyMessage]] = []
        self.change: Change = lambda _sender, _peer, message: message
        super().__init__()
        self.fees(20, 5)
        self.debtor: House = self.wei if on_us else self.jing
        self.plate = self.shop(self.wei)
        self.payer = self.debtor.user(1_000_000)
        self.campaign = self.wei.campaign(
            self.wei.sponsor(5_000), budget, *(rows or (TENTH,)), side=Side.PAYEE, **terms
        )

    def post(self, sender: str, peer: str, messages: list[AnyMessage]) -> None:
        changed = [self.change(sender, peer, message) for message in messages]
        self.posted += [(sender, message) for message in changed]
        super().post(sender, peer, changed)

    def shown(self, amount: int = 0) -> Quote:
        return self.quote(self.debtor, self.payer, self.plate, amount)

    def asked(self) -> list[int]:
        """The amounts of the consults that jing sent."""
        return [each.amount for sender, each in self.posted if sender == "jing" and isinstance(each, CodeConsult)]

    def pays(self, quote: Quote, amount: int) -> Any:
        ((payment, outcome),) = self.debtor.pay(self.payer, self.debtor.order(quote, amount))
        assert outcome is not None
        return payment, outcome


@where
def test_the_payer_is_shown_what_the_merchant_takes_off_and_pays_that_much_less(on_us: bool) -> None:
    street = Street(on_us=on_us)
    first = street.shown()
    assert (first.terms.amount, first.terms.payee_discount, first.terms.asks_amount) == (0, 0, True)
    quote = street.shown(2_000)
    assert (quote.terms.amount, quote.terms.payee_discount) == (0, 200)
    payment, outcome = street.pays(quote, 2_000)
    assert outcome.completed
    assert (payment.gross, payment.payee_discount, payment.paid) == (2_000, 200, 1_800)
    assert street.debtor.balance(street.payer.wallet_account) == 1_000_000 - 1_800
    assert street.wei.left(street.campaign) == 2_000 - 200
    for part in (700, 1, 1_299):
        given_back = street.refund(street.wei, street.plate, payment, part)
        assert given_back is not None
        assert given_back.completed
    assert street.debtor.balance(street.payer.wallet_account) == 1_000_000
    assert street.wei.left(street.campaign) == 2_000
    assert all(place.balanced() for place in street.places.values())


def test_the_amount_goes_with_the_one_consult_there_is_once_it_is_known() -> None:
    street = Street()
    street.shown()
    street.shown(2_000)
    assert street.asked() == [0, 2_000]
    assert [each.form for _, each in street.posted if isinstance(each, CodeConsult)][1::2] == [
        "url:https://wei.example/q/"
    ] * 2


@where
def test_a_discount_is_of_the_amount_it_was_shown_for_and_of_no_other(on_us: bool) -> None:
    street = Street(on_us=on_us)
    quote = street.shown(2_000)
    for amount in (2_001, 999, 20_000):
        with pytest.raises(Refusal) as refused:
            street.pays(quote, amount)
        assert (refused.value.reason.name, refused.value.facts["quoted"]) == ("QUOTED_FOR_ANOTHER_AMOUNT", 2_000)
    assert street.debtor.balance(street.payer.wallet_account) == 1_000_000
    payment, outcome = street.pays(street.shown(20_000), 20_000)
    assert (outcome.completed, payment.payee_discount) == (True, 500)
    assert street.pays(quote, 2_000)[1].completed, "the first is good for its own amount still"


@where
def test_without_a_discount_any_amount_is_paid_whatever_was_typed_before(on_us: bool) -> None:
    street = Street(on_us=on_us)
    for quote in (street.shown(), street.shown(500)):
        payment, outcome = street.pays(quote, 2_000)
        assert (outcome.completed, payment.payee_discount, payment.paid) == (True, 0, 2_000)


def test_the_payees_institution_decides_whatever_another_puts_into_the_payment() -> None:
    """As a debtor agent would that takes the discount of one amount for another."""
    street = Street()
    quote = street.shown(2_000)
    cheated = msgspec.structs.replace(quote, id=1, terms=msgspec.structs.replace(quote.terms, discounted=0))
    street.jing.payments.debtor._quotes.keep(cheated, street.clock.now_ns())
    payment, outcome = street.pays(cheated, 1_500)
    assert (outcome.completed, outcome.reason) == (False, "DISCOUNT_GONE")
    assert street.jing.balance(street.payer.wallet_account) == 1_000_000
    assert street.wei.left(street.campaign) == 2_000
    assert payment.payee_discount == 200


@where
def test_a_discount_that_is_gone_by_the_time_it_is_paid_is_refused_by_name(on_us: bool) -> None:
    street = Street(on_us=on_us)
    quote = street.shown(2_000)
    street.wei.do(lambda: street.wei.marketing.campaigns.pause(street.campaign.id))
    assert not street.shown().terms.asks_amount
    reason = ""
    try:
        reason = street.pays(quote, 2_000)[1].reason
    except Refusal as refusal:
        reason = refusal.reason.name
    assert reason == "DISCOUNT_GONE"
    assert street.debtor.balance(street.payer.wallet_account) == 1_000_000


def test_a_rejected_payment_gives_the_merchants_budget_back() -> None:
    street = Street()
    quote = street.shown(2_000)
    street.posting = True  # Nothing is delivered but by hand.
    order = street.jing.order(quote, 2_000)
    street.jing.pay(street.payer, order)
    while street.letters:
        letter = street.letters.pop(0)
        if letter[0] == "wei":  # Its yes is lost, and the switch decides at the deadline.
            break
        street.deliver(letter)
    assert street.wei.left(street.campaign) == 2_000
    assert street.wei.marketing.campaigns.spent[street.campaign.id].total == 200
    street.posting = False
    street.tick(61)
    street.tick(61)
    outcome = street.jing.payments.debtor.outcomes.get(order.payment_id)
    assert outcome is not None
    assert not outcome.completed
    assert street.wei.marketing.campaigns.spent[street.campaign.id].total == 0
    assert street.shown(20_000).terms.payee_discount == 500


def test_the_last_fen_of_a_budget_is_given_once_whoever_was_shown_it() -> None:
    street = Street(off(100), budget=150, partial=True)
    others = [street.jing.user(10_000) for _ in range(3)]
    quotes = [street.quote(street.jing, payer, street.plate, 1_000) for payer in others]
    assert [quote.terms.payee_discount for quote in quotes] == [100] * 3
    ended = [
        street.jing.pay(payer, street.jing.order(quote, 1_000)) for payer, quote in zip(others, quotes, strict=True)
    ]
    outcomes = [each[0][1] for each in ended]
    assert [outcome.completed for outcome in outcomes if outcome is not None] == [True, False, False]
    assert street.wei.left(street.campaign) == 50
    assert street.shown(1_000).terms.payee_discount == 50


# What is lost, late or repeated, and nodes of the release before.


def test_a_consult_with_an_amount_is_answered_alike_however_often_and_changes_nothing() -> None:
    street = Street()
    consult = CodeConsult(consult_id=id_hex(7), code=street.plate, debtor_agent="jing", amount=2_000)
    durable = sum(map(len, street.wei.store.rows.values()))
    for _ in range(3):
        street.jing.journal.tell("switch", consult)
        street.flush()
        street.settle()
    answers = [each for sender, each in street.posted if sender == "wei" and isinstance(each, CodeResolve)]
    assert len(answers) == 3
    assert answers == [answers[0]] * 3
    assert (answers[0].amount, answers[0].creditor_discount, answers[0].asks_amount) == (0, 200, True)
    assert sum(map(len, street.wei.store.rows.values())) == durable
    assert street.wei.marketing.campaigns.spent[street.campaign.id].total == 0


def test_a_late_answer_is_of_the_amount_it_was_asked_for() -> None:
    """The payer typed one amount, then another; the first answer comes last."""
    street = Street()
    street.posting = True
    answers: dict[int, Any] = {}
    consults = street.jing.payments.consults
    for amount in (2_000, 3_000):
        consults.ask(street.plate, partial(answers.__setitem__, amount), amount)
        street.flush()
    while street.letters:
        street.deliver(street.letters.pop())
    assert {amount: (each.payee_discount, each.discounted) for amount, each in answers.items()} == {
        2_000: (200, 2_000),
        3_000: (300, 3_000),
    }


def test_a_lost_consult_is_asked_again() -> None:
    street = Street()
    street.posting = True
    answers: list[Any] = []
    street.jing.payments.consults.ask(street.plate, answers.append, 2_000)
    street.flush()
    street.letters.clear()
    street.posting = False
    assert answers == []
    assert street.shown(2_000).terms.payee_discount == 200
    assert answers == []


def _knows_no_amounts(node_id: str) -> Change:
    """A node of the release before reads what it knows of a message, and says no more than that."""

    def change(sender: str, peer: str, message: AnyMessage) -> AnyMessage:
        if node_id in {sender, peer} and isinstance(message, CodeConsult):
            return msgspec.structs.replace(message, amount=0, currency="CNY")
        if node_id in {sender, peer} and isinstance(message, CodeResolve):
            return msgspec.structs.replace(message, asks_amount=False)
        return message

    return change


@pytest.mark.parametrize("old", ["jing", "switch", "wei"])
def test_beside_a_node_of_the_release_before_the_plate_is_paid_without_the_discount(old: str) -> None:
    street = Street()
    street.change = _knows_no_amounts(old)
    quote = street.shown(2_000)
    assert (quote.terms.payee_discount, quote.terms.asks_amount) == (0, False)
    payment, outcome = street.pays(quote, 2_000)
    assert (outcome.completed, payment.paid) == (True, 2_000)


@pytest.mark.parametrize("said", [2_000, 2_001, 2**62])
def test_another_nodes_discount_that_leaves_nothing_to_pay_is_refused_before_it_is_shown(said: int) -> None:
    street = Street()

    def change(sender: str, _peer: str, message: AnyMessage) -> AnyMessage:
        if sender == "wei" and isinstance(message, CodeResolve):
            return msgspec.structs.replace(message, creditor_discount=said)
        return message

    street.change = change
    with pytest.raises(Refusal, match="SHARES_UNSOUND"):
        street.shown(2_000)


def test_an_amount_in_another_currency_than_the_plates_says_nothing() -> None:
    street = Street()
    consult = CodeConsult(consult_id=id_hex(7), code=street.plate, debtor_agent="jing", amount=2_000, currency="USD")
    street.jing.journal.tell("switch", consult)
    street.flush()
    (answer,) = [each for sender, each in street.posted if sender == "wei" and isinstance(each, CodeResolve)]
    assert (answer.status, answer.creditor_discount, answer.asks_amount) == (ConsultStatus.FOUND, 0, True)


# Whether it is worth asking.


@pytest.mark.parametrize(
    ("row", "terms", "asks"),
    [
        (off(1), {}, True),
        (off(1, amount="[5000..6000)"), {}, True),
        (off(1, amount="7"), {}, True),
        (off(1, mcc="'5812'", amount="> 100"), {}, True),
        (off(1, mcc="'4111'", amount="> 100"), {}, False),
        (off(1, channel="'DYNAMIC'"), {}, False),
        (off(1, debtor_agent="'zhi'"), {}, False),
        (off(1), {"by_joining": True}, False),
    ],
)
def test_the_first_answer_says_whether_some_amount_gets_anything(
    row: RuleRow, terms: dict[str, Any], asks: bool
) -> None:
    street = Street(row, **terms)
    assert street.shown().terms.asks_amount is asks


def test_a_plate_whose_merchant_gives_nothing_asks_for_nothing() -> None:
    street = Street(budget=100)
    street.wei.do(lambda: street.wei.marketing.campaigns.end(street.campaign.id))
    assert not street.shown().terms.asks_amount
    fixed = street.shop(street.wei, amount=2_000)
    assert not street.quote(street.jing, street.payer, fixed).terms.asks_amount, "its amount is known"


def test_a_days_budget_that_is_spent_asks_for_nothing_until_the_next_day() -> None:
    street = Street(off(100), caps=Caps(day=100))
    assert street.pays(street.shown(1_000), 1_000)[1].completed
    assert not street.shown().terms.asks_amount
    street.tick(86_400)
    assert street.shown().terms.asks_amount


def test_the_payers_and_the_merchants_discounts_add_up_and_leave_a_fen_to_pay() -> None:
    street = Street(off(60))
    own = street.jing.campaign(street.jing.sponsor(5_000), 5_000, off(60))
    quote = street.shown(1_000)
    assert (quote.discount, quote.terms.payee_discount) == (60, 60)
    assert street.pays(quote, 1_000)[0].paid == 880
    small = street.shown(100)
    assert (small.terms.payee_discount, small.discount) == (60, 39), "of what the merchant's leaves, but for a fen"
    payment, outcome = street.pays(small, 100)
    assert (outcome.completed, payment.paid) == (True, 1)
    assert street.refund(street.wei, street.plate, payment, 100) is not None
    assert street.jing.left(own) == 5_000 - 60
    assert [each.state for each in street.jing.awards(payment)] == [AwardState.COMMITTED]


def test_an_amount_nobody_has_is_refused_before_it_is_asked_about() -> None:
    street = Street()
    with pytest.raises(Refusal, match="AMOUNT_OUT_OF_RANGE"):
        now(street.jing.payments.consults.consult(street.payer.id, street.plate, 2**63))
    assert street.asked() == []
