"""What a node does once a day."""

from collections.abc import Callable, Coroutine
from typing import Any

from hutong.kernel.clock import NS_PER_S
from hutong.runtime.node import NodeRuntime

_DAY_NS = 86_400 * NS_PER_S


class Daily:
    """
    An errand begun with the first tick of each day, in UTC.

    A node that was down as the day began catches up with its first tick; days it was down for whole are not made up
    for. Who has done it before says so with `was_done`: from rows, so that a restart does not do a day's twice.
    """

    def __init__(self, node: NodeRuntime, errand: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self._node = node
        self._errand = errand
        self._next_ns = 0

    def was_done(self, at_ns: int) -> None:
        """That day needs no other."""
        self._next_ns = (at_ns // _DAY_NS + 1) * _DAY_NS

    def tick(self) -> None:
        now_ns = self._node.clock.now_ns()
        if now_ns >= self._next_ns:
            self.was_done(now_ns)
            self._node.spawn(self._run())

    async def _run(self) -> None:
        await self._errand()
