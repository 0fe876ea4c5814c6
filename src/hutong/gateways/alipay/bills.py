"""Bills: an address that is good for half a minute, and behind it the file, for whoever has the address."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.alipay.beijing import ZONE
from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.pages import page, shown
from hutong.gateways.bills.alipay_bill import BillHead, account_bill, trade_bill
from hutong.gateways.bills.bill_service import GatewayBillService
from hutong.gateways.wire import WireAnswer, WireRequest
from hutong.institution.bills.bill import BillDay, Days, day_of, read_day
from hutong.institution.node import InstitutionNode
from hutong.institution.sealing import SealBroken
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import warmed

PATH = "/alipay/bills/"
LIFE_S = 30
_READY_NS = 9 * NS_PER_HOUR  # Bills of a day are there at nine in the morning of the next.
_DAYS_KEPT = 366
_LABEL = "alipay bill address"


class BillType(StrEnum):
    """The bills that are made here: what was sold, and what moved on the account."""

    TRADE = "trade"
    ACCOUNT = "signcustomer"


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What an address leads to: sealed in it, so that it can neither be read nor made by others."""

    account_id: int
    payee_id: int
    bill_type: BillType
    first: date
    last: date
    until_ns: int


class Bills:
    """Of the application that is paid; a bill of nothing is none."""

    def __init__(self, institution: InstitutionNode, accounts: AccountService, bills: GatewayBillService) -> None:
        self._clock = institution.node.clock
        self._journal = institution.node.journal
        self._sealing = institution.sealing
        self._accounts = accounts
        self._bills = bills

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint(method="alipay.data.dataservice.bill.downloadurl.query", product="bills", handler=self.offer)]

    async def offer(self, call: Call) -> Reply:
        """
        Where the bill of a day or a month is.

        Refuses:  INVAILID_ARGUMENTS (so it is spelled); BILL_NOT_EXIST, before nine of the next day; NO_BILL_DATA.
        """
        bill_type = call.fields.text("bill_type", 32, required=True)
        if bill_type not in set(BillType):
            raise AlipayError("BILL_NOT_EXIST", said="账单不存在")
        first, last = _days(call.fields.text("bill_date", 10, required=True))
        days = Days.of(first, last, ZONE)
        if first < day_of(call.now_ns, ZONE) - timedelta(days=_DAYS_KEPT) or call.now_ns < days.until_ns + _READY_NS:
            raise AlipayError("BILL_NOT_EXIST", said="账单不存在")
        ticket = Ticket(
            account_id=call.account.row.id,
            payee_id=call.payee.row.id,
            bill_type=BillType(bill_type),
            first=first,
            last=last,
            until_ns=call.now_ns + LIFE_S * NS_PER_S,
        )
        if await self._file(call.caller, ticket) is None:
            raise AlipayError("NO_BILL_DATA", said="账单数据不存在")
        sealed = self._sealing.seal(msgspec.msgpack.encode(_plain(ticket)), _LABEL)
        token = urlsafe_b64encode(sealed).decode().rstrip("=")
        return Reply({"bill_download_url": f"{call.origin}{PATH}{token}"})

    async def __call__(self, request: WireRequest) -> WireAnswer:
        """The file of an address."""
        ticket = self._opened(request.path.removeprefix(PATH))
        if ticket is None or self._clock.now_ns() > ticket.until_ns:
            return shown(page("page.html", title="下载地址已失效 This address is no longer good", text=""), 403)
        account = await warmed(self._journal, lambda: self._accounts.account(ticket.account_id))
        payee = await warmed(self._journal, lambda: self._accounts.account(ticket.payee_id))
        content = await self._file(Caller(account, payee), ticket)
        name = f"{getattr(payee.facts, 'seller_id', '')}_{ticket.first:%Y%m%d}.zip"
        return WireAnswer(
            body=content or b"",
            content_type="application/octet-stream",
            headers=(("content-disposition", f'attachment; filename="{name}"'), ("cache-control", "no-store")),
        )

    async def _file(self, caller: Caller, ticket: Ticket) -> bytes | None:
        days = Days.of(ticket.first, ticket.last, ZONE)
        day = BillDay(days.first, days.from_ns, days.until_ns)
        head = BillHead(
            pid=getattr(caller.payee.facts, "seller_id", ""),
            day=ticket.first,
            last=ticket.last,
            written_ns=self._clock.now_ns(),
            zone=ZONE,
        )
        if ticket.bill_type is BillType.TRADE:
            trades = await self._bills.trades(caller, day)
            return trade_bill(head, trades) if trades else None
        funds = await self._bills.funds(caller, day)
        return account_bill(head, funds) if funds else None

    def _opened(self, token: str) -> Ticket | None:
        try:
            sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            told = msgspec.msgpack.decode(self._sealing.unseal(sealed, _LABEL), type=dict[str, str])
            return msgspec.convert(told, Ticket, strict=False)
        except (binascii.Error, ValueError, SealBroken, msgspec.ValidationError):
            return None


def _plain(ticket: Ticket) -> dict[str, str]:
    """As texts: its numbers have more bits than the packed form takes."""
    return {name: str(value) for name, value in msgspec.structs.asdict(ticket).items()}


def _days(text: str) -> tuple[date, date]:
    """The first and the last day of `yyyy-MM-dd` or `yyyy-MM`. Refuses INVAILID_ARGUMENTS."""
    try:
        if len(text) == len("2026-01"):
            first = read_day("bill_date", f"{text}-01")
            following = (first + timedelta(days=31)).replace(day=1)
            return first, following - timedelta(days=1)
        day = read_day("bill_date", text)
    except Refusal:
        raise AlipayError("INVAILID_ARGUMENTS", said="入参不合法：bill_date") from None
    return day, day
