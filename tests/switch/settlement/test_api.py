"""Settlement over HTTP: the operator's desk, a node's own files, and statements that others' software reads."""

import base64
import csv
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from pyiso20022.camt import camt_053_001_08 as camt_053
from pyiso20022.camt import camt_054_001_08 as camt_054
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig

from hutong.kernel.ids import id_text, seeded_randomness
from hutong.operators.service import Operators
from hutong.runtime.http_app import make_app
from hutong.scheme.clearing_file import COLUMNS, clearing_path
from hutong.scheme.signature import FOR_EVER_NS, KeyRing, ReplayGuard, SecretKey, Signer, Verifier
from hutong.switch.api import FIRST_OPERATOR, switch_api
from hutong.switch.settlement.report import INVOICE_COLUMNS
from tests.switch.test_api import TOKEN, said
from tests.switch.world import World, accepts, complete

W1 = "/v1/windows/2026-01-01.1"
JING = SecretKey("jing-1", bytes(range(32)), 0, FOR_EVER_NS)


@pytest.fixture
async def world() -> World:
    world = World()
    await world.boot()
    world.admit("jing", "wei", "zhi", cap=0)
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    keys = {"jing": KeyRing([JING.public()])}
    verifier = Verifier("switch", keys.get, world.clock, ReplayGuard(world.clock.now_ns()))
    operators = Operators(world.switch.node, world.switch.audit, {FIRST_OPERATOR: TOKEN})
    app = make_app(switch_api(world.switch, operators, verifier.verify), title="Switch", version="1")
    transport = httpx.ASGITransport(cast("Any", app))
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://switch", headers=headers) as client:
        yield client


async def fund(world: World, client: httpx.AsyncClient, node: str, amount: int, **more: Any) -> Any:
    body = {"change_id": id_text("rsv", world.mint.mint()), "change": "TOP_UP", "amount": amount}
    return await said(client, "POST", f"/v1/participants/{node}/reserve", more.pop("status", 200), body | more)


async def settled(world: World, client: httpx.AsyncClient) -> None:
    await fund(world, client, "jing", 100_000)
    payment = world.payment(amount=12_345)
    complete(world, payment)
    complete(world, world.payment(amount=2_000, debtor_agent="wei", creditor_agent="jing"))
    refund = world.refund(payment, amount=345, settlement=345)
    world.say("wei", refund)
    world.say("jing", accepts(refund))
    await said(client, "POST", f"{W1}/close", 200)


async def test_an_operator_funds_closes_and_looks(world: World, client: httpx.AsyncClient) -> None:
    await settled(world, client)
    (newest, first) = await said(client, "GET", "/v1/windows", 200)
    assert (newest["state"], first["state"], first["payments"], first["returns"]) == ("OPEN", "SETTLED", 2, 1)
    found = await said(client, "GET", W1, 200)
    nets = {each["node"]: each["net"] for each in found["obligations"]}
    assert nets == {"jing": 345 + 2_000 - 12_345, "wei": 12_345 - 345 - 2_000}
    assert {each["node"]: each["moved"] for each in found["entries"]} == nets
    reserve = await said(client, "GET", "/v1/participants/jing/reserve", 200)
    assert (reserve["reserve"], reserve["cap"], reserve["headroom"], reserve["net"]) == (90_000, 90_000, 90_000, 0)
    await fund(world, client, "jing", 90_001, change="WITHDRAW", status=422)
    taken = await fund(world, client, "jing", 90_000, change="WITHDRAW")
    assert taken["reserve"] == 0
    entries = await said(client, "GET", "/v1/participants/jing/reserve/entries", 200)
    assert [(each["kind"], each["closing"]) for each in entries] == [
        ("WTHDRW", 0),
        ("WINDOW", 90_000),
        ("TOPUP", 100_000),
    ]
    text = (await client.get("/v1/participants/jing/reserve/entries.csv")).text
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["moved"] for row in rows] == ["100000", "-10000", "-90000"]


async def test_rules_and_calendars_are_published_for_times_to_come(world: World, client: httpx.AsyncClient) -> None:
    rules = {"cap_bps": 8_000, "default_after_s": 3_600, "loss_order": ["CONTRIBUTION"]}
    body = {"starts_at_ms": world.now_ms(60), "rules": rules}
    first = await said(client, "PUT", "/v1/settlement/rules/2026-1", 200, body)
    assert await said(client, "PUT", "/v1/settlement/rules/2026-1", 200, body) == first
    await said(client, "PUT", "/v1/settlement/rules/2026-1", 409, body | {"rules": {}})
    await said(client, "PUT", "/v1/settlement/rules/2026-2", 400, body | {"starts_at_ms": 1})
    assert [each["version"] for each in await said(client, "GET", "/v1/settlement/rules", 200)] == [
        "prefunded-1",
        "2026-1",
    ]
    days = {"first_on": "2026-01-05", "zone": "Asia/Shanghai", "cut_offs": ["12:00"], "closed_weekdays": [6, 7]}
    await said(client, "PUT", "/v1/settlement/calendars/work", 200, days)
    await said(client, "PUT", "/v1/settlement/calendars/none", 400, days | {"zone": "Asia/Nowhere"})
    assert len(await said(client, "GET", "/v1/settlement/calendars", 200)) == 2


async def test_invoices_are_there_as_csv_too(client: httpx.AsyncClient) -> None:
    assert await said(client, "GET", "/v1/settlement/invoices", 200) == []
    answer = await client.get("/v1/settlement/invoices.csv")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.text == ",".join(INVOICE_COLUMNS) + "\n"


async def test_windows_that_are_not_there_or_not_closed_are_refused_by_name(
    world: World, client: httpx.AsyncClient
) -> None:
    for path, status, reason in (
        ("/v1/windows/2026-01-01.9", 404, "WINDOW_UNKNOWN"),
        (f"{W1}/clearing.csv?node=jing", 422, "WINDOW_NOT_CLOSED"),
        (f"{W1}/clearing.csv?node=yun", 404, "PARTICIPANT_UNKNOWN"),
        (f"{W1}/camt.053?node=jing", 422, "WINDOW_NOT_CLOSED"),
    ):
        assert (await said(client, "GET", path, status))["reason"] == reason
    no = await said(client, "POST", f"{W1}/default", 422)
    assert no["reason"] == "WINDOW_NOT_CLOSED"


async def test_a_node_fetches_its_own_files_by_its_signature(world: World, client: httpx.AsyncClient) -> None:
    await settled(world, client)
    del client.headers["authorization"]
    signer = Signer("jing", [JING], world.clock, seeded_randomness(5))
    path = clearing_path("2026-01-01/1")
    headers = {name.decode(): value.decode() for name, value in signer.sign("switch", "GET", path, b"").items()}
    answer = await client.get(path, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    lines = list(csv.DictReader(answer.text.splitlines()))
    assert tuple(lines[0]) == COLUMNS
    assert [(line["kind"], line["direction"], line["cleared"]) for line in lines] == [
        ("PAYMENT", "DEBIT", "12345"),
        ("PAYMENT", "CREDIT", "2000"),
        ("RETURN", "CREDIT", "345"),
    ]
    assert (await client.get(path, headers=headers)).json()["reason"] == "ENVELOPE_REPLAYED"
    headers = {name.decode(): value.decode() for name, value in signer.sign("switch", "GET", path, b"").items()}
    headers["hutong-signature"] = base64.b64encode(bytes(64)).decode()
    assert (await client.get(path, headers=headers)).json()["reason"] == "SIGNATURE_WRONG"
    assert (await client.get(path)).json()["reason"] == "SIGNATURE_MALFORMED"
    own = path.replace("clearing.csv", "camt.053")
    signed = {name.decode(): value.decode() for name, value in signer.sign("switch", "GET", own, b"").items()}
    assert (await client.get(own, headers=signed)).headers["content-type"] == "application/xml"


STRICT = XmlParser(config=ParserConfig(fail_on_unknown_properties=True, fail_on_unknown_attributes=True))


async def test_a_statement_is_camt_053_as_its_bindings_read_it(world: World, client: httpx.AsyncClient) -> None:
    await settled(world, client)
    content = (await client.get(f"{W1}/camt.053?node=jing")).content
    statement = STRICT.from_bytes(content, camt_053.Document).bk_to_cstmr_stmt.stmt[0]
    balances = {balance.tp.cd_or_prtry.cd: str(balance.amt.value) for balance in statement.bal}
    assert balances == {"OPBD": "1000.00", "CLBD": "900.00"}
    (entry,) = statement.ntry
    assert (str(entry.amt.value), entry.amt.ccy, entry.cdt_dbt_ind.value) == ("100.00", "CNY", "DBIT")
    assert (entry.sts.cd, entry.ntry_ref, str(entry.val_dt.dt)) == ("BOOK", "2026-01-01/1", "2026-01-01")
    assert str(statement.txs_summry.ttl_dbt_ntries.sum) == "123.45"
    assert entry.ntry_dtls[0].btch.nb_of_txs == "3"
    assert statement.acct.ownr.nm == "jing"


async def test_what_stands_behind_it_is_camt_054_and_adds_up_to_it(world: World, client: httpx.AsyncClient) -> None:
    await settled(world, client)
    content = (await client.get(f"{W1}/camt.054?node=jing")).content
    notification = STRICT.from_bytes(content, camt_054.Document).bk_to_cstmr_dbt_cdt_ntfctn.ntfctn[0]
    signed = {"CRDT": 1, "DBIT": -1}
    found = [signed[entry.cdt_dbt_ind.value] * entry.amt.value for entry in notification.ntry]
    assert sorted(map(str, found)) == ["-123.45", "20.00", "3.45"]
    batches = [entry.ntry_dtls[0].btch for entry in notification.ntry]
    assert [batch.nb_of_txs for batch in batches] == ["1", "1", "1"]
    parties = {
        (each.rltd_agts.dbtr_agt.fin_instn_id.othr.id, each.rltd_agts.cdtr_agt.fin_instn_id.othr.id)
        for entry in notification.ntry
        for each in entry.ntry_dtls[0].tx_dtls
    }
    assert parties == {("jing", "wei"), ("wei", "jing")}
