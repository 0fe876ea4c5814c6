"""A database as it was at one moment, read with the auditor's own SQL."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from hutong.runtime.address import Address
from hutong.runtime.database import Database

_PAGE = 5_000
_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)' ORDER BY nspname"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = $1"
_NOW = "SELECT (extract(epoch FROM now()) * 1000000)::bigint * 1000"
# Sorting a million payments in the server's default of 4 MiB would take turns with the disk.
_SESSION = "SET LOCAL work_mem = '64MB'; SET LOCAL timezone = 'UTC'"

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class NodeRows:
    """One node's schema in a snapshot. In its SQL `{s}` stands for the schema."""

    name: str
    tables: frozenset[str]
    taken_ns: int
    connection: "asyncpg.Connection[Any]"

    @property
    def is_switch(self) -> bool:
        return "cleared_payment" in self.tables

    @property
    def is_node(self) -> bool:
        return "transfer" in self.tables

    def sql(self, text: str) -> str:
        """The statement for this schema. Its name comes from the catalogue, and is quoted."""
        quoted = '"' + self.name.replace('"', '""') + '"'
        return text.replace("{s}", quoted)

    async def rows(self, text: str, *arguments: Any, advance: Advance | None = None) -> AsyncIterator[Any]:
        """Every row, a page at a time: several may be read side by side, and none needs to fit into memory."""
        cursor = await self.connection.cursor(self.sql(text), *arguments)
        while page := await cursor.fetch(_PAGE):
            for row in page:
                yield row
            if advance is not None:
                advance(len(page))

    async def value(self, text: str, *arguments: Any) -> Any:
        """One value."""
        return await self.connection.fetchval(self.sql(text), *arguments)


@asynccontextmanager
async def snapshot(address: Address) -> AsyncIterator[list[NodeRows]]:
    """The nodes of one database, all at one moment, for as long as the context lasts. Nothing can be written in it."""
    connection = await Database(address, "public").connect(statement_s=0)
    try:
        for codec in ("uuid", "numeric", "jsonb"):
            await connection.reset_type_codec(codec, schema="pg_catalog")  # The auditor reads for itself.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield await nodes_of(connection)
    finally:
        await connection.close()


async def nodes_of(connection: "asyncpg.Connection[Any]") -> list[NodeRows]:
    """The nodes that a connection sees in its transaction."""
    await connection.execute(_SESSION)
    taken_ns = await connection.fetchval(_NOW)
    found = []
    for (name,) in await connection.fetch(_SCHEMAS):
        tables = frozenset(table for (table,) in await connection.fetch(_TABLES, name))
        found.append(NodeRows(name, tables, taken_ns, connection))
    return [node for node in found if node.is_node]
