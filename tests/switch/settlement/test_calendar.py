"""Which window an instant is in: cut-offs, days that are none, zones, and calendars that change."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.clock import NS_PER_DAY, NS_PER_S, instant_ns
from hutong.kernel.errors import Refusal
from hutong.switch.settlement.calendar import (
    DEFAULT_CALENDAR,
    CalendarRules,
    SettlementCalendar,
    calendar,
    window_at,
    window_behind,
)
from hutong.switch.settlement.reason import SettlementReason

WEEKDAYS = calendar(
    "weekdays",
    "2026-01-01",
    CalendarRules(
        zone="Asia/Shanghai",
        cut_offs=["12:00", "23:00"],
        closed_weekdays=[6, 7],
        closed_days=["2026-10-01", "2026-10-02"],
        open_days=["2026-10-10"],
    ),
)


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    return instant_ns(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


@pytest.mark.parametrize(
    ("local", "window"),
    [
        ("2026-11-23T00:00:00", "2026-11-23/1"),
        ("2026-11-23T10:59:59.999999", "2026-11-23/1"),
        ("2026-11-23T11:00:00", "2026-11-23/2"),
        ("2026-11-23T22:59:59.999999", "2026-11-23/3"),
        ("2026-11-23T23:00:00", "2026-11-24/1"),
        ("2026-12-31T23:30:00", "2027-01-01/1"),
    ],
)
def test_the_cut_off_itself_belongs_to_the_next_window(local: str, window: str) -> None:
    assert window_at([DEFAULT_CALENDAR], at(local)).id == window


@pytest.mark.parametrize(
    ("local", "window"),
    [
        ("2026-09-30T23:00:00", "2026-10-05/1"),  # Thursday and Friday are holidays, then a weekend.
        ("2026-10-03T12:00:00", "2026-10-05/1"),
        ("2026-10-09T23:30:00", "2026-10-10/1"),  # A Saturday that makes up for a holiday.
        ("2026-10-10T13:00:00", "2026-10-10/2"),
        ("2026-10-10T23:00:00", "2026-10-12/1"),
    ],
)
def test_days_that_are_no_settlement_days_are_passed_over(local: str, window: str) -> None:
    assert window_at([DEFAULT_CALENDAR, WEEKDAYS], at(local)).id == window


def test_one_instant_settles_on_the_day_of_each_place() -> None:
    utc = calendar("utc", "2026-01-01", CalendarRules(zone="UTC", cut_offs=["23:00"]))
    assert window_at([DEFAULT_CALENDAR], at("2026-05-01T15:30:00", "UTC")).settles_on == date(2026, 5, 2)
    assert window_at([utc], at("2026-05-01T15:30:00", "UTC")).settles_on == date(2026, 5, 1)


def test_a_day_that_springs_forward_still_ends_at_its_cut_off() -> None:
    paris = calendar("paris", "2026-01-01", CalendarRules(zone="Europe/Paris", cut_offs=["23:00"]))
    before = at("2026-03-29T20:59:59", "UTC")  # 22:59:59 in summer time.
    assert window_at([paris], before).settles_on == date(2026, 3, 29)
    assert window_at([paris], before + NS_PER_S).settles_on == date(2026, 3, 30)


def test_a_window_closed_before_its_time_takes_nothing_more() -> None:
    morning = at("2026-11-23T08:00:00")
    first = window_at([DEFAULT_CALENDAR], morning)
    assert window_at([DEFAULT_CALENDAR], morning, after=first).id == "2026-11-23/2"
    assert window_at([DEFAULT_CALENDAR], at("2026-11-23T11:30:00"), after=first).id == "2026-11-23/2"
    assert window_at([DEFAULT_CALENDAR], at("2026-11-23T17:00:00"), after=first).id == "2026-11-23/3"


def test_another_calendar_rules_from_its_first_day_on() -> None:
    hourly = calendar("late", "2026-11-24", CalendarRules(zone="Asia/Shanghai", cut_offs=["23:30"]))
    both = [DEFAULT_CALENDAR, hourly]
    assert window_at(both, at("2026-11-23T22:59:00")).id == "2026-11-23/3"
    assert window_at(both, at("2026-11-23T23:00:00")).id == "2026-11-24/1"
    assert window_at(both, at("2026-11-24T23:29:00")).id == "2026-11-24/1"


ZONES = st.sampled_from(
    ["Asia/Shanghai", "UTC", "Europe/Paris", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
)
RULES = st.builds(
    CalendarRules,
    zone=ZONES,
    cut_offs=st.lists(st.times().map(lambda t: t.strftime("%H:%M")), min_size=1, max_size=5, unique=True).map(sorted),
    closed_weekdays=st.lists(st.integers(1, 7), max_size=6, unique=True),
    closed_days=st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)).map(date.isoformat), max_size=5),
)
CALENDARS = st.lists(st.tuples(st.dates(date(2026, 1, 1), date(2026, 12, 31)), RULES), max_size=3).map(
    lambda drawn: [
        DEFAULT_CALENDAR,
        *(calendar(str(number), day.isoformat(), rules) for number, (day, rules) in enumerate(dict(drawn).items())),
    ]
)
INSTANTS = st.integers(at("2025-12-01T00:00:00"), at("2027-02-01T00:00:00"))


@given(CALENDARS, INSTANTS, st.integers(0, 3 * NS_PER_DAY))
def test_what_is_decided_later_is_never_in_an_earlier_window(
    calendars: list[SettlementCalendar], ns: int, later: int
) -> None:
    window = window_at(calendars, ns)
    assert window.closes_ns > ns
    assert window.key <= window_at(calendars, ns + later).key


@given(CALENDARS, INSTANTS)
def test_every_window_is_followed_by_one_and_an_instant_is_in_one_of_the_chain(
    calendars: list[SettlementCalendar], ns: int
) -> None:
    window = window_at(calendars, ns)
    following = window_behind(calendars, window)
    assert following.key > window.key
    assert window_at(calendars, ns, after=window) == following or following.closes_ns <= ns
    # At its very end the next one that has not ended either takes over.
    assert window_at(calendars, window.closes_ns).key > window.key


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        (CalendarRules(zone="Asia/Nowhere", cut_offs=["11:00"]), "zone"),
        (CalendarRules(zone="../etc", cut_offs=["11:00"]), "zone"),
        (CalendarRules(zone="UTC", cut_offs=["17:00", "11:00"]), "cut_offs"),
        (CalendarRules(zone="UTC", cut_offs=["11:00", "11:00"]), "cut_offs"),
        (CalendarRules(zone="UTC", cut_offs=["11:00"], closed_weekdays=[1, 2, 3, 4, 5, 6, 7]), "closed_weekdays"),
        (CalendarRules(zone="UTC", cut_offs=["11:00"], closed_days=["2026-02-30"]), "closed_days"),
        (CalendarRules(zone="UTC", cut_offs=["11:00"], open_days=["2026-13-01"]), "open_days"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_by_its_field(rules: CalendarRules, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        rules.check()
    assert refused.value.reason is SettlementReason.CALENDAR_INVALID
    assert refused.value.facts["field"] == field
