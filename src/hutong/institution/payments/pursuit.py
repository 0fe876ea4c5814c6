"""
Nothing stays undecided for ever: who waits for a decision asks again, ever more slowly, until it comes.

Almost everything is decided long before it is asked for again, so the first round is a plain queue (every wait is equally
long) and only what outlives it costs a place in a heap.
"""

import heapq
from collections import deque
from collections.abc import Callable
from typing import Any

from hutong.kernel.clock import NS_PER_S, Clock
from hutong.ledger.transfer import Transfer

FIRST_WAIT_NS = 2 * NS_PER_S
WAIT_NS_MAX = 300 * NS_PER_S


class Undecided:
    """Something intended here whose outcome is not known yet, who waits to hear it, and how to ask again."""

    __slots__ = ("again", "answers", "attempts", "decided", "expires_ns", "held", "holds", "row", "then")

    def __init__(self, row: Any, again: Callable[["Undecided"], None], expires_ns: int) -> None:
        self.row = row
        self.again = again
        self.expires_ns = expires_ns
        self.answers: list[Callable[[Any, Any], None]] = []
        self.holds: list[Transfer] = []  # What the ledger holds for it, to be posted or voided.
        self.then: Callable[[Any, Any], None] | None = None  # Hears the outcome, whoever else waits.
        self.attempts = 0
        self.held = False  # The ledger has taken our hold.
        self.decided = False


class Pursuit:
    """The undecided things of a node, by when to ask again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._first: deque[tuple[int, Undecided]] = deque()
        self._later: list[tuple[int, int, Undecided]] = []
        self._pushed = 0  # Breaks ties: equal times must replay alike.

    def begin(self, undecided: Undecided) -> None:
        self._first.append((self._clock.now_ns() + FIRST_WAIT_NS, undecided))

    def due(self) -> list[Undecided]:
        """What is to be asked again now; each will come again after twice the time, at most `WAIT_NS_MAX`."""
        now = self._clock.now_ns()
        found = []
        while self._first and self._first[0][0] <= now:
            found.append(self._first.popleft()[1])
        while self._later and self._later[0][0] <= now:
            found.append(heapq.heappop(self._later)[2])
        found = [undecided for undecided in found if not undecided.decided]
        for undecided in found:
            undecided.attempts += 1
            wait = min(FIRST_WAIT_NS << min(undecided.attempts, 16), WAIT_NS_MAX)
            self._pushed += 1
            heapq.heappush(self._later, (now + wait, self._pushed, undecided))
        return found
