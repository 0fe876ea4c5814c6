"""Coupons through the v3 wire: wechatpay-alipay specification, section 7.6."""

import hashlib
from typing import Any

import pytest

from hutong.gateways.payer import payer_here
from hutong.institution import chart
from hutong.kernel.clock import NS_PER_S
from hutong.runtime.shelf import decided
from tests.gateways.hall import Hall, user_id
from tests.gateways.wechat.v3.client import HEADERS, Answer, Merchant, neighbour
from tests.gateways.wechat.v3.test_papay import events
from tests.institution.payments.test_http import Phone

FAVOR = "/v3/marketing/favor"
BEGINS, ENDS = "2026-01-01T08:00:00+08:00", "2026-02-01T00:00:00+08:00"


def batch(
    merchant: Merchant, number: str = "S1", *, coupons: int = 10, amount: int = 500, **more: Any
) -> dict[str, Any]:
    """Ten coupons of five yuan off twenty; `more` changes any field, wherever it is."""
    rule = {
        "max_coupons": coupons,
        "max_amount": coupons * amount,
        "max_coupons_per_user": 2,
        "natural_person_limit": False,
        "prevent_api_abuse": False,
    }
    use = {"fixed_normal_coupon": {"coupon_amount": amount, "transaction_minimum": 2_000}, "combine_use": False}
    body = {
        "stock_name": "面馆满20减5",
        "comment": "开业",
        "belong_merchant": merchant.mchid,
        "available_begin_time": BEGINS,
        "available_end_time": ENDS,
        "stock_use_rule": rule | {name: more.pop(name) for name in list(more) if name in _RULE},
        "pattern_info": {"description": "每单限用一张", "merchant_name": "面馆"},
        "coupon_use_rule": use | {name: more.pop(name) for name in list(more) if name in _USE},
        "no_cash": False,
        "stock_type": "NORMAL",
        "out_request_no": number,
    }
    return body | more


_RULE = ("max_amount", "max_amount_by_day", "max_coupons_per_user", "max_coupons", "natural_person_limit")
_USE = (
    *("fixed_normal_coupon", "combine_use", "coupon_available_time", "goods_tag", "available_items"),
    *("available_merchants", "limit_pay"),
)


async def funded(hall: Hall, amount: int = 50_000) -> None:
    """The merchant has sold something before."""
    rich = await hall.jing.user("+8613800138777", amount)
    draft = Merchant(hall).order("FUNDED1", amount)
    native = await Merchant(hall).post("/v3/pay/transactions/native", draft)
    await hall.pay(rich, native.json["code_url"])


async def made(merchant: Merchant, number: str = "S1", **more: Any) -> str:
    answer = await merchant.post(f"{FAVOR}/coupon-stocks", batch(merchant, number, **more))
    assert answer.status == 200, answer.json
    return str(answer.json["stock_id"])


async def moved(merchant: Merchant, stock: str, verb: str) -> Answer:
    return await merchant.post(f"{FAVOR}/stocks/{stock}/{verb}", {"stock_creator_mchid": merchant.mchid})


async def started(hall: Hall, merchant: Merchant, number: str = "S1", **more: Any) -> str:
    stock = await made(merchant, number, **more)
    assert (await moved(merchant, stock, "start")).status == 200
    return stock


async def shown(merchant: Merchant, stock: str) -> dict[str, Any]:
    return (await merchant.get(f"{FAVOR}/stocks/{stock}?stock_creator_mchid={merchant.mchid}")).json


def openid(hall: Hall, merchant: Merchant, person: Phone) -> str:
    return hall.gateways.orders.payers.openid(merchant.appid, payer_here(user_id(person)))


async def send(hall: Hall, merchant: Merchant, stock: str, person: Phone, number: str = "C1", **more: Any) -> Answer:
    body = {
        "stock_id": stock,
        "out_request_no": number,
        "appid": merchant.appid,
        "stock_creator_mchid": merchant.mchid,
    } | more
    return await merchant.post(f"{FAVOR}/users/{openid(hall, merchant, person)}/coupons", body)


async def coupon(hall: Hall, merchant: Merchant, person: Phone, number: str) -> dict[str, Any]:
    path = f"{FAVOR}/users/{openid(hall, merchant, person)}/coupons/{number}?appid={merchant.appid}"
    return (await merchant.get(path)).json


async def buy(
    hall: Hall, merchant: Merchant, person: Phone, number: str = "T20261122001", total: int = 2_800
) -> dict[str, Any]:
    native = await merchant.post("/v3/pay/transactions/native", merchant.order(number, total))
    return await hall.pay(person, native.json["code_url"])


async def asked(merchant: Merchant, number: str = "T20261122001") -> dict[str, Any]:
    return (await merchant.get(f"/v3/pay/transactions/out-trade-no/{number}?mchid={merchant.mchid}")).json


async def refund(merchant: Merchant, amount: int, number: str = "R1", total: int = 2_800) -> dict[str, Any]:
    told = {"refund": amount, "total": total, "currency": "CNY"}
    body = {"out_trade_no": "T20261122001", "out_refund_no": number, "amount": told}
    assert (await merchant.post("/v3/refund/domestic/refunds", body)).status == 200
    return (await merchant.get(f"/v3/refund/domestic/refunds/{number}")).json


async def downloaded(merchant: Merchant, target: str, hash_name: str = "hash_value") -> list[list[str]]:
    """The lines of a file, the first one its heads, once its hash was found right."""
    offered = (await merchant.get(target)).json
    path = offered["url"].removeprefix("http://jing.example")
    sent = HEADERS | {"authorization": merchant.authorization("GET", path, b"")}
    content = (await merchant.hall.http.get(path, headers=sent)).content
    assert hashlib.sha1(content, usedforsecurity=False).hexdigest() == offered[hash_name]
    return [line.replace("`", "").split(",") for line in content.decode().strip().split("\r\n")]


async def in_stock(hall: Hall, stock: str) -> int:
    """What the ledger has for it."""
    (row,) = [each for each in hall.gateways.vouchers.stocks.all.everything() if each.number == stock]
    (account,) = await hall.jing.ledger.lookup_accounts([chart.campaign_account(row.id)])
    return account.credits_posted - account.debits_posted


async def test_a_merchant_makes_a_stock_sends_a_coupon_and_it_is_used_told_listed_and_given_back(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 10_000)
    await funded(hall)
    had = await hall.merchant_balance()
    body = batch(merchant)
    first, again = [await merchant.post(f"{FAVOR}/coupon-stocks", body) for _ in range(2)]
    assert (first.status, first.json["create_time"]) == (200, BEGINS)
    assert again.json == first.json
    stock = first.json["stock_id"]
    assert (await shown(merchant, stock))["status"] == "unactivated"
    assert (await send(hall, merchant, stock, person)).code == "INVALID_REQUEST"
    assert await hall.merchant_balance() == had

    for _ in range(2):
        assert (await moved(merchant, stock, "start")).json == {"start_time": BEGINS, "stock_id": stock}
    assert (await hall.merchant_balance(), await in_stock(hall, stock)) == (had - 5_000, 5_000)
    told = {"mchid": merchant.mchid, "notify_url": "https://shop.example/used"}
    assert (await merchant.post(f"{FAVOR}/callbacks", told | {"switch": True})).json["update_time"] == BEGINS
    assert (await merchant.get(f"{FAVOR}/callbacks?mchid={merchant.mchid}")).json == told

    for _ in range(2):
        sent = await send(hall, merchant, stock, person)
        assert sent.status == 200, sent.json
    number = sent.json["coupon_id"]
    held = await coupon(hall, merchant, person, number)
    assert held == {
        "stock_creator_mchid": merchant.mchid,
        "stock_id": stock,
        "coupon_id": number,
        "coupon_name": "面馆满20减5",
        "status": "SENDED",
        "description": "每单限用一张",
        "create_time": BEGINS,
        "coupon_type": "NORMAL",
        "no_cash": False,
        "available_begin_time": BEGINS,
        "available_end_time": ENDS,
        "singleitem": False,
        "normal_coupon_information": {"coupon_amount": 500, "transaction_minimum": 2_000},
    }
    assert (await shown(merchant, stock))["distributed_coupons"] == 1

    await buy(hall, merchant, person)
    assert (await person.get("/v1/balance"))["balance"] == 10_000 - 2_300
    assert (await hall.merchant_balance(), await in_stock(hall, stock)) == (had - 5_000 + 2_800 - 17, 4_500)
    paid = await asked(merchant)
    assert paid["amount"] == {"total": 2_800, "currency": "CNY", "payer_total": 2_300, "payer_currency": "CNY"}
    assert paid["promotion_detail"] == [
        {
            "coupon_id": number,
            "name": "面馆满20减5",
            "scope": "GLOBAL",
            "type": "CASH",
            "amount": 500,
            "stock_id": stock,
            "wechatpay_contribute": 0,
            "merchant_contribute": 500,
            "other_contribute": 0,
            "currency": "CNY",
        }
    ]
    consumed = {"consume_time": BEGINS, "consume_mchid": merchant.mchid, "transaction_id": paid["transaction_id"]}
    used = held | {"status": "USED", "consume_information": consumed}
    assert await coupon(hall, merchant, person, number) == used
    news = dict(await events(hall, merchant))
    assert news["COUPON.USE"] == used
    assert news["TRANSACTION.SUCCESS"]["promotion_detail"] == paid["promotion_detail"]

    given_back = await refund(merchant, 1_400)
    assert given_back["promotion_detail"] == [
        {"promotion_id": number, "scope": "GLOBAL", "type": "COUPON", "amount": 500, "refund_amount": 250}
    ]
    assert await in_stock(hall, stock) == 4_750
    assert (await coupon(hall, merchant, person, number))["status"] == "USED", "some of it is still given"
    await refund(merchant, 1_400, "R2")
    assert (await person.get("/v1/balance"))["balance"] == 10_000
    assert (await hall.merchant_balance(), await in_stock(hall, stock)) == (had - 5_000, 5_000)
    assert await coupon(hall, merchant, person, number) == held, "it is the person's again"
    assert dict(await events(hall, merchant))["COUPON.USE"] == used, "its use is told, whatever came back since"

    uses = await downloaded(merchant, f"{FAVOR}/stocks/{stock}/use-flow")
    returns = await downloaded(merchant, f"{FAVOR}/stocks/{stock}/refund-flow")
    line = [
        stock,
        number,
        "满减券",
        "5.00",
        "28.00",
        "NATIVE",
        paid["transaction_id"],
        BEGINS,
        merchant.mchid,
        "",
        "",
        "",
    ]
    assert uses[1:] == [line]
    assert [each[3] for each in returns[1:]] == ["2.50", "2.50"]
    by_day = f"{FAVOR}/stocks/{stock}/use-flow-by-day?bill_date=2026-01-01"
    assert (await downloaded(merchant, by_day, "stock_useflow_hash"))[1:] == [line]
    assert (await merchant.get(by_day)).json["stock_useflow_count"] == "1"
