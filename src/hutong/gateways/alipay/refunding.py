"""Refunds: `alipay.trade.refund` and its query, on the institution's own."""

from typing import Any

from hutong.gateways.alipay import trade as told
from hutong.gateways.alipay.acquiring import existing
from hutong.gateways.alipay.beijing import beijing_text
from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.given_back import give_back, last_try
from hutong.gateways.alipay.identities import Identities
from hutong.gateways.alipay.refusals import refund_failed
from hutong.gateways.alipay.royalties import Royalties
from hutong.gateways.order import Dialect, Trade
from hutong.gateways.order_service import OrderService
from hutong.gateways.refund import RefundDraft, RefundProgress, RefundState
from hutong.gateways.refund_service import GatewayRefundService
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed


class Refunding:
    """A refund's number is its order's own; without one it is the order's number."""

    def __init__(
        self,
        node: NodeRuntime,
        orders: OrderService,
        refunds: GatewayRefundService,
        identities: Identities,
        royalties: Royalties,
    ) -> None:
        self._royalties = royalties
        self._journal = node.journal
        self._identities = identities
        self._orders = orders
        self._refunds = refunds

    def endpoints(self) -> list[Endpoint]:
        product = "refunds"
        return [
            Endpoint(method="alipay.trade.refund", product=product, handler=self.refund),
            Endpoint(method="alipay.trade.fastpay.refund.query", product=product, handler=self.query),
        ]

    async def refund(self, call: Call) -> Reply:
        """
        Give back part or all. `fund_change` says whether money moved now: N for a repetition, and while nobody knows.

        A refund that the merchant's balance did not cover may be tried again under its number.
        """
        fields = call.fields
        amount = fields.amount("refund_amount")
        reason = fields.text("refund_reason", 256)
        fields.choice("refund_currency", ("CNY",))
        trade = await existing(self._orders, call)
        number = fields.text("out_request_no", 64) or trade.order.out_trade_no
        await self._royalties.take_back(call, trade, number)
        state = await self._refunded(call, trade, number, amount, reason)
        if state.progress is RefundProgress.FAILED:
            assert state.outcome is not None
            raise refund_failed(state.outcome.reason)
        moved = state.progress is RefundProgress.SUCCESS and not state.repeated
        trade = await self._orders.find(call.caller, out_trade_no=trade.order.out_trade_no)
        debtor = await warmed(self._journal, lambda: self._identities.debtor(trade, call.payee))
        return Reply(
            told.numbers(trade)
            | debtor
            | {"fund_change": "Y" if moved else "N", "refund_fee": told.yuan(trade.refunded)}
            | (_given_back(state) if state.progress is RefundProgress.SUCCESS else {})
        )

    async def query(self, call: Call) -> Reply:
        """What became of a refund; for one that isn't done, or isn't known, no `refund_status`."""
        number = call.fields.text("out_request_no", 64, required=True)
        trade = await existing(self._orders, call)
        fields: dict[str, Any] = told.numbers(trade) | {"out_request_no": number}
        state = await last_try(self._refunds, call.caller, trade.order, number)
        if state is None or state.progress is not RefundProgress.SUCCESS:
            return Reply(fields)
        fields |= {
            "refund_status": "REFUND_SUCCESS",
            "total_amount": told.yuan(trade.amount),
            "refund_amount": told.yuan(state.row.amount),
        }
        if state.row.reason:
            fields["refund_reason"] = state.row.reason
        return Reply(fields | _given_back(state))

    async def _refunded(self, call: Call, trade: Trade, number: str, amount: int, reason: str) -> RefundState:
        draft = RefundDraft(
            out_refund_no=number,
            amount=amount,
            reason=reason,
            dialect=Dialect.ALIPAY.value,
            within_order=True,
            notify_url=trade.order.notify_url,
            facts={"out_request_no": number},
        )
        return await give_back(self._refunds, call.caller, trade.order, draft)


def _given_back(state: RefundState) -> dict[str, Any]:
    """What went back to the payer, and when."""
    assert state.outcome is not None
    amount = told.yuan(state.row.amount)
    return {
        "gmt_refund_pay": beijing_text(state.outcome.decided_ns),
        "refund_detail_item_list": [{"fund_channel": told.BALANCE, "amount": amount}],
        "send_back_fee": amount,
    }
