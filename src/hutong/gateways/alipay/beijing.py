"""Alipay's clock shows Beijing time, whatever zone an institution keeps its books in."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hutong.kernel.clock import NS_PER_S, instant, instant_ns

ZONE = ZoneInfo("Asia/Shanghai")

_FORMAT = "%Y-%m-%d %H:%M:%S"
_FORMATS = (_FORMAT, "%Y-%m-%d %H:%M")


def local(ns: int) -> datetime:
    """An instant as Beijing's clocks show it."""
    return instant(ns).astimezone(ZONE)


def beijing_text(ns: int) -> str:
    """`2026-01-31 08:00:00`."""
    return local(ns).strftime(_FORMAT)


def beijing_text_ms(ns: int) -> str:
    """With milliseconds: `2026-01-31 08:00:00.123`."""
    return local(ns).strftime(_FORMAT) + f".{ns // 1_000_000 % 1000:03d}"


def beijing_ns(text: str) -> int | None:
    """The instant of a Beijing time, to the second or the minute; None for anything else."""
    for form in _FORMATS:
        try:
            at = datetime.strptime(text, form).replace(tzinfo=ZONE)
        except ValueError:
            continue
        return instant_ns(at) if at.year >= 1970 else None
    return None


def day_ends_in_s(ns: int) -> int:
    """Seconds left of the day in Beijing; at least one."""
    now = local(ns)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return max((instant_ns(midnight) - ns) // NS_PER_S, 1)
