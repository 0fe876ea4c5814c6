"""Once a day: with the day's first tick, and not again behind a restart."""

from hutong.kernel.clock import NS_PER_S, ManualClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime.daily import Daily
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.tables import MemoryStore

DAY_S = 86_400


class Desk:
    """A node with one errand; what it remembers of the last is what its rows would say."""

    def __init__(self) -> None:
        self.clock = ManualClock()  # Midnight.
        self.done_ns: list[int] = []
        self.boot()

    def boot(self) -> None:
        store = MemoryStore()
        randomness = seeded_randomness(1)
        node = NodeRuntime(
            "jing", self.clock, randomness, IdMint(self.clock, randomness), MemoryJournal(store), store, run_now
        )
        self.daily = Daily(node, self.errand)
        self.daily.was_done(max(self.done_ns, default=0))

    async def errand(self) -> None:
        self.done_ns.append(self.clock.now_ns())

    def ticks(self, *, after_s: int) -> int:
        """How often it was done by two ticks then."""
        before = len(self.done_ns)
        self.clock.advance(seconds=after_s)
        self.daily.tick()
        self.daily.tick()
        return len(self.done_ns) - before


def test_a_new_node_does_it_at_once_and_then_with_each_days_first_tick() -> None:
    desk = Desk()
    assert desk.ticks(after_s=3_600) == 1
    assert desk.ticks(after_s=DAY_S - 3_601) == 0
    assert desk.ticks(after_s=1) == 1
    assert desk.done_ns[-1] % (DAY_S * NS_PER_S) == 0


def test_a_restart_does_not_do_a_days_twice_and_catches_up_once_after_days_down() -> None:
    desk = Desk()
    assert desk.ticks(after_s=0) == 1
    desk.boot()
    assert desk.ticks(after_s=DAY_S - 1) == 0
    desk.boot()
    assert desk.ticks(after_s=3 * DAY_S) == 1
    assert desk.ticks(after_s=1) == 1
