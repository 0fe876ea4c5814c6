"""One consent for a plate is good at every car park here, also of a person whose wallet is elsewhere."""

import pytest

from hutong.gateways.account import Caller
from hutong.gateways.order import Dialect, OrderDraft, TradeState
from hutong.gateways.parking.entry import PRODUCT, Block, EntryDraft
from hutong.gateways.parking.parking_service import DAY_MAX
from hutong.gateways.parking.plate import read_plate
from tests.gateways.street import House, Street

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def park(house: House) -> Caller:
    account = await house.account(await house.merchant())
    return Caller(account, account)


def owed(number: str, amount: int) -> OrderDraft:
    return OrderDraft(
        out_trade_no=number, amount=amount, product=PRODUCT, description="停车", dialect=Dialect.WECHATPAY_V3
    )


async def test_a_person_agrees_over_http_for_all_car_parks(street: Street) -> None:
    house, person = street.wei, await street.wei.person()
    body = {"plate_number": "京A10001", "plate_color": "GREEN"}
    offered = await person.said("POST", "/v1/parking/plates", body)
    assert (offered["merchant_name"], offered["account_shown"]) == ("wei 停车 Parking", "京A10001 GREEN")
    assert (offered["day_max"], offered["state"]) == (DAY_MAX, "OFFERED")
    assert (await person.said("POST", "/v1/parking/plates", body)) == offered
    await person.sign(offered["agreement_id"])
    refused = await house.client.post("/v1/parking/plates", json=body, headers=person.headers)
    assert refused.json()["reason"] == "AGREEMENT_SIGNED"
    wrong = await house.client.post("/v1/parking/plates", json={"plate_number": "A1"}, headers=person.headers)
    assert (wrong.status_code, wrong.json()["reason"]) == (400, "PLATE_MALFORMED")

    plate = read_plate("京A10001", "GREEN")
    for number, caller in enumerate([await park(house), await park(house)]):
        entry = await house.gateways.parking.enter(caller, plate, EntryDraft(number="E", dialect="wechatpay-v3"))
        trade = await house.gateways.parking.take(caller, entry, plate, owed(f"T-{number}", 1_000))
        assert trade.state is TradeState.PAID
    assert await person.balance() == 1_000_000 - 2_000
    (listed,) = await person.said("GET", "/v1/agreements")
    await person.said("POST", f"/v1/agreements/{listed['agreement_id']}/end")
    assert (await house.gateways.parking.car(caller, plate)).block is Block.OUT_SERVICE


async def test_a_person_elsewhere_agrees_under_a_mandate(street: Street) -> None:
    house, person, plate = street.wei, await street.jing.person(), read_plate("京A10002", "BLUE")
    offered = await house.gateways.parking.offer(plate)
    granted = await person.said("POST", "/v1/mandates", {"grantee": "wei", "daily_max": 5_000, "name": "停车"})
    await house.said("POST", f"/v1/agreements/offers/{offered.creditor}/mandate", {"mandate": granted["text"]})

    caller = await park(house)
    entry = await house.gateways.parking.enter(caller, plate, EntryDraft(number="E", dialect="wechatpay-v3"))
    paid = await house.gateways.parking.take(caller, entry, plate, owed("T-1", 4_000))
    later = await house.gateways.parking.enter(caller, plate, EntryDraft(number="F", dialect="wechatpay-v3"))
    failed = await house.gateways.parking.take(caller, later, plate, owed("T-2", 4_000))

    assert (paid.state, failed.state) == (TradeState.PAID, TradeState.FAILED)
    assert await person.balance() == 1_000_000 - 4_000
    assert (await house.gateways.parking.car(caller, plate)).block is Block.OVERDUE
