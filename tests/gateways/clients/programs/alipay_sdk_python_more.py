"""A shop on alipay-sdk-python (PyPI, the vendor's own): deposits, deductions, splits, transfers, who it is."""

import base64
import http.client
import json
import sys
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from alipay.aop.api.FileItem import FileItem
from alipay.aop.api.request.AlipayFundAuthOperationDetailQueryRequest import AlipayFundAuthOperationDetailQueryRequest
from alipay.aop.api.request.AlipayFundAuthOrderFreezeRequest import AlipayFundAuthOrderFreezeRequest
from alipay.aop.api.request.AlipayFundAuthOrderUnfreezeRequest import AlipayFundAuthOrderUnfreezeRequest
from alipay.aop.api.request.AlipayFundTransCommonQueryRequest import AlipayFundTransCommonQueryRequest
from alipay.aop.api.request.AlipayFundTransUniTransferRequest import AlipayFundTransUniTransferRequest
from alipay.aop.api.request.AlipayMarketingCardOpenRequest import AlipayMarketingCardOpenRequest
from alipay.aop.api.request.AlipaySecurityRiskComplaintFileUploadRequest import (
    AlipaySecurityRiskComplaintFileUploadRequest,
)
from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest
from alipay.aop.api.request.AlipayTradeOrderSettleQueryRequest import AlipayTradeOrderSettleQueryRequest
from alipay.aop.api.request.AlipayTradeOrderSettleRequest import AlipayTradeOrderSettleRequest
from alipay.aop.api.request.AlipayTradePayRequest import AlipayTradePayRequest
from alipay.aop.api.request.AlipayTradePrecreateRequest import AlipayTradePrecreateRequest
from alipay.aop.api.request.AlipayTradeRoyaltyRelationBindRequest import AlipayTradeRoyaltyRelationBindRequest
from alipay.aop.api.request.AlipayUserAgreementPageSignRequest import AlipayUserAgreementPageSignRequest
from alipay.aop.api.request.AlipayUserAgreementQueryRequest import AlipayUserAgreementQueryRequest
from alipay.aop.api.request.AlipayUserAgreementUnsignRequest import AlipayUserAgreementUnsignRequest
from alipay.aop.api.request.AlipayUserInfoShareRequest import AlipayUserInfoShareRequest
from alipay_sdk_python_shop import app_id, ask, callbacks, client, good, refused
from story import ACCOUNT, BASE_URL, do, number, pay, tell

OTHER = json.loads((ACCOUNT / "other.json").read_text())["account"]  # Another merchant's.
BACK = "http://127.0.0.1:9/back"
PICTURE = base64.b64decode(  # A PNG of one white pixel.
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC"
)


def story_of_a_deposit() -> None:
    shown = do("payment_code", at="zhi")
    held = good(
        ask(
            AlipayFundAuthOrderFreezeRequest,
            auth_code=shown["payment_code"],
            auth_code_type="bar_code",
            out_order_no=number("H"),
            out_request_no=number("R"),
            order_title="押金",
            amount="100.00",
            product_code="PREAUTH_PAY",
        )
    )
    assert held["status"] == "SUCCESS", held
    assert callbacks.next()["notify_type"] == "fund_auth_freeze"
    taken = {
        "out_trade_no": number(),
        "total_amount": "30.00",
        "subject": "房费",
        "product_code": "PREAUTH_PAY",
        "auth_no": held["auth_no"],
        "auth_confirm_mode": "NOT_COMPLETE",
    }
    good(ask(AlipayTradePayRequest, **taken))
    callbacks.next()
    back = {"auth_no": held["auth_no"], "out_request_no": number("R"), "amount": "70.00", "remark": "退押金"}
    good(ask(AlipayFundAuthOrderUnfreezeRequest, **back))
    which = {"auth_no": held["auth_no"], "operation_id": held["operation_id"]}
    found = good(ask(AlipayFundAuthOperationDetailQueryRequest, **which))
    assert (found["rest_amount"], found["total_pay_amount"]) == ("0.00", "30.00"), found
    refused(ask(AlipayFundAuthOperationDetailQueryRequest, auth_no="2026", operation_id="1"), "AUTH_ORDER_NOT_EXIST")


def opened(url: str) -> str:
    """What a browser is shown."""
    parts = urlsplit(url)
    at = BASE_URL.partition("://")[2] or parts.netloc
    connection = (http.client.HTTPConnection if BASE_URL else http.client.HTTPSConnection)(at, timeout=30)
    connection.request("GET", f"{parts.path}?{parts.query}")
    return connection.getresponse().read().decode()


def story_of_an_agreement() -> None:
    which = {"personal_product_code": "GENERAL_WITHHOLDING_P", "external_agreement_no": number("A")}
    which["sign_scene"] = "INDUSTRY|MOBILE"
    page = AlipayUserAgreementPageSignRequest()
    page.biz_content = which | {"access_params": {"channel": "QRCODE"}}
    page.notify_url = callbacks.url
    assert do("sign", at="zhi", link=opened(client.page_execute(page, "GET")))["state"] == "SIGNED"
    assert callbacks.next()["notify_type"] == "dut_user_sign"
    found = good(ask(AlipayUserAgreementQueryRequest, **which))
    taken = ask(
        AlipayTradePayRequest,
        out_trade_no=number(),
        total_amount="6.00",
        subject="月费",
        product_code="GENERAL_WITHHOLDING",
        agreement_params={"agreement_no": found["agreement_no"]},
    )
    assert good(taken)["total_amount"] == "6.00", taken
    callbacks.next()
    good(ask(AlipayUserAgreementUnsignRequest, agreement_no=found["agreement_no"]))
    refused(ask(AlipayUserAgreementQueryRequest, **which), "USER_AGREEMENT_NOT_EXIST")


def story_of_royalties() -> None:
    receiver = {"type": "userId", "account": OTHER["seller_id"], "memo": "供货"}
    good(ask(AlipayTradeRoyaltyRelationBindRequest, receiver_list=[receiver], out_request_no=number("B")))
    frozen = {"royalty_freeze": "true"}
    order = {"out_trade_no": number(), "total_amount": "100.00", "subject": "货", "extend_params": frozen}
    pay(good(ask(AlipayTradePrecreateRequest, **order))["qr_code"])
    trade_no = callbacks.next()["trade_no"]
    part = {"trans_in": OTHER["seller_id"], "trans_in_type": "userId", "amount": "10.00", "royalty_type": "transfer"}
    asked = {"out_request_no": number("S"), "trade_no": trade_no, "royalty_parameters": [part]}
    settled = good(ask(AlipayTradeOrderSettleRequest, **asked))
    found = good(ask(AlipayTradeOrderSettleQueryRequest, settle_no=settled["settle_no"]))
    assert found["royalty_detail_list"][0]["state"] == "SUCCESS", found


def story_of_a_transfer() -> None:
    order = {"out_trade_no": number(), "total_amount": "50.00", "subject": "面"}
    do("pay", at="zhi", code=good(ask(AlipayTradePrecreateRequest, **order))["qr_code"])
    bought = callbacks.next()
    transfer = {
        "out_biz_no": number("X"),
        "trans_amount": "3.00",
        "product_code": "TRANS_ACCOUNT_NO_PWD",
        "biz_scene": "DIRECT_TRANSFER",
        "order_title": "返现",
        "payee_info": {"identity": bought["buyer_id"], "identity_type": "ALIPAY_USER_ID", "name": "过路人"},
    }
    sent = good(ask(AlipayFundTransUniTransferRequest, **transfer))
    which = {"order_id": sent["order_id"], "product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}
    assert good(ask(AlipayFundTransCommonQueryRequest, **which))["status"] == "SUCCESS"
    refused(ask(AlipayFundTransUniTransferRequest, **transfer | {"trans_amount": "4.00"}), "PAYMENT_INFO_INCONSISTENCY")


def story_of_who_it_is() -> None:
    page = "/oauth2/publicAppAuthorize.htm?" + urlencode({"app_id": app_id, "scope": "auth_user", "redirect_uri": BACK})
    led = do("authorise", at="zhi", page=page)["led"]
    asking = AlipaySystemOauthTokenRequest()
    asking.grant_type = "authorization_code"
    asking.code = parse_qs(urlsplit(led).query)["auth_code"][0]
    known: dict[str, Any] = json.loads(client.execute(asking))
    sharing = AlipayUserInfoShareRequest()
    sharing.udf_params = {"auth_token": known["access_token"]}
    assert good(json.loads(client.execute(sharing)))["user_id"] == known["user_id"]
    # A code is good once; this error stands under another name in the answer.
    again = json.loads(client.execute(asking))
    refused(again, "isv.code-invalid", "40002")


def story_of_pictures() -> None:
    """Uploaded as the client itself does; its link opens."""
    made = AlipaySecurityRiskComplaintFileUploadRequest()
    made.file_content = FileItem("收据.png", PICTURE, "image/png")
    given = good(json.loads(client.execute(made)))
    assert given["file_name"] == "收据.png", given
    with urllib.request.urlopen(given["file_url"], timeout=30) as answer:  # noqa: S310  # Of the gateway's own.
        assert answer.read() == PICTURE
    made.file_content = FileItem("a.png", b"<html>", "image/png")
    refused(json.loads(client.execute(made)), "isv.invalid-file-extension", "40002")


def story_of_what_is_not_enabled() -> None:
    refused(ask(AlipayMarketingCardOpenRequest), "isv.insufficient-isv-permissions", "40006")


only = sys.argv[3:]
for story in (
    story_of_a_deposit,
    story_of_an_agreement,
    story_of_royalties,
    story_of_a_transfer,
    story_of_who_it_is,
    story_of_pictures,
    story_of_what_is_not_enabled,
):
    if not only or story.__name__ in only:
        story()
tell(done=True)
