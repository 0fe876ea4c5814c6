"""
The switch's pulse: how many payments it decided a second lately, and how long they took.

Read off the figures it keeps anyway, once a second by the timer: a payment costs nothing more.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hutong.kernel.clock import NS_PER_S, Clock
from hutong.runtime.figures import Outcomes

KEPT_S = 300
_FIRST_NS = 1 << 16  # Where the first bucket of times ends; each next one ends at twice the last.


@dataclass(frozen=True, slots=True)
class Pulse:
    """Of some seconds: what was decided, and how long half and nearly all of it took at most; 0 where nothing was."""

    decided: int
    passed_ns: int
    rejected: int
    p50_ns: int
    p99_ns: int

    @property
    def per_s_tenths(self) -> int:
        """Tenths of a payment a second."""
        return self.decided * 10 * NS_PER_S // max(self.passed_ns, NS_PER_S)


@dataclass(frozen=True, slots=True)
class _Sample:
    at_ns: int
    completed: int
    rejected: int
    counts: tuple[int, ...]


class PulseService:
    """The last five minutes. A process that was just started knows less."""

    def __init__(self, clock: Clock, figures: Outcomes) -> None:
        self._clock = clock
        self._figures = figures
        self._samples: deque[_Sample] = deque([self._sample()], maxlen=KEPT_S + 1)

    def tick(self) -> None:
        """Take a sample, if a second has passed since the last."""
        if self._clock.now_ns() - self._samples[-1].at_ns >= NS_PER_S:
            self._samples.append(self._sample())

    def now(self, seconds: int = 10) -> Pulse:
        """Of the last seconds."""
        samples = list(self._samples)[-seconds - 1 :]
        first, last = samples[0], samples[-1]
        counts = [after - before for before, after in zip(first.counts, last.counts, strict=True)]
        decided = last.completed - first.completed + last.rejected - first.rejected
        return Pulse(
            decided=decided,
            passed_ns=last.at_ns - first.at_ns,
            rejected=last.rejected - first.rejected,
            p50_ns=quantile_ns(counts, 50),
            p99_ns=quantile_ns(counts, 99),
        )

    def steps(self, step_s: int = 10) -> list[int]:
        """How many were decided in each so many seconds, the oldest first."""
        samples = list(self._samples)[::-step_s][::-1]
        return [
            after.completed + after.rejected - before.completed - before.rejected for before, after in pairwise(samples)
        ]

    def _sample(self) -> _Sample:
        figures = self._figures
        rejected = sum(figures.rejected.values())
        return _Sample(self._clock.now_ns(), figures.completed, rejected, tuple(figures.times.counts))


def quantile_ns(counts: Sequence[int], percent: int) -> int:
    """The time below which so many percent are: counted in doubling buckets, so about right."""
    total = sum(counts)
    before, wanted = 0, total * percent
    for index, count in enumerate(counts):
        if count and (before + count) * 100 >= wanted:
            low = _FIRST_NS << (index - 1) if index else 0
            return low + ((_FIRST_NS << index) - low) * (wanted - before * 100) // (count * 100)
        before += count
    return 0
