"""The rows of settlement."""

from hutong.runtime.tables import Table
from hutong.switch.settlement.calendar import SettlementCalendar
from hutong.switch.settlement.window import WindowRow

CALENDARS = Table("settlement_calendar", SettlementCalendar)
WINDOWS = Table("settlement_window", WindowRow)
