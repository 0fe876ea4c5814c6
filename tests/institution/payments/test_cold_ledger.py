"""What happens while the payee's ledger has to look an account up, and what a crash just then leaves behind."""

from collections.abc import Coroutine
from typing import Any

from hutong.institution.payments.receipt import RECEIPT_OUTCOMES
from hutong.runtime.node import run_now
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import Channel
from tests.institution.payments.neighbours import Asks
from tests.institution.payments.world import World, now

CODE = "https://wei.example/q/1"


class Slow:
    """A payment to a payee whose node has just started: its ledger must ask the database, and gets no answer yet."""

    def __init__(self) -> None:
        self.world = World("jing", "wei")
        self.world.register("wei", "url:https://wei.example/q/")
        self.jing, self.wei = self.world["jing"], self.world["wei"]
        self.payer = self.jing.user(100_000)
        self.request = self.wei.asks(self.wei.merchant(), code=CODE, amount=500, kind=Channel.DYNAMIC_CODE.value)
        quote = self.jing.quote(self.payer, CODE)
        self.world.restart("wei")
        self.errands: list[Coroutine[Any, Any, None]] = []
        self.wei.ledger._spawn = self.errands.append
        self.answers = self.jing.pay(self.payer, self.jing.order(quote))

    def asked(self) -> Asks:
        return now(warmed(self.wei.journal, lambda: self.wei.neighbours.request(self.request.id)))


def test_an_offer_repeated_meanwhile_is_accepted_and_pursued_once() -> None:
    slow = Slow()
    slow.world.tick(3)
    for errand in slow.errands:
        run_now(errand)
    assert slow.asked().state == "PAID"
    assert [type_ for _, type_, _ in slow.wei.neighbours.said] == ["payment.completed"]
    assert len(slow.wei.payments._pursuit._first) == 1


def test_a_crash_meanwhile_does_not_leave_the_request_claimed_for_ever() -> None:
    slow = Slow()
    for errand in slow.errands:
        errand.close()
    slow.world.restart("wei")
    slow.world.settle()
    assert slow.asked().state == "PAID"
    outcomes = [row for _, row in slow.wei.store.rows[RECEIPT_OUTCOMES.name]]
    assert [outcome.completed for outcome in outcomes] == [True]
    assert slow.jing.balance(slow.payer.wallet_account) == 99_500


def test_a_crash_past_the_deadline_frees_the_request() -> None:
    slow = Slow()
    for errand in slow.errands:
        errand.close()
    slow.world.tick(61)  # The switch rejects it, and nobody is there to hear.
    slow.world.restart("wei")
    slow.world.tick(5)
    slow.world.tick(5)
    assert slow.asked().state == "OPEN"
    outcomes = [row for _, row in slow.wei.store.rows[RECEIPT_OUTCOMES.name]]
    assert [outcome.completed for outcome in outcomes] == [False]
    assert slow.jing.balance(slow.payer.wallet_account) == 100_000


def test_a_payment_that_a_crash_kept_from_being_held_is_made_at_the_next_start() -> None:
    world = World("jing", "wei")
    world.register("wei", "url:https://wei.example/q/")
    jing, wei = world["jing"], world["wei"]
    payer, merchant = jing.user(100_000), wei.merchant()
    wei.asks(merchant, code=CODE)
    world.restart("jing")
    errands: list[Coroutine[Any, Any, None]] = []
    jing.ledger._spawn = errands.append
    jing.pay(payer, jing.order(jing.quote(payer, CODE), 700))
    assert errands, "the ledger has just started: it must ask for the payer's account"
    for errand in errands:
        errand.close()
    world.restart("jing")
    world.settle()
    assert jing.balance(payer.wallet_account) == 99_300
    assert not jing.payments.debtor.undecided
    world.restart("jing")
    world.settle()
    assert jing.balance(payer.wallet_account) == 99_300
