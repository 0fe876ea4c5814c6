"""A shop on python-alipay-sdk (PyPI) and what people agree to beforehand: deposits, deductions, who they are."""

import json
import sys
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from python_alipay_shop import app_id, callbacks, good, refused, shop
from story import MADE, do, number, pay, tell

PLAN = {"personal_product_code": "GENERAL_WITHHOLDING_P", "sign_scene": "INDUSTRY|MOBILE"}
BACK = "http://127.0.0.1:9/back"


def ask(method: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return dict(shop.server_api(method, content, **more))


def story_of_a_deposit() -> None:
    """Held by payment code, paid out of, let go; another by link, undone."""
    shown = do("payment_code", at="zhi")
    before = do("balance", at="zhi", payer=shown["payer"])["balance"]
    mine, asked = number("H"), number("R")
    content = {
        "auth_code": shown["payment_code"],
        "auth_code_type": "bar_code",
        "out_order_no": mine,
        "out_request_no": asked,
        "order_title": "押金",
        "amount": "100.00",
        "product_code": "PREAUTH_PAY",
    }
    held = good(ask("alipay.fund.auth.order.freeze", content, notify_url=callbacks.url))
    assert held["status"] == "SUCCESS", held
    told = callbacks.next()
    assert (told["notify_type"], told["auth_no"]) == ("fund_auth_freeze", held["auth_no"]), told
    assert do("balance", at="zhi", payer=shown["payer"])["balance"] == before - 10_000

    def take(amount: str, mode: str = "NOT_COMPLETE") -> dict[str, Any]:
        content = {
            "out_trade_no": number(),
            "total_amount": amount,
            "subject": "房费",
            "product_code": "PREAUTH_PAY",
            "auth_no": held["auth_no"],
            "auth_confirm_mode": mode,
        }
        return ask("alipay.trade.pay", content)

    assert good(take("30.00"))["buyer_user_id"] == held["payer_user_id"]
    assert callbacks.next()["trade_status"] == "TRADE_SUCCESS"
    refused(take("70.01"), "ACQ.AUTH_AMOUNT_NOT_ENOUGH")
    back = {"auth_no": held["auth_no"], "out_request_no": number("R"), "amount": "20.00", "remark": "退押金"}
    good(ask("alipay.fund.auth.order.unfreeze", back, notify_url=callbacks.url))
    assert callbacks.next()["notify_type"] == "fund_auth_unfreeze"
    found = good(
        ask(
            "alipay.fund.auth.operation.detail.query",
            {"auth_no": held["auth_no"], "operation_id": held["operation_id"]},
        )
    )
    assert (found["rest_amount"], found["total_pay_amount"]) == ("50.00", "30.00"), found
    good(take("10.00", "COMPLETE"))
    callbacks.next()
    refused(take("1.00"), "ACQ.AUTH_ORDER_HAS_FINISHED")
    assert do("balance", at="zhi", payer=shown["payer"])["balance"] == before - 4_000

    linked = {name: value for name, value in content.items() if not name.startswith("auth_code")}
    linked |= {"out_order_no": number("H"), "out_request_no": number("R")}
    voucher = good(ask("alipay.fund.auth.order.voucher.create", linked))
    agreed = do("agree", at="zhi", link=voucher["code_value"])
    assert agreed["state"] == "HELD", agreed
    undone = {"out_order_no": linked["out_order_no"], "out_request_no": linked["out_request_no"], "remark": "不住了"}
    assert good(ask("alipay.fund.auth.operation.cancel", undone))["action"] == "unfreeze"
    order = shop.client_api("alipay.fund.auth.order.app.freeze", linked | {"out_order_no": number("H")})
    assert "sign=" in order, "the text a phone's app opens"


def story_of_a_complaint() -> None:
    """Somebody at another institution is not content; the application's gateway is told; answered, refunded, done."""
    do("watch", at="zhi", account=MADE["account"], url=callbacks.url)
    mine = number()
    made = good(shop.api_alipay_trade_precreate("面", mine, "20.00"))
    bought = pay(made["qr_code"])
    assert callbacks.next()["trade_status"] == "TRADE_SUCCESS"
    complaint = do("complain", payment_id=bought["payment_id"], kind="RFND", text="面是凉的")
    told = callbacks.next()
    assert told["msg_method"] == "alipay.merchant.tradecomplain.changed", told
    id_ = json.loads(told["biz_content"])["complain_event_id"]
    named = {"complain_event_id": id_}
    before = "alipay.merchant.tradecomplain"
    found = good(ask(f"{before}.query", named))
    assert (found["status"], found["merchant_order_no"]) == ("MERCHANT_PROCESSING", mine), found
    page = good(ask(f"{before}.batchquery", {"status": "MERCHANT_PROCESSING", "page_num": 1, "page_size": 100}))
    assert id_ in [each["complain_event_id"] for each in page["trade_complain_infos"]], page
    good(ask(f"{before}.reply.submit", named | {"reply_content": "抱歉"}))
    callbacks.next()
    good(shop.api_alipay_trade_refund("20.00", out_trade_no=mine))
    risk = "alipay.security.risk.complaint"
    (newer,) = good(ask(f"{risk}.info.batchquery", {"task_id": id_}))["complaint_list"]
    assert newer["status"] == "PROCESSING", newer
    done = {"id_list": [newer["id"]], "process_code": "REFUND", "reply_content": "已退款", "remark": "已退款"}
    assert good(ask(f"{risk}.process.finish", done))["complaint_process_success"] is True
    seen = do("grievance", complaint_id=complaint["complaint_id"], state="PRCD")
    assert [turn["act"] for turn in seen["turns"]] == ["OPEN", "SAYS", "RFND", "SAYS", "CMPL"], seen
    refused(ask(f"{before}.query", {"complain_event_id": "0" * 32}), "COMPLAINT_NOT_EXIST")
    refused(ask(f"{before}.supplement.submit", named | {"supplement_content": "小票"}), "COMPLAINT_STATUS_ERROR")


def story_of_an_agreement() -> None:
    """Signed where the page leads, taken under, ended."""
    number_of_mine = number("A")
    content = PLAN | {
        "external_agreement_no": number_of_mine,
        "external_logon_id": "小明",
        "access_params": {"channel": "QRCODE"},
    }
    refused(
        ask("alipay.user.agreement.query", PLAN | {"external_agreement_no": number_of_mine}), "USER_AGREEMENT_NOT_EXIST"
    )
    page = shop.client_api("alipay.user.agreement.page.sign", content, notify_url=callbacks.url)
    with urllib.request.urlopen(f"{shop._gateway}?{page}") as shown:  # noqa: S310  # The gateway's.
        link = shown.read().decode()
    assert do("sign", at="zhi", link=link)["state"] == "SIGNED"
    told = callbacks.next()
    assert (told["notify_type"], told["status"]) == ("dut_user_sign", "NORMAL"), told
    found = good(ask("alipay.user.agreement.query", PLAN | {"external_agreement_no": number_of_mine}))
    assert found["agreement_no"] == told["agreement_no"], found

    def take(amount: str) -> dict[str, Any]:
        content = {
            "out_trade_no": number(),
            "total_amount": amount,
            "subject": "月费",
            "product_code": "GENERAL_WITHHOLDING",
            "agreement_params": {"agreement_no": found["agreement_no"]},
        }
        return ask("alipay.trade.pay", content)

    assert good(take("600.00"))["buyer_user_id"] == found["principal_id"]
    assert callbacks.next()["total_amount"] == "600.00"
    refused(take("600.00"), "ACQ.BEYOND_PAY_RESTRICTION")
    assert callbacks.next()["trade_status"] == "TRADE_CLOSED", "what could not be taken is told, too"
    good(ask("alipay.user.agreement.unsign", {"agreement_no": found["agreement_no"]}))
    told = callbacks.next()
    assert told["notify_type"] == "dut_user_unsign", told
    refused(take("1.00"), "ACQ.AGREEMENT_STATUS_NOT_NORMAL")


def story_of_who_it_is() -> None:
    """A person lets the shop know who they are; whoever pays is the same."""
    page = "/oauth2/publicAppAuthorize.htm?" + urlencode(
        {"app_id": app_id, "scope": "auth_user", "redirect_uri": BACK, "state": "7"}
    )
    led = do("authorise", at="zhi", page=page)["led"]
    assert led.startswith(BACK), led
    code = parse_qs(urlsplit(led).query)["auth_code"][0]
    known = shop.server_api("alipay.system.oauth.token", grant_type="authorization_code", code=code)
    profile = good(shop.server_api("alipay.user.info.share", auth_token=known["access_token"]))
    assert profile["user_id"] == known["user_id"], profile
    newer = shop.server_api(
        "alipay.system.oauth.token", grant_type="refresh_token", refresh_token=known["refresh_token"]
    )
    assert newer["user_id"] == known["user_id"], newer
    made = shop.api_alipay_trade_precreate("面", number(), "1.00")
    do("pay", at="zhi", code=good(made)["qr_code"])
    assert callbacks.next()["buyer_id"] == known["user_id"]


only = sys.argv[3:]
for story in (story_of_a_deposit, story_of_an_agreement, story_of_a_complaint, story_of_who_it_is):
    if not only or story.__name__ in only:
        story()
tell(done=True)
