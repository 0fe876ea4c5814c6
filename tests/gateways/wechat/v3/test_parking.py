"""Parking through the v3 wire: wechatpay-alipay specification, section 7.5."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from hutong.gateways.parking.plate import PlateColor, read_plate
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.runtime.shelf import decided, warmed
from tests.gateways.hall import Hall, user_id
from tests.gateways.wechat.v3.client import Answer, Merchant, neighbour
from tests.gateways.wechat.v3.test_papay import events
from tests.institution.payments.test_http import Phone

PLATE = {"plate_number": "粤B88888", "plate_color": "BLUE"}
ENTER, TAKE = "/v3/vehicle/parking/parkings", "/v3/vehicle/transactions/parking"


def entry(number: str = "P1", **more: Any) -> dict[str, Any]:
    return (
        {
            "out_parking_no": number,
            "notify_url": "https://park.example/told",
            "start_time": "2026-01-01T07:00:00+08:00",
            "parking_name": "鼓楼停车场",
            "free_duration": 900,
        }
        | PLATE
        | more
    )


def take(merchant: Merchant, parking_id: str, number: str = "T20261122001", total: int = 1_280, **more: Any) -> Any:
    parked = {
        "parking_id": parking_id,
        "start_time": "2026-01-01T07:00:00+08:00",
        "end_time": "2026-01-01T08:00:00+08:00",
        "parking_name": "鼓楼停车场",
        "charging_duration": 3600,
        "device_id": "gate-1",
    } | PLATE
    return {
        "appid": merchant.appid,
        "description": "停车费",
        "attach": "东门",
        "out_trade_no": number,
        "trade_scene": "PARKING",
        "notify_url": "https://park.example/paid",
        "amount": {"total": total, "currency": "CNY"},
        "parking_info": parked | more,
    }


async def agree(hall: Hall, person: Phone) -> str:
    """The person agrees for the plate; answers the agreement's id."""
    agreement = await hall.gateways.parking.offer(read_plate(PLATE["plate_number"], PLATE["plate_color"]))
    token = await person.token(id_text("pay", agreement.id), agreement.day_max, agreement.creditor)
    agreements, journal = hall.gateways.agreements, hall.jing.node.journal
    await decided(journal, lambda: agreements.sign(user_id(person), agreement.id, token))
    return agreement.creditor


async def leave(hall: Hall, person: Phone) -> None:
    agreements = hall.gateways.agreements
    mine = await warmed(hall.jing.node.journal, lambda: agreements.signed_by(user_id(person)))
    await decided(hall.jing.node.journal, lambda: agreements.leave(user_id(person), mine[-1].id))


async def found(hall: Hall, merchant: Merchant, person: Phone) -> dict[str, Any]:
    openid = hall.gateways.orders.payers.openid(merchant.appid, f"/{user_id(person):032x}")
    plate = f"plate_number={quote(PLATE['plate_number'])}&plate_color=BLUE"
    answer = await merchant.get(f"/v3/vehicle/parking/services/find?appid={merchant.appid}&{plate}&openid={openid}")
    assert answer.status == 200, answer.json
    return answer.json


async def asked(merchant: Merchant, number: str = "T20261122001") -> Answer:
    return await merchant.get(f"/v3/vehicle/transactions/out-trade-no/{number}")


async def test_a_car_comes_in_goes_out_and_its_parking_is_taken_once(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 10_000)
    assert (await found(hall, merchant, person))["service_state"] == "OUT_SERVICE"
    await agree(hall, person)
    service = await found(hall, merchant, person)
    assert (service["service_state"], service["service_open_time"]) == ("NORMAL", "2026-01-01T08:00:00+08:00")
    stranger = await hall.jing.user("+8613800138001", 0)
    assert (await found(hall, merchant, stranger))["service_state"] == "OUT_SERVICE", "it is another's car"

    for _ in range(2):
        came = await merchant.post(ENTER, entry())
        assert (came.status, came.json["state"], came.json["plate_number"]) == (200, "NORMAL", "粤B88888")
    assert (await merchant.post(ENTER, entry(free_duration=0))).code == "INVALID_REQUEST"
    parking_id = came.json["id"]
    for _ in range(2):
        taken = await merchant.post(TAKE, take(merchant, parking_id))
        assert (taken.status, taken.json["trade_state"]) == (200, "SUCCESS")
    assert (await person.get("/v1/balance"))["balance"] == 8_720
    paid = (await asked(merchant)).json
    assert paid == taken.json
    assert paid == {
        "sp_mchid": merchant.mchid,
        "appid": merchant.appid,
        "description": "停车费",
        "create_time": "2026-01-01T08:00:00+08:00",
        "out_trade_no": "T20261122001",
        "trade_state": "SUCCESS",
        "trade_state_description": "支付成功",
        "trade_scene": "PARKING",
        "parking_info": take(merchant, parking_id)["parking_info"],
        "payer": {"openid": service["openid"]},
        "amount": {"total": 1_280, "currency": "CNY", "payer_total": 1_280, "discount_total": 0},
        "attach": "东门",
        "transaction_id": paid["transaction_id"],
        "success_time": "2026-01-01T08:00:00+08:00",
        "bank_type": "OTHERS",
        "user_repaid": "N",
    }
    again = await merchant.post(TAKE, take(merchant, parking_id, "T20261122002"))
    assert (again.code, (await person.get("/v1/balance"))["balance"]) == ("ORDERPAID", 8_720)
    refund = {
        "out_trade_no": "T20261122001",
        "out_refund_no": "R1",
        "amount": {"refund": 280, "total": 1_280, "currency": "CNY"},
    }
    assert (await merchant.post("/v3/refund/domestic/refunds", refund)).status == 200
    assert (await asked(merchant)).json["trade_state"] == "REFUND"
    assert [event for event, _ in await events(hall, merchant)] == ["TRANSACTION.SUCCESS"]
    assert (await events(hall, merchant))[0][1] == paid, "the payment is told, whatever was given back since"


async def test_who_is_in_hears_when_the_consent_ends_and_begins_again(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 10_000)
    await agree(hall, person)
    parking_id = (await merchant.post(ENTER, entry())).json["id"]

    await leave(hall, person)
    refused = await merchant.post(TAKE, take(merchant, parking_id))
    blocked = (await merchant.post(ENTER, entry())).json
    (told,) = await events(hall, merchant)
    await agree(hall, person)
    taken = await merchant.post(TAKE, take(merchant, parking_id))

    assert (refused.status, refused.code) == (400, "INVALID_REQUEST")
    assert (blocked["state"], blocked["block_reason"]) == ("BLOCKED", "OUT_SERVICE")
    assert told == (
        "VEHICLE.ENTRANCE_STATE_CHANGE",
        {
            "sp_mchid": merchant.mchid,
            "parking_id": parking_id,
            "out_parking_no": "P1",
            "plate_number": "粤B88888",
            "plate_color": "BLUE",
            "start_time": "2026-01-01T07:00:00+08:00",
            "parking_name": "鼓楼停车场",
            "free_duration": 900,
            "parking_state": "BLOCKED",
            "blocked_state_description": "用户未开通或已关闭车主服务",
            "state_update_time": "2026-01-01T08:00:00+08:00",
        },
    )
    assert taken.json["trade_state"] == "SUCCESS"
    assert [event for event, _ in await events(hall, merchant)][1:] == [
        "VEHICLE.ENTRANCE_STATE_CHANGE",
        "TRANSACTION.SUCCESS",
    ]


async def test_what_cannot_be_taken_is_owed_at_that_merchants_until_it_is(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 1_000)
    other = Merchant(hall, await neighbour(hall))
    await agree(hall, person)
    first = (await merchant.post(ENTER, entry())).json["id"]

    failed = await merchant.post(TAKE, take(merchant, first))
    second = (await merchant.post(ENTER, entry("P2"))).json
    elsewhere = (await other.post(ENTER, entry("P3"))).json
    less = await merchant.post(TAKE, take(merchant, first, "T20261122002", 900))

    assert failed.json["trade_state"] == "PAY_FAIL"
    assert (second["state"], second["block_reason"]) == ("BLOCKED", "OVERDUE")
    assert elsewhere["state"] == "NORMAL", "another merchant is owed nothing"
    assert less.json["trade_state"] == "SUCCESS"
    assert (await found(hall, merchant, person))["service_state"] == "NORMAL"
    told = [(event, resource.get("parking_state")) for event, resource in await events(hall, merchant)]
    assert told == [
        ("TRANSACTION.FAIL", None),
        ("VEHICLE.ENTRANCE_STATE_CHANGE", "NORMAL"),  # Told as it stands when it is told.
        ("TRANSACTION.SUCCESS", None),
    ]


async def test_an_entry_is_paid_once_however_many_ask_at_once(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 10_000)
    await agree(hall, person)
    parking_id = (await merchant.post(ENTER, entry())).json["id"]

    numbers = [f"T2026112200{number}" for number in (1, 1, 2, 3, 4)]
    answers = await asyncio.gather(*(merchant.post(TAKE, take(merchant, parking_id, each)) for each in numbers))

    assert sum(answer.status == 200 for answer in answers) == 2
    assert (await person.get("/v1/balance"))["balance"] == 8_720


async def test_a_service_provider_takes_for_its_merchant(hall: Hall) -> None:
    provider, person = Merchant(hall), await hall.jing.user("+8613800138000", 5_000)
    merchant = await neighbour(hall, provider.mchid)
    await agree(hall, person)
    sub = {"sub_mchid": merchant.row.number}
    parking_id = (await provider.post(ENTER, entry() | sub)).json["id"]

    more = sub | {"sub_appid": merchant.facts.appids[0], "profit_sharing": "N"}
    taken = await provider.post(TAKE, take(provider, parking_id) | more)

    assert (taken.json["sub_mchid"], taken.json["sp_mchid"]) == (merchant.row.number, provider.mchid)
    assert len(taken.json["payer"]["sub_openid"]) == 28
    assert (await asked(provider)).code == "ORDER_NOT_EXIST", "it is its merchant's"
    assert (await asked(provider, f"T20261122001?sub_mchid={merchant.row.number}")).json == taken.json


async def test_what_is_no_parking_is_refused(hall: Hall) -> None:
    merchant, other = Merchant(hall), Merchant(hall, await neighbour(hall))
    parking_id = (await merchant.post(ENTER, entry())).json["id"]
    theirs = (await other.post(ENTER, entry())).json["id"]
    gold = take(merchant, parking_id) | {"trade_scene": "GAS"}
    table: list[tuple[str, dict[str, Any], int, str]] = [
        (ENTER, entry("P2", plate_number="ABC"), 400, "PARAM_ERROR"),
        (ENTER, entry("P2", plate_color="PINK"), 400, "PARAM_ERROR"),
        (ENTER, entry("P2", start_time="yesterday"), 400, "PARAM_ERROR"),
        (ENTER, entry("P2", notify_url="x"), 400, "PARAM_ERROR"),
        (ENTER, entry("P2", sub_mchid="1900000000"), 400, "MCH_NOT_EXISTS"),
        (ENTER, entry("P2", sub_mchid=other.mchid), 403, "NO_AUTH"),
        (TAKE, gold, 400, "PARAM_ERROR"),
        (TAKE, take(merchant, parking_id, total=0), 400, "PARAM_ERROR"),
        (TAKE, take(merchant, parking_id) | {"appid": "wx1"}, 400, "APPID_MCHID_NOT_MATCH"),
        (TAKE, take(merchant, parking_id, end_time="soon"), 400, "PARAM_ERROR"),
        (TAKE, take(merchant, "0" * 32), 404, "RESOURCE_NOT_EXISTS"),
        (TAKE, take(merchant, "x"), 404, "RESOURCE_NOT_EXISTS"),
        (TAKE, take(merchant, theirs), 404, "RESOURCE_NOT_EXISTS"),
        (TAKE, take(merchant, parking_id, plate_number="粤B99999"), 400, "INVALID_REQUEST"),
        (TAKE, take(merchant, parking_id), 400, "INVALID_REQUEST"),  # Nobody agreed.
    ]
    for path, body, status, code in table:
        answer = await merchant.post(path, body)
        assert (answer.status, answer.code) == (status, code), body
    assert (await asked(merchant, "nobody")).code == "ORDER_NOT_EXIST"
    await merchant.post("/v3/pay/transactions/native", merchant.order("T20261122009"))
    assert (await asked(merchant, "T20261122009")).code == "ORDER_NOT_EXIST", "it is no parking"


@pytest.mark.parametrize("text", ["粤B88888", "粤b·88888", " 粤Ｂ88888 ", "京AD12345", "粤Z1234港", "沪A1234学"])
def test_a_plate_is_read_as_people_write_it(text: str) -> None:
    assert read_plate(text, "blue").color is PlateColor.BLUE


@pytest.mark.parametrize("text", ["", "B88888", "粤88888", "粤B888", "粤B8888888", "粤B8888港港", "粤B88-88"])
def test_what_is_no_plate_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="PLATE_MALFORMED"):
        read_plate(text, "BLUE")
