"""Clearing files between processes: a node fetches its own from the switch with its signature, and reconciles by it."""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.processes import NodeProcess, running_processes
from hutong.kernel.clock import SystemClock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import system_randomness
from hutong.runtime.address import Address
from hutong.scheme.clearing_file import COLUMNS
from hutong.scheme.http_clearing_files import ClearingFileReason, HttpClearingFiles
from hutong.scheme.peer import Peer, PeerBook
from hutong.scheme.signature import KeyRing, Signer
from tests.network.conftest import new_database, reserves_are_known, this_checkout
from tests.network.street import Door, Street, decided

NETWORK = Network(nodes=tuple(DEMO_NETWORK.node(node) for node in ("switch", "jing", "wei")))


@dataclass
class Closed:
    """A window in which jing's user paid wei's merchant, and got a part back; then it was closed."""

    street: Street
    nodes: dict[str, NodeProcess]
    window: str

    def fetch(self, node: str, window: str, *, signed_by: str = "") -> list[str]:
        """A file's lines, as `node` fetches it; or as somebody who has only another's keys."""
        book = PeerBook([Peer("switch", self.nodes["switch"].url, KeyRing(()))])
        keys = [key.secret() for key in self.nodes[signed_by or node].secrets.signing_keys]
        signer = Signer(node, keys, SystemClock(), system_randomness())

        async def read() -> bytes:
            files = HttpClearingFiles("switch", book, signer)
            return b"".join([piece async for piece in files.fetch(window)])

        return asyncio.run(read()).decode().splitlines()

    def refused(self, node: str, window: str, *, signed_by: str = "") -> tuple[ClearingFileReason, Any]:
        with pytest.raises(Refusal) as caught:
            self.fetch(node, window, signed_by=signed_by)
        assert isinstance(caught.value.reason, ClearingFileReason)
        return caught.value.reason, caught.value.facts.get("switch_said")

    def reconciled(self, node: str, window: str) -> dict[str, Any]:
        """What comes of comparing, which fetches the file in the node's own process."""
        operator, path = self.street.operator(node), f"/v1/operator/reconciliations/{window.replace('/', '.')}"
        operator.post(path)
        ends_at = time.monotonic() + 60
        while (answer := operator.ask("GET", path)).is_success and answer.json()["phase"] != "done":
            assert time.monotonic() < ends_at, answer.text
            time.sleep(0.05)
        return dict(answer.json())


@pytest.fixture(scope="module")
def closed(postgres: Address, run_directory: Path) -> Iterator[Closed]:
    directory = run_directory / f"clearing-files-{os.getpid()}"
    directory.mkdir()
    address = new_database(postgres)
    with this_checkout(), running_processes(directory, NETWORK, address) as nodes:
        street = Street({name: Door(node.url, node.operator_token) for name, node in nodes.items()}, address.url)
        reserves_are_known(street, ("jing", "wei"))
        payer, till = street.payer("jing", 20_000), street.till("wei")
        paid = payer.pay(till.plate, 5_000)
        decided(lambda: till.refund(paid["payment_id"], 1_200))
        payer.pay(till.plate, 700)
        switch = street.operator("switch")
        window = str(next(each["window"] for each in switch.get("/v1/windows") if each["state"] == "OPEN"))
        switch.post(f"/v1/windows/{window.replace('/', '.')}/close")
        yield Closed(street, nodes, window)
        street.close()


def test_each_node_reconciles_by_the_file_it_fetched(closed: Closed) -> None:
    for node in ("jing", "wei"):
        found = closed.reconciled(node, closed.window)
        assert (found["matched"], found["differing"], found["lines_there"]) == (3, 0, 3)
        assert found["here"] == found["there"]
        lines = closed.fetch(node, closed.window)
        assert lines[0] == ",".join(COLUMNS)
        assert len(lines) == 1 + found["lines_there"]


def test_what_the_switch_refuses_is_told_by_its_name(closed: Closed) -> None:
    refused = ClearingFileReason.CLEARING_FILE_REFUSED
    (newest, *_) = closed.street.operator("switch").get("/v1/windows")
    assert closed.refused("jing", newest["window"]) == (refused, "WINDOW_NOT_CLOSED")
    assert closed.refused("jing", "1999-01-01/1") == (refused, "WINDOW_UNKNOWN")
    told = closed.reconciled("jing", newest["window"])
    assert (told["reason"], told["facts"]["switch_said"]) == ("CLEARING_FILE_REFUSED", "WINDOW_NOT_CLOSED")


def test_nobody_fetches_in_anothers_name(closed: Closed) -> None:
    reason, said = closed.refused("jing", closed.window, signed_by="wei")
    assert reason is ClearingFileReason.CLEARING_FILE_REFUSED
    assert said in {"SIGNATURE_WRONG", "SIGNATURE_KEY_UNKNOWN"}


def test_a_switch_that_is_away_has_the_same_file_when_it_is_back(closed: Closed) -> None:
    before = closed.fetch("wei", closed.window)
    switch = closed.nodes["switch"]
    switch.kill()
    assert closed.refused("wei", closed.window) == (ClearingFileReason.CLEARING_FILE_NOT_ANSWERED, None)
    assert closed.reconciled("wei", closed.window)["reason"] == "CLEARING_FILE_NOT_ANSWERED"
    switch.start()
    switch.until_ready()
    assert closed.fetch("wei", closed.window) == before
    assert closed.reconciled("wei", closed.window)["matched"] == 3
