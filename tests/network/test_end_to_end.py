"""Every kind of payment across a real network, through the REST API; afterwards the auditor finds nothing wrong."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from tests.network.audit import audit_when_quiet
from tests.network.load import Load
from tests.network.street import PIN, Street, comes_to, decided, new_id


@pytest.fixture(autouse=True)
def audited(street: Street) -> Iterator[None]:
    yield
    assert audit_when_quiet(street.database_url).wrong == []


@pytest.mark.parametrize("node", ["wei", "jing"])
def test_a_plate_is_paid_across_and_on_us(street: Street, node: str) -> None:
    payer, till = street.payer("jing", 10_000), street.till(node, fee_bps=60)
    payment = payer.pay(till.plate, 5_000)
    assert payment["state"] == "COMPLETED"
    comes_to(lambda: (payer.balance, till.balance), (5_000, 4_970))


@pytest.mark.parametrize("node", ["wei", "zhi"])
def test_a_dynamic_code_is_paid_once(street: Street, node: str) -> None:
    payer, other, till = street.payer("zhi", 3_000), street.payer("jing", 3_000), street.till(node)
    request = till.request(1_234)
    quote = other.quote(request["code"])
    assert payer.pay(request["code"], 1_234)["state"] == "COMPLETED"
    comes_to(lambda: till.get(f"/v1/payment-requests/{request['request_id']}")["state"], "PAID")
    refused = other.refused("/v1/payments", other.order(quote, 1_234))
    assert refused["reason"] == "REQUEST_ALREADY_PAID"
    assert other.balance == 3_000


@pytest.mark.parametrize("node", ["wei", "jing"])
def test_a_payment_code_is_charged(street: Street, node: str) -> None:
    payer, till = street.payer("jing", 3_000), street.till(node)
    assert till.charge(payer.payment_code(), 1_000)["state"] == "PAID"
    comes_to(lambda: payer.balance, 2_000)


def test_a_dear_charge_waits_for_the_pin(street: Street) -> None:
    payer, till = street.payer("zhi", 300_000, pin=True, tier="II"), street.till("wei")
    body = {"reference": new_id("r"), "amount": 120_000, "way": "PAYMENT_CODE", "payer_code": payer.payment_code()}
    assert till.post("/v1/charges", body)["state"] == "WAITING"
    (waiting,) = payer.get("/v1/requests-to-pay")
    token = payer.pin_token(waiting["payment_id"], 120_000, waiting["creditor"])
    path = f"/v1/requests-to-pay/{waiting['request_to_pay_id']}/approve"
    assert decided(lambda: payer.post(path, {"pin_token": token}))["state"] == "COMPLETED"
    assert decided(lambda: till.post("/v1/charges", body))["state"] == "PAID"
    assert payer.balance == 180_000


@pytest.mark.parametrize("node", ["wei", "jing"])
def test_a_personal_code_is_paid_without_a_fee(street: Street, node: str) -> None:
    payer, friend = street.payer("jing", 2_000), street.payer(node)
    code = friend.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": "火锅"})
    assert payer.pay(code["text"], 700)["state"] == "COMPLETED"
    comes_to(lambda: (payer.balance, friend.balance), (1_300, 700))


def test_money_comes_from_the_bank_and_goes_back(street: Street) -> None:
    saver, payer = street.payer("yun", 50_000), street.payer("jing", pin=True)
    mandate = saver.post("/v1/mandates", {"grantee": "jing", "daily_max": 40_000, "name": "钱包"})
    code = saver.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})
    linked = payer.post(
        "/v1/bank-accounts",
        {"bank_account_id": new_id("bka"), "name": "储蓄", "mandate": mandate["text"], "code": code["text"]},
    )
    top_up = {"top_up_id": new_id("top"), "bank_account_id": linked["bank_account_id"], "amount": 30_000}
    assert decided(lambda: payer.post("/v1/top-ups", top_up))["state"] == "PAID"
    comes_to(lambda: (saver.balance, payer.balance), (20_000, 30_000))
    body = {"payment_id": new_id("pay"), "bank_account_id": linked["bank_account_id"], "amount": 12_000}
    body["pin_token"] = payer.pin_token(body["payment_id"], 12_000, linked["creditor"], PIN)
    assert decided(lambda: payer.post("/v1/withdrawals", body))["state"] == "COMPLETED"
    comes_to(lambda: (saver.balance, payer.balance), (32_000, 18_000))


@pytest.mark.parametrize("node", ["wei", "jing"])
def test_refunds_come_back_in_parts_until_nothing_is_left(street: Street, node: str) -> None:
    payer, till = street.payer("jing", 5_000), street.till(node, fee_bps=60)
    payment = payer.pay(till.plate, 5_000)
    for part in (1_000, 333, 3_667):
        assert till.refund(payment["payment_id"], part)["state"] == "COMPLETED"
    comes_to(lambda: (payer.balance, till.balance), (5_000, 0))


def test_the_same_order_again_is_answered_alike_and_moves_nothing(street: Street) -> None:
    payer, till = street.payer("jing", 5_000), street.till("wei")
    order = payer.order(payer.quote(till.plate), 800)
    first = decided(lambda: payer.post("/v1/payments", order))
    assert [payer.post("/v1/payments", order) for _ in range(3)] == [first] * 3
    refund = {"refund_id": new_id("rfd"), "payment_id": first["payment_id"], "amount": 300}
    back = decided(lambda: till.post("/v1/refunds", refund))
    assert [till.post("/v1/refunds", refund) for _ in range(3)] == [back] * 3
    comes_to(lambda: payer.balance, 4_500)


def test_a_payment_that_is_rejected_moves_nothing(street: Street) -> None:
    payer, till = street.payer("jing", 100), street.till("wei")
    order = payer.order(payer.quote(till.plate), 101)
    refused = payer.refused("/v1/payments", order)
    assert (refused["reason"], refused["facts"]["state"]) == ("BALANCE_INSUFFICIENT", "REJECTED")
    street.pay_in(payer, 1_000)
    assert payer.refused("/v1/payments", order) == refused
    assert payer.balance == 1_100


async def test_a_participant_is_suspended_and_admitted_again_under_load(street: Street) -> None:
    """What was reserved before is decided; what comes behind is rejected by name; and nobody is left in between."""
    payers = await asyncio.to_thread(lambda: [street.payer(node, 1_000) for node in ("jing", "wei", "jing", "wei")])
    tills = await asyncio.to_thread(lambda: [street.till(node) for node in ("wei", "jing")])
    late = await asyncio.to_thread(street.payer, "jing", 1_000)
    load, switch = Load(payers, tills, seed=7), street.operator("switch")
    load.start()
    for round_ in range(1, 4):
        await happened(lambda: load.completed, 3 * round_)
        order = await asyncio.to_thread(lambda: late.order(late.quote(tills[0].plate), 5))
        await asyncio.to_thread(switch.post, "/v1/participants/wei/suspend")
        refused = await asyncio.to_thread(late.refused, "/v1/payments", order)
        assert (refused["reason"], refused["facts"]["state"]) == ("PARTICIPANT_SUSPENDED", "REJECTED")
        await asyncio.to_thread(switch.post, "/v1/participants/wei/resume")
        assert (await asyncio.to_thread(late.pay, tills[0].plate, 5))["state"] == "COMPLETED"
    await load.stop()
    await load.settle()
    found = await asyncio.to_thread(audit_when_quiet, street.database_url)
    assert load.compare(found) == []
    assert found.wrong == []


async def happened(count: Callable[[], int], times: int, within_s: float = 60) -> None:
    """Wait until something has happened so often: however slow the machine is."""
    ends_at = time.monotonic() + within_s
    while count() < times:
        assert time.monotonic() < ends_at, f"{count()} of {times}"
        await asyncio.sleep(0.02)
