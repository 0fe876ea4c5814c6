"""Who writes a node's rows: one at a time, and who was taken over never again."""

import asyncio
from typing import Any

import pytest

from hutong.kernel.errors import Refusal
from hutong.runtime.database import Database, DatabaseUnavailable, unavailable_when_gone
from hutong.runtime.journal import JournalHalted
from hutong.runtime.leadership import LeadershipReason
from hutong.runtime.pgjournal import HaltReason, open_journal
from hutong.runtime.pgstore import PgStore
from tests.runtime.test_pgjournal import NOTES, halted, note, prepare, run, texts


@pytest.fixture
def node(database: Database) -> Database:
    asyncio.run(prepare(database))
    return database


def test_a_second_writer_is_refused_while_the_first_runs(node: Database) -> None:
    async def scenario() -> None:
        first = await open_journal(node)
        with pytest.raises(Refusal) as refused:
            await open_journal(node)
        assert refused.value.reason is LeadershipReason.WRITER_ALREADY_RUNS
        first.append(NOTES, note(1))
        await first.close()
        second = await open_journal(node)
        assert second.epoch > first.epoch
        assert second.position == 1
        await second.close()

    run(scenario)


def test_a_paused_writer_cannot_write_after_another_took_over(node: Database) -> None:
    async def scenario() -> None:
        paused = await open_journal(node)
        paused.append(NOTES, note(1))
        await paused.flushed()
        newcomer = await open_journal(node, take_over=True)
        seen: list[str] = []
        try:
            paused.append(NOTES, note(2))
            paused.effect(lambda: seen.append("answered"))
            paused.seal()
        except JournalHalted:
            pass  # It heard of it already.
        await halted(paused)
        assert seen == []
        newcomer.append(NOTES, note(3, "new"))
        await newcomer.close()
        assert await texts(node) == ["fine", "new"]

    run(scenario)


def test_who_was_taken_over_does_not_lead_again_by_itself(node: Database) -> None:
    async def scenario() -> None:
        first = await open_journal(node)
        second = await open_journal(node, take_over=True)
        await halted(first)
        for leaves in (False, True):
            if leaves:
                await second.close()
            with pytest.raises(Refusal) as refused:
                await open_journal(node, led=first.epoch)
            assert refused.value.reason is LeadershipReason.WRITER_TAKEN_OVER
        again = await open_journal(node, led=second.epoch)  # Nobody led since: it lost its connection, no more.
        await again.close()

    run(scenario)


def test_a_writer_whose_epoch_is_over_cannot_write_though_it_is_connected(node: Database) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        connection = await node.connect()
        await connection.execute("UPDATE writer SET epoch = epoch + 1")
        await connection.close()
        journal.append(NOTES, note(1))
        journal.seal()
        await halted(journal)
        assert journal.halt is not None
        assert journal.halt.reason is HaltReason.FENCED
        assert await texts(node) == []

    run(scenario)


def test_a_writer_that_was_taken_over_reads_nothing_of_its_successor(node: Database) -> None:
    """Whatever it was fetching, and whatever it would fetch next: it would decide on that."""

    async def scenario() -> None:
        first = await open_journal(node)
        first.append(NOTES, note(1))
        await first.flushed()
        pool = await node.open_pool(size_max=2, lead=first.leadership)
        store = PgStore(pool)
        assert [row.id for _, row in await store.find(NOTES, "id", [1])] == [1]
        reading = asyncio.ensure_future(slowly(pool))
        await asyncio.sleep(0.05)
        second = await open_journal(node, take_over=True)
        second.append(NOTES, note(2))
        await second.flushed()
        with pytest.raises(DatabaseUnavailable):
            await reading
        for _ in range(3):  # By a connection that it had, and by new ones.
            with pytest.raises(DatabaseUnavailable):
                await store.find(NOTES, "id", [2])
        with pytest.raises(DatabaseUnavailable, match="another writer has taken over"):
            await node.open_pool(size_max=1, lead=first.leadership)
        await pool.close()
        await second.close()

    run(scenario)


def test_who_leads_nothing_reads_on_through_a_take_over(node: Database) -> None:
    """Consoles, audits and backups decide nothing; and who leads another node is not meant."""

    async def scenario() -> None:
        other = Database(node.address, f"{node.schema}_other")
        await other.create()
        await prepare(other)
        first, elsewhere = await open_journal(node), await open_journal(other)
        pools = [await node.open_pool(size_max=1), await other.open_pool(size_max=1, lead=elsewhere.leadership)]
        reading = [asyncio.ensure_future(slowly(pool, 0.2)) for pool in pools]
        await asyncio.sleep(0.05)
        second = await open_journal(node, take_over=True)
        await asyncio.gather(*reading)
        await halted(first)
        assert elsewhere.halt is None
        for pool in pools:
            await pool.close()
        await second.close()
        await elsewhere.close()
        await other.drop()

    run(scenario)


async def slowly(pool: Any, for_s: float = 20) -> None:
    with unavailable_when_gone():
        await pool.execute(f"SELECT pg_sleep({for_s})")
