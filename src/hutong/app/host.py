"""
One node on its machine: schema, journal, ledger and services, wired; and started again from its rows when it halts.

Crash-only: whatever ends a journal (a lost connection, a decision the database refused, another writer) ends everything
that was built on it. What comes after is built from the rows alone, the same way as after a power cut.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg
import structlog

from hutong.kernel.clock import Clock, SystemClock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import IdMint, Randomness, system_randomness
from hutong.ledger.engines.postgres import JournaledLedger
from hutong.ledger.repository import PgLedgerRepository
from hutong.runtime.database import Database, DatabaseUnavailable, unavailable_when_gone
from hutong.runtime.journal import JournalHalted
from hutong.runtime.leadership import LeadershipReason
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.node import NodeRuntime
from hutong.runtime.pgjournal import Halt, HaltReason, PgJournal, open_journal
from hutong.runtime.pgstore import PgStore

log = structlog.get_logger()
TICK_S = 0.2
RESTART_S_MIN = 0.1
RESTART_S_MAX = 5.0
# What an errand meets when its database goes away, in the journal's words and in asyncpg's.
_LOST = (
    DatabaseUnavailable,
    JournalHalted,
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)


@dataclass(slots=True)
class HostState:
    """How the host fares, over all lives of the node."""

    restarts: int = 0
    is_draining: bool = False
    lag_s: float = 0  # How late the timer last was.


@dataclass(frozen=True, slots=True)
class Machine:
    """What a node is built on, for one life of its journal."""

    node: NodeRuntime
    journal: PgJournal
    ledger: JournaledLedger
    pool: "asyncpg.Pool[Any]"  # For reading.
    state: HostState


class Node(Protocol):
    """A node's software, built and started."""

    def tick(self) -> None:
        """What time alone brings about."""
        ...


# Builds and starts a node's software on a machine; what it enters on the stack is closed when the machine halts.
Build = Callable[[Machine, AsyncExitStack], Awaitable[Node]]


class Errands:
    """The `spawn` of a living node: tasks that are held on to, whose failures are logged and stop nothing else."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(errand)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def cancel(self) -> None:
        """Stop them all."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, _LOST):
            # The node is about to start again; whoever waited is told so, and whoever is undecided asks again.
            log.warning("errand_lost", error=str(error))
        else:
            log.error("errand_failed", exc_info=error)


class NodeHost:
    """Runs one node until told to stop, or until another process takes it over (`ended`). `kinds` are its migrations."""

    def __init__(  # Wired once.
        self,
        node_id: str,
        database: Database,
        kinds: Sequence[str],
        build: Build,
        *,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        take_over: bool = False,
        drain_notice_s: float = 0,
    ) -> None:
        self.node_id = node_id
        self.state = HostState()
        self._drain_notice_s = drain_notice_s
        self._database = database
        self._kinds = kinds
        self._build = build
        self._clock = clock or SystemClock()
        self._randomness = randomness or system_randomness()
        self._take_over = take_over
        self._ready = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._halted: asyncio.Future[Halt] | None = None
        self._halt: Halt | None = None  # What ended the life before this one.
        self._led: int | None = None  # The epoch of that life.
        self._stopping = False
        self.ended: asyncio.Future[Halt] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        """Come up; returns when the node serves. Raises what the first start raises."""
        await migrate(self._database, all_migrations(self._kinds))
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._runner = asyncio.create_task(self._run(first), name=f"node {self.node_id}")
        await first

    async def stop(self) -> None:
        """
        Make durable what was decided, answer it, and end.

        First it is not ready any more, for as long as whoever sends it work needs to notice.
        """
        self.state.is_draining = True
        if self._drain_notice_s and self._ready.is_set():
            await asyncio.sleep(self._drain_notice_s)
        self._stopping = True
        if self._halted is not None and not self._halted.done():
            self._halted.set_result(Halt(HaltReason.CLOSED))
        if self._runner is not None:
            await self._runner

    async def ready(self) -> None:
        """Wait until the node serves (again)."""
        await self._ready.wait()

    async def _run(self, first: "asyncio.Future[None]") -> None:
        # Whatever the node's tasks, timers and connections log from here on names it.
        structlog.contextvars.bind_contextvars(node=self.node_id)
        wait_s = RESTART_S_MIN
        while not self._stopping:
            try:
                await self._live(first)
                wait_s = RESTART_S_MIN
            except DatabaseUnavailable as error:
                if not first.done():
                    first.set_exception(error)
                    return
                log.warning("database_unavailable", error=str(error), again_in_s=wait_s)
                wait_s = min(2 * wait_s, RESTART_S_MAX)
            except JournalHalted as error:
                if not first.done():
                    first.set_exception(error)
                    return
                log.warning("node_start_cut_off", error=str(error), again_in_s=wait_s)  # As by a disk that is full.
                wait_s = min(2 * wait_s, RESTART_S_MAX)
            except Exception as error:
                if not first.done():
                    first.set_exception(error)
                    return
                if isinstance(error, Refusal) and error.reason is LeadershipReason.WRITER_TAKEN_OVER:
                    self._halt = Halt(HaltReason.FENCED, str(error))
                else:
                    log.exception("node_failed_to_start")
                    wait_s = min(2 * wait_s, RESTART_S_MAX)
            if self._halt is not None and self._halt.reason is HaltReason.FENCED:
                # Another process took the node over, as its operator wished: taking it back would go on for ever.
                log.error("node_taken_over")
                break
            if not self._stopping:
                self.state.restarts += 1
                await asyncio.sleep(wait_s)
        if not self.ended.done():
            self.ended.set_result(self._halt or Halt(HaltReason.CLOSED))

    async def _live(self, first: "asyncio.Future[None]") -> None:
        """One life: from the rows to the halt of the journal."""
        self._halted = asyncio.get_running_loop().create_future()
        async with AsyncExitStack() as stack:
            machine = await self._machine(stack, self._halted)
            built: asyncio.Future[Node] = asyncio.get_running_loop().create_future()
            # Pushed before the software is built, so ended behind it: who waits while the server drains is answered
            # by the timer, when the decision can't come any more.
            stack.push_async_callback(self._end_ticking, asyncio.create_task(self._tick(machine, built)))
            node = await self._build(machine, stack)
            await machine.journal.flushed()
            built.set_result(node)
            self._ready.set()
            if not first.done():
                first.set_result(None)
            if self._stopping:
                return
            halt = self._halt = await self._halted
            self._ready.clear()
            if halt.reason is not HaltReason.CLOSED:
                log.error("node_halted", halt=str(halt))

    async def _machine(self, stack: AsyncExitStack, halted: "asyncio.Future[Halt]") -> Machine:
        journal = await open_journal(self._database, take_over=self._take_over, led=self._led)
        self._led = journal.epoch
        self._take_over = False  # Asked for once, by somebody who saw the other one hang.
        stack.push_async_callback(journal.close)
        journal.on_halt = lambda halt: None if halted.done() else halted.set_result(halt)
        pool = await self._database.open_pool(lead=journal.leadership)
        stack.push_async_callback(_closed, pool)
        errands = Errands()
        stack.push_async_callback(errands.cancel)
        node = NodeRuntime(
            node_id=self.node_id,
            clock=self._clock,
            randomness=self._randomness,
            mint=IdMint(self._clock, self._randomness),
            journal=journal,
            store=PgStore(pool),
            spawn=errands.spawn,
        )
        ledger = JournaledLedger(self._clock, journal, PgLedgerRepository(pool), errands.spawn)
        await ledger.start()
        return Machine(node, journal, ledger, pool, self.state)

    async def _tick(self, machine: Machine, built: "asyncio.Future[Node]") -> None:
        node = await built
        time = asyncio.get_running_loop().time
        while machine.journal.halt is None:
            asked_at = time()
            await asyncio.sleep(TICK_S)
            self.state.lag_s = time() - asked_at - TICK_S
            try:
                machine.ledger.expire()
                node.tick()
                machine.journal.seal()
            except JournalHalted:
                return
            except Exception:
                log.exception("tick_failed")

    async def _end_ticking(self, ticking: "asyncio.Task[None]") -> None:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


async def _closed(pool: "asyncpg.Pool[Any]") -> None:
    """Close the pool; a server that goes while its connections say goodbye is a server that is gone."""
    with unavailable_when_gone():
        await pool.close()
