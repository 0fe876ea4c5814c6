"""A node's disk: what is durable, how long a commit and a look-up take, and what a crash leaves of a commit."""

import asyncio
import traceback
from collections.abc import Callable, Collection
from typing import Any

from hutong.runtime.journal import Effect, JournalHalted, MemoryJournal
from hutong.runtime.tables import MemoryStore, Relation, Row, Table
from hutong.simulation.loop import VirtualLoop

Wait = Callable[[], int]  # Nanoseconds; 0: at once.
Kept = Callable[[Table[Any], int, Any], None]
_Rows = list[tuple[Table[Any], int, Any]]


class Disk(MemoryStore):
    """The rows that survive; a look-up takes as long as `wait` says, and may see them as they were when it was asked."""

    def __init__(self, loop: VirtualLoop, wait: Wait, kept: Kept) -> None:
        super().__init__()
        self._loop = loop
        self._wait = wait
        self._kept = kept
        self.on_commit: Callable[[], None] = lambda: None  # All rows of a commit are there.

    def keep(self, table: Table[Row], position: int, row: Row) -> None:
        super().keep(table, position, row)
        self._kept(table, position, row)

    async def find(self, table: Relation[Row], column: str, values: Collection[Any]) -> list[tuple[int, Row]]:
        wait_ns = self._wait()
        if not wait_ns:
            return await super().find(table, column, values)
        if wait_ns & 1:  # The answer is on its way while more becomes durable.
            found = await super().find(table, column, values)
            await self._loop.wait(wait_ns)
            return found
        await self._loop.wait(wait_ns)
        return await super().find(table, column, values)


class DiskJournal(MemoryJournal):
    """
    The journal with time in it: a commit takes a while, then it is durable, and a little later its node hears of it.

    In between the node may die. What was on its way to the disk is then there or not: `crash` is told which.
    """

    def __init__(self, disk: Disk, loop: VirtualLoop, *, position: int, commit: Wait, answer: Wait) -> None:
        super().__init__(disk, position=position)
        self._disk = disk
        self.failed: Callable[[str], None] = lambda _: None
        self.on_durable: Callable[[], None] = lambda: None
        self._loop = loop
        self._commit_wait = commit
        self._answer_wait = answer
        self._sealed_position = position
        self._woken = False
        self._under_way: _Rows | None = None
        self._promises: dict[asyncio.Future[Any], None] = {}

    @property
    def halted(self) -> bool:
        return self._halted

    @property
    def under_way(self) -> bool:
        """A commit is on its way to the disk, and not durable yet."""
        return self._under_way is not None

    @property
    def quiet(self) -> bool:
        return super().quiet and self._under_way is None

    def effect(self, run: Effect) -> None:
        if self._halted:
            raise JournalHalted
        super().effect(run)
        if self._position == self._sealed_position:
            self._wake()

    def tell(self, peer: str, message: Any) -> None:
        if self._halted:
            raise JournalHalted
        super().tell(peer, message)
        if self._position == self._sealed_position:
            self._wake()

    def seal(self) -> None:
        if self._position != self._sealed_position:
            self._sealed_position = self._position
            self._wake()

    def flush(self) -> None:
        raise AssertionError("here a commit takes its time")

    def break_off(self, why: str) -> None:
        self.failed(f"half a decision: {why}\n{traceback.format_exc(limit=-5)}")
        super().break_off(why)

    def promise(self) -> "asyncio.Future[Any]":
        if self._halted:
            raise JournalHalted
        # In the order they were made: a set's order is no seed's.
        promise = self._loop.create_future()
        self._promises[promise] = None
        promise.add_done_callback(self._forget)
        return promise

    def crash(self, *, lands: bool = False) -> None:
        """Lose what is not durable; a commit under way `lands` or is lost."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None and lands:
            self._keep(under_way)
        super().crash()
        for promise in list(self._promises):
            if not promise.done():
                promise.set_exception(JournalHalted())

    def _forget(self, promise: "asyncio.Future[Any]") -> None:
        self._promises.pop(promise, None)
        if not promise.cancelled():
            promise.exception()  # Whoever was to hear of it may have left.

    def _wake(self) -> None:
        if not self._woken and self._under_way is None:
            self._woken = True
            self._loop.after(0, self._begin)

    def _begin(self) -> None:
        self._woken = False
        if self._halted or self._under_way is not None:
            return
        if self._position != self._sealed_position:
            self.failed("a decision was left unsealed")
        rows, self._rows = self._rows, []
        effects, self._effects = self._effects, []
        letters = dict(self._letters)
        self._letters.clear()
        if rows:
            self._under_way = rows
            self._send(rows, effects, letters)
        else:
            self._let_out(effects, letters)

    def _send(self, rows: _Rows, effects: list[Effect], letters: dict[str, list[Any]]) -> None:
        self._loop.after(self._commit_wait(), lambda: self._durable(rows, effects, letters))

    def _durable(self, rows: _Rows, effects: list[Effect], letters: dict[str, list[Any]]) -> None:
        if self._halted:
            return
        self._under_way = None
        self._keep(rows)
        self._woken = True  # It hears of it in a while, and begins nothing until then.
        position = rows[-1][1]
        self._loop.after(self._answer_wait(), lambda: self._answered(position, effects, letters))
        self.on_durable()

    def _keep(self, rows: _Rows) -> None:
        for table, position, row in rows:
            self._disk.keep(table, position, row)
        self._disk.on_commit()

    def _answered(self, position: int, effects: list[Effect], letters: dict[str, list[Any]]) -> None:
        if self._halted:
            return
        self._durable_position = position
        if self._rows:
            self._begin()  # The disk works while the others are answered.
            self._let_out(effects, letters)
        else:
            self._let_out(effects, letters)
            self._begin()

    def _let_out(self, effects: list[Effect], letters: dict[str, list[Any]]) -> None:
        for peer, messages in letters.items():
            self.post(peer, messages)
        for run in effects:
            self._run(run)

    def _run(self, effect: Effect) -> None:
        before = self._position
        try:
            effect()
        except JournalHalted:
            return  # It wanted to decide more, and the node is no more.
        except Exception as error:  # noqa: BLE001  # Whatever it is, the others must leave.
            self.failed(f"an effect failed: {error!r}")
        else:
            if self._position != before:
                self.seal()
