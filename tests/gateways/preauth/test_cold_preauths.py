"""
What is to be held, let go or taken while the ledger has to look an account up: done once, whether the answer comes, or the node
dies just then and starts again.
"""

from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hutong.gateways.preauth.preauth import OperationState, Preauth, PreauthDraft, PreauthState
from hutong.gateways.preauth.preauth_service import PreauthService
from hutong.institution import chart
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.receipt import Receipt
from hutong.runtime.node import run_now
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import Channel
from tests.gateways.sharing import Merchants, Sharing, SharingWorld, caller
from tests.institution.payments.neighbours import Asks, Person, pin_token
from tests.institution.payments.world import POLICIES, now

ENDS = pytest.mark.parametrize("end", ["answered", "crashed"])
AMOUNT = 5_000


class Holding(Sharing):
    """With authorisations, wired as life does it; who wakes up behind a crash knows nothing but its disk."""

    def wire(self) -> None:
        super().wire()
        beside = SimpleNamespace(
            node=self.node,
            ledger=self.ledger,
            chart=self.chart,
            people=self.neighbours,
            payments=self.payments,
            merchants=Merchants(),
            requests=self.neighbours,
            policies=POLICIES,
            notices=self.neighbours,
            holds=self.hold_desk,
            on_tick=[],
        )
        nobody = cast("Any", None)
        account = SimpleNamespace(row=SimpleNamespace(merchant_id=1))
        accounts = cast("Any", SimpleNamespace(account=lambda _id: account))
        self.preauths = PreauthService(cast("Any", beside), accounts, nobody, self.notifications)
        run_now(self.preauths.start())

    def received(self, request_id: int, payment: Receipt | Payment) -> None:
        """No order here is one to be split."""


class HoldingWorld(SharingWorld):
    institution = Holding


class Scene:
    """A person of wei with 100 yuan, and a hotel that asks to hold 50 of them."""

    def __init__(self) -> None:
        self.world = HoldingWorld()
        self.merchant = self.wei.merchant()
        self.person: Person = self.wei.user(10_000)
        asked = PreauthDraft(number="H1", request_number="R1", dialect="alipay", amount=AMOUNT, title="押金")
        self.id = self.wei.ask(self.wei.preauths.offer(caller(self.merchant), asked)).id
        self.errands: list[Coroutine[Any, Any, None]] = []

    @property
    def wei(self) -> Holding:
        found = self.world.wei
        assert isinstance(found, Holding)
        return found

    @property
    def preauth(self) -> Preauth:
        return now(warmed(self.wei.journal, lambda: self.wei.preauths.offered(self.id)))

    def agree(self) -> None:
        creditor = f"{self.preauth.creditor}"
        token = pin_token(self.person.id, self.id, AMOUNT, creditor)
        now(warmed(self.wei.journal, lambda: self.wei.preauths.agree(self.person.id, self.id, token)))
        self.wei.journal.seal()

    def slow_down(self) -> None:
        """The node has just started: the ledger waits for the database, and gets no answer until it is told, if ever."""
        self.world.restart("wei")
        self.wei.ledger._spawn = self.errands.append

    def end(self, how: str) -> None:
        """The database answers; or the node dies, and starts again."""
        self.world.flush()
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

    def money(self) -> tuple[int, int, int]:
        """The person's, what is held, the merchant's."""
        held = self.wei.accounts(chart.held_account(self.id))
        return (
            self.wei.balance(self.person.wallet_account),
            held[0].credits_posted - held[0].debits_posted if held else 0,
            self.wei.balance(chart.merchant_account(self.merchant)),
        )


@ENDS
def test_a_hold_under_way_is_held_once(end: str) -> None:
    scene = Scene()
    scene.slow_down()
    scene.agree()
    assert scene.preauth.state == PreauthState.HOLDING
    scene.end(end)
    assert scene.preauth.state == PreauthState.HELD
    assert scene.money() == (10_000 - AMOUNT, AMOUNT, 0)
    scene.agree()
    assert scene.money() == (10_000 - AMOUNT, AMOUNT, 0)
    assert scene.wei.balanced()


@ENDS
def test_what_is_being_let_go_goes_back_once(end: str) -> None:
    scene = Scene()
    scene.agree()
    scene.slow_down()
    preauths = scene.wei.preauths
    now(warmed(scene.wei.journal, lambda: preauths._begun(scene.id, scene.wei.node.mint.mint(), "U1", 2_000, "")))
    scene.wei.journal.seal()
    scene.end(end)
    (operation,) = scene.wei.preauths.operations.everything()
    assert operation.state == OperationState.DONE
    assert scene.money() == (10_000 - AMOUNT + 2_000, AMOUNT - 2_000, 0)
    assert scene.wei.balanced()


@ENDS
def test_what_is_being_taken_is_paid_once_out_of_what_is_held(end: str) -> None:
    scene = Scene()
    scene.agree()
    order: Asks = scene.wei.asks(scene.merchant, code="c", kind=Channel.DYNAMIC_CODE.value, amount=3_000, fee_bps=0)
    trade = cast("Any", SimpleNamespace(order=order, request=order, amount=3_000))
    answers: list[Outcome | None] = []

    def answer(_payment: Payment, outcome: Outcome | None) -> None:
        answers.append(outcome)

    scene.slow_down()
    preauth, preauths = scene.preauth, scene.wei.preauths
    scene.wei.node.decide(lambda: preauths._pay(preauth, trade, answer))
    scene.end(end)
    for _ in range(2):
        assert scene.money() == (10_000 - AMOUNT, AMOUNT - 3_000, 3_000)
        later = scene.wei.preauths
        scene.wei.node.decide(lambda: later._pay(preauth, trade, answer))  # noqa: B023  # Run at once.
    assert answers[-1] is not None
    assert answers[-1].completed
    assert scene.wei.balanced()
