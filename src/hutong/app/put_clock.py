"""The clock of a network whose sample people live their last week before anybody looks."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hutong.kernel.clock import NS_PER_S, Clock, SystemClock, instant_ns

_ZONE = ZoneInfo("Asia/Shanghai")


class PutClock:
    """The machine's clock, put back by `behind_ns`; it only ever goes forward."""

    def __init__(self, machine: Clock | None = None) -> None:
        self.behind_ns = 0
        self._machine = machine or SystemClock()

    def now_ns(self) -> int:
        return self._machine.now_ns() - self.behind_ns

    def put_back(self, days: int) -> None:
        """Begin in the early morning, so many days ago: before anybody looked at it."""
        self.behind_ns = self._machine.now_ns() - self.of(days, "06:00")

    def put_to(self, at_ns: int) -> None:
        """Forward to an instant; nothing where it has passed, and never beyond the machine's own time."""
        self.behind_ns = max(0, min(self.behind_ns, self._machine.now_ns() - at_ns))

    def put_right(self) -> None:
        """Forward to the machine's own time."""
        self.behind_ns = 0

    def of(self, days_ago: int, clock: str) -> int:
        """The instant of a time of the day, so many days before the machine's today; below zero, behind it."""
        day = self._today() - timedelta(days=days_ago)
        return instant_ns(datetime.combine(day, time.fromisoformat(clock), _ZONE))

    def _today(self) -> date:
        return datetime.fromtimestamp(self._machine.now_ns() // NS_PER_S, _ZONE).date()
