"""Days, weekdays and hours where the institution is: budgets are per local day."""

from datetime import datetime, tzinfo
from datetime import time as time_of_day

from hutong.kernel.clock import NS_PER_HOUR, instant, instant_ns


class Calendar:
    """Asked for every payment: an hour is worked out once."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._begins_ns = self._ends_ns = 0
        self._now = datetime(2000, 1, 1, tzinfo=zone)
        self._day = 0

    def day(self, now_ns: int) -> int:
        """The local day, an ordinal."""
        if not self._begins_ns <= now_ns < self._ends_ns:
            self._at(now_ns)
        return self._day

    def weekday(self, now_ns: int) -> int:
        """1 is Monday."""
        return self._at(now_ns).isoweekday()

    def hour(self, now_ns: int) -> int:
        """0 to 23."""
        return self._at(now_ns).hour

    def midnight_ns(self, day: int) -> int:
        """When a local day begins."""
        return instant_ns(datetime.combine(datetime.fromordinal(day), time_of_day(), self.zone))

    def _at(self, now_ns: int) -> datetime:
        if not self._begins_ns <= now_ns < self._ends_ns:
            self._now = instant(now_ns).astimezone(self.zone)
            self._day = self._now.toordinal()
            # Zones are apart by quarters of an hour.
            self._begins_ns = now_ns // (NS_PER_HOUR // 4) * (NS_PER_HOUR // 4)
            self._ends_ns = self._begins_ns + NS_PER_HOUR // 4
        return self._now
