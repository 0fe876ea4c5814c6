"""A browser is shown a code until the order is paid, and then goes back with what the merchant can verify."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from hutong.gateways import keys
from hutong.gateways.alipay.parameters import canonical, encode
from tests.gateways.alipay.conftest import Payer
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import Hall

pytestmark = pytest.mark.asyncio(loop_scope="module")
ORDER = {"out_trade_no": "W1", "total_amount": "9.90", "subject": "<b>面</b>", "product_code": "FAST_INSTANT_TRADE_PAY"}


def links(shown: httpx.Response) -> tuple[str, str]:
    """The code, and where the page looks again."""
    code = re.search(r'class="open" href="([^"]+)"', shown.text)
    again = re.search(r'url=([^"]+)"', shown.text)
    assert code is not None
    assert again is not None
    return code[1], again[1]


async def test_a_page_is_shown_paid_and_left(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    parameters = merchant.parameters("alipay.trade.page.pay", ORDER, return_url="https://shop.example/回来?x=1")
    shown = await hall.http.get("/gateway.do?" + urlencode(parameters))
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html;charset=utf-8")
    assert "&lt;b&gt;面&lt;/b&gt;" in shown.text
    assert "胡同面馆" in shown.text
    assert "<svg" in shown.text
    code, again = links(shown)
    assert links(await hall.http.get(again)) == (code, again)
    assert links(await merchant.send(parameters)) == (code, again)
    await hall.pay(await payer(100_000), code)
    back = await hall.http.get(again)
    assert back.status_code == 302
    url = urlsplit(back.headers["location"])
    assert (url.netloc, url.path) == ("shop.example", "/%E5%9B%9E%E6%9D%A5")
    values = dict(parse_qsl(url.query))
    assert values.pop("x") == "1"
    assert (values["out_trade_no"], values["total_amount"]) == ("W1", "9.90")
    assert (values["method"], values["app_id"]) == ("alipay.trade.page.pay.return", merchant.app_id)
    text = canonical(encode(values), without=(b"sign", b"sign_type"))
    assert keys.verifies(merchant.platform, values["sign"], text)
    again_asked = await merchant.send(parameters)
    assert "ACQ.TRADE_HAS_SUCCESS" in again_asked.text


async def test_an_app_hands_its_order_to_the_payers_wallet(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    order = ORDER | {"out_trade_no": "A1", "product_code": "QUICK_MSECURITY_PAY"}
    posted = await merchant.ask("alipay.trade.app.pay", order)
    assert (posted["code"], posted["seller_id"]) == ("10000", merchant.account.facts.seller_id)
    await hall.pay(await payer(100_000), posted["qr_code"])
    assert (await merchant.ask("alipay.trade.query", {"out_trade_no": "A1"}))["trade_status"] == "TRADE_SUCCESS"


async def test_a_page_that_cannot_be_shown_says_why(hall: Hall, merchant: Merchant) -> None:
    wap = ORDER | {"out_trade_no": "W2", "product_code": "QUICK_WAP_WAY", "quit_url": "javascript:alert(1)"}
    shown = await merchant.send(merchant.parameters("alipay.trade.wap.pay", wap))
    assert "javascript" not in shown.text
    _, again = links(shown)
    await merchant.ask("alipay.trade.cancel", {"out_trade_no": "W2"})
    assert "交易已关闭" in (await hall.http.get(again)).text
    wrong = await merchant.send(merchant.parameters("alipay.trade.wap.pay", wap) | {"sign": "AAAA"})
    assert "isv.invalid-signature" in wrong.text
    assert (await hall.http.get("/alipay/cashier/2026")).status_code == 404
