"""
Migrations: numbered SQL files, forward only, applied per node schema.

Promise: each file is applied once, whole or not at all; two starters at once do not meet; a file that changed
after it was applied, and a database that is newer than the code, are refused by name.

Why a runner of our own, in a page: the well-kept ones either want another driver beside asyncpg
(yoyo-migrations and Alembic want psycopg or SQLAlchemy) or keep their books once per database, and a node's books belong in
its own schema, beside those of the other nodes. What remains is a lock, a loop and a table.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, LiteralString

import asyncpg

from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.database import Database

_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_HEADER = re.compile(
    r"-- why: +\S[^\n]*\n(?:-- [^\n]*\n)*?-- locks: +\S[^\n]*\n(?:-- [^\n]*\n)*?-- when: +(?:pre|post)\b", re.IGNORECASE
)
_WAIT_FOR_OTHERS_S = 60  # Another starter is migrating.
_STATEMENT_S = 600

# The runner waits for a lock at most this long: whoever queues behind it waits as long, and payments do.
_LIMITS: LiteralString = "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '10min'"
_MAKE_BOOKS: LiteralString = """
CREATE TABLE IF NOT EXISTS migrations (
    kind text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, number)
)"""
_READ_BOOKS: LiteralString = "SELECT kind, number, name, checksum FROM migrations"
_KEEP_BOOKS: LiteralString = "INSERT INTO migrations (kind, number, name, checksum) VALUES ($1, $2, $3, $4)"
# Node schemas share a database, and advisory locks are the database's: the schema is part of the key.
_LOCK: LiteralString = "SELECT pg_advisory_lock(hashtextextended('hutong migrations ' || current_schema(), 0))"


class MigrationReason(Reason):
    """Why a schema was not brought up to date."""

    MIGRATION_CHANGED_AFTER_IT_WAS_APPLIED = Kind.CONFLICT, "NARR"
    DATABASE_NEWER_THAN_THE_CODE = Kind.REFUSED, "NARR"
    MIGRATION_FAILED = Kind.REFUSED, "NARR"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: what it belongs to, its number there, and its SQL."""

    kind: str
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.blake2b(self.sql.encode(), digest_size=16).hexdigest()

    def __str__(self) -> str:
        return f"{self.kind}/{self.number:04}_{self.name}"


def all_migrations(kinds: Sequence[str]) -> list[Migration]:
    """The packaged migrations of these kinds, in the order they are applied: by kind as given, then by number."""
    found: list[Migration] = []
    for kind in kinds:
        folder = files("hutong").joinpath("migrations", kind)
        of_kind = [_read(kind, file) for file in folder.iterdir() if file.name.endswith(".sql")]
        of_kind.sort(key=lambda migration: migration.number)
        numbers = [migration.number for migration in of_kind]
        assert len(set(numbers)) == len(numbers), f"{kind}: two migrations have one number"
        found += of_kind
    return found


async def migrate(database: Database, wanted: Sequence[Migration]) -> list[Migration]:
    """
    Bring the schema up to date, making it if need be; returns what was applied now.

    Refuses:  DATABASE_NEWER_THAN_THE_CODE, naming the first migration we do not know;
              MIGRATION_CHANGED_AFTER_IT_WAS_APPLIED; MIGRATION_FAILED, with the server's words.
    Repeats:  nothing is applied.
    """
    await database.create()
    connection = await database.connect(statement_s=_WAIT_FOR_OTHERS_S)
    try:
        await _wait_for_others(connection)
        await connection.execute(f"SET statement_timeout = '{_STATEMENT_S}s'")
        await connection.execute(_MAKE_BOOKS)
        applied = {(row["kind"], row["number"]): row for row in await connection.fetch(_READ_BOOKS)}
        known = {(migration.kind, migration.number) for migration in wanted}
        for kind, number in sorted(applied.keys() - known):
            name = f"{kind}/{number:04}_{applied[kind, number]['name']}"
            raise Refusal(MigrationReason.DATABASE_NEWER_THAN_THE_CODE, schema=database.schema, migration=name)
        fresh: list[Migration] = []
        for migration in wanted:
            before = applied.get((migration.kind, migration.number))
            if before is None:
                await _apply(connection, migration)
                fresh.append(migration)
            elif before["checksum"] != migration.checksum:
                raise Refusal(MigrationReason.MIGRATION_CHANGED_AFTER_IT_WAS_APPLIED, migration=migration)
        return fresh
    finally:
        await connection.close()  # The lock goes with it.


async def _wait_for_others(connection: "asyncpg.Connection[Any]") -> None:
    try:
        await connection.execute(_LOCK)
    except asyncpg.QueryCanceledError as error:
        said = f"another process has been migrating for {_WAIT_FOR_OTHERS_S} s"
        raise Refusal(MigrationReason.MIGRATION_FAILED, said=said) from error


async def _apply(connection: "asyncpg.Connection[Any]", migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(_LIMITS)
            await connection.execute(migration.sql)
            await connection.execute(_KEEP_BOOKS, migration.kind, migration.number, migration.name, migration.checksum)
    except asyncpg.PostgresError as error:
        raise Refusal(MigrationReason.MIGRATION_FAILED, migration=migration, said=str(error)) from error


def _read(kind: str, file: Traversable) -> Migration:
    match = _FILE_NAME.fullmatch(file.name)
    assert match is not None, f"{kind}/{file.name}: a migration's name is NNNN_what_it_does.sql"
    sql = file.read_text(encoding="utf-8")
    assert _HEADER.match(sql), f"{kind}/{file.name}: it opens with '-- why:', '-- locks:' and '-- when: pre|post'"
    return Migration(kind, int(match[1]), match[2], sql)
