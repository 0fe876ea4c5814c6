"""Profit sharing through the v3 wire: wechatpay-alipay specification, section 7.1."""

from typing import Any

import pytest

from hutong.gateways import keys
from hutong.gateways.account import authority
from hutong.gateways.notification import News
from hutong.gateways.platform import KeyUse
from hutong.gateways.wechat.v3 import cipher
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import decided
from tests.gateways.hall import Hall, user_id
from tests.gateways.wechat.v3.client import Merchant, neighbour
from tests.gateways.wechat.v3.test_postman import letter, opened

PHONE = "+8613800138000"
PREFIX = "/v3/profitsharing"


async def paid(hall: Hall) -> tuple[Merchant, str]:
    """A merchant, and the number of an order of 10 yuan that it may split."""
    public = hall.gateways.platform.current(KeyUse.WECHATPAY_PUBLIC_KEY)
    merchant, payer = Merchant(hall, serial=public.serial), await hall.jing.user(PHONE, 100_000)
    body = merchant.order(total=1_000, settle_info={"profit_sharing": True})
    placed = await merchant.post("/v3/pay/transactions/native", body)
    await hall.pay(payer, placed.json["code_url"])
    query = f"/v3/pay/transactions/out-trade-no/T20261122001?mchid={merchant.mchid}"
    return merchant, (await merchant.get(query)).json["transaction_id"]


def sealed(hall: Hall, text: str) -> str:
    public = hall.gateways.platform.current(KeyUse.WECHATPAY_PUBLIC_KEY)
    return cipher.encrypt_field(keys.public_key(public.public_pem), text)


def split(merchant: Merchant, transaction_id: str, *parts: tuple[str, str, int], **more: Any) -> dict[str, Any]:
    return {
        "appid": merchant.appid,
        "transaction_id": transaction_id,
        "out_order_no": "P1",
        "receivers": [
            {"type": kind, "account": account, "amount": amount, "description": "分成"}
            for kind, account, amount in parts
        ],
        "unfreeze_unsplit": False,
    } | more


async def test_an_order_is_split_given_back_and_unfrozen(hall: Hall) -> None:
    merchant, transaction_id = await paid(hall)
    other, guide = await neighbour(hall), await hall.jing.user("+8613800138001", 0)
    openid = hall.gateways.orders.payers.openid(merchant.appid, f"/{user_id(guide):032x}")
    receivers = ("MERCHANT_ID", other.row.number), ("PERSONAL_OPENID", openid)
    for kind, account in receivers:
        body = {"appid": merchant.appid, "type": kind, "account": account, "relation_type": "PARTNER"}
        added = await merchant.post(f"{PREFIX}/receivers/add", body)
        assert (added.status, added.json["account"]) == (200, account)
    before = (await merchant.get(f"{PREFIX}/transactions/{transaction_id}/amounts")).json["unsplit_amount"]

    asked = split(merchant, transaction_id, ("MERCHANT_ID", other.row.number, 100), ("PERSONAL_OPENID", openid, 50))
    done = await merchant.post(f"{PREFIX}/orders", asked)
    assert (done.status, done.json["state"]) == (200, "FINISHED")
    assert [(part["account"], part["amount"], part["result"]) for part in done.json["receivers"]] == [
        (other.row.number, 100, "SUCCESS"),
        (openid, 50, "SUCCESS"),
    ]
    assert (await merchant.post(f"{PREFIX}/orders", asked)).json == done.json
    asked["receivers"][0]["amount"] = 101
    assert (await merchant.post(f"{PREFIX}/orders", asked)).code == "INVALID_REQUEST"
    assert (await guide.get("/v1/balance"))["balance"] == 50
    query = f"{PREFIX}/orders/P1?transaction_id={transaction_id}"
    assert (await merchant.get(query)).json == done.json
    after = (await merchant.get(f"{PREFIX}/transactions/{transaction_id}/amounts")).json["unsplit_amount"]
    assert before - after == 150

    back = {
        "order_id": done.json["order_id"],
        "out_return_no": "B1",
        "return_mchid": other.row.number,
        "amount": 40,
        "description": "退货",
    }
    returned = await merchant.post(f"{PREFIX}/return-orders", back)
    assert (returned.status, returned.json["result"], returned.json["out_order_no"]) == (200, "SUCCESS", "P1")
    assert (await merchant.get(f"{PREFIX}/return-orders/B1?out_order_no=P1")).json == returned.json
    assert (await merchant.post(f"{PREFIX}/return-orders", back | {"out_return_no": "B2", "amount": 61})).status == 400

    rest = {"transaction_id": transaction_id, "out_order_no": "P2", "description": "解冻"}
    for _ in range(2):
        unfrozen = await merchant.post(f"{PREFIX}/orders/unfreeze", rest)
        assert (unfrozen.status, unfrozen.json["state"]) == (200, "FINISHED")
    assert (await merchant.get(f"{PREFIX}/transactions/{transaction_id}/amounts")).json["unsplit_amount"] == 0
    assert (await merchant.post(f"{PREFIX}/orders", split(merchant, transaction_id, ("MERCHANT_ID", other.row.number, 1), out_order_no="P3"))).code == "INVALID_REQUEST"  # fmt: skip


async def test_what_cannot_be_split_is_refused(hall: Hall) -> None:
    merchant, transaction_id = await paid(hall)
    other = await neighbour(hall)
    part = ("MERCHANT_ID", other.row.number, 100)
    body = {"appid": merchant.appid, "type": "MERCHANT_ID", "account": other.row.number, "relation_type": "STORE"}
    table: list[tuple[str, dict[str, Any], int, str]] = [
        ("/orders", split(merchant, transaction_id, part), 400, "INVALID_REQUEST"),
        ("/orders", split(merchant, "42000", part), 404, "RESOURCE_NOT_EXISTS"),
        ("/orders", split(merchant, transaction_id, ("MERCHANT_ID", "1600000000", 1)), 400, "PARAM_ERROR"),
        ("/orders", split(merchant, transaction_id, ("PERSONAL_OPENID", "o1", 1)), 400, "PARAM_ERROR"),
        ("/orders", split(merchant, transaction_id), 400, "PARAM_ERROR"),
        ("/orders", split(merchant, transaction_id, part, sub_mchid="1600000000"), 400, "MCH_NOT_EXISTS"),
        ("/receivers/add", body | {"account": merchant.mchid}, 400, "INVALID_REQUEST"),
        ("/receivers/add", body | {"relation_type": "CUSTOM"}, 400, "PARAM_ERROR"),
        ("/receivers/add", body | {"name": "not sealed"}, 400, "PARAM_ERROR"),
        ("/receivers/add", body | {"name": sealed(hall, "别人")}, 400, "INVALID_REQUEST"),
        ("/return-orders", {"order_id": "1", "out_return_no": "B", "return_mchid": "1", "amount": 1, "description": "x"}, 404, "RESOURCE_NOT_EXISTS"),
    ]  # fmt: skip
    for path, asked, status, code in table:
        answer = await merchant.post(f"{PREFIX}{path}", asked)
        assert (answer.status, answer.code) == (status, code), (path, asked, answer.body.decode())
    named = await merchant.post(f"{PREFIX}/receivers/add", body | {"name": sealed(hall, "鼓楼包子")})
    assert named.status == 200
    over = await merchant.post(f"{PREFIX}/orders", split(merchant, transaction_id, (*part[:2], 301)))
    assert (over.status, over.code) == (403, "RULE_LIMIT")
    gone = {"appid": merchant.appid, "type": "MERCHANT_ID", "account": other.row.number}
    assert (await merchant.post(f"{PREFIX}/receivers/delete", gone)).status == 200
    assert (await merchant.post(f"{PREFIX}/orders", split(merchant, transaction_id, part))).code == "INVALID_REQUEST"


async def test_a_service_provider_asks_what_may_be_split(hall: Hall) -> None:
    provider = Merchant(hall)
    merchant = await neighbour(hall, provider.mchid)

    told = await provider.get(f"{PREFIX}/merchant-configs/{merchant.row.number}")

    assert told.json == {"sub_mchid": merchant.row.number, "max_ratio": 3000}


async def test_who_splits_and_who_gets_something_are_told_where_they_say(hall: Hall) -> None:
    merchant, transaction_id = await paid(hall)
    other, journal = await neighbour(hall), hall.jing.node.journal
    settle, owner = hall.gateways.accounts.settle, await hall.owner()
    await decided(journal, lambda: settle(owner, merchant.account.row.id, sharing_url="https://shop.example/split"))
    theirs = authority(other.row)
    await decided(journal, lambda: settle(theirs, other.row.id, sharing_url="https://buns.example/got"))
    for url in ("ftp://shop.example", "x"):
        with pytest.raises(Refusal, match="NOTIFY_URL_INVALID"):
            settle(owner, merchant.account.row.id, sharing_url=url)
    body = {"appid": merchant.appid, "type": "MERCHANT_ID", "account": other.row.number, "relation_type": "PARTNER"}
    await merchant.post(f"{PREFIX}/receivers/add", body)

    asked = split(merchant, transaction_id, ("MERCHANT_ID", other.row.number, 100))
    done = (await merchant.post(f"{PREFIX}/orders", asked)).json
    assert (await merchant.post(f"{PREFIX}/orders", asked)).json == done

    news = [each for each in hall.gateways.notifications.all.everything() if each.kind == News.SHARED]
    assert [each.url for each in news] == ["https://shop.example/split", "https://buns.example/got"]
    told = [opened(Merchant(hall, who), letter(hall, each)) for who, each in zip((None, other), news, strict=True)]
    assert {event["event_type"] for event, _ in told} == {"PROFITSHARING"}
    for _, resource in told:
        assert resource == {
            "mchid": merchant.mchid,
            "transaction_id": transaction_id,
            "order_id": done["order_id"],
            "out_order_no": "P1",
            "receiver": {"type": "MERCHANT_ID", "account": other.row.number, "amount": 100, "description": "分成"},
            "success_time": "2026-01-01T08:00:00+08:00",
        }
