"""The network between nodes: it loses, repeats, delays and reorders what is posted, and is cut at times."""

from collections import Counter
from collections.abc import Callable

from hutong.kernel.ids import SeededRandomness
from hutong.scheme.messages import AnyMessage
from hutong.scheme.transport import MemoryNetwork, Post
from hutong.simulation.faults import WIRE_NS, Fault, Plan
from hutong.simulation.loop import VirtualLoop

Heard = Callable[[str, str, list[AnyMessage]], None]


class LossyNetwork(MemoryNetwork):
    """`heard` is told what a node says, in the instant in which it leaves."""

    def __init__(
        self, loop: VirtualLoop, chance: SeededRandomness, plan: Plan, faults: Counter[Fault], heard: Heard
    ) -> None:
        super().__init__()
        self.plan = plan
        self._loop = loop
        self._chance = chance
        self._faults = faults
        self._heard = heard
        self._cut: dict[tuple[str, str], int] = {}  # From, to: until when.
        self.on_the_way = 0
        self.sent = 0

    def post(self, sender: str) -> Post:
        def post(peer: str, messages: list[AnyMessage]) -> None:
            self.sent += len(messages)
            self._heard(sender, peer, messages)
            if len(messages) > 1 and self.plan.tear and self._chance.random() < self.plan.tear:
                self._faults[Fault.REORDER] += 1
                for message in messages:
                    self._send(sender, peer, [message])
            elif messages:
                self._send(sender, peer, messages)

        return post

    def cut(self, sender: str, recipient: str, until_ns: int) -> None:
        """Lose everything in this direction until then."""
        self._cut[sender, recipient] = until_ns

    def heal(self) -> None:
        """Let everything through from now on."""
        self._cut.clear()

    def _send(self, sender: str, peer: str, messages: list[AnyMessage]) -> None:
        plan, chance = self.plan, self._chance
        if self._cut and self._cut.get((sender, peer), 0) > self._loop.clock.ns:
            self.undelivered += len(messages)
            return
        if plan.loss and chance.random() < plan.loss:
            self._faults[Fault.LOSS] += len(messages)
            return
        self._carry(sender, peer, messages)
        if plan.repeat and chance.random() < plan.repeat:
            self._faults[Fault.REPEAT] += len(messages)
            self._carry(sender, peer, messages)

    def _carry(self, sender: str, peer: str, messages: list[AnyMessage]) -> None:
        plan, chance = self.plan, self._chance
        wait_ns = chance.randint(*WIRE_NS)
        if plan.late and chance.random() < plan.late:
            self._faults[Fault.DELAY] += len(messages)
            wait_ns = chance.randint(wait_ns, plan.late_ns_max)
        self.on_the_way += 1
        self._loop.after(wait_ns, lambda: self._deliver_now(sender, peer, messages))

    def _deliver_now(self, sender: str, peer: str, messages: list[AnyMessage]) -> None:
        self.on_the_way -= 1
        self._arrive(sender, peer, messages)
