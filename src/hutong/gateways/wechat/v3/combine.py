"""Combined orders (合单): one payment, several merchants' orders, all or none."""

from functools import partial
from typing import Any

from hutong.gateways.account import Caller
from hutong.gateways.combined.combined import CombinedDraft, CombinedPart, CombinedTrade, PartDraft
from hutong.gateways.combined.combined_service import CombinedService
from hutong.gateways.order import Dialect
from hutong.gateways.order_service import OrderService
from hutong.gateways.payer import PayerIds
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.combine_shapes import CLOSE, combine_shape
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, no_content, ok
from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.gateways.wechat.v3.orders import check_notify_url, led_by, lifetime_s, words
from hutong.gateways.wechat.v3.parties import Parties, check_appid, check_number
from hutong.gateways.wechat.v3.shape import missing, read_body
from hutong.gateways.wechat.v3.trade_view import BANK_TYPE, openid, trade_state
from hutong.gateways.wire import WireAnswer
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

PREFIX, PRODUCT = "/v3/combine-transactions", "combine"
_PRODUCTS = {"native": "NATIVE", "jsapi": "JSAPI", "miniprogram": "JSAPI", "app": "APP", "h5": "MWEB"}


class Combine:
    """Endpoints below `/v3/combine-transactions`."""

    def __init__(
        self,
        node: NodeRuntime,
        names: Parties,
        orders: OrderService,
        combined: CombinedService,
        *,
        private_urls: bool,
    ) -> None:
        self._journal = node.journal
        self._parties = names
        self._orders = orders
        self._combined = combined
        self._private_urls = private_urls
        self._shapes = {kind: combine_shape(kind) for kind in _PRODUCTS}

    def endpoints(self) -> list[Endpoint]:
        by_number = f"{PREFIX}/out-trade-no/{{combine_out_trade_no}}"
        return [
            *(Endpoint("POST", f"{PREFIX}/{kind}", PRODUCT, partial(self._place, kind=kind)) for kind in _PRODUCTS),
            Endpoint("GET", by_number, PRODUCT, self._query),
            Endpoint("GET", f"{PREFIX}/id/{{combine_transaction_id}}", PRODUCT, self._query),
            Endpoint("POST", f"{by_number}/close", PRODUCT, self._close),
        ]

    async def _place(self, call: Call, *, kind: str) -> WireAnswer:
        body = read_body(self._shapes[kind], call.signed)
        check_number(call, body["combine_mchid"], "/body/combine_mchid")
        check_appid(call.account, body["combine_appid"])
        check_notify_url(body["notify_url"], private_allowed=self._private_urls)
        payer = body.get("combine_payer_info") or {}
        if kind in {"jsapi", "miniprogram"} and not payer.get("openid") and not payer.get("sub_openid"):
            raise missing("/body/combine_payer_info/openid", "用户标识")
        parts = [await self._part(call, told) for told in body["sub_orders"]]
        facts = {
            "appid": body["combine_appid"],
            "openid": payer.get("openid"),
            "device_id": (body.get("scene_info") or {}).get("device_id"),
            "kind": kind,
        }
        draft = CombinedDraft(
            out_trade_no=body["combine_out_trade_no"],
            product=_PRODUCTS[kind],
            description=words(body["sub_orders"][0]["description"]),
            dialect=Dialect.WECHATPAY_V3,
            parts=tuple(parts),
            lifetime_s=lifetime_s(body, self._orders.wall.now_ns()),
            notify_url=body["notify_url"],
            facts={name: value for name, value in facts.items() if value},
        )
        trade = (await self._combined.place(_own(call), draft)).trade
        code_url = await warmed(self._journal, lambda: self._orders.code_url(trade))
        return ok(led_by(kind, trade, code_url))

    async def _part(self, call: Call, told: dict[str, Any]) -> PartDraft:
        payee = await self._payee(call, told)
        kept = {name: told.get(name) for name in ("mchid", "sub_mchid", "attach", "sub_appid")}
        return PartDraft(
            payee=payee,
            out_trade_no=told["out_trade_no"],
            amount=told["amount"]["total_amount"],
            description=words(told["description"]),
            to_be_split=bool((told.get("settle_info") or {}).get("profit_sharing")),
            facts={name: value for name, value in kept.items() if value},
        )

    async def _payee(self, call: Call, told: dict[str, Any]) -> Caller:
        """Whose order a part is. Refuses MCH_NOT_EXISTS; NO_AUTH for a merchant that has not let the caller in."""
        if told.get("sub_mchid"):
            check_number(call, told["mchid"], "/body/sub_orders/mchid")
        return await self._parties.for_whom(call, told.get("sub_mchid") or told["mchid"])

    async def _query(self, call: Call) -> WireAnswer:
        if "combine_out_trade_no" in call.path:
            found = await self._combined.find(_own(call), call.path["combine_out_trade_no"])
        else:
            trade = await self._orders.find(_own(call), trade_no=call.path["combine_transaction_id"])
            found = await self._combined.find(_own(call), trade.order.out_trade_no)
        return ok(await warmed(self._journal, lambda: combined_object(found, self._orders)))

    async def _close(self, call: Call) -> WireAnswer:
        body = read_body(CLOSE, call.signed)
        check_appid(call.account, body["combine_appid"])
        number = call.path["combine_out_trade_no"]
        found = await self._combined.find(_own(call), number)
        asked = {told["out_trade_no"] for told in body["sub_orders"]}
        if asked != {part.out_trade_no for part in found.parts}:
            raise Fault(Code.INVALID_REQUEST, "子单信息与合单下单时不一致")
        await self._combined.close(_own(call), number)
        return no_content()


def _own(call: Call) -> Caller:
    return Caller(call.account, call.account)


def combined_object(found: CombinedTrade, orders: OrderService) -> dict[str, Any]:
    """A combined order as a query and a notification show it. May raise `Cold`."""
    trade, caller = found.trade, orders.caller_of(found.trade.order)
    told = trade.order.told
    shown: dict[str, Any] = {
        "combine_appid": told["appid"],
        "combine_mchid": caller.payee.row.number,
        "combine_out_trade_no": trade.order.out_trade_no,
    }
    if trade.payment is not None:
        shown["combine_transaction_id"] = trade.order.trade_no
        shown["combine_payer_info"] = {"openid": openid(trade, orders.payers, told["appid"], told.get("openid", ""))}
    if told.get("device_id"):
        shown["scene_info"] = {"device_id": told["device_id"]}
    return shown | {"sub_orders": [_part_object(found, part, orders.payers) for part in found.parts]}


def _part_object(found: CombinedTrade, part: CombinedPart, payers: PayerIds) -> dict[str, Any]:
    trade, told = found.trade, part.told
    amount: dict[str, Any] = {"total_amount": part.amount, "currency": trade.request.currency}
    shown: dict[str, Any] = {
        "mchid": told["mchid"],
        "out_trade_no": part.out_trade_no,
        "attach": told["attach"],
        "trade_state": "REFUND" if part.refunded else trade_state(trade, is_part=True),
    }
    shown |= {name: told[name] for name in ("sub_mchid", "sub_appid") if told.get(name)}
    if trade.payment is not None:
        shown |= {
            "trade_type": trade.order.product,
            "bank_type": BANK_TYPE,
            "success_time": moment.told(trade.order.paid_ns),
            "transaction_id": part.trade_no,
        }
        if told.get("sub_appid"):
            shown["sub_openid"] = openid(trade, payers, told["sub_appid"], "")
        amount |= {"payer_amount": part.amount, "payer_currency": trade.request.currency}
    return shown | {"amount": amount}
