"""
A shop on pywechatpay (PyPI): an order, and asking how it stands.

Its orders of other kinds end in an error of its own: `verified_sync_response() missing 1 required positional argument`.
"""

from typing import Any

import requests
from pywechatpay.core import WechatPay
from pywechatpay.exceptions import WechatPayException
from story import ACCOUNT, BASE_URL, MADE, do, number, tell

account, secrets, platform = MADE["account"], MADE["secrets"], MADE["platform"]
appid = account["appids"][0]


def made_for(**other: Any) -> Any:
    """A client: `other` is what it has otherwise than it should."""
    given = {
        "mchid": account["number"],
        "mch_serial_no": account["keys"][-1]["serial"],
        "mch_private_key_string": (ACCOUNT / "apiclient_key.pem").read_text(),
        "wechat_public_key_string": platform["public_key"],
        "notify_url": "http://127.0.0.1:9/told",
        "apiv3_key": secrets["api_v3_key"],
        "app_appid": appid,
        "offi_appid": appid,
        "mini_appid": appid,
    }
    made = WechatPay(**given | other)
    made._gateway = BASE_URL or made._gateway
    return made


shop = made_for()
mine = number()
made = shop.pay_transactions_jsapi(
    description="面", out_trade_no=mine, amount=1, payer="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", tag="offi"
)
assert made["package"].startswith("prepay_id="), made
found = shop.pay_transactions_out_trade_no(mine)
assert found["trade_state"] == "NOTPAY", found


def refused(status: int, code: str, ask: Any, *given: Any, **named: Any) -> None:
    """All errors are requests' own: what came is in their response."""
    said: Any = None
    try:
        ask(*given, **named)
    except requests.HTTPError as no:
        said = no.response
    assert said is not None, (code, "it was done")
    assert (said.status_code, said.json()["code"]) == (status, code), said.text


def placed(out_trade_no: str, amount: int = 1, by: Any = shop) -> Any:
    payer = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
    return by.pay_transactions_jsapi(description="面", out_trade_no=out_trade_no, amount=amount, payer=payer)


refused(404, "ORDER_NOT_EXIST", shop.pay_transactions_out_trade_no, number())
refused(403, "OUT_TRADE_NO_USED", placed, mine, 2)
refused(400, "PARAM_ERROR", placed, number(), 0)
refused(401, "SIGN_ERROR", placed, number(), by=made_for(mch_serial_no="1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"))
do("faults", at="wei", number=account["number"], faults={"system_error": 1, "only": "jsapi"})
refused(500, "SYSTEM_ERROR", placed, number())
# Its key is the application's own here: what it can't believe is its own exception.
doubtful = made_for(wechat_public_key_string=(ACCOUNT / "apiclient_cert.pem").read_text())
try:
    placed(number(), by=doubtful)
except WechatPayException as no:
    doubted = str(no)
assert doubted == "wechatpay is not verify", doubted
tell(done=True)
