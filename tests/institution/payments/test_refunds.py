"""Refunds: partial, cumulative, to the fen, on us and across; and every no."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.institution import chart
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.refund import Refund, RefundOrder
from hutong.kernel.errors import Refusal
from hutong.scheme.messages import PaymentReturn, PaymentStatus, StatusRequest, TransactionStatus, id_hex
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import Institution, World

PLATE = "https://wei.example/q/1"


@dataclass
class Sold:
    """A completed payment and everybody in it."""

    world: World
    debtor: Institution
    creditor: Institution
    payer: Person
    merchant: int
    payment: Payment

    def refund(self, amount: int, *, merchant: int = 0, **fields: int) -> tuple[Refund, Outcome | None]:
        answers: list[tuple[Refund, Outcome | None]] = []
        order = RefundOrder(
            refund_id=fields.get("refund_id") or self.creditor.node.mint.mint(),
            payment_id=fields.get("payment_id", self.payment.id),
            amount=amount,
        )
        service = self.creditor.payments.refunds
        self.creditor.decide(
            lambda: service.refund(merchant or self.merchant, order, lambda *answer: answers.append(answer))
        )
        (answer,) = answers
        return answer

    def refusal(self, amount: int, **fields: int) -> PaymentReason:
        with pytest.raises(Refusal) as refused:
            self.refund(amount, **fields)
        reason = refused.value.reason
        assert isinstance(reason, PaymentReason)
        return reason


def sold(*, on_us: bool, amount: int = 10_000, fee_bps: int = 60) -> Sold:
    world = World("jing", "wei")
    world.fees(20, 5)
    world.register("wei", "url:https://wei.example/q/")
    creditor = world["wei"]
    debtor = creditor if on_us else world["jing"]
    payer, merchant = debtor.user(1_000_000), creditor.merchant()
    creditor.asks(merchant, code=PLATE, fee_bps=fee_bps)
    quote = debtor.quote(payer, PLATE)
    ((payment, outcome),) = debtor.pay(payer, debtor.order(quote, amount))
    assert outcome is not None
    assert outcome.completed
    return Sold(world, debtor, creditor, payer, merchant, payment)


def own_accounts(institution: Institution) -> list[int]:
    return [institution.balance(account.id) for account in institution.chart.accounts()]


@pytest.mark.parametrize("on_us", [True, False])
def test_a_full_refund_restores_every_balance(on_us: bool) -> None:
    sale = sold(on_us=on_us)
    _, outcome = sale.refund(10_000)
    assert outcome is not None
    assert outcome.completed
    assert sale.debtor.balance(sale.payer.wallet_account) == 1_000_000
    assert sale.creditor.balance(chart.merchant_account(sale.merchant)) == 0
    assert not any(own_accounts(sale.debtor)[1:])
    assert not any(own_accounts(sale.creditor)[1:])
    assert all(place.balanced() for place in sale.world.places.values())


@settings(max_examples=15)
@given(st.data(), st.booleans())
def test_partial_refunds_in_any_amounts_give_back_exactly_the_payment(data: st.DataObject, on_us: bool) -> None:
    sale = sold(on_us=on_us, amount=997, fee_bps=data.draw(st.sampled_from([0, 10, 60, 600])))
    if sale.payment.fee or not on_us:  # The merchant needs its fee back at hand only as far as it goes along.
        sale.creditor.pay_in(chart.merchant_account(sale.merchant), 100)
    left = 997
    while left:
        amount = data.draw(st.integers(1, left))
        sale.refund(amount)
        left -= amount
    assert sale.debtor.balance(sale.payer.wallet_account) == 1_000_000
    assert not any(own_accounts(sale.debtor)[1:])
    assert not any(own_accounts(sale.creditor)[1:])
    assert sale.refusal(1) is PaymentReason.REFUND_EXCEEDS_REMAINDER


@pytest.mark.parametrize("on_us", [True, False])
def test_a_refund_can_reach_the_remainder_and_not_pass_it(on_us: bool) -> None:
    sale = sold(on_us=on_us)
    sale.refund(4_000)
    assert sale.refusal(6_001) is PaymentReason.REFUND_EXCEEDS_REMAINDER
    sale.refund(6_000)
    assert sale.refusal(1) is PaymentReason.REFUND_EXCEEDS_REMAINDER


@pytest.mark.parametrize("on_us", [True, False])
def test_the_same_refund_again_is_the_same_refund(on_us: bool) -> None:
    sale = sold(on_us=on_us)
    refund_id = sale.creditor.node.mint.mint()
    first = sale.refund(4_000, refund_id=refund_id)
    assert sale.refund(4_000, refund_id=refund_id) == first
    sale.world.restart("wei")
    assert sale.refund(4_000, refund_id=refund_id) == first
    assert sale.refusal(4_001, refund_id=refund_id) is PaymentReason.ID_TAKEN
    assert sale.debtor.balance(sale.payer.wallet_account) == 994_000


@pytest.mark.parametrize("on_us", [True, False])
def test_somebody_elses_payment_is_unknown(on_us: bool) -> None:
    sale = sold(on_us=on_us)
    other = sale.creditor.merchant()
    assert sale.refusal(1, merchant=other) is PaymentReason.PAYMENT_UNKNOWN
    assert sale.refusal(1, payment_id=sale.creditor.node.mint.mint()) is PaymentReason.PAYMENT_UNKNOWN


@pytest.mark.parametrize("on_us", [True, False])
def test_a_refund_is_not_refunded(on_us: bool) -> None:
    sale = sold(on_us=on_us)
    refund, _ = sale.refund(100)
    assert sale.refusal(1, payment_id=refund.id) is PaymentReason.REFUND_OF_A_REFUND


@pytest.mark.parametrize("on_us", [True, False])
def test_a_merchant_that_spent_the_money_is_told_so_and_may_try_later(on_us: bool) -> None:
    sale = sold(on_us=on_us)
    account = chart.merchant_account(sale.merchant)
    sale.creditor.user(100_000)  # Else its reserve has nothing to pay out yet: the switch settles later.
    sale.creditor.pay_out(account, 9_000)
    _, outcome = sale.refund(10_000)
    assert outcome is not None
    assert (outcome.completed, outcome.reason) == (False, "MERCHANT_BALANCE_INSUFFICIENT")
    sale.creditor.pay_in(account, 9_000)
    _, outcome = sale.refund(10_000)
    assert outcome is not None
    assert outcome.completed


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_of_nothing_is_refused(amount: int) -> None:
    assert sold(on_us=True).refusal(amount) is PaymentReason.AMOUNT_NOT_POSITIVE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"amount": 10_001, "settlement": 10_001}, "REFUND_EXCEEDS_REMAINDER"),
        ({"interchange": 21, "settlement": 79}, "REFUND_EXCEEDS_REMAINDER"),
        ({"creditor_discount": 1, "settlement": 99}, "REFUND_EXCEEDS_REMAINDER"),
        ({"settlement": 99}, "REFUND_EXCEEDS_REMAINDER"),
        ({"currency": "USD"}, "CURRENCY_DIFFERS"),
        ({"creditor_agent": "zhi"}, "RETURN_MISMATCH"),
        ({"payment_id": "f" * 32}, "RETURN_MISMATCH"),
        ({"expires_at_ms": 1}, "REQUEST_EXPIRED"),
        ({"remittance": "a\0b"}, "TEXT_HAS_ODD_CHARACTERS"),
    ],
)
def test_the_payers_side_believes_no_return_it_can_check(changes: dict[str, Any], reason: str) -> None:
    """As if the other end, or the switch, had checked nothing."""
    sale = sold(on_us=False)
    honest = PaymentReturn(
        return_id=f"{7:032x}",
        payment_id=id_hex(sale.payment.id),
        amount=100,
        currency="CNY",
        settlement=100,
        debtor_agent="jing",
        creditor_agent="wei",
        accepted_at_ms=0,
        expires_at_ms=2**50,
    )
    sale.world.posting = True
    sale.debtor.receive("switch", [msgspec.structs.replace(honest, **changes)])
    ((_, _, said),) = sale.world.letters
    assert isinstance(said, PaymentStatus)
    assert said.reason_name == reason
    assert said.status is (TransactionStatus.REJECTED if reason else TransactionStatus.ACCEPTED)


def test_the_payers_side_counts_returns_itself() -> None:
    """What exceeds the rest is refused; while what it is too much beside is undecided, that is asked about first."""
    sale = sold(on_us=False)
    sale.world.posting = True
    for number, (amount, accepted) in enumerate([(6_000, True), (4_001, False), (4_000, True), (1, False)], start=1):
        offered = PaymentReturn(
            return_id=f"{number:032x}",
            payment_id=id_hex(sale.payment.id),
            amount=amount,
            currency="CNY",
            settlement=amount,
            debtor_agent="jing",
            creditor_agent="wei",
            accepted_at_ms=0,
            expires_at_ms=2**50,
        )
        sale.debtor.receive("switch", [offered])
        sale.debtor.receive("switch", [offered])
        said = [message.status for _, _, message in sale.world.letters if isinstance(message, PaymentStatus)]
        asked = {message.payment_id for _, _, message in sale.world.letters if isinstance(message, StatusRequest)}
        assert said == ([TransactionStatus.ACCEPTED] * 2 if accepted else [])
        assert bool(asked) is not accepted
        sale.world.letters.clear()
        for return_id in asked:
            told = PaymentStatus(payment_id=return_id, originator="wei", status=TransactionStatus.COMPLETED)
            sale.debtor.receive("switch", [told])
        if asked:
            sale.debtor.receive("switch", [offered])
            ((_, _, refused),) = sale.world.letters
            assert isinstance(refused, PaymentStatus)
            assert refused.reason_name == "REFUND_EXCEEDS_REMAINDER"
            sale.world.letters.clear()


def test_both_ends_hear_of_a_refund() -> None:
    sale = sold(on_us=False)
    sale.refund(100)
    assert (sale.merchant, "refund.completed") in [(to, type_) for to, type_, _ in sale.creditor.neighbours.said]
    assert (sale.payer.id, "payment.refunded") in [(to, type_) for to, type_, _ in sale.debtor.neighbours.said]


def test_a_rejection_that_was_lost_stands_in_the_way_of_no_other_refund() -> None:
    """The debtor agent still counts the first, which the switch rejected: it asks before it refuses the second."""
    sale = sold(on_us=False)
    world = sale.world
    world.posting = True  # Letters wait.
    answers: list[tuple[Refund, Outcome | None]] = []

    def refund() -> None:
        order = RefundOrder(refund_id=sale.creditor.node.mint.mint(), payment_id=sale.payment.id, amount=10_000)
        service = sale.creditor.payments.refunds
        sale.creditor.decide(lambda: service.refund(sale.merchant, order, lambda *answer: answers.append(answer)))

    def deliver(*peers: str) -> None:
        """Everything to these; what is for others is lost."""
        while world.letters:
            letter = world.letters.pop(0)
            if letter[1] in peers:
                world.deliver(letter)

    refund()
    world.deliver(world.letters.pop(0))  # To the switch,
    world.deliver(world.letters.pop(0))  # to the debtor agent, which accepts:
    world.letters.clear()  # lost.
    assert sale.debtor.payments.returns.undecided
    world.clock.advance(seconds=121)
    world.switch.tick()
    world.switch.journal.seal()
    deliver("wei")  # The debtor agent never hears of the rejection.
    assert answers[0][1] is not None
    assert not answers[0][1].completed
    assert sale.debtor.payments.returns.undecided

    refund()
    deliver("switch", "jing")
    assert not sale.debtor.payments.returns.undecided
    for _ in range(3):
        world.tick(2)
        deliver("switch", "jing", "wei")
    assert [done.completed for done in sale.creditor.payments.refunds.outcomes.everything()] == [False, True]
    assert sale.debtor.balance(sale.payer.wallet_account) == 1_000_000
