"""Signed HTTP between nodes, wired: a node's place among those its book knows, and the switch's book by its rows."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import structlog

from hutong.app.host import Machine
from hutong.app.network import NodeKind
from hutong.app.site import Connection, Site
from hutong.kernel.errors import Refusal
from hutong.scheme.http_clearing_files import HttpClearingFiles
from hutong.scheme.http_transport import HttpTransport
from hutong.scheme.peer import Peer, PeerBook
from hutong.scheme.signature import KeyRing, PublicKey, ReplayGuard, Signer, Verifier
from hutong.scheme.transport import Receive
from hutong.switch.admission import AdmissionService

log = structlog.get_logger()
_LOOK_S = 1.0  # How soon a key or an address that the switch's operator changed counts.


def connect(
    site: Site, book: PeerBook, machine: Machine, receive: Receive, stack: AsyncExitStack
) -> tuple[Connection, Signer]:
    """Post to and hear whom the book knows, by signed envelopes."""
    node = machine.node
    signer = Signer(node.node_id, [key.secret() for key in site.secrets.signing_keys], node.clock, node.randomness)
    guard = ReplayGuard(node.clock.now_ns())
    verifier = Verifier(node.node_id, book.keys_of, node.clock, guard)
    transport = HttpTransport(node.node_id, book, signer, verifier, node.randomness, receive)
    stack.callback(transport.close)

    def keyless() -> list[str]:
        now_ns = node.clock.now_ns()
        return sorted(
            peer
            for peer in book.known()
            if not any(key.is_valid(now_ns) for key in getattr(book.keys_of(peer), "keys", {}).values())
        )

    is_switch = site.spec.kind is NodeKind.SWITCH
    connection = Connection(
        transport.post,
        transport.hot(),
        links=transport.links,
        keyless=keyless,
        verify=verifier.verify,
        files=None if is_switch else HttpClearingFiles(_switch_of(book), book, signer),
    )
    return connection, signer


def _switch_of(book: PeerBook) -> str:
    """An institution knows the switch and nobody else."""
    (switch,) = book.known()
    return switch


def begin(look: Callable[[], None], stack: AsyncExitStack) -> None:
    """Look now and every second: before the node listens, so that who comes first is no stranger."""
    look()
    watching = asyncio.create_task(_watch(look))
    stack.callback(watching.cancel)


async def _watch(look: Callable[[], None]) -> None:
    """Keep the book and the keys as rows and files say. A file that can't be read changes nothing."""
    while True:
        await asyncio.sleep(_LOOK_S)
        try:
            look()
        except (Refusal, OSError) as error:
            log.error("change_not_taken_up", error=str(error))  # noqa: TRY400  # It says all there is.


def look_at_participants(site: Site, book: PeerBook) -> None:
    """Keep the switch's book as its rows say: who has an address, and how they sign."""
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
        if participant.url and not participant.has_left
    }
