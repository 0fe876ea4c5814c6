from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.clock import NS_PER_S, ManualClock, SystemClock, instant, instant_ns, settles_on

BEIJING = timezone(timedelta(hours=8))
NS = st.integers(0, 4_102_444_800 * NS_PER_S)  # To the year 2100.


@given(NS)
def test_an_instant_keeps_its_microseconds(ns: int) -> None:
    assert instant_ns(instant(ns)) == ns - ns % 1000
    assert instant(ns).utcoffset() == timedelta(0)


@given(NS, st.integers(-14 * 60, 14 * 60))
def test_an_instant_is_the_same_in_every_zone(ns: int, minutes: int) -> None:
    elsewhere = instant(ns).astimezone(timezone(timedelta(minutes=minutes)))
    assert instant_ns(elsewhere) == instant_ns(instant(ns))


def test_an_instant_without_a_zone_is_our_bug() -> None:
    with pytest.raises(AssertionError):
        instant_ns(datetime(2026, 1, 1))  # noqa: DTZ001  # What must not pass.


def test_the_systems_clock_is_this_century() -> None:
    assert instant(SystemClock().now_ns()).year >= 2026


def test_a_manual_clock_moves_when_told_to_and_never_back() -> None:
    clock = ManualClock()
    start = clock.now_ns()
    assert clock.now_ns() == start
    clock.advance(seconds=2, ns=3)
    assert clock.now_ns() == start + 2 * NS_PER_S + 3
    with pytest.raises(AssertionError):
        clock.advance(seconds=-1)
    with pytest.raises(AssertionError):
        clock.advance(ns=-1)


@pytest.mark.parametrize(
    ("local", "cut_off", "day"),
    [
        ("2026-02-28T22:59:59.999999", time(23), date(2026, 2, 28)),
        ("2026-02-28T23:00:00", time(23), date(2026, 3, 1)),
        ("2026-02-28T00:00:00", time(23), date(2026, 2, 28)),
        ("2026-12-31T23:30:00", time(23), date(2027, 1, 1)),
        ("2026-06-01T00:00:00", time(0), date(2026, 6, 2)),  # A cut-off at midnight: always the next day.
    ],
)
def test_the_cut_off_itself_belongs_to_the_next_day(local: str, cut_off: time, day: date) -> None:
    decided = datetime.fromisoformat(local).replace(tzinfo=BEIJING)
    assert settles_on(instant_ns(decided), BEIJING, cut_off) == day


def test_one_instant_settles_on_the_day_of_each_place() -> None:
    at = instant_ns(datetime(2026, 5, 1, 15, 30, tzinfo=UTC))
    assert settles_on(at, BEIJING, time(23)) == date(2026, 5, 2)  # 23:30 there.
    assert settles_on(at, UTC, time(23)) == date(2026, 5, 1)


def test_a_day_that_springs_forward_still_ends_at_its_cut_off() -> None:
    zone = ZoneInfo("Europe/Paris")
    before = instant_ns(datetime(2026, 3, 29, 20, 59, 59, tzinfo=UTC))  # 22:59:59 in summer time.
    assert settles_on(before, zone, time(23)) == date(2026, 3, 29)
    assert settles_on(before + NS_PER_S, zone, time(23)) == date(2026, 3, 30)


@given(NS, st.integers(0, 86_400 * NS_PER_S), st.times())
def test_what_is_decided_later_never_settles_earlier(ns: int, later: int, cut_off: time) -> None:
    assert settles_on(ns, BEIJING, cut_off) <= settles_on(ns + later, BEIJING, cut_off)
