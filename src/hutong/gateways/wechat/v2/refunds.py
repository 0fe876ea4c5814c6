"""Refunds in v2: asked for, and told of by number."""

from hutong.gateways.order import Dialect, Trade
from hutong.gateways.order_service import OrderService
from hutong.gateways.refund import RefundDraft, RefundProgress, RefundState
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.wechat.v2 import shape
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint
from hutong.gateways.wechat.v2.errors import Code, Fault
from hutong.gateways.wechat.v2.moment import wire_clock
from hutong.gateways.wechat.v2.orders import numbers
from hutong.gateways.wechat.v2.refusals import fault_named
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


class Refunds:
    """The endpoints of refunds."""

    def __init__(self, orders: OrderService, refunds: GatewayRefundService, journal: Journal) -> None:
        self._orders = orders
        self._refunds = refunds
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
        trade = await self._found(call)
        draft = RefundDraft(
            out_refund_no=call.text("out_refund_no"),
            amount=call.number("refund_fee"),
            total=call.number("total_fee"),
            reason=call.text("refund_desc"),
            notify_url=call.text("notify_url"),
            dialect=Dialect.WECHATPAY_V2.value,
            facts={"is_sandbox": call.is_sandbox},
        )
        state = await self._refunds.refund(call.caller, trade.order, draft, wait=False)
        _check_not_refused(state)
        coupon = trade.discount * state.row.amount // trade.amount if trade.discount else 0
        told = {"coupon_refund_fee": str(coupon), "coupon_refund_count": "0"} if coupon else {}
        return {
            "transaction_id": trade.order.trade_no,
            "out_trade_no": trade.order.out_trade_no,
            "out_refund_no": state.row.out_refund_no,
            "refund_id": state.row.refund_no,
            "refund_channel": "ORIGINAL",
            "refund_fee": str(state.row.amount),
            "total_fee": str(trade.amount),
            "fee_type": "CNY",
            "cash_fee": str(trade.amount - trade.discount),
            "cash_refund_fee": str(state.row.amount - coupon),
            **told,
        }

    async def refundquery(self, call: Call) -> Fields:
        """One refund, or an order's, ten at a time from `offset`."""
        shape.check_either(call.fields, "transaction_id", "out_trade_no", "out_refund_no", "refund_id")
        caller = call.caller
        if call.text("refund_id"):
            found = [await self._refunds.find(caller, refund_no=call.text("refund_id"))]
        elif call.text("out_refund_no"):
            found = [await self._refunds.find(caller, out_refund_no=call.text("out_refund_no"))]
        else:
            found = await self._refunds.of_order((await self._found(call)).order)
        offset = call.number("offset")
        told = found[offset : offset + _PAGE]
        if not told:
            raise Fault(Code.REFUNDNOTEXIST)
        trade = await self._trade(told[0].row.order_id)
        fields = {
            "transaction_id": trade.order.trade_no,
            "out_trade_no": trade.order.out_trade_no,
            "total_fee": str(trade.amount),
            "fee_type": "CNY",
            "cash_fee": str(trade.amount - trade.discount),
            "refund_count": str(len(told)),
        }
        if len(found) > len(told):
            fields["total_refund_count"] = str(len(found))
        for index, state in enumerate(told):
            fields |= {f"{name}_{index}": text for name, text in refund_fields(state).items()}
        return fields

    async def _found(self, call: Call) -> Trade:
        out_trade_no, trade_no = numbers(call)
        return await self._orders.find(call.caller, out_trade_no=out_trade_no, trade_no=trade_no)

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
        "out_refund_no": row.out_refund_no,
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


def notified_fields(state: RefundState, trade: Trade) -> Fields:
    """One refund as its notification tells it."""
    row, outcome = state.row, state.outcome
    success_time = wire_clock(outcome.decided_ns) if outcome is not None and outcome.completed else ""
    return {
        "transaction_id": trade.order.trade_no,
        "out_trade_no": trade.order.out_trade_no,
        "refund_id": row.refund_no,
        "out_refund_no": row.out_refund_no,
        "total_fee": str(trade.amount),
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
