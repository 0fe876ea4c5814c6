"""
The settlement calendar: which days are settlement days, when their windows close, and in which zone.

Dated, versioned data: a version rules the settlement dates from `first_on` until the next one does. All windows of all
dates stand in one order, and something decided at an instant is in the first of them that closes later. However
calendars change and clocks are put forward, a later instant is therefore never in an earlier window.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hutong.kernel.clock import instant, instant_ns
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import Text
from hutong.switch.settlement.reason import SettlementReason
from hutong.switch.settlement.window import Window

CutOff = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", examples=["17:00"])]
Day = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)", examples=["2026-10-01"])]
Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]
_DAY = timedelta(days=1)
# A date's last window has closed everywhere on Earth when it is the day after the next in UTC.
_LOOK_BACK = timedelta(days=2)


class CalendarRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    When windows close on a settlement day, and which days are none.

    `closed_weekdays` are ISO's (1 is Monday); `closed_days` are holidays; `open_days` are settlement days all the same,
    as the working weekends that make up for a holiday (调休).
    """

    zone: Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["Asia/Shanghai"])]
    cut_offs: Annotated[list[CutOff], msgspec.Meta(min_length=1, max_length=48)]
    closed_weekdays: Annotated[list[Weekday], msgspec.Meta(max_length=6)] = []
    closed_days: Annotated[list[Day], msgspec.Meta(max_length=366)] = []
    open_days: Annotated[list[Day], msgspec.Meta(max_length=366)] = []

    def check(self) -> None:
        """Refuses CALENDAR_INVALID, naming the field."""
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise Refusal(SettlementReason.CALENDAR_INVALID, field="zone", problem="no such zone") from None
        if sorted(set(self.cut_offs)) != self.cut_offs:
            raise Refusal(SettlementReason.CALENDAR_INVALID, field="cut_offs", problem="not ascending")
        if len(set(self.closed_weekdays)) == 7:
            raise Refusal(SettlementReason.CALENDAR_INVALID, field="closed_weekdays", problem="no day is left")
        for field, days in (("closed_days", self.closed_days), ("open_days", self.open_days)):
            for day in days:
                read_day(day, field)

    def settles(self, day: date) -> bool:
        """Whether it is a settlement day."""
        text = day.isoformat()
        if text in self.open_days:
            return True
        return day.isoweekday() not in self.closed_weekdays and text not in self.closed_days


class SettlementCalendar(msgspec.Struct, frozen=True):
    """A version of the calendar, and the first settlement date it rules. `rules` is JSON of `CalendarRules`."""

    version: Text
    first_on: Text
    rules: Text


def calendar(version: str, first_on: str, rules: CalendarRules) -> SettlementCalendar:
    """The row of a version."""
    return SettlementCalendar(version, first_on, msgspec.json.encode(rules).decode())


# Every day, as payments are: three windows, the last before the books of the day are closed.
DEFAULT_CALENDAR = calendar(
    "every-day-1", "0001-01-01", CalendarRules(zone="Asia/Shanghai", cut_offs=["11:00", "17:00", "23:00"])
)


def read_day(text: str, field: str) -> date:
    """A date in ISO 8601. Refuses CALENDAR_INVALID, naming the field."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal(SettlementReason.CALENDAR_INVALID, field=field, problem=f"no such day: {text}") from None


def window_at(calendars: Sequence[SettlementCalendar], decided_ns: int, *, after: Window | None = None) -> Window:
    """
    The window something decided at an instant is in, and with it its settlement date. The only place that says so.

    It is the first to close later, and behind `after`: the last window that is closed already, be it before its time.
    """
    first = instant(decided_ns).date() - _LOOK_BACK
    return next(
        window
        for window in _windows(calendars, max(first, after.settles_on) if after else first)
        if window.closes_ns > decided_ns and (after is None or window.key > after.key)
    )


def window_behind(calendars: Sequence[SettlementCalendar], window: Window) -> Window:
    """The next window."""
    return next(each for each in _windows(calendars, window.settles_on) if each.key > window.key)


def _windows(calendars: Sequence[SettlementCalendar], first: date) -> Iterator[Window]:
    """Every window from a date on, in their order."""
    day = first
    while True:
        yield from _windows_of(_calendar_of(calendars, day), day)
        day += _DAY


def _calendar_of(calendars: Sequence[SettlementCalendar], day: date) -> SettlementCalendar:
    text = day.isoformat()
    ruling = [calendar for calendar in calendars if calendar.first_on <= text]
    return max(ruling, key=lambda calendar: calendar.first_on, default=DEFAULT_CALENDAR)


@lru_cache(256)
def _windows_of(ruling: SettlementCalendar, day: date) -> tuple[Window, ...]:
    rules = msgspec.json.decode(ruling.rules, type=CalendarRules)
    if not rules.settles(day):
        return ()
    zone = ZoneInfo(rules.zone)
    return tuple(
        Window(day, number, instant_ns(datetime.combine(day, time_of_day.fromisoformat(cut_off), zone)))
        for number, cut_off in enumerate(rules.cut_offs, start=1)
    )
