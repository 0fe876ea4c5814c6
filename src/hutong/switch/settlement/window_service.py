"""
Which window a payment is in, and when windows close.

A payment's window is read off memory in the one decision that makes the payment final; closing a window only makes a
later one current. So every payment is in exactly one, and none waits.
"""

from collections.abc import Callable

import msgspec

from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.switch.settlement.calendar import (
    DEFAULT_CALENDAR,
    CalendarRules,
    SettlementCalendar,
    calendar,
    read_day,
    window_at,
    window_behind,
)
from hutong.switch.settlement.reason import SettlementReason
from hutong.switch.settlement.repository import CALENDARS, WINDOWS
from hutong.switch.settlement.window import Window, WindowRow, WindowState


class WindowService:
    """The windows of this switch: one is open, those before it are closed."""

    def __init__(self, node: NodeRuntime, default: SettlementCalendar = DEFAULT_CALENDAR) -> None:
        self._node = node
        self._default = default
        self._calendars = Shelf(CALENDARS, node.journal, node.store, key="version")
        self._windows = Shelf(WINDOWS, node.journal, node.store, key="window")
        self._open: WindowRow  # As written down: `_current` may have gone ahead of it, until the next tick.
        self._current: Window
        self._closes_ns = 0
        self._current_id = ("", "")
        # No row of a window behind `_open` is at or before this position.
        self._mark = 0
        self.on_closed: Callable[[WindowRow], None] = lambda _: None

    async def start(self) -> None:
        """Load what is known; the very first start opens a window."""
        await self._calendars.load_all()
        await self._windows.load_all()
        now_ns = self._node.clock.now_ns()
        opened = [row for row in self._windows.everything() if row.state == WindowState.OPEN.value]
        if opened:
            (self._open,) = opened
            closed = self._last_closed()
        else:
            closed = None
            self._open = self._opened(window_at(self.calendars(), now_ns), self._node.journal.position)
            self._node.journal.seal()
        self._mark = self._open.from_position
        self._become(window_at(self.calendars(), now_ns, after=closed))
        if self._current.key < self._open.as_window().key:
            self._become(self._open.as_window())  # The clock was put back.

    def at(self, decided_ns: int) -> tuple[str, str]:
        """
        The window of what is decided at this instant, and its settlement date.

        Instants that go back are in the current window all the same: an earlier one may be closed.
        """
        if decided_ns >= self._closes_ns:
            self._become(window_at(self.calendars(), decided_ns, after=self._last_closed()))
        return self._current_id

    def tick(self) -> None:
        """Close every window whose time has come, also those that passed while the node was down."""
        self.at(self._node.clock.now_ns())
        while self._open.window != self._current.id:
            self._close()
        self._mark = self._node.journal.position

    def close(self, window_id: str) -> WindowRow:
        """
        Close the open window before its time: what is decided from now on is in the next.

        Refuses:  WINDOW_UNKNOWN; WINDOW_NOT_OPEN_YET, when its settlement date is not today's by the calendar.
        Repeats:  the window as it stands.
        """
        known = self.window(window_id)
        if known.state != WindowState.OPEN.value:
            return known
        self.tick()
        known = self.window(window_id)
        if known.state != WindowState.OPEN.value:
            return known
        today = window_at(self.calendars(), self._node.clock.now_ns()).settles_on
        if self._current.settles_on > today:
            raise Refusal(SettlementReason.WINDOW_NOT_OPEN_YET, window=window_id, today=today.isoformat())
        self._become(window_behind(self.calendars(), self._current))
        self._close()
        return self.window(window_id)

    def window(self, window_id: str) -> WindowRow:
        """Refuses WINDOW_UNKNOWN."""
        found = self._windows.get(window_id)
        if found is None:
            raise Refusal(SettlementReason.WINDOW_UNKNOWN, window=window_id, open=self._open.window)
        return found

    def is_durable(self, window_id: str) -> bool:
        """Whether what a known window has become is durable: only then do the rows say what it comes to."""
        return self._windows.is_durable(window_id)

    def closed_window(self, window_id: str) -> WindowRow:
        """One that takes no more payments. Refuses WINDOW_UNKNOWN, WINDOW_NOT_CLOSED."""
        found = self.window(window_id)
        if found.state == WindowState.OPEN.value:
            raise Refusal(SettlementReason.WINDOW_NOT_CLOSED, window=window_id)
        return found

    def windows(self) -> list[WindowRow]:
        """Every window that was ever open, the newest last."""
        return sorted(self._windows.everything(), key=lambda row: (row.settles_on, row.number))

    def note(self, row: WindowRow) -> None:
        """What has become of a closed window."""
        self._windows.put(row)

    def calendars(self) -> list[SettlementCalendar]:
        """Every version, by version; the first is the one that came with the switch."""
        return [self._default, *self._calendars.everything()]

    def publish_calendar(self, version: str, first_on: str, rules: CalendarRules) -> SettlementCalendar:
        """
        Announce a calendar that rules the settlement dates from a day on.

        Refuses:  CALENDAR_INVALID; CALENDAR_CONFLICTS, for another under a known version or of the same first day;
                  CALENDAR_STARTS_TOO_EARLY: windows of that day take payments already.
        Repeats:  nothing.
        """
        rules.check()
        day = read_day(first_on, "first_on")
        announced = calendar(version, first_on, rules)
        if announced in self.calendars():
            return announced
        for known in self.calendars():
            if version == known.version or first_on == known.first_on:
                raise Refusal(SettlementReason.CALENDAR_CONFLICTS, version=known.version, first_on=known.first_on)
        self.tick()
        if day <= self._current.settles_on:
            raise Refusal(SettlementReason.CALENDAR_STARTS_TOO_EARLY, after=self._current.settles_on.isoformat())
        self._calendars.put(announced)
        return announced

    def _become(self, window: Window) -> None:
        self._current = window
        self._closes_ns = window.closes_ns
        self._current_id = window.id, window.settles_on.isoformat()

    def _close(self) -> None:
        """Write down that the window is closed and the next one open."""
        now_ns = self._node.clock.now_ns()
        closed = msgspec.structs.replace(
            self._open,
            id=self._node.mint.mint(),  # A new one, so that the ledger knows its transfers for new.
            state=WindowState.CLOSED.value,
            closed_ns=now_ns,
            to_position=self._node.journal.position,
        )
        self._windows.put(closed)
        self._open = self._opened(window_behind(self.calendars(), closed.as_window()), self._mark)
        self.on_closed(closed)

    def _opened(self, window: Window, from_position: int) -> WindowRow:
        row = WindowRow(
            window=window.id,
            id=self._node.mint.mint(),
            state=WindowState.OPEN.value,
            settles_on=window.settles_on.isoformat(),
            number=window.number,
            closes_ns=window.closes_ns,
            from_position=from_position,
            opened_ns=self._node.clock.now_ns(),
        )
        self._windows.put(row)
        return row

    def _last_closed(self) -> Window | None:
        closed = [row.as_window() for row in self._windows.everything() if row.state != WindowState.OPEN.value]
        return max(closed, key=lambda window: window.key, default=None)
