"""Orders and payment codes: `alipay.trade.*`, on the institution's payment requests."""

import re
from typing import Any

import msgspec

from hutong.gateways.alipay import trade as told
from hutong.gateways.alipay.asked import order_draft
from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.deducting import Deducting
from hutong.gateways.alipay.errors import PENDING, AlipayError
from hutong.gateways.alipay.fields import Fields
from hutong.gateways.alipay.given_back import give_back
from hutong.gateways.alipay.holding import Holding
from hutong.gateways.alipay.identities import Identities
from hutong.gateways.alipay.refusals import payment_failed
from hutong.gateways.order import Dialect, OrderDraft, Trade, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.refund import RefundDraft, RefundProgress
from hutong.gateways.refund_service import GatewayRefundService
from hutong.institution.node import InstitutionNode
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import decided, warmed

_AUTH_CODE = re.compile(r"[0-9]{16,24}")
_FACE_TO_FACE = ("FACE_TO_FACE_PAYMENT", "QR_CODE_OFFLINE", "OFFLINE_PAYMENT")
_CANCEL_WITHIN_NS = NS_PER_DAY
# A merchant's numbers are letters, digits and underscores, so this is nobody's.
_CANCELLED = "*cancel*"
_NO_TRADE = "交易不存在"


class Acquiring:
    """Each method takes a call and answers fields; what is refused, `refusals` puts into Alipay's words."""

    def __init__(
        self,
        institution: InstitutionNode,
        orders: OrderService,
        refunds: GatewayRefundService,
        identities: Identities,
        deducting: Deducting,
        holding: Holding,
    ) -> None:
        self._journal = institution.node.journal
        self._merchants = institution.merchants
        self._orders = orders
        self._refunds = refunds
        self._identities = identities
        self._deducting = deducting
        self._holding = holding

    def endpoints(self) -> list[Endpoint]:
        product = "face to face"
        return [
            Endpoint(method="alipay.trade.precreate", product=product, handler=self.precreate),
            Endpoint(method="alipay.trade.pay", product=product, handler=self.pay),
            Endpoint(method="alipay.trade.create", product="mini program", handler=self.create),
            Endpoint(method="alipay.trade.query", product=product, handler=self.query),
            Endpoint(method="alipay.trade.cancel", product=product, handler=self.cancel),
            Endpoint(method="alipay.trade.close", product=product, handler=self.close),
        ]

    async def precreate(self, call: Call) -> Reply:
        """A code to show. There is no trade before somebody's wallet looks at it."""
        trade = await self._orders.place(call.caller, order_draft(call, "PRECREATE", _FACE_TO_FACE))
        return Reply({"out_trade_no": trade.order.out_trade_no, "qr_code": self._orders.code_url(trade)})

    async def create(self, call: Call) -> Reply:
        """
        A trade for a person who is in the merchant's mini program, paid by its number.

        Refuses:  ACQ.BUYER_SELLER_EQUAL, ACQ.BUYER_NOT_EXIST; as `order_draft`.
        """
        fields = call.fields
        names = ("buyer_id", "buyer_open_id", "op_buyer_open_id", "buyer_logon_id")
        buyer = {name: text for name in names if (text := fields.text(name, 128))}
        if not buyer:
            raise fields.invalid("buyer_id", "不能为空")
        await self._check_buyer(call, buyer.get("buyer_id", ""))
        draft = order_draft(call, "CREATE", ("JSAPI_PAY", *_FACE_TO_FACE))
        openid = buyer.get("buyer_open_id") or buyer.get("op_buyer_open_id", "")
        payer = {
            "buyer_id": buyer.get("buyer_id", ""),
            "openid": openid,
            "appid": call.payee.row.number if openid else "",
        }
        named = {name: text for name, text in payer.items() if text}
        draft = msgspec.structs.replace(
            draft,
            facts=draft.facts | named,
            content=draft.content + msgspec.json.encode(named) if named else draft.content,
        )
        trade = await self._orders.place(call.caller, draft)
        return Reply({"out_trade_no": trade.order.out_trade_no, "trade_no": trade.order.trade_no})

    async def _check_buyer(self, call: Call, number: str) -> None:
        """A number that reads as a person of ours is somebody's; any other may be of somebody elsewhere."""
        if number and number == call.payee.facts.seller_id:
            raise AlipayError("ACQ.BUYER_SELLER_EQUAL", said="买卖家不能相同")
        if await warmed(self._journal, lambda: self._identities.is_nobody(call.account, number)):
            raise AlipayError("ACQ.BUYER_NOT_EXIST", said="买家不存在")

    async def pay(self, call: Call) -> Reply:
        """Ask who shows this payment code to pay; 10003 while they are asked for their PIN."""
        fields = call.fields
        if "agreement_params" in fields:
            return await self._paid_by(call, await self._deducting.pay(call))
        if "auth_no" in fields:
            return await self._paid_by(call, await self._holding.pay(call))
        scene = fields.choice("scene", ("bar_code", "wave_code", "security_code"), required=True)
        auth_code = fields.text("auth_code", 64, required=True)
        if scene != "bar_code" or not _AUTH_CODE.fullmatch(auth_code):
            raise _failed(payment_failed("CODE_UNKNOWN"), call)
        draft = order_draft(call, "BAR_CODE", _FACE_TO_FACE, payer_code=auth_code)
        try:
            trade = await self._orders.collect(call.caller, draft)
        except Refusal as refusal:
            if refusal.reason is GatewayReason.ORDER_DIFFERS and await self._is_anothers(call, draft):
                raise _failed(AlipayError("ACQ.TRADE_BUYER_NOT_MATCH", said="交易买家不匹配"), call) from None
            raise
        return await self._paid_by(call, trade)

    async def _is_anothers(self, call: Call, draft: OrderDraft) -> bool:
        """Whether the order is the same but for the code, and waits for who has shown the one before."""
        known = await decided(self._journal, lambda: self._orders.known(call.caller, draft.out_trade_no))
        if known is None or not known.request.payer_code:
            return False
        before = msgspec.structs.replace(draft, payer_code=known.request.payer_code)
        return known.order.content == before.digest(call.caller)

    async def _paid_by(self, call: Call, trade: Trade) -> Reply:
        match trade.state:
            case TradeState.PAID:
                return Reply(await warmed(self._journal, lambda: self._paid(call, trade)))
            case TradeState.FAILED:
                assert trade.charge is not None
                raise _failed(payment_failed(trade.charge.reason), call)
            case TradeState.CLOSED | TradeState.REVERSED:
                raise _failed(AlipayError("ACQ.TRADE_HAS_CLOSE", said="交易已经关闭"), call)
            case _:
                return Reply(told.numbers(trade) | {"total_amount": told.yuan(trade.amount)}, PENDING)

    async def query(self, call: Call) -> Reply:
        try:
            trade = await self._trade(call)
        except AlipayError as error:
            raise _failed(error, call) from None
        debtor = await warmed(self._journal, lambda: self._identities.debtor(trade, call.payee))
        return Reply(told.queried(trade, debtor))

    async def close(self, call: Call) -> Reply:
        """Only what waits for somebody to pay is closed."""
        trade = await self._trade(call)
        if told.status(trade) != told.WAIT:
            raise AlipayError("ACQ.TRADE_STATUS_ERROR", said="交易状态不合法")
        try:
            trade = await self._orders.close(call.caller, out_trade_no=trade.order.out_trade_no)
        except Refusal as refusal:
            if refusal.reason in (GatewayReason.ORDER_PAID, GatewayReason.ORDER_PAYING):
                raise AlipayError("ACQ.TRADE_STATUS_ERROR", said="交易状态不合法") from None
            raise
        return Reply(told.numbers(trade))

    async def cancel(self, call: Call) -> Reply:
        """
        Take a payment back, or see to it that there will be none: `action` says which, and is left out when there was
        nothing to do. While a payment is under way it says `retry_flag` Y.
        """
        asked = _which(call.fields)
        try:
            trade = await self._orders.cancel(call.caller, **asked)
        except Refusal as refusal:
            if refusal.reason is GatewayReason.ORDER_UNKNOWN:
                return Reply({**{name: value for name, value in asked.items() if value}, "retry_flag": "N"})
            if refusal.reason is GatewayReason.ORDER_PAYING:
                raise _again(call) from None
            raise
        fields = told.numbers(trade) | {"retry_flag": "N"}
        if trade.payment is None:
            # A trade that nobody knew of is gone without a word.
            return Reply(fields | ({"action": "close"} if trade.order.product == "BAR_CODE" or trade.was_seen else {}))
        if trade.state is TradeState.PAID:
            if call.now_ns - trade.order.created_ns > _CANCEL_WITHIN_NS:
                raise AlipayError("ACQ.TRADE_CANCEL_TIME_OUT", said="超过撤销时间范围")
            await self._give_back(call, trade)
        return Reply(fields | {"action": "refund"})

    async def _give_back(self, call: Call, trade: Trade) -> None:
        """All that is left of it; the order is reversed when that is certain."""
        if trade.left:
            draft = RefundDraft(
                out_refund_no=_CANCELLED,
                amount=trade.left,
                reason="撤销",
                dialect=Dialect.ALIPAY.value,
                within_order=True,
                notify_url=trade.order.notify_url,
                facts={"out_request_no": trade.order.out_trade_no},
            )
            state = await give_back(self._refunds, call.caller, trade.order, draft)
            if state.progress is RefundProgress.PROCESSING:
                raise _again(call)
            if state.progress is RefundProgress.FAILED:
                raise AlipayError("ACQ.SELLER_BALANCE_NOT_ENOUGH", said="商户的支付宝账户中无足够的资金进行撤销")
        await decided(self._journal, lambda: self._orders.reversed(trade))

    def _paid(self, call: Call, trade: Trade) -> dict[str, Any]:
        """What is told of a payment at the till, and where that stands. May raise `Cold`."""
        shop = self._merchants.shop_of(trade.request.merchant_id, trade.request.shop_id)
        store_name = self._merchants.merchant(trade.request.merchant_id).name if shop is None else shop.name
        return told.paid(trade, self._identities.debtor(trade, call.payee), store_name)

    async def _trade(self, call: Call) -> Trade:
        """The trade that is asked for. Refuses ACQ.TRADE_NOT_EXIST, also before anybody looked at its code."""
        return await existing(self._orders, call)


async def existing(orders: OrderService, call: Call) -> Trade:
    """The trade of a call's `trade_no` or `out_trade_no`. Refuses ACQ.TRADE_NOT_EXIST."""
    try:
        trade = await orders.find(call.caller, **_which(call.fields))
    except Refusal as refusal:
        if refusal.reason is GatewayReason.ORDER_UNKNOWN:
            raise AlipayError("ACQ.TRADE_NOT_EXIST", said=_NO_TRADE) from None
        raise
    if not told.is_there(trade):
        raise AlipayError("ACQ.TRADE_NOT_EXIST", said=_NO_TRADE)
    return trade


def _which(fields: Fields) -> dict[str, str]:
    """By which number: Alipay's own goes first. Refuses ACQ.INVALID_PARAMETER for none."""
    trade_no, out_trade_no = fields.text("trade_no", 64), fields.text("out_trade_no", 64)
    if trade_no:
        return {"trade_no": trade_no}
    if not out_trade_no:
        raise fields.invalid("out_trade_no", "与trade_no不能同时为空")
    return {"out_trade_no": out_trade_no}


def _failed(error: AlipayError, call: Call) -> AlipayError:
    """The same, with what clients find beside a payment's error."""
    numbers = {name: number for name in ("out_trade_no", "trade_no") if (number := call.fields.echo(name))}
    error.fields = {**told.NOTHING_PAID, **numbers}
    return error


def _again(call: Call) -> AlipayError:
    """Nobody knows yet: ask again."""
    error = AlipayError("ACQ.SYSTEM_ERROR", said="交易正在处理，请稍后重试")
    error.fields = {"retry_flag": "Y", "out_trade_no": call.fields.echo("out_trade_no")}
    return error
