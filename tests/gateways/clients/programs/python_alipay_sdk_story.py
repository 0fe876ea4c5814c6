"""A shop on python-alipay-sdk (PyPI), with a key or with certificates."""

import json
import sys
from typing import Any
from urllib.parse import parse_qsl

from alipay import AliPay, DCAliPay
from story import ACCOUNT, BASE_URL, MADE, Callbacks, do, number, pay, payment_code, race, tell

mode = sys.argv[3] if len(sys.argv) > 3 else "key"


def accept(_headers: dict[str, str], body: bytes) -> tuple[Any, int, bytes]:
    told = dict(parse_qsl(body.decode(), keep_blank_values=True))
    sign = told.pop("sign")
    good = shop.verify(dict(told), sign)
    return (told, 200, b"success") if good else (None, 200, b"failure")


callbacks = Callbacks(accept)
private = (ACCOUNT / "app_private_key.pem").read_text()
if mode == "key":
    shop = AliPay(
        appid=MADE["account"]["number"],
        app_notify_url=callbacks.url,
        app_private_key_string=private,
        alipay_public_key_string=(ACCOUNT / "alipay_public_key.pem").read_text(),
        sign_type="RSA2",
    )
else:
    shop = DCAliPay(
        appid=MADE["account"]["number"],
        app_notify_url=callbacks.url,
        app_private_key_string=private,
        app_public_key_cert_string=(ACCOUNT / "app_cert.crt").read_text(),
        alipay_public_key_cert_string=(ACCOUNT / "alipay_cert.crt").read_text(),
        alipay_root_cert_string=(ACCOUNT / "alipay_root_cert.crt").read_text(),
        sign_type="RSA2",
    )
if BASE_URL:
    shop._gateway = f"{BASE_URL}/gateway.do"


def refused(answer: dict[str, Any], sub_code: str) -> None:
    assert (answer["code"], answer["sub_code"]) == ("40004", sub_code), answer


def good(answer: dict[str, Any], code: str = "10000") -> dict[str, Any]:
    assert answer["code"] == code, answer
    return answer


def precreate(mine: str, amount: str = "12.50") -> dict[str, Any]:
    return dict(shop.api_alipay_trade_precreate("两碗炸酱面", mine, amount))


def story_of_an_order() -> None:
    mine = number()
    code = good(precreate(mine))["qr_code"]
    assert good(precreate(mine))["qr_code"] == code
    refused(precreate(mine, "13.00"), "ACQ.CONTEXT_INCONSISTENT")
    refused(shop.api_alipay_trade_query(out_trade_no=mine), "ACQ.TRADE_NOT_EXIST")
    pay(code)
    told = callbacks.next()
    assert (told["out_trade_no"], told["trade_status"], told["total_amount"]) == (mine, "TRADE_SUCCESS", "12.50"), told
    paid = good(shop.api_alipay_trade_query(out_trade_no=mine))
    assert (paid["trade_status"], paid["trade_no"]) == ("TRADE_SUCCESS", told["trade_no"]), paid
    assert good(shop.api_alipay_trade_query(trade_no=paid["trade_no"]))["out_trade_no"] == mine
    back = good(shop.api_alipay_trade_refund("5.00", out_trade_no=mine, out_request_no="1", refund_reason="少一碗"))
    assert (back["fund_change"], back["refund_fee"]) == ("Y", "5.00"), back
    told = callbacks.next()
    assert (told["refund_fee"], told["out_biz_no"]) == ("5.00", "1"), told
    again = good(shop.api_alipay_trade_refund("5.00", out_trade_no=mine, out_request_no="1", refund_reason="少一碗"))
    assert again["fund_change"] == "N", again
    refused(
        shop.api_alipay_trade_refund("6.00", out_trade_no=mine, out_request_no="1"), "ACQ.DISCORDANT_REPEAT_REQUEST"
    )
    refused(
        shop.api_alipay_trade_refund("7.51", out_trade_no=mine, out_request_no="2"), "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    )
    found = good(shop.api_alipay_trade_fastpay_refund_query("1", out_trade_no=mine))
    assert (found["refund_status"], found["refund_amount"]) == ("REFUND_SUCCESS", "5.00"), found
    assert good(shop.api_alipay_trade_refund("7.50", out_trade_no=mine, out_request_no="3"))["refund_fee"] == "12.50"
    assert good(shop.api_alipay_trade_query(out_trade_no=mine))["trade_status"] == "TRADE_CLOSED"


def story_of_cancelling() -> None:
    mine = number()
    code = good(precreate(mine))["qr_code"]
    do("pay", code=code, reject=True)
    assert good(shop.api_alipay_trade_query(out_trade_no=mine))["trade_status"] == "WAIT_BUYER_PAY"
    good(shop.api_alipay_trade_close(out_trade_no=mine))
    assert "refused" in do("pay", code=code)
    refused(shop.api_alipay_trade_close(out_trade_no=number()), "ACQ.TRADE_NOT_EXIST")


def story_of_a_race() -> None:
    mine = number()
    paid = race(
        good(precreate(mine))["qr_code"], lambda: shop.api_alipay_trade_close(out_trade_no=mine)["code"] == "10000"
    )
    stands = good(shop.api_alipay_trade_query(out_trade_no=mine))["trade_status"]
    assert stands == ("TRADE_SUCCESS" if paid else "TRADE_CLOSED"), stands
    while paid and callbacks.next()["out_trade_no"] != mine:
        pass  # Of what was given back before.


def story_of_payment_codes() -> None:
    def collect(mine: str, code: str, amount: str) -> dict[str, Any]:
        return dict(shop.api_alipay_trade_pay(mine, "bar_code", code, "牛肉面", total_amount=amount))

    mine = number()
    paid = good(collect(mine, payment_code(), "8.00"))
    assert paid["total_amount"] == "8.00", paid
    # A payer of the very institution, whose codes begin as shops expect.
    good(collect(number(), payment_code("zhi"), "8.00"))
    refused(collect(number(), "310000000000000000", "1.00"), "ACQ.PAYMENT_AUTH_CODE_INVALID")
    dear = number()
    good(collect(dear, payment_code(), "1500.00"), "10003")
    assert good(shop.api_alipay_trade_query(out_trade_no=dear))["trade_status"] == "WAIT_BUYER_PAY"
    assert do("answer")["state"] == "COMPLETED"
    assert good(shop.api_alipay_trade_query(out_trade_no=dear))["trade_status"] == "TRADE_SUCCESS"
    given_up = number()
    good(collect(given_up, payment_code(), "1500.00"), "10003")
    assert good(shop.api_alipay_trade_cancel(out_trade_no=given_up))["retry_flag"] == "N"
    cancelled = good(shop.api_alipay_trade_cancel(out_trade_no=mine))
    assert (cancelled["action"], cancelled["retry_flag"]) == ("refund", "N"), cancelled


def story_of_pages() -> None:
    page = shop.api_alipay_trade_page_pay("面", number(), "1.00", return_url="http://127.0.0.1/back")
    app = shop.api_alipay_trade_app_pay("面", number(), "1.00")
    assert "sign=" in page
    assert "sign=" in app
    json.dumps([page, app])


story_of_an_order()
story_of_cancelling()
story_of_a_race()
story_of_payment_codes()
story_of_pages()
tell(done=True)
