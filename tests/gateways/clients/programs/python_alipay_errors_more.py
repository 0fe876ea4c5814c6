"""
What a shop on python-alipay-sdk (PyPI) is told when it is not its call that is wrong: agreements, vouchers, limits, who is stopped.

The client hands over what was answered; what a browser is shown, the page says.
"""

import json
import sys
import urllib.request
from datetime import date, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from alipay import AliPay
from alipay.exceptions import AliPayException
from Cryptodome.PublicKey import RSA
from python_alipay_shop import app_id, callbacks, good, paid, pointed, refused, seen, shop
from story import ACCOUNT, MADE, do, number, pay, tell

MERCHANT = MADE["account"]["merchant_id"]
PLAN = {"personal_product_code": "GENERAL_WITHHOLDING_P", "sign_scene": "INDUSTRY|MOBILE"}
CYCLE = {"personal_product_code": "CYCLE_PAY_AUTH_P", "sign_scene": "INDUSTRY|MOBILE"}
VOUCHER = "alipay.marketing.voucher."
_VALID = '{"type":"ABSOLUTE","start":"2000-01-01 00:00:00","end":"%s"}'
_names = count(1)


def ask(method: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return dict(shop.server_api(method, content, **more))


def collect(code: str, amount: str) -> dict[str, Any]:
    return dict(shop.api_alipay_trade_pay(number(), "bar_code", code, "面", total_amount=amount))


def page(content: dict[str, Any]) -> str:
    """What a browser is shown that is led to agree."""
    query = shop.client_api("alipay.user.agreement.page.sign", content)
    with urllib.request.urlopen(f"{shop._gateway}?{query}") as shown:  # noqa: S310  # The gateway's.
        return str(shown.read().decode())


def refused_on_a_page(content: dict[str, Any], sub_code: str) -> None:
    assert f"{sub_code}<" in page(content), sub_code
    seen.add(sub_code)


def offer(plan: dict[str, Any], **more: Any) -> dict[str, Any]:
    named = {"external_agreement_no": number("A"), "external_logon_id": "小明"}
    return plan | named | {"access_params": {"channel": "QRCODE"}} | more


def signed(content: dict[str, Any]) -> str:
    """The number of an agreement, once somebody has said yes."""
    assert do("sign", at="zhi", link=page(content))["state"] == "SIGNED"
    which = {name: content[name] for name in ("personal_product_code", "sign_scene", "external_agreement_no")}
    return str(good(ask("alipay.user.agreement.query", which))["agreement_no"])


def take(agreement_no: str, amount: str) -> dict[str, Any]:
    told = {"out_trade_no": number(), "total_amount": amount, "subject": "月费", "product_code": "GENERAL_WITHHOLDING"}
    return ask("alipay.trade.pay", told | {"agreement_params": {"agreement_no": agreement_no}})


def errors_of_agreements() -> None:
    do("payment_code", at="zhi")  # Whoever signs has money.
    content = offer(PLAN)
    page(content)
    refused_on_a_page(content | {"external_logon_id": "小红"}, "AGREEMENT_INFO_INCONSISTENT")
    refused_on_a_page(content | {"personal_product_code": ""}, "INVALID_PARAMETER")
    agreement_no = signed(content)
    refused_on_a_page(content, "AGREEMENT_HAS_SIGNED")
    refused(take(agreement_no, "1000.01"), "ACQ.BEYOND_PAY_RESTRICTION")
    good(ask("alipay.user.agreement.unsign", {"agreement_no": agreement_no}))
    refused(take(agreement_no, "1.00"), "ACQ.AGREEMENT_STATUS_NOT_NORMAL")
    lasting = signed(offer(PLAN, sign_validity_period="2d"))
    good(take(lasting, "1.00"))
    do("clock", forward_s=2 * 86_400)
    refused(take(lasting, "1.00"), "ACQ.AGREEMENT_INVALID")


def errors_of_cycles() -> None:
    shown = do("payment_code", at="zhi")
    good(collect(shown["payment_code"], "1.00"))
    today = do("clock", forward_s=0)["now"][:10]
    rule = {"period_type": "MONTH", "period": "1", "execute_time": today, "single_amount": "30.00"}

    def cycle(**more: str) -> str:
        return signed(offer(CYCLE, period_rule_params=rule | more))

    monthly = cycle()
    refused(take(monthly, "30.01"), "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED")
    good(take(monthly, "30.00"))
    refused(take(monthly, "30.00"), "ACQ.CYCLE_PAY_DATE_NOT_MATCH")
    once = cycle(total_payments="1")
    good(take(once, "1.00"))
    refused(take(once, "1.00"), "ACQ.CYCLE_PAY_TOTAL_TIMES_EXCEED")
    refused(take(cycle(total_amount="20.00"), "20.01"), "ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED")


def errors_of_buyers() -> None:
    def create(buyer_id: str) -> dict[str, Any]:
        told = {"out_trade_no": number(), "total_amount": "1.00", "subject": "面", "buyer_id": buyer_id}
        return ask("alipay.trade.create", told)

    refused(create(MADE["account"]["seller_id"]), "ACQ.BUYER_SELLER_EQUAL")
    refused(create("2088100000000000"), "ACQ.BUYER_NOT_EXIST")
    # Without the PIN a thousand a day; who is known by a telephone number alone, a thousand a year.
    someone = do("payment_code", at="zhi", tier="I")
    held = good(shop.api_alipay_trade_precreate("面", number(), "300.00"))
    pay(held["qr_code"], at="zhi", payer=someone["payer"])
    callbacks.next()
    good(collect(someone["payment_code"], "600.00"))
    for amount, code in (("600.00", "DAY"), ("300.00", "MONTH")):
        answer = collect(do("payment_code", at="zhi", tier="I")["payment_code"], amount)
        refused(answer, f"ACQ.BUYER_PAYMENT_AMOUNT_{code}_LIMIT_ERROR")


def errors_of_whom_the_operator_stops() -> None:
    held = good(shop.api_alipay_trade_precreate("面", number(), "1.00"))
    do("suspend", at="zhi", merchant=MERCHANT)
    refused(shop.api_alipay_trade_precreate("面", number(), "1.00"), "ACQ.SELLER_BEEN_BLOCKED")
    do("suspend", at="zhi", merchant=MERCHANT, lift=True)
    pay(held["qr_code"])
    callbacks.next()
    private = (ACCOUNT / "app_private_key.pem").read_text()
    public = RSA.import_key(private).public_key().export_key().decode() + "\n"
    opened = do("shop", at="zhi", merchant=MERCHANT, public_key=public)
    assert "app_id" in opened, opened
    keys = {"app_private_key_string": private, "alipay_public_key_string": shop._alipay_public_key_string}
    corner = pointed(AliPay(appid=opened["app_id"], **keys))
    good(corner.api_alipay_trade_precreate("面", number(), "1.00"))
    do("close_shop", at="zhi", merchant=MERCHANT, shop_id=opened["shop_id"])
    refused(corner.api_alipay_trade_precreate("面", number(), "1.00"), "ACQ.INVALID_STORE_ID")


def errors_of_sharing_and_giving_back() -> None:
    own = {"type": "userId", "account": MADE["account"]["seller_id"]}
    bound = {"receiver_list": [own], "out_request_no": number("B")}
    refused(ask("alipay.trade.royalty.relation.bind", bound), "ACQ.ROYALTY_RECEIVER_INVALID")
    trade_no = paid("1.00")
    for each in range(50):
        good(shop.api_alipay_trade_refund("0.01", trade_no=trade_no, out_request_no=f"R{each}"))
    more = shop.api_alipay_trade_refund("0.01", trade_no=trade_no, out_request_no="R50")
    refused(more, "ACQ.TRADE_NOT_ALLOW_REFUND")


def errors_of_deposits() -> None:
    told = {"order_title": "押金", "amount": "10.00", "product_code": "PREAUTH_PAY"}
    told |= {"out_order_no": number("H"), "out_request_no": number("R")}
    good(ask("alipay.fund.auth.order.voucher.create", told))
    undone = {"out_order_no": told["out_order_no"], "out_request_no": told["out_request_no"], "remark": "不住了"}
    assert good(ask("alipay.fund.auth.operation.cancel", undone))["action"] == "close"
    shown = {"auth_code_type": "bar_code", "auth_code": do("payment_code", at="zhi")["payment_code"]}
    refused(ask("alipay.fund.auth.order.freeze", told | shown), "ORDER_ALREADY_CLOSED")


def errors_of_vouchers() -> None:
    now = do("clock", forward_s=0)["now"]
    begins, ends = f"{now[:10]} {now[11:16]}:00", f"{int(now[:4]) + 1}-01-01 00:00:00"

    def template(quantity: str = "1", **more: str) -> dict[str, Any]:
        content = {
            "voucher_type": "FIX_VOUCHER",
            "brand_name": "面馆满20减5",
            "amount": "5.00",
            "floor_amount": "20.00",
            "voucher_quantity": quantity,
            "publish_start_time": begins,
            "publish_end_time": ends,
            "voucher_valid_period": _VALID % ends,
            "out_biz_no": number("V"),
        }
        return ask("alipay.marketing.cashvoucher.template.create", content | more)

    def send(template_id: str, to: str, out_biz_no: str = "") -> dict[str, Any]:
        told = {"template_id": template_id, "user_id": to, "out_biz_no": out_biz_no or number("S")}
        return ask(f"{VOUCHER}send", told)

    shown = do("payment_code", at="zhi")
    who = good(collect(shown["payment_code"], "100.00"))["buyer_user_id"]
    refused(template("1000000"), "BALANCE_IS_NOT_ENOUGH")
    mine = number("V")
    stock = good(template(out_biz_no=mine))["template_id"]
    refused(template(out_biz_no=mine, amount="6.00"), "OUT_BIZ_NO_REPEAT")
    refused(send("1", who), "VOUCHER_TEMPLATE_NOT_EXIST")
    refused(send(stock, "2088000000000000"), "USER_NOT_EXIST")
    good(send(stock, who))
    refused(send(stock, who), "VOUCHER_QUANTITY_NOT_ENOUGH")
    refused(ask(f"{VOUCHER}query", {"voucher_id": "1"}), "VOUCHER_NOT_EXIST")
    later = good(template(publish_start_time=f"{now[:4]}-12-31 00:00:00"))["template_id"]
    refused(send(later, who), "VOUCHER_TEMPLATE_STATUS_ERROR")


def errors_of_cash_campaigns() -> None:
    now = do("clock", forward_s=0)["now"]
    begins = f"{now[:10]} {now[11:16]}:00"
    ends = f"{date.fromisoformat(now[:10]) + timedelta(days=90)} 00:00:00"

    def cash(verb: str, **told: str) -> dict[str, Any]:
        return ask(f"alipay.marketing.campaign.cash.{verb}", told)

    shown = do("payment_code", at="zhi")
    who = good(collect(shown["payment_code"], "100.00"))["buyer_user_id"]
    refused(cash("detail.query", crowd_no="1"), "CAMPAIGN_NOT_EXIST")
    gives = {
        "coupon_name": "红包",
        "prize_type": "fixed",
        "total_money": "10.00",
        "total_num": "4",
        "prize_msg": "谢谢",
    }
    campaign = good(cash("create", start_time=begins, end_time=ends, **gives))["crowd_no"]
    refused(cash("status.modify", crowd_no=campaign, camp_status="PAUSE"), "CAMPAIGN_STATUS_ERROR")
    good(cash("status.modify", crowd_no=campaign, camp_status="READY"))
    once = number("G")
    for repeated in ("false", "true"):
        won = good(cash("trigger", crowd_no=campaign, user_id=who, out_biz_no=once))
        assert (won["trigger_result"], won["prize_amount"]) == ("true", "2.50"), won
        assert won["repeat_trigger_flag"] == repeated, won
    assert good(cash("trigger", crowd_no=campaign, user_id=who, out_biz_no=number("G")))["trigger_result"] == "false"
    good(cash("status.modify", crowd_no=campaign, camp_status="CLOSED"))
    assert good(cash("detail.query", crowd_no=campaign))["send_amount"] == "2.50"


def errors_of_complaints() -> None:
    before, mine = "alipay.merchant.tradecomplain", number()
    refused(ask(f"{before}.query", {"complain_event_id": "0" * 32}), "COMPLAINT_NOT_EXIST")
    bought = pay(good(shop.api_alipay_trade_precreate("面", mine, "1.00"))["qr_code"])
    complaint = do("complain", payment_id=bought["payment_id"], kind="SRVC", text="没有送到")
    do("complain", complaint_id=complaint["complaint_id"], act="withdraw")
    (event,) = good(ask(f"{before}.batchquery", {"status": "CANCELLED"}))["trade_complain_infos"]
    named = {"complain_event_id": event["complain_event_id"]}
    refused(ask(f"{before}.reply.submit", named | {"reply_content": "在路上"}), "COMPLAINT_STATUS_ERROR")


def errors_of_the_system() -> None:
    """What only the vendor's own systems could say is said when a sandbox is asked for it."""
    for row in sys.argv[3].split(","):
        sub_code, _, code = row.partition("=")
        do("faults", at="zhi", number=app_id, faults={"refuse": sub_code, "refuse_times": 1, "only": "trade.query"})
        refused(shop.api_alipay_trade_query(out_trade_no="T1"), sub_code, code)
    refused(shop.api_alipay_trade_query(out_trade_no="T1"), "ACQ.TRADE_NOT_EXIST")


def errors_of_a_days_limit() -> None:
    shown = do("payment_code", at="zhi")
    who = good(collect(shown["payment_code"], "100.00"))["buyer_user_id"]
    do("faults", at="zhi", number=app_id, faults={"transfer_daily_max": 2_000})

    def send(amount: str) -> dict[str, Any]:
        return dict(
            shop.api_alipay_fund_trans_uni_transfer(number("X"), "ALIPAY_USER_ID", who, amount, order_title="返现")
        )

    good(send("15.00"))
    refused(send("5.01"), "EXCEED_LIMIT_DM_AMOUNT")
    good(send("5.00"))
    do("faults", at="zhi", number=app_id, faults={})


def posted(query: str = "", body: bytes = b"", kind: str = "application/x-www-form-urlencoded") -> dict[str, Any]:
    """What the gateway says to a call that the client did not make, or that was changed behind its back."""
    request = urllib.request.Request(f"{shop._gateway}?{query}", body or None, {"content-type": kind} if body else {})  # noqa: S310  # The gateway's.
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        told = json.loads(answer.read().decode())
    return next(dict(each) for name, each in told.items() if name.endswith("_response"))


def errors_of_calls_that_are_none() -> None:
    """The client always names a method and signs: what it makes is changed on the way."""
    query = str(shop.client_api("alipay.trade.query", {"out_trade_no": "T1"}))
    without = "&".join(each for each in query.split("&") if not each.startswith("method="))
    refused(posted(without), "isv.missing-method", "40001")
    without = "&".join(each for each in query.split("&") if not each.startswith("sign="))
    refused(posted(without), "isv.missing-signature", "40001")
    refused(posted(query, b"--x\r\nno part", "multipart/form-data; boundary=x"), "isv.upload-fail", "40002")
    many = {f"x{each}": "1" for each in range(250)}
    refused(
        posted(str(shop.client_api("alipay.trade.query", {"out_trade_no": "T1"}, **many))),
        "isv.suspected-attack",
        "40002",
    )
    sealed = "AAAAAAAAAAAAAAAAAAAAAA=="
    refused(shop.server_api("alipay.trade.query", sealed), "isv.decryption-error-missing-encrypt-type", "40001")
    told = {"alipay_cert_sn": "0" * 32}
    refused(ask("alipay.open.app.alipaycert.download", told), "isv.invalid-parameter", "40002")


def let_know(scope: str) -> dict[str, Any]:
    """The tokens by which the shop knows a person, as far as this scope goes."""
    asked = {"app_id": app_id, "scope": scope, "redirect_uri": "http://127.0.0.1:9/back"}
    led = do("authorise", at="zhi", page=f"/oauth2/publicAppAuthorize.htm?{urlencode(asked)}")["led"]
    (code,) = parse_qs(urlsplit(led).query)["auth_code"]
    return dict(shop.server_api("alipay.system.oauth.token", grant_type="authorization_code", code=code))


def raised(sub_code: str, method: str, **given: str) -> None:
    """What is answered under no method of its own the client raises."""
    said = ""
    try:
        shop.server_api(method, **given)
    except AliPayException as no:
        said = str(no)
    assert f'"{sub_code}"' in said, (sub_code, said)
    seen.add(sub_code)


def errors_of_people() -> None:
    known = let_know("auth_base")
    no = shop.server_api("alipay.user.info.share", auth_token=known["access_token"])
    refused(no, "isv.insufficient-user-permissions", "40006")


def errors_of_a_year_later() -> None:
    """In a network of its own: what others do there would find their sessions over."""
    known = let_know("auth_user")
    other = json.loads((ACCOUNT / "other.json").read_text())["account"]
    asked = {"app_id": app_id, "redirect_uri": "http://127.0.0.1:9/back"}
    page_of = f"/oauth2/appToAppAuth.htm?{urlencode(asked)}"
    led = do("authorise", at="zhi", page=page_of, merchant=other["merchant_id"], account=other["number"])["led"]
    (code,) = parse_qs(urlsplit(led).query)["app_auth_code"]
    told = {"grant_type": "authorization_code", "code": code}
    acting = good(ask("alipay.open.auth.token.app", told))["app_auth_token"]
    order = {"out_trade_no": number(), "total_amount": "1.00", "subject": "面"}
    good(ask("alipay.trade.precreate", order, app_auth_token=acting))
    trade_no = paid("1.00")
    do("clock", forward_s=366 * 86_400)
    refused(shop.api_alipay_trade_refund("0.01", trade_no=trade_no, out_request_no="R1"), "ACQ.TRADE_HAS_FINISHED")
    query = {"out_trade_no": "T1"}
    refused(ask("alipay.trade.query", query, app_auth_token=acting), "aop.app-auth-token-time-out", "20001")
    no = shop.server_api("alipay.user.info.share", auth_token=known["access_token"])
    refused(no, "aop.auth-token-time-out", "20001")
    late = {"grant_type": "refresh_token", "refresh_token": known["refresh_token"]}
    raised("isv.refresh-token-time-out", "alipay.system.oauth.token", **late)
    do("clock", forward_s=10 * 366 * 86_400)  # Longer than the application's certificate is good for.
    refused(ask("alipay.trade.query", query), "isv.app-cert-expired", "40002")


only = sys.argv[4:]
if "errors_of_a_year_later" in only:
    errors_of_a_year_later()
for about in (
    errors_of_calls_that_are_none,
    errors_of_the_system,
    errors_of_people,
    errors_of_a_days_limit,
    errors_of_complaints,
    errors_of_buyers,
    errors_of_whom_the_operator_stops,
    errors_of_sharing_and_giving_back,
    errors_of_deposits,
    errors_of_vouchers,
    errors_of_cash_campaigns,
    errors_of_cycles,
    errors_of_agreements,
):
    if not only or about.__name__ in only:
        about()
tell(done=True, seen=sorted(seen), app_id=app_id)
