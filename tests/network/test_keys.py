"""Keys change while people pay: a participant's by its operator and the switch's, and the switch's own by the description."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hutong.app.processes import NodeProcess, running_processes
from hutong.cli.main import run
from hutong.kernel.clock import SystemClock
from hutong.kernel.ids import system_randomness
from hutong.runtime.address import Address
from hutong.scheme.envelope import encode_envelope
from hutong.scheme.messages import StatusRequest
from hutong.scheme.signature import Signer
from tests.network.audit import audit_when_quiet
from tests.network.conftest import new_database, this_checkout
from tests.network.street import NO_TLS, TIMEOUT_S, Door, Payer, Street, Till, comes_to
from tests.network.test_messages import NETWORK, PATH

Say = Callable[..., Any]


@dataclass
class Town:
    directory: Path
    nodes: dict[str, NodeProcess]
    street: Street
    payer: Payer
    till: Till

    def pays(self) -> None:
        assert self.payer.pay(self.till.plate, 100)["state"] == "COMPLETED"

    def signed_with(self, sender: str, key_id: str, recipient: str) -> str:
        """The reason an envelope of this key is refused with; nothing, when it is taken."""
        keys = [key.secret() for key in self.nodes[sender].secrets.signing_keys if key.key_id == key_id]
        asked = StatusRequest(payment_id="0" * 30 + "00", originator=sender)
        body = encode_envelope(sender, recipient, [asked])
        headers = Signer(sender, keys, SystemClock(), system_randomness()).sign(recipient, "POST", PATH, body)
        told = {name.decode(): value.decode() for name, value in headers.items()}
        answer = httpx.post(
            self.nodes[recipient].url + PATH,
            content=body,
            headers=told,
            timeout=TIMEOUT_S,
            trust_env=False,
            verify=NO_TLS,
        )
        return "" if answer.status_code == 202 else str(answer.json()["reason"])

    def has_logged(self, node: str, event: str, count: int = 1) -> None:
        """Wait until a node says that it has taken a change up."""
        ends_at = time.monotonic() + 60
        while time.monotonic() < ends_at:
            if self.nodes[node].log.read_text(errors="replace").count(f'"event": "{event}"') >= count:
                return
            time.sleep(0.05)
        raise AssertionError(self.nodes[node].log.read_text(errors="replace")[-2000:])

    def describe(self, change: Callable[[str], str]) -> None:
        """Change the network's description, as an operator does: whole, under its name at once."""
        path = self.directory / "network.toml"
        fresh = path.with_suffix(".new")
        fresh.write_text(change(path.read_text()))
        fresh.rename(path)


@pytest.fixture(scope="module")
def town(postgres: Address, run_directory: Path) -> Iterator[Town]:
    directory = run_directory / f"keys-{os.getpid()}"
    directory.mkdir()
    address = new_database(postgres)
    with this_checkout(), running_processes(directory, NETWORK, address) as nodes:
        street = Street({name: Door(node.url, node.operator_token) for name, node in nodes.items()}, address.url)
        yield Town(directory, nodes, street, street.payer("jing", 50_000), street.till("wei"))
        found = audit_when_quiet(address.url)
        street.close()
    assert found.wrong == []


@pytest.fixture
def say(town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    monkeypatch.setenv("HUTONG_DATA_DIRECTORY", str(town.directory))

    def say(*arguments: str) -> Any:
        assert run([*arguments, "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return say


def test_a_participant_changes_its_key_without_a_halt(town: Town, say: Say) -> None:
    switch = ("--url", town.nodes["switch"].url)
    town.pays()
    key_id, _, public_key = say("keys", "jing", "--new", "--starts-in", "1")[-1].partition(":")
    say("participant", "keys", "jing", "--add", key_id, "--public-key", public_key, *switch)
    town.has_logged("jing", "signing_keys_changed")
    town.pays()  # By either: the old one until the new one begins.
    assert town.signed_with("jing", "jing-1", "switch") == ""
    time.sleep(1)
    say("participant", "keys", "jing", "--retire", "jing-1", *switch)
    comes_to(lambda: town.signed_with("jing", "jing-1", "switch"), "SIGNATURE_KEY_NOT_VALID")
    town.pays()
    noted = say("audit-log", "show", "--subject", "jing", *switch)
    assert [entry["action"].partition(" ")[0] for entry in noted] == ["PUT", "DELETE"]


def test_the_switch_changes_its_key_without_a_halt(town: Town, say: Say) -> None:
    old, new = say("keys", "switch", "--new", "--starts-in", "1")
    town.describe(lambda text: text.replace(f'["{old}"]', f'["{old}", "{new}"]'))
    for node in ("jing", "wei"):
        town.has_logged(node, "network_description_changed")
    town.has_logged("switch", "signing_keys_changed")
    assert town.signed_with("switch", "switch-1", "jing") == ""
    time.sleep(1)
    town.pays()
    town.describe(lambda text: text.replace(f'"{old}", ', ""))
    for node in ("jing", "wei"):
        town.has_logged(node, "network_description_changed", 2)
    assert town.signed_with("switch", "switch-1", "jing") == "SIGNATURE_KEY_UNKNOWN"
    town.pays()


def test_a_description_that_can_not_be_read_changes_nothing(town: Town) -> None:
    whole = (town.directory / "network.toml").read_text()
    town.describe(lambda _: "[[nodes]")
    town.has_logged("jing", "change_not_taken_up")
    town.pays()
    town.describe(lambda _: whole)
