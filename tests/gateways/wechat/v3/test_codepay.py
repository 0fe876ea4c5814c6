"""Payment codes and reversals through the v3 wire: wechatpay-alipay specification, section 3.3."""

from typing import Any

from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Merchant

PHONE = "+8613800138000"
CODEPAY = "/v3/pay/transactions/codepay"
BY_NUMBER = "/v3/pay/transactions/out-trade-no/T20261122001"


def charge(merchant: Merchant, code: str, total: int = 1_280, **more: Any) -> dict[str, Any]:
    body = merchant.order(total=total, payer={"auth_code": code}, scene_info={"store_info": {"id": "1"}}, **more)
    return body | {"notify_url": "told by some clients, and not looked at"}


async def reverse(merchant: Merchant) -> tuple[int, dict[str, object]]:
    answer = await merchant.post(f"{BY_NUMBER}/reverse", {"appid": merchant.appid, "mchid": merchant.mchid})
    return answer.status, answer.json


async def test_a_code_pays_at_once_and_is_taken_back_with_the_money(hall: Hall) -> None:
    merchant, payer = Merchant(hall), await hall.jing.user(PHONE, 100_000)
    body = charge(merchant, await hall.payment_code(payer))

    paid = await merchant.post(CODEPAY, body)
    assert (paid.status, paid.json["trade_state"], paid.json["trade_type"]) == (200, "SUCCESS", "MICROPAY")
    assert (await merchant.post(CODEPAY, body)).json == paid.json
    assert (await merchant.get(f"{BY_NUMBER}?mchid={merchant.mchid}")).json == paid.json
    assert (await payer.get("/v1/balance"))["balance"] == 98_720
    assert hall.gateways.notifications.all.everything() == [], "a payment code is answered, not told"

    for _ in range(2):
        assert await reverse(merchant) == (
            200,
            {"appid": merchant.appid, "mchid": merchant.mchid, "out_trade_no": "T20261122001"},
        )
    assert (await payer.get("/v1/balance"))["balance"] == 100_000
    assert (await merchant.get(f"{BY_NUMBER}?mchid={merchant.mchid}")).json["trade_state"] == "REVOKED"
    again = await merchant.post(CODEPAY, body)
    assert (again.status, again.code) == (400, "ORDER_REVERSED")


async def test_a_code_used_twice_is_a_no_and_another_may_follow_under_the_same_number(hall: Hall) -> None:
    merchant, payer = Merchant(hall), await hall.jing.user(PHONE, 100_000)
    code = await hall.payment_code(payer)
    first = charge(merchant, code)
    first["out_trade_no"] = "T20261122000"
    assert (await merchant.post(CODEPAY, first)).status == 200

    used = await merchant.post(CODEPAY, charge(merchant, code))
    assert (used.status, used.code) == (400, "AUTH_CODE_EXPIRE")
    assert (await merchant.get(f"{BY_NUMBER}?mchid={merchant.mchid}")).json["trade_state"] == "PAYERROR"
    hall.jing.clock.advance(seconds=61)
    fresh = await merchant.post(CODEPAY, charge(merchant, await hall.payment_code(payer)))
    assert (fresh.status, fresh.json["trade_state"]) == (200, "SUCCESS")


async def test_a_payer_without_the_money_is_a_no(hall: Hall) -> None:
    merchant, payer = Merchant(hall), await hall.jing.user(PHONE, 1_279)

    refused = await merchant.post(CODEPAY, charge(merchant, await hall.payment_code(payer)))

    assert (refused.status, refused.code) == (403, "NOT_ENOUGH")
    assert (await payer.get("/v1/balance"))["balance"] == 1_279


async def test_a_large_amount_waits_for_the_payers_password(hall: Hall) -> None:
    merchant, payer = Merchant(hall), await hall.jing.user(PHONE, 500_000)
    body = charge(merchant, await hall.payment_code(payer), 300_000)

    waiting = await merchant.post(CODEPAY, body)
    assert (waiting.status, waiting.json) == (202, {"trade_state": "USERPAYING"})
    query = f"{BY_NUMBER}?mchid={merchant.mchid}"
    assert (await merchant.get(query)).json["trade_state"] == "USERPAYING"
    assert (await reverse(merchant))[0] == 200
    assert (await merchant.get(query)).json["trade_state"] == "REVOKED"
    assert (await payer.get("/v1/balance"))["balance"] == 500_000


async def test_what_is_no_code_of_anybodys_is_a_no(hall: Hall) -> None:
    merchant = Merchant(hall)
    for code in ["12006109882800940X", "１２００６１０９８８２８００９４０６", "7"]:
        refused = await merchant.post(CODEPAY, charge(merchant, code))
        assert (refused.status, refused.code) == (400, "AUTH_CODE_INVALID")


async def test_a_code_nobodys_phone_shows_is_a_no(hall: Hall) -> None:
    merchant, payer = Merchant(hall), await hall.jing.user(PHONE, 100_000)
    code = await hall.payment_code(payer)
    other = code[:-1] + str((int(code[-1]) + 1) % 10)

    refused = await merchant.post(CODEPAY, charge(merchant, other))

    assert (refused.status, refused.code) == (400, "AUTH_CODE_INVALID")


async def test_a_charge_names_its_store(hall: Hall) -> None:
    merchant = Merchant(hall)
    body = charge(merchant, "120061098828009406")
    del body["scene_info"]

    refused = await merchant.post(CODEPAY, body)

    assert refused.json["message"] == "输入源“/body/scene_info”映射到字段“场景信息”必填性规则校验失败，此字段为必填项"
