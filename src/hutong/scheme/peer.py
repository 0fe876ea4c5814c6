"""The nodes a node exchanges messages with: where each listens, and the keys it signs with."""

from collections.abc import Iterable
from dataclasses import dataclass

from hutong.scheme.signature import KeyRing


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node: where it takes messages (`https://host:port`) and how to know that it sent one."""

    node_id: str
    url: str
    keys: KeyRing


class PeerBook:
    """The peers known now. A key that comes or goes replaces the whole entry; the next envelope goes by it."""

    def __init__(self, peers: Iterable[Peer] = ()) -> None:
        self._peers = {peer.node_id: peer for peer in peers}

    def put(self, peer: Peer) -> None:
        self._peers[peer.node_id] = peer

    def remove(self, node_id: str) -> None:
        self._peers.pop(node_id, None)

    def find(self, node_id: str) -> Peer | None:
        return self._peers.get(node_id)

    def known(self) -> set[str]:
        """Everybody in it, by name."""
        return set(self._peers)

    def keys_of(self, node_id: str) -> KeyRing | None:
        """The keys a node's envelopes may be signed with; None for one we do not know."""
        peer = self._peers.get(node_id)
        return None if peer is None else peer.keys
