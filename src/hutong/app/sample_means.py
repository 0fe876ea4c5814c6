"""What samples have to live by: clients of the nodes' APIs, and what they were given there."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from hutong.app.node_client import NodeClient, NodeRefused
from hutong.app.put_clock import PutClock
from hutong.app.up import RunningNetwork
from hutong.app.wallet import Wallet
from hutong.kernel.ids import PART_BITS, RANDOM_BITS, IdMint, derive, id_text, system_randomness

_ROOT = 1 << RANDOM_BITS
_INSTANTS = 1_000_000_000


@dataclass(slots=True)
class Means:
    """Of everybody in the samples: wallets by `Resident.key`, what shops have by `Stall.key`."""

    network: RunningNetwork
    clock: PutClock
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    clients: list[NodeClient] = field(default_factory=list)
    wallets: dict[str, Wallet] = field(default_factory=dict)
    tills: dict[str, NodeClient] = field(default_factory=dict)
    merchants: dict[str, str] = field(default_factory=dict)
    shops: dict[str, str] = field(default_factory=dict)
    plates: dict[str, str] = field(default_factory=dict)
    mint: IdMint = field(init=False)
    _operators: dict[str, NodeClient] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.mint = IdMint(self.clock, system_randomness())

    def id_of(self, prefix: str, label: str) -> str:
        """
        The same at each start: what was done under it is not done again.

        Each says another instant: devices of one instant are one browser's, and two people's who share it look like collusion.
        """
        instant = 1 + (derive(_ROOT, label) >> PART_BITS) % _INSTANTS
        return id_text(prefix, derive(instant << RANDOM_BITS, label))

    def new_id(self, prefix: str) -> str:
        return id_text(prefix, self.mint.mint())

    def client(self, node: str, token: str = "") -> NodeClient:
        """A client of a node, closed when everything is lived."""
        site = self.network[node].site
        known = {} if site.moving_in is None else site.moving_in.headers
        self.clients.append(NodeClient(site.url, token, headers=known))
        return self.clients[-1]

    def operator(self, node: str) -> NodeClient:
        """The same in the operator's name: one for all, since to make one costs more than to ask."""
        if node not in self._operators:
            self._operators[node] = self.client(node, self.network[node].operator_token)
        return self._operators[node]


async def done_before(reason: str, asking: Awaitable[Any]) -> None:
    """What can be done once, and is refused by this name when it was."""
    try:
        await asking
    except NodeRefused as no:
        if no.reason != reason:
            raise
