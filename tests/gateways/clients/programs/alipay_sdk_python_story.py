"""A shop on alipay-sdk-python (PyPI, the vendor's own)."""

import json
from typing import Any
from urllib.parse import parse_qsl

from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
from alipay.aop.api.request.AlipayTradeCancelRequest import AlipayTradeCancelRequest
from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest
from alipay.aop.api.request.AlipayTradeFastpayRefundQueryRequest import AlipayTradeFastpayRefundQueryRequest
from alipay.aop.api.request.AlipayTradePagePayRequest import AlipayTradePagePayRequest
from alipay.aop.api.request.AlipayTradePayRequest import AlipayTradePayRequest
from alipay.aop.api.request.AlipayTradePrecreateRequest import AlipayTradePrecreateRequest
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest
from alipay.aop.api.util.SignatureUtils import get_sign_content, verify_with_rsa
from story import ACCOUNT, BASE_URL, MADE, Callbacks, do, number, pay, payment_code, tell

public = (ACCOUNT / "alipay_public_key.txt").read_text()


def accept(_headers: dict[str, str], body: bytes) -> tuple[Any, int, bytes]:
    told = dict(parse_qsl(body.decode(), keep_blank_values=True))
    signed = {name: value for name, value in told.items() if name not in {"sign", "sign_type"}}
    assert verify_with_rsa(public, get_sign_content(signed).encode(), told["sign"])
    return told, 200, b"success"


callbacks = Callbacks(accept)
config = AlipayClientConfig()
config.app_id = MADE["account"]["number"]
config.app_private_key = (ACCOUNT / "app_private_key_pkcs1.txt").read_text()
config.alipay_public_key = public
if BASE_URL:
    # It takes no port in an address: this is where it makes its connections.
    import http.client

    from alipay.aop.api.util import WebUtils

    at = BASE_URL.partition("://")[2]
    WebUtils.get_http_connection = lambda _url, query, timeout: (
        f"/gateway.do?{query}",
        http.client.HTTPConnection(at, timeout=timeout),
    )
client = DefaultAlipayClient(config)


def ask(request: Any, **content: Any) -> dict[str, Any]:
    made = request()
    made.biz_content = content
    if "notify_url" in dir(made):
        made.notify_url = callbacks.url
    return dict(json.loads(client.execute(made)))


def good(answer: dict[str, Any], code: str = "10000") -> dict[str, Any]:
    assert answer["code"] == code, answer
    return answer


def refused(answer: dict[str, Any], sub_code: str) -> None:
    assert (answer["code"], answer["sub_code"]) == ("40004", sub_code), answer


mine = number()
code = good(ask(AlipayTradePrecreateRequest, out_trade_no=mine, total_amount="12.50", subject="两碗炸酱面"))["qr_code"]
pay(code)
told = callbacks.next()
assert (told["out_trade_no"], told["trade_status"]) == (mine, "TRADE_SUCCESS"), told
assert good(ask(AlipayTradeQueryRequest, out_trade_no=mine))["trade_status"] == "TRADE_SUCCESS"
assert (
    good(ask(AlipayTradeRefundRequest, out_trade_no=mine, refund_amount="5.00", out_request_no="1"))["refund_fee"]
    == "5.00"
)
assert callbacks.next()["refund_fee"] == "5.00"
found = good(ask(AlipayTradeFastpayRefundQueryRequest, out_trade_no=mine, out_request_no="1"))
assert found["refund_status"] == "REFUND_SUCCESS", found
refused(ask(AlipayTradeQueryRequest, out_trade_no=number()), "ACQ.TRADE_NOT_EXIST")

coded = number()
good(
    ask(
        AlipayTradePayRequest,
        out_trade_no=coded,
        scene="bar_code",
        auth_code=payment_code(),
        total_amount="8.00",
        subject="牛肉面",
    )
)
assert good(ask(AlipayTradeCancelRequest, out_trade_no=coded))["action"] == "refund"

closed = number()
code = good(ask(AlipayTradePrecreateRequest, out_trade_no=closed, total_amount="1.00", subject="面"))["qr_code"]
do("pay", code=code, reject=True)
good(ask(AlipayTradeCloseRequest, out_trade_no=closed))

page = AlipayTradePagePayRequest()
page.biz_content = {
    "out_trade_no": number(),
    "total_amount": "1.00",
    "subject": "面",
    "product_code": "FAST_INSTANT_TRADE_PAY",
}
assert "sign" in client.page_execute(page)
tell(done=True)
