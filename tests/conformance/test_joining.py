"""Somebody else's participant joins a running `hutong up`: it is paid by a user of jing's, and pays a merchant of wei's."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.up import running_network
from hutong.conformance.hook import HttpHook
from hutong.conformance.wire import new_id
from hutong.runtime.address import Address
from hutong.runtime.settings import Settings
from tests.conformance.subjects import Tiny
from tests.network.conftest import new_database
from tests.network.street import Client, Door, Street, decided

NODES = ("switch", "jing", "wei")
NETWORK = Network(nodes=tuple(DEMO_NETWORK.node(node) for node in NODES))


def join(street: Street, tiny: Tiny) -> None:
    """What the switch's operator does: `hutong participant admit`, `keys`, `forms`, `cap`."""
    operator = street.operator("switch")
    key_id, _, public_key = tiny.key.partition(":")
    operator.put("/v1/participants/tiny", {"name": "Tiny", "url": tiny.url})
    key = {"public_key": public_key, "valid_from_ms": 0, "valid_until_ms": 4_000_000_000_000}
    operator.put(f"/v1/participants/tiny/keys/{key_id}", key)
    operator.post("/v1/participants/tiny/forms", {"form": "url:https://tiny.example/q/"})
    street.change_cap("tiny", "GRANT", 100_000)


def paid_both_ways(street: Street, tiny: Tiny) -> None:
    join(street, tiny)
    hook = HttpHook(f"{tiny.url}/hook")
    payer, payee = street.payer("jing", 10_000), hook.ask("payee")["payee"]
    code = hook.ask("code", payee=payee, amount=0)["code"]
    quote = decided(lambda: _quote(payer, code))
    order = payer.order(quote, 2_800)
    assert decided(lambda: payer.post("/v1/payments", order))["state"] == "COMPLETED"
    assert payer.balance == 7_200
    within(lambda: hook.ask("balance", of=payee)["balance"] == 2_800)
    till, tinys_payer = street.till("wei"), hook.ask("payer")["payer"]
    payment = new_id()
    hook.ask("pay", id=payment, payer=tinys_payer, code=till.plate, amount=1_200)
    within(lambda: hook.ask("payment", id=payment)["state"] == "COMPLETED")
    assert hook.ask("balance", of=tinys_payer)["balance"] == 48_800
    within(lambda: 1_190 <= till.balance <= 1_200)
    position = street.cap_of("tiny")
    assert position["net"] == 2_800 - 1_200  # What the others owe it.
    assert street.operator("switch").get("/v1/positions")["balanced"]


def _quote(payer: Client, code: str) -> dict[str, object]:
    """The switch looks at its rows every second: before that tiny is a stranger to it."""
    answer = payer.ask("POST", "/v1/codes/consult", {"code": code, "amount": 0})
    return dict(answer.json()) | {"state": "QUOTED"} if answer.is_success else {"state": "PENDING"}


def within(check: Callable[[], bool]) -> None:
    assert decided(lambda: {"state": "DONE" if check() else "PENDING"})["state"] == "DONE"


def test_a_stranger_joins_a_network_in_one_process(postgres: Address, run_directory: Path, tmp_path: Path) -> None:
    directory = run_directory / f"joining-{os.getpid()}"
    directory.mkdir()
    settings = Settings(data_directory=directory, ports=dict.fromkeys(NODES, 0))
    address = new_database(postgres)

    async def scenario() -> None:
        async with running_network(settings, NETWORK, address) as network:
            doors = {node.node_id: Door(node.url, node.operator_token) for node in network.nodes.values()}
            street = Street(doors, address.url)
            keys = [key.secret().public() for key in network["switch"].site.secrets.signing_keys]
            texts = [f"{key.key_id}:{key.public_key.hex()}" for key in keys]

            def play() -> None:
                with Tiny(tmp_path / "tiny", "switch", doors["switch"].url, texts) as tiny:
                    paid_both_ways(street, tiny)
                street.close()

            await asyncio.to_thread(play)

    asyncio.run(scenario())
