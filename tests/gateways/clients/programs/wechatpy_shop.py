"""A shop on wechatpy (PyPI), WeChat Pay's API of version 2, with its certificate; what its stories have in common."""

from typing import Any

from story import ACCOUNT, BASE_URL, MADE, Callbacks, do, number
from wechatpy.exceptions import WeChatPayException
from wechatpy.pay import WeChatPay

account, secrets = MADE["account"], MADE["secrets"]
LOCAL = "127.0.0.1"
_OK = b"<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"
if BASE_URL:
    WeChatPay.API_BASE_URL = f"{BASE_URL}/"


def made_for(**other: Any) -> Any:
    """A client: `other` is what it has otherwise than it should."""
    given = {
        "appid": account["appids"][0],
        "api_key": secrets["api_v2_key"],
        "mch_id": account["number"],
        "mch_cert": str(ACCOUNT / "apiclient_cert.pem"),
        "mch_key": str(ACCOUNT / "apiclient_key.pem"),
    }
    return WeChatPay(**given | other)


shop = made_for()
seen: set[str] = set()  # Every code that was refused with.


def accept(_headers: dict[str, str], body: bytes) -> tuple[Any, int, bytes]:
    """A refund's news is hidden in req_info; a payment's is signed."""
    if b"req_info" in body:
        return shop.parse_refund_notify_result(body), 200, _OK
    return shop.parse_payment_result(body), 200, _OK


callbacks = Callbacks(accept)


def refused(code: str | None, ask: Any, *given: Any, **named: Any) -> Any:
    """The client's error, which has this code; None: it was not read, and all there is is a text."""
    said: Any = None
    try:
        ask(*given, **named)
    except WeChatPayException as no:
        said = no
    assert said is not None, (code, "it was done")
    assert said.errcode == code, (said.errcode, said.errmsg, said.return_msg, code)
    seen.add(str(code))
    return said


def native(mine: str, total: int = 1_250, by: Any = shop, **more: Any) -> Any:
    given = {"client_ip": LOCAL, "out_trade_no": mine, "product_id": "n1", "attach": "桌七"}
    return by.order.create("NATIVE", "两碗炸酱面", total, callbacks.url, **given | more)


def collect(mine: str, code: str, total: int = 800) -> Any:
    return shop.micropay.create("牛肉面", total, code, client_ip=LOCAL, out_trade_no=mine)


def customer(amount: int = 50_000) -> tuple[str, int]:
    """Somebody of the shop's own institution who bought something: their openid, and which payer it is."""
    shown = do("payment_code", at="wei")
    return collect(number(), shown["payment_code"], amount)["openid"], shown["payer"]
