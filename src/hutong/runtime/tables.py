"""
What a node keeps: tables of immutable rows, declared once as a frozen struct.

A row is appended, never updated: an entity that changes is a sequence of versions, and the last one by
`position` is how it is now. The same declaration packs a row for PostgreSQL's binary COPY, reads it back, and
lets the in-memory store of tests and simulations keep it as it is.
"""

import struct
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Generic, Protocol, TypeVar, get_args, get_origin, get_type_hints

import msgspec

Row = TypeVar("Row", bound=msgspec.Struct)


class ColumnType(msgspec.Struct, frozen=True):
    """A PostgreSQL type, and how its values travel in binary COPY: struct format, or None where lengths vary."""

    sql: str
    fixed: str | None = None


# How a row says its columns: plain ints and strings to Python, with the column's type beside them.
Uuid = Annotated[int, ColumnType("uuid", "16s")]  # A 128-bit id.
BigInt = Annotated[int, ColumnType("bigint", "q")]  # Minor units, nanoseconds, positions.
Integer = Annotated[int, ColumnType("integer", "i")]
SmallInt = Annotated[int, ColumnType("smallint", "h")]
Boolean = Annotated[bool, ColumnType("boolean", "?")]
Text = Annotated[str, ColumnType("text")]
Bytes = Annotated[bytes, ColumnType("bytea")]
U128 = Annotated[int, ColumnType("numeric")]  # A ledger amount, up to 2**128 - 1.
# 128 bits whose upper half is nearly always zero: the packer then does without a call for it (0.1 us each).
Low128 = Annotated[int, ColumnType("uuid", "8xQ")]

POSITION_OFFSET = 6  # Where a packed row keeps its position: behind the field count and its own length.
_LENGTHS = {"16s": 16, "8xQ": 16, "q": 8, "i": 4, "h": 2, "?": 1}
_HEAD = struct.Struct(">hi")  # How many columns, and the length of the first.
_NULL = b"\xff\xff\xff\xff"
_EMPTY = bytes(4)


class Column(msgspec.Struct, frozen=True):
    """One column: a field of the row's struct, its type, and whether it may be NULL (`| None` in the struct)."""

    name: str
    type: ColumnType
    nullable: bool


class Relation(Generic[Row]):
    """What rows are read from: a name, and the struct of its rows, whose fields are its columns behind `position`."""

    def __init__(self, name: str, row: type[Row]) -> None:
        assert name.isidentifier()
        self.name = name
        self.row = row
        self.columns = _columns(row)
        self.column_names = ("position", *(column.name for column in self.columns))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"


class Table(Relation[Row]):
    """
    One table of a node's schema: its name and the struct of its rows.

    Its first column is `position bigint`: the row's place in the node's journal, unique across the node's
    tables. The other columns are the struct's fields, in their order. Of the last so many (`repeated`), or of these by
    name, the same values come together again and again: they are packed once, and found by the values. They are packed
    last, and COPY is told so (`packed_names`).
    """

    def __init__(self, name: str, row: type[Row], *, repeated: int | Collection[str] = 0) -> None:
        super().__init__(name, row)
        names = self.column_names[-repeated:] if isinstance(repeated, int) and repeated else repeated or ()
        assert not isinstance(names, int)
        together = tuple(column for column in self.columns if column.name in names)
        assert len(together) == len(names), f"{name} has not all of {names}"
        packed = (*(column for column in self.columns if column.name not in names), *together)
        self.packed_names = ("position", *(column.name for column in packed))
        self.pack: Callable[[int, Row], bytes] = _compile_packer(packed, len(together))
        self.shown_in: list[tuple[Relation[Any], Callable[[Row], Any]]] = []  # Views, and how a row looks there.


class View(Relation[Row]):
    """
    What rows of several tables say in common, read as if it were a table; a migration says the same in SQL.

    Of each table: the row of the view that one of its rows is, at the same position; none, if it is none.
    """

    def __init__(self, name: str, row: type[Row], of: Mapping[Table[Any], Callable[[Any], Row | None]]) -> None:
        super().__init__(name, row)
        for table, shown in of.items():
            table.shown_in.append((self, shown))


class Store(Protocol):
    """
    Where a node's durable rows are: the only way to read what is not in memory.

    Only durable rows are found; what was decided since is in the memory of who decided it.
    """

    async def find(self, table: Relation[Row], column: str, values: Collection[Any]) -> list[tuple[int, Row]]:
        """Every row whose `column` is one of `values`, with its position, in order of position."""
        ...

    async def page(  # One way to page, spelled out.
        self,
        table: Relation[Row],
        column: str,
        value: Any,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[tuple[int, Row]]:
        """Rows whose `column` is `value` and `after` < position < `before`, oldest or newest first."""
        ...

    async def scan(self, table: Relation[Row], *, after: int = 0) -> list[tuple[int, Row]]:
        """Every row of the table behind a position, in order: for start-up alone."""
        ...

    async def greatest(self, table: Relation[Row], column: str) -> Any | None:
        """The greatest value of an indexed column, or None in an empty table."""
        ...

    # For erasure alone (ADR 0018): of people who are to be forgotten, beside the journal. Tables go by name.

    async def blank(self, table: str, column: str, value: Any, blanked: Mapping[str, Any]) -> None:
        """Have these columns hold something else in every row whose `column` is `value`."""
        ...

    async def delete(self, table: str, column: str, values: Collection[Any]) -> None:
        """Delete every row whose `column` is one of `values`."""
        ...

    async def told(self, table: str, column: str, value: Any) -> list[dict[str, Any]]:
        """Every row whose `column` is `value`, in order, as JSON can tell it."""
        ...


class MemoryStore:
    """The store of tests and simulations: rows as they were appended, found through lazily built indexes."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        self._indexes: dict[str, dict[str, dict[Any, list[tuple[int, Any]]]]] = defaultdict(
            dict
        )  # By table and column.

    def keep(self, table: Table[Row], position: int, row: Row) -> None:
        """Make one row durable."""
        self._add(table, position, row)
        for view, shown in table.shown_in:
            seen = shown(row)
            if seen is not None:
                self._add(view, position, seen)

    def _add(self, table: Relation[Row], position: int, row: Row) -> None:
        rows = self.rows[table.name]
        assert not rows or rows[-1][0] < position
        rows.append((position, row))
        for column, index in self._indexes[table.name].items():
            index[getattr(row, column)].append((position, row))

    async def find(self, table: Relation[Row], column: str, values: Collection[Any]) -> list[tuple[int, Row]]:
        index = self._index(table, column)
        found = [entry for value in set(values) for entry in index.get(value, ())]
        found.sort(key=lambda entry: entry[0])
        return found

    async def page(  # As the protocol says.
        self,
        table: Relation[Row],
        column: str,
        value: Any,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[tuple[int, Row]]:
        entries = self._index(table, column).get(value, [])
        wanted = [entry for entry in entries if after < entry[0] and (before is None or entry[0] < before)]
        if newest_first:
            wanted.reverse()
        return wanted[:limit]

    async def scan(self, table: Relation[Row], *, after: int = 0) -> list[tuple[int, Row]]:
        return [entry for entry in self.rows[table.name] if entry[0] > after]

    async def greatest(self, table: Relation[Row], column: str) -> Any | None:
        return max((getattr(row, column) for _, row in self.rows[table.name]), default=None)

    async def blank(self, table: str, column: str, value: Any, blanked: Mapping[str, Any]) -> None:
        self.rows[table] = [
            (position, msgspec.structs.replace(row, **blanked) if getattr(row, column) == value else row)
            for position, row in self.rows[table]
        ]
        self._indexes.clear()

    async def delete(self, table: str, column: str, values: Collection[Any]) -> None:
        self.rows[table] = [entry for entry in self.rows[table] if getattr(entry[1], column) not in values]
        self._indexes.clear()

    async def told(self, table: str, column: str, value: Any) -> list[dict[str, Any]]:
        return [msgspec.to_builtins(row) for _, row in self.rows[table] if getattr(row, column) == value]

    def _index(self, table: Relation[Row], column: str) -> dict[Any, list[tuple[int, Any]]]:
        index = self._indexes[table.name].get(column)
        if index is None:
            index = self._indexes[table.name][column] = defaultdict(list)
            for entry in self.rows[table.name]:
                index[getattr(entry[1], column)].append(entry)
        return index


# Most texts of a payment are the same few: currencies, states, names of nodes, of versions and of shops.
_PACKED_MAX = 20_000
_SHORT = 64


def _columns(row: type[msgspec.Struct]) -> tuple[Column, ...]:
    hints = get_type_hints(row, include_extras=True)
    return tuple(_column(name, hints[name]) for name in row.__struct_fields__)


def _column(name: str, hint: Any) -> Column:
    if get_origin(hint) is Annotated:
        types = [mark for mark in get_args(hint)[1:] if isinstance(mark, ColumnType)]
        if types:
            return Column(name, types[0], nullable=False)
    else:
        inner = [arg for arg in get_args(hint) if arg is not type(None)]
        if len(inner) == 1 and len(get_args(hint)) == 2:
            return Column(name, _column(name, inner[0]).type, nullable=True)
    raise TypeError(f"column {name}: {hint} does not say its PostgreSQL type")


def _compile_packer(columns: tuple[Column, ...], repeated: int = 0) -> Callable[[int, Any], bytes]:
    """
    Write the function that packs one row for binary COPY.

    Runs of fixed-width columns become one struct call: packing is a tenth of what a payment costs.
    """
    names: dict[str, Any] = {"join": b"".join, "HEAD": _HEAD.pack(len(columns) + 1, 8), "StructError": struct.error}
    own, together = (columns[:-repeated], columns[-repeated:]) if repeated else (columns, ())
    pieces = _pieces(own, [f"row.{column.name}" for column in own], names, "6sq", ["HEAD", "position"])
    if together:
        names["together"] = _Together(together)
        pieces.append(f"together[{', '.join(f'row.{column.name}' for column in together)},]")
    packed = f"join(({', '.join(pieces)},))" if len(pieces) > 1 else pieces[0]
    source = f"def pack(position, row):\n    return {packed}\n"
    if any(column.type.fixed == "8xQ" for column in columns):
        # An upper half that is not zero is no mistake: it takes the long way.
        names["wide"] = _compile_packer(tuple(map(_wide, columns)))
        source = (
            "def pack(position, row):\n"
            f"    try:\n        return {packed}\n"
            "    except StructError:\n        return wide(position, row)\n"
        )
    exec(compile(source, "<packer>", "exec"), names)  # noqa: S102  # Column names are identifiers of our own structs.
    packer: Callable[[int, Any], bytes] = names["pack"]
    return packer


def _pieces(
    columns: tuple[Column, ...], values: list[str], names: dict[str, Any], run_format: str, run_values: list[str]
) -> list[str]:
    """The expressions whose bytes make up these columns, and the names in them; behind a run that was begun."""
    names |= {"text": _Texts(), "data": _data, "numeric": _Numerics(), "NULL": _NULL, "EMPTY": _EMPTY}
    pieces: list[str] = []

    def close_run() -> None:
        nonlocal run_format, run_values
        if run_format:
            name = f"S{len(names)}"
            names[name] = struct.Struct(">" + run_format).pack
            pieces.append(f"{name}({', '.join(run_values)})")
        run_format, run_values = "", []

    for column, value in zip(columns, values, strict=True):
        fixed = column.type.fixed
        if fixed is not None and not column.nullable:
            # A length is four bytes that are there already: as a number it would take twice the time.
            length = f"L{_LENGTHS[fixed]}"
            names[length] = _LENGTHS[fixed].to_bytes(4, "big")
            run_format += "4s" + fixed
            run_values += [length, _fixed_value(value, fixed)]
            continue
        close_run()
        if fixed is None:
            packed = {"text": "text[{}]", "bytea": "(data({0}) if {0} else EMPTY)", "numeric": "numeric[{}]"}[
                column.type.sql
            ].format(value)
        else:
            name = f"S{len(names)}"
            names[name] = struct.Struct(">i" + fixed).pack
            packed = f"{name}({_LENGTHS[fixed]}, {_fixed_value(value, fixed)})"
        pieces.append(f"(NULL if {value} is None else {packed})" if column.nullable else packed)
    close_run()
    return pieces


class _Together(dict[tuple[Any, ...], bytes]):
    """Values of several columns, packed; remembered all together."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        super().__init__()
        names: dict[str, Any] = {"join": b"".join}
        pieces = _pieces(columns, [f"values[{at}]" for at in range(len(columns))], names, "", [])
        self._pack: Callable[[tuple[Any, ...]], bytes] = eval(  # noqa: S307  # Nothing of it comes from outside.
            f"lambda values: join(({', '.join(pieces)},))", names
        )

    def __missing__(self, values: tuple[Any, ...]) -> bytes:
        packed = self._pack(values)
        if len(self) >= _PACKED_MAX:
            self.clear()
        self[values] = packed
        return packed


def _wide(column: Column) -> Column:
    wide = msgspec.structs.replace(column.type, fixed="16s") if column.type.fixed == "8xQ" else column.type
    return msgspec.structs.replace(column, type=wide)


def _fixed_value(value: str, fixed: str) -> str:
    return f"{value}.to_bytes(16)" if fixed == "16s" else value


class _Texts(dict[str, bytes]):
    """A text packed; the short ones are remembered, and found without a call of Python."""

    def __missing__(self, value: str) -> bytes:
        encoded = value.encode()
        assert b"\0" not in encoded, "PostgreSQL keeps no NUL: the edge must have refused this text"
        packed = len(encoded).to_bytes(4, "big") + encoded
        if len(encoded) <= _SHORT:
            if len(self) >= _PACKED_MAX:
                self.clear()
            self[value] = packed
        return packed


class _Numerics(dict[int, bytes]):
    """A non-negative integer packed; the same few amounts are paid again and again."""

    def __missing__(self, value: int) -> bytes:
        packed = pack_numeric(value)
        if len(self) >= _PACKED_MAX:
            self.clear()
        self[value] = packed
        return packed


def _data(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


# Length, count of digits, weight of the first, sign, decimals; then the digits.
_NUMERIC_HEADS = [struct.pack(">ihhHH", 8 + 2 * digits, digits, max(0, digits - 1), 0, 0) for digits in range(3)]


def pack_numeric(value: int) -> bytes:
    """A non-negative integer as PostgreSQL's binary `numeric` (digits in base 10,000), with its length before it."""
    if value < 10_000:
        return _NUMERIC_HEADS[1] + value.to_bytes(2, "big") if value else _NUMERIC_HEADS[0]
    if value < 100_000_000:
        # Two digits of 16 bits each: the upper one weighs 65,536 here and 10,000 in the value.
        return _NUMERIC_HEADS[2] + (value + value // 10_000 * 55_536).to_bytes(4, "big")
    digits: list[int] = []
    while value:
        value, digit = divmod(value, 10_000)
        digits.append(digit)
    digits.reverse()
    return struct.pack(f">ihhHH{len(digits)}H", 8 + 2 * len(digits), len(digits), len(digits) - 1, 0, 0, *digits)
