"""What a merchant is told of its orders and their refunds."""

import json

from hutong.gateways.account import AlipayAccount
from hutong.gateways.alipay import trade as told
from hutong.gateways.alipay.beijing import beijing_text, beijing_text_ms
from hutong.gateways.alipay.charset import UTF8
from hutong.gateways.alipay.identities import Identities
from hutong.gateways.alipay.postman import Told
from hutong.gateways.alipay.signature import RSA2
from hutong.gateways.notification import GatewayNotification
from hutong.gateways.order import GatewayOrder
from hutong.gateways.order_service import OrderService
from hutong.gateways.refund import GatewayRefund
from hutong.gateways.refund_service import GatewayRefundService


class OrderNews:
    """In the charset, and with the kind of signature, that the order was placed with."""

    def __init__(self, orders: OrderService, refunds: GatewayRefundService, identities: Identities) -> None:
        self._orders = orders
        self._refunds = refunds
        self._identities = identities

    def paid(self, notification: GatewayNotification) -> Told:
        """An order was paid; or what was to be taken under an agreement was not."""
        order = self._order(notification.subject_id)
        return _signed_as(order, self._of_order(notification, order, refunded=0))

    def refunded(self, notification: GatewayNotification) -> Told:
        """A refund was decided."""
        refund = self._refunds.rows.get(notification.subject_id)
        assert refund is not None
        return _signed_as(*self._of_refund(notification, refund))

    def _order(self, order_id: int) -> GatewayOrder:
        order = self._orders.orders.get(order_id)
        assert order is not None
        return order

    def _of_refund(
        self, notification: GatewayNotification, refund: GatewayRefund
    ) -> tuple[GatewayOrder, dict[str, str]]:
        order = self._order(refund.order_id)
        outcome = self._refunds.state(refund).outcome
        assert outcome is not None, "it is told when it is decided"
        states = [self._refunds.state(row) for row in self._refunds.rows.find("order_id", order.id)]
        by_then = sum(
            each.row.amount
            for each in states
            if each.outcome is not None and each.outcome.completed and each.outcome.decided_ns <= outcome.decided_ns
        )
        return order, self._of_order(notification, order, refunded=by_then) | {
            "out_biz_no": refund.told.get("out_request_no", refund.out_refund_no),
            "gmt_refund": beijing_text_ms(outcome.decided_ns),
            "send_back_fee": told.yuan(refund.amount),
        }

    def _of_order(self, notification: GatewayNotification, order: GatewayOrder, *, refunded: int) -> dict[str, str]:
        trade = self._orders.trade(order)
        caller = self._orders.caller_of(order)
        payee = caller.payee
        assert isinstance(payee, AlipayAccount)
        facts = order.told
        is_over = trade.payment is None or refunded == trade.amount
        values = {
            "notify_type": "trade_status_sync",
            "charset": facts.get("codec", UTF8),
            "version": "1.0",
            "app_id": caller.account.row.number,
            "auth_app_id": payee.row.number,
            **told.numbers(trade),
            **_renamed(self._identities.debtor(trade, payee)),
            "seller_id": payee.facts.seller_id,
            "trade_status": told.CLOSED if is_over else told.PAID,
            "total_amount": told.yuan(trade.amount),
            "receipt_amount": told.yuan(trade.amount if trade.payment is not None else 0),
            "invoice_amount": told.yuan(trade.paid),
            "buyer_pay_amount": told.yuan(trade.paid),
            "point_amount": "0.00",
            "subject": facts["subject"],
            "body": facts.get("body", ""),
            "gmt_create": beijing_text(order.created_ns),
            "gmt_payment": beijing_text(order.paid_ns) if order.paid_ns else "",
            "passback_params": facts.get("passback_params", ""),
            "fund_bill_list": _in_camel_case(told.fund_bills(trade)),
        }
        if trade.vouchers:
            values["voucher_detail_list"] = _in_camel_case(told.vouchers(trade))
        if refunded:
            values["refund_fee"] = told.yuan(refunded)
        if is_over:
            values["gmt_close"] = beijing_text(notification.at_ns)
        return {name: value for name, value in values.items() if value}


def _signed_as(order: GatewayOrder, values: dict[str, str]) -> Told:
    facts = order.told
    return Told(values, facts.get("sign_type", RSA2), facts.get("codec", UTF8))


def _renamed(payer: dict[str, str]) -> dict[str, str]:
    return {("buyer_id" if name == "buyer_user_id" else name): value for name, value in payer.items()}


def _in_camel_case(listed: list[dict[str, str]]) -> str:
    """JSON text, whose names are written otherwise than in an answer: `fundChannel`."""
    renamed = [{_camel(name): text for name, text in each.items()} for each in listed]
    return json.dumps(renamed, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
