"""Combined orders through the v3 wire: wechatpay-alipay specification, section 3.4."""

from typing import Any

from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Merchant, neighbour
from tests.gateways.wechat.v3.test_postman import letter, opened

PHONE = "+8613800138000"
PREFIX = "/v3/combine-transactions"
BY_NUMBER = f"{PREFIX}/out-trade-no/C20261122001"
REFUNDS = "/v3/refund/domestic/refunds"


def part(merchant: Merchant, number: str, total: int, **more: Any) -> dict[str, Any]:
    return {
        "mchid": merchant.mchid,
        "attach": number,
        "amount": {"total_amount": total, "currency": "CNY"},
        "out_trade_no": number,
        "description": "两碗面",
    } | more


def combined(merchant: Merchant, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "combine_appid": merchant.appid,
        "combine_mchid": merchant.mchid,
        "combine_out_trade_no": "C20261122001",
        "sub_orders": list(parts),
        "notify_url": "https://shop.example/paid",
    } | more


async def test_a_combined_order_is_paid_told_and_given_back_by_each_of_its_merchants(hall: Hall) -> None:
    mall, payer = Merchant(hall), await hall.jing.user(PHONE, 100_000)
    stall = Merchant(hall, await neighbour(hall, mall.mchid))
    body = combined(mall, part(mall, "PART-1", 1_000), part(stall, "PART-2", 500, settle_info={"profit_sharing": True}))

    placed = await mall.post(f"{PREFIX}/native", body)
    assert (placed.status, list(placed.json)) == (200, ["code_url"])
    assert (await mall.post(f"{PREFIX}/native", body)).json == placed.json
    before = (await mall.get(BY_NUMBER)).json
    assert [each["trade_state"] for each in before["sub_orders"]] == ["NOTPAY", "NOTPAY"]
    assert "combine_transaction_id" not in before
    await hall.pay(payer, placed.json["code_url"])
    assert (await payer.get("/v1/balance"))["balance"] == 98_500

    paid = (await mall.get(BY_NUMBER)).json
    first, second = paid["sub_orders"]
    assert (first["mchid"], first["trade_state"], first["attach"]) == (mall.mchid, "SUCCESS", "PART-1")
    assert second == {
        "mchid": stall.mchid,
        "out_trade_no": "PART-2",
        "attach": "PART-2",
        "trade_state": "SUCCESS",
        "trade_type": "NATIVE",
        "bank_type": "OTHERS",
        "success_time": "2026-01-01T08:00:00+08:00",
        "transaction_id": second["transaction_id"],
        "amount": {"total_amount": 500, "currency": "CNY", "payer_amount": 500, "payer_currency": "CNY"},
    }
    assert first["transaction_id"] != second["transaction_id"] != paid["combine_transaction_id"]
    assert (await mall.get(f"{PREFIX}/id/{paid['combine_transaction_id']}")).json == paid
    assert (await mall.get(f"{PREFIX}/id/{first['transaction_id']}")).code == "ORDER_NOT_EXIST"
    (news,) = hall.gateways.notifications.all.everything()
    event, told = opened(mall, letter(hall, news))
    assert (event["event_type"], told) == ("TRANSACTION.SUCCESS", paid)

    unsplit = await stall.get(f"/v3/profitsharing/transactions/{second['transaction_id']}/amounts")
    assert unsplit.json["unsplit_amount"] > 0, "a part is split as an order of its own"
    asked = {
        "transaction_id": second["transaction_id"],
        "out_refund_no": "R1",
        "notify_url": "https://shop.example/back",
        "amount": {"refund": 200, "total": 500, "currency": "CNY"},
    }
    refund = await stall.post(REFUNDS, asked)
    assert (refund.status, refund.json["out_trade_no"], refund.json["amount"]["total"]) == (200, "PART-2", 500)
    done = (await stall.get(f"{REFUNDS}/R1")).json
    assert (done["status"], done["out_refund_no"]) == ("SUCCESS", "R1")
    assert done["transaction_id"] == second["transaction_id"]
    assert (await stall.post(REFUNDS, asked)).json == done
    assert (await payer.get("/v1/balance"))["balance"] == 98_700
    states = [each["trade_state"] for each in (await mall.get(BY_NUMBER)).json["sub_orders"]]
    assert states == ["SUCCESS", "REFUND"], "each part has a state of its own"
    *_, back = hall.gateways.notifications.all.everything()
    event, told = opened(stall, letter(hall, back))
    assert (event["event_type"], told["mchid"], told["out_refund_no"]) == ("REFUND.SUCCESS", stall.mchid, "R1")
    assert opened(mall, letter(hall, news))[1] == paid, "a late callback tells the payment"
    whole = {"out_trade_no": "C20261122001", "out_refund_no": "R2", "amount": {"refund": 1, "total": 1_500, "currency": "CNY"}}  # fmt: skip
    assert (await mall.post(REFUNDS, whole)).code == "RESOURCE_NOT_EXISTS", "only parts are given back"


async def test_a_combined_order_is_closed_whole(hall: Hall) -> None:
    mall = Merchant(hall)
    parts = part(mall, "PART-1", 1_000), part(mall, "PART-2", 500)
    await mall.post(f"{PREFIX}/app", combined(mall, *parts))
    which = [{"mchid": mall.mchid, "out_trade_no": each["out_trade_no"]} for each in parts]
    close = {"combine_appid": mall.appid, "sub_orders": which[:1]}

    assert (await mall.post(f"{BY_NUMBER}/close", close)).code == "INVALID_REQUEST"
    for _ in range(2):
        assert (await mall.post(f"{BY_NUMBER}/close", close | {"sub_orders": which})).status == 204
    assert {each["trade_state"] for each in (await mall.get(BY_NUMBER)).json["sub_orders"]} == {"CLOSED"}


async def test_what_cannot_be_combined_is_refused(hall: Hall) -> None:
    mall = Merchant(hall)
    stranger = Merchant(hall, await neighbour(hall))
    one = part(mall, "PART-1", 1_000)
    table: list[tuple[str, dict[str, Any], int, str]] = [
        ("native", combined(mall, one, part(stranger, "PART-2", 1)), 403, "NO_AUTH"),
        ("native", combined(mall, one, one), 400, "PARAM_ERROR"),
        ("native", combined(mall), 400, "PARAM_ERROR"),
        ("native", combined(mall, one | {"mchid": "1600000000"}), 400, "MCH_NOT_EXISTS"),
        ("native", combined(mall, one | {"attach": ""}), 400, "PARAM_ERROR"),
        ("native", combined(mall, one, combine_mchid=stranger.mchid), 400, "PARAM_ERROR"),
        ("native", combined(mall, one, combine_appid=stranger.appid), 400, "APPID_MCHID_NOT_MATCH"),
        ("jsapi", combined(mall, one), 400, "PARAM_ERROR"),
        ("jsapi", combined(mall, one, combine_payer_info={}), 400, "PARAM_ERROR"),
        ("h5", combined(mall, one), 400, "PARAM_ERROR"),
    ]
    for kind, body, status, code in table:
        answer = await mall.post(f"{PREFIX}/{kind}", body)
        assert (answer.status, answer.code) == (status, code), body
    assert (await mall.get(BY_NUMBER)).code == "ORDER_NOT_EXIST"


async def test_a_service_provider_combines_its_merchants_orders(hall: Hall) -> None:
    provider = Merchant(hall)
    merchant = await neighbour(hall, provider.mchid)
    one = part(provider, "PART-1", 700, sub_mchid=merchant.row.number, sub_appid=merchant.facts.appids[0])
    placed = await provider.post(f"{PREFIX}/h5", combined(provider, one, scene_info={"device_id": "1", "payer_client_ip": "1.2.3.4", "h5_info": {"type": "Wap"}}))  # fmt: skip
    assert (placed.status, list(placed.json)) == (200, ["h5_url"])
    payer = await hall.jing.user(PHONE, 100_000)
    await hall.pay(payer, placed.json["h5_url"].partition("?")[0])

    (told,) = (await provider.get(BY_NUMBER)).json["sub_orders"]
    assert (told["mchid"], told["sub_mchid"], told["trade_state"]) == (provider.mchid, merchant.row.number, "SUCCESS")
    refund = {
        "sub_mchid": merchant.row.number,
        "out_trade_no": "PART-1",
        "out_refund_no": "R1",
        "amount": {"refund": 700, "total": 700, "currency": "CNY"},
    }
    assert (await provider.post(REFUNDS, refund)).status == 200
    assert (await payer.get("/v1/balance"))["balance"] == 100_000
