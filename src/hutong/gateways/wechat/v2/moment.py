"""Times as v2 writes them: fourteen digits, in Beijing."""

from datetime import datetime, timedelta, timezone

from hutong.kernel.clock import instant, instant_ns

BEIJING = timezone(timedelta(hours=8))
_FORM = "%Y%m%d%H%M%S"


def wire_time(ns: int) -> str:
    """`20260102030405`."""
    return instant(ns).astimezone(BEIJING).strftime(_FORM)


def wire_clock(ns: int) -> str:
    """`2026-01-02 03:04:05`: how refunds and transfers have it."""
    return instant(ns).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def read_time(text: str) -> int | None:
    """Nanoseconds since 1970; None for what isn't a time."""
    try:
        return instant_ns(datetime.strptime(text, _FORM).replace(tzinfo=BEIJING))
    except ValueError:
        return None
