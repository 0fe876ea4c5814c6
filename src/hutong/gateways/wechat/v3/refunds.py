"""Refunds: asked for, asked after; accepted is not yet done, and how it ended is told."""

from typing import Any

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
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.order_shapes import ABNORMAL_REFUND, REFUND, REFUND_QUERY
from hutong.gateways.wechat.v3.orders import check_notify_url, words
from hutong.gateways.wechat.v3.parties import Parties
from hutong.gateways.wechat.v3.shape import missing, read_body, read_query
from hutong.gateways.wechat.v3.trade_view import payees_coupon, promotion_detail
from hutong.gateways.wire import WireAnswer
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from hutong.kernel.money import split
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

PATH = "/v3/refund/domestic/refunds"
RECEIVED_ACCOUNT = "支付用户零钱"
_STATUS = {
    RefundProgress.PROCESSING: "PROCESSING",
    RefundProgress.SUCCESS: "SUCCESS",
    RefundProgress.FAILED: "CLOSED",  # Nothing moved: the money is the merchant's as before.
}


class Sold(msgspec.Struct, frozen=True):
    """What is given back of: an order, or one merchant's part of a combined one."""

    trade: Trade
    part: CombinedPart | None = None

    @property
    def amount(self) -> int:
        return self.trade.amount if self.part is None else self.part.amount

    @property
    def paid(self) -> int:
        """What the payer himself paid of it."""
        return self.trade.paid if self.part is None else self.part.amount

    @property
    def numbers(self) -> dict[str, str]:
        """The vendor's and the merchant's."""
        sold = self.trade.order if self.part is None else self.part
        return {"transaction_id": sold.trade_no, "out_trade_no": sold.out_trade_no}


class Refunds:
    """Endpoints below `/v3/refund/domestic/refunds`; a service provider names the merchant in `sub_mchid`."""

    def __init__(
        self,
        node: NodeRuntime,
        parties: Parties,
        orders: OrderService,
        refunds: GatewayRefundService,
        sharing: Sharing,
        *,
        private_urls: bool,
    ) -> None:
        self._journal = node.journal
        self._parties = parties
        self._orders = orders
        self._refunds = refunds
        self._combined = sharing.combined
        self._part_refunds = sharing.part_refunds
        self._private_urls = private_urls

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", PATH, "refund", self._refund),
            Endpoint("GET", f"{PATH}/{{out_refund_no}}", "refund", self._query),
            Endpoint("POST", f"{PATH}/{{refund_id}}/apply-abnormal-refund", "refund", self._abnormal),
        ]

    async def _refund(self, call: Call) -> WireAnswer:
        body = read_body(REFUND, call.signed)
        self._check(body)
        caller = await self._parties.for_whom(call, body.get("sub_mchid", ""), status=404)
        sold = await self._sold(caller, body)
        draft = RefundDraft(
            out_refund_no=body["out_refund_no"],
            amount=body["amount"]["refund"],
            total=body["amount"]["total"],
            reason=words(body.get("reason", "")),
            notify_url=body.get("notify_url", ""),
            dialect=Dialect.WECHATPAY_V3,
            facts={name: body[name] for name in ("funds_account",) if body.get(name)}
            | ({"from": body["amount"]["from"]} if body["amount"].get("from") else {}),
        )
        if sold.part is None:
            state = await self._refunds.refund(caller, sold.trade.order, draft, wait=True)
        else:
            state = await self._part_refunds.refund(caller, sold.part, draft, wait=True)
        if state.outcome is not None and state.outcome.reason == PaymentReason.MERCHANT_BALANCE_INSUFFICIENT.name:
            raise Fault(Code.NOT_ENOUGH, "基本账户余额不足，请充值后重新发起")
        # Accepted is not success: how it ended is asked after, or told.
        shown = refund_object(sold, state)
        if not state.repeated:
            shown["status"] = "PROCESSING"
            shown.pop("success_time", None)
        return ok(shown)

    def _check(self, body: dict[str, Any]) -> None:
        if not body.get("transaction_id") and not body.get("out_trade_no"):
            raise missing("/body/transaction_id", "微信支付订单号")
        amount = body["amount"]
        if amount["refund"] > amount["total"]:
            text = "输入源“/body/amount/refund”映射到数值字段“退款金额”规则校验失败，退款金额大于原订单金额"
            raise param_error("/body/amount/refund", "greater than total", text, amount["refund"])
        if amount.get("from") and sum(part["amount"] for part in amount["from"]) != amount["refund"]:
            text = "输入源“/body/amount/from”映射到数组字段“退款出资账户及金额”规则校验失败，出资金额之和不等于退款金额"
            raise param_error("/body/amount/from", "sum differs", text)
        if body.get("notify_url"):
            check_notify_url(body["notify_url"], private_allowed=self._private_urls)

    async def _sold(self, caller: Caller, body: dict[str, Any]) -> Sold:
        """What is to be given back of. Refuses RESOURCE_NOT_EXISTS."""
        # The vendor's own number goes before the merchant's, where both are given.
        number = body.get("transaction_id", "")
        out_trade_no = "" if number else body.get("out_trade_no", "")
        sold = await self._order(caller, out_trade_no, number)
        if sold is None or (sold.part is None and is_combined(sold.trade.order)):
            raise Fault(Code.RESOURCE_NOT_EXISTS, "订单不存在")
        return sold

    async def _order(self, caller: Caller, out_trade_no: str, trade_no: str) -> Sold | None:
        """An order, or a part of a combined one."""
        try:
            return Sold(await self._orders.find(caller, out_trade_no=out_trade_no, trade_no=trade_no))
        except Refusal as refusal:
            if refusal.reason is not GatewayReason.ORDER_UNKNOWN:
                raise
        try:
            part = await self._combined.part(caller, out_trade_no=out_trade_no, trade_no=trade_no)
        except Refusal as refusal:
            if refusal.reason is not GatewayReason.ORDER_UNKNOWN:
                raise
            return None
        return Sold((await self._combined.of_order(part.combined_id)).trade, part)

    async def _query(self, call: Call) -> WireAnswer:
        told = read_query(REFUND_QUERY, call.query)
        caller = await self._parties.for_whom(call, told.get("sub_mchid", ""), status=404)
        number, part = call.path["out_refund_no"], None
        try:
            state = await self._refunds.find(caller, out_refund_no=number)
        except Refusal as refusal:
            if refusal.reason is not GatewayReason.REFUND_UNKNOWN:
                raise
            part, state = await self._part_refunds.find(caller, number)
        trade = await warmed(self._journal, lambda: trade_of(self._orders, state))
        return ok(refund_object(Sold(trade, part), state))

    async def _abnormal(self, call: Call) -> WireAnswer:
        """No refund stays between two accounts here: it arrives, or the merchant has its money back."""
        body = read_body(ABNORMAL_REFUND, call.signed)
        caller = await self._parties.for_whom(call, body.get("sub_mchid", ""), status=404)
        state = await self._refunds.find(caller, refund_no=call.path["refund_id"])
        if state.row.out_refund_no != body["out_refund_no"]:
            raise Fault(Code.INVALID_REQUEST, "商户退款单号与微信支付退款单号不一致")
        raise Fault(Code.INVALID_REQUEST, "退款单状态不是退款异常，无需处理")


def trade_of(orders: OrderService, state: RefundState) -> Trade:
    """The order that a refund is of. May raise `Cold`."""
    order = orders.orders.get(state.row.order_id)
    assert order is not None, "a refund is of an order"
    return orders.trade(order)


def refund_object(sold: Sold, state: RefundState) -> dict[str, Any]:
    """What a query of a refund answers."""
    row = state.row
    shown: dict[str, Any] = {
        "refund_id": row.refund_no,
        "out_refund_no": number_of(state),
        **sold.numbers,
        "channel": "ORIGINAL",
        "user_received_account": RECEIVED_ACCOUNT,
        "create_time": moment.told(row.created_ns),
        "status": _STATUS[state.progress],
        "funds_account": row.told.get("funds_account", "AVAILABLE"),
        "amount": amounts(sold, state),
    }
    if state.outcome is not None and state.outcome.completed:
        shown["success_time"] = moment.told(state.outcome.decided_ns)
    discount = state.refund.payee_discount + state.refund.payer_discount
    promotions = promotion_detail(sold.trade) if sold.part is None else []
    if discount and promotions:
        own = payees_coupon(sold.trade)
        others = [0 if each["coupon_id"] == own else each["amount"] for each in promotions]
        given_back = split(state.refund.payer_discount, others) if any(others) else others
        shown["promotion_detail"] = [
            {
                "promotion_id": each["coupon_id"],
                "scope": each["scope"],
                "type": "COUPON",
                "amount": each["amount"],
                "refund_amount": state.refund.payee_discount if each["coupon_id"] == own else part,
            }
            for each, part in zip(promotions, given_back, strict=True)
        ]
    return shown


def number_of(state: RefundState) -> str:
    """The merchant's number of a refund; of a part's, what the refund of the whole keeps of it."""
    return str(state.row.told.get(NUMBER) or state.row.out_refund_no)


def amounts(sold: Sold, state: RefundState) -> dict[str, Any]:
    """All that is counted of a refund. Whoever carried part of the payment, the merchant had all of it."""
    refund = state.refund
    return {
        "total": sold.amount,
        "refund": refund.gross,
        "from": state.row.told.get("from", []),
        "payer_total": sold.paid,
        "payer_refund": refund.shares.paid,
        "settlement_total": sold.amount,
        "settlement_refund": refund.gross,
        "discount_refund": refund.gross - refund.shares.paid,
        "currency": refund.currency,
        "refund_fee": refund.fee,
    }


def notified(sold: Sold, state: RefundState, parties: dict[str, Any]) -> dict[str, Any]:
    """What a notification says of a refund. `parties` are the numbers it begins with."""
    counted = amounts(sold, state)
    told: dict[str, Any] = parties | {
        **sold.numbers,
        "out_refund_no": number_of(state),
        "refund_id": state.row.refund_no,
        "refund_status": _STATUS[state.progress],
        "user_received_account": RECEIVED_ACCOUNT,
        "amount": {name: counted[name] for name in ("total", "refund", "payer_total", "payer_refund")},
    }
    if state.outcome is not None and state.outcome.completed:
        told["success_time"] = moment.told(state.outcome.decided_ns)
    return told
