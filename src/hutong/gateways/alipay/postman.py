"""How Alipay tells a merchant: a form, signed, tried again for twenty-five hours until it is answered `success`."""

import json
from urllib.parse import urlencode

import msgspec

from hutong.gateways.account import AlipayAccount
from hutong.gateways.alipay import trade as told
from hutong.gateways.alipay.beijing import beijing_text, beijing_text_ms
from hutong.gateways.alipay.charset import UTF8
from hutong.gateways.alipay.identities import Identities
from hutong.gateways.alipay.signature import RSA2, signed_parameters
from hutong.gateways.notification import GatewayNotification, Letter, News
from hutong.gateways.order import GatewayOrder
from hutong.gateways.order_service import OrderService
from hutong.gateways.platform import KeyUse
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.refund import GatewayRefund
from hutong.gateways.refund_service import GatewayRefundService

_MINUTE, _HOUR = 60, 3600
TAKEN = b"success"


class AlipayPostman:
    """What is told is made once; `notify_id` stays the same over all tries, the time and signature are each try's own."""

    schedule_s = (4 * _MINUTE, 10 * _MINUTE, 10 * _MINUTE, _HOUR, 2 * _HOUR, 6 * _HOUR, 15 * _HOUR)
    timeout_s = 10.0

    def __init__(
        self,
        platform: PlatformService,
        orders: OrderService,
        refunds: GatewayRefundService,
        identities: Identities,
    ) -> None:
        self._platform = platform
        self._orders = orders
        self._refunds = refunds
        self._identities = identities

    def plain(self, notification: GatewayNotification) -> bytes:
        """The parameters but the time and the signature, as things stood with this news. May raise `Cold`."""
        if notification.kind == News.REFUND:
            refund = self._refunds.rows.get(notification.subject_id)
            assert refund is not None
            order, values = self._of_refund(notification, refund)
        else:
            order = self._order(notification.subject_id)
            values = self._of_order(notification, order, refunded=0)
        facts = order.told
        return msgspec.json.encode([values, facts.get("sign_type", RSA2), facts.get("codec", UTF8)])

    def letter(
        self,
        notification: GatewayNotification,  # noqa: ARG002  # Its `plain` says everything.
        plain: bytes,
        now_ns: int,
    ) -> Letter:
        """Signed for this try, in the charset and with the kind of signature that the order was placed with."""
        values, sign_type, codec = msgspec.json.decode(plain, type=tuple[dict[str, str], str, str])
        values["notify_time"] = beijing_text(now_ns)
        signed = signed_parameters(self._platform.current(KeyUse.ALIPAY), values, sign_type, codec)
        body = urlencode(signed, encoding=codec, errors="replace").encode()
        return Letter({"content-type": f"application/x-www-form-urlencoded; charset={codec}"}, body)

    def taken(self, status: int, body: bytes) -> bool:
        """Seven letters and nothing else."""
        return status == 200 and body == TAKEN

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
        values = {
            "notify_type": "trade_status_sync",
            "notify_id": notify_id(notification.id),
            "charset": facts.get("codec", UTF8),
            "version": "1.0",
            "app_id": caller.account.row.number,
            "auth_app_id": payee.row.number,
            **told.numbers(trade),
            **_renamed(self._identities.debtor(trade, payee)),
            "seller_id": payee.facts.seller_id,
            "trade_status": told.CLOSED if refunded == trade.amount else told.PAID,
            "total_amount": told.yuan(trade.amount),
            "receipt_amount": told.yuan(trade.amount),
            "invoice_amount": told.yuan(trade.paid),
            "buyer_pay_amount": told.yuan(trade.paid),
            "point_amount": "0.00",
            "subject": facts["subject"],
            "body": facts.get("body", ""),
            "gmt_create": beijing_text(order.created_ns),
            "gmt_payment": beijing_text(order.paid_ns),
            "passback_params": facts.get("passback_params", ""),
            "fund_bill_list": _fund_bills(told.fund_bills(trade)),
        }
        if refunded:
            values["refund_fee"] = told.yuan(refunded)
        if refunded == trade.amount:
            values["gmt_close"] = beijing_text(notification.at_ns)
        return {name: value for name, value in values.items() if value}


def notify_id(notification_id: int) -> str:
    """34 letters; the same for all tries."""
    return f"{notification_id:032x}nw"


def notification_id(text: str) -> int | None:
    """Which notification it is the id of."""
    digits = text.removesuffix("nw")
    if len(digits) != 32 or not text.endswith("nw"):
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return None


def _renamed(payer: dict[str, str]) -> dict[str, str]:
    return {("buyer_id" if name == "buyer_user_id" else name): value for name, value in payer.items()}


def _fund_bills(bills: list[dict[str, str]]) -> str:
    """JSON text, with other names than in an answer."""
    renamed = [{"amount": bill["amount"], "fundChannel": bill["fund_channel"]} for bill in bills]
    return json.dumps(renamed, separators=(",", ":"))
