"""A service provider on python-alipay-sdk (PyPI), in its own mode for providers: another merchant's owner lets it act."""

import json
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from alipay import ISVAliPay
from story import ACCOUNT, BASE_URL, MADE, Callbacks, do, number, pay, tell

OTHER = json.loads((ACCOUNT / "other.json").read_text())["account"]  # The other merchant's.
BACK = "http://127.0.0.1:9/back"


def accept(_headers: dict[str, str], body: bytes) -> tuple[Any, int, bytes]:
    told = dict(parse_qsl(body.decode(), keep_blank_values=True))
    sign = told.pop("sign")
    return (told, 200, b"success") if provider.verify(dict(told), sign) else (None, 200, b"failure")


callbacks = Callbacks(accept)
page = "/oauth2/appToAppAuth.htm?" + urlencode({"app_id": MADE["account"]["number"], "redirect_uri": BACK})
led = do("authorise", at="zhi", page=page, merchant=OTHER["merchant_id"], account=OTHER["number"])["led"]
KEYS = {
    "appid": MADE["account"]["number"],
    "app_notify_url": callbacks.url,
    "app_private_key_string": (ACCOUNT / "app_private_key.pem").read_text(),
    "alipay_public_key_string": (ACCOUNT / "alipay_public_key.pem").read_text(),
}


def pointed(made: Any) -> Any:
    if BASE_URL:
        made._gateway = f"{BASE_URL}/gateway.do"
    return made


def good(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["code"] == "10000", answer
    return answer


# Left to itself it sends the code as a refresh token: it is asked to change it, and made anew with the token.
changing = pointed(ISVAliPay(**KEYS, app_auth_code=parse_qs(urlsplit(led).query)["app_auth_code"][0]))
token = good(changing.api_alipay_open_auth_token_app())
provider = pointed(ISVAliPay(**KEYS, app_auth_token=token["app_auth_token"]))
granted = good(provider.api_alipay_open_auth_token_app_query())
assert (granted["status"], granted["auth_app_id"]) == ("valid", OTHER["number"]), granted
mine = number()
pay(good(provider.api_alipay_trade_precreate("面", mine, "9.00"))["qr_code"])
told = callbacks.next()
assert (told["auth_app_id"], told["seller_id"]) == (OTHER["number"], OTHER["seller_id"]), told
assert good(provider.api_alipay_trade_query(out_trade_no=mine))["trade_status"] == "TRADE_SUCCESS"
assert good(provider.api_alipay_trade_refund("9.00", out_trade_no=mine))["refund_fee"] == "9.00"
tell(done=True)
