"""
A shop on pywechatpay (PyPI): an order, and asking how it stands.

Its orders of other kinds end in an error of its own: `verified_sync_response() missing 1 required positional argument`.
"""

from pywechatpay.core import WechatPay
from story import ACCOUNT, BASE_URL, MADE, number, tell

account, secrets, platform = MADE["account"], MADE["secrets"], MADE["platform"]
appid = account["appids"][0]
shop = WechatPay(
    mchid=account["number"],
    mch_serial_no=account["keys"][-1]["serial"],
    mch_private_key_string=(ACCOUNT / "apiclient_key.pem").read_text(),
    wechat_public_key_string=platform["public_key"],
    notify_url="http://127.0.0.1:9/told",
    apiv3_key=secrets["api_v3_key"],
    app_appid=appid,
    offi_appid=appid,
    mini_appid=appid,
)
if BASE_URL:
    shop._gateway = BASE_URL
mine = number()
made = shop.pay_transactions_jsapi(
    description="面", out_trade_no=mine, amount=1, payer="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", tag="offi"
)
assert made["package"].startswith("prepay_id="), made
found = shop.pay_transactions_out_trade_no(mine)
assert found["trade_state"] == "NOTPAY", found
tell(done=True)
