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

from hutong.app.code_gateway import GatewayReason, GatewaySettings, read_gateway
from hutong.app.host import Build, Machine, NodeHost
from hutong.app.logs import configure_logs
from hutong.app.network import NodeKind, NodeSpec, read_network
from hutong.app.peers import begin, connect, look_at_participants
from hutong.app.secrets import KEY_FOR_EVER_NS, NodeSecrets, node_secrets, secrets_path
from hutong.app.site import Connection, Site, rate_limits
from hutong.app.systemd import tell, tell_while_alive
from hutong.app.traces import tracing_of
from hutong.app.up import GC_THRESHOLDS, database_server, interruption, schema_of
from hutong.app.wiring import build_institution, build_switch, kinds_of
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import system_randomness
from hutong.runtime.database import Database
from hutong.runtime.settings import Settings
from hutong.scheme.messages import AnyMessage
from hutong.scheme.peer import Peer, PeerBook
from hutong.scheme.signature import KeyRing, PublicKey, Signer
from hutong.scheme.transport import Receive

log = structlog.get_logger()


async def serve(settings: Settings, network_path: Path, node_id: str, *, take_over: bool = False) -> None:
    """
    Serve one node until interrupted. Raises what its first start raises.

    Refuses:  CODE_GATEWAY_MISSING, for an institution whose one-time codes nobody would get.
    """
    followed = Followed(settings, network_path, node_id)
    spec = followed.network.node(node_id)
    gateway = _gateway(settings, spec)
    gc.set_threshold(*GC_THRESHOLDS)
    with database_server(settings) as address:
        secrets = node_secrets(settings.data_directory, spec.node, system_randomness(), settings.secrets_key)
        site = Site(spec, secrets, settings.host, settings.ports.get(spec.node, 0), rate_limits(settings), gateway)
        site.two_person = settings.two_person is not False
        site.tracing, site.logs_ends = tracing_of(settings, spec.node), settings.log_level == "debug"
        database = Database(address, schema_of(spec.node))
        host = NodeHost(
            spec.node,
            database,
            kinds_of(spec),
            _build(site, followed),
            take_over=take_over,
            drain_notice_s=settings.drain_notice_s,
        )
        await host.start()
        gc.collect()
        gc.freeze()
        log.info("serving", node=spec.node, url=site.url)
        tell("READY=1")
        alive = asyncio.create_task(tell_while_alive())
        interrupted = asyncio.create_task(interruption().wait())
        host.ended.add_done_callback(lambda _: interrupted.cancel())
        try:
            await asyncio.gather(interrupted, return_exceptions=True)
        finally:
            tell("STOPPING=1")
            await host.stop()
            alive.cancel()


def run(settings: Settings, node_id: str, network_path: Path, *, take_over: bool = False) -> None:
    """As `serve`, from the command line."""
    import uvloop

    configure_logs(level=settings.log_level or "info", form=settings.log_format)
    uvloop.run(serve(settings, network_path, node_id, take_over=take_over))


def public_keys(secrets: NodeSecrets) -> list[str]:
    """The node's public keys as a network's description names them."""
    return [f"{key.key_id}:{key.secret().public().public_key.hex()}" for key in secrets.signing_keys]


def _gateway(settings: Settings, spec: NodeSpec) -> GatewaySettings | None:
    if spec.kind is NodeKind.SWITCH:
        return None
    if settings.code_gateway_url:
        return read_gateway(settings.code_gateway_url, settings.code_gateway_secret)
    if not settings.show_codes:
        say = "HUTONG_CODE_GATEWAY_URL and HUTONG_CODE_GATEWAY_SECRET; for development HUTONG_SHOW_CODES=true"
        raise Refusal(GatewayReason.CODE_GATEWAY_MISSING, node=spec.node, say=say)
    log.warning("one_time_codes_are_shown", node=spec.node)
    return None


class Followed:
    """What an operator may change while a node runs, in its files: its signing keys, and the switch's in the description."""

    def __init__(self, settings: Settings, network_path: Path, node_id: str) -> None:
        self._settings = settings
        self._node_id = node_id
        self._network_path = network_path
        self._secrets_path = secrets_path(settings.data_directory, node_id)
        # Before they are read, so that no change is missed.
        self._seen = {path: _mark(path) for path in (self._network_path, self._secrets_path)}
        self.network = read_network(network_path)  # As last read: a node that starts again goes by it, too.

    def network_changed(self) -> bool:
        """Whether the description changed: then it was read again. Refuses what `read_network` refuses."""
        if not self._changed(self._network_path):
            return False
        self.network = read_network(self._network_path)
        return True

    def secrets(self) -> NodeSecrets | None:
        """The node's secrets, if they changed. Refuses what `node_secrets` refuses."""
        if not self._changed(self._secrets_path):
            return None
        directory, key = self._settings.data_directory, self._settings.secrets_key
        return node_secrets(directory, self._node_id, system_randomness(), key)

    def _changed(self, path: Path) -> bool:
        """Whether the file is another than when last asked, or than when the node started."""
        mark = _mark(path)
        known, self._seen[path] = self._seen[path], mark
        return mark not in {known, None}


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_mtime_ns, stat.st_ino


def _build(site: Site, followed: Followed) -> Build:
    if site.spec.kind is NodeKind.INSTITUTION:

        def to_switch(machine: Machine, receive: Receive, stack: AsyncExitStack) -> Connection:
            book = PeerBook([_peer(followed.network.switch)])
            connection, signer = connect(site, book, machine, receive, stack)

            def look() -> None:
                _look_at_keys(site, followed, signer)
                if followed.network_changed():
                    book.put(_peer(followed.network.switch))
                    log.info("network_description_changed", node=site.spec.node)

            return replace(connection, begin=lambda: begin(look, stack))

        return build_institution(site, followed.network, to_switch, private_webhooks=False)

    book = PeerBook()

    def to_participants(machine: Machine, receive: Receive, stack: AsyncExitStack) -> Connection:
        connection, signer = connect(site, book, machine, receive, stack)

        def look() -> None:
            look_at_participants(site, book)
            _look_at_keys(site, followed, signer)

        def post(peer: str, messages: list[AnyMessage]) -> None:
            if book.find(peer) is None:  # A start takes up what was undecided, before anybody has looked.
                look_at_participants(site, book)
            connection.post(peer, messages)

        # It looks before it listens: who comes first must not be told that it is a stranger.
        return replace(connection, begin=lambda: begin(look, stack), post=post)

    return build_switch(site, followed.network, to_participants)


def _look_at_keys(site: Site, followed: Followed, signer: Signer) -> None:
    secrets = followed.secrets()
    if secrets is not None:
        site.secrets = secrets  # For the node's next life, should its journal halt.
        signer.take([key.secret() for key in secrets.signing_keys])
        log.info("signing_keys_changed", node=site.spec.node, keys=[key.key_id for key in secrets.signing_keys])


def _peer(spec: NodeSpec) -> Peer:
    keys = []
    for key in spec.public_keys:
        key_id, _, public_key = key.partition(":")
        keys.append(PublicKey(key_id, bytes.fromhex(public_key), 0, KEY_FOR_EVER_NS))
    return Peer(spec.node, spec.url, KeyRing(keys))
