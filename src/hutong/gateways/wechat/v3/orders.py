"""Orders: native, JSAPI, APP and H5, placed, asked after and closed, for the merchant itself or in partner mode."""

from functools import partial
from typing import Any

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.order import Dialect, OrderDraft, Trade
from hutong.gateways.order_service import OrderService
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, no_content, ok
from hutong.gateways.wechat.v3.errors import param_error
from hutong.gateways.wechat.v3.order_shapes import PARTNER_QUERY, QUERY, close_shape, order_shape
from hutong.gateways.wechat.v3.parties import Parties
from hutong.gateways.wechat.v3.shape import read_body, read_query
from hutong.gateways.wechat.v3.trade_view import trade_object
from hutong.gateways.wire import WireAnswer
from hutong.institution.notices.webhook import check_url
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

DIRECT_PREFIX, PARTNER_PREFIX = "/v3/pay/transactions", "/v3/pay/partner/transactions"
PRODUCTS = {"native": "NATIVE", "jsapi": "JSAPI", "app": "APP", "h5": "MWEB"}
DETAIL_BYTES_MAX = 6144
_LIFETIME_S = 7 * 86_400
_LIFETIME_MIN_S = 60


class Orders:
    """Endpoints below `/v3/pay/transactions` and `/v3/pay/partner/transactions`, but for payment codes."""

    def __init__(self, node: NodeRuntime, parties: Parties, orders: OrderService, *, private_urls: bool) -> None:
        self._journal = node.journal
        self._parties = parties
        self._orders = orders
        self._private_urls = private_urls
        self._shapes = {
            (kind, is_partner): order_shape(kind, partner=is_partner)
            for kind in PRODUCTS
            for is_partner in (False, True)
        }

    def endpoints(self) -> list[Endpoint]:
        found = []
        for prefix, is_partner in ((DIRECT_PREFIX, False), (PARTNER_PREFIX, True)):
            found += [
                Endpoint("POST", f"{prefix}/{kind}", kind, partial(self._place, kind=kind, is_partner=is_partner))
                for kind in PRODUCTS
            ]
            by_number = f"{prefix}/out-trade-no/{{out_trade_no}}"
            found += [
                Endpoint(
                    "GET", f"{prefix}/id/{{transaction_id}}", "query", partial(self._query, is_partner=is_partner)
                ),
                Endpoint("GET", by_number, "query", partial(self._query, is_partner=is_partner)),
                Endpoint("POST", f"{by_number}/close", "close", partial(self._close, is_partner=is_partner)),
            ]
        return found

    async def _place(self, call: Call, *, kind: str, is_partner: bool) -> WireAnswer:
        body = read_body(self._shapes[kind, is_partner], call.signed)
        caller = await self._parties.of(call, body, partner=is_partner)
        if is_partner and kind == "jsapi":
            check_partner_payer(body)
        draft = self.draft(body, kind, PRODUCTS[kind])
        trade = await self._orders.place(caller, draft)
        place = self._orders.page_url if kind == "h5" else self._orders.code_url
        url = await warmed(self._journal, lambda: place(trade))
        return ok(led_by(kind, trade, url))

    def draft(self, body: dict[str, Any], kind: str, product: str) -> OrderDraft:
        """The order a body asks for."""
        check_detail(body)
        check_notify_url(body["notify_url"], private_allowed=self._private_urls)
        return OrderDraft(
            out_trade_no=body["out_trade_no"],
            amount=body["amount"]["total"],
            product=product,
            description=words(body["description"]),
            dialect=Dialect.WECHATPAY_V3,
            lifetime_s=lifetime_s(body, self._orders.wall.now_ns()),
            notify_url=body["notify_url"],
            facts=order_facts(body),
            content=content(kind, body),
        )

    async def _query(self, call: Call, *, is_partner: bool) -> WireAnswer:
        caller = await self._asking(call, is_partner=is_partner)
        trade = await self._orders.find(
            caller, out_trade_no=call.path.get("out_trade_no", ""), trade_no=call.path.get("transaction_id", "")
        )
        placed_by = await warmed(self._journal, lambda: self._orders.caller_of(trade.order))
        seen_by = placed_by if is_partner == (placed_by.account.row.id != placed_by.payee.row.id) else caller
        return ok(trade_object(trade, seen_by, self._orders.payers, partner=is_partner))

    async def _asking(self, call: Call, *, is_partner: bool) -> Caller:
        told = read_query(PARTNER_QUERY if is_partner else QUERY, call.query)
        return await self._parties.of(call, told, partner=is_partner, where="/query")

    async def _close(self, call: Call, *, is_partner: bool) -> WireAnswer:
        told = read_body(close_shape(partner=is_partner), call.signed)
        caller = await self._parties.of(call, told, partner=is_partner)
        await self._orders.close(caller, out_trade_no=call.path["out_trade_no"])
        return no_content()


def lifetime_s(body: dict[str, Any], now_ns: int) -> int:
    """How long an order can be paid: until the time it names, or a week. Refuses PARAM_ERROR."""
    text = body.get("time_expire")
    if not text:
        return _LIFETIME_S
    pointer, at = "/body/time_expire", moment.read(text)
    if at is None:
        fault = f"输入源“{pointer}”映射到字段“支付结束时间”格式错误，须为RFC3339"
        raise param_error(pointer, "format", fault, text)
    left_s = (at - now_ns) // NS_PER_S
    if not _LIFETIME_MIN_S <= left_s <= _LIFETIME_S:
        issue = "too early" if left_s < _LIFETIME_MIN_S else "too late"
        raise param_error(pointer, issue, "time_expire须在1分钟之后、7天之内", text)
    return left_s


def led_by(kind: str, trade: Trade, code_url: str) -> dict[str, str]:
    """What leads the payer to an order: a code, or the name that an app or a page gives to the wallet."""
    match kind:
        case "native":
            return {"code_url": code_url}
        case "h5":
            # Merchants append `&redirect_url=…`: there must be a query already.
            return {"h5_url": f"{code_url}?prepay_id={prepay_id(trade.order.id)}"}
        case _:
            return {"prepay_id": prepay_id(trade.order.id)}


def order_facts(body: dict[str, Any]) -> dict[str, Any]:
    """What of an order is given back, or used when it is paid."""
    payer = body.get("payer") or {}
    facts = {
        "appid": body.get("appid") or body.get("sp_appid"),
        "sub_appid": body.get("sub_appid"),
        "attach": body.get("attach"),
        "openid": payer.get("openid") or payer.get("sp_openid"),
        "sub_openid": payer.get("sub_openid"),
        "device_id": (body.get("scene_info") or {}).get("device_id"),
        "description": body["description"],
        "split": (body.get("settle_info") or {}).get("profit_sharing"),
    }
    return {name: value for name, value in facts.items() if value}


def content(kind: str, body: dict[str, Any]) -> bytes:
    """What may not differ when the same number comes again: all but until when, which many reckon anew at each try."""
    kept = {name: value for name, value in body.items() if name != "time_expire"}
    return kind.encode() + msgspec.json.encode(kept, order="sorted")


def words(description: str) -> str:
    """A description as payers' wallets may show it: in one line, without what cannot be printed."""
    return " ".join("".join(c if c.isprintable() else " " for c in description).split())


def prepay_id(order_id: int) -> str:
    """How an app or a page names the order to the wallet."""
    return f"wx{order_id:032x}"


def check_detail(body: dict[str, Any]) -> None:
    """Refuses PARAM_ERROR: a list of goods beyond the vendor's limit."""
    if "detail" in body and len(msgspec.json.encode(body["detail"])) > DETAIL_BYTES_MAX:
        raise param_error(
            "/body/detail",
            "too long",
            f"输入源“/body/detail”映射到字段“优惠功能”校验失败，长度大于最大值 {DETAIL_BYTES_MAX}",
        )


def check_notify_url(url: str, *, private_allowed: bool, pointer: str = "/body/notify_url") -> None:
    """Refuses PARAM_ERROR: no address of the web, one with a query, or one that may not be called from here."""
    try:
        check_url(url, private_allowed=private_allowed)
        well_formed = "?" not in url
    except Refusal:
        well_formed = False
    if not well_formed:
        text = f"输入源“{pointer}”映射到字段“通知地址”校验失败，须为https开头、不带参数的完整地址"
        raise param_error(pointer, "url", text, url[:128])


def check_partner_payer(body: dict[str, Any]) -> None:
    """Refuses PARAM_ERROR, unless the payer is named by one application or the other."""
    payer = body["payer"]
    if not payer.get("sp_openid") and not payer.get("sub_openid"):
        raise param_error(
            "/body/payer/sp_openid", "required", "输入源“/body/payer”校验失败，sp_openid和sub_openid必须填写一个"
        )
