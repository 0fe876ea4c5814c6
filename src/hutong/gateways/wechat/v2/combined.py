"""Combined orders (合单) in v2: one payment, up to ten merchants' orders, all or none. Signed with HMAC-SHA256 alone."""

from typing import Any

import msgspec

from hutong.gateways.account import Caller, acting_for
from hutong.gateways.account_service import AccountService
from hutong.gateways.combined.combined import CombinedDraft, CombinedPart, CombinedTrade, PartDraft
from hutong.gateways.combined.combined_service import CombinedService
from hutong.gateways.order import Dialect, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.wechat.v2 import shape
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint
from hutong.gateways.wechat.v2.errors import Code, Fault, Unreadable
from hutong.gateways.wechat.v2.moment import wire_time
from hutong.gateways.wechat.v2.orders import Orders, plain, prepay_id
from hutong.gateways.wechat.v2.trade import BANK_TYPE, STATES, openid_of
from hutong.kernel.errors import Refusal
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import warmed

_PARTS_MAX = 10
_OF_COMBINED = (
    shape.must("combine_appid"),
    shape.must("combine_mch_id"),
    shape.must("combine_out_trade_no", shape.OWN_NUMBER),
)
_COMBINEDORDER = (
    *_OF_COMBINED,
    shape.may("device_info"),
    shape.must("spbill_create_ip", length_max=64),
    shape.may("time_start", shape.TIME),
    shape.may("time_expire", shape.TIME),
    shape.must("notify_url", shape.URL, 256),
    shape.must("trade_type", shape.one_of("JSAPI", "NATIVE", "APP", "MWEB")),
    shape.may("product_id"),
    shape.may("combine_openid", length_max=128),
    shape.may("scene_info", length_max=512),
    shape.must("sub_order_list", length_max=20_000),
)
_CLOSE = (*_OF_COMBINED, shape.must("sub_order_list", length_max=20_000))
# One merchant's order among them: fields like an order's own.
_PART = (
    shape.must("mch_id"),
    shape.must("appid"),
    shape.may("sub_mch_id"),
    shape.may("sub_appid"),
    shape.must("body", length_max=128),
    shape.may("detail", length_max=6000),
    shape.may("attach", length_max=127),
    shape.must("out_trade_no", shape.OWN_NUMBER),
    shape.may("fee_type", shape.one_of("CNY"), 16),
    shape.must("total_fee", shape.AMOUNT),
    shape.may("profit_sharing", shape.one_of("Y", "N")),
)
_CLOSED_PART = (shape.must("out_trade_no", shape.OWN_NUMBER),)
_KEPT = {
    "mch_id": "mchid",
    "appid": "appid",
    "sub_mch_id": "sub_mchid",
    "sub_appid": "sub_appid",
    "attach": "attach",
}


class Combined:
    """The endpoints of combined orders."""

    def __init__(
        self,
        accounts: AccountService,
        orders: OrderService,
        combined: CombinedService,
        ordering: Orders,
        journal: Journal,
    ) -> None:
        self._accounts = accounts
        self._orders = orders
        self._combined = combined
        self._ordering = ordering
        self._journal = journal

    def endpoints(self) -> tuple[Endpoint, ...]:
        table = (
            ("/pay/combinedorder", _COMBINEDORDER, self.combinedorder),
            ("/pay/querycombinedorder", _OF_COMBINED, self.querycombinedorder),
            ("/pay/closecombinedorder", _CLOSE, self.closecombinedorder),
        )
        return tuple(
            Endpoint(path=path, product="合单支付", parameters=parameters, handler=handler, is_hmac=True)
            for path, parameters, handler in table
        )

    async def combinedorder(self, call: Call) -> Fields:
        """Ask to be paid for several merchants at once."""
        trade_type = call.text("trade_type")
        if trade_type == "JSAPI" and not call.text("combine_openid"):
            raise Unreadable("JSAPI支付必须传combine_openid")
        if trade_type == "NATIVE":
            shape.must("product_id").check(call.fields)
        told = _order_list(call.text("sub_order_list"), _PART)
        parts = [await self._part(call, each) for each in told]
        facts: dict[str, Any] = {
            "appid": call.text("combine_appid"),
            "openid": call.text("combine_openid"),
            "device_id": call.text("device_info"),
            "is_sandbox": call.is_sandbox,
            "sign_type": call.sign_type.value,
        }
        draft = CombinedDraft(
            out_trade_no=call.text("combine_out_trade_no"),
            product=trade_type,
            description=parts[0].description,
            dialect=Dialect.WECHATPAY_V2,
            parts=tuple(parts),
            lifetime_s=self._ordering.lifetime_s(call.text("time_expire")),
            notify_url=call.text("notify_url"),
            facts={name: value for name, value in facts.items() if value},
        )
        trade = (await self._combined.place(call.caller, draft)).trade
        led = {
            "NATIVE": {"code_url": self._orders.code_url(trade)},
            "MWEB": {"mweb_url": self._orders.page_url(trade)},
        }
        return {"trade_type": trade_type, "prepay_id": prepay_id(trade), **led.get(trade_type, {})}

    async def querycombinedorder(self, call: Call) -> Fields:
        """How the whole stands, and each of its parts."""
        found = await self._combined.find(call.caller, call.text("combine_out_trade_no"))
        told = await warmed(self._journal, lambda: combined_fields(found, self._orders))
        return told | {"result_msg": "OK"}

    async def closecombinedorder(self, call: Call) -> Fields:
        """Take the whole back that nobody has paid; its parts are named again."""
        found = await self._combined.find(call.caller, call.text("combine_out_trade_no"))
        named = {each["out_trade_no"] for each in _order_list(call.text("sub_order_list"), _CLOSED_PART)}
        if named != {part.out_trade_no for part in found.parts}:
            raise Fault(Code.PARAM_ERROR, "子单信息与合单下单时不一致")
        await self._combined.close(call.caller, found.trade.order.out_trade_no)
        return {}

    async def _part(self, call: Call, told: Fields) -> PartDraft:
        return PartDraft(
            payee=await self._payee(call, told),
            out_trade_no=told["out_trade_no"],
            amount=int(told["total_fee"]),
            description=plain(told["body"]),
            to_be_split=told.get("profit_sharing") == "Y",
            # By version 3's names, so that whoever asks there finds what there is.
            facts={kept: told.get(name, "") for name, kept in _KEPT.items() if told.get(name) or kept == "attach"},
        )

    async def _payee(self, call: Call, told: Fields) -> Caller:
        """Whose order a part is. Refuses MCHID_NOT_EXIST, APPID_MCHID_NOT_MATCH; NOAUTH for who has not let the caller in."""
        own = call.account.row.number
        if told.get("sub_mch_id") and told["mch_id"] != own:
            raise Fault(Code.PARAM_ERROR, "子单mch_id与合单商户号不一致")
        number = told.get("sub_mch_id") or told["mch_id"]
        appid = told.get("sub_appid", "") if told.get("sub_mch_id") else told["appid"]
        try:
            payee = await warmed(self._journal, lambda: self._accounts.wechatpay(number))
        except Refusal as refusal:
            if refusal.reason is not GatewayReason.ACCOUNT_UNKNOWN:
                raise
            raise Fault(Code.MCHID_NOT_EXIST, "子单商户号不存在") from refusal
        if appid and appid not in payee.facts.appids and appid not in call.account.facts.appids:
            raise Fault(Code.APPID_MCHID_NOT_MATCH)
        return call.caller if number == own else acting_for(call.account, payee)


def combined_fields(found: CombinedTrade, orders: OrderService) -> Fields:
    """A combined order as a query and a notification tell it. May raise `Cold`."""
    trade = found.trade
    state, words = STATES[trade.state]
    fields = {
        "device_info": trade.order.told.get("device_id", ""),
        "combine_out_trade_no": trade.order.out_trade_no,
        "trade_state": state,
        "trade_state_desc": words,
    }
    if trade.payment is not None:
        fields["combine_openid"] = openid_of(orders.payers, trade)
    listed = [_part_told(found, part) for part in found.parts]
    told = msgspec.json.encode({"order_num": len(listed), "order_list": listed})
    return fields | {"sub_order_list": told.decode()}


def _part_told(found: CombinedTrade, part: CombinedPart) -> dict[str, Any]:
    trade = found.trade
    state = "REFUND" if part.refunded else STATES[trade.state][0]
    told = {name: part.told[kept] for name, kept in _KEPT.items() if part.told.get(kept)}
    shown = told | {
        "out_trade_no": part.out_trade_no,
        "trade_state": state,
        "fee_type": "CNY",
        "total_fee": part.amount,
    }
    if trade.state is TradeState.PAID:
        shown |= {
            "transaction_id": part.trade_no,
            "trade_type": trade.order.product,
            "bank_type": BANK_TYPE,
            "cash_fee": part.amount,
            "time_end": wire_time(trade.order.paid_ns),
        }
    return shown


def _order_list(text: str, parameters: tuple[shape.Parameter, ...]) -> list[Fields]:
    """The orders in a field that is JSON. Refuses PARAM_ERROR, LACK_PARAMS."""
    try:
        told = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        told = None
    listed = told.get("order_list") if isinstance(told, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= _PARTS_MAX:
        raise Fault(Code.PARAM_ERROR, f"sub_order_list参数格式错误：须有1到{_PARTS_MAX}个子单")
    found = []
    for each in listed:
        if not isinstance(each, dict) or not all(isinstance(value, str | int) for value in each.values()):
            raise Fault(Code.PARAM_ERROR, "sub_order_list参数格式错误")
        fields = {name: str(value) for name, value in each.items()}
        shape.check(fields, parameters)
        found.append(fields)
    return found
