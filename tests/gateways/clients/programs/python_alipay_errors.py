"""
What a shop on python-alipay-sdk (PyPI) is told when something is wrong: each error of the classic gateway by its cause.

The client hands over what was answered; it raises where there is no method to answer under, and where it can't believe the answer.
"""

import json
import sys
from typing import Any

from alipay import AliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from Cryptodome.PublicKey import RSA
from python_alipay_shop import app_id, callbacks, good, made_for, paid, pointed, refused, seen, shop
from story import ACCOUNT, do, number, pay, tell

OTHER = json.loads((ACCOUNT / "other.json").read_text())["account"]  # Another merchant's.
QUERY = "alipay.trade.query"


def ask(method: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return dict(shop.server_api(method, content, **more))


def precreate(mine: str, amount: str = "12.50", **more: Any) -> dict[str, Any]:
    return dict(shop.api_alipay_trade_precreate("面", mine, amount, **more))


def collect(mine: str, code: str, amount: str = "8.00") -> dict[str, Any]:
    return dict(shop.api_alipay_trade_pay(mine, "bar_code", code, "面", total_amount=amount))


def errors_of_money() -> None:
    """The first: the merchant has none yet."""
    shown, mine = do("payment_code", at="zhi"), number()
    who = good(collect(mine, shown["payment_code"], "20.00"))["buyer_user_id"]

    def send(amount: str, out_biz_no: str = "", to: str = who, **more: Any) -> dict[str, Any]:
        given = {"order_title": "返现"} | more
        out_biz_no = out_biz_no or number("X")
        return dict(shop.api_alipay_fund_trans_uni_transfer(out_biz_no, "ALIPAY_USER_ID", to, amount, **given))

    refused(send("100.00"), "PAYER_BALANCE_NOT_ENOUGH")
    refused(send("0.01"), "EXCEED_LIMIT_SM_AMOUNT")
    refused(send("1.00", to="2088000000000000"), "PAYEE_NOT_EXIST")
    refused(send("1.00", name="别人"), "PAYEE_USER_INFO_ERROR")
    first = number("X")
    good(send("15.00", first))
    refused(send("14.00", first), "PAYMENT_INFO_INCONSISTENCY")
    asked = {"out_biz_no": number("X"), "product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}
    refused(ask("alipay.fund.trans.common.query", asked), "ORDER_NOT_EXIST")
    refused(shop.api_alipay_trade_refund("20.00", out_trade_no=mine), "ACQ.SELLER_BALANCE_NOT_ENOUGH")
    poor = do("payment_code", at="zhi", poor=True)["payment_code"]
    refused(collect(number(), poor), "ACQ.BUYER_BALANCE_NOT_ENOUGH")
    do("freeze", at="zhi", payer=shown["payer"])
    refused(send("1.00"), "PAYEE_USERINFO_STATUS_ERROR")
    do("freeze", at="zhi", payer=shown["payer"], lift=True)


def errors_of_the_envelope() -> None:
    """What is said of the call itself, whatever it asks for."""
    for changed, code, sub_code in (
        ({"app_id": ""}, "40001", "isv.missing-app-id"),
        ({"app_id": "2021000000000000"}, "40002", "isv.invalid-app-id"),
        ({"sign_type": ""}, "40001", "isv.missing-signature-type"),
        ({"sign_type": "MD5"}, "40002", "isv.invalid-signature-type"),
        ({"timestamp": ""}, "40001", "isv.missing-timestamp"),
        ({"timestamp": "yesterday"}, "40002", "isv.invalid-timestamp"),
        ({"version": ""}, "40001", "isv.missing-version"),
        ({"version": "2.0"}, "40002", "isv.invalid-version"),
        ({"charset": "latin-1"}, "40002", "isv.invalid-charset"),
        ({"format": "XML"}, "40002", "isv.invalid-format"),
        ({"app_auth_token": "202601BB0"}, "20001", "aop.invalid-app-auth-token"),
        ({"encrypt_type": "DES"}, "40002", "isv.invalid-encrypt-type"),
        ({"encrypt_type": "AES"}, "40002", "isv.invalid-encrypt"),
    ):
        refused(ask(QUERY, {"out_trade_no": "T1"}, **changed), sub_code, code)
    refused(shop.server_api(QUERY, "{"), "isv.illegal-json", "40002")
    stranger = made_for(app_private_key_string=RSA.generate(2048).export_key().decode())
    no = stranger.api_alipay_trade_query(out_trade_no="T1")
    refused(no, "isv.invalid-signature", "40002")
    assert "网关生成的验签字符串为：alipay_root_cert_sn=" in no["sub_msg"], no
    other_certificate = made_for(app_public_key_cert_string=(ACCOUNT / "alipay_cert.crt").read_text())
    refused(other_certificate.api_alipay_trade_query(out_trade_no="T1"), "isv.invalid-app-cert-sn", "40002")
    files = {"app_private_key_string": (ACCOUNT / "app_private_key.pem").read_text()}
    bare = pointed(AliPay(appid=app_id, alipay_public_key_string=shop._alipay_public_key_string, **files))
    refused(bare.api_alipay_trade_query(out_trade_no="T1"), "isv.missing-app-cert-sn", "40001")
    refused(ask("alipay.trade.nothing", {}), "isv.invalid-method", "40002")
    refused(ask("alipay.marketing.card.open", {}), "isv.insufficient-isv-permissions", "40006")
    refused(ask("alipay.user.info.share", {}, auth_token="authusrB0"), "aop.invalid-auth-token", "20001")
    # Under no method's name it raises, with the answer's text.
    for flat, sub_code in (
        ({"grant_type": "authorization_code", "code": "0"}, "isv.code-invalid"),
        ({"grant_type": "refresh_token", "refresh_token": "0"}, "isv.refresh-token-invalid"),
        ({"grant_type": "password"}, "isv.grant-type-invalid"),
    ):
        try:
            ask("alipay.system.oauth.token", {}, **flat)
        except AliPayException as no:
            raised = no
        assert raised._AliPayException__code == "40002", raised
        assert sub_code in raised._AliPayException__message, raised
        seen.add(sub_code)
    # And where somebody else answers in the gateway's place.
    doubtful = pointed(
        AliPay(appid=app_id, alipay_public_key_string=RSA.generate(2048).public_key().export_key().decode(), **files)
    )
    try:
        doubtful.api_alipay_trade_query(out_trade_no="T1")
    except AliPayValidationError as no:
        doubted = no
    assert doubted.__class__.__name__ == "AliPayValidationError"


def errors_of_orders() -> None:
    refused(precreate(number(), "0"), "ACQ.INVALID_PARAMETER")
    refused(precreate(number(), "100000000.00"), "ACQ.TOTAL_FEE_EXCEED")
    refused(precreate(number(), notify_url="shop"), "ACQ.INVALID_PARAMETER")
    mine = number()
    code = good(precreate(mine))["qr_code"]
    refused(precreate(mine, "13.00"), "ACQ.CONTEXT_INCONSISTENT")
    refused(shop.api_alipay_trade_refund("1.00", out_trade_no=mine), "ACQ.TRADE_NOT_EXIST")
    pay(code)
    callbacks.next()
    refused(precreate(mine), "ACQ.TRADE_HAS_SUCCESS")
    refused(shop.api_alipay_trade_close(out_trade_no=mine), "ACQ.TRADE_STATUS_ERROR")
    good(shop.api_alipay_trade_refund("5.00", out_trade_no=mine, out_request_no="1"))
    again = shop.api_alipay_trade_refund("6.00", out_trade_no=mine, out_request_no="1")
    refused(again, "ACQ.DISCORDANT_REPEAT_REQUEST")
    over = shop.api_alipay_trade_refund("7.51", out_trade_no=mine, out_request_no="2")
    refused(over, "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
    for unknown in (
        shop.api_alipay_trade_query(out_trade_no=number()),
        shop.api_alipay_trade_close(out_trade_no=number()),
        shop.api_alipay_trade_refund("1.00", out_trade_no=number()),
        shop.api_alipay_trade_fastpay_refund_query("1", out_trade_no=number()),
    ):
        refused(unknown, "ACQ.TRADE_NOT_EXIST")
    closed = number()
    do("pay", code=good(precreate(closed))["qr_code"], reject=True)
    good(shop.api_alipay_trade_close(out_trade_no=closed))
    refused(precreate(closed), "ACQ.TRADE_HAS_CLOSE")
    do("faults", at="zhi", number=app_id, faults={"system_error": 1, "only": "trade.query"})
    refused(shop.api_alipay_trade_query(out_trade_no=mine), "ACQ.SYSTEM_ERROR", "20000")


def errors_of_payment_codes() -> None:
    refused(collect(number(), "280000000000000000"), "ACQ.PAYMENT_AUTH_CODE_INVALID")
    shown = do("payment_code")
    good(collect(number(), shown["payment_code"]))
    refused(collect(number(), shown["payment_code"]), "ACQ.PAYMENT_AUTH_CODE_INVALID")
    for node in ("jing", "zhi"):
        shown = do("payment_code", at=node)
        do("freeze", at=node, payer=shown["payer"])
        refused(collect(number(), shown["payment_code"]), "ACQ.BUYER_ENABLE_STATUS_FORBID")
        do("freeze", at=node, payer=shown["payer"], lift=True)
    dear, asked = number(), do("payment_code")
    shown = asked["payment_code"]
    good(collect(dear, shown, "1500.00"), "10003")
    refused(collect(dear, do("payment_code", at="zhi")["payment_code"], "1500.00"), "ACQ.TRADE_BUYER_NOT_MATCH")
    do("answer", payer=asked["payer"], reject=True)
    refused(collect(dear, shown, "1500.00"), "ACQ.PAYMENT_FAIL")


def errors_of_royalties() -> None:
    part = {"trans_in": OTHER["seller_id"], "trans_in_type": "userId", "amount": "40.00", "royalty_type": "transfer"}
    trade_no = paid("100.00", extend_params={"royalty_freeze": "true"})

    def settle(out_request_no: str = "", **changed: str) -> dict[str, Any]:
        out_request_no = out_request_no or number("S")
        return dict(shop.api_alipay_trade_order_settle(out_request_no, trade_no, [part | changed]))

    refused(settle(), "ACQ.ROYALTY_RELATION_NOT_EXIST")
    bound = {"receiver_list": [{"type": "userId", "account": OTHER["seller_id"]}], "out_request_no": number("B")}
    good(ask("alipay.trade.royalty.relation.bind", bound))
    refused(settle(), "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR")
    nobody = {"receiver_list": [{"type": "userId", "account": "2088000000000000"}], "out_request_no": number("B")}
    refused(ask("alipay.trade.royalty.relation.bind", nobody), "ACQ.ROYALTY_RECEIVER_NOT_EXIST")
    first = number("S")
    good(settle(first, amount="1.00"))
    refused(settle(first, amount="2.00"), "ACQ.DISCORDANT_REPEAT_REQUEST")
    good(
        shop.api_alipay_trade_order_settle(
            number("S"), trade_no, [part | {"amount": "1.00"}], extend_params={"royalty_finish": "true"}
        )
    )
    refused(settle(amount="1.00"), "ACQ.TRADE_SETTLE_ERROR")


def errors_of_consents() -> None:
    """Deposits and agreements."""
    held = {"auth_code_type": "bar_code", "order_title": "押金", "amount": "10.00", "product_code": "PREAUTH_PAY"}

    def freeze(code: str, **changed: str) -> dict[str, Any]:
        numbers = {"out_order_no": number("H"), "out_request_no": number("R")}
        return ask("alipay.fund.auth.order.freeze", held | numbers | {"auth_code": code} | changed)

    refused(freeze("310000000000000000"), "PAYMENT_AUTH_CODE_INVALID")  # Of another institution, which says so.
    refused(freeze(do("payment_code", at="zhi", poor=True)["payment_code"]), "PAYER_BALANCE_NOT_ENOUGH")
    refused(freeze("1", amount="0"), "ILLEGAL_ARGUMENT")
    mine, code = number("H"), do("payment_code", at="zhi")["payment_code"]
    asked = number("R")
    good_one = good(freeze(code, out_order_no=mine, out_request_no=asked))
    refused(freeze(code, out_order_no=mine, out_request_no=asked, amount="11.00"), "UNIQUE_VIOLATION")
    which = {"auth_no": good_one["auth_no"]}

    def unfreeze(amount: str) -> dict[str, Any]:
        told = {"out_request_no": number("R"), "amount": amount, "remark": "退"}
        return ask("alipay.fund.auth.order.unfreeze", which | told)

    def take(amount: str, **changed: str) -> dict[str, Any]:
        told = {"out_trade_no": number(), "total_amount": amount, "subject": "房费", "product_code": "PREAUTH_PAY"}
        return ask("alipay.trade.pay", told | which | {"auth_confirm_mode": "NOT_COMPLETE"} | changed)

    refused(unfreeze("10.01"), "REQUEST_AMOUNT_EXCEED")
    refused(take("10.01"), "ACQ.AUTH_AMOUNT_NOT_ENOUGH")
    refused(take("1.00", auth_no="2026" + "0" * 24), "ACQ.AUTH_NO_ERROR")
    good(unfreeze("10.00"))
    refused(unfreeze("1.00"), "ORDER_ALREADY_FINISH")
    refused(take("1.00"), "ACQ.AUTH_ORDER_HAS_FINISHED")
    nobodys = {"auth_no": "2026" + "0" * 24, "operation_id": "1"}
    refused(ask("alipay.fund.auth.operation.detail.query", nobodys), "AUTH_ORDER_NOT_EXIST")
    refused(ask("alipay.user.agreement.query", {"agreement_no": "20" + "0" * 30}), "USER_AGREEMENT_NOT_EXIST")
    nobodys = {"agreement_params": {"agreement_no": "20" + "0" * 30}, "product_code": "GENERAL_WITHHOLDING"}
    refused(
        ask("alipay.trade.pay", {"out_trade_no": number(), "total_amount": "1.00", "subject": "月费"} | nobodys),
        "ACQ.AGREEMENT_NOT_EXIST",
    )


def errors_of_bills() -> None:
    def bill(**asked: str) -> dict[str, Any]:
        return ask("alipay.data.dataservice.bill.downloadurl.query", {"bill_type": "trade"} | asked)

    refused(bill(bill_date="2020-01-01"), "BILL_NOT_EXIST")
    refused(bill(bill_date="2020"), "INVAILID_ARGUMENTS")


only = sys.argv[3:]
for about in (
    errors_of_money,
    errors_of_the_envelope,
    errors_of_orders,
    errors_of_payment_codes,
    errors_of_royalties,
    errors_of_consents,
    errors_of_bills,
):
    if not only or about.__name__ in only:
        about()
tell(done=True, seen=sorted(seen))
