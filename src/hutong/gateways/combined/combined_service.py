"""Combined orders: placed and paid as one, handed on in parts."""

from collections.abc import Sequence
from functools import partial

import msgspec
import structlog
from msgspec.structs import replace

from hutong.gateways.account import Caller
from hutong.gateways.combined.combined import (
    COMBINED,
    FACT,
    PARTS,
    CombinedDraft,
    CombinedOrder,
    CombinedPart,
    CombinedState,
    CombinedTrade,
    PartDraft,
    fees,
    part_number_key,
)
from hutong.gateways.order import Closed, GatewayOrder, OrderDraft, Trade, trade_key, trade_number
from hutong.gateways.order_service import OrderService
from hutong.gateways.ports import Merchants
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.splits.hold_service import HoldService
from hutong.institution import chart
from hutong.institution.payments.payment import Payment, Why
from hutong.institution.payments.receipt import Receipt
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import Currency
from hutong.ledger import sharing_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided, warmed

log = structlog.get_logger()
_UNMOVED_WITHIN = 1_000_000  # Positions.
_RETRY_NS = 60 * NS_PER_S


class CombinedService:
    """The whole is scoped to the merchant that placed it, a part to the merchant it is for (invariant 8)."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        currency: Currency,
        orders: OrderService,
        merchants: Merchants,
        holds: HoldService,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._ledger = ledger
        self._currency = currency
        self._orders = orders
        self._merchants = merchants
        self._holds = holds
        self.combined = Shelf(COMBINED, node.journal, node.store, timed=True)
        self.parts = Shelf(PARTS, node.journal, node.store, by=("combined_id", "number_key", "trade_key"), timed=True)
        self._refused: dict[int, int] = {}  # What could not be handed on, and when it is tried again.

    async def start(self) -> None:
        await self.combined.start()
        await self.parts.start()

    async def resume(self) -> None:
        """After a restart, behind the holds: what was paid, and maybe not handed on."""
        for combined in await self.combined.load_since(max(0, self._journal.position - _UNMOVED_WITHIN)):
            if combined.state == CombinedState.PAID:
                await warmed(self._journal, partial(self.parts.find, "combined_id", combined.id))
                self._hand_on(combined)
        self._journal.seal()

    async def place(self, caller: Caller, draft: CombinedDraft) -> CombinedTrade:
        """
        Ask to be paid for several merchants at once.

        Refuses:  COMBINED_PARTS_WRONG; MERCHANT_SUSPENDED, MERCHANT_CLOSED, of any of them; COMBINED_NUMBER_TAKEN, for a part's
                  number that another combined order has; what `OrderService.place` refuses.
        Repeats:  the order as it is.
        """
        draft.check()

        def place() -> CombinedTrade:
            known = self._known(caller, draft.out_trade_no)
            keys = [
                part_number_key(part.payee.key.merchant_id, part.payee.door, part.out_trade_no) for part in draft.parts
            ]
            for part, key in zip(draft.parts, keys, strict=True):
                self._merchants.merchant(part.payee.key.merchant_id).check_open()
                self._check_free(key, part.out_trade_no, known)
            trade = self._orders.placed(caller, _whole(draft))
            if known is None:
                self._write(caller, draft, trade, keys)
                return self._just_placed(trade)
            return self._trade(trade)

        return await decided(self._journal, place)

    async def find(self, caller: Caller, out_trade_no: str) -> CombinedTrade:
        """The whole, by its number. Refuses ORDER_UNKNOWN, for what is no combined order just so."""

        def find() -> CombinedTrade:
            trade = self._known(caller, out_trade_no)
            if trade is None:
                raise Refusal(GatewayReason.ORDER_UNKNOWN, out_trade_no=out_trade_no)
            return self._trade(trade)

        return await decided(self._journal, find)

    async def close(self, caller: Caller, out_trade_no: str) -> Trade:
        """Take the whole back for good. Refuses and repeats as `OrderService.close`."""
        found = await self.find(caller, out_trade_no)
        return await self._orders.close(caller, out_trade_no=found.trade.order.out_trade_no)

    async def of_order(self, order_id: int) -> CombinedTrade:
        """The whole, by the order's id: for who tells of it."""

        def find() -> CombinedTrade:
            order = self._orders.orders.get(order_id)
            if order is None:
                raise Refusal(GatewayReason.ORDER_UNKNOWN)
            return self._trade(self._orders.trade(order))

        return await decided(self._journal, find)

    async def part(self, caller: Caller, *, out_trade_no: str = "", trade_no: str = "") -> CombinedPart:
        """A part, for its merchant, by the merchant's number or ours. Refuses ORDER_UNKNOWN."""

        def find() -> CombinedPart:
            if trade_no:
                found = self.parts.find("trade_key", trade_key(trade_no))
            else:
                key = part_number_key(caller.key.merchant_id, caller.door, out_trade_no)
                found = self.parts.find("number_key", key)
            for part in reversed(found):
                if part.payee_id == caller.payee.row.id and out_trade_no in ("", part.out_trade_no):
                    return part
            raise Refusal(GatewayReason.ORDER_UNKNOWN, out_trade_no=out_trade_no, trade_no=trade_no)

        return await decided(self._journal, find)

    # What orders tell.

    def look_up(self, order: GatewayOrder) -> None:
        """Bring into memory what `paid` needs. May raise `Cold`."""
        if is_combined(order):
            self.combined.get(order.id)
            self.parts.find("combined_id", order.id)

    def paid(self, order: GatewayOrder, payment: Receipt | Payment) -> None:
        """
        The whole was paid: its parts are handed on, in the decision that completes the payment.

        Moves:    who took the payment -> each merchant, its part less its part of the fee; all or none.
        """
        if not is_combined(order):
            return
        parts, now_ns = self.parts.find("combined_id", order.id), self._node.clock.now_ns()
        for part, fee in zip(parts, fees(payment.shares, [part.amount for part in parts]), strict=True):
            self.parts.put(replace(part, fee=fee, changed_ns=now_ns))
        combined = replace(
            self._combined(order.id),
            payment_id=payment.id,
            state=CombinedState.PAID.value,
            attempts=1,
            changed_ns=now_ns,
        )
        self.combined.put(combined)
        self._hand_on(combined)

    def tick(self) -> None:
        """What could not be handed on is tried again: the money was taken, and it is owed."""
        now_ns = self._node.clock.now_ns()
        due = [order_id for order_id, at_ns in self._refused.items() if at_ns <= now_ns]
        self._node.decide_each(partial(self._again, order_id) for order_id in due)

    def _again(self, order_id: int) -> None:
        combined = self.combined.get(order_id)
        self.parts.find("combined_id", order_id)
        del self._refused[order_id]
        if combined is not None and combined.state == CombinedState.PAID:
            combined = replace(combined, attempts=combined.attempts + 1)
            self.combined.put(combined)
            self._hand_on(combined)

    # The money.

    def _hand_on(self, combined: CombinedOrder) -> None:
        parts = self.parts.find("combined_id", combined.id)
        transfers = sharing_recipes.hand_on(
            source=chart.merchant_account(combined.merchant_id, self._currency),
            parts=[
                (
                    derive(part.id, f"hand-on/{combined.attempts}"),
                    part.id,
                    chart.merchant_account(part.merchant_id, self._currency),
                    part.net,
                )
                for part in parts
                if part.merchant_id != combined.merchant_id and part.net
            ],
            ledger=self._currency.ledger,
            code=Why.COMBINED,
        )
        if transfers:
            self._ledger.create_transfers(transfers, partial(self._handed_on, combined.id))
        else:
            self._conclude(combined.id)

    def _handed_on(self, order_id: int, statuses: Sequence[TransferStatus]) -> None:
        if statuses[0] in TRANSFER_DONE:
            self._conclude(order_id)
        else:  # Who took it was quicker to spend it, while the ledger looked something up; it is owed until it is there.
            log.error("combined_not_handed_on", order=order_id, ledger=[status.name for status in statuses])
            self._refused[order_id] = self._node.clock.now_ns() + _RETRY_NS

    def _conclude(self, order_id: int) -> None:
        combined = self._combined(order_id)
        if combined.state != CombinedState.PAID:
            return
        self.combined.put(replace(combined, state=CombinedState.HANDED_ON.value))
        for part in self.parts.find("combined_id", order_id):
            if part.to_be_split:  # As an order of its own: refunds of the whole are none of its business.
                self._holds.freeze(part.id, part.merchant_id, part.id, part.amount, part.net)

    # Within a decision.

    def _known(self, caller: Caller, out_trade_no: str) -> Trade | None:
        try:
            trade = self._orders.found(caller, out_trade_no=out_trade_no)
        except Refusal as refusal:
            if refusal.reason is GatewayReason.ORDER_UNKNOWN:
                return None
            raise
        return trade if is_combined(trade.order) else None

    def _check_free(self, key: int, out_trade_no: str, known: Trade | None) -> None:
        for part in self.parts.find("number_key", key):
            order = self._orders.orders.get(part.combined_id)
            if order is not None and order.closed == Closed.NO and (known is None or order.id != known.order.id):
                raise Refusal(GatewayReason.COMBINED_NUMBER_TAKEN, field="out_trade_no", out_trade_no=out_trade_no)

    def _write(self, caller: Caller, draft: CombinedDraft, trade: Trade, keys: Sequence[int]) -> None:
        now_ns = self._node.clock.now_ns()
        self.combined.put(
            CombinedOrder(
                id=trade.order.id,
                merchant_id=caller.key.merchant_id,
                payment_id=0,
                state=CombinedState.WAITING.value,
                attempts=0,
                changed_ns=now_ns,
            )
        )
        for part, key in zip(draft.parts, keys, strict=True):
            self.parts.put(self._part(part, trade.order.id, key, now_ns))

    def _part(self, draft: PartDraft, combined_id: int, key: int, now_ns: int) -> CombinedPart:
        id_, payee = self._node.mint.mint(), draft.payee.payee.row
        number = trade_number(payee, id_)
        return CombinedPart(
            id=id_,
            combined_id=combined_id,
            payee_id=payee.id,
            merchant_id=draft.payee.key.merchant_id,
            out_trade_no=draft.out_trade_no,
            number_key=key,
            trade_no=number,
            trade_key=trade_key(number),
            amount=draft.amount,
            fee=0,
            to_be_split=draft.to_be_split,
            facts=msgspec.json.encode({"description": draft.description} | draft.facts),
            refunded=0,
            taken=0,
            changed_ns=now_ns,
        )

    def _just_placed(self, trade: Trade) -> CombinedTrade:
        """As `_trade`, of what is in memory, because it was just made."""
        parts = self.parts.in_memory("combined_id", trade.order.id)
        return CombinedTrade(
            trade=trade, combined=self._combined(trade.order.id), parts=sorted(parts, key=lambda part: part.id)
        )

    def _trade(self, trade: Trade) -> CombinedTrade:
        parts = self.parts.find("combined_id", trade.order.id)
        return CombinedTrade(trade=trade, combined=self._combined(trade.order.id), parts=parts)

    def _combined(self, order_id: int) -> CombinedOrder:
        combined = self.combined.get(order_id)
        assert combined is not None, "a combined order is written down with its order"
        return combined


def is_combined(order: GatewayOrder) -> bool:
    """Whether an order is one for several merchants."""
    return FACT.encode() in order.facts and bool(order.told.get(FACT))


def _whole(draft: CombinedDraft) -> OrderDraft:
    return OrderDraft(
        out_trade_no=draft.out_trade_no,
        amount=draft.amount,
        product=draft.product,
        description=draft.description,
        dialect=draft.dialect,
        lifetime_s=draft.lifetime_s,
        notify_url=draft.notify_url,
        facts=draft.facts | {FACT: True},
        content=draft.digest,
    )
