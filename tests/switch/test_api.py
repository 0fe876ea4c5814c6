"""The switch's API, over HTTP as an operator and a stranger meet it."""

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from hutong.kernel.ids import id_text, parse_id
from hutong.operators.service import Operators
from hutong.runtime.http_app import make_app
from hutong.switch.api import FIRST_OPERATOR, switch_api
from tests.switch.world import CAP, World, accepts

TOKEN = "op_secret"
KEY = bytes(range(32)).hex()


@pytest.fixture
async def world() -> World:
    world = World()
    await world.boot()
    world.admit("jing", "wei")
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    operators = Operators(world.switch.node, world.switch.audit, {FIRST_OPERATOR: TOKEN})
    app = make_app(switch_api(world.switch, operators), title="Switch", version="1")
    transport = httpx.ASGITransport(cast("Any", app))
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://switch", headers=headers) as client:
        yield client


async def said(client: httpx.AsyncClient, method: str, path: str, status: int, body: Any = None) -> Any:
    response = await client.request(method, path, json=body)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def test_anybody_may_know_who_takes_part(client: httpx.AsyncClient) -> None:
    del client.headers["authorization"]
    network = await said(client, "GET", "/v1/network", 200)
    assert network["switch"] == "switch"
    assert network["protocol_version"] == 1
    assert [(node["node"], node["status"]) for node in network["nodes"]] == [("jing", "ACTIVE"), ("wei", "ACTIVE")]


@pytest.mark.parametrize("token", [None, "Bearer wrong", "Basic op_secret", "Bearer "])
async def test_everything_else_takes_the_operators_token(client: httpx.AsyncClient, token: str | None) -> None:
    paths = (await said(client, "GET", "/docs/openapi.json", 200))["paths"]
    asked = [
        (method, path)
        for path, item in paths.items()
        for method in item
        if path.startswith("/v1/") and "network" not in path
    ]
    assert len(asked) >= 18
    del client.headers["authorization"]
    if token:
        client.headers["authorization"] = token
    for method, path in asked:
        response = await client.request(method, path.replace("{", "").replace("}", ""))
        assert response.status_code == 401, (method, path)
        assert response.json()["reason"] == ("OPERATOR_UNKNOWN" if token == "Bearer wrong" else "TOKEN_MISSING")


async def test_a_node_is_admitted_suspended_and_resumed(client: httpx.AsyncClient, world: World) -> None:
    admitted = await said(client, "PUT", "/v1/participants/yun", 200, {"name": "Bank Yun 云行", "url": "http://y:1"})
    assert (admitted["participant"], admitted["status"]) == ("yun", "ACTIVE")
    assert (await said(client, "POST", "/v1/participants/yun/suspend", 200))["status"] == "SUSPENDED"
    assert (await said(client, "GET", "/v1/participants/yun", 200))["status"] == "SUSPENDED"
    assert (await said(client, "POST", "/v1/participants/yun/resume", 200))["status"] == "ACTIVE"
    assert len(await said(client, "GET", "/v1/participants", 200)) == 3
    conflict = await said(client, "PUT", "/v1/participants/yun", 409, {"name": "Yun", "participant": "jing"})
    assert (conflict["reason"], conflict["facts"]) == ("PARTICIPANT_EXISTS", {"participant": "yun", "of": "yun"})
    await world.crash()
    assert world.switch.admission.participant("yun").name == "Bank Yun 云行"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/participants/Yun", {"name": "Yun"}),
        ("/v1/participants/y", {"name": "Yun"}),
        ("/v1/participants/yun", {"name": ""}),
        ("/v1/participants/yun", {"name": "a\0b"}),
        ("/v1/participants/yun", {"name": "Yun", "url": "ftp://yun"}),
        ("/v1/participants/yun", {"name": "Yun", "cap": 1}),
        ("/v1/participants/jing/keys/k", {"public_key": "00", "valid_from_ms": 0, "valid_until_ms": 1}),
        ("/v1/fees/v1", {"starts_at_ms": 2**42, "rules": [{"switch_fee_bps": 5_001}]}),
        ("/v1/fees/v1", {"starts_at_ms": -1, "rules": []}),
        ("/v1/fees/v%201", {"starts_at_ms": 2**42, "rules": []}),
    ],
)
async def test_a_wrong_field_is_named(client: httpx.AsyncClient, path: str, body: Any) -> None:
    assert (await said(client, "PUT", path, 400, body))["reason"] == "FIELD_INVALID"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/participants/nobody", None),
        ("POST", "/v1/participants/nobody/suspend", None),
        ("GET", "/v1/participants/nobody/keys", None),
        ("GET", "/v1/participants/nobody/forms", None),
        ("GET", "/v1/participants/nobody/position", None),
        ("POST", "/v1/participants/nobody/forms", {"form": "digits:28:18"}),
        ("POST", "/v1/participants/nobody/cap", {"change_id": "cap_" + "0" * 25 + "1", "change": "GRANT", "amount": 1}),
    ],
)
async def test_a_stranger_is_unknown(client: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    assert (await said(client, method, path, 404, body))["reason"] == "PARTICIPANT_UNKNOWN"


async def test_keys_are_added_listed_and_retired(client: httpx.AsyncClient) -> None:
    key = {"public_key": KEY, "valid_from_ms": 0, "valid_until_ms": 2**42}
    for _ in range(2):
        await said(client, "PUT", "/v1/participants/jing/keys/jing-1", 200, key)
    conflict = await said(client, "PUT", "/v1/participants/wei/keys/jing-1", 409, key)
    assert conflict["reason"] == "KEY_CONFLICTS"
    (listed,) = await said(client, "GET", "/v1/participants/jing/keys", 200)
    assert (listed["key_id"], listed["public_key"]) == ("jing-1", KEY)
    assert (await said(client, "DELETE", "/v1/participants/wei/keys/jing-1", 404))["reason"] == "KEY_UNKNOWN"
    await said(client, "DELETE", "/v1/participants/jing/keys/jing-1", 204)
    (listed,) = await said(client, "GET", "/v1/participants/jing/keys", 200)
    assert listed["valid_until_ms"] < 2**42


async def test_forms_are_registered_looked_up_and_withdrawn(client: httpx.AsyncClient) -> None:
    plate = "url:https://qr.jing.example/"
    await said(client, "POST", "/v1/participants/jing/forms", 200, {"form": plate})
    owner = await client.get("/v1/directory", params={"code": "https://qr.jing.example/abc"})
    assert owner.json() == {"node": "jing", "form": plate, "value": "abc"}
    overlap = await said(client, "POST", "/v1/participants/wei/forms", 409, {"form": plate + "w/"})
    assert overlap["reason"] == "FORM_OVERLAPS"
    await said(client, "POST", "/v1/participants/wei/forms", 200, {"form": plate + "w/", "consented_by": "li"})
    (form,) = await said(client, "GET", "/v1/participants/wei/forms", 200)
    assert form == {"form": plate + "w/", "node": "wei", "consented_by": "li", "active": True}
    gone = await client.delete("/v1/participants/jing/forms", params={"form": plate})
    assert gone.status_code == 204
    lost = await client.get("/v1/directory", params={"code": "https://qr.jing.example/abc"})
    assert (lost.status_code, lost.json()["reason"]) == (404, "CODE_UNKNOWN")


async def test_a_cap_is_changed_once_per_id_and_lowered_to_what_is_used(
    client: httpx.AsyncClient, world: World
) -> None:
    payment = world.payment(amount=60_000)
    world.say("jing", payment)
    world.say("wei", accepts(payment))
    grant = {"change_id": id_text("cap", world.mint.mint()), "change": "GRANT", "amount": 5_000}
    for _ in range(2):
        granted = await said(client, "POST", "/v1/participants/jing/cap", 200, grant)
        assert (granted["amount"], granted["position"]["cap"]) == (5_000, CAP + 5_000)
    for change in ({"amount": 5_001}, {"change": "LOWER"}):
        conflict = await said(client, "POST", "/v1/participants/jing/cap", 409, grant | change)
        assert conflict["reason"] == "CAP_CHANGE_CONFLICTS"
    lower = {"change_id": id_text("cap", world.mint.mint()), "change": "LOWER", "amount": 2**62}
    for _ in range(2):
        lowered = await said(client, "POST", "/v1/participants/jing/cap", 200, lower)
        assert (lowered["amount"], lowered["position"]["headroom"]) == (CAP + 5_000 - 60_000, 0)
        assert (lowered["position"]["cap"], lowered["position"]["net"]) == (60_000, -60_000)


async def test_the_books_show_every_position_and_balance(client: httpx.AsyncClient, world: World) -> None:
    done, open_ = world.payment(amount=700), world.payment(amount=30)
    world.say("jing", done, open_)
    world.say("wei", accepts(done))
    books = await said(client, "GET", "/v1/positions", 200)
    assert (books["balanced"], books["caps"], books["income"]) == (True, 2 * CAP, 0)
    jing, wei = books["positions"]
    assert (jing["cap"], jing["net"], jing["outgoing"], jing["headroom"]) == (CAP, -700, 30, CAP - 730)
    assert (wei["cap"], wei["net"], wei["incoming"], wei["headroom"]) == (CAP, 700, 30, CAP + 700)
    assert (await said(client, "GET", "/v1/positions?currency=USD", 400))["reason"] == "CURRENCY_NOT_CLEARED_HERE"
    assert await said(client, "GET", "/v1/participants/wei/position", 200) == wei


async def test_fees_are_published_once(client: httpx.AsyncClient, world: World) -> None:
    schedule = {"starts_at_ms": world.now_ms(60), "rules": [{"mcc_prefix": "58", "switch_fee_bps": 10}]}
    for _ in range(2):
        await said(client, "PUT", "/v1/fees/2026-1", 200, schedule)
    (listed,) = await said(client, "GET", "/v1/fees", 200)
    assert listed["rules"] == [{"mcc_prefix": "58", "interchange_bps": 0, "switch_fee_bps": 10}]
    conflict = await said(client, "PUT", "/v1/fees/2026-1", 409, schedule | {"rules": []})
    assert conflict["reason"] == "FEE_SCHEDULE_CONFLICTS"


async def test_a_payment_is_looked_up_by_who_minted_its_id(client: httpx.AsyncClient, world: World) -> None:
    payment, unseen = world.payment(), world.payment()
    world.say("jing", payment)
    path = f"/v1/payments/jing/{payment.payment_id}"
    assert (await said(client, "GET", path, 200))["status"] == "PDNG"
    world.say("wei", accepts(payment))
    view = await said(client, "GET", path, 200)
    assert (view["status"], view["settles_on"], view["amount"]) == ("ACSC", "2026-01-01", 1_000)
    assert parse_id("pay", view["payment_id"]) == int(payment.payment_id, 16)
    assert await said(client, "GET", f"/v1/payments/jing/{view['payment_id']}", 200) == view
    for stranger in (f"/v1/payments/wei/{payment.payment_id}", f"/v1/payments/jing/{unseen.payment_id}"):
        assert (await said(client, "GET", stranger, 404))["reason"] == "PAYMENT_UNKNOWN"
    assert (await said(client, "GET", "/v1/payments/jing/pay_1", 400))["reason"] == "ID_MALFORMED"
