"""Where a node lives: its disk and its clock, which outlive it, and the life that runs on them now."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Protocol

from hutong.kernel.clock import ManualClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.ledger.engines.postgres import JournaledLedger
from hutong.ledger.memory_repository import MemoryLedgerRepository
from hutong.runtime.journal import JournalHalted
from hutong.runtime.node import NodeRuntime
from hutong.scheme.messages import AnyMessage
from hutong.simulation.disk import Disk, DiskJournal
from hutong.simulation.loop import VirtualLoop

ACCOUNTS_PER_ROW = 10


class SkewedClock:
    """A node's own clock: the time, and how far it is off."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.off_ns = 0

    def now_ns(self) -> int:
        return self._clock.ns + self.off_ns


class Software(Protocol):
    """What runs on a place: a switch or an institution."""

    def receive(self, sender: str, messages: list[AnyMessage]) -> None: ...

    def tick(self) -> None: ...


class Errands:
    """The coroutines one life of a node has under way; they end with it."""

    def __init__(self, loop: VirtualLoop, failed: Callable[[str], None]) -> None:
        self._loop = loop
        self._failed = failed
        self._tasks: dict[asyncio.Task[None], None] = {}

    def __call__(self, errand: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(errand)
        self._tasks[task] = None
        task.add_done_callback(self._ended)

    def cancel(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, JournalHalted):
            self._failed(f"an errand failed: {error!r}")


class Life:
    """One life of a node, from its start to its crash."""

    def __init__(self, node: NodeRuntime, journal: DiskJournal, ledger: JournaledLedger, errands: Errands) -> None:
        self.node = node
        self.journal = journal
        self.ledger = ledger
        self.errands = errands
        self.stack = AsyncExitStack()
        self.is_up = False

    @property
    def is_over(self) -> bool:
        return self.journal.halted


class Place:
    """One node's place. `begin` puts its software on a new life; `software` is what runs there, once it is up."""

    def __init__(
        self,
        node_id: str,
        loop: VirtualLoop,
        disk: Disk,
        *,
        seed: int,
        begin: Callable[[Life], Coroutine[Any, Any, Software]],
        journal: Callable[["Place", int], DiskJournal],
        failed: Callable[[str], None],
    ) -> None:
        self.node_id = node_id
        self.disk = disk
        self.clock = SkewedClock(loop.clock)
        self.memory_rows_max = 200_000
        self.lives = 0
        self.life: Life | None = None
        self.software: Any = None
        self._loop = loop
        self._randomness = seeded_randomness(seed)
        self._begin = begin
        self._journal = journal
        self._failed = failed

    @property
    def is_up(self) -> bool:
        return self.life is not None and self.life.is_up and not self.life.is_over

    @property
    def is_quiet(self) -> bool:
        """Nothing waits to become durable, or to leave."""
        return self.life is not None and self.life.journal.quiet

    def boot(self) -> None:
        """Start on what is durable; up as soon as everything it wants to know is loaded."""
        self.lives += 1
        position = max((rows[-1][0] for rows in self.disk.rows.values() if rows), default=0)
        journal = self._journal(self, position)
        journal.failed = self._failed
        errands = Errands(self._loop, self._failed)
        ledger = JournaledLedger(
            self.clock,
            journal,
            MemoryLedgerRepository(self.disk),
            errands,
            transfers_max=self.memory_rows_max,
            accounts_max=self.memory_rows_max // ACCOUNTS_PER_ROW,
            checkpoint_rows=self.memory_rows_max // 4,
        )
        mint = IdMint(self.clock, self._randomness)
        node = NodeRuntime(self.node_id, self.clock, self._randomness, mint, journal, self.disk, errands)
        self.life = Life(node, journal, ledger, errands)
        errands(self._start(self.life))

    def crash(self, *, lands: bool = False) -> None:
        """Lose everything in memory and what is not durable."""
        life = self.life
        assert life is not None
        life.journal.crash(lands=lands)
        life.errands.cancel()
        self._loop.create_task(life.stack.aclose())
        self.software = None

    def spawn(self, errand: Coroutine[Any, Any, None]) -> None:
        """Run an errand for as long as this life lasts."""
        assert self.life is not None
        self.life.errands(errand)

    async def _start(self, life: Life) -> None:
        await life.ledger.start()
        software = await self._begin(life)
        if not life.is_over:
            self.software = software
            life.is_up = True
