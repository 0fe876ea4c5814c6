"""Merchants send money to people, once for each number, and look at what they have."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from hutong.gateways import keys
from hutong.gateways.alipay.parameters import canonical, encode
from hutong.gateways.order import Dialect
from hutong.runtime.shelf import warmed
from tests.gateways.alipay.conftest import Payer
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import Hall

pytestmark = pytest.mark.asyncio(loop_scope="module")
SEND, QUERY = "alipay.fund.trans.uni.transfer", "alipay.fund.trans.common.query"


def transfer(identity: str, kind: str = "ALIPAY_USER_ID", **more: Any) -> dict[str, Any]:
    return {
        "out_biz_no": "S1",
        "trans_amount": "10.00",
        "product_code": "TRANS_ACCOUNT_NO_PWD",
        "biz_scene": "DIRECT_TRANSFER",
        "order_title": "奖励",
        "payee_info": {"identity": identity, "identity_type": kind},
        **more,
    }


async def earned(merchant: Merchant, payer: Payer) -> dict[str, Any]:
    """Somebody paid a hundred yuan, whom the merchant knows from then on."""
    person = await payer(100_000)
    order = {"out_trade_no": "T1", "total_amount": "100.00", "subject": "面"}
    await merchant.hall.pay(person, (await merchant.ask("alipay.trade.precreate", order))["qr_code"])
    found = await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"})
    return found | {"phone": person}


async def test_a_person_gets_it_once_by_every_name_the_merchant_knows(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    buyer = await earned(merchant, payer)
    before = await merchant.ask("alipay.fund.account.query", {"account_type": "ACCTRANS_ACCOUNT"})
    sent = await merchant.ask(SEND, transfer(buyer["buyer_user_id"]), notify_url="https://shop.example/told")
    assert (sent["code"], sent["status"], sent["out_biz_no"], len(sent["order_id"])) == ("10000", "SUCCESS", "S1", 47)
    assert await merchant.ask(SEND, transfer(buyer["buyer_user_id"])) == sent
    other = await merchant.ask(SEND, transfer(buyer["buyer_user_id"], trans_amount="10.01"))
    assert (other["code"], other["sub_code"]) == ("40004", "PAYMENT_INFO_INCONSISTENCY")
    by_open_id = transfer(buyer["buyer_open_id"], "ALIPAY_OPEN_ID", out_biz_no="S2")
    assert (await merchant.ask(SEND, by_open_id))["status"] == "SUCCESS"
    old = {"out_biz_no": "S3", "payee_type": "ALIPAY_USERID", "payee_account": buyer["buyer_user_id"], "amount": "5"}
    assert (await merchant.ask("alipay.fund.trans.toaccount.transfer", old))["code"] == "10000"
    after = await merchant.ask("alipay.fund.account.query", {"alipay_user_id": merchant.account.facts.seller_id})
    spent = Decimal(before["available_amount"]) - Decimal(after["available_amount"])
    assert (spent, after["freeze_amount"]) == (Decimal("25.00"), "0.00")
    assert (await buyer["phone"].get("/v1/balance"))["balance"] == 100_000 - 10_000 + 2_500

    for which in ({"out_biz_no": "S1"}, {"order_id": sent["order_id"]}, {"pay_fund_order_id": sent["order_id"]}):
        told = await merchant.ask(QUERY, {"product_code": "TRANS_ACCOUNT_NO_PWD", **which})
        assert (told["status"], told["trans_amount"], told["order_fee"]) == ("SUCCESS", "10.00", "0.00")
    told = await merchant.ask("alipay.fund.trans.order.query", {"out_biz_no": "S3"})
    assert (told["status"], told["out_biz_no"]) == ("SUCCESS", "S3")

    (row,) = [row for row in hall.gateways.notifications.all.everything() if row.account_id == merchant.account.row.id]
    postman = hall.gateways.notifications.postmen[Dialect.ALIPAY]
    plain = await warmed(hall.jing.node.journal, lambda: postman.plain(row))
    letter = dict(parse_qsl(postman.letter(row, plain, hall.jing.clock.now_ns()).body.decode()))
    text = canonical(encode(letter), without=(b"sign", b"sign_type"))
    assert keys.verifies(merchant.platform, letter["sign"], text)
    assert (letter["msg_method"], letter["version"]) == ("alipay.fund.trans.order.changed", "1.1")
    assert "notify_time" not in letter
    assert json.loads(letter["biz_content"])["status"] == "SUCCESS"


async def test_why_nothing_is_sent(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    buyer = await earned(merchant, payer)
    number = buyer["buyer_user_id"]
    balance = await hall.merchant_balance()
    for asked, said in (
        (transfer("2088000000000000"), "PAYEE_NOT_EXIST"),
        (transfer("2088199999999999"), "PAYEE_NOT_EXIST"),
        (transfer(merchant.account.facts.seller_id), "PAYEE_NOT_EXIST"),
        (transfer("13999999999", "ALIPAY_LOGON_ID"), "PAYEE_NOT_EXIST"),
        (transfer(number, trans_amount="0.05"), "EXCEED_LIMIT_SM_AMOUNT"),
        (transfer(number, trans_amount="49999.00", payee_info=named(number, "王小明")), "PAYER_BALANCE_NOT_ENOUGH"),
        (transfer(number, trans_amount="2000.00"), "PAYEE_USER_INFO_ERROR"),
        (transfer(number, payee_info=named(number, "张三"), out_biz_no="S2"), "PAYEE_USER_INFO_ERROR"),
        (transfer(number, product_code="TRANS_BANKCARD_NO_PWD"), "INVALID_PARAMETER"),
        (transfer(number, out_biz_no=""), "INVALID_PARAMETER"),
    ):
        refused = await merchant.ask(SEND, asked)
        assert (refused["code"], refused["sub_code"]) == ("40004", said), asked
    assert await hall.merchant_balance() == balance
    told = await merchant.ask(QUERY, {"out_biz_no": "S2"})
    assert (told["status"], told["error_code"]) == ("FAIL", "PAYEE_USER_INFO_ERROR")
    unknown = await merchant.ask(QUERY, {"out_biz_no": "S404"})
    assert (unknown["code"], unknown["sub_code"]) == ("40004", "ORDER_NOT_EXIST")
    nosy = await merchant.ask("alipay.fund.account.query", {"alipay_user_id": "2088200000000000"})
    assert nosy["code"] == "40006"


def named(number: str, name: str) -> dict[str, str]:
    return {"identity": number, "identity_type": "ALIPAY_USER_ID", "name": name}
