"""A shop on python-alipay-sdk (PyPI) and a person of another institution: they scan what it offers, say yes, and it takes."""

import sys
import urllib.request
from typing import Any

from python_alipay_shop import callbacks, good, refused, shop
from story import do, number, tell

PAYER = {"at": "jing", "payer": 8, "of": "zhi"}  # Whose wallet it is, and at whose gateway the shop is.
PLAN = {"personal_product_code": "GENERAL_WITHHOLDING_P", "sign_scene": "INDUSTRY|MOBILE"}
CYCLE = {"personal_product_code": "CYCLE_PAY_AUTH_P", "sign_scene": "INDUSTRY|MOBILE"}


def ask(method: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return dict(shop.server_api(method, content, **more))


def balance() -> int:
    return int(do("balance", **PAYER)["balance"])


def signed(plan: dict[str, Any], **more: Any) -> tuple[dict[str, Any], str]:
    """An agreement that somebody elsewhere scanned and signed; and who they were told asks for it."""
    mine = number("A")
    content = plan | {
        "external_agreement_no": mine,
        "external_logon_id": "小明",
        "access_params": {"channel": "QRCODE"},
    }
    page = shop.client_api("alipay.user.agreement.page.sign", content | more, notify_url=callbacks.url)
    with urllib.request.urlopen(f"{shop._gateway}?{page}") as shown:  # noqa: S310  # The gateway's.
        link = shown.read().decode()
    agreed = do("sign", **PAYER, link=link)
    assert agreed["institution"] == "zhi", agreed
    told = callbacks.next()
    assert (told["notify_type"], told["external_agreement_no"]) == ("dut_user_sign", mine), told
    return good(ask("alipay.user.agreement.query", {"agreement_no": told["agreement_no"]})), agreed["merchant_name"]


def take(
    agreement: dict[str, Any], amount: str, mine: str = "", product: str = "GENERAL_WITHHOLDING"
) -> dict[str, Any]:
    content = {
        "out_trade_no": mine or number(),
        "total_amount": amount,
        "subject": "月费",
        "product_code": product,
        "agreement_params": {"agreement_no": agreement["agreement_no"]},
    }
    return ask("alipay.trade.pay", content)


def story_of_an_agreement_elsewhere() -> None:
    agreement, who = signed(PLAN)
    before, mine = balance(), number()
    paid = good(take(agreement, "600.00", mine))
    assert paid["buyer_user_id"] == agreement["alipay_user_id"], paid
    assert callbacks.next()["trade_status"] == "TRADE_SUCCESS"
    refused(take(agreement, "600.00"), "ACQ.BEYOND_PAY_RESTRICTION")
    assert callbacks.next()["trade_status"] == "TRADE_CLOSED", "what could not be taken is told, too"
    assert balance() == before - 60_000
    good(shop.api_alipay_trade_refund("100.00", out_trade_no=mine, out_request_no="1"))
    assert callbacks.next()["out_biz_no"] == "1"
    assert balance() == before - 50_000
    do("revoke", **PAYER, name=who)
    refused(take(agreement, "1.00"), "ACQ.AGREEMENT_STATUS_NOT_NORMAL")
    assert callbacks.next()["trade_status"] == "TRADE_CLOSED"
    good(ask("alipay.user.agreement.unsign", {"agreement_no": agreement["agreement_no"]}))
    assert callbacks.next()["notify_type"] == "dut_user_unsign"
    refused(take(agreement, "1.00"), "ACQ.AGREEMENT_STATUS_NOT_NORMAL")


def story_of_a_cycle_elsewhere() -> None:
    """Each month, at most so much: whoever's wallet it is."""
    today = do("clock", forward_s=0)["now"][:10]
    rule = {"period_type": "DAY", "period": "7", "execute_time": today, "single_amount": "30.00"}
    agreement, _ = signed(CYCLE, period_rule_params=rule)
    before = balance()

    def take_cycle(amount: str) -> dict[str, Any]:
        return take(agreement, amount, product="CYCLE_PAY_AUTH")

    refused(take_cycle("30.01"), "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED")
    good(take_cycle("30.00"))
    assert callbacks.next()["total_amount"] == "30.00"
    refused(take_cycle("30.00"), "ACQ.CYCLE_PAY_DATE_NOT_MATCH")
    do("clock", forward_s=3 * 86_400)
    good(take_cycle("29.00"))
    assert callbacks.next()["total_amount"] == "29.00"
    assert balance() == before - 5_900


def deposit(amount: str) -> dict[str, Any]:
    return {
        "out_order_no": number("H"),
        "out_request_no": number("R"),
        "order_title": "押金",
        "amount": amount,
        "product_code": "PREAUTH_PAY",
    }


def charge(auth_no: str, amount: str, mine: str = "", mode: str = "NOT_COMPLETE") -> dict[str, Any]:
    content = {
        "out_trade_no": mine or number(),
        "total_amount": amount,
        "subject": "房费",
        "product_code": "PREAUTH_PAY",
        "auth_no": auth_no,
        "auth_confirm_mode": mode,
    }
    return ask("alipay.trade.pay", content)


def detail(auth_no: str, **which: str) -> dict[str, Any]:
    return good(ask("alipay.fund.auth.operation.detail.query", {"auth_no": auth_no} | which))


def story_of_a_deposit_elsewhere() -> None:
    """By payment code: held there, taken twice, given back in part, let go, asked about."""
    shown = do("payment_code", at="jing")
    who = {"at": "jing", "payer": shown["payer"]}
    before = do("balance", **who)["balance"]
    asked = deposit("100.00") | {"auth_code": shown["payment_code"], "auth_code_type": "bar_code"}
    held = good(ask("alipay.fund.auth.order.freeze", asked, notify_url=callbacks.url))
    assert (held["status"], held["payer_user_id"][:5]) == ("SUCCESS", "20880"), held
    told = callbacks.next()
    assert (told["notify_type"], told["auth_no"]) == ("fund_auth_freeze", held["auth_no"]), told
    assert do("balance", **who)["balance"] == before - 10_000
    first = number()
    paid = good(charge(held["auth_no"], "30.00", first))
    assert paid["buyer_user_id"] == held["payer_user_id"], paid
    assert callbacks.next()["trade_status"] == "TRADE_SUCCESS"
    again = good(charge(held["auth_no"], "30.00", first))
    assert again["trade_no"] == paid["trade_no"], "the same number is the same payment"
    refused(charge(held["auth_no"], "70.01"), "ACQ.AUTH_AMOUNT_NOT_ENOUGH")
    second = good(charge(held["auth_no"], "25.00"))
    assert second["trade_no"] != paid["trade_no"], "each is a payment with its own number"
    callbacks.next()
    good(shop.api_alipay_trade_refund("10.00", out_trade_no=first, out_request_no="1"))
    assert callbacks.next()["out_biz_no"] == "1"
    assert do("balance", **who)["balance"] == before - 9_000, "to the balance, and not to what is held"
    back = {"auth_no": held["auth_no"], "out_request_no": number("R"), "amount": "5.00", "remark": "退押金"}
    assert good(ask("alipay.fund.auth.order.unfreeze", back, notify_url=callbacks.url))["status"] == "SUCCESS"
    assert callbacks.next()["notify_type"] == "fund_auth_unfreeze"
    found = detail(held["auth_no"], operation_id=held["operation_id"])
    assert (found["rest_amount"], found["total_pay_amount"]) == ("40.00", "55.00"), found
    refused(
        ask("alipay.fund.auth.order.unfreeze", back | {"out_request_no": number("R"), "amount": "40.01"}),
        "REQUEST_AMOUNT_EXCEED",
    )
    rest = back | {"out_request_no": number("R"), "amount": "40.00"}
    assert good(ask("alipay.fund.auth.order.unfreeze", rest))["status"] == "SUCCESS"
    callbacks.next()
    found = detail(held["auth_no"], out_request_no=rest["out_request_no"])
    assert (found["order_status"], found["rest_amount"], found["status"]) == ("FINISH", "0.00", "SUCCESS"), found
    refused(charge(held["auth_no"], "1.00"), "ACQ.AUTH_ORDER_HAS_FINISHED")
    assert do("balance", **who)["balance"] == before - 4_500
    seen = do("hold", **who)
    assert (seen["state"], seen["institution"], seen["taken"], seen["released"]) == ("ENDED", "zhi", 5_500, 4_500), seen


def story_of_a_deposit_by_link_elsewhere() -> None:
    """By link: scanned, agreed to with the PIN, taken whole; and above what a code holds without asking."""
    before, asked = balance(), deposit("200.00")
    link = good(ask("alipay.fund.auth.order.voucher.create", asked, notify_url=callbacks.url))["code_value"]
    assert do("agree", **PAYER, link=link)["state"] == "HELD"
    told = callbacks.next()
    assert (told["notify_type"], told["out_order_no"]) == ("fund_auth_freeze", asked["out_order_no"]), told
    assert balance() == before - 20_000
    good(charge(told["auth_no"], "120.00", mode="COMPLETE"))
    news = sorted(callbacks.next()["notify_type"] for _ in range(2))
    assert news == ["fund_auth_unfreeze", "trade_status_sync"], news
    assert detail(told["auth_no"], out_request_no=asked["out_request_no"])["order_status"] == "FINISH"
    assert balance() == before - 12_000

    do("fill", at="jing", payer=9)
    shown = do("payment_code", at="jing")
    who = {"at": "jing", "payer": shown["payer"]}
    big = deposit("1000.01") | {"auth_code": shown["payment_code"], "auth_code_type": "bar_code"}
    waiting = ask("alipay.fund.auth.order.freeze", big, notify_url=callbacks.url)
    assert (waiting["code"], waiting["status"]) == ("10003", "INIT"), waiting
    assert do("hold", **who, agree=True)["state"] in {"HELD", "WAITING"}
    undone = {"out_order_no": big["out_order_no"], "out_request_no": big["out_request_no"], "remark": "不住了"}
    assert good(ask("alipay.fund.auth.operation.cancel", undone))["action"] in {"unfreeze", "close"}


only = sys.argv[3:]
for story in (
    story_of_an_agreement_elsewhere,
    story_of_a_cycle_elsewhere,
    story_of_a_deposit_elsewhere,
    story_of_a_deposit_by_link_elsewhere,
):
    if not only or story.__name__ in only:
        story()
tell(done=True)
