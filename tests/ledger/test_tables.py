"""The conformance suite's tables: every engine gives every answer, in TigerBeetle's order of precedence."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hutong.kernel.clock import NS_PER_S
from hutong.ledger.transfer import Account, AccountFlag, AccountQuery, AccountStatus, TransferStatus
from hutong.runtime.database import Database
from tests.ledger.language import Batch, Command, number, read, tables
from tests.ledger.worlds import FORGETFUL, ROOMY, MemoryWorld, PostgresWorld, ReferenceWorld, World, ask

TABLES = tables(Path(__file__).parent / "tables")
# An engine, and whether it is started again after every batch.
ENGINES = ["reference", "memory", "memory forgetful", "memory restarted", "postgres restarted"]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> tuple[Callable[[], Awaitable[World]], bool]:
    kind, _, how = request.param.partition(" ")
    limits = FORGETFUL if how else ROOMY
    database: Database | None = request.getfixturevalue("database") if kind == "postgres" else None

    async def start() -> World:
        if database is not None:
            return await PostgresWorld(database, **limits).start()
        return await MemoryWorld(**limits).start() if kind == "memory" else ReferenceWorld()

    return start, how == "restarted"


@pytest.mark.parametrize("name", TABLES)
def test_every_engine_gives_the_answers_of_the_table(
    name: str, engine: tuple[Callable[[], Awaitable[World]], bool]
) -> None:
    asyncio.run(play(TABLES[name], *engine))


async def play(lines: list[str], start: Callable[[], Awaitable[World]], restarted: bool) -> None:
    world = await start()
    for step in read(lines):
        if isinstance(step, Batch):
            answers = await ask(world, step.events)
            assert [*zip(step.lines, answers, strict=True)] == [*zip(step.lines, step.answers, strict=True)]
        else:
            await follow(world, step)
        await world.settle()
        if restarted:
            await world.restart()
    await check_rows(world)
    await world.close()


async def follow(world: World, step: Command) -> None:
    match step.name, step.words:
        case "balance", [id_, *amounts]:
            (account,) = await world.ledger.lookup_accounts([number(id_)])
            found = [account.debits_pending, account.debits_posted, account.credits_pending, account.credits_posted]
            assert found == [number(amount) for amount in amounts[:4]], step
            assert bool(account.flags & AccountFlag.CLOSED) == ("closed" in amounts), step
        case "stored", [id_, amount]:
            (transfer,) = await world.ledger.lookup_transfers([number(id_)])
            assert transfer.amount == number(amount), step
        case "wait", [ns]:
            world.clock.advance(ns=int(ns))
        case "to", [id_, ns]:
            (transfer,) = await world.ledger.lookup_transfers([number(id_)])
            world.clock.ns = transfer.timestamp + transfer.timeout * NS_PER_S + int(ns)
        case "at", [instant]:
            world.clock.ns = number(instant)
        case "expire", [count]:
            expired = world.ledger.expire()
            await world.settle()
            await ask_nothing(world)
            # What must be fetched first is released a little later, and not counted: the balances tell.
            assert expired in {int(count), 0}, step
        case _:
            raise AssertionError(step)


async def ask_nothing(world: World) -> None:
    """Wait behind whatever the engine still fetches: calls are answered in their order."""
    await ask(world, [Account(id=0, ledger=1, code=1)])


async def check_rows(world: World) -> None:
    """The rows tell the same balances as the engine, and debits equal credits."""
    accounts = await world.ledger.lookup_accounts(range(1, 12))
    for account in accounts:
        balance = await world.ledger.balance_at(account.id, 2**63 - 1)
        assert balance is not None
        assert (balance.debits_pending, balance.debits_posted) == (account.debits_pending, account.debits_posted)
        assert (balance.credits_pending, balance.credits_posted) == (account.credits_pending, account.credits_posted)
        assert await world.ledger.balance_at(account.id, account.timestamp - 1) is None
        transfers = await world.ledger.account_transfers(AccountQuery(account.id))
        assert await world.ledger.lookup_transfers([transfer.id for transfer in transfers]) == transfers
    assert sum(a.debits_pending for a in accounts) == sum(a.credits_pending for a in accounts)
    assert sum(a.debits_posted for a in accounts) == sum(a.credits_posted for a in accounts)


def test_every_status_has_its_row() -> None:
    batches = [step for lines in TABLES.values() for step in read(lines) if isinstance(step, Batch)]
    answers = {answer for batch in batches for answer in batch.answers}
    assert {*TransferStatus, *AccountStatus} - answers == set()
