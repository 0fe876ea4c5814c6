"""What the switch's desk shows of payments: the pulse, who pays whom today."""

from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.clock import NS_PER_S, ManualClock
from hutong.runtime.figures import Outcomes
from hutong.switch.pulse_service import KEPT_S, PulseService, quantile_ns
from hutong.switch.settlement.flow_service import AGAIN_S, Stream
from tests.switch.world import World, accepts, complete

MS = 1_000_000


def test_the_pulse_counts_what_was_decided_lately_and_forgets_what_was_long_ago() -> None:
    clock, figures = ManualClock(), Outcomes()
    pulse = PulseService(clock, figures)
    assert (pulse.now().per_s_tenths, pulse.steps()) == (0, [])
    for second in range(2 * KEPT_S):
        for number in range(3):
            figures.ended(number, 0, 8 * MS, completed=number > 0, reason="NET_DEBIT_CAP_EXCEEDED")
        clock.advance(seconds=1)
        pulse.tick()
        pulse.tick()  # Of one second there is one sample.
        assert len(pulse.steps(1)) == min(second + 1, KEPT_S)
    assert (pulse.now(10).per_s_tenths, pulse.now(10).rejected) == (30, 10)
    assert set(pulse.steps(10)) == {30}
    clock.advance(seconds=10)
    pulse.tick()
    assert pulse.now(1).decided == 0


@given(st.lists(st.integers(0, 60 * NS_PER_S), min_size=1), st.sampled_from([50, 99]))
def test_a_quantile_is_right_to_a_factor_of_two(times: list[int], percent: int) -> None:
    figures = Outcomes()
    for time in times:
        figures.times.observe(time)
    exact = sorted(times)[-(-len(times) * percent // 100) - 1]
    found = quantile_ns(figures.times.counts, percent)
    assert found <= 2 * exact + (1 << 16)
    assert exact <= 2 * found + (1 << 16)


def test_nothing_took_no_time() -> None:
    assert quantile_ns([0] * 23, 99) == 0


async def flows(world: World) -> list[Stream]:
    world.clock.advance(seconds=AGAIN_S)
    world.switch.tick()
    return (await world.switch.flows.today())[1]


async def test_who_pays_whom_is_summed_as_it_happens_returns_the_other_way_and_across_windows() -> None:
    world = World()
    await world.boot()
    world.admit("jing", "wei")
    assert await flows(world) == []
    payment = world.payment(amount=1_000)
    complete(world, payment)
    assert await flows(world) == [Stream("jing", "wei", "CNY", 1, 1_000)]
    complete(world, world.payment(amount=500))
    refund = world.refund(payment, amount=300, settlement=300)
    world.say("wei", refund)
    world.say("jing", accepts(refund))
    expected = [Stream("jing", "wei", "CNY", 2, 1_500), Stream("wei", "jing", "CNY", 1, 300)]
    assert await flows(world) == expected
    world.switch.windows.close("2026-01-01/1")
    world.journal.seal()
    assert await flows(world) == expected, "the closed window is of the same date"
    complete(world, world.payment(amount=40))
    assert (await flows(world))[0] == Stream("jing", "wei", "CNY", 3, 1_540)


async def test_however_many_look_the_rows_are_read_once_in_a_while() -> None:
    world = World()
    await world.boot()
    world.admit("jing", "wei")
    assert await flows(world) == []
    complete(world, world.payment())
    assert (await world.switch.flows.today())[1] == []
    assert len(await flows(world)) == 1
