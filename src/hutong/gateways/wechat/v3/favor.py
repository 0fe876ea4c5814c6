"""Coupons (代金券): a merchant's stocks, what is sent of them, and what was used."""

from typing import Any

from hutong.gateways.account import Caller, WechatAccount
from hutong.gateways.order import Dialect
from hutong.gateways.payer import PayerIds
from hutong.gateways.vouchers.stock import StockDraft, VoucherStock, voucher_number
from hutong.gateways.vouchers.stock_service import VoucherStockService
from hutong.gateways.vouchers.voucher_service import VoucherService
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.favor_shapes import (
    CALLBACK,
    COUPON,
    COUPONS,
    CREATE,
    MANY,
    MOVE,
    ONE,
    PART,
    SEND,
    SET_CALLBACK,
)
from hutong.gateways.wechat.v3.favor_view import STATUS, FavorView
from hutong.gateways.wechat.v3.orders import check_notify_url, words
from hutong.gateways.wechat.v3.parties import Parties, check_appid, check_number
from hutong.gateways.wechat.v3.shape import read_body, read_query
from hutong.gateways.wire import WireAnswer
from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS, Clock
from hutong.marketing.coupons.template import ClaimLimits, CouponKind, CouponTerms, Stacking
from hutong.marketing.coupons.validity import DAYS_MAX, Hours, Validity
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import warmed

PRODUCT = "favor"
PREFIX = "/v3/marketing/favor"
_MINUTES_A_DAY = 1440
_PAGE = 20
_AHEAD_NS, _LENGTH_NS = 365 * NS_PER_DAY, 90 * NS_PER_DAY  # As the vendor bounds a stock's time.
# Of what a stock can be restricted to, only this is told with a payment here: the merchant, the amount and the time.
_NOT_HERE = ("goods_tag", "trade_type", "available_items", "unavailable_items", "limit_card", "limit_pay")


class Favor:
    """Endpoints below `/v3/marketing/favor`, but for files and pictures."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        parties: Parties,
        payers: PayerIds,
        stocks: VoucherStockService,
        vouchers: VoucherService,
        view: FavorView,
        *,
        private_urls: bool,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._parties = parties
        self._payers = payers
        self._stocks = stocks
        self._vouchers = vouchers
        self._view = view
        self._private_urls = private_urls

    def endpoints(self) -> list[Endpoint]:
        stock, person = f"{PREFIX}/stocks/{{stock_id}}", f"{PREFIX}/users/{{openid}}/coupons"
        table = (
            ("POST", f"{PREFIX}/coupon-stocks", self._make),
            ("GET", f"{PREFIX}/stocks", self._stocks_of),
            ("GET", stock, self._stock),
            ("POST", f"{stock}/start", self._start),
            ("POST", f"{stock}/pause", self._pause),
            ("POST", f"{stock}/restart", self._restart),
            ("GET", f"{stock}/merchants", self._merchants),
            ("GET", f"{stock}/items", self._items),
            ("POST", person, self._send),
            ("GET", person, self._coupons),
            ("GET", f"{person}/{{coupon_id}}", self._coupon),
            ("GET", f"{PREFIX}/callbacks", self._callback),
            ("POST", f"{PREFIX}/callbacks", self._set_callback),
        )
        return [Endpoint(method, path, PRODUCT, handler) for method, path, handler in table]

    # Stocks.

    async def _make(self, call: Call) -> WireAnswer:
        body = read_body(CREATE, call.signed)
        caller = await self._parties.for_whom(call, body["belong_merchant"])
        draft = self._draft(caller, body)
        stock = await self._stocks.make(caller, draft)
        return ok({"stock_id": stock.number, "create_time": moment.told(stock.created_ns)})

    def _draft(self, caller: Caller, body: dict[str, Any]) -> StockDraft:
        """Refuses PARAM_ERROR; INVALID_REQUEST for a kind of coupon that is not here."""
        rule, use = body["stock_use_rule"], body["coupon_use_rule"]
        normal = use["fixed_normal_coupon"]
        _check_kind(caller, body)
        from_ns, until_ns = self._times(body)
        amount, by_day = normal["coupon_amount"], rule.get("max_amount_by_day", 0)
        if rule["max_amount"] != amount * rule["max_coupons"]:
            raise _wrong("stock_use_rule/max_amount", "总预算", "须等于面额乘以发放总上限", rule["max_amount"])
        if normal["transaction_minimum"] <= amount:
            raise _wrong("coupon_use_rule/fixed_normal_coupon/transaction_minimum", "门槛", "须大于面额", amount)
        if by_day and by_day % amount:
            raise _wrong("stock_use_rule/max_amount_by_day", "单天预算发放上限", "须为面额的整数倍", by_day)
        terms = CouponTerms(
            kind=CouponKind.AMOUNT_OFF,
            amount_off=amount,
            threshold=normal["transaction_minimum"],
            validity=_validity(use.get("coupon_available_time") or {}, until_ns),
            limits=ClaimLimits(
                per_person=rule["max_coupons_per_user"], per_device=0, per_day=by_day // amount if by_day else 0
            ),
            stacking=Stacking(exclusive=not use.get("combine_use", False)),
        )
        pattern = body.get("pattern_info") or {}
        return StockDraft(
            number=body["out_request_no"],
            dialect=Dialect.WECHATPAY_V3.value,
            name=words(body["stock_name"]),
            terms=terms,
            count=rule["max_coupons"],
            from_ns=from_ns,
            until_ns=until_ns,
            facts={
                "description": pattern.get("description") or body.get("comment", ""),
                "stock_use_rule": {name: value for name, value in rule.items() if value is not None},
            },
        )

    def _times(self, body: dict[str, Any]) -> tuple[int, int]:
        """From when until when. Refuses PARAM_ERROR."""
        begins, ends = moment.read(body["available_begin_time"]), moment.read(body["available_end_time"])
        for name, label, at in (("begin", "开始", begins), ("end", "结束", ends)):
            if at is None or at < 0:
                text = body[f"available_{name}_time"]
                raise _wrong(f"available_{name}_time", f"可用时间-{label}时间", "格式错误，须为RFC3339", text)
        assert begins is not None
        assert ends is not None
        if ends <= max(begins, self._clock.now_ns()):
            text = body["available_end_time"]
            raise _wrong("available_end_time", "可用时间-结束时间", "须晚于开始时间和当前时间", text)
        if begins - self._clock.now_ns() > _AHEAD_NS:
            text = body["available_begin_time"]
            raise _wrong("available_begin_time", "可用时间-开始时间", "不能创建365天后开始的批次", text)
        if ends - begins > _LENGTH_NS:
            text = body["available_end_time"]
            raise _wrong("available_end_time", "可用时间-结束时间", "批次可用时间范围最长为90天", text)
        return begins, ends

    async def _start(self, call: Call) -> WireAnswer:
        caller = await self._moving(call)
        stock = await self._stocks.begin(caller, call.path["stock_id"])
        return ok({"start_time": moment.told(stock.started_ns), "stock_id": stock.number})

    async def _pause(self, call: Call) -> WireAnswer:
        stock = await self._stocks.pause(await self._moving(call), call.path["stock_id"])
        return ok({"pause_time": self._changed(stock), "stock_id": stock.number})

    async def _restart(self, call: Call) -> WireAnswer:
        stock = await self._stocks.resume(await self._moving(call), call.path["stock_id"])
        return ok({"restart_time": self._changed(stock), "stock_id": stock.number})

    def _changed(self, stock: VoucherStock) -> str:
        return moment.told(self._stocks.template(stock).changed_ns)

    async def _moving(self, call: Call) -> Caller:
        body = read_body(MOVE, call.signed)
        return await self._parties.for_whom(call, body["stock_creator_mchid"])

    async def _stock(self, call: Call) -> WireAnswer:
        stock = await self._asked(call, read_query(ONE, call.query))
        return ok(await warmed(self._journal, lambda: self._view.stock(stock)))

    async def _stocks_of(self, call: Call) -> WireAnswer:
        told = read_query(MANY, call.query)
        caller = await self._parties.for_whom(call, told["stock_creator_mchid"])
        since, until = _moment(told, "create_start_time", 0), _moment(told, "create_end_time", 1 << 62)
        found = [
            stock
            for stock in self._stocks.stocks(caller.payee)
            if since <= stock.created_ns <= until and told.get("status") in (None, STATUS[self._stocks.state(stock)])
        ]
        part = _part(found, told["offset"], told["limit"])
        shown = await warmed(self._journal, lambda: [self._view.stock(stock) for stock in part])
        return ok({"total_count": len(found), "limit": told["limit"], "offset": told["offset"], "data": shown})

    async def _merchants(self, call: Call) -> WireAnswer:
        """Where it is good: with the merchant that pays for it."""
        return await self._listed(call, payee=True)

    async def _items(self, call: Call) -> WireAnswer:
        """It is good for whatever is bought."""
        return await self._listed(call, payee=False)

    async def _listed(self, call: Call, *, payee: bool) -> WireAnswer:
        told = read_query(PART, call.query)
        stock = await self._asked(call, told)
        found = [await warmed(self._journal, lambda: self._view.payee_of(stock))] if payee else []
        part = _part(found, told["offset"], told["limit"])
        return ok(
            {
                "total_count": len(found),
                "data": part,
                "offset": told["offset"],
                "limit": told["limit"],
                "stock_id": stock.number,
            }
        )

    async def _asked(self, call: Call, told: dict[str, Any]) -> VoucherStock:
        """Refuses RESOURCE_NOT_EXISTS."""
        caller = await self._parties.for_whom(call, told["stock_creator_mchid"])
        return self._stocks.stock(caller.payee, call.path["stock_id"])

    # People's coupons.

    async def _send(self, call: Call) -> WireAnswer:
        body = read_body(SEND, call.signed)
        check_appid(call.account, body["appid"])
        caller = await self._parties.for_whom(call, body["stock_creator_mchid"])
        terms = self._stocks.template(self._stocks.stock(caller.payee, body["stock_id"])).told
        for name, value in (("coupon_value", terms.amount_off), ("coupon_minimum", terms.threshold)):
            if body.get(name) not in (None, value):
                raise Fault(Code.INVALID_REQUEST, "该批次不支持指定面额发券")
        person = self._payers.person(body["appid"], call.path["openid"])
        voucher = await self._vouchers.send(caller, body["stock_id"], person, body["out_request_no"])
        return ok({"coupon_id": voucher_number(voucher.coupon.id)})

    async def _coupon(self, call: Call) -> WireAnswer:
        told = read_query(COUPON, call.query)
        check_appid(call.account, told["appid"])
        person = self._payers.person(told["appid"], call.path["openid"])
        voucher = await self._vouchers.find(call.account, person, call.path["coupon_id"])
        return ok(await warmed(self._journal, lambda: self._view.coupon(voucher)))

    async def _coupons(self, call: Call) -> WireAnswer:
        told = read_query(COUPONS, call.query)
        check_appid(call.account, told["appid"])
        numbers = [told[name] for name in ("creator_mchid", "sender_mchid", "available_mchid") if name in told]
        if not numbers and "stock_id" not in told:
            raise param_error(
                "/query/creator_mchid", "required", "批次号、创建商户号、发放商户号、可用商户号须至少填写一个"
            )
        account = call.account
        for number in numbers:
            payee = (await self._parties.for_whom(call, number)).payee
            assert isinstance(payee, WechatAccount)
            account = payee
        person = self._payers.person(told["appid"], call.path["openid"])
        found = [
            voucher
            for voucher in await self._vouchers.of_person(account, person)
            if told.get("stock_id") in (None, voucher.stock.number)
            and told.get("status") in (None, self._view.status(voucher))
        ]
        offset, limit = told.get("offset", 0), told.get("limit", _PAGE)
        part = _part(found, offset, limit)
        shown = await warmed(self._journal, lambda: [self._view.coupon(voucher) for voucher in part])
        return ok({"total_count": len(found), "offset": offset, "limit": limit, "data": shown})

    # Where their use is told.

    async def _callback(self, call: Call) -> WireAnswer:
        told = read_query(CALLBACK, call.query)
        check_number(call, told["mchid"], "/query/mchid")
        callback = self._stocks.callbacks.get(call.account.row.id)
        if callback is None:
            raise Fault(Code.RESOURCE_NOT_EXISTS, "未设置代金券消息通知地址")
        return ok({"mchid": told["mchid"], "notify_url": callback.url})

    async def _set_callback(self, call: Call) -> WireAnswer:
        body = read_body(SET_CALLBACK, call.signed)
        check_number(call, body["mchid"], "/body/mchid")
        check_notify_url(body["notify_url"], private_allowed=self._private_urls)
        is_on = body.get("switch") is not False
        callback = await self._stocks.tell_at(call.account, body["notify_url"], is_on=is_on)
        return ok({"update_time": moment.told(callback.changed_ns), "notify_url": callback.url})


def _check_kind(caller: Caller, body: dict[str, Any]) -> None:
    """Refuses INVALID_REQUEST."""
    use = body["coupon_use_rule"]
    if body["no_cash"]:
        raise Fault(Code.INVALID_REQUEST, "仅支持预充值代金券：no_cash须为false")
    if body["stock_type"] != "NORMAL":
        raise Fault(Code.INVALID_REQUEST, "仅支持固定面额满减券：stock_type须为NORMAL")
    for name in _NOT_HERE:
        if use.get(name):
            raise Fault(Code.INVALID_REQUEST, f"不支持该核销规则：{name}")
    allowed = {caller.payee.row.number}
    if not set(use.get("available_merchants") or ()) <= allowed:
        raise Fault(Code.INVALID_REQUEST, "可用商户号须为批次归属商户号")


def _validity(time: dict[str, Any], until_ns: int) -> Validity:
    """When a coupon is good. Refuses PARAM_ERROR."""
    fixed = time.get("fix_available_time") or {}
    pointer = "coupon_use_rule/coupon_available_time"
    minutes = time.get("available_time_after_receive", 0)
    if minutes > DAYS_MAX * _MINUTES_A_DAY:
        raise _wrong(f"{pointer}/available_time_after_receive", "领取后有效时间", "有效期过长", minutes)
    hours: tuple[Hours, ...] = ()
    begins, ends = fixed.get("begin_time", 0), fixed.get("end_time", 0)
    if begins or ends:
        if not begins < ends or begins % 60:
            raise _wrong(
                f"{pointer}/fix_available_time/begin_time", "当天开始时间", "须为整分钟，且早于结束时间", begins
            )
        hours = (Hours(from_minute=begins // 60, until_minute=-(-ends // 60)),)
    return Validity(
        until_ms=until_ns // NS_PER_MS,
        waits_days=1 if time.get("second_day_available") else 0,
        seconds=minutes * 60,
        weekdays=tuple(sorted({day or 7 for day in fixed.get("available_week_day") or ()})),
        hours=hours,
    )


def _moment(told: dict[str, Any], name: str, otherwise: int) -> int:
    """Refuses PARAM_ERROR."""
    if name not in told:
        return otherwise
    at = moment.read(told[name])
    if at is None:
        text = f"输入源“/query/{name}”格式错误，须为RFC3339"
        raise param_error(f"/query/{name}", "format", text, told[name])
    return at


def _part(found: list[Any], offset: int, limit: int) -> list[Any]:
    """What the vendor calls an offset is the number of a page, from 0."""
    return found[offset * limit : (offset + 1) * limit]


def _wrong(field: str, label: str, rule: str, value: Any) -> Fault:
    text = f"输入源“/body/{field}”映射到字段“{label}”校验失败，{rule}"
    return param_error(f"/body/{field}", "rule", text, value)
