from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.clock import NS_PER_S, ManualClock, SystemClock, instant, instant_ns

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
