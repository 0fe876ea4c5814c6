"""What a merchant sees of its notifications: each its own, whole, and once more when it asks."""

import json
from collections.abc import AsyncIterator

import pytest

from tests.gateways.hall import order
from tests.gateways.merchant_server import OPERATOR, TellingHall, telling_hall
from tests.gateways.wechat.v3.client import Merchant

PHONE = "+8613800138000"
LIST = "/v1/gateway-notifications"


@pytest.fixture
async def telling() -> AsyncIterator[TellingHall]:
    async with telling_hall(sandbox=True) as found:
        yield found


async def paid(telling: TellingHall, *numbers: str) -> None:
    """Somebody pays orders whose news go to the merchant's server."""
    hall = telling.hall
    payer = await hall.jing.user(PHONE, 100_000)
    for number in numbers or ("T1",):
        draft = order(number, notify_url=telling.receiver.url, facts={"appid": hall.wechat.facts.appids[0]})
        trade = await hall.gateways.orders.place(hall.caller(), draft)
        await hall.pay(payer, hall.gateways.orders.code_url(trade))


async def test_a_merchant_sees_what_it_was_told_and_what_it_said(telling: TellingHall) -> None:
    telling.receiver.answers.append("500")
    await paid(telling)
    await telling.calls(1)
    number = telling.hall.wechat.row.number
    page = await telling.ask("GET", f"{LIST}?number={number}")
    (found,) = page["notifications"]
    assert (found["about"], found["kind"], found["state"], found["plain"]) == ("T1", "PAID", "WAITING", "")
    assert [(each["status"], each["answer"]) for each in found["tries"]] == [(500, "ok")]
    assert found["next_at_ms"] == found["tries"][0]["at_ms"] + 15_000
    telling.later(15)
    await telling.calls(2)
    whole = await telling.ask("GET", f"{LIST}/{found['id']}")
    assert whole["state"] == "TAKEN"
    assert json.loads(whole["plain"])["event_type"] == "TRANSACTION.SUCCESS"
    for call, each in zip(telling.receiver.calls, whole["tries"], strict=True):
        assert each["body"].encode() == call.body
        Merchant(telling.hall).verify(each["headers"], call.body)


async def test_a_merchant_has_it_sent_again(telling: TellingHall) -> None:
    await paid(telling)
    await telling.calls(1)
    (found,) = (await telling.ask("GET", f"{LIST}?number={telling.hall.wechat.row.number}"))["notifications"]
    again = await telling.ask("POST", f"{LIST}/{found['id']}/resend")
    assert [each["cause"] for each in again["tries"]] == ["SCHEDULE", "HAND"]
    first, second = telling.receiver.calls
    assert json.loads(first.body)["id"] == json.loads(second.body)["id"]
    assert json.loads(first.body)["resource"]["nonce"] != json.loads(second.body)["resource"]["nonce"]


async def test_pages_go_back_to_the_first(telling: TellingHall) -> None:
    await paid(telling, *(f"T{number}" for number in range(5)))
    await telling.calls(5)
    path, seen, before = f"{LIST}?number={telling.hall.wechat.row.number}&limit=2", [], 0
    while True:
        page = await telling.ask("GET", path + (f"&before={before}" if before else ""))
        seen += [each["about"] for each in page["notifications"]]
        before = page["before"]
        if not before:
            break
    assert seen == ["T4", "T3", "T2", "T1", "T0"]


async def test_nobody_else_sees_or_sends_it_but_an_operator(telling: TellingHall) -> None:
    await paid(telling)
    await telling.calls(1)
    number = telling.hall.wechat.row.number
    other = await telling.stranger()
    (found,) = (await telling.ask("GET", f"/v1/operator/gateway-notifications?number={number}", who=OPERATOR))[
        "notifications"
    ]
    for method, path, reason in (
        ("GET", f"{LIST}?number={number}", "ACCOUNT_UNKNOWN"),
        ("GET", f"{LIST}/{found['id']}", "NOTIFICATION_UNKNOWN"),
        ("POST", f"{LIST}/{found['id']}/resend", "NOTIFICATION_UNKNOWN"),
    ):
        said = await telling.ask(method, path, 404, who=other)
        assert said["reason"] == reason
    for path in (f"{LIST}?number={number}", f"/v1/operator/gateway-notifications?number={number}"):
        assert (await telling.api.get(path)).status_code in {401, 403}
    await telling.ask("POST", f"/v1/operator/gateway-notifications/{found['id']}/resend", who=OPERATOR)
    assert len(telling.receiver.calls) == 2
