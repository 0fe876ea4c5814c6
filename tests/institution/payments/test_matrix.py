"""The source -> sink matrix: whatever is refunded in whatever order, it adds up and nothing goes below zero."""

from hypothesis import given
from hypothesis import strategies as st

from hutong.institution.payments.matrix import Shares, left_of


@st.composite
def payments(draw: st.DrawFn) -> Shares:
    gross = draw(st.integers(1, 10_000) | st.integers(1, 2**50))
    payee_discount = draw(st.integers(0, gross - 1))
    crossing = gross - payee_discount
    payer_discount = draw(st.integers(0, crossing))
    network = draw(st.integers(0, crossing - 1))
    interchange = draw(st.integers(0, network))
    fee = draw(st.integers(0, crossing))
    return Shares(gross, payer_discount, payee_discount, fee, interchange, network - interchange)


def non_negative(shares: Shares) -> bool:
    return (
        min(
            shares.gross,
            shares.payer_discount,
            shares.payee_discount,
            shares.fee,
            shares.interchange,
            shares.switch_fee,
            shares.paid,
            shares.settlement,
            shares.gross - shares.payee_discount - shares.fee,
        )
        >= 0
    )


@given(payments(), st.data())
def test_refunds_in_any_order_take_exactly_what_was_paid(payment: Shares, data: st.DataObject) -> None:
    assert payment.sound
    left, refunds = payment, list[Shares]()
    while left.gross:
        amount = data.draw(st.integers(1, left.gross) if len(refunds) < 12 else st.just(left.gross))
        refund = left.share(amount)
        assert refund.gross == amount
        assert non_negative(refund)
        refunds.append(refund)
        left = left.less(refund)
        assert non_negative(left)
        # Neither income nor subsidy appears where the payment had none: money is not made by rounding.
        income = refund.fee - refund.interchange - refund.switch_fee
        whole = payment.fee - payment.interchange - payment.switch_fee
        assert income * whole >= 0 or income == 0
    assert left == Shares(0)
    assert left_of(payment, refunds) == Shares(0)


@given(payments(), st.data())
def test_the_debtor_agent_agrees_with_every_split_of_the_creditor_agent(payment: Shares, data: st.DataObject) -> None:
    ours = Shares(
        payment.gross, payment.payer_discount, payment.payee_discount, 0, payment.interchange, payment.switch_fee
    )
    theirs = Shares(payment.gross, 0, payment.payee_discount, payment.fee, payment.interchange, payment.switch_fee)
    for _ in range(12):
        if not theirs.gross:
            break
        refund = theirs.share(data.draw(st.integers(1, theirs.gross)))
        returned = ours.returned(refund.gross, refund.payee_discount, refund.interchange, refund.switch_fee)
        assert returned is not None
        assert non_negative(returned)
        ours, theirs = ours.less(returned), theirs.less(refund)
        assert non_negative(ours)
        assert ours.gross == theirs.gross
    if not theirs.gross:
        assert ours == Shares(0)


def test_small_refunds_of_a_payment_mostly_discounted_never_go_below_zero() -> None:
    left = payment = Shares(100, payer_discount=50, payee_discount=49)
    refunds = []
    for amount in (1, 33, 1, 33, 31, 1):
        refunds.append(left.share(amount))
        left = left.less(refunds[-1])
        assert non_negative(refunds[-1])
        assert non_negative(left)
    assert sum(refund.paid for refund in refunds) == 1
    assert left_of(payment, refunds) == Shares(0)


def test_a_return_of_more_than_is_left_of_any_cell_is_no_return() -> None:
    payment = Shares(1000, payee_discount=100, interchange=5, switch_fee=2)
    assert payment.returned(1000, 100, 5, 2) is not None
    assert payment.returned(1001, 100, 5, 2) is None
    assert payment.returned(1000, 101, 5, 2) is None
    assert payment.returned(1000, 99, 5, 2) is None
    assert payment.returned(1000, 100, 6, 2) is None
    assert payment.returned(1000, 100, 5, 3) is None
