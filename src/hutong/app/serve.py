"""
One node per process: the same software as in `up`, with signed HTTP between the nodes.

The network's description names every node's address and public keys. An institution knows the switch by it and
nobody else; the switch admits the others by it, and from then on its own rows say who they are and how they sign.
"""

import asyncio
import gc
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import structlog

from hutong.app.host import Build, Machine, NodeHost
from hutong.app.logs import configure_logs
from hutong.app.network import Network, NodeKind, NodeSpec, read_network
from hutong.app.secrets import KEY_FOR_EVER_NS, NodeSecrets, node_secrets
from hutong.app.up import GC_THRESHOLDS, database_server, schema_of, until_interrupted
from hutong.app.wiring import Connection, Site, build_institution, build_switch, kinds_of
from hutong.kernel.ids import system_randomness
from hutong.runtime.database import Database
from hutong.runtime.settings import Settings
from hutong.scheme.http_clearing_files import HttpClearingFiles
from hutong.scheme.http_transport import HttpTransport
from hutong.scheme.peer import Peer, PeerBook
from hutong.scheme.signature import KeyRing, PublicKey, ReplayGuard, Signer, Verifier
from hutong.scheme.transport import Receive
from hutong.switch.admission import AdmissionService

log = structlog.get_logger()
_LOOK_S = 1.0  # How soon a key or an address that the switch's operator changed counts.


async def serve(settings: Settings, network: Network, node_id: str, *, take_over: bool = False) -> None:
    """Serve one node until interrupted. Raises what its first start raises."""
    spec = network.node(node_id)
    gc.set_threshold(*GC_THRESHOLDS)
    with database_server(settings) as address:
        secrets = node_secrets(settings.data_directory, spec.node, system_randomness())
        site = Site(spec, secrets, settings.host, settings.ports.get(spec.node, 0))
        database = Database(address, schema_of(spec.node))
        host = NodeHost(spec.node, database, kinds_of(spec), _build(site, network), take_over=take_over)
        await host.start()
        gc.collect()
        gc.freeze()
        log.info("serving", node=spec.node, url=site.url)
        interrupted = asyncio.create_task(until_interrupted())
        host.ended.add_done_callback(lambda _: interrupted.cancel())
        try:
            await asyncio.gather(interrupted, return_exceptions=True)
        finally:
            await host.stop()


def run(settings: Settings, node_id: str, network_path: Path, *, take_over: bool = False) -> None:
    """As `serve`, from the command line."""
    import uvloop

    configure_logs()
    uvloop.run(serve(settings, read_network(network_path), node_id, take_over=take_over))


def public_keys(secrets: NodeSecrets) -> list[str]:
    """The node's public keys as a network's description names them."""
    return [f"{key.key_id}:{key.secret().public().public_key.hex()}" for key in secrets.signing_keys]


def _build(site: Site, network: Network) -> Build:
    if site.spec.kind is NodeKind.INSTITUTION:

        def to_switch(machine: Machine, receive: Receive, stack: AsyncExitStack) -> Connection:
            return _connect(site, PeerBook([_peer(network.switch)]), machine, receive, stack)

        return build_institution(site, network, to_switch, private_webhooks=False)

    book = PeerBook()

    def to_participants(machine: Machine, receive: Receive, stack: AsyncExitStack) -> Connection:
        def begin() -> None:
            # Before it listens: who comes first must not be told that it is a stranger.
            _look(site, book)
            watching = asyncio.create_task(_watch(site, book))
            stack.callback(watching.cancel)

        return replace(_connect(site, book, machine, receive, stack), begin=begin)

    return build_switch(site, network, to_participants)


def _connect(site: Site, book: PeerBook, machine: Machine, receive: Receive, stack: AsyncExitStack) -> Connection:
    node = machine.node
    signer = Signer(node.node_id, [key.secret() for key in site.secrets.signing_keys], node.clock, node.randomness)
    guard = ReplayGuard(node.clock.now_ns())
    verifier = Verifier(node.node_id, book.keys_of, node.clock, guard)
    transport = HttpTransport(node.node_id, book, signer, verifier, node.randomness, receive)
    stack.callback(transport.close)
    files = None if site.spec.kind is NodeKind.SWITCH else HttpClearingFiles(_switch_of(book), book, signer)
    return Connection(transport.post, transport.hot(), verify=verifier.verify, files=files)


def _switch_of(book: PeerBook) -> str:
    """An institution knows the switch and nobody else."""
    (switch,) = book.known()
    return switch


async def _watch(site: Site, book: PeerBook) -> None:
    """Keep the book as the switch's rows say."""
    while True:
        await asyncio.sleep(_LOOK_S)
        _look(site, book)


def _look(site: Site, book: PeerBook) -> None:
    peers = _participants(site.node.admission)
    for node_id in book.known() - peers.keys():
        book.remove(node_id)
    for node_id, peer in peers.items():
        known = book.find(node_id)
        if known is None or (known.url, known.keys.keys) != (peer.url, peer.keys.keys):
            book.put(peer)


def _participants(admission: AdmissionService) -> dict[str, Peer]:
    keys: dict[str, list[PublicKey]] = {}
    for key in admission.keys():  # noqa: SIM118  # Not a dict: the rows.
        public = PublicKey(key.key_id, key.public_key, key.valid_from_ns, key.valid_until_ns)
        keys.setdefault(key.node_id, []).append(public)
    return {
        participant.node_id: Peer(participant.node_id, participant.url, KeyRing(keys.get(participant.node_id, ())))
        for participant in admission.participants()
        if participant.url
    }


def _peer(spec: NodeSpec) -> Peer:
    keys = []
    for key in spec.public_keys:
        key_id, _, public_key = key.partition(":")
        keys.append(PublicKey(key_id, bytes.fromhex(public_key), 0, KEY_FOR_EVER_NS))
    return Peer(spec.node, spec.url, KeyRing(keys))
