"""A payment through the real switch: both sides, both outcomes."""

from hutong.institution import chart
from tests.institution.payments.world import World


def test_a_payment_across_ends_alike_on_three_ledgers() -> None:
    world = World("jing", "wei")
    world.fees(20, 5)
    jing, wei = world["jing"], world["wei"]
    world.register("wei", "url:https://wei.example/q/")
    payer, merchant = jing.user(100_000), wei.merchant()
    wei.asks(merchant, code="https://wei.example/q/1", fee_bps=60)
    quote = jing.quote(payer, "https://wei.example/q/1")
    ((_, outcome),) = jing.pay(payer, jing.order(quote, 10_000))
    assert outcome is not None
    assert outcome.completed
    assert jing.balance(payer.wallet_account) == 90_000
    assert jing.balance(jing.chart.clearing) == 10_000 - 20
    assert jing.balance(jing.chart.interchange_income) == 20
    assert wei.balance(chart.merchant_account(merchant)) == 9_940
    assert wei.balance(wei.chart.fee_income) == 60 - 20 - 5
    assert wei.balance(wei.chart.clearing) == -(10_000 - 25)
    assert world.switch.position("jing") == 100_000_000 - 9_980
    assert world.switch.position("wei") == 100_000_000 + 9_975
    assert all(place.balanced() for place in world.places.values())
