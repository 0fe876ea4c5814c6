"""Readiness says what a node lacks: its lead, its database, its journal, its peers' keys, or that it is stopping."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress

import asyncpg
import pytest

from hutong.app.health import Health
from hutong.app.host import Machine, NodeHost
from hutong.runtime.database import Database


class Idle:
    """A node with nothing to do."""

    def tick(self) -> None: ...


class Ward:
    """A host, and the health of what it runs."""

    def __init__(self, database: Database, *, drain_notice_s: float = 0) -> None:
        self.database = database
        self.strangers: Sequence[str] = ()
        self.machine: Machine
        self.health: Health
        self.host = NodeHost("ward", database, ("runtime", "ledger"), self.build, drain_notice_s=drain_notice_s)

    async def build(self, machine: Machine, _stack: AsyncExitStack) -> Idle:
        self.machine, self.health = machine, Health(machine, lambda: self.strangers)
        return Idle()

    async def wrong(self) -> dict[str, str]:
        self.health._asked_at = None  # As if a second had passed.
        return {name: said for name, said in (await self.health.checks()).items() if said != "ok"}

    async def sql(self, text: str) -> None:
        connection = await self.database.connect()
        await connection.execute(text)
        await connection.close()


@pytest.fixture
async def ward(database: Database) -> Ward:
    ward = Ward(database)
    await ward.host.start()
    return ward


async def test_a_node_that_works_lacks_nothing(ward: Ward) -> None:
    assert await ward.wrong() == {}
    await ward.host.stop()
    assert (await ward.wrong())["draining"] == "the node is stopping"


async def test_a_lost_lead_is_told_before_the_next_commit_would_fail(ward: Ward) -> None:
    await ward.sql("UPDATE writer SET epoch = epoch + 1")
    assert await ward.wrong() == {"lead": "another writer has taken over"}
    await ward.host.stop()


async def test_peers_without_a_key_are_named(ward: Ward) -> None:
    ward.strangers = ("switch",)
    assert await ward.wrong() == {"peers": "no valid key of switch"}
    await ward.host.stop()


async def test_a_journal_that_halted_and_one_that_hangs_are_told(ward: Ward) -> None:
    journal = ward.machine.journal
    journal.sent_at = asyncio.get_running_loop().time() - 30
    assert (await ward.wrong())["journal"] == "a commit is under way for 30 s"
    journal.sent_at = None
    machine, health = ward.machine, ward.health
    journal.break_off("a test")
    assert (await health.checks())["journal"] == "halted: our own code failed in the middle of a decision"
    while ward.machine is machine:  # It starts again from its rows by itself.
        await asyncio.sleep(0.01)
    await ward.host.ready()
    assert await ward.wrong() == {}
    assert ward.host.state.restarts == 1
    await ward.host.stop()


async def test_a_database_that_does_not_answer_is_told(ward: Ward) -> None:
    pool = ward.machine.pool
    with suppress(asyncpg.InterfaceError):
        pool.terminate()
    assert await ward.wrong() == {"lead": "not known", "database": "no answer"}
    await ward.host.stop()


async def test_a_node_that_is_to_stop_says_so_and_works_on_for_a_while(database: Database) -> None:
    ward = Ward(database, drain_notice_s=0.5)
    await ward.host.start()
    stopping = asyncio.create_task(ward.host.stop())
    await asyncio.sleep(0)
    assert await ward.wrong() == {"draining": "the node is stopping"}
    await ward.machine.journal.flushed()  # It still decides.
    await stopping
    assert ward.machine.journal.halt is not None
