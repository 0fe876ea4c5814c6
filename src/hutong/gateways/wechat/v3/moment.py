"""Times as the vendor writes them: RFC 3339, in Beijing, to the second."""

from datetime import datetime, timedelta, timezone

from hutong.kernel.clock import instant, instant_ns

BEIJING = timezone(timedelta(hours=8))


def told(ns: int) -> str:
    """`2018-06-08T10:34:56+08:00`."""
    return instant(ns).astimezone(BEIJING).isoformat(timespec="seconds")


def read(text: str) -> int | None:
    """Nanoseconds since 1970 of a time with its zone; None if it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant_ns(at) if at.tzinfo is not None else None


def compact(ns: int) -> str:
    """`20180608103456`, as older products have it."""
    return f"{instant(ns).astimezone(BEIJING):%Y%m%d%H%M%S}"
