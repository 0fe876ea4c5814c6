"""An order as Alipay tells of it: what it is called, how it stands, and who paid what."""

from typing import Any

from hutong.gateways.alipay.beijing import beijing_text
from hutong.gateways.order import Trade, TradeState
from hutong.kernel.money import Currency, format_amount

BALANCE, DISCOUNT, OWN_VOUCHER = "ALIPAYACCOUNT", "DISCOUNT", "MCOUPON"
WAIT, PAID, FINISHED, CLOSED = "WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED"
# Placed with nobody in particular: there is a trade when somebody's wallet first looks at it.
_FOR_ANYBODY = {"PRECREATE", "PAGE", "WAP", "APP"}
NOTHING_PAID = {
    "buyer_pay_amount": "0.00",
    "invoice_amount": "0.00",
    "point_amount": "0.00",
    "receipt_amount": "0.00",
}


def yuan(fen: int) -> str:
    """`10.50`."""
    return format_amount(fen, Currency.CNY)


def is_there(trade: Trade) -> bool:
    """Whether Alipay would know of it."""
    if trade.order.product not in _FOR_ANYBODY or trade.was_seen:
        return True
    return trade.state not in (TradeState.NOT_PAID, TradeState.CLOSED) or bool(trade.order.closed)


def status(trade: Trade) -> str:
    """`trade_status`. A payment code that was refused closes its trade; another may follow under the same number."""
    match trade.state:
        case TradeState.NOT_PAID | TradeState.PAYING:
            return WAIT
        case TradeState.PAID if trade.left > 0:
            return FINISHED if trade.is_final else PAID
        case _:
            return CLOSED


def numbers(trade: Trade) -> dict[str, Any]:
    return {"trade_no": trade.order.trade_no, "out_trade_no": trade.order.out_trade_no}


def amounts(trade: Trade) -> dict[str, Any]:
    """What was paid and received, and out of what."""
    if trade.payment is None:
        return {"total_amount": yuan(trade.amount), **NOTHING_PAID}
    return {
        "total_amount": yuan(trade.amount),
        "receipt_amount": yuan(trade.amount),
        "buyer_pay_amount": yuan(trade.paid),
        "point_amount": "0.00",
        "invoice_amount": yuan(trade.paid),
        "fund_bill_list": fund_bills(trade),
        "discount_amount": yuan(trade.discount - _own(trade)),
        "mdiscount_amount": yuan(_own(trade)),
        **({"voucher_detail_list": vouchers(trade)} if trade.vouchers else {}),
    }


def fund_bills(trade: Trade) -> list[dict[str, str]]:
    """What was paid with what."""
    own = _own(trade)
    bills = [(BALANCE, trade.paid), (DISCOUNT, trade.discount - own), (OWN_VOUCHER, own)]
    return [{"fund_channel": channel, "amount": yuan(fen)} for channel, fen in bills if fen]


def _own(trade: Trade) -> int:
    """What the merchant's own vouchers gave."""
    return sum(each.amount for each in trade.vouchers if each.stock)


def vouchers(trade: Trade) -> list[dict[str, str]]:
    """The coupons that made it cheaper."""
    return [
        {
            "id": f"{each.coupon_id:039d}",
            "name": each.name,
            "type": "ALIPAY_FIX_VOUCHER",
            "amount": yuan(each.amount),
            "merchant_contribute": yuan(each.amount if each.stock else 0),
            "other_contribute": yuan(0 if each.stock else each.amount),
            **({"template_id": each.stock} if each.stock else {}),
        }
        for each in trade.vouchers
    ]


def queried(trade: Trade, debtor: dict[str, str]) -> dict[str, Any]:
    """What a query tells."""
    told = trade.order.told
    fields = numbers(trade) | debtor | {"trade_status": status(trade)} | amounts(trade)
    if trade.payment is not None:
        fields["send_pay_date"] = beijing_text(trade.order.paid_ns)
    for name in ("subject", "body", "store_id", "terminal_id", "passback_params"):
        if told.get(name):
            fields[name] = told[name]
    return fields


def paid(trade: Trade, debtor: dict[str, str], store_name: str) -> dict[str, Any]:
    """What a payment by code tells when it has been made."""
    fields = numbers(trade) | debtor | amounts(trade)
    fields["gmt_payment"] = beijing_text(trade.order.paid_ns)
    if store_name:
        fields["store_name"] = store_name
    return fields
