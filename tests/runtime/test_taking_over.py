"""Who writes a node's rows: one at a time, and who was taken over never again."""

import asyncio

import pytest

from hutong.kernel.errors import Refusal
from hutong.runtime.database import Database
from hutong.runtime.journal import JournalHalted
from hutong.runtime.leadership import LeadershipReason
from hutong.runtime.pgjournal import HaltReason, open_journal
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
