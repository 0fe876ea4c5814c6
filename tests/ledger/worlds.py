"""Every engine under one roof: how to make it, make its rows durable, and start it again from them."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from hutong.kernel.clock import ManualClock
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.engines.postgres import JournaledLedger
from hutong.ledger.engines.reference import ReferenceLedger
from hutong.ledger.memory_repository import MemoryLedgerRepository
from hutong.ledger.repository import PgLedgerRepository
from hutong.ledger.transfer import Account, Transfer
from hutong.runtime.database import Database
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.node import run_now
from hutong.runtime.pgjournal import PgJournal, open_journal
from hutong.runtime.tables import MemoryStore

ROOMY: dict[str, int] = {}
FORGETFUL = {"transfers_max": 1, "accounts_max": 1, "checkpoint_rows": 3}


class World(Protocol):
    """One engine with its clock."""

    clock: ManualClock

    @property
    def ledger(self) -> LedgerEngine: ...

    async def settle(self) -> None:
        """Make everything decided until now durable."""
        ...

    async def restart(self) -> None:
        """Forget everything that is not durable, and start again."""
        ...

    async def close(self) -> None: ...


class ReferenceWorld:
    """Never forgets."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ledger: LedgerEngine = ReferenceLedger(self.clock)

    async def settle(self) -> None: ...

    async def restart(self) -> None: ...

    async def close(self) -> None: ...


class MemoryWorld:
    """The journaled engine on a memory journal."""

    ledger: JournaledLedger
    journal: MemoryJournal

    def __init__(self, **limits: int) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self._limits = limits

    async def start(self) -> "MemoryWorld":
        newest = max((rows[-1][0] for rows in self.store.rows.values() if rows), default=0)
        self.journal = MemoryJournal(self.store, position=newest)
        repository = MemoryLedgerRepository(self.store)
        self.ledger = JournaledLedger(self.clock, self.journal, repository, run_now, **self._limits)
        await self.ledger.start()
        return self

    async def settle(self) -> None:
        self.journal.flush()

    async def restart(self) -> None:
        self.journal.crash()
        await self.start()

    async def close(self) -> None: ...


class PostgresWorld:
    """The journaled engine on a real PostgreSQL."""

    ledger: JournaledLedger
    journal: PgJournal

    def __init__(self, database: Database, **limits: int) -> None:
        self.clock = ManualClock()
        self.database = database
        self._limits = limits
        self._errands: set[asyncio.Task[None]] = set()
        self._pool: Any = None

    async def start(self) -> "PostgresWorld":
        if self._pool is None:
            await migrate(self.database, all_migrations(["runtime", "ledger"]))
            self._pool = await self.database.open_pool(size_max=2)
        self.journal = await open_journal(self.database, take_over=True)
        repository = PgLedgerRepository(self._pool)
        self.ledger = JournaledLedger(self.clock, self.journal, repository, self._spawn, **self._limits)
        await self.ledger.start()
        return self

    def _spawn(self, errand: Any) -> None:
        task = asyncio.get_running_loop().create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def settle(self) -> None:
        await self.journal.flushed()

    async def restart(self) -> None:
        await self.journal.close()
        await self.start()

    async def abandon(self) -> None:
        """Die: the writer's connection ends, whatever it was doing, and what was being fetched is never answered."""
        for errand in self._errands:
            errand.cancel()
        self.journal._connection.abort()
        while self.journal.halt is None:
            await asyncio.sleep(0)

    async def newest_timestamp(self) -> int:
        return (await PgLedgerRepository(self._pool).start()).timestamp

    async def close(self) -> None:
        await self.journal.close()
        await self._pool.close()


async def ask(world: World, events: Sequence[Any]) -> list[Any]:
    """The ledger's answers to one batch, whenever they come."""
    answered: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
    if isinstance(events[0], Account):
        world.ledger.create_accounts(events, answered.set_result)
    else:
        assert isinstance(events[0], Transfer)
        world.ledger.create_transfers(events, answered.set_result)
    return await asyncio.wait_for(answered, 10)
