"""A service provider acts for merchants that let it in: wechatpay-alipay specification, section 7.10."""

from typing import Any

from hutong.gateways.account import WechatAccount
from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Merchant, neighbour
from tests.gateways.wechat.v3.test_postman import letter, opened

PHONE = "+8613800138000"
PREFIX = "/v3/pay/partner/transactions"


async def provider_and_merchant(hall: Hall) -> tuple[Merchant, WechatAccount]:
    provider = Merchant(hall)
    return provider, await neighbour(hall, provider.mchid)


def order(provider: Merchant, merchant: WechatAccount, **more: Any) -> dict[str, Any]:
    body = provider.order(sp_appid=provider.appid, sp_mchid=provider.mchid, sub_mchid=merchant.row.number, **more)
    del body["appid"], body["mchid"]
    return body


async def test_a_service_provider_collects_for_a_merchant(hall: Hall) -> None:
    provider, merchant = await provider_and_merchant(hall)
    payer = await hall.jing.user(PHONE, 100_000)
    both = f"sp_mchid={provider.mchid}&sub_mchid={merchant.row.number}"
    sub_appid = merchant.facts.appids[0]

    placed = await provider.post(f"{PREFIX}/native", order(provider, merchant, sub_appid=sub_appid))
    assert (placed.status, list(placed.json)) == (200, ["code_url"])
    await hall.pay(payer, placed.json["code_url"])
    told = (await provider.get(f"{PREFIX}/out-trade-no/T20261122001?{both}")).json
    assert {"sp_appid", "sp_mchid", "sub_mchid", "sub_appid"} <= told.keys()
    assert (told["sub_mchid"], told["trade_state"]) == (merchant.row.number, "SUCCESS")
    assert told["payer"]["sp_openid"] != told["payer"]["sub_openid"], "no application learns another's ids"
    assert (await provider.get(f"{PREFIX}/id/{told['transaction_id']}?{both}")).json == told
    (news,) = hall.gateways.notifications.all.everything()
    assert opened(provider, letter(hall, news))[1] == told, "the service provider is told, under its own key"

    itself = Merchant(hall, merchant)
    seen = await itself.get(f"/v3/pay/transactions/out-trade-no/T20261122001?mchid={itself.mchid}")
    assert (seen.json["mchid"], seen.json["trade_state"]) == (itself.mchid, "SUCCESS")
    assert seen.json["payer"]["openid"] == told["payer"]["sub_openid"]

    refund = {
        "sub_mchid": merchant.row.number,
        "out_trade_no": "T20261122001",
        "out_refund_no": "R1",
        "notify_url": "https://shop.example/back",
        "amount": {"refund": 80, "total": 1280, "currency": "CNY"},
    }
    assert (await provider.post("/v3/refund/domestic/refunds", refund)).status == 200
    found = await provider.get(f"/v3/refund/domestic/refunds/R1?sub_mchid={merchant.row.number}")
    assert found.json["status"] == "SUCCESS"
    assert (await provider.get("/v3/refund/domestic/refunds/R1")).status == 404, "it is the merchant's, not its own"
    _, back = hall.gateways.notifications.all.everything()
    assert opened(provider, letter(hall, back))[1]["sub_mchid"] == merchant.row.number


async def test_nobody_acts_for_a_merchant_that_has_not_let_them_in(hall: Hall) -> None:
    provider = Merchant(hall)
    stranger = await neighbour(hall)

    refused = await provider.post(f"{PREFIX}/native", order(provider, stranger))
    assert (refused.status, refused.code) == (403, "NO_AUTH")
    unknown = await provider.post(f"{PREFIX}/native", order(provider, stranger) | {"sub_mchid": "1600000000"})
    assert (unknown.status, unknown.code) == (400, "MCH_NOT_EXISTS")
    other = await provider.post(f"{PREFIX}/native", order(provider, stranger) | {"sp_mchid": stranger.row.number})
    assert (other.status, other.code) == (400, "PARAM_ERROR")


async def test_a_service_provider_closes_charges_and_reverses(hall: Hall) -> None:
    provider, merchant = await provider_and_merchant(hall)
    payer = await hall.jing.user(PHONE, 100_000)
    both = {"sp_mchid": provider.mchid, "sub_mchid": merchant.row.number}
    await provider.post(f"{PREFIX}/app", order(provider, merchant))
    assert (await provider.post(f"{PREFIX}/out-trade-no/T20261122001/close", both)).status == 204

    code = await hall.payment_code(payer)
    scene = {"store_info": {"out_id": "7"}}
    body = order(provider, merchant, payer={"auth_code": code}, scene_info=scene) | {"out_trade_no": "T20261122002"}
    paid = await provider.post(f"{PREFIX}/codepay", body)
    assert (paid.status, paid.json["sub_mchid"]) == (200, merchant.row.number)
    reversed_ = await provider.post(f"{PREFIX}/out-trade-no/T20261122002/reverse", both)
    assert (reversed_.status, reversed_.json["sub_mchid"]) == (200, merchant.row.number)
    assert (await payer.get("/v1/balance"))["balance"] == 100_000


async def test_a_jsapi_order_names_its_payer_to_one_application_or_the_other(hall: Hall) -> None:
    provider, merchant = await provider_and_merchant(hall)

    refused = await provider.post(f"{PREFIX}/jsapi", order(provider, merchant, payer={}))
    placed = await provider.post(f"{PREFIX}/jsapi", order(provider, merchant, payer={"sub_openid": "o1"}))

    assert (refused.status, refused.code) == (400, "PARAM_ERROR")
    assert (placed.status, list(placed.json)) == (200, ["prepay_id"])
