"""Somebody else's participant, from its application to its drained exit, in a running network, by two operators."""

import asyncio
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.up import running_network
from hutong.conformance.case import Side
from hutong.conformance.hook import HttpHook
from hutong.conformance.report import as_json
from hutong.conformance.run import chosen, run
from hutong.conformance.wire import now_ms
from hutong.runtime.address import Address
from hutong.runtime.settings import Settings
from tests.conformance.subjects import Tiny, tiny_before_kit
from tests.network.conftest import new_database
from tests.network.street import Client, Door, Payer, Street, decided, new_id
from tests.switch.lifecycle.papers import application, fingerprint_of

NODES = ("switch", "jing")
QUICK = [
    case
    for case in chosen(Side.PARTICIPANT)
    if not (case.slow or case.id.startswith("PQ-") or any(word in case.id for word in ("ASKS", "CRASH", "AGAIN")))
]
WAIVED = "proven in tests/conformance; here it has to be quick"


def test_a_stranger_applies_takes_part_and_leaves(postgres: Address, run_directory: Path, tmp_path: Path) -> None:
    directory = run_directory / f"lifecycle-{os.getpid()}"
    directory.mkdir()
    settings = Settings(data_directory=directory, ports=dict.fromkeys(NODES, 0))
    network = Network(nodes=tuple(DEMO_NETWORK.node(node) for node in NODES))
    address = new_database(postgres)

    async def scenario() -> None:
        async with running_network(settings, network, address) as running:
            doors = {node.node_id: Door(node.url, node.operator_token) for node in running.nodes.values()}
            street = Street(doors, address.url)
            keys = [key.secret().public() for key in running["switch"].site.secrets.signing_keys]
            switch_keys = [f"{key.key_id}:{key.public_key.hex()}" for key in keys]
            await asyncio.to_thread(live, street, tmp_path, switch_keys)
            street.close()

    asyncio.run(scenario())


def live(street: Street, tmp_path: Path, switch_keys: list[str]) -> None:
    operator = street.operator("switch")
    token = operator.put("/v1/operators/lin", {"role": "OPERATOR"})["token"]
    lin = Client(operator.url, token)
    street.clients.append(lin)
    with tiny_before_kit(tmp_path / "tiny") as (subject, node):
        report = as_json(run(subject, QUICK), subject)
        made = application(now_ms(), seed=forget_everything(node), **about(node))
        life = operator.post("/v1/applications", made)
        waived = {case.id: WAIVED for case in chosen(Side.PARTICIPANT) if case not in QUICK}
        body = {"certificate": report["certificate"], "waived": waived}
        assert operator.post("/v1/participants/tiny/certificate", body)["stage"] == "CERTIFIED"
        confirm = "/v1/participants/tiny/keys/tiny-1/confirm"
        read_aloud = {"fingerprint": fingerprint_of(made["application"]["key"]["public_key"])}
        assert life["keys"][0]["fingerprint"] == read_aloud["fingerprint"]
        assert operator.refused(confirm, read_aloud)["reason"] == "KEY_NEEDS_ANOTHER_OPERATOR"
        lin.post(confirm, read_aloud)
        assert operator.post("/v1/participants/tiny/admit", {"reserve": 100_000})["stage"] == "ACTIVE"
        node.move_to("switch", operator.url, switch_keys)
        take_part(street, node)
        leave(street, operator)


def take_part(street: Street, node: Tiny) -> None:
    """It is paid, suspended, and paid again when it is back."""
    operator, payer, hook = street.operator("switch"), street.payer("jing", 10_000), HttpHook(f"{node.url}/hook")
    payee = hook.ask("payee")["payee"]
    code = hook.ask("code", payee=payee, amount=0)["code"]
    quote = decided(lambda: quoted(payer, code))
    order = payer.order(quote, 2_800)
    assert decided(lambda: payer.post("/v1/payments", order))["state"] == "COMPLETED"
    operator.post("/v1/participants/tiny/suspend", {"reason": "an audit"})
    assert payer.refused("/v1/codes/consult", {"code": code, "amount": 0})["reason"] == "CODE_NOT_RESOLVED"
    operator.post("/v1/participants/tiny/resume", {"reason": "audited"})
    assert payer.pay(code, 100)["state"] == "COMPLETED"
    assert street.cap_of("tiny")["net"] == 2_900


def leave(street: Street, operator: Client) -> None:
    life = operator.post("/v1/participants/tiny/leave", {"reason": "merged", "returns_for_s": 0})
    left = {"WINDOWS_NOT_SETTLED", "POSITION_NOT_ZERO", "RESERVE_HELD"}
    assert {blocker["what"] for blocker in life["blockers"]} == left
    assert operator.refused("/v1/participants/tiny/depart", {})["reason"] == "EXIT_BLOCKED"
    window = operator.get("/v1/windows?limit=1")[0]["window"]
    closed = operator.ask("POST", f"/v1/windows/{window.replace('/', '.')}/close")
    if closed.is_error:  # For an hour each night there is no window of the day left that could be closed.
        assert closed.json()["reason"] == "WINDOW_NOT_OPEN_YET"
        return
    path = "/v1/participants/tiny/life"
    held = decided(lambda: {"state": "OPEN" if len(operator.get(path)["blockers"]) > 1 else "DRAINED"})
    assert held["state"] == "DRAINED", operator.get(path)["blockers"]
    body = {"change_id": new_id("rsv"), "change": "WITHDRAW", "amount": 102_900}
    operator.post("/v1/participants/tiny/reserve", body)
    life = operator.post("/v1/participants/tiny/depart", {"reason": "drained"})
    steps = ["APPLY", "CERTIFY", "ADMIT", "SUSPEND", "RESUME", "LEAVE", "DEPART"]
    assert [step["step"] for step in life["history"]] == steps
    assert operator.get("/v1/positions")["balanced"]


def quoted(payer: Payer, code: str) -> dict[str, Any]:
    """The switch looks at its rows every second: before that tiny is a stranger to it."""
    answer = payer.ask("POST", "/v1/codes/consult", {"code": code, "amount": 0})
    return dict(answer.json()) | {"state": "QUOTED"} if answer.is_success else {"state": "PENDING"}


def about(node: Tiny) -> dict[str, Any]:
    key_id, _, public_key = node.key.partition(":")
    return {
        "node": "tiny",
        "participant": "tiny",
        "name": "Tiny",
        "url": node.url,
        "forms": ["url:https://tiny.example/q/"],
        "key": {"key_id": key_id, "public_key": public_key},
    }


def forget_everything(node: Tiny) -> bytes:
    """Out of the test network it takes its key alone, which is also what it applies with."""
    node.end()
    with closing(sqlite3.connect(node.directory / "tiny.sqlite")) as database, database:
        database.execute("DELETE FROM row WHERE kind <> 'secret'")
        ((seed,),) = database.execute("SELECT content FROM row").fetchall()
    return bytes.fromhex(json.loads(seed))
