"""Once a day: with the day's first tick, and not again behind a restart."""

import pytest

from hutong.kernel.clock import NS_PER_DAY, NS_PER_HOUR, NS_PER_S, ManualClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime.daily import MISSED_DAYS, Daily, DueDays
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.tables import MemoryStore

DAY_S = 86_400


def node_at(clock: ManualClock) -> NodeRuntime:
    store, randomness = MemoryStore(), seeded_randomness(1)
    return NodeRuntime("jing", clock, randomness, IdMint(clock, randomness), MemoryJournal(store), store, run_now)


class Desk:
    """A node with one errand; what it remembers of the last is what its rows would say."""

    def __init__(self) -> None:
        self.clock = ManualClock()  # Midnight.
        self.done_ns: list[int] = []
        self.boot()

    def boot(self) -> None:
        self.daily = Daily(node_at(self.clock), self.errand)
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


class Vault:
    """A node whose rows come due on days; what it opened is what its rows would say. Some days it fails."""

    def __init__(self) -> None:
        self.clock = ManualClock(ManualClock().ns + 12 * NS_PER_HOUR)
        self.opened: list[int] = []
        self.fails_on = 0
        self.boot()

    @property
    def today(self) -> int:
        return self.clock.ns // NS_PER_DAY

    def boot(self) -> None:
        self.due = DueDays(node_at(self.clock), self.errand)

    async def errand(self, day: int) -> None:
        if day == self.fails_on:
            raise OSError("no")
        self.opened.append(day)

    def tick(self) -> list[int]:
        """The days that were looked at by it, with another tick behind."""
        before = len(self.opened)
        self.due.tick()
        self.due.tick()
        return self.opened[before:]


def test_what_came_due_while_nobody_looked_is_done_day_by_day() -> None:
    vault = Vault()
    assert vault.tick() == [*range(vault.today - MISSED_DAYS, vault.today + 1)]
    assert vault.tick() == []
    vault.clock.advance(seconds=3 * DAY_S)
    assert vault.tick() == [vault.today - 2, vault.today - 1, vault.today]
    vault.boot()
    vault.due.were_done(vault.today - 1)
    assert vault.tick() == [vault.today]


def test_a_day_that_failed_is_done_before_any_later_one() -> None:
    vault = Vault()
    vault.tick()
    vault.clock.advance(seconds=3 * DAY_S)
    vault.fails_on = vault.today - 1
    with pytest.raises(OSError, match="no"):
        vault.due.tick()
    vault.fails_on = 0
    assert vault.tick() == [vault.today - 1, vault.today]
