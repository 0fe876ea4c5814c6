"""Bills in v2: the answer is the file itself, or a document that says why there is none. Specification 8.10."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hutong.gateways.bills import wechat_bill
from hutong.gateways.bills.bill_service import GatewayBillService
from hutong.gateways.bills.wechat_bill import TradeBillType
from hutong.gateways.wechat.v2 import answer, shape
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint, Proof
from hutong.gateways.wechat.v2.errors import Code, Fault
from hutong.gateways.wire import WireAnswer
from hutong.institution.bills.bill import BillDay, day_of
from hutong.kernel.clock import NS_PER_HOUR, Clock

_ZONE = ZoneInfo("Asia/Shanghai")
_READY_NS = 10 * NS_PER_HOUR  # Bills of a day are there at ten in the morning of the next.
_DAYS_KEPT = 92
# What `error_code` says beside the words: clients know the numbers.
_NONE, _CREATING, _WRONG_DAY = ("20002", "No Bill Exist"), ("20003", "Bill Creating"), ("20001", "invalid bill_date")


class NoBill(Exception):  # noqa: N818  # It is an answer, not an error of ours.
    """There is none. Its texts are the vendor's."""

    def __init__(self, why: tuple[str, str]) -> None:
        super().__init__(*why)
        self.error_code, self.words = why


class Bills:
    """The endpoints of bills."""

    def __init__(self, bills: GatewayBillService, clock: Clock) -> None:
        self._bills = bills
        self._clock = clock

    def endpoints(self) -> tuple[Endpoint, ...]:
        table = (
            ("/pay/downloadbill", shape.DOWNLOADBILL, self.downloadbill),
            ("/pay/downloadfundflow", shape.DOWNLOADFUNDFLOW, self.downloadfundflow),
        )
        return tuple(
            Endpoint(
                path=path,
                product="对账单",
                parameters=parameters,
                handler=handler,
                proof=Proof.NONE,
                unsaid=frozenset({"appid", "mch_id", "nonce_str"}),
            )
            for path, parameters, handler in table
        )

    async def downloadbill(self, call: Call) -> Fields | WireAnswer:
        """What was paid and given back on a day."""
        wanted = call.text("bill_type") or "ALL"
        try:
            if wanted not in set(TradeBillType):
                raise NoBill(_NONE)
            kind = TradeBillType(wanted)
            lines = await self._bills.trades(call.caller, self._day(call.text("bill_date")))
            if kind is not TradeBillType.ALL:
                lines = [line for line in lines if line.is_refund == (kind is TradeBillType.REFUND)]
            if not lines:
                raise NoBill(_NONE)
        except NoBill as none:
            # One layer alone: it is the transport that fails, as the vendor has it.
            return answer.unread_with(none.words, {"error_code": none.error_code})
        return _file(call, wechat_bill.trade_bill(lines, kind, _ZONE))

    async def downloadfundflow(self, call: Call) -> Fields | WireAnswer:
        """All that moved on the merchant's money on a day."""
        try:
            if call.text("account_type") == "Fees":  # They are taken from each payment: there is no account of them.
                raise NoBill(_NONE)
            lines = await self._bills.funds(call.caller, self._day(call.text("bill_date")))
        except NoBill as none:
            if none.error_code == _WRONG_DAY[0]:
                raise Fault(Code.PARAM_ERROR, none.words) from none
            raise Fault(Code.BILL_CREATING if none.error_code == _CREATING[0] else Code.NO_BILL_EXIST) from none
        if not lines:
            raise Fault(Code.NO_BILL_EXIST)
        return _file(call, wechat_bill.fund_bill(lines, _ZONE))

    def _day(self, text: str) -> BillDay:
        """A day of the last three months whose bill is ready."""
        now_ns = self._clock.now_ns()
        try:
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            raise NoBill(_WRONG_DAY) from None
        today = day_of(now_ns, _ZONE)
        if day >= today or day < today - timedelta(days=_DAYS_KEPT):
            raise NoBill(_WRONG_DAY)
        found = BillDay.read(day.isoformat(), _ZONE, now_ns)
        if now_ns < found.until_ns + _READY_NS:
            raise NoBill(_CREATING)
        return found


def _file(call: Call, text: bytes) -> WireAnswer:
    if call.text("tar_type") == "GZIP":
        return WireAnswer(body=wechat_bill.packed(text), content_type="application/x-gzip")
    return WireAnswer(body=text, content_type="text/plain; charset=utf-8")
