"""
A network of processes that things are done to: every wire a proxy's, the database on a disk of its own that can fill up.

A node reaches another by a wire of its own (`jing>switch`), and people reach a node by its front wire (`>jing`), so that
one can be cut and the other not, and a node that is taken over may listen elsewhere.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import msgspec

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.processes import NodeProcess, free_ports, prepare, toml_of
from hutong.kernel.errors import Refusal
from hutong.runtime.address import Address
from hutong.runtime.embedded import EmbeddedPostgres
from tests.network.conftest import this_checkout
from tests.network.load import Diary
from tests.network.proxy import Wires
from tests.network.street import Door, Payer, Street, Till

NODES = ("switch", "jing", "wei")
NETWORK = Network(nodes=tuple(DEMO_NETWORK.node(node) for node in NODES))
_EXPECTED = {"journal_halted", "node_halted", "node_taken_over"}
FUNDS = 50_000  # What a payer who is not verified may pay to plates in a day, in fen.
_DISK_MIB = 640
_GOES_S = 120
_STARTS_S = 240


@dataclass
class Town:
    """A network of processes, its own database server, and everybody who pays in it."""

    directory: Path
    server: EmbeddedPostgres
    nodes: dict[str, NodeProcess]
    street: Street
    payers: list[Payer]
    tills: list[Till]
    diary: Diary
    wires: Wires | None = None
    disk: Path | None = None  # Where the database's own file system is, if it has one.
    read: dict[Path, int] = field(default_factory=dict)  # How far each log was read.
    keeps_logs: bool = False  # Something is wrong: who looks into it needs what the nodes and the database said.
    paused: list[NodeProcess] = field(default_factory=list)

    def complaints(self) -> list[str]:
        """What the nodes logged as errors beyond the faults themselves; what was read once is not read again."""
        found = []
        for log in sorted(self.directory.glob("*.log")):
            lines = log.read_bytes()[self.read.get(log, 0) :].decode(errors="replace")
            self.read[log] = log.stat().st_size
            for line in lines.splitlines():
                try:
                    said = json.loads(line)
                except ValueError:
                    said = {"event": line, "level": "error"}  # Nothing else writes there, so it is a traceback.
                if said["level"] == "error" and said["event"] not in _EXPECTED:
                    found.append(
                        f"{log.stem}: {line[:500]} ... {line[-2500:]}" if len(line) > 3000 else f"{log.stem}: {line}"
                    )
        return found

    def all_ready(self) -> None:
        for node in self.nodes.values():
            _until_ready(node)

    def still_up(self) -> list[str]:
        """Every node whose process has ended by itself."""
        return [
            f"{name} has ended: {node.log.read_text()[-2000:]}"
            for name, node in self.nodes.items()
            if node.process is None or node.process.poll() is not None
        ]

    def restart_database(self, how: signal.Signals) -> None:
        """SIGKILL is a crash, SIGQUIT PostgreSQL's immediate shutdown, SIGINT its fast one; the nodes stay up."""
        pid = self.server.postmaster_pid()
        assert pid is not None
        os.kill(pid, how)
        ends_at = time.monotonic() + _GOES_S
        while self.server.postmaster_pid() == pid and time.monotonic() < ends_at:
            time.sleep(0.02)
        self.server.start()  # Waits until it serves; who stopped it on purpose starts it again.

    # Another process for a node

    def take_over(self, name: str) -> NodeProcess:
        """Pause a node, and have a second process take it over; the first, paused as it is, is what is returned."""
        old = self.nodes[name]
        assert old.process is not None
        old.process.send_signal(signal.SIGSTOP)
        self.paused.append(old)
        (port,) = free_ports(1)
        new = NodeProcess(
            spec=msgspec.structs.replace(old.spec, url=f"http://127.0.0.1:{port}"),
            secrets=old.secrets,
            command=[*old.command, "--take-over"],
            environment={**old.environment, f"HUTONG_PORT_{name.upper()}": str(port)},
            log=self.directory / f"{name}-{port}.log",
        )
        new.start()
        _until_ready(new)
        self.nodes[name] = new
        new.command = old.command  # Whoever starts it again takes nothing from anybody.
        assert self.wires is not None
        for wire in self.wires.names:
            if wire.endswith(f">{name}"):
                self.wires[wire].lead_to(port)
        return old

    def wake(self, old: NodeProcess) -> int:
        """A process that was paused goes on, finds that it is not the writer any more, and ends; how it ended."""
        assert old.process is not None
        old.process.send_signal(signal.SIGCONT)
        try:
            return old.process.wait(_GOES_S)
        except subprocess.TimeoutExpired:
            old.kill()
            raise AssertionError(
                f"{old.spec.node} was taken over, and does not end: {old.log.read_text()[-2000:]}"
            ) from None
        finally:
            self.paused.remove(old)

    # A disk that is full

    def fill_disk(self) -> None:
        """Not a byte is left to the database."""
        assert self.disk is not None
        with suppress(OSError), (self.disk / "ballast").open("wb") as ballast:
            while True:
                ballast.write(b"\0" * 65_536)
                ballast.flush()

    def free_disk(self) -> None:
        """There is room again. A server that gave up is started, as its operator would."""
        assert self.disk is not None
        (self.disk / "ballast").unlink(missing_ok=True)
        self.server.start()


def _until_ready(node: NodeProcess) -> None:
    """As long as its process lives, it may take its time: the machine may be busy with others."""
    ends_at = time.monotonic() + _STARTS_S
    while True:
        try:
            node.until_ready()
        except Refusal:
            if node.process is None or node.process.poll() is not None or time.monotonic() > ends_at:
                raise
        else:
            return


@contextmanager
def own_disk(directory: Path) -> Iterator[Path | None]:
    """A small file system there, if we may mount one."""
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MIB}m,mode=0755", "tmpfs", str(directory)]
    mounted = (
        shutil.which("mount") is not None and subprocess.run(command, check=False, capture_output=True).returncode == 0
    )
    try:
        yield directory if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(directory)], check=True)


@contextmanager
def town_of(
    directory: Path, *, wired: bool = False, payers: int = 6, before: Callable[[Address], None] = lambda _: None
) -> Iterator[Town]:
    """
    Everything, running; `wired` puts proxies on every way and a disk of its own under the database.

    `before` the nodes first start, the database is somebody else's. When it ends by an error, or `keeps_logs`, what
    was logged and written down is kept, and where is said.
    """
    directory.mkdir()
    directory.chmod(0o711)
    kept = True
    pg_bin = Path(os.environ["PG_BIN"]) if os.environ.get("PG_BIN") else None
    with own_disk(directory / "disk") if wired else _no_disk() as disk:
        server = EmbeddedPostgres((disk or directory) / "pg", pg_bin=pg_bin)
        with server as address, this_checkout(), Wires() as wires:
            before(address)
            nodes = prepare(directory, NETWORK, address)
            doors = {name: Door(node.url, node.operator_token) for name, node in nodes.items()}
            if wired:
                _small_log(address)
                server.stop()
                server.start()
                _wire(directory, nodes, wires)
                doors = {name: Door(wires[f">{name}"].url, node.operator_token) for name, node in nodes.items()}
            town = Town(directory, server, nodes, Street(doors, address.url), [], [], Diary(directory / "diary.jsonl"))
            town.wires, town.disk = wires if wired else None, disk
            try:
                for node in nodes.values():
                    node.start()
                town.all_ready()
                _move_in(town, payers)
                yield town
                kept = town.keeps_logs
            finally:
                town.street.close()
                for paused in town.paused:
                    paused.kill()
                for node in reversed(town.nodes.values()):
                    node.stop()
                town.diary.close()
                if kept:
                    _keep_logs(directory, server.log)
    shutil.rmtree(directory, ignore_errors=True)


def _keep_logs(directory: Path, *more: Path) -> None:
    """Not below the run's own directory: that goes with it."""
    kept = Path(tempfile.mkdtemp(prefix="hutong-logs-", dir="/tmp"))
    for log in (*directory.glob("*.log"), *directory.glob("*.jsonl"), *more):
        with suppress(OSError):
            shutil.copy(log, kept)
    print(f"logs of nodes, database and clients: {kept}", file=sys.stderr)  # noqa: T201  # For who looks into it.


@contextmanager
def _no_disk() -> Iterator[None]:
    yield None


def _small_log(address: Address) -> None:
    """The server's log must fit on the small disk, and leave room for what is to be paid."""

    async def alter() -> None:
        connection = await asyncpg.connect(address.url)
        try:
            for setting in ("max_wal_size = '96MB'", "min_wal_size = '32MB'"):
                await connection.execute(f"ALTER SYSTEM SET {setting}")
        finally:
            await connection.close()

    asyncio.run(alter())


def _wire(directory: Path, nodes: dict[str, NodeProcess], wires: Wires) -> None:
    """Lay the wires, and give every node a description of the network in which the others are at their far ends."""
    port = {name: urlsplit(node.url).port or 0 for name, node in nodes.items()}
    for name in nodes:
        wires.lay(f">{name}", port[name])
    for name in nodes:
        for there in ("switch",) if name != "switch" else tuple(other for other in nodes if other != "switch"):
            wires.lay(f"{name}>{there}", port[there])
    for name, node in nodes.items():
        known = set(wires.names)
        specs = [
            msgspec.structs.replace(other.spec, url=wires[f"{name}>{there}"].url)
            if f"{name}>{there}" in known
            else other.spec
            for there, other in nodes.items()
        ]
        path = directory / f"network-{name}.toml"
        path.write_text(toml_of(Network(nodes=tuple(specs))), encoding="utf-8")
        node.command = [*node.command[:-1], str(path)]


def _move_in(town: Town, payers: int) -> None:
    town.payers += [town.street.payer(node, FUNDS) for node in ("jing", "wei") * (payers // 2)]
    town.tills += [town.street.till(node) for node in ("jing", "wei", "wei")]
    for payer in town.payers:
        town.diary.opened(payer, FUNDS)
