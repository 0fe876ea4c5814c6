"""
What one merchant pays another for a coupon moves once, and comes back once, whenever the node dies and starts again.

The ledger looks accounts up before it moves anything, so a subsidy is written down before its money moves: the node may die
before that is durable, before the look-up is answered, behind it, and when all is durable.
"""

import asyncio
from collections.abc import Callable, Coroutine
from enum import IntEnum
from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hutong.gateways.account import Account, Caller
from hutong.gateways.order import TradeState
from hutong.gateways.till_coupons.reasons import TillCouponReason
from hutong.gateways.till_coupons.stock import TillStock
from hutong.gateways.till_coupons.subsidy import SubsidyDraft, SubsidyState, TillSubsidy
from hutong.gateways.till_coupons.subsidy_service import SubsidyService
from hutong.institution import chart
from hutong.institution.payments.payment import Why
from hutong.kernel.errors import Reason, Refusal
from hutong.ledger.rows import TRANSFER
from hutong.marketing.coupons.template import CouponKind, CouponTerms
from hutong.marketing.coupons.till_code import TillState
from hutong.marketing.coupons.validity import Validity
from hutong.runtime.node import run_now
from tests.gateways.sharing import caller
from tests.institution.payments.world import Institution, World

HAD, WORTH = 1_000, 500
LOOP = asyncio.new_event_loop()  # Of answers alone: nothing runs on it.
STOCK = cast("TillStock", SimpleNamespace(id=3, subsidised=True))
Subsidise = Callable[[], Coroutine[Any, Any, TillSubsidy]]


class Dies(IntEnum):
    """When the node dies, of what was asked of it."""

    AT_ONCE = 0  # Nothing is durable.
    WRITTEN = 1  # The row is; the ledger waits for its look-up.
    MOVED = 2  # The look-up was answered, and what came of it is not durable.
    DURABLE = 3


class Around:
    """A coupon of 500 fen that was taken for an order, which was paid and given back: what a subsidy asks about."""

    def account(self, id_: int) -> Any:
        return caller(id_).payee

    def found(self, _caller: Caller, *, trade_no: str) -> Any:
        assert trade_no == "W1"
        return SimpleNamespace(state=TradeState.PAID, order=SimpleNamespace(id=9, out_trade_no="T1"), amount=2_300)

    async def find(self, _caller: Caller, *, refund_no: str) -> Any:
        assert refund_no == "R1"
        return SimpleNamespace(row=SimpleNamespace(order_id=9))

    def template(self, _stock: TillStock) -> Any:
        return SimpleNamespace(
            told=CouponTerms(kind=CouponKind.AMOUNT_OFF, amount_off=WORTH, validity=Validity(days=7))
        )

    def code(self, _template_id: int, _letters: str) -> Any:
        return SimpleNamespace(id=7, state=TillState.TAKEN, paid_for="W1")


class Stand(Institution):
    """An institution whose merchants pay one another for coupons. Its ledger waits for the database until that answers."""

    def wire(self) -> None:
        self.on_started: list[Callable[[], Coroutine[Any, Any, None]]] = []
        around = cast("Any", Around())
        self.subsidies = SubsidyService(cast("Any", self), around, around, around, around, around)

    def boot(self) -> None:
        for errand in self.__dict__.get("errands", ()):
            errand.close()  # The database's answer to a node that is gone.
        super().boot()
        self.errands: list[Coroutine[Any, Any, None]] = []
        run_now(self.subsidies.start())
        self.ledger._spawn = self.errands.append
        for resume in self.on_started:
            run_now(resume())


class StandWorld(World):
    institution = Stand


class Scene:
    """Two merchants, of which one has money."""

    def __init__(self, had: int = HAD) -> None:
        self.world = StandWorld("wei", immediate=False)
        self.payer, self.payee = (caller(self.stand.merchant(), number) for number in ("1900000001", "1900000002"))
        self.calm()
        if had:
            self.stand.pay_in(self._account(self.payer.payee), had)
        self.calm()

    @property
    def stand(self) -> Stand:
        stand = self.world["wei"]
        assert isinstance(stand, Stand)
        return stand

    def pay(self, number: str = "P1", amount: int = WORTH) -> Coroutine[Any, Any, TillSubsidy]:
        draft = SubsidyDraft(number=number, letters="C", trade_no="W1", amount=amount, description="补贴")
        return self.stand.subsidies.pay(self.payer, STOCK, self.payee.payee, draft)

    def give_back(self, number: str = "B1", amount: int = WORTH) -> Coroutine[Any, Any, TillSubsidy]:
        draft = SubsidyDraft(
            number=number, letters="C", trade_no="W1", refund_no="R1", amount=amount, description="退补贴"
        )
        return self.stand.subsidies.give_back(self.payee, STOCK, self.payer.payee, draft)

    def crash(self, ask: Subsidise | None, dies: Dies) -> None:
        """The node starts with nothing in memory; it is asked, or nobody asks; and it dies."""
        self.world.restart("wei")
        asked = LOOP.create_task(ask()) if ask is not None else None
        _let_run()
        if dies >= Dies.WRITTEN:
            self.world.flush()
        if dies >= Dies.MOVED:
            self._answer()
        if dies >= Dies.DURABLE:
            self.world.flush()
        self.world.restart("wei")
        if asked is not None:
            asked.cancel()
        _let_run()

    def ask(self, asking: Coroutine[Any, Any, TillSubsidy]) -> TillSubsidy:
        """What is answered, when nothing dies any more."""
        asked = LOOP.create_task(asking)
        for _ in range(4):
            _let_run()
            self.calm()
        _let_run()
        return asked.result()

    def refusal(self, asking: Coroutine[Any, Any, TillSubsidy]) -> Reason:
        with pytest.raises(Refusal) as refused:
            self.ask(asking)
        return refused.value.reason

    def calm(self) -> None:
        for _ in range(3):
            self._answer()
            self.world.flush()

    def money(self) -> tuple[int, int]:
        """Who pays, and who is paid."""
        self.calm()
        payer, payee = (self.stand.balance(self._account(each.payee)) for each in (self.payer, self.payee))
        return payer, payee

    def moved(self) -> list[int]:
        """Why subsidies' money moved, each time that it did."""
        found = [row.code for _, row in self.stand.store.rows[TRANSFER.name]]
        return [code for code in found if code in {Why.SUBSIDISED, Why.SUBSIDY_RETURNED}]

    def _answer(self) -> None:
        while self.stand.errands:
            run_now(self.stand.errands.pop(0))

    def _account(self, account: Account) -> int:
        return chart.merchant_account(account.row.merchant_id)


def _let_run() -> None:
    for _ in range(4):
        LOOP.run_until_complete(asyncio.sleep(0))


@pytest.mark.parametrize(("first", "second", "asks_again"), [*product(Dies, Dies, (False, True))])
def test_it_is_paid_once_whenever_the_node_dies(first: Dies, second: Dies, asks_again: bool) -> None:
    scene = Scene()
    scene.crash(scene.pay, first)
    scene.crash(scene.pay if asks_again else None, second)
    paid = scene.ask(scene.pay())
    newest = scene.ask(scene.pay())
    assert (newest.id, newest.state, newest.reason) == (paid.id, SubsidyState.SUCCESS, "")
    assert scene.money() == (HAD - WORTH, WORTH)
    assert scene.moved() == [Why.SUBSIDISED]
    assert scene.refusal(scene.pay("P2", amount=1)) is TillCouponReason.SUBSIDY_EXCEEDS_COUPON


@pytest.mark.parametrize("dies", [Dies.WRITTEN, Dies.MOVED, Dies.DURABLE])
def test_what_was_written_down_is_paid_though_nobody_asks_again(dies: Dies) -> None:
    scene = Scene()
    scene.crash(scene.pay, dies)
    assert scene.money() == (HAD - WORTH, WORTH)
    (subsidy,) = scene.stand.subsidies.all.everything()
    assert subsidy.state == SubsidyState.SUCCESS


@pytest.mark.parametrize(("first", "second", "asks_again"), [*product(Dies, Dies, (False, True))])
def test_it_comes_back_once_whenever_the_node_dies(first: Dies, second: Dies, asks_again: bool) -> None:
    scene = Scene()
    scene.ask(scene.pay())
    scene.crash(scene.give_back, first)
    scene.crash(scene.give_back if asks_again else None, second)
    scene.ask(scene.give_back())
    back = scene.ask(scene.give_back())
    assert (back.state, back.of_id) == (SubsidyState.SUCCESS, scene.ask(scene.pay()).id)
    assert scene.money() == (HAD, 0)
    assert scene.moved() == [Why.SUBSIDISED, Why.SUBSIDY_RETURNED]
    assert scene.refusal(scene.give_back("B2", amount=1)) is TillCouponReason.SUBSIDY_EXCEEDS_COUPON


@pytest.mark.parametrize("dies", [Dies.WRITTEN, Dies.MOVED, Dies.DURABLE])
def test_what_was_not_there_to_be_paid_has_failed_for_good(dies: Dies) -> None:
    scene = Scene(had=WORTH - 1)
    scene.crash(scene.pay, dies)
    scene.calm()
    scene.stand.pay_in(chart.merchant_account(scene.payer.payee.row.merchant_id), 1)
    scene.calm()
    failed = scene.ask(scene.pay())
    assert (failed.state, failed.reason) == (SubsidyState.FAIL, "NOT_ENOUGH")
    assert scene.money() == (WORTH, 0)
    scene.ask(scene.pay("P2"))
    assert scene.ask(scene.pay("P2")).state == SubsidyState.SUCCESS
    assert scene.money() == (0, WORTH)
    assert scene.moved() == [Why.SUBSIDISED]


def test_two_under_way_are_not_more_than_the_coupon_was_worth() -> None:
    """What is written down and not moved yet is promised: a restart does not promise it again."""
    scene = Scene()
    scene.crash(lambda: scene.pay(amount=300), Dies.WRITTEN)
    scene.world.restart("wei")
    assert scene.refusal(scene.pay("P2", amount=201)) is TillCouponReason.SUBSIDY_EXCEEDS_COUPON
    scene.ask(scene.pay("P2", amount=200))
    assert scene.money() == (HAD - WORTH, WORTH)
