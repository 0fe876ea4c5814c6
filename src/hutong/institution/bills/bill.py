"""What a day's bill is of, and what it comes to."""

import re
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Self
from zoneinfo import ZoneInfo

import msgspec

from hutong.kernel.clock import instant, instant_ns
from hutong.kernel.errors import Kind, Reason, Refusal

DAYS_MAX = 366
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BillReason(Reason):
    """Why there is no bill."""

    DAY_MALFORMED = Kind.INVALID, "NARR"
    DAY_NOT_BEGUN = Kind.NOT_FOUND, "NARR"
    DAYS_REVERSED = Kind.INVALID, "NARR"  # The last day is before the first.
    DAYS_TOO_MANY = Kind.INVALID, "NARR"


class BillDay(msgspec.Struct, frozen=True):
    """A day of the institution's zone: from the first nanosecond to the one before the next day."""

    day: date
    from_ns: int
    until_ns: int

    @classmethod
    def read(cls, text: str, zone: ZoneInfo, now_ns: int) -> Self:
        """Refuses DAY_MALFORMED, DAY_NOT_BEGUN. A day that is not over yet has a bill so far."""
        day = read_day("day", text)
        if day > day_of(now_ns, zone):
            raise Refusal(BillReason.DAY_NOT_BEGUN, day=text)
        return cls(day, *_bounds(day, day, zone))


class Days(msgspec.Struct, frozen=True):
    """Days of the institution's zone, the last one included: from a nanosecond to the one before the next day."""

    first: date
    last: date
    from_ns: int
    until_ns: int

    @classmethod
    def of(cls, first: date, last: date, zone: ZoneInfo) -> Self:
        """Refuses DAYS_REVERSED, DAYS_TOO_MANY."""
        if last < first:
            raise Refusal(BillReason.DAYS_REVERSED, field="last")
        if (last - first).days >= DAYS_MAX:
            raise Refusal(BillReason.DAYS_TOO_MANY, field="first", days_max=DAYS_MAX)
        return cls(first, last, *_bounds(first, last, zone))

    @property
    def all(self) -> list[date]:
        return [self.first + timedelta(days=each) for each in range((self.last - self.first).days + 1)]


def read_day(field: str, text: str) -> date:
    """A day as `2026-11-23`. Refuses DAY_MALFORMED."""
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not date(1970, 1, 2) <= day < date(2200, 1, 1):
        raise Refusal(BillReason.DAY_MALFORMED, field=field, expected="2026-11-23")
    return day


def day_of(at_ns: int, zone: ZoneInfo) -> date:
    """The day of an instant in a zone."""
    return instant(at_ns).astimezone(zone).date()


def _bounds(first: date, last: date, zone: ZoneInfo) -> tuple[int, int]:
    begins, ends = (datetime.combine(each, time_of_day(), zone) for each in (first, last + timedelta(days=1)))
    return instant_ns(begins), instant_ns(ends)


class BillTotals(msgspec.Struct, frozen=True, kw_only=True):
    """
    A day of a merchant in sums, in minor units.

    `gross` and `fees` are of the day's payments, `refunds` and `fees_back` of its refunds; `net` is what these moved on the
    account, `other` what else did: withdrawals, disputes, corrections. `agrees`: opening + net + other = closing,
    and what the payments and refunds say they moved is what the ledger moved.
    """

    day: str
    currency: str
    complete: bool  # The day is over.
    payments: int
    gross: int
    fees: int
    refunds: int
    refunded: int
    fees_back: int
    net: int
    other: int
    lines: int  # Of the fund-flow bill.
    opening: int
    closing: int
    agrees: bool
