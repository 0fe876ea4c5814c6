"""People over HTTP, as a phone, a stranger and an operator meet them."""

import base64
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from hutong.codes.payment_code import PaymentCodeGenerator
from hutong.institution.people.api import people_api
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.user import User
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.http_app import make_app

PHONE = "+8613800138000"
PIN = "483915"
OPERATOR = {"authorization": "Bearer op_a-long-token"}


@pytest.fixture
async def balances() -> dict[int, int]:
    return {}


@pytest.fixture
async def client(town: Any, balances: dict[int, int]) -> AsyncIterator[httpx.AsyncClient]:
    async def balance_of(user: User) -> int:
        return balances.get(user.id, 0)

    app = make_app(people_api(town.people._node, town.people, balance_of), title="jing", version="1")
    transport = httpx.ASGITransport(cast("Any", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://jing") as client:
        yield client


async def said(client: httpx.AsyncClient, method: str, path: str, status: int, body: Any = None, **more: Any) -> Any:
    response = await client.request(method, path, json=body, **more)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def registered(client: httpx.AsyncClient, town: Any, phone: str = PHONE) -> dict[str, Any]:
    await said(client, "POST", "/v1/users/codes", 202, {"phone": phone})
    body = {
        "phone": phone,
        "name": "王小明",
        "code": town.telephones.codes[phone, Purpose.SIGN_IN],
        "registration_id": "r-1",
        "device_id": id_text("dev", town.mint.mint()),
        "device_name": "phone",
    }
    told: dict[str, Any] = await said(client, "POST", "/v1/users", 201, body)
    return told


def bearer(told: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {told['token']}"}


async def test_a_phone_registers_sets_a_pin_and_gets_what_it_pays_with(client: httpx.AsyncClient, town: Any) -> None:
    told = await registered(client, town)
    assert told["user"] | {"id": ""} == {
        "id": "",
        "phone": "+86138****8000",
        "name": "王小明",
        "tier": 1,
        "evidence": "PHONE",
        "frozen_by_operator": False,
        "frozen_by_user": False,
        "closed": False,
    }
    client.headers.update(bearer(told))
    assert await said(client, "GET", "/v1/users/me", 200) == told["user"]
    weak = await said(client, "PUT", "/v1/pin", 400, {"pin": "123456"})
    assert (weak["reason"], weak["facts"]) == ("PIN_WEAK", {"weakness": "runs"})
    await said(client, "PUT", "/v1/pin", 204, {"pin": PIN})
    payment_id = town.mint.mint()
    asked = {"pin": PIN, "payment_id": id_text("pay", payment_id), "amount": 1200, "creditor": "面馆"}
    token = await said(client, "POST", "/v1/pin/tokens", 201, asked)
    user_id = parse_id("usr", told["user"]["id"])
    town.people.check_pin_token(token["token"], user_id, payment_id, 1200, "面馆", town.clock.now_ns())
    assert token["expires_in_s"] == 120
    keys = await said(client, "GET", "/v1/payment-codes/keys", 200)
    code = PaymentCodeGenerator(keys["head_today"], base64.b64decode(keys["seed"])).generate(town.clock.now_ns())
    holder = await town.ask(lambda: town.people.claim_payment_code(code, 256, "wei"))
    assert holder.user_id == user_id


async def test_the_pin_opens_a_phone_that_is_known_and_no_other(client: httpx.AsyncClient, town: Any) -> None:
    token = await registered(client, town)
    client.headers.update(bearer(token))
    await said(client, "PUT", "/v1/pin", 204, {"pin": PIN})
    device_id = (await said(client, "GET", "/v1/devices", 200))[0]["id"]
    body = {"phone": PHONE, "pin": PIN, "device_id": device_id, "device_name": "phone"}
    signed_in = await said(client, "POST", "/v1/sessions", 201, body)
    assert signed_in["device_id"] == device_id
    other = body | {"device_id": id_text("dev", town.mint.mint())}
    assert (await said(client, "POST", "/v1/sessions", 422, other))["reason"] == "ONE_TIME_CODE_NEEDED"


async def test_a_wrong_pin_says_how_many_tries_are_left(client: httpx.AsyncClient, town: Any) -> None:
    client.headers.update(bearer(await registered(client, town)))
    await said(client, "PUT", "/v1/pin", 204, {"pin": PIN})
    wrong = {"pin": "759204", "new_pin": "864209"}
    for left in (4, 3, 2, 1, 0):
        no = await said(client, "POST", "/v1/pin/change", 422, wrong)
        assert (no["reason"], no["facts"]) == ("PIN_WRONG", {"tries_left": left})
    no = await said(client, "POST", "/v1/pin/change", 429, wrong)
    assert (no["reason"], no["facts"]) == ("PIN_LOCKED", {"retry_after_s": 900})
    await said(client, "POST", "/v1/users/codes", 202, {"phone": PHONE, "purpose": "PIN_RESET"})
    code = town.telephones.codes[PHONE, Purpose.PIN_RESET]
    await said(client, "POST", "/v1/pin/reset", 204, {"code": code, "new_pin": "864209"})
    await said(client, "POST", "/v1/pin/change", 204, {"pin": "864209", "new_pin": PIN})


async def test_every_door_but_three_asks_who_is_there(client: httpx.AsyncClient, town: Any) -> None:
    told = await registered(client, town)
    paths = (await said(client, "GET", "/docs/openapi.json", 200))["paths"]
    open_to_all = {"/v1/users", "/v1/users/codes", "/v1/sessions"}
    asked = [
        (method, path)
        for path, item in paths.items()
        for method in item
        if path.startswith("/v1/") and path not in open_to_all
    ]
    assert len(asked) == 24
    for method, path in asked:
        for headers, reason, status in (
            ({}, "TOKEN_MISSING", 401),
            ({"authorization": "Bearer ses_made-up"}, "SESSION_UNKNOWN", 401),
            (bearer(told), "OPERATOR_UNKNOWN", 401),
        ):
            if (reason == "OPERATOR_UNKNOWN") != ("/operator/" in path) and reason != "TOKEN_MISSING":
                continue
            spelled = path.replace("{", "").replace("}", "")
            no = await said(client, method, spelled, status, {"x": 1}, headers=headers, params={"phone": PHONE})
            assert no["reason"] == reason, (method, path)


async def test_an_operator_freezes_and_raises_tiers_by_name(client: httpx.AsyncClient, town: Any) -> None:
    told = await registered(client, town)
    user = f"/v1/operator/users/{told['user']['id']}"
    client.headers.update(OPERATOR)
    found = await said(client, "GET", "/v1/operator/users", 200, params={"phone": "13800138000"})
    assert (found["id"], found["phone"]) == (told["user"]["id"], PHONE)
    frozen = await said(client, "POST", f"{user}/freeze", 200, {"why": "reported"})
    assert (frozen["frozen_by_operator"], frozen["why"]) == (True, "reported (duty)")
    no = await said(client, "POST", "/v1/users/me/close", 422, {"pin": PIN}, headers=bearer(told))
    assert no["reason"] == "PIN_NOT_SET"
    await said(client, "POST", f"{user}/unfreeze", 200, {"why": "cleared up"})
    raised = await said(
        client, "POST", f"{user}/tier", 200, {"tier": "III", "evidence": "FACE_TO_FACE", "name": "王晓明"}
    )
    assert (raised["tier"], raised["name"]) == (3, "王晓明")
    (device,) = await said(client, "GET", f"{user}/devices", 200)
    lost = await said(client, "POST", f"{user}/devices/{device['id']}/lost", 200)
    assert lost["state"] == "LOST"
    no = await said(client, "GET", "/v1/users/me", 401, headers=bearer(told))
    assert no["reason"] == "SESSION_UNKNOWN"


async def test_a_wallet_is_closed_when_it_is_empty(
    client: httpx.AsyncClient, town: Any, balances: dict[int, int]
) -> None:
    told = await registered(client, town)
    client.headers.update(bearer(told))
    await said(client, "PUT", "/v1/pin", 204, {"pin": PIN})
    user_id = parse_id("usr", told["user"]["id"])
    balances[user_id] = 1
    no = await said(client, "POST", "/v1/users/me/close", 422, {"pin": PIN})
    assert (no["reason"], no["facts"]) == ("BALANCE_NOT_ZERO", {"balance": 1})
    balances[user_id] = 0
    closed = await said(client, "POST", "/v1/users/me/close", 200, {"pin": PIN})
    assert closed["closed"]
    assert (await said(client, "GET", "/v1/users/me", 401))["reason"] == "SESSION_UNKNOWN"


async def test_a_user_freezes_and_lifts_it_with_the_pin(client: httpx.AsyncClient, town: Any) -> None:
    client.headers.update(bearer(await registered(client, town)))
    await said(client, "PUT", "/v1/pin", 204, {"pin": PIN})
    assert (await said(client, "POST", "/v1/users/me/freeze", 200, {"why": "lost"}))["frozen_by_user"]
    asked = {"pin": PIN, "payment_id": id_text("pay", 256), "amount": 1, "creditor": "x"}
    assert (await said(client, "POST", "/v1/pin/tokens", 422, asked))["reason"] == "USER_FROZEN"
    no = await said(client, "POST", "/v1/users/me/unfreeze", 422, {"why": "found", "pin": "759204"})
    assert no["reason"] == "PIN_WRONG"
    lifted = await said(client, "POST", "/v1/users/me/unfreeze", 200, {"why": "found", "pin": PIN})
    assert not lifted["frozen_by_user"]


async def test_personal_codes_and_devices_are_listed_and_ended(client: httpx.AsyncClient, town: Any) -> None:
    first = await registered(client, town)
    client.headers.update(bearer(first))
    body = {"id": id_text("pco", 256), "amount": 1200, "remark": "AA 火锅"}
    made = await said(client, "POST", "/v1/personal-codes", 201, body)
    assert made["text"].startswith("https://jing.example/q/P")
    assert await said(client, "POST", "/v1/personal-codes", 201, body) == made
    conflict = await said(client, "POST", "/v1/personal-codes", 409, body | {"amount": 1})
    assert conflict["facts"] == {"field": "amount"}
    ended = await said(client, "POST", f"/v1/personal-codes/{body['id']}/deactivate", 200)
    assert await said(client, "GET", "/v1/personal-codes", 200) == [ended] == [made | {"active": False}]
    (device,) = await said(client, "GET", "/v1/devices", 200)
    assert device["is_this"]
    await said(client, "DELETE", "/v1/sessions/current", 204)
    assert (await said(client, "GET", "/v1/devices", 401))["reason"] == "SESSION_UNKNOWN"


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        ({"phone": "138"}, "PHONE_MALFORMED", None),
        ({"phone": 13800138000}, "FIELD_INVALID", "phone"),
        ({"phone": "1" * 21}, "FIELD_INVALID", "phone"),
        ({}, "FIELD_INVALID", "$"),
        ({"phone": PHONE, "purpose": "PAY"}, "FIELD_INVALID", "purpose"),
        ({"phone": PHONE, "more": 1}, "FIELD_INVALID", "$"),
        ([], "FIELD_INVALID", "$"),
    ],
)
async def test_bad_input_gets_a_named_refusal(client: httpx.AsyncClient, body: Any, reason: str, field: Any) -> None:
    no = await said(client, "POST", "/v1/users/codes", 400, body)
    assert no["reason"] == reason
    assert no["facts"].get("field") == field
