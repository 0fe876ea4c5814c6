"""Bills: asked for, which gives an address and a hash, then downloaded there within five minutes."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hutong.gateways import keys
from hutong.gateways.account import Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.bills import wechat_bill
from hutong.gateways.bills.bill_service import GatewayBillService
from hutong.gateways.bills.wechat_bill import TradeBillType
from hutong.gateways.wechat.v3 import cipher
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.parties import Parties
from hutong.gateways.wechat.v3.shape import Field, Group, Text, read_query
from hutong.gateways.wire import WireAnswer, WireRequest
from hutong.institution.bills.bill import BillDay, day_of
from hutong.institution.sealing import SealBroken, SealingKeys
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

PRODUCT = "bill"
PATH = "/v3/billdownload/file"
_ZONE = ZoneInfo("Asia/Shanghai")
_LABEL = "wechatpay bill address"
_LIFE_S = 300
_READY_NS = 10 * NS_PER_HOUR  # Bills of a day are there at ten in the morning of the next.
_DAYS_KEPT = 92
_VENDOR_HOSTS = (".weixin.qq.com", ".wechatpay.cn")
_DATE = Text("账单日期", 10, required=True)
_SUB_MCHID = Text("子商户号", 32)
_TAR_TYPE = Text("压缩类型", 16, one_of=("GZIP",))
_ACCOUNT_TYPE = Text("资金账户类型", 32, one_of=("BASIC", "OPERATION", "FEES"))
_BILL_TYPES = ("ALL", "SUCCESS", "REFUND", "RECHARGE_REFUND", "ALL_SPECIAL", "SUC_SPECIAL", "REF_SPECIAL")
_TRADE = Group(
    "请求",
    {
        "bill_date": _DATE,
        "sub_mchid": _SUB_MCHID,
        "bill_type": Text("账单类型", 32, one_of=_BILL_TYPES),
        "tar_type": _TAR_TYPE,
    },
)
_FUNDS: dict[str, Field] = {
    "bill_date": _DATE,
    "sub_mchid": _SUB_MCHID,
    "account_type": _ACCOUNT_TYPE,
    "tar_type": _TAR_TYPE,
}
_SUB_FUNDS = Group(
    "请求",
    _FUNDS
    | {
        "sub_mchid": Text("子商户号", 32, required=True),
        "account_type": Text("资金账户类型", 32, required=True, one_of=("BASIC", "OPERATION", "FEES", "DEPOSIT")),
        "algorithm": Text("加密算法", 32, required=True, one_of=("AEAD_AES_256_GCM",)),
    },
)


class BillKind(StrEnum):
    TRADES = "TRADES"
    FUNDS = "FUNDS"
    RECEIPT = "RECEIPT"  # No bill: of money that was sent.


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What an address of a bill leads to: sealed in it, so that it can neither be read nor made by others."""

    account: str
    payee: str
    kind: BillKind
    bill_type: str
    day: str
    is_packed: bool
    until_ns: int
    key: bytes = b""  # The bill is encrypted with it.
    nonce: bytes = b""


# The document that a receipt's address names.
ReceiptFile = Callable[[Caller, str], Awaitable[bytes]]


class Bills:
    """Trade bills, fund bills, and the file behind both."""

    def __init__(
        self,
        node: NodeRuntime,
        parties: Parties,
        accounts: AccountService,
        bills: GatewayBillService,
        sealing: SealingKeys,
    ) -> None:
        self._clock = node.clock
        self._journal = node.journal
        self._randomness = node.randomness
        self._parties = parties
        self._accounts = accounts
        self._bills = bills
        self._sealing = sealing
        self.receipt: ReceiptFile | None = None

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/v3/bill/tradebill", PRODUCT, self._trades),
            Endpoint("GET", "/v3/bill/fundflowbill", PRODUCT, self._funds),
            Endpoint("GET", "/v3/bill/sub-merchant-fundflowbill", PRODUCT, self._merchants_funds),
            Endpoint("GET", PATH, PRODUCT, self._download),
        ]

    async def _trades(self, call: Call) -> WireAnswer:
        told = read_query(_TRADE, call.query)
        bill_type = told.get("bill_type", "ALL")
        if bill_type not in set(TradeBillType):
            raise Fault(Code.NO_STATEMENT_EXIST)
        return await self._offer(call, told, BillKind.TRADES, bill_type)

    async def _funds(self, call: Call) -> WireAnswer:
        told = read_query(Group("请求", _FUNDS), call.query)
        if told.get("account_type") == "FEES":
            raise Fault(Code.NO_STATEMENT_EXIST)
        return await self._offer(call, told, BillKind.FUNDS, "")

    async def _offer(self, call: Call, told: dict[str, str], kind: BillKind, bill_type: str) -> WireAnswer:
        caller = await self._parties.for_whom(call, told.get("sub_mchid", ""))
        ticket = self._of_day(caller, told, kind, bill_type)
        text = await self._text(caller, ticket)
        return ok(
            {
                "hash_type": "SHA1",
                "hash_value": wechat_bill.sha1(text),
                "download_url": self.address(call.request, ticket),
            }
        )

    async def _merchants_funds(self, call: Call) -> WireAnswer:
        """A merchant's funds for its service provider: the file is encrypted, its key to the provider's certificate."""
        told = read_query(_SUB_FUNDS, call.query)
        caller = await self._parties.acting(call, told["sub_mchid"])
        if told["account_type"] in {"FEES", "DEPOSIT"}:
            raise Fault(Code.NO_STATEMENT_EXIST)
        drawn = self._randomness.randbytes(22).hex()
        key, nonce = drawn[:32].encode(), drawn[32:]
        plain = self._of_day(caller, told, BillKind.FUNDS, "")
        text = await self._text(caller, plain)
        ticket = msgspec.structs.replace(plain, key=key, nonce=nonce.encode())
        mine = keys.public_key(call.account.facts.keys[-1].pem)
        offered = {
            "bill_sequence": 1,
            "download_url": self.address(call.request, ticket),
            "encrypt_key": cipher.encrypt_field(mine, key.decode()),
            "hash_type": "SHA1",
            "hash_value": wechat_bill.sha1(text),
            "nonce": nonce,
        }
        return ok({"download_bill_count": 1, "download_bill_list": [offered]})

    async def _download(self, call: Call) -> WireAnswer:
        """The file itself: it is not signed, its hash came with its address."""
        ticket = self._opened(call.query.get("token", ""))
        if ticket is None or ticket.account != call.account.row.number:
            raise Fault(Code.INVALID_REQUEST, "账单下载地址无效")
        if self._clock.now_ns() > ticket.until_ns:
            raise Fault(Code.INVALID_REQUEST, "账单下载地址已过期，请重新申请账单")
        payee = await warmed(self._journal, lambda: self._accounts.wechatpay(ticket.payee))
        caller = Caller(call.account, payee)
        if ticket.kind is BillKind.RECEIPT:
            assert self.receipt is not None, "who gave the address can follow it"
            return WireAnswer(body=await self.receipt(caller, ticket.bill_type), content_type="application/pdf")
        content = await self._text(caller, ticket)
        if ticket.is_packed:
            content = wechat_bill.packed(content)
        if ticket.key:
            content = AESGCM(ticket.key).encrypt(ticket.nonce, content, None)
        kind = "application/octet-stream" if ticket.key else "application/gzip" if ticket.is_packed else "text/plain"
        return WireAnswer(body=content, content_type=kind)

    def ticket(self, caller: Caller, kind: BillKind, what: str, day: str = "", *, is_packed: bool = False) -> Ticket:
        """An address for the next five minutes."""
        return Ticket(
            account=caller.account.row.number,
            payee=caller.payee.row.number,
            kind=kind,
            bill_type=what,
            day=day,
            is_packed=is_packed,
            until_ns=self._clock.now_ns() + _LIFE_S * NS_PER_S,
        )

    def _of_day(self, caller: Caller, told: dict[str, str], kind: BillKind, bill_type: str) -> Ticket:
        """Refuses PARAM_ERROR, STATEMENT_CREATING."""
        now_ns = self._clock.now_ns()
        day, today = self._day(told["bill_date"]), day_of(now_ns, _ZONE)
        if day.day >= today or day.day < today - timedelta(days=_DAYS_KEPT):
            text = "输入源“/query/bill_date”映射到字段“账单日期”校验失败，须为三个月内、今天以前的日期"
            raise param_error("/query/bill_date", "out of range", text, told["bill_date"])
        if now_ns < day.until_ns + _READY_NS:
            raise Fault(Code.STATEMENT_CREATING)
        is_packed = told.get("tar_type") == "GZIP"
        return self.ticket(caller, kind, bill_type, day.day.isoformat(), is_packed=is_packed)

    def _day(self, text: str) -> BillDay:
        try:
            return BillDay.read(text, _ZONE, self._clock.now_ns())
        except Refusal:
            issue = "输入源“/query/bill_date”映射到字段“账单日期”格式错误，须为yyyy-MM-dd"
            raise param_error("/query/bill_date", "format", issue, text) from None

    async def _text(self, caller: Caller, ticket: Ticket) -> bytes:
        """The bill as text. Refuses NO_STATEMENT_EXIST for a day of nothing."""
        day = self._day(ticket.day)
        if ticket.kind is BillKind.TRADES:
            bill_type = TradeBillType(ticket.bill_type)
            trades = await self._bills.trades(caller, day)
            if bill_type is not TradeBillType.ALL:
                trades = [line for line in trades if line.is_refund == (bill_type is TradeBillType.REFUND)]
            if not trades:
                raise Fault(Code.NO_STATEMENT_EXIST)
            return wechat_bill.trade_bill(trades, bill_type, _ZONE)
        funds = await self._bills.funds(caller, day)
        if not funds:
            raise Fault(Code.NO_STATEMENT_EXIST)
        return wechat_bill.fund_bill(funds, _ZONE)

    def address(self, request: WireRequest, ticket: Ticket) -> str:
        """On the host that was asked: clients insist on the one they know."""
        token = (
            base64.urlsafe_b64encode(self._sealing.seal(msgspec.msgpack.encode(ticket), _LABEL)).decode().rstrip("=")
        )
        tail = "&tartype=gzip" if ticket.is_packed else ""
        return f"{origin(request)}{PATH}?token={token}{tail}"

    def _opened(self, token: str) -> Ticket | None:
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            return msgspec.msgpack.decode(self._sealing.unseal(sealed, _LABEL), type=Ticket)
        except (binascii.Error, ValueError, SealBroken):
            return None


def origin(request: WireRequest) -> str:
    """Scheme and host as the client called them; the vendor's own names are never without TLS."""
    name = request.host.rpartition(":")[0] or request.host
    scheme = "https" if name.endswith(_VENDOR_HOSTS) else request.scheme
    return f"{scheme}://{request.host}"
