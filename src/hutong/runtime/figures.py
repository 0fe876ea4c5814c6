"""
What a node counts of itself while it works: plain integers, read when somebody asks (`runtime.metrics`).

Nothing here knows Prometheus, locks or formats anything: counting one thing is an addition or two.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

_NS_SHIFT: Final = 16  # The first bucket of times ends at 65.536 microseconds, each next one at twice the last.
_BUCKETS: Final = 22  # The last that has an end ends at 68.7 s (for times), at 1,048,576 (for counts).
_REASONS_MAX: Final = 200  # Peers name reasons, too: what they make up must not fill memory.
OTHER: Final = "OTHER"
SAMPLED: Final = 16  # One hot request in so many is timed.

# Told of something that ended: its id, when it began and ended, whether it completed, and why not.
Trace = Callable[[int, int, int, bool, str], None]


class Buckets:
    """A histogram whose buckets double. Observing costs a shift, a bit length and two additions."""

    __slots__ = ("_shift", "counts", "total")

    def __init__(self, shift: int) -> None:
        self._shift = shift
        self.counts = [0] * (_BUCKETS + 1)
        self.total = 0

    @classmethod
    def of_times(cls) -> "Buckets":
        """For nanoseconds."""
        return cls(_NS_SHIFT)

    @classmethod
    def of_counts(cls) -> "Buckets":
        """For numbers of things."""
        return cls(0)

    def observe(self, value: int) -> None:
        """Count one. A clock that was put back gives a time below zero: that counts as none."""
        if value < 0:  # noqa: PLR1730  # A call would cost as much as all of this.
            value = 0
        index = (value >> self._shift).bit_length()
        self.counts[index if index < _BUCKETS else _BUCKETS] += 1  # noqa: FURB136  # As above.
        self.total += value

    def cumulative(self, unit: int = 1) -> list[tuple[str, int]]:
        """What Prometheus wants: of each bucket its end, in `unit`s, and how many are at or below it."""
        seen, found = 0, []
        for index, count in enumerate(self.counts):
            seen += count
            end = (1 << index + self._shift) - 1
            found.append((f"{end / unit:.6g}" if index < _BUCKETS else "+Inf", seen))
        return found


class Outcomes:
    """How things of one kind ended since the process began: payments, receipts, refunds, returns, clearings."""

    __slots__ = ("completed", "rejected", "times", "told")

    def __init__(self) -> None:
        self.completed = 0
        self.rejected: Counter[str] = Counter()  # By the name of the reason.
        self.times = Buckets.of_times()  # From the intent to the decision.
        self.told: tuple[Trace, ...] = ()

    def ended(self, id_: int, began_ns: int, ended_ns: int, *, completed: bool, reason: str = "") -> None:
        """Count one that ended."""
        if completed:
            self.completed += 1
        else:
            self.refused(reason)
        self.times.observe(ended_ns - began_ns)
        for trace in self.told:
            trace(id_, began_ns, ended_ns, completed, reason)

    def refused(self, reason: str) -> None:
        """Count one that was never begun, or whose beginning nobody remembers."""
        self.rejected[reason if reason in self.rejected or len(self.rejected) < _REASONS_MAX else OTHER] += 1


class HttpFigures:
    """What a server answered: hot endpoints by status, everything else by group of routes, too."""

    __slots__ = ("answers", "hot", "hot_seen", "hot_times", "times")

    def __init__(self) -> None:
        self.hot_seen = 0  # Requests to hot endpoints.
        self.hot: Counter[int] = Counter()  # By status.
        self.hot_times = Buckets.of_times()
        self.answers: Counter[tuple[str, int]] = Counter()  # By group and status.
        self.times: dict[str, Buckets] = {}  # By group.

    def answered(self, group: str, status: int, took_ns: int) -> None:
        """Count one answer of the application."""
        self.answers[group, status] += 1
        times = self.times.get(group)
        if times is None:
            times = self.times[group] = Buckets.of_times()
        times.observe(took_ns)


class JournalFigures:
    """What a journal committed."""

    __slots__ = ("rows", "rows_per_commit", "times")

    def __init__(self) -> None:
        self.rows = 0
        self.rows_per_commit = Buckets.of_counts()
        self.times = Buckets.of_times()  # From the sending of a commit to its answer.

    def committed(self, rows: int, took_ns: int) -> None:
        """Count one commit."""
        self.rows += rows
        self.rows_per_commit.observe(rows)
        self.times.observe(took_ns)
