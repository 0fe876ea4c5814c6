"""Vouchers (现金券): `alipay.marketing.cashvoucher.*` and `alipay.marketing.voucher.*`, as far as a merchant pays for them itself."""

from typing import Any

from hutong.gateways.alipay.beijing import beijing_ns, beijing_text
from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.fields import Fields
from hutong.gateways.alipay.identities import Identities
from hutong.gateways.alipay.trade import yuan
from hutong.gateways.order import Dialect
from hutong.gateways.payer import PayerIds, payer_here
from hutong.gateways.vouchers.stock import FlowKind, StockDraft, StockState, VoucherFlow, VoucherStock, is_expired
from hutong.gateways.vouchers.voucher_service import Voucher
from hutong.gateways.vouchers.vouchers import Vouchers as Capability
from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS, NS_PER_S
from hutong.marketing.coupons.coupon import CouponState
from hutong.marketing.coupons.template import ClaimLimits, CouponKind, CouponTerms, Stacking
from hutong.marketing.coupons.validity import DAYS_MAX, Validity
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

INVALID = "INVALID_PARAMETER"
_TYPE = "FIX_VOUCHER"  # 定额资金券: of one amount each, paid for beforehand.
_QUANTITY_MAX = 10_000_000
_ID_DIGITS = 39
_UNITS_S = {"MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}
_STATUS = {
    StockState.UNACTIVATED: "I",
    StockState.RUNNING: "S",
    StockState.PAUSED: "P",
    StockState.ENDED: "C",
}
_FLOWS = {FlowKind.USED: "V_USE", FlowKind.RETURNED: "V_REFUND"}


class Vouchers:
    """A template is paid for when it is made: nobody has to confirm it on a page."""

    def __init__(self, node: NodeRuntime, vouchers: Capability, identities: Identities, payers: PayerIds) -> None:
        self._journal = node.journal
        self._stocks = vouchers.stocks
        self._vouchers = vouchers.held
        self._uses = vouchers.uses
        self._identities = identities
        self._payers = payers

    def endpoints(self) -> list[Endpoint]:
        before = "alipay.marketing"
        return [
            Endpoint(method=f"{before}.{method}", product="vouchers", handler=handler, invalid=INVALID)
            for method, handler in (
                ("cashvoucher.template.create", self.create),
                ("voucher.templatedetail.query", self.detail),
                ("voucher.templatelist.query", self.templates),
                ("voucher.send", self.send),
                ("voucher.query", self.query),
                ("voucher.list.query", self.of_person),
                ("voucher.bill.query", self.bill),
            )
        ]

    async def create(self, call: Call) -> Reply:
        """Make a template, and set aside what it may give."""
        stock = await self._stocks.make(call.caller, self._draft(call))
        stock = await self._stocks.begin(call.caller, stock.number)
        return Reply({"template_id": stock.number, "confirm_uri": call.origin, "fund_order_no": stock.number})

    def _draft(self, call: Call) -> StockDraft:
        fields = call.fields
        fields.choice("voucher_type", (_TYPE,), required=True)
        amount, floor = fields.amount("amount"), fields.amount("floor_amount", required=False)
        if floor and floor <= amount:
            raise fields.invalid("floor_amount", "须大于amount")
        quantity = fields.text("voucher_quantity", 9, required=True)
        if not (quantity.isascii() and quantity.isdecimal()) or not 0 < int(quantity) <= _QUANTITY_MAX:
            raise fields.invalid("voucher_quantity", "取值不正确")
        from_ns, ends_ns = _moment(fields, "publish_start_time"), _moment(fields, "publish_end_time")
        if ends_ns <= max(from_ns, call.now_ns):
            raise fields.invalid("publish_end_time", "须晚于开始时间和当前时间")
        valid_from_ns, seconds, until_ns = _valid(fields, ends_ns)
        if until_ns - call.now_ns > DAYS_MAX * NS_PER_DAY:
            raise fields.invalid("voucher_valid_period", "超出取值范围")
        return StockDraft(
            number=fields.number("out_biz_no", required=True),
            dialect=Dialect.ALIPAY.value,
            name=" ".join(fields.text("brand_name", 20, required=True).split()),
            terms=CouponTerms(
                kind=CouponKind.AMOUNT_OFF,
                amount_off=amount,
                threshold=floor or amount + 1,
                validity=Validity(from_ms=valid_from_ns // NS_PER_MS, until_ms=until_ns // NS_PER_MS, seconds=seconds),
                limits=ClaimLimits(per_person=0, per_device=0),
                stacking=Stacking(exclusive=True),
            ),
            count=int(quantity),
            from_ns=from_ns,
            until_ns=until_ns,
            facts={
                "description": fields.text("voucher_description", 1_000),
                "period": fields.text("voucher_valid_period", 256),
                "publish_end_ns": ends_ns,
            },
        )

    async def detail(self, call: Call) -> Reply:
        """How a template stands, and what of it was sent and used."""
        stock = self._template(call)
        used = await self._vouchers.flows_of(stock, FlowKind.USED)
        back = await self._vouchers.flows_of(stock, FlowKind.RETURNED)
        template, campaign, told = self._stocks.template(stock), self._stocks.campaign(stock), stock.told
        sent, terms = self._stocks.sent(stock), template.told
        listed = {
            name: text for name, text in self._listed(stock).items() if name not in ("create_time", "activate_time")
        }
        return Reply(
            listed
            | {
                "voucher_type": _TYPE,
                "voucher_description": told["description"],
                "voucher_valid_period": told["period"],
                "voucher_quantity": str(template.stock),
                "amount": yuan(terms.amount_off),
                "floor_amount": yuan(terms.threshold),
                "total_amount": yuan(campaign.budget),
                "publish_count": str(sent),
                "publish_amount": yuan(sent * terms.amount_off),
                "used_count": str(len(used)),
                "used_amount": yuan(sum(each.amount for each in used) - sum(each.amount for each in back)),
                "recycle_amount": yuan(campaign.given_back),
            }
        )

    async def templates(self, call: Call) -> Reply:
        """The merchant's templates, newest first."""
        fields = call.fields
        since, until = _moment(fields, "create_start_time"), _moment(fields, "create_end_time")
        found = [each for each in self._stocks.stocks(call.payee) if since <= each.created_ns <= until]
        return _paged(fields, "voucher_templates", [self._listed(each) for each in found])

    def _listed(self, stock: VoucherStock) -> dict[str, str]:
        shown = {
            "template_id": stock.number,
            "voucher_name": self._stocks.template(stock).name,
            "status": _STATUS[self._stocks.state(stock)],
            "create_time": beijing_text(stock.created_ns),
            "publish_start_time": beijing_text(self._stocks.campaign(stock).starts_ns),
            "publish_end_time": beijing_text(stock.told["publish_end_ns"]),
        }
        return shown | ({"activate_time": beijing_text(stock.started_ns)} if stock.started_ns else {})

    async def send(self, call: Call) -> Reply:
        """A voucher for a person of this institution."""
        fields, stock = call.fields, self._template(call)
        amount = fields.amount("amount", required=False)
        if amount not in (0, self._stocks.template(stock).told.amount_off):
            raise fields.invalid("amount", "须等于券面额")
        if call.now_ns >= stock.told["publish_end_ns"]:
            raise AlipayError("VOUCHER_TEMPLATE_STATUS_ERROR", said="券模板已过发放时间")
        person = await self._person(call)
        voucher = await self._vouchers.send(
            call.caller, stock.number, person, fields.number("out_biz_no", required=True)
        )
        return Reply({"voucher_id": _number(voucher)} | await self._who(call, voucher))

    async def query(self, call: Call) -> Reply:
        """A voucher, and what was done with it."""
        voucher = await self._asked(call)
        coupon, stock, status = voucher.coupon, voucher.stock, self._status(call, voucher)
        template = self._stocks.template(stock)
        amount = template.told.amount_off
        shown = {
            "voucher_id": _number(voucher),
            "template_id": stock.number,
            "name": template.name,
            "voucher_description": stock.told["description"],
            "status": status,
            "total_amount": yuan(amount),
            "available_amount": yuan(amount if status == "ENABLED" else 0),
            "used_count": str(sum(each.kind == FlowKind.USED for each in voucher.flows)),
            "gmt_create": beijing_text(coupon.claimed_ns),
            "gmt_active": beijing_text(coupon.from_ns),
            "gmt_expired": beijing_text(coupon.until_ns),
            "bill_details": await warmed(self._journal, lambda: [self._billed(stock, each) for each in voucher.flows]),
        }
        return Reply(shown | await self._who(call, voucher))

    async def of_person(self, call: Call) -> Reply:
        """A person's vouchers of one template."""
        stock = self._template(call)
        vouchers = await self._vouchers.of_person(call.payee, await self._person(call))
        return Reply(
            {
                "vouchers": [
                    {
                        "voucher_id": _number(each),
                        "template_id": stock.number,
                        "status": self._status(call, each),
                        "send_time": beijing_text(each.coupon.claimed_ns),
                    }
                    for each in vouchers
                    if each.stock.id == stock.id
                ]
            }
        )

    async def bill(self, call: Call) -> Reply:
        """What was done with a voucher."""
        voucher = await self._asked(call)
        lines = await warmed(self._journal, lambda: [self._billed(voucher.stock, each) for each in voucher.flows])
        return _paged(call.fields, "voucher_bills", lines)

    def _billed(self, stock: VoucherStock, flow: VoucherFlow) -> dict[str, str]:
        return {
            "amount": yuan(flow.amount),
            "biz_type": _FLOWS[FlowKind(flow.kind)],
            "gmt_create": beijing_text(flow.at_ns),
            "status": "SUCCESS",
            "trade_no": self._uses.of(stock, flow).trade_no,
        }

    def _status(self, call: Call, voucher: Voucher) -> str:
        if voucher.coupon.state == CouponState.REDEEMED:
            return "USED"
        return "EXPIRED" if is_expired(voucher.coupon, voucher.coupon.until_ns, call.now_ns) else "ENABLED"

    def _template(self, call: Call) -> VoucherStock:
        return self._stocks.stock(call.payee, call.fields.text("template_id", 28, required=True))

    async def _asked(self, call: Call) -> Voucher:
        number = call.fields.text("voucher_id", _ID_DIGITS, required=True)
        id_ = int(number) if number.isascii() and number.isdecimal() and len(number) == _ID_DIGITS else 0
        return await self._vouchers.by_id(call.payee, id_ if id_ < 1 << 128 else 0)

    async def _person(self, call: Call) -> int | None:
        """Who is meant; None for nobody here. Refuses INVALID_PARAMETER for nobody at all."""
        for name, kind in (("user_id", "userId"), ("open_id", "openId"), ("login_id", "loginName")):
            text = call.fields.text(name, 128)
            if text:
                found = await warmed(self._journal, lambda: self._identities.find(call.account, kind, text))  # noqa: B023
                return found.user_id or None if found is not None else None
        raise call.fields.invalid("user_id", "不能为空")

    async def _who(self, call: Call, voucher: Voucher) -> dict[str, Any]:
        person = voucher.coupon.person_id
        number = await warmed(self._journal, lambda: self._identities.number_of(person))
        return {"user_id": number, "open_id": self._payers.openid(call.account.row.number, payer_here(person))}


def _number(voucher: Voucher) -> str:
    return f"{voucher.coupon.id:0{_ID_DIGITS}d}"


def _moment(fields: Fields, name: str) -> int:
    """Refuses INVALID_PARAMETER."""
    at = beijing_ns(fields.text(name, 32, required=True))
    if at is None:
        raise fields.invalid(name, "格式不正确")
    return at


def _valid(fields: Fields, publish_end_ns: int) -> tuple[int, int, int]:
    """From when a voucher is good; for how many seconds from then on, 0 for until the end; and when none is good any more."""
    period = fields.object("voucher_valid_period", required=True)
    if period.choice("type", ("ABSOLUTE", "RELATIVE"), required=True) == "ABSOLUTE":
        from_ns, until_ns = _moment(period, "start"), _moment(period, "end")
        if until_ns <= from_ns:
            raise period.invalid("end", "须晚于start")
        return from_ns, 0, until_ns
    unit_s = _UNITS_S[period.choice("unit", tuple(_UNITS_S), required=True)]
    count = period.text("duration", 7, required=True)
    if not (count.isascii() and count.isdecimal()) or not 0 < int(count) * unit_s <= DAYS_MAX * 86_400:
        raise period.invalid("duration", "取值不正确")
    return 0, int(count) * unit_s, publish_end_ns + int(count) * unit_s * NS_PER_S


def _paged(fields: Fields, name: str, found: list[dict[str, str]]) -> Reply:
    """One page of what was found. Refuses INVALID_PARAMETER."""
    numbers = []
    for asked, otherwise in (("page_num", 1), ("page_size", 20)):
        text = fields.text(asked, 4) or str(otherwise)
        if not (text.isascii() and text.isdecimal()) or int(text) < 1:
            raise fields.invalid(asked, "取值不正确")
        numbers.append(int(text))
    page, size = numbers
    return Reply(
        {
            "current_page": str(page),
            "items_per_page": str(size),
            "total_items": str(len(found)),
            "total_pages": str(-(-len(found) // size)),
            name: found[(page - 1) * size : page * size],
        }
    )
