"""What an edge does before it answers: decide, wait until that is durable, and hear of it when it never will be."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest

from hutong.kernel.clock import SystemClock
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime.database import DatabaseUnavailable
from hutong.runtime.http import problem
from hutong.runtime.journal import JournalHalted, MemoryJournal, durable
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Cold, Shelf, decided
from hutong.runtime.tables import BigInt, MemoryStore, Table, Uuid


class Tally(msgspec.Struct, frozen=True):
    id: Uuid
    count: BigInt


class TallyReason(Reason):
    """Why a tally is not counted on."""

    TALLY_FULL = Kind.REFUSED, "NARR"


TALLIES = Table("tallies", Tally)


class Teller:
    """Counts to two, and then writes down each refusal."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._shelf: Shelf[Tally] = Shelf(TALLIES, journal, journal.store)

    def count(self) -> int:
        known = self._shelf.get(1)
        count = known.count + 1 if known else 1
        self._shelf.put(Tally(1, count))
        if count > 2:
            raise Refusal(TallyReason.TALLY_FULL, count=count)
        return count


async def test_an_answer_waits_until_it_is_durable() -> None:
    journal = MemoryJournal(MemoryStore())
    teller = Teller(journal)
    asked = asyncio.ensure_future(decided(journal, teller.count))
    await asyncio.wait([asked], timeout=0.01)
    assert not asked.done()
    journal.flush()
    assert await asked == 1


async def test_a_refusal_that_was_written_down_waits_too() -> None:
    journal = MemoryJournal(MemoryStore(), immediate=True)
    teller = Teller(journal)
    assert [await decided(journal, teller.count) for _ in range(2)] == [1, 2]
    journal._immediate = False
    asked = asyncio.ensure_future(decided(journal, teller.count))
    await asyncio.wait([asked], timeout=0.01)
    assert not asked.done()
    journal.flush()
    with pytest.raises(Refusal, match="TALLY_FULL: count=3"):
        await asked
    assert [row.count for _, row in journal.store.rows["tallies"]] == [1, 2, 3]


async def test_a_refusal_that_wrote_nothing_waits_for_nothing() -> None:
    journal = MemoryJournal(MemoryStore())

    def refuse() -> None:
        raise Refusal(TallyReason.TALLY_FULL)

    with pytest.raises(Refusal):
        await asyncio.wait_for(decided(journal, refuse), 30)


async def test_nobody_waits_for_a_journal_that_halted() -> None:
    journal = MemoryJournal(MemoryStore())
    teller = Teller(journal)
    asked = asyncio.ensure_future(decided(journal, teller.count))
    await asyncio.wait([asked], timeout=0.01)
    journal.crash()
    with pytest.raises(JournalHalted):
        await asked
    with pytest.raises(JournalHalted):
        await durable(journal)


async def test_who_no_longer_waits_does_no_harm() -> None:
    journal = MemoryJournal(MemoryStore())
    teller = Teller(journal)
    asked = asyncio.ensure_future(decided(journal, teller.count))
    await asyncio.wait([asked], timeout=0.01)
    asked.cancel()
    await asyncio.wait([asked])
    journal.flush()
    assert journal.quiet
    assert len(journal.store.rows["tallies"]) == 1


async def test_a_promise_is_broken_by_a_journal_that_halts() -> None:
    """Its effect would never run, and who waits for it would wait for ever."""
    journal = MemoryJournal(MemoryStore())
    kept, broken = journal.promise(), journal.promise()
    journal.effect(lambda: kept.set_result("done"))
    journal.flush()
    journal.crash()
    assert await kept == "done"
    with pytest.raises(JournalHalted):
        await broken
    with pytest.raises(JournalHalted):
        journal.promise()


async def test_a_decision_that_could_not_be_loaded_is_told_to_whoever_waits() -> None:
    """The database went away between the question and the answer: the node may live on, the answer never comes."""
    store = MemoryStore()
    journal = MemoryJournal(store, immediate=True)
    clock, randomness = SystemClock(), seeded_randomness(1)
    errands: list[Coroutine[Any, Any, None]] = []
    node = NodeRuntime("jing", clock, randomness, IdMint(clock, randomness), journal, store, errands.append)

    async def unavailable() -> None:
        raise DatabaseUnavailable("it is gone")

    def decide() -> None:
        raise Cold(unavailable)

    told: list[Exception] = []
    node.decide(decide, told.append)
    for errand in errands:
        await errand
    (error,) = told
    status, body = problem(error)
    assert (status, msgspec.json.decode(body)["reason"]) == (503, "NODE_RESTARTING")
