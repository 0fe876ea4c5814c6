"""A node's decisions: half a decision is never committed."""

import msgspec
import pytest

from hutong.kernel.clock import ManualClock
from hutong.kernel.errors import KernelReason, Refusal
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime.journal import JournalHalted, MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.shelf import Shelf, decided
from hutong.runtime.tables import MemoryStore, Table, Text, Uuid


class Note(msgspec.Struct, frozen=True):
    id: Uuid
    text: Text


NOTES = Table("note", Note)


class Bug(Exception):  # noqa: N818  # It is what it is.
    """What our own code does wrong."""


def make_node() -> NodeRuntime:
    clock, randomness, store = ManualClock(), seeded_randomness(1), MemoryStore()
    mint = IdMint(clock, randomness)
    return NodeRuntime("jing", clock, randomness, mint, MemoryJournal(store, immediate=True), store, run_now)


def test_a_decision_that_fails_half_appended_halts_the_journal() -> None:
    node = make_node()

    def half() -> None:
        node.journal.append(NOTES, Note(1, "first half"))
        raise Bug

    with pytest.raises(Bug):
        node.decide(half)
    with pytest.raises(JournalHalted):
        node.journal.append(NOTES, Note(2, "of the next decision"))
    assert isinstance(node.store, MemoryStore)
    assert node.store.rows["note"] == []


def test_a_decision_that_appends_before_it_has_looked_everything_up_halts_the_journal() -> None:
    node = make_node()
    shelf = Shelf(NOTES, node.journal, node.store)

    def hasty() -> None:
        node.journal.append(NOTES, Note(1, "first half"))
        shelf.get(7)

    with pytest.raises(AssertionError):
        node.decide(hasty)
    with pytest.raises(JournalHalted):
        node.journal.append(NOTES, Note(2, "of the next decision"))


async def test_an_edge_that_appends_before_it_has_looked_everything_up_halts_the_journal_too() -> None:
    node = make_node()
    shelf = Shelf(NOTES, node.journal, node.store)

    def hasty() -> None:
        node.journal.append(NOTES, Note(1, "first half"))
        shelf.get(7)

    with pytest.raises(AssertionError):
        await decided(node.journal, hasty)
    with pytest.raises(JournalHalted):
        node.journal.append(NOTES, Note(2, "of the next decision"))


async def test_an_edge_that_fails_half_appended_halts_the_journal_too() -> None:
    node = make_node()

    def half() -> None:
        node.journal.append(NOTES, Note(1, "first half"))
        raise Bug

    with pytest.raises(Bug):
        await decided(node.journal, half)
    with pytest.raises(JournalHalted):
        node.journal.append(NOTES, Note(2, "of the next decision"))


async def test_a_refusal_that_was_written_down_is_kept() -> None:
    node = make_node()

    def refused() -> None:
        node.journal.append(NOTES, Note(1, "a wrong PIN"))
        raise Refusal(KernelReason.ID_MALFORMED)

    with pytest.raises(Refusal):
        await decided(node.journal, refused)
    assert isinstance(node.store, MemoryStore)
    assert [row for _, row in node.store.rows["note"]] == [Note(1, "a wrong PIN")]


def test_one_message_that_fails_does_not_keep_the_others_from_being_decided() -> None:
    node = make_node()
    heard: list[int] = []

    def bad() -> None:
        raise Bug

    node.decide_each([lambda: heard.append(1), bad, lambda: heard.append(2)])
    assert heard == [1, 2]


def test_a_decision_on_something_cold_is_taken_once_it_is_loaded() -> None:
    node = make_node()
    shelf = Shelf(NOTES, node.journal, node.store)
    found: list[Note | None] = []
    node.decide(lambda: found.append(shelf.get(7)))
    assert found == [None]
