"""The journal in PostgreSQL: nothing leaves before it is durable, and it stops by name when it can't know."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, TypeVar

import asyncpg
import msgspec
import pytest

from hutong.runtime.database import Database, DatabaseUnavailable
from hutong.runtime.embedded import EmbeddedPostgres
from hutong.runtime.journal import JournalHalted
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.pgjournal import HaltReason, PgJournal, open_journal
from hutong.runtime.pgstore import PgStore
from hutong.runtime.pgwire import copy_messages, query_message
from hutong.runtime.tables import U128, BigInt, Boolean, Bytes, ColumnType, Integer, SmallInt, Table, Text, Uuid

Answer = TypeVar("Answer")


class Note(msgspec.Struct, frozen=True):
    id: Uuid
    amount: U128
    text: Text


class Thing(msgspec.Struct, frozen=True):
    id: Uuid
    small: SmallInt
    middle: Integer | None
    big: BigInt
    fact: Boolean
    raw: Bytes | None
    remark: Text | None
    parent: Uuid | None
    sum: U128 | None
    limit: SmallInt  # A word of SQL's own.


NOTES = Table("notes", Note)
THINGS = Table("things", Thing)
TABLES = """
CREATE TABLE notes (
    position bigint PRIMARY KEY, id uuid NOT NULL UNIQUE, amount numeric NOT NULL, text text NOT NULL CHECK (text <> 'bad')
);
CREATE TABLE things (
    position bigint PRIMARY KEY, id uuid NOT NULL, small smallint NOT NULL, middle integer, big bigint NOT NULL,
    fact boolean NOT NULL, raw bytea, remark text, parent uuid, sum numeric, "limit" smallint NOT NULL
);
CREATE INDEX ON things (id, position)
"""


@pytest.fixture
def node(database: Database) -> Database:
    asyncio.run(prepare(database))
    return database


async def prepare(database: Database) -> None:
    await migrate(database, all_migrations(["runtime"]))
    connection = await database.connect()
    await connection.execute(TABLES)
    await connection.close()


async def texts(database: Database) -> list[str]:
    connection = await database.connect()
    try:
        return [row["text"] for row in await connection.fetch("SELECT text FROM notes ORDER BY position")]
    finally:
        await connection.close()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(scenario(), 120)

    asyncio.run(bounded())


def note(number: int, text: str = "fine") -> Note:
    return Note(number, number, text)


async def once_available(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    while True:
        try:
            return await ask()
        except DatabaseUnavailable:
            await asyncio.sleep(0.05)


async def halted(journal: PgJournal) -> None:
    ended = asyncio.Event()
    journal.on_halt = lambda _: ended.set()
    if journal.halt is None:
        await ended.wait()


def test_rows_are_durable_before_anything_leaves(node: Database) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        seen: list[Any] = []
        journal.post = lambda peer, messages: seen.append((peer, messages))
        for number in range(3):
            journal.append(NOTES, note(number))
            journal.tell("wei", number)
            journal.tell("yun", -number)
            journal.effect(lambda number=number: seen.append((number, journal.durable_position)))  # type: ignore[misc]
            journal.seal()
        assert seen == []
        await journal.flushed()
        # One batch per peer and commit, then the effects in their order.
        assert seen == [("wei", [0, 1, 2]), ("yun", [0, -1, -2]), (0, 3), (1, 3), (2, 3)]
        assert journal.commits == 1
        assert await texts(node) == ["fine"] * 3
        await journal.close()

    run(scenario)


def test_what_is_decided_during_a_commit_is_the_next_one(node: Database) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        for number in range(500):
            journal.append(NOTES, note(number))
            journal.seal()
            if number % 10 == 0:
                await asyncio.sleep(0)
        await journal.flushed()
        assert journal.durable_position == 500
        assert 1 < journal.commits < 100
        assert len(await texts(node)) == 500
        await journal.close()

    run(scenario)


def test_an_effect_that_raises_does_not_stop_the_others_and_one_that_decides_is_committed(node: Database) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        seen: list[str] = []

        def broken() -> None:
            raise ZeroDivisionError

        def decide() -> None:
            journal.append(NOTES, note(2))

        journal.append(NOTES, note(1))
        journal.tell("nobody", "no transport is wired")
        journal.effect(broken)
        journal.effect(decide)
        journal.effect(lambda: seen.append("answered"))
        await journal.flushed()
        assert seen == ["answered"]
        await journal.flushed()
        assert len(await texts(node)) == 2
        await journal.close()

    run(scenario)


def test_an_effect_without_rows_runs_in_its_turn(node: Database) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        seen: list[int] = []
        journal.effect(lambda: seen.append(1))
        await asyncio.sleep(0.01)
        assert seen == [1]
        journal.append(NOTES, note(1))
        journal.effect(lambda: seen.append(2))
        journal.seal()
        await asyncio.sleep(0)
        journal.effect(lambda: seen.append(3))
        await journal.flushed()
        assert seen == [1, 2, 3]
        assert journal.commits == 1
        await journal.close()

    run(scenario)


def test_half_a_decision_is_not_committed(node: Database) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        seen: list[str] = []
        journal.append(NOTES, note(1, "whole"))
        journal.seal()
        journal.append(NOTES, note(2, "half"))
        journal.effect(lambda: seen.append("half"))
        while not await texts(node):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert await texts(node) == ["whole"]
        assert seen == []
        journal.append(NOTES, note(3, "other half"))
        await journal.flushed()
        assert await texts(node) == ["whole", "half", "other half"]
        await journal.close()

    run(scenario)


@pytest.mark.parametrize("poison", range(7))
def test_a_decision_the_database_refuses_ends_the_journal_behind_the_last_sound_one(
    node: Database, poison: int
) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        answers: list[int] = []
        for number in range(7):
            journal.append(NOTES, note(number * 2, f"{number}"))
            journal.append(NOTES, note(number * 2 + 1, "bad" if number == poison else f"{number}"))
            journal.effect(lambda number=number: answers.append(number))  # type: ignore[misc]
            journal.seal()
        await halted(journal)
        assert journal.halt is not None
        assert journal.halt.reason is HaltReason.DECISION_REFUSED
        assert "23514" in journal.halt.detail
        assert answers == list(range(poison))
        assert await texts(node) == [f"{number // 2}" for number in range(poison * 2)]
        with pytest.raises(JournalHalted, match="DECISION_REFUSED"):
            journal.append(NOTES, note(100))
        # It restarts from its rows.
        again = await open_journal(node)
        assert again.position == poison * 2
        await again.close()

    run(scenario)


def test_a_row_that_does_not_fit_its_column_ends_the_journal_before_half_a_decision_is_sealed(node: Database) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        journal.append(NOTES, note(1))
        with pytest.raises(Exception):  # noqa: B017,PT011  # Whatever packing raises: it is our own bug.
            journal.append(THINGS, Thing(1, 2**15, None, 0, False, None, None, None, None, 0))
        journal_halt = journal.halt
        assert journal_halt is not None
        assert journal_halt.reason is HaltReason.DECISION_BROKEN
        assert await texts(node) == []

    run(scenario)


def test_waiting_for_durability_ends_with_the_journal(node: Database) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        told: list[object] = []
        journal.on_halt = told.append
        journal.append(NOTES, note(1, "bad"))
        with pytest.raises(JournalHalted):
            await journal.flushed()
        assert told == [journal.halt]

    run(scenario)


def test_every_type_survives_the_way_there_and_back(node: Database) -> None:
    rows = [
        Thing(1, -(2**15), None, -(2**63), True, None, None, None, None, 1),
        Thing(2**128 - 1, 2**15 - 1, 2**31 - 1, 2**63 - 1, False, b"\0\xff", "互通 🀄", 2**64, 2**128 - 1, 2),
        Thing(2**64, 0, 0, 0, False, b"", "", 0, 0, 3),
        *(
            Thing(5, 0, 0, 0, False, b"", "", 0, amount, 4)
            for amount in (9_999, 10_000, 10**8 - 1, 10**8, 10**12, 10**20)
        ),
    ]

    async def scenario() -> None:
        journal = await open_journal(node)
        for row in rows:
            journal.append(THINGS, row)
        await journal.flushed()
        pool = await node.open_pool()
        store = PgStore(pool)
        numbered = list(enumerate(rows, 1))
        assert await store.scan(THINGS) == numbered
        assert await store.scan(THINGS, after=2) == numbered[2:]
        assert await store.find(THINGS, "id", {1, 2**64, 77}) == [numbered[0], numbered[2]]
        assert await store.find(THINGS, "remark", ["互通 🀄"]) == [numbered[1]]
        assert await store.find(THINGS, "id", []) == []
        assert await store.find(THINGS, "limit", [2]) == [numbered[1]]
        assert await store.page(THINGS, "id", 5, limit=2) == numbered[3:5]
        assert await store.page(THINGS, "id", 5, after=4, before=8) == numbered[4:7]
        assert await store.page(THINGS, "id", 5, newest_first=True, limit=2) == [numbered[8], numbered[7]]
        assert await store.greatest(THINGS, "id") == 2**128 - 1
        assert await store.greatest(NOTES, "id") is None
        await pool.close()
        await journal.close()

    run(scenario)


@pytest.fixture
def own_server(run_directory: Path) -> Iterator[EmbeddedPostgres]:
    directory = run_directory / "journal"
    server = EmbeddedPostgres(directory)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(directory)


def kill_at_once(postmaster: int) -> None:
    """The whole server, as when the machine dies: its backends, too."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for process in (postmaster, *map(int, children)):
        with suppress(ProcessLookupError):  # It noticed that the first is gone.
            os.kill(process, signal.SIGKILL)


def test_a_killed_database_ends_the_journal_and_nothing_answered_is_lost(own_server: EmbeddedPostgres) -> None:
    node = Database(own_server.address(), "jing")

    async def scenario() -> None:
        await node.create()
        await prepare(node)
        journal = await open_journal(node)
        answered: list[int] = []
        number = 0
        while journal.halt is None:
            number += 1
            try:
                journal.append(NOTES, note(number, str(number)))
                journal.effect(lambda number=number: answered.append(number))  # type: ignore[misc]
                journal.seal()
            except JournalHalted:
                break
            await asyncio.sleep(0)
            if len(answered) > 500 and (pid := own_server.postmaster_pid()) is not None and number % 1000 == 0:
                kill_at_once(pid)
        assert journal.halt is not None
        assert journal.halt.reason is HaltReason.OUTCOME_UNKNOWN
        await asyncio.to_thread(own_server.start)
        kept = [int(text) for text in await once_available(lambda: texts(node))]
        assert kept == list(range(1, len(kept) + 1))
        assert answered == kept[: len(answered)]
        again = await once_available(lambda: open_journal(node))
        assert again.position == len(kept)
        again.append(NOTES, note(number + 1))
        await again.close()

    run(scenario)


def test_a_missing_table_ends_the_journal_by_name(node: Database) -> None:
    class Lost(msgspec.Struct, frozen=True):
        id: Annotated[int, ColumnType("bigint", "q")]

    async def scenario() -> None:
        journal = await open_journal(node)
        journal.append(Table("lost", Lost), Lost(1))
        journal.seal()
        await halted(journal)
        assert journal.halt is not None
        assert journal.halt.reason is HaltReason.DATABASE_REFUSED
        assert asyncpg.UndefinedTableError.sqlstate in journal.halt.detail

    run(scenario)


def test_a_paused_writer_in_the_middle_of_a_commit_is_thrown_out(node: Database) -> None:
    async def scenario() -> None:
        paused = await open_journal(node)
        # What a process leaves that was stopped while it sent: the check is passed, its lock held, the rows half there.
        half = query_message(f"{paused.leadership.check}; COPY notes FROM STDIN (FORMAT binary)")
        paused._connection.commit([half, copy_messages([NOTES.pack(1, note(1))])[0]], lambda _: None)
        await asyncio.sleep(0.05)
        newcomer = await open_journal(node, take_over=True)
        assert newcomer.position == 0
        await newcomer.close()
        await halted(paused)

    run(scenario)


# A node under load, in small: what it prints was answered.
NODE = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from test_pgjournal import NOTES, note
from hutong.runtime.address import parse_address
from hutong.runtime.database import Database
from hutong.runtime.pgjournal import open_journal

async def main():
    journal = await open_journal(Database(parse_address(sys.argv[2]), sys.argv[3]))
    number = 0
    while True:
        number += 1
        journal.append(NOTES, note(number, str(number)))
        journal.effect(lambda number=number: sys.stdout.write(f"{number}\\n"))
        journal.seal()
        await asyncio.sleep(0)

asyncio.run(main())
"""


def test_what_a_killed_node_answered_is_there(node: Database) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", NODE, str(Path(__file__).parent), node.address.url, node.schema],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert process.stdout is not None
    answered = process.stdout.read(4000)
    process.kill()
    answered += process.communicate()[0]
    numbers = [int(line) for line in answered.splitlines(keepends=True) if line.endswith(b"\n")]
    kept = [int(text) for text in asyncio.run(texts(node))]
    assert numbers == list(range(1, len(numbers) + 1))
    assert kept[: len(numbers)] == numbers


def test_what_is_decided_while_others_are_answered_does_not_wait_for_all_of_them(node: Database) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        in_flight: list[bool] = []

        def answered() -> None:
            for number in range(100):
                journal.append(NOTES, note(number))
            journal.seal()

        journal.append(NOTES, note(100))
        journal.effect(answered)
        journal.effect(lambda: in_flight.append(journal._in_flight is not None))
        await journal.flushed()
        await journal.flushed()
        assert in_flight == [True], "the second commit was sent before the first was wholly answered"
        await journal.close()

    run(scenario)


def test_when_many_have_decided_the_first_are_sent_before_the_others_decide(node: Database) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        heard: list[int] = []
        for number in range(80):
            journal.between_decisions()
            assert (journal.sent_at is not None) == (number >= 32)
            journal.append(NOTES, note(number))
            journal.effect(lambda number=number: heard.append(number))  # type: ignore[misc]
            journal.seal()
        assert not heard, "nothing leaves before it is durable"
        await journal.flushed()
        assert heard == list(range(80))
        assert journal.commits == 2
        await journal.close()

    run(scenario)


def test_while_somebody_is_half_way_no_commit_begins_early(node: Database) -> None:
    async def scenario() -> None:
        journal = await open_journal(node)
        for number in range(40):
            journal.append(NOTES, note(number))
            journal.seal()
        journal.append(NOTES, note(100))
        journal.between_decisions()
        assert journal.sent_at is None
        await journal.close()

    run(scenario)
