"""Time is injected: an aware UTC instant from a `Clock`, never from the machine directly."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_HOUR = 3600 * NS_PER_S
NS_PER_DAY = 24 * NS_PER_HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Nanoseconds since 1970 UTC. The hot path counts in these; people see instants."""

    def now_ns(self) -> int: ...


class SystemClock:
    """The machine's clock."""

    now_ns = staticmethod(time.time_ns)  # Asked several times for every payment: no call of ours in between.


class ManualClock:
    """A clock that moves when told to: for tests and simulation."""

    def __init__(self, start_ns: int = 1_767_225_600 * NS_PER_S) -> None:
        self.ns = start_ns

    def now_ns(self) -> int:
        return self.ns

    def advance(self, *, seconds: int = 0, ns: int = 0) -> None:
        assert seconds >= 0
        assert ns >= 0
        self.ns += seconds * NS_PER_S + ns


def instant(ns: int) -> datetime:
    """The aware UTC instant of `ns`, to the microsecond (what PostgreSQL keeps)."""
    return _EPOCH + timedelta(microseconds=ns // 1000)


def instant_ns(at: datetime) -> int:
    """Nanoseconds since 1970 of an aware instant; the reverse of `instant`."""
    assert at.tzinfo is not None
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000
