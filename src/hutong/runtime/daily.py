"""What a node does once a day, and day by day."""

from collections.abc import Callable, Coroutine
from typing import Any

from hutong.kernel.clock import NS_PER_DAY
from hutong.runtime.node import NodeRuntime

MISSED_DAYS = 366  # A node that was down for longer has other things to look after.


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
        self._next_ns = (at_ns // NS_PER_DAY + 1) * NS_PER_DAY

    def tick(self) -> None:
        now_ns = self._node.clock.now_ns()
        if now_ns >= self._next_ns:
            self.was_done(now_ns)
            self._node.spawn(self._run())

    async def _run(self) -> None:
        await self._errand()


class DueDays:
    """
    An errand for each day, in UTC, on which something of the rows comes due: with that day's first tick. After a restart also
    for days before, of which rows must show what was done already: `MISSED_DAYS`, or those behind `were_done`.

    A day whose errand raises is begun again with the next tick, and no later one before it.
    """

    def __init__(self, node: NodeRuntime, errand: Callable[[int], Coroutine[Any, Any, object]]) -> None:
        self._node = node
        self._errand = errand
        self._until = 0  # The day up to which all was done; 0: not known.
        self._running = False

    def were_done(self, day: int) -> None:
        """That day and all before it need no errand."""
        self._until = day

    def tick(self) -> None:
        today = self._node.clock.now_ns() // NS_PER_DAY
        if today != self._until and not self._running:
            self._running = True
            self._node.spawn(self._run(today))

    async def _run(self, today: int) -> None:
        try:
            for day in range(self._until + 1 if self._until else today - MISSED_DAYS, today + 1):
                await self._errand(day)
                self._until = day
            self._until = today  # Also where the clock was put back.
        finally:
            self._running = False
