"""What every service of a node is given: who the node is, its time, its chance and where it writes."""

from dataclasses import dataclass

from hutong.kernel.clock import Clock
from hutong.kernel.ids import IdMint, Randomness
from hutong.runtime.journal import Journal
from hutong.runtime.tables import Store


@dataclass(frozen=True, slots=True)
class NodeRuntime:
    """The machine as a service may see it. Wired in `app`; a test wires a manual clock and a memory journal."""

    node_id: str
    clock: Clock
    randomness: Randomness
    mint: IdMint
    journal: Journal
    store: Store
