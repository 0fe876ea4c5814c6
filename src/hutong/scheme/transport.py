"""
How messages travel, as nodes see it: posted in batches, received in batches, and never promised.

A transport may lose messages, repeat them and change their order. Whoever is undecided asks again.
"""

import asyncio
from collections.abc import Callable

from hutong.runtime.journal import JournalHalted
from hutong.scheme.messages import AnyMessage

Receive = Callable[[str, list[AnyMessage]], None]  # (who sent them, the messages): called once for each batch.
Post = Callable[[str, list[AnyMessage]], None]  # (whom they are for, the messages): what a journal is given.
Deliver = Callable[[Callable[[], None]], None]


class MemoryNetwork:
    """
    The network of nodes that share a process: the same messages, unsigned because nothing leaves it.

    `deliver` runs a delivery: soon, by default. A simulation gives one that loses, repeats, delays and reorders.
    """

    def __init__(self, deliver: Deliver | None = None) -> None:
        self._deliver = deliver or _soon
        self._receivers: dict[str, Receive] = {}
        self.undelivered = 0  # Messages for nodes that were not there.

    def join(self, node_id: str, receive: Receive) -> None:
        """Have `receive` called with what is for this node, until it leaves; a node that joins again takes its place."""
        self._receivers[node_id] = receive

    def leave(self, node_id: str) -> None:
        """Lose what is on its way to this node, and what comes later."""
        self._receivers.pop(node_id, None)

    def post(self, sender: str) -> Post:
        """What the journal of `sender` posts with."""

        def post(peer: str, messages: list[AnyMessage]) -> None:
            if messages:
                self._deliver(lambda: self._arrive(sender, peer, messages))

        return post

    def _arrive(self, sender: str, recipient: str, messages: list[AnyMessage]) -> None:
        receive = self._receivers.get(recipient)
        try:
            if receive is not None:
                receive(sender, messages)
                return
        except JournalHalted:
            pass  # A node that starts again is as good as not there.
        self.undelivered += len(messages)


def _soon(delivery: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(delivery)
