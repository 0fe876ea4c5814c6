"""
The clock of a network for trying out: it can be put forward, to see what comes later, and never back.

How far it is ahead is kept in the data directory, since what was written down stays written: a network that is started again
goes on from there.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from litestar import Router, get, post
from litestar.params import JSONBody
from msgspec import Meta

from hutong.kernel.clock import NS_PER_S, Clock, SystemClock
from hutong.operators.guard import Guard

_FORWARD_MAX_S = 400 * 86_400
_ZONE = ZoneInfo("Asia/Shanghai")


class PutForward(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far to go on."""

    forward_s: Annotated[int, Meta(ge=0, le=_FORWARD_MAX_S, description="Seconds.", examples=[7200])]


class ClockView(msgspec.Struct, frozen=True, kw_only=True):
    """What time it is in this network."""

    now: Annotated[str, Meta(examples=["2026-11-22T20:15:00+08:00"])]
    now_ms: int
    ahead_s: Annotated[int, Meta(description="How far it is ahead of the machine's own clock.")]


class SandboxClock:
    """The machine's clock, and how far the network's is ahead of it. `moved` is told of each step."""

    def __init__(self, directory: Path, machine: Clock | None = None) -> None:
        self._file = directory / "clock-ahead-s"
        self._machine = machine or SystemClock()
        self._ahead_ns = int(self._file.read_text(encoding="ascii")) * NS_PER_S if self._file.exists() else 0
        self.moved: list[Callable[[], None]] = []

    def now_ns(self) -> int:
        return self._machine.now_ns() + self._ahead_ns

    @property
    def ahead_s(self) -> int:
        return self._ahead_ns // NS_PER_S

    def put_forward(self, by_s: int) -> None:
        """It is later from now on."""
        ahead_s = self.ahead_s + by_s
        beside = self._file.with_suffix(".new")
        beside.write_text(f"{ahead_s}", encoding="ascii")
        beside.replace(self._file)
        self._ahead_ns = ahead_s * NS_PER_S
        for tell in self.moved:
            tell()

    def view(self) -> ClockView:
        now_ns = self.now_ns()
        now = datetime.fromtimestamp(now_ns // NS_PER_S, _ZONE).isoformat()
        return ClockView(now=now, now_ms=now_ns // 1_000_000, ahead_s=self.ahead_s)


def clock_api(clock: SandboxClock, operator_only: Guard) -> Router:
    """`/v1/sandbox/clock`: for everybody to read, for an operator to put forward."""

    @get("/", tags=["Sandbox"])
    async def sandbox_clock() -> ClockView:
        """What time it is in this network."""
        return clock.view()

    @post("/", tags=["Sandbox"], guards=[operator_only], status_code=200)
    async def put_clock_forward(data: JSONBody[PutForward]) -> ClockView:
        """Put the clock of the whole network forward: orders expire, bills become ready, retries come due. It never goes back."""
        clock.put_forward(data.forward_s)
        return clock.view()

    return Router("/v1/sandbox/clock", route_handlers=[sandbox_clock, put_clock_forward])
