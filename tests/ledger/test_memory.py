"""What the journaled engine keeps in memory, lets go of, and brings back."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.ledger.rows import CHECKPOINT, OPEN_PENDING, TRANSFER
from hutong.ledger.transfer import AMOUNT_MAX, Account, AccountFlag, Transfer, TransferFlag, TransferStatus
from hutong.runtime.journal import JournalHalted
from hutong.runtime.tables import MemoryStore
from tests.ledger.worlds import MemoryWorld, ask

CREATED = TransferStatus.CREATED
PENDING, POST, VOID = (int(f) for f in (TransferFlag.PENDING, TransferFlag.POST_PENDING, TransferFlag.VOID_PENDING))


def move(id_: int, amount: int = 1, *, debit: int = 1, credit: int = 2, flags: int = 0, timeout: int = 0) -> Transfer:
    return Transfer(id_, debit, credit, amount, 1, 1, flags, timeout=timeout)


def resolve(id_: int, pending_id: int, flag: int) -> Transfer:
    return Transfer(id_, 0, 0, AMOUNT_MAX if flag == POST else 0, 0, 0, flag, pending_id)


class CountingStore(MemoryStore):
    """Counts what it is asked for."""

    finds = 0

    async def find(self, *args: Any) -> Any:
        self.finds += 1
        return await super().find(*args)


class FailingStore(MemoryStore):
    """Is out of reach for a while."""

    failures = 0

    async def find(self, *args: Any) -> Any:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        return await super().find(*args)


class WaitingStore(MemoryStore):
    """Answers a look-up after whatever `meanwhile` does."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None

    async def find(self, *args: Any) -> Any:
        found = await super().find(*args)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        return found


async def opened(store: MemoryStore | None = None, accounts: int = 2, **limits: int) -> MemoryWorld:
    world = MemoryWorld(**limits)
    world.store = store or world.store
    await world.start()
    await ask(world, [Account(id=i, ledger=1, code=1) for i in range(1, accounts + 1)])
    await world.settle()
    return world


def id_now(world: MemoryWorld, tail: int = 0) -> int:
    return (world.clock.ns // NS_PER_MS << 80) | tail


def run(errand: Coroutine[Any, Any, None]) -> None:
    asyncio.run(errand)


def test_a_new_transfer_between_known_accounts_asks_the_database_nothing() -> None:
    async def play() -> None:
        store = CountingStore()
        world = await opened(store, transfers_max=2)
        before = store.finds
        for _ in range(20):
            world.clock.advance(ns=NS_PER_MS)
            held, posted = move(id_now(world), flags=PENDING), resolve(id_now(world, 1), id_now(world), POST)
            assert await ask(world, [held, posted]) == [CREATED, CREATED]
            await world.settle()
        assert store.finds == before
        # An old one is looked up, and known.
        assert await ask(world, [move(id_now(world) - (5 << 80), flags=PENDING)]) == [TransferStatus.EXISTS]
        assert store.finds > before

    run(play())


def test_what_is_let_go_of_while_others_are_looked_up_is_told_all_the_same() -> None:
    async def play() -> None:
        store = WaitingStore()
        world = await opened(store, accounts=4)
        assert await ask(world, [move(1, 7), move(2, 5)]) == [CREATED, CREATED]
        await world.settle()
        books = world.ledger._books
        held = books.accounts[1], books.transfers[1]

        async def let_go() -> None:
            del books.accounts[1], books.transfers[1]

        del books.accounts[2], books.transfers[2]
        store.meanwhile = let_go
        assert [each.id for each in await world.ledger.lookup_accounts([1, 2])] == [1, 2]
        books.accounts[1], books.transfers[1] = held
        store.meanwhile = let_go
        assert [each.id for each in await world.ledger.lookup_transfers([1, 2])] == [1, 2]

    run(play())


def test_what_is_not_durable_is_never_let_go_of() -> None:
    async def play() -> None:
        world = await opened(accounts=6, transfers_max=1, accounts_max=1)
        for i in range(1, 50):
            assert await ask(world, [move(i, debit=i % 6 + 1, credit=(i + 1) % 6 + 1)]) == [CREATED]
        for i in range(1, 50):
            assert await ask(world, [move(i, debit=i % 6 + 1, credit=(i + 1) % 6 + 1)]) == [TransferStatus.EXISTS]
        accounts = await world.ledger.lookup_accounts(range(1, 7))
        assert sum(account.debits_posted for account in accounts) == 49

    run(play())


def test_memory_is_bounded_by_what_is_durable() -> None:
    async def play() -> None:
        world = await opened(accounts=200, transfers_max=50, accounts_max=20)
        for i in range(1, 1000):
            assert await ask(world, [move(i << 80, debit=i % 200 + 1, credit=(i + 7) % 200 + 1)]) == [CREATED]
            await world.settle()
            books = world.ledger._books
            assert len(books.transfers) <= 51
            if i > 200:
                assert len(books.accounts) <= 30
        accounts = await world.ledger.lookup_accounts(range(1, 201))
        assert sum(account.debits_posted for account in accounts) == 999

    run(play())


def test_an_account_that_was_absent_is_found_once_it_is_there() -> None:
    async def play() -> None:
        world = await opened(accounts=2, accounts_max=1)
        assert await ask(world, [move(1, credit=3)]) == [TransferStatus.CREDIT_ACCOUNT_NOT_FOUND]
        await ask(world, [Account(id=3, ledger=1, code=1)])
        await world.settle()
        for i in range(2, 6):
            assert await ask(world, [move(i)]) == [CREATED]
            await world.settle()
        assert await ask(world, [move(9, credit=3)]) == [CREATED]

    run(play())


def test_an_id_that_was_absent_is_known_once_it_is_used() -> None:
    async def play() -> None:
        world = await opened(transfers_max=1)
        for i in range(1, 10):
            assert await ask(world, [move(i)]) == [CREATED]
            await world.settle()
        for i in range(1, 10):
            assert await ask(world, [move(i)]) == [TransferStatus.EXISTS]

    run(play())


@pytest.mark.parametrize(("flag", "closed"), [(TransferFlag.CLOSING_DEBIT, 1), (TransferFlag.CLOSING_CREDIT, 2)])
def test_a_closed_account_comes_back_closed_and_opens_again(flag: TransferFlag, closed: int) -> None:
    async def play() -> None:
        world = await opened(accounts=4)
        assert await ask(world, [move(1, flags=PENDING | flag, timeout=1)]) == [CREATED]
        await world.settle()
        await world.restart()
        (account,) = await world.ledger.lookup_accounts([closed])
        assert account.flags & AccountFlag.CLOSED
        refused = [TransferStatus.DEBIT_ACCOUNT_ALREADY_CLOSED, TransferStatus.CREDIT_ACCOUNT_ALREADY_CLOSED]
        assert await ask(world, [move(2)]) == [refused[closed - 1]]
        world.clock.advance(ns=2 * NS_PER_S)
        assert world.ledger.expire() == 1
        await world.settle()
        await world.restart()
        assert await ask(world, [move(3)]) == [CREATED]

    run(play())


def test_an_expiry_survives_a_crash_only_if_it_was_durable() -> None:
    async def play() -> None:
        world = await opened()
        assert await ask(world, [move(1, 5, flags=PENDING, timeout=1)]) == [CREATED]
        await world.settle()
        world.clock.advance(ns=2 * NS_PER_S)
        assert world.ledger.expire() == 1
        await world.restart()
        (account,) = await world.ledger.lookup_accounts([1])
        assert account.debits_pending == 5
        assert world.ledger.expire() == 1
        await world.settle()
        await world.restart()
        (account,) = await world.ledger.lookup_accounts([1])
        assert account.debits_pending == 0
        assert await ask(world, [resolve(2, 1, POST)]) == [TransferStatus.PENDING_TRANSFER_EXPIRED]

    run(play())


def test_a_restart_reads_what_is_open_and_not_the_history() -> None:
    async def play() -> None:
        world = await opened(checkpoint_rows=10)
        for i in range(1, 400):
            assert await ask(world, [move(2 * i, flags=PENDING)]) == [CREATED]
            if i % 40:
                assert await ask(world, [resolve(2 * i + 1, 2 * i, VOID if i % 2 else POST)]) == [CREATED]
            await world.settle()
        still_open = [2 * i for i in range(1, 400) if not i % 40]
        await world.restart()
        assert [pending.id for pending in await world.ledger.pending_transfers()] == still_open
        # Few of the many pendings were ever named: those that were open at a checkpoint.
        assert len(world.store.rows[OPEN_PENDING.name]) < 150
        position, checkpoint = world.store.rows[CHECKPOINT.name][-1]
        behind = [at for at, _ in world.store.rows[TRANSFER.name] if at > position]
        listed = [at for at, _ in world.store.rows[OPEN_PENDING.name] if at >= checkpoint.open_pending_position]
        assert len(behind) <= 12
        assert len(listed) <= 2 * len(still_open) + 10
        # All the same, each ends once.
        for i in still_open:
            assert await ask(world, [resolve(i + 1, i, POST)]) == [CREATED]
        assert await world.ledger.pending_transfers() == []

    run(play())


def test_our_own_bug_in_a_batch_halts_the_journal_before_anything_stands_on_it() -> None:
    async def play() -> None:
        world = await opened()
        with pytest.raises(AssertionError):
            await ask(world, [move(1 << 80), move(2 << 80, -1)])
        with pytest.raises(JournalHalted):
            await ask(world, [move(3 << 80)])
        await world.restart()
        (account,) = await world.ledger.lookup_accounts([1])
        assert account.debits_posted == 0

    run(play())


def test_a_look_up_that_failed_is_tried_again_and_nobody_is_forgotten() -> None:
    async def play() -> None:
        store = FailingStore()
        world = await opened(store)
        await world.restart()
        store.failures = 1
        answers: list[Any] = []
        with pytest.raises(ConnectionError):
            world.ledger.create_transfers([move(1)], answers.extend)
        assert answers == []
        world.ledger.expire()
        assert answers == [CREATED]

    run(play())
