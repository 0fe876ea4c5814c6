"""Payer and payee at one institution: one posted chain, no switch."""

import msgspec
import pytest

from hutong.institution import chart
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from tests.institution.payments.world import World


def test_a_payment_on_us_moves_the_money_and_takes_the_fee() -> None:
    world = World("jing")
    jing = world["jing"]
    payer, merchant = jing.user(10_000), jing.merchant()
    jing.asks(merchant, code="plate", fee_bps=60)
    quote = jing.quote(payer, "plate")
    ((payment, outcome),) = jing.pay(payer, jing.order(quote, 1_000))
    assert outcome is not None
    assert outcome.completed
    assert jing.balance(payer.wallet_account) == 9_000
    assert jing.balance(chart.merchant_account(merchant)) == 994
    assert jing.balance(jing.chart.fee_income) == 6
    assert payment.policy_version == "cn-2018-04-01"
    assert [(to, type_) for to, type_, _ in jing.neighbours.said] == [(merchant, "payment.completed")]
    assert jing.balanced()


def test_the_same_order_again_gets_the_same_answer_and_moves_nothing() -> None:
    world = World("jing")
    jing = world["jing"]
    payer, merchant = jing.user(10_000), jing.merchant()
    jing.asks(merchant, code="plate")
    order = jing.order(jing.quote(payer, "plate"), 1_000)
    first = jing.pay(payer, order)
    assert jing.pay(payer, order) == first
    world.restart("jing")
    assert jing.pay(payer, order) == first
    assert jing.balance(payer.wallet_account) == 9_000


@pytest.mark.parametrize(
    ("field", "value"), [("amount", 999), ("quote_id", 7), ("remark", "other"), ("currency", "USD"), ("funding", "x")]
)
def test_the_same_id_with_other_content_is_a_conflict_that_names_the_field(field: str, value: object) -> None:
    world = World("jing")
    jing = world["jing"]
    payer, merchant = jing.user(10_000), jing.merchant()
    jing.asks(merchant, code="plate")
    order = jing.order(jing.quote(payer, "plate"), 1_000, remark="午饭")
    jing.pay(payer, order)
    other = msgspec.structs.replace(order, **{field: value})
    with pytest.raises(Refusal) as refused:
        jing.pay(payer, other)
    assert refused.value.reason is PaymentReason.ID_TAKEN
    assert refused.value.facts == {"field": field}
