"""An order as queries, payment-code answers and notifications show it."""

from typing import Any

from hutong.gateways.account import Caller, WechatAccount
from hutong.gateways.order import Trade, TradeState
from hutong.gateways.payer import PayerIds
from hutong.gateways.vouchers.stock import voucher_number
from hutong.gateways.wechat.v3 import moment

BANK_TYPE = "OTHERS"
_DESCRIPTIONS = {
    "SUCCESS": "支付成功",
    "REFUND": "订单发生过退款，退款详情请查询退款单",
    "NOTPAY": "订单未支付",
    "CLOSED": "订单已关闭",
    "REVOKED": "订单已撤销",
    "USERPAYING": "用户支付中",
    "PAYERROR": "支付失败，请重新下单支付",
    "ACCEPTED": "已接收，等待扣款",
    "PAY_FAIL": "扣款失败",
}
# What is taken under an agreement has words of its own.
_TAKEN = {"USERPAYING": "ACCEPTED", "NOTPAY": "ACCEPTED", "PAYERROR": "PAY_FAIL"}
_TAKEN_PRODUCTS = ("PAP", "PARKING")
_STATES = {
    TradeState.NOT_PAID: "NOTPAY",
    TradeState.PAYING: "USERPAYING",
    TradeState.PAID: "SUCCESS",
    TradeState.CLOSED: "CLOSED",
    TradeState.REVERSED: "REVOKED",
    TradeState.FAILED: "PAYERROR",
}


def trade_state(trade: Trade, *, is_part: bool = False) -> str:
    """The vendor's word; a payment of which anything was given back is REFUND for good, where it is not another part's."""
    if trade.state is TradeState.PAID and trade.refunds and not is_part:
        return "REFUND"
    state = _STATES[trade.state]
    return _TAKEN.get(state, state) if trade.order.product in _TAKEN_PRODUCTS else state


def state_text(state: str) -> str:
    """What the vendor says of it besides."""
    return _DESCRIPTIONS[state]


def openid(trade: Trade, payers: PayerIds, appid: str, asked: str) -> str:
    """
    Who paid, to an application.

    A JSAPI order names its payer. Where that is an id of ours, who really paid is told; else the merchant had the id from
    elsewhere, and finds it again.
    """
    return asked if asked and payers.person(appid, asked) is None else payers.openid(appid, trade.order.payer)


def appids(caller: Caller, told: dict[str, Any]) -> tuple[str, str]:
    """
    The applications of an order: the caller's own, and in partner mode the merchant's, if it was named.

    A merchant that looks at what its service provider placed sees its own application, and not the other's.
    """
    account = caller.account
    assert isinstance(account, WechatAccount)
    named = [told.get(name, "") for name in ("appid", "sub_appid")]
    own = next((appid for appid in named if appid in account.facts.appids), account.facts.appids[0])
    return own, named[1]


def trade_object(trade: Trade, caller: Caller, payers: PayerIds, *, partner: bool) -> dict[str, Any]:
    """What a query answers; how it was paid only when it was."""
    told = trade.order.told
    appid, sub_appid = appids(caller, told)
    state = trade_state(trade)
    shown: dict[str, Any] = parties(caller, appid, sub_appid, partner=partner)
    shown |= {"out_trade_no": trade.order.out_trade_no, "trade_state": state, "trade_state_desc": _DESCRIPTIONS[state]}
    if told.get("attach"):
        shown["attach"] = told["attach"]
    amount: dict[str, Any] = {"total": trade.amount, "currency": trade.request.currency}
    if trade.payment is not None:
        asked = told.get("openid", "")
        shown |= {
            "transaction_id": trade.order.trade_no,
            "trade_type": trade.order.product,
            "bank_type": BANK_TYPE,
            "success_time": moment.told(trade.order.paid_ns),
        }
        if partner:
            shown["payer"] = {"sp_openid": openid(trade, payers, appid, asked)}
            if sub_appid:
                shown["payer"]["sub_openid"] = openid(trade, payers, sub_appid, told.get("sub_openid", ""))
        else:
            shown["payer"] = {"openid": openid(trade, payers, appid, asked)}
        amount |= {"payer_total": trade.paid, "payer_currency": trade.request.currency}
        promotions = promotion_detail(trade)
        if promotions:
            shown["promotion_detail"] = promotions
    shown["amount"] = amount
    if told.get("device_id"):
        shown["scene_info"] = {"device_id": told["device_id"]}
    return shown


def parties(caller: Caller, appid: str, sub_appid: str, *, partner: bool) -> dict[str, Any]:
    """The numbers an answer begins with."""
    if not partner:
        return {"appid": appid, "mchid": caller.payee.row.number}
    shown = {"sp_appid": appid, "sp_mchid": caller.account.row.number, "sub_mchid": caller.payee.row.number}
    return shown | ({"sub_appid": sub_appid} if sub_appid else {})


def promotion_detail(trade: Trade) -> list[dict[str, Any]]:
    """What others than the payer paid. All of it is money that the payee receives: what it gave itself it had put aside."""
    payment = trade.payment
    if payment is None:
        return []
    others = trade.discount - payment.payee_discount - sum(each.amount for each in trade.vouchers)
    shares = [
        ("merchant_contribute", payment.payee_discount, payees_coupon(trade), "优惠", ""),
        ("wechatpay_contribute", others, f"{trade.order.trade_no}1", "优惠", ""),
    ]
    shares += [
        (
            "merchant_contribute" if each.stock else "wechatpay_contribute",
            each.amount,
            voucher_number(each.coupon_id),
            each.name,
            each.stock,
        )
        for each in trade.vouchers
    ]
    return [
        {
            "coupon_id": coupon_id,
            "name": name,
            "scope": "GLOBAL",
            "type": "CASH",
            "amount": amount,
            **({"stock_id": stock} if stock else {}),
            "wechatpay_contribute": 0,
            "merchant_contribute": 0,
            "other_contribute": 0,
            "currency": trade.request.currency,
        }
        | {bearer: amount}
        for bearer, amount, coupon_id, name, stock in shares
        if amount
    ]


def payees_coupon(trade: Trade) -> str:
    """The number of what a sponsor at the payee's side gave."""
    return f"{trade.order.trade_no}0"
