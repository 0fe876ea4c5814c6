"""When a coupon can be used: between two dates, for some days after its claim, on some days of the week at some hours."""

from datetime import datetime, time, timedelta, tzinfo

import msgspec

from hutong.kernel.clock import NS_PER_MS, NS_PER_S, instant, instant_ns
from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.reasons import CouponReason

DAYS_MAX = 3_650
HOURS_MAX = 8
_DAY_MINUTES = 24 * 60
_NEVER_NS = 2**63 - 1


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From one minute of the day until before another."""

    from_minute: int
    until_minute: int


class Validity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    All of what is said must hold; what is left out holds always.

    Days are local, as the institution's zone has them, and whole: a coupon for one day is good until midnight.
    """

    from_ms: int = 0
    until_ms: int = 0
    waits_days: int = 0  # After the day of the claim; 0: good at once.
    days: int = 0  # So many, the first one included.
    seconds: int = 0  # So many from the moment on at which it begins to be good, whatever the day.
    weekdays: tuple[int, ...] = ()  # 1 is Monday, as ISO 8601 has it.
    hours: tuple[Hours, ...] = ()

    def check(self) -> None:
        """Refuses COUPON_TERMS_UNSOUND, naming the field; also where nothing says an end."""
        wrong = ""
        if not 0 <= self.from_ms < _NEVER_NS // NS_PER_MS:
            wrong = "from_ms"
        elif self.until_ms and not self.from_ms < self.until_ms < _NEVER_NS // NS_PER_MS:
            wrong = "until_ms"
        elif not 0 <= self.waits_days <= DAYS_MAX:
            wrong = "waits_days"
        elif not 0 <= self.seconds <= DAYS_MAX * _DAY_MINUTES * 60:
            wrong = "seconds"
        elif not 0 <= self.days <= DAYS_MAX or not (self.days or self.seconds or self.until_ms):
            wrong = "days"
        elif len(set(self.weekdays)) < len(self.weekdays) or not all(1 <= day <= 7 for day in self.weekdays):
            wrong = "weekdays"
        elif len(self.hours) > HOURS_MAX or not all(
            0 <= hours.from_minute < hours.until_minute <= _DAY_MINUTES for hours in self.hours
        ):
            wrong = "hours"
        if wrong:
            raise Refusal(CouponReason.COUPON_TERMS_UNSOUND, field=f"validity.{wrong}")

    def period(self, claimed_ns: int, zone: tzinfo) -> tuple[int, int]:
        """From when until before when a coupon claimed then is good."""
        from_ns = max(claimed_ns, self.from_ms * NS_PER_MS)
        until_ns = self.until_ms * NS_PER_MS or _NEVER_NS
        if self.waits_days:
            from_ns = max(from_ns, _midnight_ns(claimed_ns, self.waits_days, zone))
        if self.days:
            until_ns = min(until_ns, _midnight_ns(from_ns, self.days, zone))
        if self.seconds:
            until_ns = min(until_ns, from_ns + self.seconds * NS_PER_S)
        return from_ns, until_ns

    def is_over(self, now_ns: int) -> bool:
        """Whether its last instant has passed, for everybody."""
        return 0 < self.until_ms * NS_PER_MS <= now_ns

    def is_in_vain(self, now_ns: int, zone: tzinfo) -> bool:
        """Whether whoever claims one now could never use it: it would end before it begins."""
        from_ns, until_ns = self.period(now_ns, zone)
        return until_ns <= from_ns

    def is_hour(self, now_ns: int, zone: tzinfo) -> bool:
        """Whether this is one of its days of the week and hours."""
        if not self.weekdays and not self.hours:
            return True
        local = instant(now_ns).astimezone(zone)
        if self.weekdays and local.isoweekday() not in self.weekdays:
            return False
        minute = local.hour * 60 + local.minute
        return not self.hours or any(hours.from_minute <= minute < hours.until_minute for hours in self.hours)


def _midnight_ns(ns: int, days: int, zone: tzinfo) -> int:
    """The midnight so many days behind the beginning of the day of `ns`."""
    day = instant(ns).astimezone(zone).date() + timedelta(days=days)
    return instant_ns(datetime.combine(day, time(), zone))
