"""
What a shop on wechatpy (PyPI) is told when something is wrong: each error of version 2 by its cause.

All of them are its WeChatPayException: errcode and errmsg where the call was read and refused, return_msg alone where it was not.
"""

import json
import sys
from datetime import datetime, timedelta
from typing import Any

from story import ACCOUNT, do, number, pay, tell
from wechatpy.exceptions import InvalidSignatureException
from wechatpy_shop import LOCAL, account, callbacks, collect, customer, made_for, native, refused, seen, shop

OTHER = json.loads((ACCOUNT / "other.json").read_text())["account"]["number"]  # Of a merchant that lets nobody act.


def sold(total: int = 1_250) -> str:
    mine = number()
    pay(native(mine, total)["code_url"])
    callbacks.next()
    return mine


def errors_of_money() -> None:
    """The first: the merchant has none yet."""
    shown = do("payment_code", at="wei")
    mine = number()
    openid = collect(mine, shown["payment_code"], 2_000)["openid"]

    def send(amount: int, **more: Any) -> Any:
        given = {"client_ip": LOCAL, "check_name": "NO_CHECK", "out_trade_no": number("P")}
        return shop.transfer.transfer(more.pop("to", openid), amount, "返现", **given | more)

    refused("NOTENOUGH", send, 5_000)
    refused("AMOUNT_LIMIT", send, 1)
    refused("OPENID_ERROR", send, 100, to="o" * 28)
    refused("NAME_MISMATCH", send, 100, check_name="FORCE_CHECK", real_name="别人")
    refused("LACK_PARAMS", send, 100, check_name="FORCE_CHECK")
    first = number("P")
    send(1_500, out_trade_no=first)
    refused("FATAL_ERROR", send, 1_501, out_trade_no=first)
    refused("NOT_FOUND", shop.transfer.query, number("P"))
    packet = ("面馆", "新春", "恭喜发财", "早")
    refused("MONEY_LIMIT", shop.redpack.send, openid, 99, *packet, client_ip=LOCAL, out_trade_no=number("B"))
    no = refused("NOTENOUGH", shop.refund.apply, 2_000, 2_000, number("R"), out_trade_no=mine)
    assert no.errmsg.startswith("基本账户余额不足"), no
    refused("NOTENOUGH", shop.order.reverse, out_trade_no=mine)
    refused("NOTENOUGH", collect, number(), do("payment_code", at="wei", poor=True)["payment_code"])


def errors_of_the_envelope() -> None:
    """What isn't read or proved has no code: the text is all there is."""
    mine = number()
    for by, text in (
        (made_for(api_key="0" * 32), "签名错误"),
        (made_for(mch_id="1900000001"), "商户号不存在"),
        (made_for(mch_id="M1"), "mch_id参数格式错误"),
    ):
        no = refused(None, native, mine, by=by)
        assert (no.return_code, no.return_msg) == ("FAIL", text), no
    assert refused(None, shop.get, "pay/orderquery").return_msg == "请使用post方法"
    refused("LACK_PARAMS", native, mine, 0)  # It leaves out what is nothing.
    assert refused(None, native, mine, -1).return_msg == "total_fee参数格式错误"
    assert refused(None, native, "T 1").return_msg == "out_trade_no参数格式错误"
    refused("APPID_MCHID_NOT_MATCH", native, mine, by=made_for(appid="wx0123456789abcdef"))
    refused("APPID_NOT_EXIST", native, mine, by=made_for(appid="app"))
    refused("MCHID_NOT_EXIST", native, mine, by=made_for(sub_mch_id="1"))
    refused("NOAUTH", native, mine, by=made_for(sub_mch_id=OTHER))
    refused("LACK_PARAMS", native, mine, product_id=None)
    refused("PARAM_ERROR", native, mine, time_expire=datetime.now() - timedelta(days=1))  # noqa: DTZ005  # As it wants it.
    refused("PARAM_ERROR", native, mine, 999_999_999_999)
    forged = b"<xml><return_code>SUCCESS</return_code><out_trade_no>T1</out_trade_no><sign>0</sign></xml>"
    try:
        shop.parse_payment_result(forged)
    except InvalidSignatureException as no:
        raised = no.errcode
    assert raised == -40001, raised


def errors_of_orders() -> None:
    mine = number()
    native(mine)
    assert refused("OUT_TRADE_NO_USED", native, mine, 1_300).errmsg == "商户订单号重复"
    refused("TRADE_STATE_ERROR", shop.refund.apply, 1_250, 100, number("R"), out_trade_no=mine)
    shop.order.close(mine)
    assert refused("ORDERCLOSED", native, mine).errmsg == "订单已关闭"
    for ask in (shop.order.query, shop.order.reverse, shop.order.close):
        assert refused("ORDERNOTEXIST", ask, out_trade_no=number()).errmsg == "此交易订单号不存在"
    paid = sold()
    assert refused("ORDERPAID", native, paid).errmsg == "该订单已支付"
    refused("ORDERPAID", shop.order.close, paid)
    first = number("R")
    shop.refund.apply(1_250, 500, first, out_trade_no=paid)
    refused("REFUND_FEE_MISMATCH", shop.refund.apply, 1_250, 400, first, out_trade_no=paid)
    refused("INVALID_REQUEST", shop.refund.apply, 1_250, 751, number("R"), out_trade_no=paid)
    refused("PARAM_ERROR", shop.refund.apply, 1_300, 100, number("R"), out_trade_no=paid)
    refused("ORDERNOTEXIST", shop.refund.apply, 1_250, 100, number("R"), out_trade_no=number())
    refused("REFUNDNOTEXIST", shop.refund.query, out_refund_no=number("R"))


def errors_of_payment_codes() -> None:
    refused("AUTH_CODE_INVALID", collect, number(), "130000000000000000")
    shown, mine = do("payment_code"), number()
    collect(mine, shown["payment_code"])
    no = refused("AUTH_CODE_INVALID", collect, number(), shown["payment_code"])
    assert no.errmsg == "101 每个二维码仅限使用一次，请刷新再试", no
    shop.order.reverse(out_trade_no=mine)
    refused("ORDERREVERSED", collect, mine, do("payment_code")["payment_code"])
    for node in ("jing", "wei"):
        shown = do("payment_code", at=node)
        do("freeze", at=node, payer=shown["payer"])
        refused("ACCOUNTERROR", collect, number(), shown["payment_code"])
        do("freeze", at=node, payer=shown["payer"], lift=True)
    dear, asked = number(), do("payment_code")
    shown = asked["payment_code"]
    refused("USERPAYING", collect, dear, shown, 150_000)
    refused("BUYER_MISMATCH", collect, dear, do("payment_code", at="wei")["payment_code"], 150_000)
    do("answer", reject=True, payer=asked["payer"])
    assert refused("TRADE_ERROR", collect, dear, shown, 150_000).errmsg == "用户取消支付"
    old = do("payment_code")["payment_code"]
    do("clock", forward_s=300)
    refused("AUTHCODEEXPIRE", collect, number(), old)
    made_up = f"{old[:12]}{'0' * 6}" if not old.endswith("0" * 6) else f"{old[:12]}{'1' * 6}"
    for _ in range(5):
        refused("AUTH_CODE_INVALID", collect, number(), made_up)
    refused("AUTH_CODE_ERROR", collect, number(), made_up)  # It guesses.


def errors_of_the_rest() -> None:
    do("faults", at="wei", number=account["number"], faults={"system_error": 1, "only": "orderquery"})
    refused("SYSTEMERROR", shop.order.query, out_trade_no=number())
    # What only the vendor's own systems could say is said when a sandbox is asked for it.
    for code in sys.argv[3].split(","):
        faults = {"refuse": code, "refuse_times": 1, "only": "orderquery"}
        do("faults", at="wei", number=account["number"], faults=faults)
        refused(code, shop.order.query, out_trade_no=number())
    refused("CONTRACT_NOT_EXIST", shop.withhold.query_signing, plan_id="1", contract_code=number("C"))
    now = do("clock", forward_s=0)["now"]
    day = now[:10].replace("-", "")
    assert refused(None, shop.tools.download_bill, day).return_msg == "invalid bill_date"
    customer(100)
    do("clock", forward_s=(25 - int(now[11:13])) * 3600)
    refused("BILL_CREATING", shop.tools.download_fundflow, day)
    assert refused(None, shop.tools.download_bill, day).return_msg == "Bill Creating"
    nobody_came = do("clock", forward_s=0)["now"][:10].replace("-", "")
    do("clock", forward_s=35 * 3600)
    refused("NO_BILL_EXIST", shop.tools.download_fundflow, nobody_came)
    assert refused(None, shop.tools.download_bill, nobody_came).return_msg == "No Bill Exist"


only = sys.argv[4:]
for part in (errors_of_money, errors_of_the_envelope, errors_of_orders, errors_of_payment_codes, errors_of_the_rest):
    if not only or part.__name__ in only:
        part()
tell(done=True, seen=sorted(seen - {"None"}))
