"""A shop on python-alipay-sdk (PyPI), with certificates: settling splits, transfers, balances, bills."""

import csv
import io
import json
import sys
import urllib.request
import zipfile
from typing import Any
from urllib.parse import parse_qsl

from alipay import DCAliPay
from story import ACCOUNT, BASE_URL, MADE, Callbacks, do, number, pay, payment_code, tell

OTHER = json.loads((ACCOUNT / "other.json").read_text())  # Another merchant's account.


def accept(_headers: dict[str, str], body: bytes) -> tuple[Any, int, bytes]:
    told = dict(parse_qsl(body.decode(), keep_blank_values=True))
    sign = told.pop("sign")
    return (told, 200, b"success") if shop.verify(dict(told), sign) else (None, 200, b"failure")


callbacks = Callbacks(accept)
shop = DCAliPay(
    appid=MADE["account"]["number"],
    app_notify_url=callbacks.url,
    app_private_key_string=(ACCOUNT / "app_private_key.pem").read_text(),
    app_public_key_cert_string=(ACCOUNT / "app_cert.crt").read_text(),
    alipay_public_key_cert_string=(ACCOUNT / "alipay_cert.crt").read_text(),
    alipay_root_cert_string=(ACCOUNT / "alipay_root_cert.crt").read_text(),
)
if BASE_URL:
    shop._gateway = f"{BASE_URL}/gateway.do"


def good(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["code"] == "10000", answer
    return answer


def paid(amount: str, **more: Any) -> str:
    """An order that somebody paid; its trade_no."""
    mine = number()
    pay(good(shop.api_alipay_trade_precreate("货", mine, amount, **more))["qr_code"])
    return str(callbacks.next()["trade_no"])


def story_of_royalties() -> None:
    receiver = {"type": "userId", "account": OTHER["account"]["seller_id"], "memo": "供货"}
    bound = {"receiver_list": [receiver], "out_request_no": number("B")}
    good(shop.server_api("alipay.trade.royalty.relation.bind", bound))
    trade_no = paid("100.00", extend_params={"royalty_freeze": "true"})
    part = {
        "trans_in": OTHER["account"]["seller_id"],
        "trans_in_type": "userId",
        "amount": "10.00",
        "royalty_type": "transfer",
    }
    settled = good(shop.api_alipay_trade_order_settle(number("S"), trade_no, [part]))
    assert settled["trade_no"] == trade_no, settled
    found = good(shop.server_api("alipay.trade.order.settle.query", {"settle_no": settled["settle_no"]}))
    assert found["royalty_detail_list"][0]["state"] == "SUCCESS", found


def story_of_a_transfer() -> None:
    bought = good(shop.api_alipay_trade_pay(number(), "bar_code", payment_code("zhi"), "面", total_amount="50.00"))
    asked = number("X")
    content = {
        "out_biz_no": asked,
        "trans_amount": "3.00",
        "product_code": "TRANS_ACCOUNT_NO_PWD",
        "biz_scene": "DIRECT_TRANSFER",
        "order_title": "返现",
        "payee_info": {"identity": bought["buyer_user_id"], "identity_type": "ALIPAY_USER_ID"},
    }
    sent = good(shop.server_api("alipay.fund.trans.uni.transfer", content))
    assert sent["status"] == "SUCCESS", sent
    assert good(shop.server_api("alipay.fund.trans.uni.transfer", content))["order_id"] == sent["order_id"]
    found = {"out_biz_no": asked, "product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}
    assert good(shop.server_api("alipay.fund.trans.common.query", found))["status"] == "SUCCESS"


def story_of_the_bill() -> None:
    """The next day, at noon: what was sold is on the bill, to the fen."""
    now = do("clock", forward_s=0)["now"]
    mine = number()
    pay(good(shop.api_alipay_trade_precreate("货", mine, "12.34"))["qr_code"])
    callbacks.next()
    do("clock", forward_s=(24 - int(now[11:13]) + 12) * 3600)
    asked = good(
        shop.server_api("alipay.data.dataservice.bill.downloadurl.query", {"bill_type": "trade", "bill_date": now[:10]})
    )
    with urllib.request.urlopen(asked["bill_download_url"]) as answer:  # noqa: S310  # What the gateway named.
        files = zipfile.ZipFile(io.BytesIO(answer.read()), metadata_encoding="gbk")
    details = next(name for name in files.namelist() if "汇总" not in name)
    rows = list(csv.reader(io.StringIO(files.read(details).decode("gbk"))))
    told = {row[1].strip(): row for row in rows if len(row) > 20}
    assert told[mine][11].strip() == "12.34", told.get(mine)


only = sys.argv[3:]
for story in (story_of_royalties, story_of_a_transfer, story_of_the_bill):
    if not only or story.__name__ in only:
        story()
tell(done=True)
