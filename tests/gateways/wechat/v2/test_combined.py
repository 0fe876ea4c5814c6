"""Combined orders by v2: one payment reaches every merchant, each gives back its own."""

import json
from typing import Any

import pytest

from hutong.gateways.account import WechatAccount
from hutong.gateways.wechat.v2.signature import SignType
from tests.gateways.street import Street
from tests.gateways.wechat.v2.shop import NOTIFY_URL, V2Shop, open_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def mall(street: Street) -> tuple[V2Shop, V2Shop]:
    """A platform, and a stall that lets it act."""
    platform = await open_shop(street, SignType.HMAC_SHA256)
    platform.names = {"combine_appid": platform.appid, "combine_mch_id": platform.account.row.number}
    owner = await street.wei.merchant()
    account = await street.wei.account(owner, partners=(platform.account.row.number,))
    assert isinstance(account, WechatAccount)
    return platform, V2Shop(street.wei, owner, account, SignType.HMAC_SHA256)


def part(shop: V2Shop, number: str, total: int, **more: Any) -> dict[str, Any]:
    told = {"appid": shop.appid, "mch_id": shop.account.row.number, "body": "面", "attach": "一店"}
    return told | {"out_trade_no": number, "total_fee": total, "fee_type": "CNY"} | more


def orders(*parts: dict[str, Any]) -> str:
    return json.dumps({"order_num": len(parts), "order_list": parts}, ensure_ascii=False)


def order(number: str, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {"spbill_create_ip": "127.0.0.1", "notify_url": NOTIFY_URL, "trade_type": "NATIVE", "product_id": "P"}
    return told | {"combine_out_trade_no": number, "sub_order_list": orders(*parts)} | more


async def test_one_payment_reaches_every_merchant_and_each_gives_back_its_own(street: Street) -> None:
    platform, stall = await mall(street)
    payer = await street.jing.person()
    parts = part(platform, "A-1", 1_000), part(stall, "B-1", 2_000)
    placed, again = [await platform.done("/pay/combinedorder", **order("C-1", *parts)) for _ in range(2)]
    assert placed["code_url"] == again["code_url"]
    other = await platform.call("/pay/combinedorder", **order("C-1", part(platform, "A-1", 999)))
    assert (other["result_code"], other["err_code"]) == ("FAIL", "OUT_TRADE_NO_USED")
    query = {"combine_out_trade_no": "C-1"}
    assert (await platform.done("/pay/querycombinedorder", **query))["trade_state"] == "NOTPAY"
    await payer.pay(placed["code_url"])
    assert await payer.balance() == 1_000_000 - 3_000
    assert await street.wei.merchant_balance(stall.owner) == 2_000 - 12
    found = await platform.done("/pay/querycombinedorder", **query)
    assert (found["trade_state"], found["combine_out_trade_no"]) == ("SUCCESS", "C-1")
    listed = json.loads(found["sub_order_list"])
    assert listed["order_num"] == 2
    mine, theirs = listed["order_list"]
    assert (mine["out_trade_no"], mine["total_fee"], mine["attach"]) == ("A-1", 1_000, "一店")
    assert (theirs["mch_id"], theirs["trade_state"], theirs["cash_fee"]) == (stall.account.row.number, "SUCCESS", 2_000)
    assert mine["transaction_id"] != theirs["transaction_id"]
    (where, told), *_ = platform.told()
    assert (where, told["combine_out_trade_no"], told["combine_appid"]) == (NOTIFY_URL, "C-1", platform.appid)
    assert json.loads(told["sub_order_list"]) == listed
    assert told["combine_openid"] == found["combine_openid"]

    back = {"out_trade_no": "B-1", "out_refund_no": "R-1", "total_fee": 2_000, "refund_fee": 500}
    for _ in range(2):
        refunded = await stall.done("/secapi/pay/refund", **back, notify_url=NOTIFY_URL)
    assert (refunded["out_trade_no"], refunded["total_fee"], refunded["refund_fee"]) == ("B-1", "2000", "500")
    asked = await stall.done("/pay/refundquery", out_refund_no="R-1")
    assert (asked["out_refund_no_0"], asked["out_trade_no"], asked["total_fee"]) == ("R-1", "B-1", "2000")
    assert await payer.balance() == 1_000_000 - 2_500
    (news,) = [each for where, each in [*platform.told(), *stall.told()] if "req_info" in each]
    assert (news["mch_id"], news["appid"]) == (stall.account.row.number, stall.appid)
    whole = {"out_trade_no": "C-1", "out_refund_no": "R-2", "total_fee": 3_000, "refund_fee": 3_000}
    refusal = await V2Shop(street.wei, platform.owner, platform.account, SignType.HMAC_SHA256).call(
        "/secapi/pay/refund", **whole
    )
    assert refusal["err_code"] == "ORDERNOTEXIST", "it is given back part by part"
    after = json.loads((await platform.done("/pay/querycombinedorder", **query))["sub_order_list"])
    assert [each["trade_state"] for each in after["order_list"]] == ["SUCCESS", "REFUND"]


async def test_a_combined_order_is_closed_by_its_parts_and_paid_no_more(street: Street) -> None:
    platform, stall = await mall(street)
    parts = part(platform, "A-2", 1_000), part(stall, "B-2", 2_000)
    await platform.done("/pay/combinedorder", **order("C-2", *parts))
    named = {"combine_out_trade_no": "C-2", "sub_order_list": orders({"out_trade_no": "A-2"})}
    assert (await platform.call("/pay/closecombinedorder", **named))["err_code"] == "PARAM_ERROR"
    named["sub_order_list"] = orders({"out_trade_no": "A-2"}, {"out_trade_no": "B-2"})
    for _ in range(2):
        await platform.done("/pay/closecombinedorder", **named)
    query = await platform.done("/pay/querycombinedorder", combine_out_trade_no="C-2")
    assert query["trade_state"] == "CLOSED"
    unknown = await platform.call("/pay/querycombinedorder", combine_out_trade_no="C-9")
    assert unknown["err_code"] == "ORDERNOTEXIST"


async def test_what_makes_no_sense_is_refused_by_its_code(street: Street) -> None:
    platform, stall = await mall(street)
    stranger = await open_shop(street, SignType.HMAC_SHA256)
    for parts, code in (
        ((part(stranger, "A-3", 1_000),), "NOAUTH"),
        ((part(stall, "A-3", 1_000, mch_id="1999999999"),), "MCHID_NOT_EXIST"),
        ((part(stall, "A-3", 1_000, appid="wx0000000000000000"),), "APPID_MCHID_NOT_MATCH"),
        ((part(platform, "A-3", 1_000), part(platform, "A-3", 1_000)), "PARAM_ERROR"),
        ((part(platform, "A-3", 1_000, body=""),), "LACK_PARAMS"),
        ((), "PARAM_ERROR"),
        ((part(platform, "A-3", 1_000, body={"x": 1}),), "PARAM_ERROR"),
    ):
        said = await platform.call("/pay/combinedorder", **order("C-3", *parts))
        assert (said["result_code"], said["err_code"]) == ("FAIL", code), (parts, said)
    broken = order("C-3") | {"sub_order_list": "{"}
    assert (await platform.call("/pay/combinedorder", **broken))["err_code"] == "PARAM_ERROR"
    md5 = await open_shop(street)
    md5.names = {"combine_appid": md5.appid, "combine_mch_id": md5.account.row.number}
    assert (await md5.call("/pay/combinedorder", **order("C-4", part(md5, "A-4", 1))))["return_code"] == "FAIL"
