"""
Nodes and their database fail while payments are under way, each in a process of its own; nothing is lost, nothing twice.

`FAULT_ROUNDS` (`make faults`) is how often each fault comes; every round has a seed of its own, printed when it fails.
"""

import asyncio
import json
import os
import shutil
import signal
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.processes import NodeProcess, running_processes
from hutong.kernel.ids import seeded_randomness
from hutong.runtime.embedded import EmbeddedPostgres
from tests.network.audit import audit_when_quiet
from tests.network.conftest import this_checkout
from tests.network.load import Load
from tests.network.street import Door, Payer, Street, Till

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))
SEED = int(os.environ.get("FAULT_SEED", "20240229"))
pytestmark = pytest.mark.timeout(120 * max(1, ROUNDS))
NETWORK = Network(nodes=tuple(DEMO_NETWORK.node(node) for node in ("switch", "jing", "wei")))
_EXPECTED = {"journal_halted", "node_halted"}
BEFORE_S, BETWEEN_S, AFTER_S = 0.6, 1.0, 1.5


@dataclass
class Town:
    """A network of processes, its own database server, and everybody who pays in it."""

    server: EmbeddedPostgres
    nodes: dict[str, NodeProcess]
    street: Street
    payers: list[Payer]
    tills: list[Till]
    read: dict[str, int] = field(default_factory=dict)  # How far each node's log was read.


@pytest.fixture(scope="module")
def town(run_directory: Path) -> Iterator[Town]:
    directory = run_directory / f"town-{os.getpid()}"
    directory.mkdir()
    directory.chmod(0o711)
    pg_bin = Path(os.environ["PG_BIN"]) if os.environ.get("PG_BIN") else None
    server = EmbeddedPostgres(directory / "pg", pg_bin=pg_bin)
    with server as address, this_checkout(), running_processes(directory, NETWORK, address) as nodes:
        doors = {name: Door(node.url, node.operator_token) for name, node in nodes.items()}
        street = Street(doors, address.url)
        payers = [street.payer(node, 50_000) for node in ("jing", "wei") * 3]
        tills = [street.till(node) for node in ("jing", "wei", "wei")]
        yield Town(server, nodes, street, payers, tills)
        street.close()
    shutil.rmtree(directory, ignore_errors=True)


def _complaints(town: Town) -> list[str]:
    """What the nodes logged as errors beyond the faults themselves; what was read once is not read again."""
    found = []
    for name, node in town.nodes.items():
        lines = node.log.read_bytes()[town.read.get(name, 0) :].decode(errors="replace")
        town.read[name] = node.log.stat().st_size
        for line in lines.splitlines():
            try:
                said = json.loads(line)
            except ValueError:
                said = {"event": line, "level": "error"}  # Nothing else writes there, so it is a traceback.
            if said["level"] == "error" and said["event"] not in _EXPECTED:
                found.append(f"{name}: {line[:3000]}")
    return found


def _still_up(town: Town) -> None:
    for node in town.nodes.values():
        assert node.process is not None
        assert node.process.poll() is None, (node.spec.node, node.log.read_text()[-2000:])


async def _under_load(town: Town, seed: int, fault: Callable[[Random], None]) -> Load:
    """Load; a fault at a random moment of it; recovery; and then the log, the ledgers and the nodes must agree."""
    random = seeded_randomness(seed)
    load = Load(town.payers, town.tills, seed)
    load.start()
    await asyncio.sleep(BEFORE_S + random.random() * BETWEEN_S)
    await asyncio.to_thread(fault, random)
    await asyncio.sleep(AFTER_S)
    await load.stop()
    await asyncio.to_thread(_all_ready, town)
    await load.settle()
    found = await asyncio.to_thread(audit_when_quiet, town.street.database_url)
    assert load.compare(found) == []
    assert found.wrong == []
    assert _complaints(town) == []
    _still_up(town)
    assert load.completed > 5, load.reasons
    return load


def _all_ready(town: Town) -> None:
    for node in town.nodes.values():
        node.until_ready()


def _round(number: int, fault: str) -> int:
    seed = zlib.crc32(f"{SEED}/{fault}/{number}".encode())
    print(f"seed {seed}")  # noqa: T201  # Shown when the round fails.
    return seed


@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.parametrize("node", ["switch", "jing", "wei"])
async def test_a_node_is_killed_and_started_again(town: Town, node: str, number: int) -> None:
    def kill(random: Random) -> None:
        town.nodes[node].kill()
        time.sleep(random.random() * 0.5)
        town.nodes[node].start()
        town.nodes[node].until_ready()

    await _under_load(town, _round(number, node), kill)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_all_nodes_are_killed_at_once(town: Town, number: int) -> None:
    def kill(_: Random) -> None:
        for node in town.nodes.values():
            node.kill()
        for node in town.nodes.values():
            node.start()
        _all_ready(town)

    await _under_load(town, _round(number, "all"), kill)


@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGQUIT], ids=["killed", "stopped immediately"])
async def test_the_database_is_restarted(town: Town, how: signal.Signals, number: int) -> None:
    """SIGQUIT is PostgreSQL's immediate shutdown. The nodes stay up, and recover by themselves."""

    def crash(_: Random) -> None:
        pid = town.server.postmaster_pid()
        assert pid is not None
        os.kill(pid, how)
        ends_at = time.monotonic() + 20
        while town.server.postmaster_pid() == pid and time.monotonic() < ends_at:
            time.sleep(0.02)
        town.server.start()  # Waits until it serves; who stopped it on purpose starts it again.
        time.sleep(0.5)  # Until then a node may not have noticed.
        _all_ready(town)

    await _under_load(town, _round(number, how.name), crash)


@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.parametrize("node", ["switch", "jing"])
async def test_a_node_is_asked_to_stop_and_answers_what_is_under_way(town: Town, node: str, number: int) -> None:
    took_s = 0.0

    def restart(_: Random) -> None:
        nonlocal took_s
        since = time.monotonic()
        town.nodes[node].stop()
        took_s = time.monotonic() - since
        process = town.nodes[node].process
        assert process is not None
        assert process.returncode == 0, town.nodes[node].log.read_text()[-2000:]
        town.nodes[node].start()
        town.nodes[node].until_ready()

    await _under_load(town, _round(number, f"stop {node}"), restart)
    assert took_s < 9  # Less than it is given to drain: nobody was cut off.
