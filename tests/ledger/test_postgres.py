"""The journaled engine on a real PostgreSQL against the reference: decisions, restarts, kills, and every query."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.ids import seeded_randomness
from hutong.ledger.engines.reference import ReferenceLedger
from hutong.ledger.repository import PgLedgerRepository
from hutong.ledger.transfer import AMOUNT_MAX, Account, AccountFlag, AccountQuery, Transfer
from hutong.runtime.database import Database, DatabaseUnavailable
from hutong.runtime.journal import JournalHalted
from tests.ledger.worlds import FORGETFUL, ROOMY, PostgresWorld, ask

ACCOUNTS = range(1, 9)


def some_transfers(chance: random.Random, newest: int) -> list[Transfer]:
    """A batch of what mostly succeeds, some of it with old ids."""
    batch = []
    for _ in range(chance.randint(1, 6)):
        id_ = (chance.randint(max(1, newest - 8), newest) << 80) | chance.randint(1, 3)
        if chance.random() < 0.4:
            pending_id = (chance.randint(max(1, newest - 8), newest) << 80) | chance.randint(1, 3)
            flags = chance.choice([4, 4, 8, 5, 9])
            batch.append(Transfer(id_, 0, 0, AMOUNT_MAX if flags & 4 else 0, 0, 0, flags, pending_id))
        else:
            debit, credit = chance.sample(ACCOUNTS, 2)
            flags = chance.choice([0, 0, 1, 2, 2, 2, 3, 16, 66, 130])
            timeout = chance.choice([0, 0, 1]) if flags & 2 else 0
            amount, code = chance.randint(0, 50), chance.randint(1, 2)
            batch.append(Transfer(id_, debit, credit, amount, 1, code, flags, user_data_64=2**64 - 1, timeout=timeout))
    return batch


class Pair:
    """The engine under test and the oracle, which does whatever was decided when it was decided."""

    def __init__(self, world: PostgresWorld) -> None:
        self.world = world
        self.reference = ReferenceLedger(world.clock)
        self.calls: list[tuple[int, Callable[[ReferenceLedger], None]]] = []
        self.durable = 0

    async def open(self) -> None:
        flags = [AccountFlag.HISTORY, AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS, 0, 0, 0, 0, 0, AccountFlag.HISTORY]
        accounts = [Account(id=i, ledger=1, code=1, flags=int(flag)) for i, flag in zip(ACCOUNTS, flags, strict=True)]
        assert await ask(self.world, accounts)
        self.decided(lambda ledger: ledger.create_accounts(accounts, lambda _: None))
        await self.world.settle()

    def decided(self, call: Callable[[ReferenceLedger], None]) -> None:
        call(self.reference)
        self.calls.append((self.world.clock.ns, call))
        count = len(self.calls)

        def durable() -> None:
            self.durable = count

        self.world.journal.effect(durable)

    def create_transfers(self, transfers: list[Transfer]) -> None:
        def then(ours: list[Any]) -> None:
            theirs: list[Any] = []
            self.decided(lambda ledger: ledger.create_transfers(transfers, theirs.extend))
            assert ours == theirs

        self.world.clock.advance(ns=1000)
        self.world.ledger.create_transfers(transfers, then)
        self.world.journal.seal()

    async def quiet(self) -> None:
        """Nothing waits for a look-up, and everything is durable."""
        await ask(self.world, [Account(id=0, ledger=1, code=1)])
        await self.world.settle()

    async def expire(self) -> None:
        await self.quiet()
        self.world.clock.advance(ns=2 * NS_PER_S)
        self.world.ledger.expire()
        await self.quiet()
        self.decided(expire)

    async def agree(self) -> None:
        ours, theirs = self.world.ledger, self.reference
        assert await ours.lookup_accounts(ACCOUNTS) == await theirs.lookup_accounts(ACCOUNTS)
        assert await ours.pending_transfers() == await theirs.pending_transfers()
        now = self.world.clock.ns
        for account in ACCOUNTS:
            for descending in (False, True):
                for code, debits, credits_ in ((0, True, True), (1, True, False), (2, False, True)):
                    query = AccountQuery(account, debits, credits_, 0, 0, code, 1000, reversed=descending)
                    assert await ours.account_transfers(query) == await theirs.account_transfers(query)
                    assert await ours.account_balances(query) == await theirs.account_balances(query)
            for back in (0, 1000, 50_000, 3 * NS_PER_S, now):
                assert await ours.balance_at(account, now - back) == await theirs.balance_at(account, now - back)
            assert await pages(ours, account) == await theirs.account_transfers(AccountQuery(account, limit=1000))

    def rewind(self, kept: int) -> None:
        """The oracle forgets every call behind the first `kept`."""
        del self.calls[kept:]
        now_ns = self.world.clock.ns
        self.reference = ReferenceLedger(self.world.clock)
        for ns, call in self.calls:
            self.world.clock.ns = ns
            call(self.reference)
        self.world.clock.ns = now_ns


async def pages(ledger: Any, account: int) -> list[Transfer]:
    """All of an account's transfers, a page at a time."""
    found: list[Transfer] = []
    while True:
        since = found[-1].timestamp + 1 if found else 0
        page = await ledger.account_transfers(AccountQuery(account, timestamp_min=since, limit=7))
        found += page
        if len(page) < 7:
            return found


@pytest.mark.parametrize("limits", [ROOMY, FORGETFUL], ids=["roomy", "forgetful"])
def test_postgres_and_the_reference_agree_through_restarts_and_kills(
    limits: dict[str, int], database: Database
) -> None:
    async def play() -> None:
        chance = seeded_randomness(20261122)
        world = await PostgresWorld(database, **limits).start()
        pair = Pair(world)
        await pair.open()
        for step in range(1, 121):
            pair.create_transfers(some_transfers(chance, step))
            if chance.random() < 0.3:
                await asyncio.sleep(0.001)
            if chance.random() < 0.08:
                await pair.expire()
            if chance.random() < 0.06:
                await pair.quiet()
                await world.restart()
            if chance.random() < 0.06:
                await kill(pair)
            if step % 40 == 0:
                await pair.quiet()
                await pair.agree()
        await world.close()

    asyncio.run(play())


def expire(ledger: ReferenceLedger) -> None:
    ledger.expire()


async def kill(pair: Pair) -> None:
    """End the writer in the middle of whatever it does; what it was committing is durable, or none of it is."""
    world = pair.world
    await world.abandon()
    world.clock.advance(ns=1_000_000)
    # The server may still commit what it had been sent, until the next writer takes the lead.
    await world.start()
    newest = await world.newest_timestamp()
    pair.rewind(max(n for n in range(pair.durable, len(pair.calls) + 1) if timestamp_after(pair, n) <= newest))
    pair.durable = len(pair.calls)


def timestamp_after(pair: Pair, count: int) -> int:
    """The newest timestamp in the oracle's log after so many calls."""
    ledger = ReferenceLedger(pair.world.clock)
    now_ns = pair.world.clock.ns
    for ns, call in pair.calls[:count]:
        pair.world.clock.ns = ns
        call(ledger)
    pair.world.clock.ns = now_ns
    return max((row.timestamp for row in ledger.books.log), default=0)


def test_a_halted_journal_takes_no_transfers(database: Database) -> None:
    async def play() -> None:
        world = await PostgresWorld(database).start()
        await ask(world, [Account(id=i, ledger=1, code=1) for i in (1, 2)])
        await world.abandon()
        with pytest.raises(JournalHalted):
            world.ledger.create_transfers([Transfer(1 << 80, 1, 2, 1, 1, 1)], lambda _: None)
        await world.close()

    asyncio.run(play())


def test_sql_reads_the_balances_that_rows_carry(database: Database) -> None:
    async def play() -> None:
        world = await PostgresWorld(database).start()
        await ask(world, [Account(id=i, ledger=1, code=1) for i in (1, 2)])
        await ask(world, [Transfer(1, 1, 2, AMOUNT_MAX - 2**64, 1, 1), Transfer(2, 1, 2, 5, 1, 1, 2)])
        await world.settle()
        connection = await database.connect()
        row = await connection.fetchrow(
            "SELECT u128(debits_posted), u128(credits_pending), (SELECT sum(amount) FROM transfer) FROM transfer WHERE flags = 2"
        )
        assert tuple(row) == (AMOUNT_MAX - 2**64, 5, AMOUNT_MAX - 2**64 + 5)
        await connection.close()
        await world.close()

    asyncio.run(play())


def test_reading_from_a_server_that_is_gone_says_so(database: Database) -> None:
    """An edge answers that with "ask again": an error of its driver would be an answer of 500."""

    async def reads() -> None:
        pool = await database.open_pool(size_max=1)
        await pool.close()
        rows = PgLedgerRepository(pool)
        query = AccountQuery(account_id=1)
        asked: list[Callable[[], Coroutine[Any, Any, Any]]] = [
            rows.start,
            lambda: rows.accounts([1]),
            lambda: rows.transfers([1]),
            lambda: rows.burned_ids([1]),
            lambda: rows.resolutions([1]),
            lambda: rows.account_transfers(query),
            lambda: rows.account_balances(query),
            lambda: rows.balance_at(1, 1),
        ]
        for ask_rows in asked:
            with pytest.raises(DatabaseUnavailable):
                await ask_rows()

    asyncio.run(reads())
