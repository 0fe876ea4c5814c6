"""Real nodes on a real PostgreSQL: the whole network in one process, and some with a process per node."""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import asyncpg
import pytest
from argon2 import PasswordHasher

import hutong
from hutong.app.network import DEMO_NETWORK
from hutong.app.up import RunningNetwork, Trial, running_network
from hutong.institution.people import service as people_service
from hutong.runtime.address import Address
from hutong.runtime.settings import Settings
from tests.network.audit import Stillness, audit_when_quiet
from tests.network.street import Door, Street

_databases = count()


def new_database(server: Address) -> Address:
    """A database of its own: networks that share a server must not share schemas."""
    name = f"network_{os.getpid()}_{next(_databases)}"

    async def make() -> None:
        connection = await asyncpg.connect(server.url)
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()

    asyncio.run(make())
    return replace(server, database=name)


@contextmanager
def this_checkout() -> Iterator[None]:
    """Children run the code that is being tested, whatever else is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(hutong.__file__).parents[1]))
        yield


class NetworkThread(threading.Thread):
    """The whole network on an event loop of its own, so that tests can be plain functions that block."""

    def __init__(self, settings: Settings, address: Address, trial: Trial | None = None) -> None:
        super().__init__(name="network", daemon=True)
        self.trial = trial
        self.settings = settings
        self.address = address
        self.up = threading.Event()
        self.loop: asyncio.AbstractEventLoop
        self.stop: asyncio.Event
        self.running: RunningNetwork
        self.doors: dict[str, Door] = {}
        self.failed: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  # Whoever waits for the network raises it.
            self.failed = error
        finally:
            self.up.set()

    async def _serve(self) -> None:
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
        with pytest.MonkeyPatch.context() as patch:
            # PINs are hashed as slowly as in life where nodes are processes of their own, and quickly here.
            quick = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
            patch.setattr(people_service, "PasswordHasher", quick)
            await self._serve_until_stopped()

    async def _serve_until_stopped(self) -> None:
        async with running_network(self.settings, DEMO_NETWORK, self.address, self.trial) as network:
            self.doors = {node.node_id: Door(node.url, node.operator_token) for node in network.nodes.values()}
            self.running = network
            self.up.set()
            await self.stop.wait()

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.stop.set)
        self.join(200)
        assert not self.is_alive(), "the network does not stop"
        assert self.failed is None


@pytest.fixture(scope="session")
def network_directory(run_directory: Path) -> Iterator[Path]:
    directory = run_directory / f"network-{os.getpid()}"
    directory.mkdir()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def reserves_are_known(street: Street, nodes: Iterable[str], within_s: float = 100) -> None:
    """Wait until these institutions have booked what they prefunded: the switch tells them soon after the start."""
    ends_at = time.monotonic() + within_s
    for node in nodes:
        while not street.operator(node).get("/v1/operator/settlement"):
            assert time.monotonic() < ends_at, f"{node} does not know its reserve"
            time.sleep(0.1)


@pytest.fixture(scope="session")
def street(postgres: Address, network_directory: Path) -> Iterator[Street]:
    """The demo's network in this process: switch, jing, wei, zhi and yun. Audited when all tests are through."""
    address = new_database(postgres)
    nodes = ("switch", "jing", "wei", "zhi", "yun")
    settings = Settings(data_directory=network_directory, ports=dict.fromkeys(nodes, 0))
    network = NetworkThread(settings, address)
    network.start()
    assert network.up.wait(250)
    if network.failed is not None:
        raise network.failed
    found = Street(network.doors, address.url)
    reserves_are_known(found, ("jing", "wei", "zhi", "yun"))
    yield found
    wrong = audit_when_quiet(address.url).wrong
    found.close()
    network.end()
    assert wrong == []


@pytest.fixture(scope="session")
def stillness(street: Street) -> Stillness:
    return Stillness(street.database_url)


@pytest.fixture
def nothing_moves(stillness: Stillness) -> Iterator[None]:
    """What the test does is refused: afterwards every balance of every ledger is what it was."""
    before = stillness.look()
    assert before.wrong == []
    yield
    after = stillness.look()
    assert after.wrong == []
    assert after.figures == before.figures
