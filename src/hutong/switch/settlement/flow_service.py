"""
Who pays whom today: the sums between any two nodes of the open settlement date.

Closed windows are summed once. Of the open one only what was decided since the last look is read, on a connection that is
nobody's who pays; and not more often than every few seconds, however many look.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from hutong.kernel.clock import NS_PER_S
from hutong.runtime.node import NodeRuntime
from hutong.switch.settlement.clearing_repository import ClearingRepository
from hutong.switch.settlement.obligation import Flow
from hutong.switch.settlement.window import WindowRow, WindowState
from hutong.switch.settlement.window_service import WindowService

AGAIN_S = 2
_Pair = tuple[str, str, str]  # Who paid, who was paid, currency.


@dataclass(frozen=True, slots=True)
class Stream:
    """What went from one node to another: payments one way, returns the other."""

    source: str
    target: str
    currency: str
    count: int
    amount_minor: int


class FlowService:
    """One for a switch: everybody who looks sees the same."""

    def __init__(self, node: NodeRuntime, windows: WindowService, cleared: ClearingRepository) -> None:
        self._node = node
        self._windows = windows
        self._cleared = cleared
        self._closed: dict[str, Sums] = {}  # By window, of the date.
        self._open = Sums()
        self._open_window = ""
        self._seen = 0  # Up to which position the open window was read.
        self._again_ns = 0
        self._settles_on = ""

    async def today(self) -> tuple[str, list[Stream]]:
        """The settlement date, and its streams: the largest first."""
        now_ns = self._node.clock.now_ns()
        if now_ns >= self._again_ns:
            self._again_ns = (
                now_ns + AGAIN_S * NS_PER_S
            )  # Before anything is awaited: who comes meanwhile sees the last.
            await self._look()
        summed = Sums()
        for sums in (*self._closed.values(), self._open):
            summed.counts.update(sums.counts)
            summed.amounts.update(sums.amounts)
        return self._settles_on, summed.streams()

    async def _look(self) -> None:
        windows = self._windows.windows()
        opened = next(row for row in reversed(windows) if row.state == WindowState.OPEN.value)
        if opened.window != self._open_window:
            self._open, self._open_window, self._seen = Sums(), opened.window, opened.from_position
        if opened.settles_on != self._settles_on:
            self._closed, self._settles_on = {}, opened.settles_on
        until = self._node.journal.durable_position
        for row in windows:
            is_todays = row.settles_on == self._settles_on and row.state != WindowState.OPEN.value
            if is_todays and row.window not in self._closed and row.to_position <= until:
                sums = Sums()
                sums.add(await self._cleared.flows(row))
                self._closed[row.window] = sums
        if until > self._seen:
            since: WindowRow = msgspec.structs.replace(opened, from_position=self._seen, to_position=until)
            found = await self._cleared.flows(since)
            if self._open_window == opened.window and self._seen == since.from_position:
                self._open.add(found)
                self._seen = until


class Sums:
    """Sums by pair of nodes."""

    def __init__(self) -> None:
        self.counts: Counter[_Pair] = Counter()
        self.amounts: Counter[_Pair] = Counter()

    def add(self, flows: Iterable[Flow]) -> None:
        for flow in flows:
            pair = flow.debtor_agent, flow.creditor_agent, flow.currency
            if flow.is_return:
                pair = flow.creditor_agent, flow.debtor_agent, flow.currency
            self.counts[pair] += flow.count
            self.amounts[pair] += flow.amount_minor

    def streams(self) -> list[Stream]:
        """The largest first."""
        found = [Stream(*pair, self.counts[pair], minor) for pair, minor in self.amounts.items()]
        return sorted(found, key=lambda each: (-each.amount_minor, each.source, each.target))
