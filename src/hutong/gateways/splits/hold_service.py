"""
What is frozen of each order, and the freeing of it.

Each change is written down when the ledger has made it, in the same commit; what is on its way there is counted beside it, so
that two who ask at once never get the same money.
"""

from collections import Counter
from functools import partial

import structlog
from msgspec.structs import replace

from hutong.gateways.order import GatewayOrder
from hutong.gateways.splits.hold import HOLDS, TAKINGS, Hold, HoldState, Taking, TakingState, day_number
from hutong.institution import chart
from hutong.institution.payments.payment import Outcome, Payment, Why
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import Refund
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import derive, minted_ms
from hutong.kernel.money import Currency
from hutong.ledger import sharing_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, AccountStatus, TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import UNFINISHED_WITHIN, Shelf

log = structlog.get_logger()
FROZEN_DAYS_MAX = 30
_TO_BE_SPLIT, _YES = ("split", "profit_sharing"), (True, "Y", "true")  # The second is WeChat Pay's own word.
_MERCHANTS_MAX = 100_000
_THERE = frozenset({AccountStatus.CREATED, AccountStatus.EXISTS})


class HoldService:
    """Holds of paid orders; `payments.holding.Holdings` for refunds."""

    def __init__(self, node: NodeRuntime, ledger: LedgerEngine, currency: Currency) -> None:
        self._node = node
        self._ledger = ledger
        self._currency = currency
        self.holds = Shelf(HOLDS, node.journal, node.store, by=("payment_id", "merchant_id", "due_day"), timed=True)
        self.takings = Shelf(TAKINGS, node.journal, node.store, timed=True)
        self._under_way: Counter[int] = Counter()
        self._frozen_of: dict[int, int] = {}  # By merchant, once it was asked for.

    async def start(self) -> None:
        """Before the institution starts: its refunds ask for what is frozen."""
        await self.holds.start()
        await self.takings.start()

    async def last_day(self) -> int:
        """The last day on which an order that is to be split was placed: the node lived, and had unfrozen what was due."""
        newest = await self._node.store.greatest(HOLDS, "id")
        now_ns = self._node.clock.now_ns()
        return day_number(minted_ms(newest) * NS_PER_MS if newest is not None else now_ns)

    async def resume(self) -> None:
        """After a restart: transfers that were written down, and maybe not made. Those that were answer `exists`."""
        since = max(0, self._node.journal.position - UNFINISHED_WITHIN)
        for hold in await self.holds.load_since(since):
            if hold.state == HoldState.FREEZING:
                self._freeze(hold)
        for taking in await self.takings.load_since(since):
            await self.holds.load([taking.hold_id])
            if taking.state == TakingState.WANTED:
                self._take(taking)
            elif taking.state == TakingState.PUTTING_BACK:
                self._put_back(taking)
        self._node.journal.seal()

    # Freezing.

    def paid(self, order: GatewayOrder, payment: Receipt | Payment) -> None:
        """An order was paid: freeze what it brought if its facts say that it was placed as one to be split."""
        if b"split" not in order.facts and b"profit_sharing" not in order.facts:
            return  # What nearly always happens, without reading them.
        if any(order.told.get(fact) in _YES for fact in _TO_BE_SPLIT):
            self.freeze(order.id, payment.merchant_id, payment.id, payment.gross, payment.gross - payment.fee)

    def freeze(self, order_id: int, merchant_id: int, payment_id: int, gross: int, net: int) -> Hold:
        """
        An order that is to be split was paid: once, in the decision that completes its payment.

        Moves:    merchant -> frozen, all that the merchant got of it.
        """
        hold = self.begun(order_id, merchant_id, payment_id, gross, net, HoldState.FREEZING)
        self._freeze(hold)
        return hold

    def begun(self, order_id: int, merchant_id: int, payment_id: int, gross: int, net: int, state: HoldState) -> Hold:
        """A hold with nothing frozen yet."""
        now_ns = self._node.clock.now_ns()
        hold = Hold(
            id=order_id,
            merchant_id=merchant_id,
            payment_id=payment_id,
            gross=gross,
            net=net,
            remaining=0,
            state=state.value,
            due_day=day_number(now_ns) + FROZEN_DAYS_MAX,
            created_ns=now_ns,
            changed_ns=now_ns,
        )
        self.holds.put(hold)
        return hold

    def _freeze(self, hold: Hold) -> None:
        self._ledger.create_accounts([chart.frozen(hold.id, self._currency)], _opened)
        transfer = sharing_recipes.freeze(
            derive(hold.id, "freeze"),
            hold.id,
            merchant=chart.merchant_account(hold.merchant_id, self._currency),
            frozen=self.account(hold.id),
            amount=hold.net,
            ledger=self._currency.ledger,
            code=Why.FROZEN,
        )
        self._ledger.create_transfers([transfer], partial(self._frozen, hold.id))

    def _frozen(self, hold_id: int, statuses: list[TransferStatus]) -> None:
        hold = self._hold(hold_id)
        if hold.state != HoldState.FREEZING:
            return
        if statuses[0] in TRANSFER_DONE:
            self._put(hold, remaining=hold.net, state=HoldState.FROZEN)
        else:  # What the ledger had to look up first let somebody else be quicker. The merchant had it, and spent it.
            log.warning("split_not_frozen", order=hold_id, ledger=statuses[0].name)
            self._put(hold, remaining=0, state=HoldState.OPEN)

    # What others take of it.

    def account(self, order_id: int) -> int:
        """Where it is frozen."""
        return chart.frozen_account(order_id, self._currency)

    def available(self, hold: Hold) -> int:
        """What is frozen and not promised to anybody."""
        return hold.remaining - self._under_way[hold.id]

    def promise(self, hold_id: int, amount: int) -> None:
        """So much of it is about to move."""
        self._under_way[hold_id] += amount

    def moved(self, hold_id: int, promised: int, moved: int, *, finished: bool = False) -> None:
        """What was promised has moved as far as `moved` says; in the ledger's answer."""
        self._keep_promise(hold_id, promised)
        hold = self._hold(hold_id)
        if moved or finished:
            self._put(
                hold, remaining=hold.remaining - moved, state=HoldState.FINISHED if finished else HoldState(hold.state)
            )

    def frozen_of(self, merchant_id: int) -> int:
        """What is frozen of all of a merchant's orders. May raise `Cold`."""
        if merchant_id not in self._frozen_of:
            if len(self._frozen_of) > _MERCHANTS_MAX:
                self._frozen_of.clear()
            self._frozen_of[merchant_id] = sum(hold.remaining for hold in self.holds.find("merchant_id", merchant_id))
        return self._frozen_of[merchant_id]

    def of_payment(self, payment_id: int) -> Hold | None:
        """What is kept of a payment. May raise `Cold`."""
        return next(iter(self.holds.find("payment_id", payment_id)), None)

    # Refunds (`payments.holding.Holdings`).

    def look_up(self, payment_id: int, refund_id: int) -> None:
        """May raise `Cold`."""
        if self.of_payment(payment_id) is not None:
            self.takings.get(refund_id)

    def release(self, refund: Refund) -> None:
        """
        A refund takes from what is frozen first.

        Moves:    frozen -> merchant, as much of the refund's cost as is there.
        """
        hold = self.of_payment(refund.payment_id)
        if hold is not None and hold.merchant_id == refund.merchant_id:
            self.take_from(hold, refund.id, refund.gross - refund.fee)

    def set_aside(self, payment_id: int, merchant_id: int, id_: int, amount: int) -> None:
        """A recall reaches what is frozen of the payment, too: what is left of it afterwards is the merchant's own."""
        hold = self.of_payment(payment_id)
        if hold is not None and hold.merchant_id == merchant_id:
            self.take_from(hold, id_, amount)

    def take_from(self, hold: Hold, refund_id: int, wanted: int) -> None:
        """Let the merchant have what a refund wants of a hold, or as much as is there. Repeats: nothing changes."""
        taking = self.takings.get(refund_id)
        if taking is None:
            amount = min(wanted, self.available(hold))
            if amount <= 0:
                return
            taking = Taking(
                id=refund_id,
                hold_id=hold.id,
                amount=amount,
                state=TakingState.WANTED,
                changed_ns=self._node.clock.now_ns(),
            )
            self.takings.put(taking)
        if taking.state == TakingState.WANTED:
            self._take(taking)

    def concluded(self, refund: Refund, outcome: Outcome) -> None:
        """
        What was taken for a refund that failed is frozen again, unless the order's rest was unfrozen meanwhile.

        Moves:    merchant -> frozen.
        """
        if not outcome.completed and self.of_payment(refund.payment_id) is not None:
            self.put_back(refund.id)

    def put_back(self, refund_id: int) -> None:
        """The same, by what it was taken for. Repeats: nothing changes."""
        taking = self.takings.get(refund_id)
        if taking is not None and taking.state == TakingState.TAKEN:
            self._put_back(self._next(taking, TakingState.PUTTING_BACK))

    def _take(self, taking: Taking) -> None:
        self.promise(taking.hold_id, taking.amount)
        hold = self._hold(taking.hold_id)
        transfer = sharing_recipes.unfreeze(
            derive(taking.id, "taking"),
            hold.id,
            merchant=chart.merchant_account(hold.merchant_id, self._currency),
            frozen=self.account(hold.id),
            amount=taking.amount,
            ledger=self._currency.ledger,
            code=Why.UNFROZEN,
        )
        self._ledger.create_transfers([transfer], partial(self._taken, taking.id))

    def _taken(self, taking_id: int, statuses: list[TransferStatus]) -> None:
        taking = self._taking(taking_id)
        done = statuses[0] in TRANSFER_DONE and taking.state == TakingState.WANTED
        self.moved(taking.hold_id, taking.amount, taking.amount if done else 0)
        if taking.state == TakingState.WANTED:
            self._next(taking, TakingState.TAKEN if done else TakingState.NONE)

    def _put_back(self, taking: Taking) -> None:
        hold = self._hold(taking.hold_id)
        if hold.state != HoldState.FROZEN:
            self._next(taking, TakingState.NONE)
            return
        transfer = sharing_recipes.freeze(
            derive(taking.id, "putting-back"),
            hold.id,
            merchant=chart.merchant_account(hold.merchant_id, self._currency),
            frozen=self.account(hold.id),
            amount=taking.amount,
            ledger=self._currency.ledger,
            code=Why.FROZEN,
        )
        self._ledger.create_transfers([transfer], partial(self._was_put_back, taking.id))

    def _was_put_back(self, taking_id: int, statuses: list[TransferStatus]) -> None:
        taking = self._taking(taking_id)
        if taking.state != TakingState.PUTTING_BACK:
            return
        if statuses[0] in TRANSFER_DONE:
            hold = self._hold(taking.hold_id)
            # Frozen even if the order was finished while the ledger looked something up: it will be unfrozen on its day.
            self._put(hold, remaining=hold.remaining + taking.amount, state=HoldState.FROZEN)
            self._next(taking, TakingState.PUT_BACK)
        else:  # As above: somebody was quicker.
            log.warning("split_not_frozen_again", order=taking.hold_id, ledger=statuses[0].name)
            self._next(taking, TakingState.NONE)

    # What they share.

    def _hold(self, hold_id: int) -> Hold:
        hold = self.holds.get(hold_id)
        assert hold is not None, "nothing moves that is not written down"
        return hold

    def _taking(self, taking_id: int) -> Taking:
        taking = self.takings.get(taking_id)
        assert taking is not None, "nothing moves that is not written down"
        return taking

    def _put(self, hold: Hold, *, remaining: int, state: HoldState) -> None:
        assert 0 <= remaining <= hold.net
        if hold.merchant_id in self._frozen_of:
            self._frozen_of[hold.merchant_id] += remaining - hold.remaining
        self.holds.put(replace(hold, remaining=remaining, state=state.value, changed_ns=self._node.clock.now_ns()))

    def _next(self, taking: Taking, state: TakingState) -> Taking:
        taking = replace(taking, state=state.value, changed_ns=self._node.clock.now_ns())
        self.takings.put(taking)
        return taking

    def _keep_promise(self, hold_id: int, amount: int) -> None:
        self._under_way[hold_id] -= amount
        assert self._under_way[hold_id] >= 0
        if not self._under_way[hold_id]:
            del self._under_way[hold_id]


def _opened(statuses: list[AccountStatus]) -> None:
    assert statuses[0] in _THERE, statuses
