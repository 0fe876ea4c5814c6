"""An order as v2 tells of it: to who asks, and in the notification of its payment."""

from hutong.gateways.order import Trade, TradeState
from hutong.gateways.payer import PayerIds
from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.moment import wire_time

BANK_TYPE = "OTHERS"  # From the balance of a wallet: no bank's.
STATES = {
    TradeState.NOT_PAID: ("NOTPAY", "订单未支付"),
    TradeState.PAYING: ("USERPAYING", "用户支付中，需要输入密码"),
    TradeState.PAID: ("SUCCESS", "支付成功"),
    TradeState.CLOSED: ("CLOSED", "订单已关闭"),
    TradeState.REVERSED: ("REVOKED", "订单已撤销"),
    TradeState.FAILED: ("PAYERROR", "支付失败，请重新下单支付"),
}
_REFUNDED = ("REFUND", "订单发生过退款，退款详情请查询退款单")


def openid_of(payers: PayerIds, trade: Trade) -> str:
    """The payer, as the application of the order knows them; empty until somebody has paid."""
    if trade.payment is None:
        return ""
    asked, appid = trade.order.told.get("openid", ""), trade.order.told.get("appid", "")
    # An order for a page names its payer. An id that isn't ours the merchant has from elsewhere, and finds again.
    return asked if asked and payers.person(appid, asked) is None else payers.openid(appid, trade.order.payer)


def paid_fields(trade: Trade, openid: str) -> Fields:
    """What is told of an order that was paid."""
    kept = trade.order.told
    coupon = {"coupon_fee": str(trade.discount)} if trade.discount else {}
    return {
        "openid": openid,
        "is_subscribe": "N",
        "trade_type": trade.order.product,
        "bank_type": BANK_TYPE,
        "total_fee": str(trade.amount),
        "fee_type": "CNY",
        "cash_fee": str(trade.amount - trade.discount),
        "cash_fee_type": "CNY",
        **coupon,
        "transaction_id": trade.order.trade_no,
        "out_trade_no": trade.order.out_trade_no,
        "attach": kept.get("attach", ""),
        "time_end": wire_time(trade.order.paid_ns),
    }


def query_fields(trade: Trade, openid: str) -> Fields:
    """How an order stands: what was paid only where it was."""
    state, words = STATES[trade.state]
    if trade.state is TradeState.PAID and trade.refunds:
        state, words = _REFUNDED
    told = {
        "out_trade_no": trade.order.out_trade_no,
        "attach": trade.order.told.get("attach", ""),
        "total_fee": str(trade.amount),
        "trade_type": trade.order.product,
    }
    if trade.payment is not None:
        told = paid_fields(trade, openid)
    device = {"device_info": trade.order.told.get("device_id", "")}
    return {**device, "trade_state": state, "trade_state_desc": words, **told}
