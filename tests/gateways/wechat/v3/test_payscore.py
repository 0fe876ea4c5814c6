"""Pay score's service orders through the v3 wire: wechatpay-alipay specification, section 7.3."""

import asyncio
from typing import Any

import pytest

from tests.gateways.hall import Hall, user_id
from tests.gateways.wechat.v3.client import Answer, Merchant
from tests.gateways.wechat.v3.test_papay import events, sign

PATH = "/v3/payscore/serviceorder"
SERVICE = "500001"


def service(merchant: Merchant, **more: Any) -> dict[str, Any]:
    return {
        "appid": merchant.appid,
        "service_id": SERVICE,
        "out_order_no": "U1",
        "service_introduction": "共享雨伞",
        "time_range": {"start_time": "20260101080000"},
        "risk_fund": {"name": "DEPOSIT", "amount": 5_000},
        "attach": "伞7",
        "notify_url": "https://shop.example/umbrella",
        "need_user_confirm": True,
    } | more


def over(merchant: Merchant, total: int, **more: Any) -> dict[str, Any]:
    lines = {
        "post_payments": [{"name": "借伞", "amount": total + 100}],
        "post_discounts": [{"name": "会员", "amount": 100}],
    }
    return {"appid": merchant.appid, "service_id": SERVICE, "total_amount": total} | lines | more


def which(merchant: Merchant, **more: Any) -> dict[str, Any]:
    return {"appid": merchant.appid, "service_id": SERVICE} | more


async def asked(merchant: Merchant) -> dict[str, Any]:
    return (await merchant.get(f"{PATH}?out_order_no=U1&service_id={SERVICE}&appid={merchant.appid}")).json


async def complete(merchant: Merchant, total: int) -> Answer:
    return await merchant.post(f"{PATH}/U1/complete", over(merchant, total))


async def test_a_service_is_agreed_to_completed_and_taken_once(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 10_000)
    made = await merchant.post(PATH, service(merchant))
    assert (made.status, made.json["state"]) == (200, "CREATED")
    assert made.json["package"].startswith("https://jing.example/")
    assert (await merchant.post(PATH, service(merchant))).json == made.json
    assert (await merchant.post(PATH, service(merchant, attach="伞8"))).code == "INVALID_REQUEST"
    assert (await complete(merchant, 1_280)).code == "INVALID_REQUEST", "nobody has agreed yet"
    await sign(hall, person)
    doing = await asked(merchant)
    assert (doing["state"], doing["state_description"], len(doing["openid"])) == ("DOING", "USER_CONFIRM", 28)

    assert (await complete(merchant, 5_001)).code == "PARAM_ERROR", "more than was agreed to"
    for _ in range(2):
        done = await complete(merchant, 1_280)
        assert (done.status, done.json["state"], done.json["total_amount"]) == (200, "DONE", 1_280)
    found = await asked(merchant)
    assert found["collection"]["state"] == "USER_PAID"
    (detail,) = found["collection"]["details"]
    assert (detail["amount"], detail["paid_type"], detail["paid_time"]) == (1_280, "NEWTON", "20260101080000")
    assert (await person.get("/v1/balance"))["balance"] == 8_720
    assert found | done.json == found
    assert (await complete(merchant, 1_281)).code == "INVALID_REQUEST"
    assert (await merchant.post(f"{PATH}/U1/pay", which(merchant))).code == "INVALID_REQUEST", "it is paid"
    assert (await merchant.post(f"{PATH}/U1/cancel", which(merchant, reason="x"))).code == "INVALID_REQUEST"
    (agreement,) = hall.gateways.agreements.all.everything()
    assert (agreement.state, agreement.mandate) == ("ENDED", ""), "the consent ends with what it was for"

    told = await events(hall, merchant)
    assert [event for event, _ in told] == ["PAYSCORE.USER_CONFIRM", "PAYSCORE.USER_PAID"]
    assert told[1][1] == found
    refund = {
        "transaction_id": detail["transaction_id"],
        "out_refund_no": "R1",
        "amount": {"refund": 280, "total": 1_280, "currency": "CNY"},
    }
    assert (await merchant.post("/v3/refund/domestic/refunds", refund)).status == 200
    assert (await person.get("/v1/balance"))["balance"] == 9_000


async def test_what_cannot_be_taken_is_owed_and_taken_later_for_less(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 500)
    await merchant.post(PATH, service(merchant))
    await sign(hall, person)

    owed = await complete(merchant, 1_280)
    assert (owed.json["state"], owed.json["state_description"]) == ("DOING", "MCH_COMPLETE")
    assert (await asked(merchant))["collection"] == {
        "state": "USER_PAYING",
        "total_amount": 1_280,
        "paying_amount": 1_280,
        "paid_amount": 0,
    }
    assert (await merchant.post(f"{PATH}/U1/pay", which(merchant))).status == 200
    assert (await asked(merchant))["collection"]["state"] == "USER_PAYING"
    assert (await person.get("/v1/balance"))["balance"] == 500
    more = await merchant.post(f"{PATH}/U1/modify", over(merchant, 1_281, reason="算错"))
    assert more.code == "PARAM_ERROR"
    less = await merchant.post(f"{PATH}/U1/modify", over(merchant, 400, reason="算错"))
    assert (less.json["state"], less.json["total_amount"]) == ("DONE", 400)
    assert (await person.get("/v1/balance"))["balance"] == 100


async def test_a_service_is_called_off_before_it_is_over(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 500)
    await merchant.post(PATH, service(merchant))
    await sign(hall, person)

    for _ in range(2):
        assert (await merchant.post(f"{PATH}/U1/cancel", which(merchant, reason="坏了"))).status == 200
    assert (await asked(merchant))["state"] == "REVOKED"
    assert (await complete(merchant, 1)).code == "INVALID_REQUEST"
    assert (await person.get("/v1/balance"))["balance"] == 500


async def test_a_service_called_off_is_agreed_to_by_nobody(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 500)
    await merchant.post(PATH, service(merchant))
    await merchant.post(f"{PATH}/U1/cancel", which(merchant, reason="坏了"))

    with pytest.raises(Exception, match="AGREEMENT_ENDED"):
        await sign(hall, person)


async def test_a_service_paid_for_elsewhere_or_free_is_done(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 500)
    await merchant.post(PATH, service(merchant))
    await sign(hall, person)
    await complete(merchant, 1_280)
    sync = which(merchant, type="Order_Paid", detail={"paid_time": "20260101090000"})

    wrong = await merchant.post(f"{PATH}/U1/sync", sync | {"detail": {"paid_time": "tomorrow"}})
    done = await merchant.post(f"{PATH}/U1/sync", sync)

    assert wrong.code == "PARAM_ERROR"
    assert (done.json["state"], done.json["collection"]["details"][0]["paid_type"]) == ("DONE", "MCH")
    assert (await merchant.post(f"{PATH}/U1/pay", which(merchant))).code == "INVALID_REQUEST"
    assert (await person.get("/v1/balance"))["balance"] == 500
    await merchant.post(PATH, service(merchant, out_order_no="U2"))
    offered = hall.gateways.agreements.all.everything()[-1]
    assert offered.number == "U2"


async def test_what_is_no_service_order_is_refused(hall: Hall) -> None:
    merchant = Merchant(hall)
    table: list[tuple[str, dict[str, Any], int, str]] = [
        (PATH, service(merchant, risk_fund={"name": "OTHER", "amount": 1}), 400, "PARAM_ERROR"),
        (PATH, service(merchant, risk_fund={"name": "DEPOSIT", "amount": 0}), 400, "PARAM_ERROR"),
        (PATH, service(merchant, time_range={}), 400, "PARAM_ERROR"),
        (PATH, service(merchant, notify_url="x"), 400, "PARAM_ERROR"),
        (PATH, service(merchant, appid="wx1"), 400, "APPID_MCHID_NOT_MATCH"),
        (f"{PATH}/U1/complete", over(merchant, 1, total_amount=2), 400, "PARAM_ERROR"),
        (f"{PATH}/U1/complete", over(merchant, 1), 404, "RESOURCE_NOT_EXISTS"),
        (f"{PATH}/U1/cancel", which(merchant, reason="x"), 404, "RESOURCE_NOT_EXISTS"),
        (f"{PATH}/U1/pay", which(merchant), 404, "RESOURCE_NOT_EXISTS"),
    ]
    for path, body, status, code in table:
        answer = await merchant.post(path, body)
        assert (answer.status, answer.code) == (status, code), body


async def test_a_service_is_paid_for_once_however_many_ask_at_once(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 10_000)
    await merchant.post(PATH, service(merchant))
    await sign(hall, person)
    pay = f"{PATH}/U1/pay"

    calls = [complete(merchant, 1_280), complete(merchant, 1_280), merchant.post(pay, which(merchant))]
    await asyncio.gather(*calls, *(merchant.post(pay, which(merchant)) for _ in range(3)))

    assert (await asked(merchant))["state"] == "DONE"
    assert (await person.get("/v1/balance"))["balance"] == 8_720


async def test_a_permission_spares_the_confirmation_until_it_is_taken_back(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 10_000)
    openid = hall.gateways.orders.payers.openid(merchant.appid, f"/{user_id(person):032x}")
    unconfirmed = service(merchant, need_user_confirm=False, openid=openid)
    assert (await merchant.post(PATH, unconfirmed)).code == "NO_AUTH"
    assert (await merchant.post(PATH, service(merchant, need_user_confirm=False))).code == "PARAM_ERROR"

    permissions = "/v3/payscore/permissions"
    asked_for = {
        "service_id": SERVICE,
        "appid": merchant.appid,
        "authorization_code": "A1",
        "notify_url": "https://shop.example/permitted",
    }
    applied = await merchant.post(permissions, asked_for)
    assert applied.json["apply_permissions_token"].startswith("agr_")
    by_code = f"{permissions}/authorization-code/A1?service_id={SERVICE}"
    assert (await merchant.get(by_code)).json["authorization_state"] == "UNAVAILABLE"
    await sign(hall, person)
    told = (await merchant.get(by_code)).json
    assert (told["authorization_state"], told["openid"]) == ("AVAILABLE", openid)
    by_person = f"{permissions}/openid/{openid}"
    assert (await merchant.get(f"{by_person}?service_id={SERVICE}&appid={merchant.appid}")).json == told

    for number in ("U1", "U2"):
        made = await merchant.post(PATH, unconfirmed | {"out_order_no": number})
        assert (made.status, made.json["state"], "package" in made.json) == (200, "DOING", False)
        done = await merchant.post(f"{PATH}/{number}/complete", over(merchant, 1_280))
        assert done.json["state"] == "DONE"
    assert (await person.get("/v1/balance"))["balance"] == 10_000 - 2_560
    third = await merchant.post(PATH, unconfirmed | {"out_order_no": "U3"})
    assert third.status == 200

    ended = await merchant.post(f"{by_person}/terminate", which(merchant, reason="不再使用"))
    assert ended.status == 204
    assert (await merchant.get(by_code)).json["authorization_state"] == "UNAVAILABLE"
    assert (await merchant.post(PATH, unconfirmed | {"out_order_no": "U4"})).code == "NO_AUTH"
    owed = await merchant.post(f"{PATH}/U3/complete", over(merchant, 1_280))
    assert (owed.json["state"], owed.json["state_description"]) == ("DOING", "MCH_COMPLETE"), "the consent is over"
    assert (await person.get("/v1/balance"))["balance"] == 10_000 - 2_560
    heard = [(event, resource) for event, resource in await events(hall, merchant) if event != "PAYSCORE.USER_PAID"]
    assert [event for event, _ in heard] == ["PAYSCORE.USER_OPEN_SERVICE", "PAYSCORE.USER_CLOSE_SERVICE"]
    assert heard[0][1] == {
        "appid": merchant.appid,
        "mchid": merchant.mchid,
        "service_id": SERVICE,
        "authorization_code": "A1",
        "openid": openid,
        "user_service_status": "USER_OPEN_SERVICE",
        "openorclose_time": "20260101080000",
    }
    of_app = f"service_id={SERVICE}&appid={merchant.appid}"
    assert (await merchant.get(f"{by_person}?service_id={SERVICE}")).code == "PARAM_ERROR", "whose openid is it?"
    for path in (f"{permissions}/authorization-code/A2?service_id={SERVICE}", f"{by_person}x?{of_app}"):
        assert (await merchant.get(path)).code == "RESOURCE_NOT_EXISTS"
