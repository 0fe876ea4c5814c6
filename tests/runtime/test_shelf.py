"""What a shelf remembers and forgets."""

from collections.abc import Collection
from typing import Any

import msgspec

from hutong.runtime.journal import MemoryJournal
from hutong.runtime.shelf import Shelf, warmed
from hutong.runtime.tables import MemoryStore, Relation, Row, Table, Uuid


class Part(msgspec.Struct, frozen=True):
    id: Uuid
    of: Uuid


PARTS = Table("part", Part)


class BusyStore(MemoryStore):
    """While it looks for something, others go on writing."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Any] = []

    async def find(self, table: Relation[Row], column: str, values: Collection[Any]) -> list[tuple[int, Row]]:
        found = await super().find(table, column, values)
        if column == "id" and self.meanwhile:
            self.meanwhile.pop()()
        return found


async def test_what_is_forgotten_while_a_whole_is_loaded_is_not_missed() -> None:
    store = BusyStore()
    journal = MemoryJournal(store, immediate=True)
    shelf = Shelf(PARTS, journal, store, by=("of",), rows_max=10)
    for number in range(1, 11):
        shelf.put(Part(number, 7 if number == 1 else 100 + number))
        journal.seal()
    store.meanwhile.append(lambda: shelf.put(Part(11, 111)))  # One too many: the oldest is forgotten.
    found = await warmed(journal, lambda: shelf.find("of", 7))
    assert found == [Part(1, 7)]
