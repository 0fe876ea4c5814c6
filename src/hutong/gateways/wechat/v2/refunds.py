"""Refunds in v2: asked for, and told of by number."""

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.combined.combined import CombinedPart
from hutong.gateways.combined.combined_service import is_combined
from hutong.gateways.combined.part_refund_service import NUMBER
from hutong.gateways.order import Dialect, Trade
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.refund import RefundDraft, RefundProgress, RefundState
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.sharing import Sharing
from hutong.gateways.wechat.v2 import shape
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint
from hutong.gateways.wechat.v2.errors import Code, Fault
from hutong.gateways.wechat.v2.moment import wire_clock
from hutong.gateways.wechat.v2.orders import numbers
from hutong.gateways.wechat.v2.refusals import fault_named
from hutong.kernel.errors import Refusal
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import warmed

RECEIVED_BY = "支付用户零钱"
ACCOUNT = "REFUND_SOURCE_RECHARGE_FUNDS"
_PAGE = 10  # As many refunds of one order as a query tells at once.
_STATUS = {
    RefundProgress.PROCESSING: "PROCESSING",
    RefundProgress.SUCCESS: "SUCCESS",
    RefundProgress.FAILED: "REFUNDCLOSE",
}


class Sold(msgspec.Struct, frozen=True):
    """What is given back of: an order, or one merchant's part of a combined one, which no coupon made cheaper."""

    trade: Trade
    part: CombinedPart | None = None

    @property
    def amount(self) -> int:
        return self.trade.amount if self.part is None else self.part.amount

    @property
    def discount(self) -> int:
        return self.trade.discount if self.part is None else 0

    @property
    def fields(self) -> Fields:
        """What a refund's answer says of it."""
        sold = self.trade.order if self.part is None else self.part
        return {
            "transaction_id": sold.trade_no,
            "out_trade_no": sold.out_trade_no,
            "total_fee": str(self.amount),
            "fee_type": "CNY",
            "cash_fee": str(self.amount - self.discount),
        }


class Refunds:
    """The endpoints of refunds."""

    def __init__(self, orders: OrderService, refunds: GatewayRefundService, sharing: Sharing, journal: Journal) -> None:
        self._orders = orders
        self._refunds = refunds
        self._combined = sharing.combined
        self._part_refunds = sharing.part_refunds
        self._journal = journal

    def endpoints(self) -> tuple[Endpoint, ...]:
        table = (
            ("/secapi/pay/refund", shape.REFUND, self.refund),
            ("/secapi/pay/refundv2", shape.REFUND, self.refund),
            ("/pay/refundquery", shape.REFUNDQUERY, self.refundquery),
            ("/pay/refundqueryv2", shape.REFUNDQUERY, self.refundquery),
        )
        return tuple(
            Endpoint(path=path, product="退款", parameters=parameters, handler=handler)
            for path, parameters, handler in table
        )

    async def refund(self, call: Call) -> Fields:
        """
        Give back part or all of an order. The answer is that it was heard; how it ends is told, and can be asked for.

        Where it is known at once that it can't be, the answer says that.
        """
        if call.number("refund_fee") > call.number("total_fee"):
            raise Fault(Code.PARAM_ERROR, "退款金额大于支付金额")
        sold = await self._found(call)
        draft = RefundDraft(
            out_refund_no=call.text("out_refund_no"),
            amount=call.number("refund_fee"),
            total=call.number("total_fee"),
            reason=call.text("refund_desc"),
            notify_url=call.text("notify_url"),
            dialect=Dialect.WECHATPAY_V2.value,
            facts={"is_sandbox": call.is_sandbox},
        )
        if sold.part is None:
            state = await self._refunds.refund(call.caller, sold.trade.order, draft, wait=False)
        else:
            state = await self._part_refunds.refund(call.caller, sold.part, draft, wait=False)
        _check_not_refused(state)
        coupon = sold.discount * state.row.amount // sold.amount if sold.discount else 0
        told = {"coupon_refund_fee": str(coupon), "coupon_refund_count": "0"} if coupon else {}
        return {
            **sold.fields,
            "out_refund_no": number_of(state),
            "refund_id": state.row.refund_no,
            "refund_fee": str(state.row.amount),
            "cash_refund_fee": str(state.row.amount - coupon),
            **told,
        }

    async def refundquery(self, call: Call) -> Fields:
        """One refund, or an order's, ten at a time from `offset`."""
        shape.check_either(call.fields, "transaction_id", "out_trade_no", "out_refund_no", "refund_id")
        caller, part = call.caller, None
        if call.text("refund_id"):
            found = [await self._refunds.find(caller, refund_no=call.text("refund_id"))]
        elif call.text("out_refund_no"):
            part, state = await self._of_number(caller, call.text("out_refund_no"))
            found = [state]
        else:
            found = await self._refunds.of_order((await self._found(call)).trade.order)
        offset = call.number("offset")
        told = found[offset : offset + _PAGE]
        if not told:
            raise Fault(Code.REFUNDNOTEXIST)
        sold = Sold(await self._trade(told[0].row.order_id), part)
        fields = sold.fields | {"refund_count": str(len(told))}
        if len(found) > len(told):
            fields["total_refund_count"] = str(len(found))
        for index, state in enumerate(told):
            fields |= {f"{name}_{index}": text for name, text in refund_fields(state).items()}
        return fields

    async def _found(self, call: Call) -> Sold:
        """An order, or a part of a combined one; the whole of it is given back part by part."""
        out_trade_no, trade_no = numbers(call)
        try:
            trade = await self._orders.find(call.caller, out_trade_no=out_trade_no, trade_no=trade_no)
        except Refusal as refusal:
            if refusal.reason is not GatewayReason.ORDER_UNKNOWN:
                raise
            part = await self._combined.part(call.caller, out_trade_no=out_trade_no, trade_no=trade_no)
            return Sold((await self._combined.of_order(part.combined_id)).trade, part)
        if is_combined(trade.order):
            raise Fault(Code.ORDERNOTEXIST)
        return Sold(trade)

    async def _of_number(self, caller: Caller, out_refund_no: str) -> tuple[CombinedPart | None, RefundState]:
        try:
            return None, await self._refunds.find(caller, out_refund_no=out_refund_no)
        except Refusal as refusal:
            if refusal.reason is not GatewayReason.REFUND_UNKNOWN:
                raise
            return await self._part_refunds.find(caller, out_refund_no)

    async def _trade(self, order_id: int) -> Trade:
        def look_up() -> Trade:
            order = self._orders.orders.get(order_id)
            assert order is not None, "a refund is of an order"
            return self._orders.trade(order)

        return await warmed(self._journal, look_up)


def refund_fields(state: RefundState) -> Fields:
    """One refund as a query tells it."""
    row, outcome = state.row, state.outcome
    fields = {
        "out_refund_no": number_of(state),
        "refund_id": row.refund_no,
        "refund_channel": "ORIGINAL",
        "refund_fee": str(row.amount),
        "refund_status": _STATUS[state.progress],
        "refund_account": ACCOUNT,
        "refund_recv_accout": RECEIVED_BY,  # So spelled by the vendor.
    }
    if outcome is not None and outcome.completed:
        fields["refund_success_time"] = wire_clock(outcome.decided_ns)
    return fields


def number_of(state: RefundState) -> str:
    """The merchant's number of a refund; of a part's, what the refund of the whole keeps of it."""
    return str(state.row.told.get(NUMBER) or state.row.out_refund_no)


def notified_fields(state: RefundState, sold: Sold) -> Fields:
    """One refund as its notification tells it."""
    row, outcome = state.row, state.outcome
    success_time = wire_clock(outcome.decided_ns) if outcome is not None and outcome.completed else ""
    return {
        "transaction_id": sold.fields["transaction_id"],
        "out_trade_no": sold.fields["out_trade_no"],
        "refund_id": row.refund_no,
        "out_refund_no": number_of(state),
        "total_fee": sold.fields["total_fee"],
        "refund_fee": str(row.amount),
        "settlement_refund_fee": str(row.amount),
        "refund_status": _STATUS[state.progress],
        "success_time": success_time,
        "refund_recv_accout": RECEIVED_BY,
        "refund_account": ACCOUNT,
        "refund_request_source": "API",
    }


def _check_not_refused(state: RefundState) -> None:
    """A refund that the merchant's balance didn't cover has failed by the time it is answered."""
    outcome = state.outcome
    if outcome is not None and not outcome.completed:
        raise fault_named(outcome.reason, outcome.iso_code)
