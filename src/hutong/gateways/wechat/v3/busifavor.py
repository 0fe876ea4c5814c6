"""Merchants' own coupons (商家券): stocks, their codes, what is sent of them, and what the merchant takes."""

import re
from collections import Counter
from functools import partial
from typing import Any

from hutong.gateways.account import Caller, WechatAccount
from hutong.gateways.payer import PayerIds, payer_here
from hutong.gateways.till_coupons.stock import TillStock
from hutong.gateways.till_coupons.till_coupons import TillCoupons
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.busifavor_draft import CHANGED, draft_of, facts_of, moment_of, wrong
from hutong.gateways.wechat.v3.busifavor_shapes import (
    BIND,
    BUDGET,
    CALLBACK,
    CHANGE,
    CODE,
    CODES,
    COUPONS,
    CREATE,
    DEACTIVATE,
    DELETE,
    ONE_CODE,
    RETURN,
    SEND,
    SET_CALLBACK,
    UPLOAD,
    USE,
)
from hutong.gateways.wechat.v3.busifavor_view import BusifavorView
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, no_content, ok
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.orders import check_notify_url, words
from hutong.gateways.wechat.v3.parties import Parties, check_appid, check_number
from hutong.gateways.wechat.v3.shape import read_body, read_query
from hutong.gateways.wire import WireAnswer
from hutong.kernel.clock import Clock
from hutong.marketing.coupons.till_code import CODE_LENGTH_MAX
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import warmed

PRODUCT = "busifavor"
PREFIX = "/v3/marketing/busifavor"
_PAGE, _CODES_PAGE = 20, 10


class Busifavor:
    """Endpoints below `/v3/marketing/busifavor`, but for subsidies."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        parties: Parties,
        payers: PayerIds,
        coupons: TillCoupons,
        view: BusifavorView,
        *,
        private_urls: bool,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._parties = parties
        self._payers = payers
        self._stocks = coupons.stocks
        self._held = coupons.held
        self._view = view
        self._private_urls = private_urls

    def endpoints(self) -> list[Endpoint]:
        stock, person = f"{PREFIX}/stocks/{{stock_id}}", f"{PREFIX}/users/{{openid}}/coupons"
        table = (
            ("POST", f"{PREFIX}/stocks", self._make),
            ("GET", stock, self._stock),
            ("PATCH", stock, self._change),
            ("PATCH", f"{stock}/budget", self._budget),
            ("POST", f"{stock}/couponcodes", self._upload),
            ("GET", f"{stock}/couponcodes", self._codes),
            ("GET", f"{stock}/couponcodes/{{coupon_code}}", self._code),
            ("DELETE", f"{stock}/couponcodes/{{coupon_code}}", self._delete),
            ("POST", f"{PREFIX}/coupons/send", self._send),
            ("POST", f"{PREFIX}/coupons/use", self._use),
            ("POST", f"{PREFIX}/coupons/return", self._return),
            ("POST", f"{PREFIX}/coupons/deactivate", self._deactivate),
            ("POST", f"{PREFIX}/coupons/associate", partial(self._bind, on=True)),
            ("POST", f"{PREFIX}/coupons/disassociate", partial(self._bind, on=False)),
            ("GET", person, self._coupons),
            ("GET", f"{person}/{{coupon_code}}/appids/{{appid}}", self._coupon),
            ("GET", f"{PREFIX}/callbacks", self._callback),
            ("POST", f"{PREFIX}/callbacks", self._set_callback),
        )
        return [Endpoint(method, path, PRODUCT, handler) for method, path, handler in table]

    # Stocks.

    async def _make(self, call: Call) -> WireAnswer:
        body = read_body(CREATE, call.signed)
        caller = await self._parties.for_whom(call, body["belong_merchant"])
        _check_notified(call, body)
        stock = await self._stocks.make(caller, draft_of(body, self._clock.now_ns()))
        return ok({"stock_id": stock.number, "create_time": moment.told(stock.created_ns)})

    async def _stock(self, call: Call) -> WireAnswer:
        _, stock = self._asked(call, call.path["stock_id"])
        codes = await self._held.codes(stock)
        return ok(await warmed(self._journal, lambda: self._view.stock(stock, codes)))

    async def _change(self, call: Call) -> WireAnswer:
        body = read_body(CHANGE, call.signed)
        caller, stock = self._asked(call, call.path["stock_id"])
        _check_notified(call, body)
        name = words(body["stock_name"]) if body.get("stock_name") else None
        await self._stocks.change(caller, stock.number, body["out_request_no"], name, facts_of(body, CHANGED))
        return no_content()

    async def _budget(self, call: Call) -> WireAnswer:
        body = read_body(BUDGET, call.signed)
        caller, stock = self._asked(call, call.path["stock_id"])
        total, day = _pair(body, ""), _pair(body, "_by_day")
        if (total is None) == (day is None):
            raise wrong("target_max_coupons", "目标批次最大发放个数", "与目标单天发放上限个数须填写且仅填写一个")
        request = body["modify_budget_request_no"]
        stock = await self._stocks.limit(caller, stock.number, request, total=total, day=day)
        most = self._stocks.template(stock).stock
        return ok({"max_coupons": most} | ({"max_coupons_by_day": stock.per_day} if stock.per_day else {}))

    def _asked(self, call: Call, number: str) -> tuple[Caller, TillStock]:
        """Refuses RESOURCE_NOT_EXISTS, NO_AUTH."""
        stock = self._stocks.stock(call.account, number)
        return self._stocks.caller(call.account, stock), stock

    # Codes.

    async def _upload(self, call: Call) -> WireAnswer:
        body = read_body(UPLOAD, call.signed)
        caller, stock = self._asked(call, call.path["stock_id"])
        told: list[str] = body["coupon_code_list"]
        good = [each for each in dict.fromkeys(told) if len(each) <= CODE_LENGTH_MAX and re.fullmatch(CODE, each)]
        loaded = await self._stocks.load(caller, stock.number, body["upload_request_no"], good)
        new, there = loaded["new"], loaded["there"]
        bad = [each for each in dict.fromkeys(told) if each not in set(good)]
        twice = [each for each, times in Counter(told).items() if times > 1]
        reason = "券code格式错误：仅支持32位以内的数字、字母、-、_"
        answer: dict[str, Any] = {
            "stock_id": stock.number,
            "total_count": len(told),
            "success_count": len(new),
            "success_codes": new,
            "success_time": moment.told(loaded["at_ns"]),
            "fail_count": len(bad),
            "fail_codes": [{"coupon_code": each, "code": "PARAM_ERROR", "message": reason} for each in bad],
            "exist_codes": there,
            "duplicate_codes": twice,
        }
        return ok(answer)

    async def _codes(self, call: Call) -> WireAnswer:
        told = read_query(CODES, call.query)
        check_appid(call.account, told.get("appid", ""))
        _, stock = self._asked(call, call.path["stock_id"])
        codes = await self._held.codes(stock)
        offset, limit, status = told.get("offset", 0), told.get("limit", _CODES_PAGE), told.get("status")

        def show() -> tuple[int, list[dict[str, Any]]]:
            found = [each for each in codes if status is None or self._view.state(each) == status]
            part = found[offset * limit : (offset + 1) * limit]
            return len(found), [self._view.code(each, told.get("appid", "")) for each in part]

        count, shown = await warmed(self._journal, show)
        return ok({"stock_id": stock.number, "total_count": count, "limit": limit, "offset": offset, "data": shown})

    async def _code(self, call: Call) -> WireAnswer:
        told = read_query(ONE_CODE, call.query)
        check_appid(call.account, told.get("appid", ""))
        stock, code = await self._held.read(call.account, call.path["coupon_code"], call.path["stock_id"])

        def show() -> dict[str, Any]:
            information = self._view.code(code, told.get("appid", ""))
            return {"code_information": information, "coupon_information": self._view.described(stock, code)}

        return ok(await warmed(self._journal, show))

    async def _delete(self, call: Call) -> WireAnswer:
        told = read_query(DELETE, call.query)
        caller, stock = self._asked(call, call.path["stock_id"])
        at_ns = await self._stocks.delete(caller, stock.number, told["delete_request_no"], call.path["coupon_code"])
        return ok({"stock_id": stock.number, "delete_time": moment.told(at_ns)})

    # What is done with coupons.

    async def _send(self, call: Call) -> WireAnswer:
        body = read_body(SEND, call.signed)
        check_appid(call.account, body["appid"])
        caller, stock = self._asked(call, body["stock_id"])
        person = self._payers.person(body["appid"], body["openid"])
        request, letters = body["out_request_no"], body.get("coupon_code") or ""
        code = await self._held.send(caller, stock.number, person, request, letters)
        return ok({"stock_id": stock.number, "coupon_code": code, "out_request_no": request})

    async def _use(self, call: Call) -> WireAnswer:
        body = read_body(USE, call.signed)
        stock, code = await self._held.read(call.account, body["coupon_code"], body.get("stock_id") or "")
        caller = self._stocks.caller(call.account, stock)
        payee = caller.payee
        assert isinstance(payee, WechatAccount)
        if body["appid"] not in payee.facts.appids:
            check_appid(call.account, body["appid"])
        moment_of(body, "use_time", "use_time", "请求核销时间")
        if body.get("mch_id") not in (None, "", call.account.row.number, payee.row.number):
            raise wrong("mch_id", "商户号", "须为调用方或批次归属商户号", body["mch_id"])
        person = None
        if body.get("openid"):
            person = self._payers.person(body["appid"], body["openid"])
            if person is None:
                raise Fault(Code.INVALID_REQUEST, "用户openid与appid不匹配，或不是本机构的用户")
        taken = await self._held.take(
            caller,
            code,
            body["use_request_no"],
            user_id=person,
            order_no=body.get("out_trade_no") or "",
            paid_for=body.get("transaction_id") or "",
            said=body["use_time"],
        )
        answer = {
            "stock_id": stock.number,
            "openid": self._payers.openid(body["appid"], payer_here(int(taken["person"], 16))),
            "wechatpay_use_time": moment.told(taken["at_ns"]),
        }
        return ok(answer)

    async def _return(self, call: Call) -> WireAnswer:
        body = read_body(RETURN, call.signed)
        caller, stock = self._asked(call, body["stock_id"])
        at_ns = await self._held.give_back(caller, stock, body["coupon_code"], body["return_request_no"])
        return ok({"wechatpay_return_time": moment.told(at_ns)})

    async def _deactivate(self, call: Call) -> WireAnswer:
        body = read_body(DEACTIVATE, call.signed)
        caller, stock = self._asked(call, body["stock_id"])
        request, because = body["deactivate_request_no"], body.get("deactivate_reason") or ""
        at_ns = await self._held.void(caller, stock, body["coupon_code"], request, because)
        return ok({"wechatpay_deactivate_time": moment.told(at_ns)})

    async def _bind(self, call: Call, *, on: bool) -> WireAnswer:
        body = read_body(BIND, call.signed)
        caller, stock = self._asked(call, body["stock_id"])
        order, request = body["out_trade_no"], body["out_request_no"]
        at_ns = await self._held.bind(caller, stock, body["coupon_code"], request, order, on=on)
        return ok({f"wechatpay_{'' if on else 'dis'}associate_time": moment.told(at_ns)})

    # People's coupons.

    async def _coupon(self, call: Call) -> WireAnswer:
        check_appid(call.account, call.path["appid"])
        person = self._payers.person(call.path["appid"], call.path["openid"])
        held = await self._held.find(call.account, person, call.path["coupon_code"])
        return ok(await warmed(self._journal, lambda: self._view.coupon(held)))

    async def _coupons(self, call: Call) -> WireAnswer:
        told = read_query(COUPONS, call.query)
        check_appid(call.account, told["appid"])
        numbers = [told[name] for name in ("creator_merchant", "belong_merchant", "sender_merchant") if name in told]
        if not numbers and "stock_id" not in told:
            text = "批次号、创建批次的商户号、批次归属商户号、批次发放商户号须至少填写一个"
            raise param_error("/query/stock_id", "required", text)
        account = call.account
        for number in numbers:
            payee = (await self._parties.for_whom(call, number)).payee
            assert isinstance(payee, WechatAccount)
            account = payee
        person = self._payers.person(told["appid"], call.path["openid"])
        wanted = told.get("coupon_state")
        found = await self._held.of_person(account, person)
        offset, limit = told.get("offset", 0), told.get("limit", _PAGE)

        def show() -> tuple[int, list[dict[str, Any]]]:
            fits = [
                each
                for each in found
                if told.get("stock_id") in (None, each.stock.number) and wanted in (None, self._view.state(each.code))
            ]
            return len(fits), [self._view.coupon(each) for each in fits[offset * limit : (offset + 1) * limit]]

        count, shown = await warmed(self._journal, show)
        return ok({"total_count": count, "offset": offset, "limit": limit, "data": shown})

    # Where it is told that one was sent.

    async def _callback(self, call: Call) -> WireAnswer:
        told = read_query(CALLBACK, call.query)
        check_number(call, told["mchid"], "/query/mchid")
        callback = self._stocks.callbacks.get(call.account.row.id)
        if callback is None:
            raise Fault(Code.RESOURCE_NOT_EXISTS, "未设置商家券事件通知地址")
        return ok({"notify_url": callback.url, "mchid": told["mchid"]})

    async def _set_callback(self, call: Call) -> WireAnswer:
        body = read_body(SET_CALLBACK, call.signed)
        mchid = body.get("mchid") or call.account.row.number
        check_number(call, mchid, "/body/mchid")
        check_notify_url(body["notify_url"], private_allowed=self._private_urls)
        callback = await self._stocks.tell_at(call.account, body["notify_url"])
        return ok({"update_time": moment.told(callback.changed_ns), "notify_url": callback.url, "mchid": mchid})


def _pair(body: dict[str, Any], suffix: str) -> tuple[int, int] | None:
    """What is, and what is to be. Refuses PARAM_ERROR for one without the other."""
    current, target = body.get(f"current_max_coupons{suffix}"), body.get(f"target_max_coupons{suffix}")
    if target is None:
        return None
    if current is None:
        raise wrong(f"current_max_coupons{suffix}", "当前发放上限个数", "修改时为必填项")
    return current, target


def _check_notified(call: Call, body: dict[str, Any]) -> None:
    """Refuses APPID_MCHID_NOT_MATCH: who is told must know its people by its own application."""
    check_appid(call.account, (body.get("notify_config") or {}).get("notify_appid") or "")
