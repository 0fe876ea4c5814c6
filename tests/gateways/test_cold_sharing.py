"""
What happens while the ledger has to look an account up, and what a crash just then leaves behind.

The node has just started, so its ledger must ask the database; whatever is asked of it is written down and not moved yet.
Whether the answer comes, or the node dies and starts again, each thing is done, and once.
"""

from collections.abc import Coroutine
from typing import Any

import pytest

from hutong.gateways.order import Dialect
from hutong.gateways.splits.hold import HoldState, TakingState
from hutong.gateways.splits.reasons import SplitReason
from hutong.gateways.transfers.transfer import TransferDraft, TransferState
from hutong.institution import chart
from hutong.institution.payments.refund import RefundOrder
from hutong.runtime.node import run_now
from tests.gateways.sharing import SharingWorld, person, sell, shop
from tests.gateways.splits.test_splits import Scene


class Slow(Scene):
    """Its ledger waits for the database, and gets no answer until it is told, if ever."""

    def __init__(self) -> None:
        super().__init__()
        self.split("S0", (shop(self.partner), 500))
        self.errands: list[Coroutine[Any, Any, None]] = []

    def slow_down(self) -> None:
        self.world.restart("wei")
        self.wei.ledger._spawn = self.errands.append

    def end(self, how: str) -> None:
        """The database answers; or the node dies, and starts again."""
        assert self.errands, "nothing waited for the ledger"
        while self.errands:
            errand = self.errands.pop(0)
            if how == "answered":
                run_now(errand)
            else:
                errand.close()
        if how == "crashed":
            self.world.restart("wei")
        self.world.flush()


ENDS = pytest.mark.parametrize("end", ["answered", "crashed"])


def settled(scene: Scene) -> None:
    """What is written down of frozen money is what the ledger has, and nothing is promised any more."""
    hold = scene.wei.hold(scene.sold.order.id)
    assert hold.remaining == scene.wei.frozen(hold.id)
    assert not scene.wei.holds._under_way
    assert scene.wei.balanced()


@ENDS
def test_a_split_under_way_is_done_once_and_its_money_is_promised_to_nobody_else(end: str) -> None:
    scene = Slow()
    scene.slow_down()
    split = scene.split("S1", (shop(scene.partner), 2_000), (person(scene.courier.id), 500), finish=True)
    assert split.state == "PROCESSING"
    assert scene.wei.holds.available(scene.wei.hold(scene.sold.order.id)) == 0
    assert scene.refusal("S2", (shop(scene.partner), 1)) is SplitReason.SPLIT_EXCEEDS_FROZEN
    assert scene.split("S1", (shop(scene.partner), 2_000), (person(scene.courier.id), 500), finish=True) == split
    scene.end(end)
    done = scene.wei.ask(scene.wei.splits.find(scene.caller, "S1"))
    assert (done.state, done.total, done.rest) == ("FINISHED", 2_500, 9_940 - 3_000)
    assert scene.balances() == (9_940 - 3_000, 0, 2_500, 500)
    assert scene.wei.hold(scene.sold.order.id).state == HoldState.FINISHED
    settled(scene)


@ENDS
def test_a_return_under_way_is_done_once(end: str) -> None:
    scene = Slow()
    scene.slow_down()
    assert scene.give_back("S0", "R1", shop(scene.partner), 400).state == "PROCESSING"
    scene.end(end)
    assert scene.wei.ask(scene.wei.returns.find(scene.caller, "R1")).state == "SUCCESS"
    assert scene.balances() == (400, 9_440, 100, 0)
    settled(scene)


@ENDS
def test_a_refund_under_way_takes_what_is_frozen_once(end: str) -> None:
    scene = Slow()
    scene.slow_down()
    answers: list[Any] = []
    refunds = scene.wei.payments.refunds
    order = RefundOrder(refund_id=scene.wei.node.mint.mint(), payment_id=scene.sold.payment.id, amount=1_000)
    scene.wei.decide(lambda: refunds.refund(scene.merchant, order, lambda *answer: answers.append(answer)))
    assert scene.wei.holds.available(scene.wei.hold(scene.sold.order.id)) == 9_440 - 994
    scene.end(end)
    (outcome,) = scene.wei.payments.refunds.outcomes.everything()
    assert outcome.completed
    assert scene.wei.holds._taking(outcome.id).state == TakingState.TAKEN
    assert scene.balances() == (0, 9_440 - 994, 500, 0)
    settled(scene)


@ENDS
@pytest.mark.parametrize("confirmed", [True, False])
def test_a_transfer_under_way_is_moved_or_held_once(end: str, confirmed: bool) -> None:
    scene = Slow()
    scene.wei.pay_in(chart.merchant_account(scene.merchant), 1_000)
    scene.slow_down()
    # What it needs to know before is asked of the ledger too, and answered: only the moving waits.
    draft = TransferDraft(
        number="T1",
        user_id=scene.courier.id,
        payee="o1",
        amount=300,
        confirmed=confirmed,
        dialect=Dialect.WECHATPAY_V3,
    )
    sent = scene.wei.ask(scene.wei.transfers.send(scene.caller, draft))
    if sent.state == TransferState.ACCEPTED:
        scene.end(end)
    sent = scene.wei.ask(scene.wei.transfers.find(scene.caller, "T1"))
    assert sent.state == (TransferState.WAITING if confirmed else TransferState.SUCCESS)
    (account,) = scene.wei.accounts(chart.merchant_account(scene.merchant))
    assert account.debits_pending == (300 if confirmed else 0)
    assert scene.balances()[3] == (0 if confirmed else 300)
    settled(scene)


@ENDS
def test_what_is_gone_before_the_ledger_comes_to_freezing_it_is_not_said_to_be_frozen(end: str) -> None:
    world = SharingWorld()
    merchant = world.wei.merchant()
    sold = sell(world, merchant, 1_000, on_us=False)
    errands: list[Coroutine[Any, Any, None]] = []
    world.restart("wei")
    world.wei.ledger._spawn = errands.append
    order_id = world.wei.holds.freeze(world.wei.node.mint.mint(), merchant, sold.payment.id, 500, 500).id
    world.wei.journal.seal()
    world.flush()
    while errands:
        errand = errands.pop(0)
        if end == "answered":
            run_now(errand)
        else:
            errand.close()
    if end == "crashed":
        world.restart("wei")
    world.flush()
    # The order's own money is frozen already: of this one nothing is there, and so its parts come from the balance.
    hold = world.wei.hold(order_id)
    assert (hold.state, hold.remaining) == (HoldState.OPEN, 0)
    assert world.wei.frozen(sold.order.id) == 994
    assert world.wei.balanced()
