"""Orders in v2: placed for a code, a page or an app, collected by payment code, found, closed, reversed."""

from typing import Any

import msgspec

from hutong.gateways.order import Dialect, OrderDraft, Trade, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.wechat.v2 import answer, shape
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint
from hutong.gateways.wechat.v2.errors import Code, Fault, Unreadable
from hutong.gateways.wechat.v2.moment import read_time
from hutong.gateways.wechat.v2.refusals import fault_named
from hutong.gateways.wechat.v2.trade import openid_of, paid_fields, query_fields
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal

_LIFETIME_MIN_S = 60
_LIFETIME_MAX_S = 7 * 86_400
# What is the order's. The rest is the call's, and may be another each time: a till that asks again writes a new time.
_OF_CALL = frozenset(
    {
        "nonce_str",
        "sign",
        "sign_type",
        "spbill_create_ip",
        "time_start",
        "time_expire",
        "scene_info",
        "timestamp",
        "clientip",
    }
)
# What is given back as it came, under the names that every dialect of these orders knows.
_KEPT = {
    "appid": "appid",
    "sub_appid": "sub_appid",
    "attach": "attach",
    "openid": "openid",
    "sub_openid": "sub_openid",
    "device_info": "device_id",
    "body": "description",
}


class Orders:
    """The endpoints of orders."""

    def __init__(self, orders: OrderService, refunds: GatewayRefundService) -> None:
        self._orders = orders
        self._refunds = refunds

    def endpoints(self) -> tuple[Endpoint, ...]:
        table = (
            ("/pay/unifiedorder", "下单", shape.UNIFIEDORDER, self.unifiedorder),
            ("/pay/micropay", "付款码支付", shape.MICROPAY, self.micropay),
            ("/pay/orderquery", "查询订单", shape.ORDERQUERY, self.orderquery),
            ("/pay/closeorder", "关闭订单", shape.CLOSEORDER, self.closeorder),
            ("/secapi/pay/reverse", "撤销订单", shape.REVERSE, self.reverse),
        )
        return tuple(
            Endpoint(path=path, product=product, parameters=parameters, handler=handler)
            for path, product, parameters, handler in table
        )

    async def unifiedorder(self, call: Call) -> Fields:
        """Place an order. What it is paid by depends on `trade_type`."""
        return await self.place(call, {})

    async def place(self, call: Call, more: dict[str, Any]) -> Fields:
        """The same, with more to be kept of it."""
        trade_type = call.text("trade_type")
        if trade_type == "JSAPI" and not (call.text("openid") or call.text("sub_openid")):
            raise Unreadable("JSAPI支付必须传openid")
        if trade_type == "NATIVE":
            shape.must("product_id").check(call.fields)
        draft = self._draft(call, trade_type)
        trade = await self._orders.place(call.caller, msgspec.structs.replace(draft, facts=draft.facts | more))
        led = {
            "NATIVE": {"code_url": self._orders.code_url(trade)},
            "MWEB": {"mweb_url": self._orders.page_url(trade)},
        }
        return {"trade_type": trade_type, "prepay_id": prepay_id(trade), **led.get(trade_type, {})}

    async def micropay(self, call: Call) -> Fields:
        """Collect by the payer's code; their wallet may have to ask for a PIN first."""
        if call.text("deposit") == "Y":  # That would hold the money, and not take it.
            raise Fault(Code.NOAUTH, "商户未开通押金支付")
        draft = msgspec.structs.replace(self._draft(call, "MICROPAY"), payer_code=call.text("auth_code"))
        try:
            trade = await self._orders.collect(call.caller, draft)
        except Refusal as refusal:
            if refusal.reason is GatewayReason.ORDER_DIFFERS and await self._is_anothers(call, draft):
                raise Fault(Code.BUYER_MISMATCH) from None
            raise
        match trade.state:
            case TradeState.PAID:
                return paid_fields(trade, openid_of(self._orders.payers, trade))
            case TradeState.NOT_PAID | TradeState.PAYING:
                raise Fault(Code.USERPAYING)
            case TradeState.CLOSED:
                raise Fault(Code.ORDERCLOSED)
            case TradeState.REVERSED:
                raise Fault(Code.ORDERREVERSED)
            case TradeState.FAILED:
                charge = trade.charge
                assert charge is not None, "it is the charge that failed"
                raise fault_named(charge.reason, charge.iso_code)

    async def _is_anothers(self, call: Call, draft: OrderDraft) -> bool:
        """Whether it is the same order, and waits for who showed another code."""
        trade = await self._orders.find(call.caller, out_trade_no=draft.out_trade_no)
        code = trade.request.payer_code
        theirs = self._draft(msgspec.structs.replace(call, fields=call.fields | {"auth_code": code}), "MICROPAY")
        return trade.order.content == msgspec.structs.replace(theirs, payer_code=code).digest(call.caller)

    async def orderquery(self, call: Call) -> Fields:
        """How an order stands, whoever's protocol it was placed in."""
        trade = await self._found(call)
        return query_fields(trade, openid_of(self._orders.payers, trade))

    async def closeorder(self, call: Call) -> Fields:
        """Take an order back that nobody has paid."""
        await self._orders.close(call.caller, out_trade_no=call.text("out_trade_no"))
        return {"result_msg": "OK"}

    async def reverse(self, call: Call) -> Fields:
        """Take an order back, with the money if it has come."""
        out_trade_no, trade_no = numbers(call)
        try:
            await self._refunds.reverse(
                call.caller, out_trade_no=out_trade_no, trade_no=trade_no, dialect=Dialect.WECHATPAY_V2
            )
        except Refusal as refusal:
            if refusal.reason is not GatewayReason.ORDER_PAYING:
                raise
            # A payment of it is under way, and will be over in a moment.
            return answer.refused(Fault(Code.SYSTEMERROR)) | {"recall": "Y"}
        return {"recall": "N"}

    def _draft(self, call: Call, product: str) -> OrderDraft:
        return order_draft(call, product, self.lifetime_s(call.text("time_expire")))

    def lifetime_s(self, time_expire: str) -> int | None:
        """How long it may be paid; None where it doesn't say. The vendor's are at least a minute away; ours end in a week."""
        if not time_expire:
            return None
        expires_ns = read_time(time_expire)
        if expires_ns is None:
            raise Unreadable("time_expire参数格式错误")
        lifetime_s = (expires_ns - self._orders.wall.now_ns()) // NS_PER_S
        if lifetime_s < _LIFETIME_MIN_S:
            raise Fault(Code.PARAM_ERROR, "time_expire时间过短，刷卡至少1分钟，其他5分钟")
        return min(lifetime_s, _LIFETIME_MAX_S)

    async def _found(self, call: Call) -> Trade:
        out_trade_no, trade_no = numbers(call)
        return await self._orders.find(call.caller, out_trade_no=out_trade_no, trade_no=trade_no)


def order_draft(call: Call, product: str, lifetime_s: int | None) -> OrderDraft:
    """An order as a call asks for it."""
    content = {name: text for name, text in call.fields.items() if name not in _OF_CALL}
    facts: dict[str, Any] = {kept: text for name, kept in _KEPT.items() if (text := call.text(name))}
    if call.text("profit_sharing") == "Y":
        facts["split"] = True
    return OrderDraft(
        out_trade_no=call.text("out_trade_no"),
        amount=call.number("total_fee"),
        product=product,
        description=plain(call.text("body")),
        dialect=Dialect.WECHATPAY_V2,
        lifetime_s=lifetime_s,
        notify_url=call.text("notify_url"),
        facts=facts | {"is_sandbox": call.is_sandbox, "sign_type": call.sign_type.value},
        content=msgspec.json.encode(sorted(content.items())),
    )


def numbers(call: Call) -> tuple[str, str]:
    """The merchant's number of an order, or the vendor's: its own goes first where it is given both."""
    shape.check_either(call.fields, "transaction_id", "out_trade_no")
    trade_no = call.text("transaction_id")
    return ("" if trade_no else call.text("out_trade_no")), trade_no


def prepay_id(trade: Trade) -> str:
    """What an app or a page is given to begin the payment with."""
    return f"wx{trade.order.id:032x}"


def plain(text: str) -> str:
    """A description as payers are shown it: on one line, nothing invisible in it."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
