"""What was used of a stock of coupons, and what refunds brought back, as files: asked for, which gives an address and a hash."""

import base64
import binascii
from functools import partial
from zoneinfo import ZoneInfo

import msgspec

from hutong.gateways.bills import wechat_bill
from hutong.gateways.vouchers.stock import FlowKind, VoucherFlow, VoucherStock, voucher_number
from hutong.gateways.vouchers.vouchers import Vouchers
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.bills import origin
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.favor import PREFIX, PRODUCT
from hutong.gateways.wechat.v3.favor_shapes import FLOW_BY_DAY
from hutong.gateways.wechat.v3.shape import read_query
from hutong.gateways.wire import WireAnswer
from hutong.institution.bills.bill import BillDay
from hutong.institution.node import InstitutionNode
from hutong.institution.sealing import SealBroken
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, format_amount
from hutong.runtime.shelf import warmed

PATH = f"{PREFIX}/flow-download"
_ZONE = ZoneInfo("Asia/Shanghai")
_LABEL = "wechatpay coupon flow address"
_LIFE_S = 300
_HEAD = "批次id,优惠id,优惠类型,{},订单总金额（元）,交易类型,支付单号,{},消耗商户号,设备号,银行流水号,单品信息"
_HEADS = {
    FlowKind.USED: _HEAD.format("优惠金额（元）", "消耗时间"),
    FlowKind.RETURNED: _HEAD.format("优惠退款金额（元）", "退款时间"),
}
_DAILY = {FlowKind.USED: "stock_useflow", FlowKind.RETURNED: "stock_refundflow"}


class FlowTicket(msgspec.Struct, frozen=True, kw_only=True):
    """What an address leads to: sealed in it, so that it can neither be read nor made by others."""

    account: str
    stock: str
    kind: FlowKind
    from_ns: int
    until_ns: int
    good_until_ns: int


class FavorFlow:
    """`use-flow` and `refund-flow`, of all time or by day, and the file behind them."""

    def __init__(
        self,
        institution: InstitutionNode,
        vouchers: Vouchers,
    ) -> None:
        self._clock = institution.node.clock
        self._journal = institution.node.journal
        self._sealing = institution.sealing
        self._stocks = vouchers.stocks
        self._vouchers = vouchers.held
        self._uses = vouchers.uses

    def endpoints(self) -> list[Endpoint]:
        stock = f"{PREFIX}/stocks/{{stock_id}}"
        built = [Endpoint("GET", PATH, PRODUCT, self._download)]
        for name, kind in (("use-flow", FlowKind.USED), ("refund-flow", FlowKind.RETURNED)):
            built += [
                Endpoint("GET", f"{stock}/{name}", PRODUCT, partial(self._offer, kind)),
                Endpoint("GET", f"{stock}/{name}-by-day", PRODUCT, partial(self._offer_day, kind)),
            ]
        return built

    async def _offer(self, kind: FlowKind, call: Call) -> WireAnswer:
        stock = self._stocks.stock(call.account, call.path["stock_id"])
        ticket = self._ticket(call, stock, kind, 0, self._clock.now_ns() + 1)
        text, _ = await self._text(stock, ticket)
        return ok({"url": self._address(call, ticket), "hash_value": wechat_bill.sha1(text), "hash_type": "SHA1"})

    async def _offer_day(self, kind: FlowKind, call: Call) -> WireAnswer:
        told = read_query(FLOW_BY_DAY, call.query)
        stock = self._stocks.stock(call.account, call.path["stock_id"])
        try:
            day = BillDay.read(told["bill_date"], _ZONE, self._clock.now_ns())
        except Refusal:
            text = "输入源“/query/bill_date”映射到字段“账单日期”格式错误，须为今天以前的yyyy-MM-dd"
            raise param_error("/query/bill_date", "format", text, told["bill_date"]) from None
        ticket = self._ticket(call, stock, kind, day.from_ns, day.until_ns)
        content, count = await self._text(stock, ticket)
        name = _DAILY[kind]
        return ok(
            {
                "url": self._address(call, ticket),
                f"{name}_hash": wechat_bill.sha1(content),
                f"{name}_count": str(count),
            }
        )

    async def _download(self, call: Call) -> WireAnswer:
        """The file itself: it is not signed, its hash came with its address."""
        ticket = self._opened(call.query.get("token", ""))
        if ticket is None or ticket.account != call.account.row.number:
            raise Fault(Code.INVALID_REQUEST, "明细下载地址无效")
        if self._clock.now_ns() > ticket.good_until_ns:
            raise Fault(Code.INVALID_REQUEST, "明细下载地址已过期，请重新申请")
        text, _ = await self._text(self._stocks.stock(call.account, ticket.stock), ticket)
        return WireAnswer(body=text, content_type="text/plain")

    def _ticket(self, call: Call, stock: VoucherStock, kind: FlowKind, from_ns: int, until_ns: int) -> FlowTicket:
        return FlowTicket(
            account=call.account.row.number,
            stock=stock.number,
            kind=kind,
            from_ns=from_ns,
            until_ns=until_ns,
            good_until_ns=self._clock.now_ns() + _LIFE_S * NS_PER_S,
        )

    async def _text(self, stock: VoucherStock, ticket: FlowTicket) -> tuple[bytes, int]:
        """The file, and how many lines it has."""
        flows = await self._vouchers.flows_of(stock, ticket.kind, ticket.from_ns, ticket.until_ns)
        await self._uses.load(flows)
        lines = await warmed(self._journal, lambda: [self._line(stock, flow) for flow in flows])
        return "".join(f"{line}\r\n" for line in (_HEADS[ticket.kind], *lines)).encode(), len(lines)

    def _line(self, stock: VoucherStock, flow: VoucherFlow) -> str:
        use = self._uses.of(stock, flow)
        cells = (
            stock.number,
            voucher_number(flow.coupon_id),
            "满减券",
            format_amount(flow.amount, Currency.CNY),
            format_amount(use.total, Currency.CNY),
            use.product,
            use.trade_no,
            moment.told(flow.at_ns),
            use.payee,
            "",
            "",
            "",
        )
        return ",".join(f"`{cell}" for cell in cells)

    def _address(self, call: Call, ticket: FlowTicket) -> str:
        """On the host that was asked: clients insist on the one they know."""
        sealed = self._sealing.seal(msgspec.msgpack.encode(ticket), _LABEL)
        return f"{origin(call.request)}{PATH}?token={base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def _opened(self, token: str) -> FlowTicket | None:
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            return msgspec.msgpack.decode(self._sealing.unseal(sealed, _LABEL), type=FlowTicket)
        except (binascii.Error, ValueError, SealBroken):
            return None
