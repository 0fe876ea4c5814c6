"""
A whole network in one process: every node with its own schema, journal, ledger and port.

Messages between the nodes do not leave the process, so they are not signed; everything else is as it is between
machines. Others' nodes may join all the same: the switch takes and sends signed envelopes, too.
"""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hutong.app.host import Machine, NodeHost
from hutong.app.moving_in import MovingIn
from hutong.app.network import Network, NodeKind, NodeSpec
from hutong.app.peers import begin, connect, look_at_participants
from hutong.app.sandbox import NodeSandbox
from hutong.app.sandbox_clock import SandboxClock
from hutong.app.secrets import node_secrets
from hutong.app.site import Connection, Site, rate_limits
from hutong.app.traces import tracing_of
from hutong.app.wiring import build_institution, build_switch, kinds_of
from hutong.kernel.clock import Clock
from hutong.kernel.ids import system_randomness
from hutong.runtime.address import Address
from hutong.runtime.database import Database
from hutong.runtime.embedded import EmbeddedPostgres
from hutong.runtime.http_server import TlsDoor
from hutong.runtime.settings import Settings
from hutong.runtime.shelf import decided
from hutong.scheme.messages import AnyMessage
from hutong.scheme.peer import PeerBook
from hutong.scheme.transport import MemoryNetwork, Receive

# Rows kept in memory are many and live long: looking through them all for garbage would stop the node for
# hundreds of milliseconds, so young objects are looked at in larger lots, and what start-up made not at all.
GC_THRESHOLDS = (50_000, 20, 100)


@dataclass(frozen=True, slots=True)
class Trial:
    """That a network is for trying out, and what is different in it then."""

    clock: Clock | None = None
    ahead: SandboxClock | None = None  # What `clock` goes by, where it can be put forward.
    lan: TlsDoor | None = None
    moving_in: MovingIn | None = None


@dataclass(frozen=True, slots=True)
class RunningNode:
    """One node that serves, as whoever runs the network sees it."""

    site: Site
    host: NodeHost

    @property
    def node_id(self) -> str:
        return self.site.spec.node

    @property
    def url(self) -> str:
        return self.site.url

    @property
    def operator_token(self) -> str:
        return self.site.secrets.operator_token


@dataclass(frozen=True, slots=True)
class RunningNetwork:
    """The network, up."""

    nodes: dict[str, RunningNode]
    directory: Path

    def __getitem__(self, node_id: str) -> RunningNode:
        return self.nodes[node_id]


@contextmanager
def database_server(settings: Settings) -> Iterator[Address]:
    """The configured server, or an embedded one below the data directory for as long as it is used."""
    if settings.database is not None:
        yield settings.database
        return
    with embedded_server(settings) as address:
        yield address


def embedded_server(settings: Settings) -> EmbeddedPostgres:
    """The server below the data directory."""
    return EmbeddedPostgres(settings.data_directory / "postgres", pg_bin=settings.pg_bin, archive=settings.wal_archive)


@asynccontextmanager
async def running_network(
    settings: Settings, network: Network, address: Address, trial: Trial | None = None
) -> AsyncIterator[RunningNetwork]:
    """
    Bring the network up, the switch first; take it down in the reverse order.

    On `trial` its pages show what is texted, and who can be signed in as: never for money.
    """
    memory = MemoryNetwork()
    gc.set_threshold(*GC_THRESHOLDS)
    async with AsyncExitStack() as stack:
        nodes: dict[str, RunningNode] = {}
        for spec in (network.switch, *network.institutions):
            running = _node(settings, network, spec, address, memory, nodes, trial)
            await running.host.start()
            stack.push_async_callback(running.host.stop)
            nodes[spec.node] = running
        gc.collect()
        gc.freeze()
        yield RunningNetwork(nodes, settings.data_directory)


def interruption() -> asyncio.Event:
    """Set by Ctrl-C, or a polite request to end: from now on they end nothing by themselves."""
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    return interrupted


class OwnClearingFiles:
    """A node's clearing files from a switch in the same process."""

    def __init__(self, switch: Site, node_id: str) -> None:
        self._switch = switch
        self._node_id = node_id

    async def fetch(self, window: str) -> AsyncIterator[bytes]:
        """Refuses WINDOW_UNKNOWN, WINDOW_NOT_CLOSED."""
        switch = self._switch.node
        closed = await decided(switch.node.journal, lambda: switch.windows.closed_window(window))
        async for piece in switch.cleared.clearing_file(closed, self._node_id):
            yield piece


def schema_of(node_id: str) -> str:
    """The schema a node keeps its rows in."""
    return node_id.replace("-", "_")


def _node(
    settings: Settings,
    network: Network,
    spec: NodeSpec,
    address: Address,
    memory: MemoryNetwork,
    nodes: dict[str, RunningNode],
    trial: Trial | None,
) -> RunningNode:
    secrets = node_secrets(settings.data_directory, spec.node, system_randomness(), settings.secrets_key)
    site = Site(spec, secrets, settings.host, settings.ports.get(spec.node, 0), rate_limits(settings))
    if trial is not None:
        site.lan, site.moving_in, site.clock = trial.lan, trial.moving_in, trial.ahead
        site.sandbox = NodeSandbox(site.codes, secrets.operator_token)
        site.neighbours = lambda: [node.site for node in nodes.values()]
    site.two_person = settings.two_person is True
    site.tracing, site.logs_ends = tracing_of(settings, spec.node), settings.log_level == "debug"

    def in_this_process(_machine: Machine, receive: Receive, stack: AsyncExitStack) -> Connection:
        def join() -> None:
            # Not before the node has started: what comes earlier would meet accounts that are not open yet.
            memory.join(spec.node, receive)
            stack.callback(memory.leave, spec.node)

        return Connection(memory.post(spec.node), begin=join)

    def to_participants(machine: Machine, receive: Receive, stack: AsyncExitStack) -> Connection:
        """The switch also speaks with who was admitted with an address: others' nodes, elsewhere."""
        book = PeerBook()
        inside = in_this_process(machine, receive, stack)
        outside, _ = connect(site, book, machine, receive, stack)

        def post(peer: str, messages: list[AnyMessage]) -> None:
            (inside if book.find(peer) is None else outside).post(peer, messages)

        def join() -> None:
            begin(lambda: look_at_participants(site, book), stack)
            inside.begin()

        return replace(outside, post=post, begin=join)

    def to_switch(machine: Machine, receive: Receive, stack: AsyncExitStack) -> Connection:
        files = OwnClearingFiles(nodes[network.switch.node].site, spec.node)
        return replace(in_this_process(machine, receive, stack), files=files)

    if spec.kind is NodeKind.SWITCH:
        build = build_switch(site, network, to_participants)
    else:
        build = build_institution(site, network, to_switch, private_webhooks=True)
    database = Database(address, schema_of(spec.node))
    return RunningNode(
        site, NodeHost(spec.node, database, kinds_of(spec), build, clock=None if trial is None else trial.clock)
    )
