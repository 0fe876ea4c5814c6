"""Payment codes: the payer's code is scanned, their wallet pays or asks for the password; and taking it back."""

from functools import partial

from hutong.gateways.order import Dialect, OrderDraft, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, accepted, ok
from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.gateways.wechat.v3.order_shapes import codepay_shape, reverse_shape
from hutong.gateways.wechat.v3.orders import (
    DIRECT_PREFIX,
    PARTNER_PREFIX,
    check_detail,
    content,
    order_facts,
    words,
)
from hutong.gateways.wechat.v3.parties import Parties
from hutong.gateways.wechat.v3.refusals import payer_fault
from hutong.gateways.wechat.v3.shape import read_body
from hutong.gateways.wechat.v3.trade_view import appids, parties, trade_object
from hutong.gateways.wire import WireAnswer
from hutong.kernel.errors import Refusal

PRODUCT = "MICROPAY"
_CODE_DIGITS = range(16, 25)  # The vendor's own have 18; another issuer's may have some more or fewer.


class Codepay:
    """`codepay` and `reverse`, for the merchant itself or in partner mode."""

    def __init__(self, parties: Parties, orders: OrderService, refunds: GatewayRefundService) -> None:
        self._parties = parties
        self._orders = orders
        self._refunds = refunds
        self._shapes = {is_partner: codepay_shape(partner=is_partner) for is_partner in (False, True)}

    def endpoints(self) -> list[Endpoint]:
        found = []
        for prefix, is_partner in ((DIRECT_PREFIX, False), (PARTNER_PREFIX, True)):
            reverse = f"{prefix}/out-trade-no/{{out_trade_no}}/reverse"
            found += [
                Endpoint("POST", f"{prefix}/codepay", "codepay", partial(self._collect, is_partner=is_partner)),
                Endpoint("POST", reverse, "codepay", partial(self._reverse, is_partner=is_partner)),
            ]
        return found

    async def _collect(self, call: Call, *, is_partner: bool) -> WireAnswer:
        body = read_body(self._shapes[is_partner], call.signed)
        caller = await self._parties.of(call, body, partner=is_partner)
        check_detail(body)
        code = body["payer"]["auth_code"]
        if not code.isdecimal() or not code.isascii() or len(code) not in _CODE_DIGITS:
            raise Fault(Code.AUTH_CODE_INVALID)
        draft = OrderDraft(
            out_trade_no=body["out_trade_no"],
            amount=body["amount"]["total"],
            product=PRODUCT,
            description=words(body["description"]),
            dialect=Dialect.WECHATPAY_V3,
            payer_code=code,
            facts=order_facts(body),
            content=content("codepay", body),
        )
        trade = await self._orders.collect(caller, draft)
        match trade.state:
            case TradeState.PAID:
                return ok(trade_object(trade, caller, self._orders.payers, partner=is_partner))
            case TradeState.NOT_PAID | TradeState.PAYING:
                return accepted({"trade_state": "USERPAYING"})
            case TradeState.CLOSED:
                raise Fault(Code.ORDER_CLOSED)
            case TradeState.REVERSED:
                raise Fault(Code.ORDER_REVERSED)
            case TradeState.FAILED:
                assert trade.charge is not None, "it is the charge that failed"
                raise payer_fault(trade.charge.reason)

    async def _reverse(self, call: Call, *, is_partner: bool) -> WireAnswer:
        told = read_body(reverse_shape(partner=is_partner), call.signed)
        caller = await self._parties.of(call, told, partner=is_partner)
        number = call.path["out_trade_no"]
        try:
            trade = await self._refunds.reverse(caller, dialect=Dialect.WECHATPAY_V3, out_trade_no=number)
        except Refusal as refusal:
            if refusal.reason is GatewayReason.ORDER_PAYING:  # Their wallet is at it: the caller asks again.
                raise Fault(Code.USERPAYING, status=400) from None
            raise
        appid, sub_appid = appids(caller, trade.order.told)
        shown = parties(caller, appid, sub_appid, partner=is_partner)
        return ok(shown | {"out_trade_no": trade.order.out_trade_no})
