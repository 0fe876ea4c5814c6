"""What a merchant asks for when it asks to be paid: the same fields in every method that does."""

from typing import Any

from hutong.gateways.alipay.call import Call
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.fields import Fields
from hutong.gateways.order import Dialect, OrderDraft
from hutong.institution.merchants.merchant import REMARK_LENGTH_MAX
from hutong.institution.notices.webhook import check_url
from hutong.institution.requests.request import RequestLimits
from hutong.kernel.errors import Refusal

URL_LENGTH_MAX = 256
GOODS_MAX = 150
_KEPT = (
    *(("body", 128), ("store_id", 32), ("terminal_id", 32), ("operator_id", 28), ("passback_params", 512)),
    *(("merchant_order_no", 64), ("quit_url", 400)),
)


def order_draft(call: Call, product: str, product_codes: tuple[str, ...], *, payer_code: str = "") -> OrderDraft:
    """
    The order that a call asks for.

    Refuses:  ACQ.INVALID_PARAMETER, naming the field; ACQ.INVALID_RECEIVE_ACCOUNT for another seller than the one who
              calls; ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR; ACQ.SUB_GOODS_SIZE_MAX_COUNT.
    """
    fields = call.fields
    out_trade_no = fields.number("out_trade_no", required=True)
    amount = fields.amount("total_amount")
    subject = fields.text("subject", 256, required=True)
    fields.choice("product_code", product_codes)
    seller_id = fields.text("seller_id", 28)
    if seller_id and seller_id != call.payee.facts.seller_id:
        raise AlipayError("ACQ.INVALID_RECEIVE_ACCOUNT", said="seller_id不正确")
    _check_goods(fields)
    for name in ("discountable_amount", "undiscountable_amount"):
        fields.amount(name, required=False, least=0)
    kept = {name: text for name, length in _KEPT if (text := fields.text(name, length))}
    lifetime_s = fields.lifetime_s(call.wall_ns)
    if lifetime_s is not None:
        lifetime_s = min(lifetime_s, RequestLimits().lifetime_max_s)
    facts: dict[str, Any] = {
        "subject": subject,
        "codec": call.codec,
        "sign_type": call.sign_type,
        "return_url": return_url(call),
        # What it brings is frozen until the merchant has settled it with whom it shares.
        "split": fields.object("extend_params").text("royalty_freeze", 8) == "true",
        **kept,
    }
    return OrderDraft(
        out_trade_no=out_trade_no,
        amount=amount,
        product=product,
        description=_shown(subject),
        dialect=Dialect.ALIPAY,
        payer_code=payer_code,
        lifetime_s=lifetime_s,
        notify_url=notify_url(call),
        facts={name: value for name, value in facts.items() if value},
        content=f"{product}/{subject}".encode(),
    )


def notify_url(call: Call) -> str:
    """Where to call back, or nowhere. Refuses ACQ.INVALID_PARAMETER, also for where one may not call from here."""
    try:
        if call.notify_url:
            check_url(call.notify_url, private_allowed=call.private_urls)
    except Refusal:
        raise call.fields.invalid("notify_url", "格式不正确") from None
    if len(call.notify_url) > URL_LENGTH_MAX:
        raise call.fields.invalid("notify_url", "过长")
    return call.notify_url


def return_url(call: Call) -> str:
    """Where a browser is to go back to, or nowhere. Refuses ACQ.INVALID_PARAMETER."""
    url = call.return_url
    if url and not (url.startswith(("http://", "https://")) and len(url) <= URL_LENGTH_MAX and url.isprintable()):
        raise call.fields.invalid("return_url", "格式不正确")
    return url


def _check_goods(fields: Fields) -> None:
    goods = fields.objects("goods_detail", 10 * GOODS_MAX)
    if len(goods) > GOODS_MAX:
        raise AlipayError("ACQ.SUB_GOODS_SIZE_MAX_COUNT", said="子商品明细超长")


def _shown(subject: str) -> str:
    """The subject as payers are shown it: on one line, without what can't be seen."""
    seen = "".join(letter if letter.isprintable() else " " for letter in subject)
    return " ".join(seen.split())[:REMARK_LENGTH_MAX].strip()
