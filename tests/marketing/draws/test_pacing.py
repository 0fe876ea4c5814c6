import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.marketing.draws.draw import NUMBERS
from hutong.marketing.draws.pacing import Plan, Seen, gate, running_before, seen
from hutong.marketing.draws.verification import verify_day
from tests.marketing.draws.living import DAY_S, HOURS, Living, comers

BUDGET = 1_000_000
ALIKE = (1,) * 24
LATE = (1,) * 12 + (3,) * 8 + (8, 9, 6, 4)


@pytest.mark.parametrize(
    ("people", "hours", "crowd"),
    [
        (30_000, HOURS, None),  # Six times what the budget is for.
        (8_000, HOURS, None),  # Not two times.
        (12_000, ALIKE, None),  # They don't come when the plan says.
        (12_000, LATE, None),
        (10_000, HOURS, (12, 20_000)),  # A crowd at noon,
        (10_000, HOURS, (23, 20_000)),  # and one before midnight.
    ],
)
def test_a_budget_lasts_the_day_and_is_given_to_within_a_hundredth_of_the_plan(
    people: int, hours: tuple[int, ...], crowd: tuple[int, int] | None
) -> None:
    for seed in (1, 2):
        day = Living(BUDGET, seed=bytes([seed]) * 32)
        day.live(comers(seed, people, hours, crowd))
        assert BUDGET - BUDGET // 100 <= day.running.given <= BUDGET


def test_a_crowd_takes_no_other_slots_share() -> None:
    day = Living(BUDGET)
    day.live(comers(3, 12_000, HOURS, (12, 20_000)))
    assert day.deviation_max <= BUDGET // 25


def test_where_fewer_come_than_the_budget_is_for_all_are_admitted_and_nothing_is_made_up() -> None:
    day = Living(BUDGET)
    day.live(comers(4, 1_000))
    assert len(day.draws) == 1_000
    assert day.running.given < BUDGET
    assert set(day.running.thresholds.values()) == {NUMBERS}


def test_a_small_budget_ends_at_zero_and_not_beside_it() -> None:
    day = Living(5_000)
    day.live(comers(5, 5_000))
    assert day.running.given == 5_000


def test_a_day_with_failing_payments_keeps_to_its_plan_and_verifies() -> None:
    day = Living(BUDGET // 4)
    day.live(comers(6, 5_000), failing=7)
    assert BUDGET // 4 - BUDGET // 400 <= day.running.given <= BUDGET // 4
    assert all(each.holds for each in verify_day(day.record()))


@given(
    st.integers(1, 10**9), st.lists(st.integers(1, 10**6), min_size=24, max_size=24), st.sampled_from([60, 300, 900])
)
def test_a_plan_gives_all_of_the_budget_and_never_takes_back(budget: int, hours: list[int], slot_s: int) -> None:
    plan = Plan.of(budget, hours, slot_s, DAY_S)
    assert plan.before[0] == 0
    assert plan.before[-1] == budget
    assert list(plan.before) == sorted(plan.before)


@pytest.mark.parametrize(("day_s", "slots"), [(23 * 3600, 276), (25 * 3600, 300)])
def test_a_day_on_which_clocks_change_is_planned_whole(day_s: int, slots: int) -> None:
    plan = Plan.of(BUDGET, HOURS, 300, day_s)
    assert len(plan.weights) == slots
    assert plan.before[-1] == BUDGET


PLAN = Plan.of(2400, ALIKE, 3600, DAY_S)


@pytest.mark.parametrize(
    ("slot", "running", "known", "threshold", "ceiling"),
    [
        (0, NUMBERS, Seen(0, 0, 0), NUMBERS, 200),  # Nothing is known: all are admitted, to twice the slot's share.
        (2, NUMBERS, Seen(100, 100, NUMBERS), NUMBERS, 200),  # As planned.
        (2, NUMBERS, Seen(200, 200, NUMBERS), 0, 0),  # The running slot will give 200 again: nothing is left.
        (2, 250_000, Seen(200, 200, NUMBERS), 250_000, 100),  # It gives 50: 50 are left, of 200 who come.
        (2, 100_000, Seen(0, 200, NUMBERS), 200_000, 560),  # 280 are left; the threshold at most doubles.
        (2, 0, Seen(0, 200, NUMBERS), 20_000, 600),  # A closed one opens by a step.
        (23, NUMBERS, Seen(2400, 100, NUMBERS), 0, 0),
    ],
)
def test_a_gate_follows_from_what_was_seen(slot: int, running: int, known: Seen, threshold: int, ceiling: int) -> None:
    found = gate(PLAN, slot, running, known)
    assert (found.threshold, found.ceiling) == (threshold, ceiling)


def test_what_is_seen_ends_before_the_slot_that_runs() -> None:
    found = seen(PLAN, 3, {0: 10, 1: 20, 2: 999}, {0: NUMBERS, 1: NUMBERS // 2, 2: NUMBERS})
    assert found == Seen(30, 30, NUMBERS + NUMBERS // 2)


def test_a_threshold_grows_from_the_newest_there_is() -> None:
    assert running_before(0, {}) == NUMBERS
    assert running_before(9, {0: 5, 4: 7}) == 7
