"""What makes things go wrong in a world, as its plan says; and the end of it."""

from collections.abc import Callable
from functools import partial

from hutong.kernel.clock import NS_PER_S
from hutong.simulation.audit import SWITCH
from hutong.simulation.faults import Fault
from hutong.simulation.place import Place
from hutong.simulation.world import World

EVENTS_AHEAD_MAX = 40
BUSY_HIT = 0.7  # Of crashes, how many hit a node that has something under way, if there is one.


class Trouble:
    """The faults that come from nowhere: crashes, cuts, clocks. Those of a message or a commit are drawn where it is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._chance = world.chance
        self._is_over = False
        self._crash_at_event = 0
        self._places = list(world.places.values())

    def begin(self) -> None:
        """From now on things go wrong."""
        world = self._world
        plan = world.plan_ahead
        world.follow(plan)
        world.on_durable = self._durable
        world.loop.after_each = self._after_each
        if plan.memory_rows_max < 200_000:
            world.counts.faults[Fault.SMALL_MEMORY] += 1
            for place in self._places:
                place.memory_rows_max = plan.memory_rows_max
        if plan.skew_ns_max:
            for place in self._places:
                self._turn_clock(place, Fault.SKEW)
        self._now_and_then(plan.crash_every_ns, self._crash_soon)
        self._now_and_then(plan.partition_every_ns, self._cut)
        self._now_and_then(plan.jump_every_ns, self._jump)

    def end(self) -> None:
        """Nothing goes wrong any more, clocks are right, and every node runs."""
        self._is_over = True
        self._world.calm()
        for place in self._places:
            place.clock.off_ns = 0
            if place.life is None or place.life.is_over:
                place.boot()

    def _now_and_then(self, every_ns: int, run: Callable[[], None]) -> None:
        def again() -> None:
            if not self._is_over:
                run()
                wait()

        def wait() -> None:
            self._world.loop.after(int(self._chance.expovariate(1) * every_ns), again)

        if every_ns:
            wait()

    # Crashes.

    def _crash_soon(self) -> None:
        """Between any two events: behind the next, or the next but so many."""
        self._crash_at_event = self._world.loop.events + self._chance.randrange(EVENTS_AHEAD_MAX)

    def _after_each(self) -> None:
        if self._crash_at_event and self._world.loop.events >= self._crash_at_event:
            self._crash_at_event = 0
            if not self._is_over:
                busy = [place for place in self._places if place.is_up and not place.is_quiet]
                hit_busy = busy and self._chance.random() < BUSY_HIT
                self._crash(self._chance.choice(busy if hit_busy else self._places))

    def _durable(self, place: Place) -> None:
        plan = self._world.plan
        if plan.unheard and self._chance.random() < plan.unheard:
            self._crash(place, unheard=True)

    def _crash(self, place: Place, *, unheard: bool = False) -> None:
        if place.life is None or place.life.is_over:
            return
        self._world.crash(place, unheard=unheard)
        down_ns = self._chance.randrange(self._world.plan.down_ns_max)
        self._world.loop.after(down_ns, partial(self._boot, place))

    def _boot(self, place: Place) -> None:
        if place.life is None or place.life.is_over:
            place.boot()

    # Cuts and clocks.

    def _cut(self) -> None:
        world = self._world
        place = self._chance.choice(world.institutions)
        until_ns = world.now_ns + self._chance.randrange(world.plan.partition_ns_max)
        which = self._chance.randrange(3)
        world.counts.faults[Fault.PARTITION if which == 2 else Fault.PARTITION_ONE_WAY] += 1
        if which != 0:
            world.network.cut(place.node_id, SWITCH, until_ns)
        if which != 1:
            world.network.cut(SWITCH, place.node_id, until_ns)

    def _jump(self) -> None:
        self._turn_clock(self._chance.choice(self._places), Fault.JUMP)

    def _turn_clock(self, place: Place, fault: Fault) -> None:
        most_ns = max(self._world.plan.skew_ns_max, NS_PER_S)
        place.clock.off_ns = self._chance.randint(-most_ns, most_ns)
        self._world.counts.faults[fault] += 1
