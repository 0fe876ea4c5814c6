"""What comes after a restart that was meant for before it. Each was found by the simulation."""

from collections.abc import Coroutine
from typing import Any

from hutong.runtime.shelf import warmed
from tests.institution.payments.test_bank_link import Link
from tests.institution.payments.world import World, now

CODE = "https://wei.example/q/1"


def test_a_top_up_that_was_minted_before_a_restart_is_made_after_it() -> None:
    link = Link()
    late = link.jing.node.mint.mint()
    link.world.clock.advance(seconds=1)
    assert link.top_up(100) == "PAID"
    link.world.restart("jing")
    assert link.top_up(200, late) == "PAID"
    assert link.jing.balance(link.user.wallet_account) == 300


def test_a_payment_that_a_crash_kept_from_being_held_counts_against_the_limits() -> None:
    world = World("jing", "wei")
    world.register("wei", "url:https://wei.example/q/")
    jing, wei = world["jing"], world["wei"]
    payer = jing.user(100_000)
    wei.asks(wei.merchant(), code=CODE)
    quote = jing.quote(payer, CODE)
    jing.pay(payer, jing.order(quote, 100))
    world.restart("jing")
    errands: list[Coroutine[Any, Any, None]] = []
    jing.ledger._spawn = errands.append
    jing.pay(payer, jing.order(jing.quote(payer, CODE), 700))
    for errand in errands:
        errand.close()  # It was to ask for the payer's account, and the node dies.
    world.restart("jing")
    world.settle()
    usages = jing.payments.debtor.usages
    assert jing.balance(payer.wallet_account) == 99_200
    assert now(warmed(jing.journal, lambda: usages.of(payer.id, payer.wallet_account))).year_spent == 800


def test_a_clock_that_is_put_back_over_midnight_gives_no_day_anew() -> None:
    world = World("jing")
    jing = world["jing"]
    payer, payee = jing.user(1_000_000), jing.user()
    jing.asks(user=payee, code=CODE)
    world.clock.advance(seconds=16 * 3600 - 2)  # Two seconds before midnight in China.
    jing.pay(payer, jing.order(jing.quote(payer, CODE), 20_000))
    world.clock.advance(seconds=3)
    jing.pay(payer, jing.order(jing.quote(payer, CODE), 15_000))
    world.clock.ns -= 3 * 10**9
    jing.pay(payer, jing.order(jing.quote(payer, CODE), 15_000))
    world.restart("jing")
    usages = jing.payments.debtor.usages
    usage = now(warmed(jing.journal, lambda: usages.of(payer.id, payer.wallet_account)))
    assert usage.today[1] == 30_000
