"""A person agrees for a plate; car parks take what it owes: wechatpay-alipay specification, section 15.2."""

import json
from typing import Any

import pytest

from hutong.gateways.parking.plate import read_plate
from hutong.kernel.ids import id_text
from hutong.runtime.shelf import decided
from tests.gateways.alipay.conftest import Payer, another
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.alipay.test_deducting import news
from tests.gateways.hall import Hall, user_id
from tests.institution.payments.test_http import Phone

pytestmark = pytest.mark.asyncio(loop_scope="module")
PARKING = "alipay.eco.mycar.parking."


async def agreed(hall: Hall, person: Phone, number: str) -> None:
    agreement = await hall.gateways.parking.offer(read_plate(number, "BLUE"))
    token = await person.token(id_text("pay", agreement.id), agreement.day_max, agreement.creditor)
    agreements = hall.gateways.agreements
    await decided(hall.jing.node.journal, lambda: agreements.sign(user_id(person), agreement.id, token))


def owes(car: str, number: str, fee: str = "12.80", **more: str) -> dict[str, Any]:
    return {
        "car_number": car,
        "out_trade_no": number,
        "subject": "停车费",
        "total_fee": fee,
        "parking_id": "PL1",
    } | more


async def test_a_car_comes_in_and_what_it_owes_is_taken_once(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    person, car = await payer(10_000), "粤B10001"
    asked = {"car_number": car, "parking_id": "PL1"}
    none = await merchant.ask(PARKING + "agreement.query", asked)
    assert (none["code"], none["agreement_status"]) == ("10000", "1")
    await agreed(hall, person, car)
    assert (await merchant.ask(PARKING + "agreement.query", asked))["agreement_status"] == "0"

    entry = asked | {"in_time": "2026-01-01 07:00:00", "out_serial_no": "S1"}
    came = await merchant.ask(PARKING + "enterinfo.sync", entry)
    assert (came["agreement_status"], came["current_time"]) == ("0", "2026-01-01 08:00:00")
    assert await merchant.ask(PARKING + "enterinfo.sync", entry) == came

    bill = owes(car, "K1", serial_no=came["serial_no"])
    taken = await merchant.ask(PARKING + "order.pay", bill, notify_url="https://park.example/told")
    assert (taken["code"], taken["total_fee"], taken["gmt_payment"]) == ("10000", "12.80", "2026-01-01 08:00:00")
    assert json.loads(taken["fund_bill_list"]) == [{"fund_channel": "ALIPAYACCOUNT", "amount": "12.80"}]
    again = await merchant.ask(PARKING + "order.pay", bill, notify_url="https://park.example/told")
    assert again == taken
    twice = await merchant.ask(PARKING + "order.pay", owes(car, "K2", serial_no=came["serial_no"]))
    assert twice["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"
    gone = await merchant.ask(PARKING + "exitinfo.sync", asked | {"serial_no": came["serial_no"]})
    assert gone == {"code": "10000", "msg": "Success"}
    assert (await person.get("/v1/balance"))["balance"] == 8_720
    trade = await merchant.ask("alipay.trade.query", {"out_trade_no": "K1"})
    assert (trade["trade_status"], trade["buyer_user_id"]) == ("TRADE_SUCCESS", taken["user_id"])
    refund = {"out_trade_no": "K1", "refund_amount": "2.80", "out_request_no": "R1"}
    assert (await merchant.ask("alipay.trade.refund", refund))["fund_change"] == "Y"
    assert (await person.get("/v1/balance"))["balance"] == 9_000
    told = await news(merchant)
    assert [each["trade_status"] for each in told] == ["TRADE_SUCCESS", "TRADE_SUCCESS"]


async def test_a_car_without_an_entry_pays_by_its_plate(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    person, car = await payer(1_000), "粤B10002"
    await agreed(hall, person, car)
    short = await merchant.ask(PARKING + "order.pay", owes(car, "L1", in_time="2026-01-01 07:00:00"))
    assert (short["code"], short["sub_code"]) == ("40004", "ACQ.BUYER_BALANCE_NOT_ENOUGH")
    asked = {"car_number": car, "parking_id": "PL1"}
    assert (await merchant.ask(PARKING + "agreement.query", asked))["agreement_status"] == "1", "it owes"
    less = owes(car, "L2", "9.00", in_time="2026-01-01 07:00:00")
    assert (await merchant.ask(PARKING + "order.pay", less))["code"] == "10000"
    assert (await merchant.ask(PARKING + "agreement.query", asked))["agreement_status"] == "0"
    assert (await person.get("/v1/balance"))["balance"] == 100


async def test_what_is_no_parking_is_refused(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    person, car = await payer(10_000), "粤B10003"
    _, other = await another(hall)
    entry = {"car_number": car, "parking_id": "PL1", "in_time": "2026-01-01 07:00:00"}
    serial_no = (await other.ask(PARKING + "enterinfo.sync", entry))["serial_no"]
    mine = (await merchant.ask(PARKING + "enterinfo.sync", entry))["serial_no"]
    table: list[tuple[str, dict[str, Any], str]] = [
        ("order.pay", owes(car, "M1"), "ACQ.AGREEMENT_NOT_EXIST"),
        ("order.pay", owes(car, "M1", serial_no=serial_no), "ACQ.INVALID_PARAMETER"),
        ("order.pay", owes(car, "M1", serial_no="x"), "ACQ.INVALID_PARAMETER"),
        ("order.pay", owes("粤B10009", "M1", serial_no=mine), "ACQ.INVALID_PARAMETER"),
        ("order.pay", owes("?", "M1"), "ACQ.INVALID_PARAMETER"),
        ("order.pay", owes(car, "M1", "0.00"), "ACQ.INVALID_PARAMETER"),
        ("order.pay", owes(car, "M1", seller_id="2088000000000000"), "ACQ.INVALID_RECEIVE_ACCOUNT"),
        ("enterinfo.sync", entry | {"in_time": "early"}, "INVALID_PARAMETER"),
        ("enterinfo.sync", entry | {"car_color": "PINK"}, "INVALID_PARAMETER"),
        ("exitinfo.sync", entry | {"serial_no": serial_no}, "INVALID_PARAMETER"),
        ("agreement.query", {}, "INVALID_PARAMETER"),
    ]
    for method, content, sub_code in table:
        said = await merchant.ask(PARKING + method, content)
        assert (said["code"], said["sub_code"]) == ("40004", sub_code), content
    assert (await person.get("/v1/balance"))["balance"] == 10_000
