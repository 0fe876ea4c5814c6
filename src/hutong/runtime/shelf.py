"""
What a service remembers: the newest version of each thing, loaded when first asked for.

Deciding is synchronous, the database is not. So a look-up that is not in memory raises `Cold`; whoever called
(an edge, with `warmed`) loads it and decides again from the start. That is sound because a decision looks
everything up before it appends anything.
"""

from collections.abc import Awaitable, Callable, Collection
from itertools import islice
from typing import Any, Generic, TypeVar

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import RANDOM_BITS, minted_ms
from hutong.runtime.journal import WITNESS, Journal, durable
from hutong.runtime.tables import Relation, Row, Store, Table

Answer = TypeVar("Answer")
_ABSENT_MAX = 100_000
# Positions. What a row says is done by one look-up behind it, and a busy database keeps that waiting for some seconds: what a crash
# kept undone is among so many of the last rows, which are five to ten seconds at full load.
UNFINISHED_WITHIN = 200_000


class Cold(Exception):  # noqa: N818  # Not an error: load, then decide again.
    """Something is not in memory. `load` fetches it; then decide again."""

    def __init__(self, load: Callable[[], Awaitable[None]]) -> None:
        super().__init__("not in memory")
        self.load = load


async def warmed(journal: Journal, decide: Callable[[], Answer]) -> Answer:
    """
    Decide, loading whatever is cold, until nothing is. Raises what `decide` raises.

    A refusal may have been written down. Any other failure behind an append is half a decision: the journal halts.
    """
    while True:
        before = journal.position
        try:
            return decide()
        except Cold as cold:
            check_looked_up(journal, before)
            load = cold.load
        except Refusal:
            raise
        except Exception as error:
            if journal.position != before:
                journal.break_off(f"{error!r} after it had appended")
            raise
        await load()


def check_looked_up(journal: Journal, before: int) -> None:
    """A decision met something cold: what it had appended by then is half a decision, and the journal halts."""
    if journal.position != before:
        journal.break_off("a decision appended before it had looked everything up")
        raise AssertionError("a decision must look everything up before it appends")


async def decided(journal: Journal, decide: Callable[[], Answer]) -> Answer:
    """
    Decide as `warmed` does, and answer when that is durable: an edge's whole use case.

    Some refusals are written down, too (a wrong PIN is counted): those also leave only when that is durable.
    """
    try:
        answer = await warmed(journal, decide)
    except Refusal as refusal:
        witness = WITNESS.get()
        if witness is not None:
            witness.refused(refusal)
        if journal.durable_position < journal.position:
            await durable(journal)
        raise
    await durable(journal)
    return answer


class Shelf(Generic[Row]):
    """
    The newest version of each row of one table by its key, and by other columns.

    A key that is a 128-bit id minted later than anything ever loaded or stored is known to be absent without
    asking the database (`newest_ms`): that keeps a new payment from costing a query. Rows of an older key are
    evicted when there are more than `rows_max`, but only those that are durable: when one is put, and before more are looked up.
    """

    def __init__(  # A declaration, read once.
        self,
        table: Table[Row],
        journal: Journal,
        store: Store,
        *,
        key: str = "id",
        by: tuple[str, ...] = (),
        timed: bool = False,
        rows_max: int = 1_000_000,
        reads: Relation[Row] | None = None,
    ) -> None:
        self.table = table
        self._reads = reads or table  # Where rows are looked up: a view, where those of other tables are among them.
        self._journal = journal
        self._store = store
        self._key = key
        self._timed = timed
        self._rows_max = rows_max
        self._rows: dict[Any, tuple[int, Row]] = {}
        self._absent: set[Any] = set()
        # Of most values there is one key: a tuple takes a quarter of the memory of a set, and less time to make.
        self._indexes: dict[str, dict[Any, tuple[Any] | set[Any]]] = {column: {} for column in by}
        self._complete: dict[str, set[Any]] = {column: set() for column in by}
        self._newest_ms = 2**48  # Until `start`, no id counts as new.
        self._whole = False
        self.changes = 0  # Versions put since the start: while it stays, so does whatever follows from these rows.

    async def start(self) -> None:
        """Learn the newest key in the database, from which on an unknown id is known to be new."""
        if self._timed:
            newest = await self._store.greatest(self.table, self._key)
            self._newest_ms = minted_ms(newest) if newest is not None else 0

    def get(self, key: Any) -> Row | None:
        """The newest version of the thing, None if there is none; raises `Cold`."""
        entry = self._rows.get(key)
        if entry is not None:
            return entry[1]
        if (self._timed and key >> RANDOM_BITS > self._newest_ms) or self._whole or key in self._absent:
            return None
        raise Cold(lambda: self._look_up(self.load([key])))

    def get_all(self, keys: Collection[Any]) -> list[Row]:
        """Those of these that exist, as `get` answers; what is not in memory is loaded in one question."""
        cold = [key for key in keys if self._is_cold(key)]
        if cold:
            raise Cold(lambda: self._look_up(self.load(cold)))
        return [self._rows[key][1] for key in keys if key in self._rows]

    def entry(self, key: Any) -> tuple[int, Row] | None:
        """The newest version with its position, if it is in memory."""
        return self._rows.get(key)

    def is_durable(self, key: Any) -> bool:
        """Whether what `get` answers for a key in memory is durable, and with it all that was appended before."""
        return self._rows[key][0] <= self._journal.durable_position

    def find(self, column: str, value: Any) -> list[Row]:
        """The newest versions whose `column` (one of `by`) is `value`, oldest key first; raises `Cold`."""
        if not self._whole and value not in self._complete[column]:
            raise Cold(lambda: self._look_up(self.load_by(column, [value])))
        keys = self._indexes[column].get(value, ())
        return [self._rows[key][1] for key in (sorted(keys) if len(keys) > 1 else keys)]

    def knows(self, column: str, value: Any) -> bool:
        """Whether `find` would answer at once."""
        return self._whole or value in self._complete[column]

    def all_known(self, column: str, value: Any) -> None:
        """Whatever has this value in `column` is in memory: who has just made the value up knows, and spares a look-up."""
        complete = self._complete[column]
        if len(complete) > _ABSENT_MAX:
            # Values that strangers made up are among them; those that exist are loaded again when asked for.
            complete.clear()
        complete.add(value)

    def incomplete(self, column: str, value: Any) -> None:
        """There is more with this value than is in memory: it is loaded when next asked for."""
        self._whole = False
        self._complete[column].discard(value)

    def put(self, row: Row) -> int:
        """Append a version to the journal and remember it; returns its position."""
        position = self._journal.append(self.table, row)
        self.changes += 1
        self._remember(position, row)
        if len(self._rows) > self._rows_max:
            self._evict()
        return position

    async def load(self, keys: Collection[Any]) -> None:
        """Bring these keys into memory, those that do not exist as absent."""
        missing = [key for key in keys if key not in self._rows]
        for position, row in await self._store.find(self._reads, self._key, missing):
            self._remember(position, row)
        if len(self._absent) > _ABSENT_MAX:
            self._absent.clear()
        self._absent.update(key for key in missing if key not in self._rows)

    async def load_all(self) -> list[Row]:
        """Bring the whole table into memory: for small tables, at start-up."""
        for position, row in await self._store.scan(self._reads):
            self._remember(position, row)
        self._whole = True
        return self.everything()

    async def load_since(self, position: int) -> list[Row]:
        """Bring in what was appended behind a position; the newest version of each."""
        found = await self._store.scan(self._reads, after=position)
        await self.load({getattr(row, self._key) for _, row in found})
        keys = dict.fromkeys(getattr(row, self._key) for _, row in found)
        return [row for key in keys if (row := self.get(key)) is not None]

    def in_memory(self, column: str, value: Any) -> list[Row]:
        """As `find`, of what is in memory alone."""
        return [self._rows[key][1] for key in self._indexes[column].get(value, ())]

    def forget(self, keys: Collection[Any]) -> None:
        """What is durable of these was changed beside us: it is loaded when next asked for."""
        for key in keys:
            entry = self._rows.pop(key, None)
            if entry is None:
                continue
            self._whole = False
            for column, index in self._indexes.items():
                value = getattr(entry[1], column)
                _leave(index, value, key)
                self._complete[column].discard(value)
            if self._timed:
                self._newest_ms = max(self._newest_ms, minted_ms(key))

    def everything(self) -> list[Row]:
        """All that is in memory, in order of key: the whole table after `load_all`."""
        return [self._rows[key][1] for key in sorted(self._rows)]

    async def load_by(self, column: str, values: Collection[Any]) -> None:
        """Bring in every row that has one of these values in `column`, so that `find` answers."""
        found = await self._store.find(self._reads, column, values)
        # An older version may have had the value: the newest decides, so the keys are loaded in full.
        keys = {getattr(row, self._key) for _, row in found}
        while not keys <= self._rows.keys():
            await self.load(keys)
        for value in values:
            self.all_known(column, value)

    async def _look_up(self, load: Awaitable[None]) -> None:
        """What a decision misses, with room made for it first: those who only read fill memory, too."""
        if len(self._rows) > self._rows_max:
            self._evict()
        await load

    def _is_cold(self, key: Any) -> bool:
        is_new = self._timed and key >> RANDOM_BITS > self._newest_ms
        return not (key in self._rows or is_new or self._whole or key in self._absent)

    def _remember(self, position: int, row: Row) -> None:
        key = getattr(row, self._key)
        known = self._rows.get(key)
        if known is not None and known[0] >= position:
            return
        if known is None and not self._indexes and not self._absent:
            self._rows[key] = position, row  # What nearly always happens.
            return
        for column, index in self._indexes.items():
            value = getattr(row, column)
            if known is not None:
                was = getattr(known[1], column)
                if was == value:
                    continue
                _leave(index, was, key)
            keys = index.get(value)
            if keys is None:
                index[value] = (key,)
            elif type(keys) is set:
                keys.add(key)
            else:
                index[value] = {*keys, key}
        self._rows[key] = position, row
        self._absent.discard(key)

    def _evict(self) -> None:
        """Forget the oldest tenth that is surely durable; an index that loses a key is complete no longer."""
        self._whole = False
        durable = self._journal.durable_position
        oldest = [
            key
            for key, (position, _) in list(islice(self._rows.items(), max(1, self._rows_max // 10)))
            if position <= durable
        ]
        for key in oldest:
            _, row = self._rows.pop(key)
            if self._timed:
                self._newest_ms = max(self._newest_ms, minted_ms(key))
            for column, index in self._indexes.items():
                value = getattr(row, column)
                _leave(index, value, key)
                self._complete[column].discard(value)


def _leave(index: dict[Any, tuple[Any] | set[Any]], value: Any, key: Any) -> None:
    """A key has this value no longer."""
    keys = index[value]
    if type(keys) is set and len(keys) > 1:
        keys.discard(key)
    else:
        del index[value]
