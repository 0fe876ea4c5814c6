"""Turns, on a clock of its own: who is tried when, whoever else hangs."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.gateways.notification_lanes import Ending, Lanes, Places

S = 10**9
TIMEOUT_NS = 5 * S
WAITS_S = (15, 15, 30, 180)


@dataclass
class Receiver:
    """Where notifications go: it hangs until an instant, then refuses until another, then takes everything in a while."""

    hangs_until_ns: int = 0
    refuses_until_ns: int = 0
    takes_ns: int = S // 100

    def asked(self, now_ns: int) -> tuple[Ending, int]:
        if now_ns < self.hangs_until_ns:
            return Ending.SILENT, TIMEOUT_NS
        if now_ns < self.refuses_until_ns:
            return Ending.ANSWERED, self.takes_ns
        return Ending.TAKEN, self.takes_ns


@dataclass
class World:
    """A worker that keeps the schedule, without a network and without waiting."""

    lanes: Lanes
    receivers: dict[tuple[int, str], Receiver]
    now_ns: int = 0
    tried: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    taken_at: dict[int, int] = field(default_factory=dict)
    given_up: set[int] = field(default_factory=set)
    now: Counter[str] = field(default_factory=Counter)  # Under way, by what is bounded.
    most: Counter[str] = field(default_factory=Counter)
    _coming: list[tuple[int, int, tuple[int, str]]] = field(default_factory=list)
    _ending: list[tuple[int, int, Ending]] = field(default_factory=list)
    _where: dict[int, tuple[int, str]] = field(default_factory=dict)

    def send(self, id_: int, to: tuple[int, str], at_ns: int) -> None:
        heapq.heappush(self._coming, (at_ns, id_, to))
        self._where[id_] = to

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        while not until():
            due_ns = self.lanes.next_due_ns()
            nexts = [due_ns] if due_ns is not None else []
            nexts += [heap[0][0] for heap in (self._coming, self._ending) if heap]
            if not nexts:
                return
            self.now_ns = max(self.now_ns, min(nexts))
            while self._coming and self._coming[0][0] <= self.now_ns:
                at_ns, id_, to = heapq.heappop(self._coming)
                self.lanes.add(id_, *to, at_ns)
            while self._ending and self._ending[0][0] <= self.now_ns:
                self._end(*heapq.heappop(self._ending)[1:])
            for id_ in self.lanes.take(self.now_ns):
                self.tried[id_].append(self.now_ns)
                self._count(id_, +1)
                ending, took_ns = self.receivers[self._where[id_]].asked(self.now_ns)
                heapq.heappush(self._ending, (self.now_ns + took_ns, id_, ending))

    def _end(self, id_: int, ending: Ending) -> None:
        self._count(id_, -1)
        tries = len(self.tried[id_])
        again_ns = None
        if ending is Ending.TAKEN:
            self.taken_at[id_] = self.now_ns
        elif tries > len(WAITS_S):
            self.given_up.add(id_)
        else:
            again_ns = self.now_ns + WAITS_S[tries - 1] * S
        self.lanes.ended(id_, ending, again_ns)

    def _count(self, id_: int, step: int) -> None:
        for who in ("all", f"account {self._where[id_][0]}", f"lane {self._where[id_]}"):
            self.now[who] += step
            self.most[who] = max(self.most[who], self.now[who])


def test_each_try_comes_when_the_schedule_says() -> None:
    world = World(Lanes(Places()), {(1, "a"): Receiver(refuses_until_ns=10**18)})
    world.send(7, (1, "a"), 0)
    world.run()
    step = S // 100
    starts = [0]
    for wait_s in WAITS_S:
        starts.append(starts[-1] + step + wait_s * S)
    assert world.tried[7] == starts
    assert world.given_up == {7}
    assert len(world.lanes) == 0


def test_a_thousand_receivers_of_which_fifty_hang_are_told_at_once() -> None:
    """Five hundred a second, spread over all; who hangs, hangs for ever."""
    receivers = {(n, "a"): Receiver(hangs_until_ns=10**18 if n % 20 == 0 else 0) for n in range(1, 1001)}
    world = World(Lanes(Places()), receivers)
    for number in range(20_000):
        world.send(number, ((number * 7) % 1000 + 1, "a"), number * S // 500)
    world.run(lambda: world.now_ns > 45 * S)
    healthy = [n for n in range(20_000) if world._where[n][0] % 20]
    waits = [world.taken_at[n] - n * S // 500 for n in healthy]
    assert max(waits) <= S // 50  # Its own time, and no wait for a place.
    assert world.most["all"] <= 256 + 64


def test_when_all_hang_at_once_those_that_recover_are_told_soon() -> None:
    """An hour in which nobody is reached: the backlog of those who are back does not wait for those who are not."""
    back_ns = 3600 * S
    receivers = {(n, "a"): Receiver(hangs_until_ns=10**18 if n % 2 else back_ns) for n in range(2000)}
    world = World(Lanes(Places()), receivers)
    late = 100_000
    for number in range(8_000):
        world.send(number, (number % 2000, "a"), number * S // 100)
    for n in range(0, 2000, 2):
        world.send(late + n, (n, "a"), back_ns + 60 * S)
    world.run(lambda: world.now_ns > back_ns + 120 * S)
    waits = [world.taken_at.get(late + n, 10**18) - back_ns - 60 * S for n in range(0, 2000, 2)]
    assert sorted(waits)[len(waits) // 2] <= S
    assert max(waits) <= 60 * S


def test_an_account_gains_nothing_by_an_address_for_each_order() -> None:
    hanging = {(1, f"order {n}"): Receiver(hangs_until_ns=10**18) for n in range(2000)}
    world = World(Lanes(Places()), {**hanging, (2, "a"): Receiver()})
    for n in range(2000):
        world.send(n, (1, f"order {n}"), n * S // 1000)
        world.send(10_000 + n, (2, "a"), n * S // 1000)
    world.run(lambda: world.now_ns > 10 * S)
    assert all(world.taken_at[10_000 + n] - n * S // 1000 <= S // 20 for n in range(2000))
    assert world.most["account 1"] <= Places().of_account
    assert world.now["account 1"] <= Places().of_failing_account  # After the first who hang.


def test_dropped_is_not_tried_whether_it_waits_for_its_time_or_its_turn() -> None:
    lanes = Lanes(Places(all=1))
    for id_ in (1, 2, 3):
        lanes.add(id_, 1, "a", 0 if id_ < 3 else 10)
    assert lanes.take(0) == [1]
    lanes.drop(2)
    lanes.drop(3)
    lanes.ended(1, Ending.TAKEN, None)
    assert lanes.take(100) == []
    assert (len(lanes), lanes.next_due_ns()) == (0, None)


RECEIVERS = st.builds(
    Receiver,
    hangs_until_ns=st.sampled_from((0, 0, 40 * S, 10**18)),
    refuses_until_ns=st.sampled_from((0, 0, 100 * S, 10**18)),
    takes_ns=st.sampled_from((S // 1000, S // 10, 2 * S)),
)


@settings(max_examples=60, deadline=None)
@given(
    receivers=st.dictionaries(st.tuples(st.integers(1, 4), st.sampled_from("abc")), RECEIVERS, min_size=1),
    places=st.builds(
        Places,
        all=st.integers(2, 12),
        silent=st.integers(1, 2),
        of_account=st.integers(2, 8),
        of_lane=st.integers(1, 4),
        first=st.just(1),
    ),
    sent=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 11)), max_size=60),
)
def test_everything_is_tried_until_taken_or_as_often_as_the_schedule_says_and_no_bound_is_passed(
    receivers: dict[tuple[int, str], Receiver], places: Places, sent: list[tuple[int, int]]
) -> None:
    world = World(Lanes(places), receivers)
    ways = sorted(receivers)
    for number, (at_s, way) in enumerate(sent):
        world.send(number, ways[way % len(ways)], at_s * S)
    world.run()
    assert len(world.lanes) == 0
    assert world.taken_at.keys() | world.given_up == set(range(len(sent)))
    assert not world.taken_at.keys() & world.given_up
    for id_, starts in world.tried.items():
        assert len(starts) <= len(WAITS_S) + 1
        assert starts[0] >= sent[id_][0] * S
        for wait_s, first, then in zip(WAITS_S, starts, starts[1:], strict=False):
            assert then - first >= wait_s * S
    assert world.most["all"] <= places.all
    for account, lane in ways:
        assert world.most[f"account {account}"] <= places.of_account
        assert world.most[f"lane {(account, lane)}"] <= places.of_lane
