"""What settlement's API takes and shows. Instants are milliseconds since 1970 UTC, amounts minor units."""

from typing import Annotated

import msgspec

from hutong.kernel.clock import NS_PER_MS
from hutong.switch.settlement.calendar import CalendarRules, CutOff, Day, SettlementCalendar, Weekday
from hutong.switch.settlement.window import WindowRow


class WindowView(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement window as it stands."""

    window: str
    state: str
    settles_on: str
    closes_at_ms: int  # By the calendar.
    opened_at_ms: int
    closed_at_ms: int  # 0: not yet.
    settled_at_ms: int
    payments: int
    returns: int
    reason: str


class NewCalendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A calendar that rules the settlement dates from `first_on` on."""

    first_on: Day
    zone: Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["Asia/Shanghai"])]
    cut_offs: Annotated[list[CutOff], msgspec.Meta(min_length=1, max_length=48)]
    closed_weekdays: Annotated[list[Weekday], msgspec.Meta(max_length=6)] = []
    closed_days: Annotated[list[Day], msgspec.Meta(max_length=366)] = []
    open_days: Annotated[list[Day], msgspec.Meta(max_length=366)] = []

    def rules(self) -> CalendarRules:
        """Without the day."""
        return CalendarRules(self.zone, self.cut_offs, self.closed_weekdays, self.closed_days, self.open_days)


class CalendarView(msgspec.Struct, frozen=True):
    """A version of the calendar."""

    version: str
    first_on: str
    rules: CalendarRules


def window_view(row: WindowRow) -> WindowView:
    return WindowView(
        window=row.window,
        state=row.state,
        settles_on=row.settles_on,
        closes_at_ms=row.closes_ns // NS_PER_MS,
        opened_at_ms=row.opened_ns // NS_PER_MS,
        closed_at_ms=row.closed_ns // NS_PER_MS,
        settled_at_ms=row.settled_ns // NS_PER_MS,
        payments=row.payments,
        returns=row.returns,
        reason=row.reason,
    )


def calendar_view(row: SettlementCalendar) -> CalendarView:
    return CalendarView(row.version, row.first_on, msgspec.json.decode(row.rules, type=CalendarRules))
