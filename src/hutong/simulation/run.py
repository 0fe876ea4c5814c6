"""One seed, from beginning to end, and what came of it."""

import gc
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import msgspec
import structlog

from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S
from hutong.kernel.ids import seeded_randomness
from hutong.simulation.acts import MIX
from hutong.simulation.cash import check_cash
from hutong.simulation.faults import CRASHES, Plan
from hutong.simulation.holding import check_holds
from hutong.simulation.loop import Stopped
from hutong.simulation.marketing_acts import MARKETING_MIX
from hutong.simulation.marketing_plants import MARKETING_PLANTS
from hutong.simulation.marketing_settled import check_marketing, let_a_day_pass
from hutong.simulation.moving_in import move_in
from hutong.simulation.plants import PLANTS
from hutong.simulation.plates import check_plates
from hutong.simulation.programmes import check_programmes
from hutong.simulation.settled import check_replayed, check_settled, is_quiet
from hutong.simulation.telling import check_said
from hutong.simulation.trouble import Trouble
from hutong.simulation.world import Mix, World

ACT_EVERY_NS = NS_PER_S // 2
HEALING_NS_MAX = 2 * NS_PER_HOUR
_LOOK_NS = 10 * NS_PER_S
_WRONG_MAX = 20


class Result(msgspec.Struct, kw_only=True):
    """What a seed did, and what was found wrong: nothing, if `wrong` is empty."""

    seed: int
    digest: str
    wrong: list[str]
    events: int = 0
    at_event: int = 0  # When the first was found.
    payments: int = 0
    completed: int = 0
    refunds: int = 0
    returns: int = 0  # Of the refunds, those that crossed the network.
    transfers: int = 0
    restarts: int = 0
    messages: int = 0
    awards: int = 0  # What campaigns gave, drawn and by coupon included, whatever became of it.
    coupons: int = 0
    red_packets: int = 0
    shares: int = 0  # Of red packets, claimed.
    friends: int = 0  # Brought by somebody.
    virtual_s: int = 0
    faults: dict[str, int] = msgspec.field(default_factory=dict)
    acts: dict[str, int] = msgspec.field(default_factory=dict)


def simulate(
    seed: int,
    *,
    hours: float = 0.25,
    plant: str = "",
    trace: TextIO | None = None,
    plan: Plan | None = None,
    mix: Mix | None = None,
    marketing: bool = False,
) -> Result:
    """Live for some hours under the faults of this seed, heal, and audit. Repeats: the same result, digest and all."""
    return _result(lived(seed, hours=hours, plant=plant, trace=trace, plan=plan, mix=mix, marketing=marketing))


def lived(
    seed: int,
    *,
    hours: float,
    plant: str = "",
    trace: TextIO | None = None,
    plan: Plan | None = None,
    mix: Mix | None = None,
    marketing: bool = False,
) -> World:
    """The world behind a result, when all is over."""
    marketing = marketing or plant in MARKETING_PLANTS
    drawn = Plan.drawn(seeded_randomness(seed ^ 0x5EED))
    mix = mix or (MARKETING_MIX if marketing else MIX)
    world = World(seed, plan or drawn, mix, trace, marketing=marketing)
    try:
        with _errors_told(world), _without_collector(), suppress(Stopped):
            _live(world, int(hours * 3600) * NS_PER_S, plant)
    finally:
        world.loop.close()
    return world


def _live(world: World, live_ns: int, plant: str) -> None:
    if plant:
        PLANTS[plant](world)
    move_in(world)
    start_ns = world.now_ns
    trouble = Trouble(world)
    trouble.begin()
    world.begin_acts(ACT_EVERY_NS, start_ns + live_ns)

    world.loop.run_until(start_ns + live_ns)
    trouble.end()
    _quieten(world)
    _check(world)
    if world.has_marketing and not world.audit.wrong:
        let_a_day_pass(world)
        _quieten(world)
        _check(world)
    if not world.audit.wrong:
        for place in world.places.values():
            world.restart(place)
        world.loop.run_until(world.now_ns + 10 * NS_PER_S)
        check_replayed(world)
        _check(world)


def _quieten(world: World) -> None:
    """Go on until everything is decided, or for as long as that may take."""
    until_ns = world.now_ns + HEALING_NS_MAX
    while not world.audit.wrong and world.now_ns < until_ns and not is_quiet(world):
        world.loop.run_until(world.now_ns + _LOOK_NS)


def _check(world: World) -> None:
    if not world.audit.wrong:
        check_settled(world)
    if not world.audit.wrong and world.is_over:  # Both sides of a hold tell each other at ever longer intervals.
        check_holds(world)
    if not world.audit.wrong and world.has_marketing:
        check_marketing(world, is_over=world.is_over)
        check_plates(world)
        check_programmes(world)
        check_said(world)
    if not world.audit.wrong and world.has_marketing and world.is_over:
        check_cash(world)


def _result(world: World) -> Result:
    views = world.audit.nodes.values()
    outcomes = [view.outcomes for view in views]
    return Result(
        seed=world.seed,
        digest=world.digest,
        wrong=world.audit.wrong[:_WRONG_MAX],
        events=world.loop.events,
        at_event=world.loop.events if world.audit.wrong else 0,
        payments=sum(len(view.rows["payments"]) for view in views),
        completed=sum(sum(tables["payment_outcomes"].values()) for tables in outcomes),
        refunds=sum(sum(tables["refund_outcomes"].values()) for tables in outcomes),
        returns=sum(sum(tables["return_outcomes"].values()) for tables in outcomes),
        messages=world.network.sent,
        awards=sum(len(view.rows["all_awards"]) for view in views),
        coupons=sum(len(view.rows["coupons"]) for view in views),
        red_packets=sum(len(view.rows["red_packets"]) for view in views),
        shares=sum(len(view.rows["red_packet_claims"]) for view in views),
        friends=sum(len(view.rows["referrals"]) for view in views),
        transfers=sum(view.books.transfers for view in views),
        restarts=sum(count for fault, count in world.counts.faults.items() if fault in CRASHES),
        virtual_s=(world.now_ns - world.began_ns) // NS_PER_S,
        faults={fault.value: count for fault, count in sorted(world.counts.faults.items()) if count},
        acts=dict(sorted(world.counts.acts.items())),
    )


@contextmanager
def _without_collector() -> Iterator[None]:
    """A run is short and all of it is garbage at its end: collecting meanwhile only costs."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _errors_told(world: World) -> Iterator[None]:
    """What a node logs as its own error is a violation; the rest of its log is nobody's here."""

    def listen(_logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        if method in {"error", "exception", "critical"}:
            world.audit.say(f"logged: {event.get('event')} {_facts(event)}")
        raise structlog.DropEvent

    configured = structlog.get_config()
    structlog.configure(processors=[structlog.processors.format_exc_info, listen])
    try:
        yield
    finally:
        structlog.configure(**configured)


def _facts(event: Mapping[str, Any]) -> str:
    return str(event.get("exception", event))[-2000:]
