"""Many seeds, over processes, for as long as there is time; and what they come to."""

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from itertools import islice

import msgspec

from hutong.simulation.run import Result, simulate

_COUNTED = (
    *("payments", "completed", "refunds", "returns", "transfers", "messages", "events", "restarts", "virtual_s"),
    *("awards", "coupons", "red_packets", "shares", "friends"),
)
Progress = Callable[["Tally"], None]


class Tally(msgspec.Struct):
    """Results, added up; those in which something was wrong are kept."""

    seeds: int = 0
    payments: int = 0
    completed: int = 0
    refunds: int = 0
    returns: int = 0
    transfers: int = 0
    messages: int = 0
    events: int = 0
    restarts: int = 0
    awards: int = 0
    coupons: int = 0
    red_packets: int = 0
    shares: int = 0
    friends: int = 0
    virtual_s: int = 0
    faults: Counter[str] = msgspec.field(default_factory=Counter)
    schedules: Counter[str] = msgspec.field(default_factory=Counter)  # In how many seeds a kind of fault was.
    acts: Counter[str] = msgspec.field(default_factory=Counter)
    violations: list[Result] = msgspec.field(default_factory=list)
    elapsed_s: float = 0

    def add(self, result: Result) -> None:
        self.seeds += 1
        for name in _COUNTED:
            setattr(self, name, getattr(self, name) + getattr(result, name))
        self.faults.update(result.faults)
        self.schedules.update(result.faults.keys())
        self.acts.update(result.acts)
        if result.wrong:
            self.violations.append(result)

    @property
    def payments_per_s(self) -> int:
        """Of this machine's time."""
        return int(self.payments / self.elapsed_s) if self.elapsed_s else 0


def campaign(
    seeds: Iterable[int],
    *,
    hours: float,
    plant: str,
    marketing: bool,
    processes: int,
    within_s: float,
    progress: Progress,
) -> Tally:
    """Run seeds until there are no more, the time is over, or one found something."""
    tally, started = Tally(), time.perf_counter()
    for result in _results(seeds, partial(simulate, hours=hours, plant=plant, marketing=marketing), processes):
        tally.add(result)
        tally.elapsed_s = time.perf_counter() - started
        progress(tally)
        if result.wrong or tally.elapsed_s > within_s:
            break
    return tally


def _results(seeds: Iterable[int], run: Callable[[int], Result], processes: int) -> Iterator[Result]:
    if processes == 1:
        yield from map(run, seeds)
        return
    waiting = iter(seeds)
    # A process each from the beginning: nothing of one run may be known to another.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        running: set[Future[Result]] = {pool.submit(run, seed) for seed in islice(waiting, 2 * processes)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                    running.update(pool.submit(run, seed) for seed in islice(waiting, 1))
        finally:
            for future in running:
                future.cancel()
