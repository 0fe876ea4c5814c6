"""
One node is restored to the past, and the others are not: what docs/operate.md says of it is so.

What was under way then ends by asking; what came later and is sent again finds its decision; what is not sent again is
missing, by exactly its amount, until it is reconciled.
"""

from hutong.institution.payments.payment import PAYMENT_OUTCOMES, Order
from hutong.runtime.tables import MemoryStore
from tests.institution.payments.world import Institution, World

PLATE = "https://wei.example/q/1"
FUNDS = 100_000


def disk_of(place: Institution) -> MemoryStore:
    """A backup: everything that is durable now."""
    copy = MemoryStore()
    for name, rows in place.store.rows.items():
        copy.rows[name] = list(rows)
    return copy


def outcomes(place: Institution) -> dict[int, bool]:
    return {row.id: row.completed for _, row in place.store.rows[PAYMENT_OUTCOMES.name]}


def test_a_node_restored_to_the_past_learns_from_the_switch_what_it_forgot() -> None:
    world = World("jing", "wei", immediate=False)
    jing, wei = world["jing"], world["wei"]
    world.register("wei", "url:https://wei.example/q/")
    payer, merchant = jing.user(FUNDS), wei.merchant()
    wei.asks(merchant, code=PLATE)
    world.flush()

    def pay(amount: int, id_: int = 0) -> int:
        quote = jing.quote(payer, PLATE)
        order = Order(payment_id=id_ or jing.node.mint.mint(), quote_id=quote.id, amount=amount)
        jing.pay(payer, order)
        world.flush()
        return order.payment_id

    under_way = pay(1_000)
    backup = disk_of(jing)
    world.settle()
    world.flush()
    sent_again = pay(200)
    world.settle()
    forgotten = pay(30)
    world.settle()
    world.flush()
    assert set(outcomes(jing)) == {under_way, sent_again, forgotten}
    assert all(outcomes(jing).values())

    jing.journal.crash()
    jing.store = backup
    jing.boot()
    assert outcomes(jing) == {}
    for _ in range(8):  # It sends again, then asks.
        world.tick(10)
        world.flush()
        world.settle()
    assert outcomes(jing) == {under_way: True}
    assert pay(200, sent_again) == sent_again
    world.settle()
    world.flush()
    assert outcomes(jing) == {under_way: True, sent_again: True}

    # Each moved once, there and here; what nobody sent again is what is missing.
    assert jing.balance(payer.wallet_account) == FUNDS - 1_200
    assert world.switch.position("jing") == 100_000_000 - 1_230
    assert jing.balance(jing.chart.clearing) == 1_230 - 30
    assert all(place.balanced() for place in world.places.values())
