"""Refunds through a gateway: the merchant's own, under the vendor's numbers."""

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order import Dialect, GatewayOrder, Trade, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.refund import (
    GATEWAY_REFUNDS,
    GatewayRefund,
    RefundDraft,
    RefundProgress,
    RefundState,
    refund_key,
    refund_number_key,
    vendor_refund_number,
)
from hutong.institution.merchants.merchant import REMARK_LENGTH_MAX
from hutong.institution.merchants.staff_key import Right
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.payment import Outcome
from hutong.institution.payments.refund import Refund, RefundOrder, return_id_of
from hutong.institution.payments.refund_service import Answer
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import Shelf, decided, warmed

REFUNDS_MAX = 50  # Of one order: WeChat Pay's rule.
_REVERSAL = "REVERSAL"  # Before an order's id: the number of the refund that takes the order back.


class GatewayRefundService:
    """Scoped to the account that was paid, as orders are."""

    def __init__(self, institution: InstitutionNode, orders: OrderService, notifications: NotificationService) -> None:
        self._node = institution.node
        self._journal = institution.node.journal
        self._refunds = institution.payments.refunds
        self._orders = orders
        self._notifications = notifications
        self.rows = Shelf(
            GATEWAY_REFUNDS,
            self._journal,
            self._node.store,
            by=("order_id", "number_key", "refund_key"),
            timed=True,
        )

        self._begins: GatewayRefund | None = None  # Of the refund that is just being made.

    async def start(self) -> None:
        await self.rows.start()

    async def refund(self, caller: Caller, order: GatewayOrder, draft: RefundDraft, *, wait: bool) -> RefundState:
        """
        Give back part or all of an order. With `wait` it returns when that is decided, or after a while as it stands.

        Refuses:  ROLE_MAY_NOT; ORDER_NOT_PAID; REFUND_TOO_LATE; REFUND_TOTAL_DIFFERS; REFUNDS_TOO_MANY; what `RefundService.refund`
                  refuses. That the merchant's balance does not cover it is a refund that failed.
        Repeats:  the refund as it is; REFUND_DIFFERS for another amount under its number. One that failed moved nothing,
                  and its number may be tried again.
        """
        caller.key.check_right(Right.REFUND)
        answered = self._journal.promise()

        def answer(_refund: Refund, _outcome: Outcome | None) -> None:
            if not answered.done():
                answered.set_result(None)

        def decide() -> RefundState:
            known = self._known(caller, order, draft)
            if known is not None:
                if known.row.amount != draft.amount or known.row.order_id != order.id:
                    raise Refusal(GatewayReason.REFUND_DIFFERS, out_refund_no=draft.out_refund_no)
                answered.set_result(None)
                return known
            trade = self._orders.trade(order)
            self._check(trade, draft)
            return self._begin(caller, trade, draft, answer)

        begun = await warmed(self._journal, decide)
        self._journal.seal()
        if wait or begun.repeated:
            await answered
        state = await decided(self._journal, lambda: self.state(begun.row))
        return msgspec.structs.replace(state, repeated=begun.repeated)

    async def reverse(self, caller: Caller, *, dialect: Dialect, out_trade_no: str = "", trade_no: str = "") -> Trade:
        """
        Take an order back, and give back what was paid of it.

        Refuses:  ORDER_UNKNOWN; ORDER_PAYING while a payment is under way; ROLE_MAY_NOT; REVERSAL_FAILED, naming what its
                  refund failed of: the order stays paid.
        Repeats:  the order, reversed.
        """
        trade = await self._orders.cancel(caller, out_trade_no=out_trade_no, trade_no=trade_no)
        if trade.state is TradeState.PAID and trade.left:
            draft = RefundDraft(
                out_refund_no=f"{_REVERSAL}{trade.order.id:032x}",
                amount=trade.left,
                reason="撤销",
                dialect=dialect.value,
                within_order=True,
                facts={"is_reversal": True},
            )
            state = await self.refund(caller, trade.order, draft, wait=True)
            if state.progress is RefundProgress.FAILED:
                assert state.outcome is not None
                raise Refusal(GatewayReason.REVERSAL_FAILED, because=state.outcome.reason)
        return await decided(self._journal, lambda: self._orders.reversed(trade))

    async def find(
        self, caller: Caller, *, out_refund_no: str = "", refund_no: str = "", order: GatewayOrder | None = None
    ) -> RefundState:
        """By the merchant's number (`order` where numbers are the order's own) or ours. Refuses REFUND_UNKNOWN."""

        def find() -> RefundState:
            if refund_no:
                found = self.rows.find("refund_key", refund_key(refund_no))
            else:
                key = refund_number_key(caller.payee.row.id, order.id if order is not None else 0, out_refund_no)
                found = self.rows.find("number_key", key)
            for row in reversed(_oldest_first(found)):
                if row.payee_id == caller.payee.row.id:
                    return self.state(row)
            raise Refusal(GatewayReason.REFUND_UNKNOWN, out_refund_no=out_refund_no, refund_no=refund_no)

        return await decided(self._journal, find)

    async def of_order(self, order: GatewayOrder) -> list[RefundState]:
        """All of an order's, oldest first."""

        def find() -> list[RefundState]:
            return [self.state(row) for row in _oldest_first(self.rows.find("order_id", order.id))]

        return await decided(self._journal, find)

    def state(self, row: GatewayRefund) -> RefundState:
        """How a refund stands. May raise `Cold`."""
        refund, outcome = self._refunds.found(row.id, 0)
        return RefundState(row=row, refund=refund, outcome=outcome)

    def _known(self, caller: Caller, order: GatewayOrder, draft: RefundDraft) -> RefundState | None:
        key = refund_number_key(caller.payee.row.id, order.id if draft.within_order else 0, draft.out_refund_no)
        known = [self.state(row) for row in _oldest_first(self.rows.find("number_key", key))]
        if not known or known[-1].progress is RefundProgress.FAILED:
            return None
        return msgspec.structs.replace(known[-1], repeated=True)

    def _check(self, trade: Trade, draft: RefundDraft) -> None:
        if trade.state not in (TradeState.PAID, TradeState.REVERSED) or trade.payment is None:
            raise Refusal(GatewayReason.ORDER_NOT_PAID)
        trade.order.check_refundable(self._node.clock.now_ns())
        if draft.total is not None and draft.total != trade.amount:
            raise Refusal(GatewayReason.REFUND_TOTAL_DIFFERS, field="total", total=trade.amount)
        if trade.refunds >= REFUNDS_MAX:
            raise Refusal(GatewayReason.REFUNDS_TOO_MANY, refunds_max=REFUNDS_MAX)

    def _begin(self, caller: Caller, trade: Trade, draft: RefundDraft, answer: Answer) -> RefundState:
        order = trade.order
        merchant_id = caller.key.merchant_id
        refund_id = self._node.mint.mint()
        ordered = RefundOrder(
            refund_id=refund_id,
            payment_id=order.payment_id,
            amount=draft.amount,
            remark=draft.reason[:REMARK_LENGTH_MAX],
            shop_id=caller.key.shop_id,
            door=caller.door,
        )
        id_ = return_id_of(merchant_id, refund_id)
        number = vendor_refund_number(order.trade_no, id_)
        row = GatewayRefund(
            id=id_,
            order_id=order.id,
            account_id=caller.account.row.id,
            payee_id=caller.payee.row.id,
            refund_id=refund_id,
            dialect=draft.dialect,
            out_refund_no=draft.out_refund_no,
            refund_no=number,
            number_key=refund_number_key(
                caller.payee.row.id, order.id if draft.within_order else 0, draft.out_refund_no
            ),
            refund_key=refund_key(number),
            amount=draft.amount,
            reason=draft.reason,
            notify_url=draft.notify_url,
            facts=msgspec.json.encode(draft.facts),
            created_ns=self._node.clock.now_ns(),
        )
        self._begins = row
        self._refunds.refund(merchant_id, ordered, answer)
        refund = self._refunds.refunds.get(id_)
        assert refund is not None
        return RefundState(row=row, refund=refund, outcome=None)

    def row_of(self, id_: int) -> GatewayRefund | None:
        """A refund by the network's id, also the one that is about to begin and is not written down yet. May raise `Cold`."""
        begins = self._begins
        return begins if begins is not None and begins.id == id_ else self.rows.get(id_)

    # What the institution tells (`payments.refund_gateway.RefundGateway`).

    def look_up(self, refund: Refund) -> None:
        """May raise `Cold`."""
        self.rows.get(refund.id)

    def begun(self, refund: Refund) -> None:
        """It gets its numbers in the same decision, before its money moves."""
        row, self._begins = self._begins, None
        assert row is not None
        assert row.id == refund.id
        self.rows.put(row)

    def concluded(self, refund: Refund, _outcome: Outcome) -> None:
        """The merchant is told how it ended."""
        row = self.rows.get(refund.id)
        if row is not None and row.notify_url:
            self._notifications.add(row.account_id, row.dialect, News.REFUND, row.id, row.notify_url)


def _oldest_first(rows: list[GatewayRefund]) -> list[GatewayRefund]:
    """By the ids that were minted: those on the network are made from them, and keep their millisecond alone."""
    return sorted(rows, key=lambda row: row.refund_id)
