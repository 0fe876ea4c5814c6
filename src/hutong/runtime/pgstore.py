"""The `Store` in PostgreSQL: durable rows, read through a pool of connections."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import asyncpg
import msgspec

from hutong.runtime.database import unavailable_when_gone
from hutong.runtime.tables import Column, Relation, Row

_SCAN_ROWS = 10_000  # At a time, so that a long table is not in memory twice.


class PgStore:
    """
    A node's durable rows; every call may raise `DatabaseUnavailable`.

    Column names come from our own declarations, so they may stand in SQL as they are.
    """

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def find(self, table: Relation[Row], column: str, values: Collection[Any]) -> list[tuple[int, Row]]:
        if not values:
            return []
        sql_type = _column(table, column).type.sql
        query = f'{_select(table)} WHERE "{column}" = ANY($1::{sql_type}[]) ORDER BY position'
        with unavailable_when_gone():
            return _rows(table, await self._pool.fetch(query, list(values)))

    async def page(
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
        _column(table, column)
        order = "DESC" if newest_first else "ASC"
        upper = "" if before is None else " AND position < $4"
        query = f'{_select(table)} WHERE "{column}" = $1 AND position > $2{upper} ORDER BY position {order} LIMIT $3'
        bounds = () if before is None else (before,)
        with unavailable_when_gone():
            return _rows(table, await self._pool.fetch(query, value, after, limit, *bounds))

    async def scan(self, table: Relation[Row], *, after: int = 0) -> list[tuple[int, Row]]:
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute("SET LOCAL statement_timeout = 0")  # As long as the table is.
                cursor = await connection.cursor(f"{_select(table)} WHERE position > $1 ORDER BY position", after)
                rows: list[tuple[int, Row]] = []
                while records := await cursor.fetch(_SCAN_ROWS):
                    rows += _rows(table, records)
                return rows

    async def greatest(self, table: Relation[Row], column: str) -> Any | None:
        _column(table, column)
        # Not max(): PostgreSQL has none for uuid before version 18.
        query = f'SELECT "{column}" FROM "{table.name}" ORDER BY "{column}" DESC LIMIT 1'  # Our own names.
        with unavailable_when_gone():
            return await self._pool.fetchval(query)

    async def blank(self, table: str, column: str, value: Any, blanked: Mapping[str, Any]) -> None:
        columns = ", ".join(f'"{name}" = ${number}' for number, name in enumerate(blanked, 2))
        query = f'UPDATE "{table}" SET {columns} WHERE "{column}" = $1'
        with unavailable_when_gone():
            await self._pool.execute(query, value, *blanked.values())

    async def delete(self, table: str, column: str, values: Collection[Any]) -> None:
        with unavailable_when_gone():
            await self._pool.executemany(f'DELETE FROM "{table}" WHERE "{column}" = $1', [(each,) for each in values])

    async def told(self, table: str, column: str, value: Any) -> list[dict[str, Any]]:
        query = f'SELECT to_jsonb(kept) FROM "{table}" kept WHERE "{column}" = $1 ORDER BY position'
        with unavailable_when_gone():
            records = await self._pool.fetch(query, value)
        return [msgspec.json.decode(record[0], type=dict[str, Any]) for record in records]


@cache
def _select(table: Relation[Any]) -> str:
    columns = ", ".join(f'"{name}"' for name in table.column_names)  # Quoted: a field may be called `limit`.
    return f'SELECT {columns} FROM "{table.name}"'  # Our own names.


def _column(table: Relation[Any], name: str) -> Column:
    return next(column for column in table.columns if column.name == name)


def _rows(table: Relation[Row], records: list[asyncpg.Record]) -> list[tuple[int, Row]]:
    make, names = table.row, table.column_names[1:]
    # By name: most rows are declared with keywords alone.
    return [(record[0], make(**dict(zip(names, record[1:], strict=True)))) for record in records]
