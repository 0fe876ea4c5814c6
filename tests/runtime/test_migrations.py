"""Migrations: once each, whole or not at all, and always to the same schema."""

import asyncio
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hutong.kernel.errors import Refusal
from hutong.runtime.database import Database
from hutong.runtime.migrations import Migration, MigrationReason, all_migrations, migrate
from hutong.runtime.schema import describe

KINDS = sorted(folder.name for folder in files("hutong").joinpath("migrations").iterdir() if folder.is_dir())
SCHEMAS = Path(__file__).with_name("schemas")
FIRST = Migration("shop", 1, "first", "CREATE TABLE one (position bigint PRIMARY KEY, name text NOT NULL);")
SECOND = Migration("shop", 2, "second", "ALTER TABLE one ADD COLUMN more integer; CREATE INDEX ON one (name);")


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_database_gets_the_golden_schema(database: Database, kind: str, pytestconfig: pytest.Config) -> None:
    asyncio.run(migrate(database, all_migrations([kind])))
    schema = asyncio.run(describe(database))
    golden = SCHEMAS / f"{kind}.txt"
    if pytestconfig.getoption("--write-schemas"):
        golden.write_text(schema)
    assert golden.exists(), f"a new kind of node: make schemas writes {golden.name}"
    assert schema == golden.read_text(), "migrations and schema differ: look at the difference, then make schemas"


@pytest.mark.parametrize("kind", KINDS)
def test_a_filled_database_gets_the_same_schema_and_loses_nothing(database: Database, kind: str) -> None:
    async def scenario() -> None:
        migrations = all_migrations([kind])
        filled: dict[str, list[str]] = {}
        for number in range(len(migrations)):
            await migrate(database, migrations[: number + 1])
            await fill(database, filled)
        before = await count(database)
        assert await migrate(database, migrations) == []
        assert await count(database) == before
        assert sum(before.values()) > 0
        assert await describe(database) == (SCHEMAS / f"{kind}.txt").read_text()

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_of_a_journal_begins_with_its_position(database: Database, kind: str) -> None:
    """What `leadership` reads at start-up, and `Table` writes first."""
    asyncio.run(migrate(database, all_migrations([kind])))
    lines = [line for line in asyncio.run(describe(database)).splitlines() if re.match(r"\w+\.", line)]
    first: dict[str, str] = {}
    for line in lines:
        table, _, column = line.partition(".")
        first.setdefault(table, column)
    books = {"migrations", "writer"}  # The runner's and the leader's, written to by them alone.
    views = {"all_awards", "granted_awards"}  # Of which PostgreSQL does not know that no column is null.
    assert {first[table] for table in first.keys() - books - views} <= {"position bigint not null"}
    assert {first[view] for view in first.keys() & views} <= {"position bigint"}


def test_each_is_applied_once(database: Database) -> None:
    assert asyncio.run(migrate(database, [FIRST])) == [FIRST]
    assert asyncio.run(migrate(database, [FIRST, SECOND])) == [SECOND]
    assert asyncio.run(migrate(database, [FIRST, SECOND])) == []


def test_starters_at_once_do_not_meet(database: Database) -> None:
    async def scenario() -> list[list[Migration]]:
        return await asyncio.gather(*(migrate(database, [FIRST, SECOND]) for _ in range(4)))

    applied = asyncio.run(scenario())
    assert sorted(applied, key=len) == [[], [], [], [FIRST, SECOND]]


def test_a_migration_that_fails_leaves_nothing(database: Database) -> None:
    broken = Migration("shop", 2, "broken", "CREATE TABLE two (id integer); SELECT 1 / 0;")
    with pytest.raises(Refusal) as refused:
        asyncio.run(migrate(database, [FIRST, broken]))
    assert refused.value.reason is MigrationReason.MIGRATION_FAILED
    assert "shop/0002_broken" in str(refused.value)
    assert "division by zero" in str(refused.value)
    assert "two." not in asyncio.run(describe(database))
    assert asyncio.run(migrate(database, [FIRST, SECOND])) == [SECOND]


def test_a_migration_that_changed_afterwards_is_refused(database: Database) -> None:
    asyncio.run(migrate(database, [FIRST]))
    with pytest.raises(Refusal) as refused:
        asyncio.run(migrate(database, [replace(FIRST, sql=FIRST.sql + " "), SECOND]))
    assert refused.value.reason is MigrationReason.MIGRATION_CHANGED_AFTER_IT_WAS_APPLIED
    assert str(refused.value.facts["migration"]) == "shop/0001_first"


def test_a_database_newer_than_the_code_is_refused_by_name(database: Database) -> None:
    asyncio.run(migrate(database, [FIRST, SECOND]))
    with pytest.raises(Refusal) as refused:
        asyncio.run(migrate(database, [FIRST]))
    assert refused.value.reason is MigrationReason.DATABASE_NEWER_THAN_THE_CODE
    assert refused.value.facts["migration"] == "shop/0002_second"


def test_a_lower_number_that_comes_later_is_applied(database: Database) -> None:
    """Domains number their migrations in blocks, so they do not come in one order."""
    late = Migration("shop", 1, "late", "CREATE TABLE late (id integer)")
    asyncio.run(migrate(database, [replace(FIRST, number=5)]))
    assert asyncio.run(migrate(database, [late, replace(FIRST, number=5)])) == [late]


async def fill(database: Database, filled: dict[str, list[str]]) -> None:
    """
    A few rows in every table that is new or has other columns than when it was `filled`: no migration finds an empty one.

    Their values fit its types and, where that can be guessed, its checks.
    """
    connection = await database.connect()
    try:
        tables = await connection.fetch(
            "SELECT oid, relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
        )
        for table in tables:
            columns = await connection.fetch(
                "SELECT attname, atttypid::regtype::text AS type FROM pg_attribute"
                " WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                table["oid"],
            )
            checks = await connection.fetch(
                "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conrelid = $1 AND contype = 'c'",
                table["oid"],
            )
            names = [f"{column['attname']} {column['type']}" for column in columns]
            if columns and columns[0]["attname"] == "position" and filled.get(table["relname"]) != names:
                filled[table["relname"]] = names
                await _fill_table(connection, table["relname"], columns, [check["text"] for check in checks])
    finally:
        await connection.close()


async def _fill_table(connection: Any, table: str, columns: list[Any], checks: list[str]) -> None:
    start = await connection.fetchval(f"SELECT coalesce(max(position), 0) FROM {table}")  # noqa: S608
    marks = ", ".join(f"${number + 1}" for number in range(len(columns)))
    for number in range(start + 1, start + 4):
        values = [number, *(_value(column["type"], column["attname"], number, checks) for column in columns[1:])]
        try:
            await connection.execute(f"INSERT INTO {table} VALUES ({marks})", *values)  # noqa: S608
        except (asyncpg.CheckViolationError, asyncpg.UniqueViolationError):
            return  # A check that can't be guessed: the table stays as it is.


def _value(sql_type: str, column: str, number: int, checks: list[str]) -> Any:
    if sql_type == "text":
        words = [word for check in checks if column in check for word in re.findall(r"'([^']+)'::text", check)]
        return words[0] if words else f"CN{number}"
    if sql_type == "bytea":
        return b"{}"
    return number % 2 == 0 if sql_type == "boolean" else number


async def count(database: Database) -> dict[str, int]:
    connection = await database.connect()
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        counting = "SELECT count(*) FROM {}"
        return {row[0]: await connection.fetchval(counting.format(row[0])) for row in names}
    finally:
        await connection.close()


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_before_a_migration_can_go_on_writing_behind_it(kind: str) -> None:
    """A node's next process migrates while the one before it still serves: expand first; contract a release later (post)."""
    for migration in all_migrations([kind]):
        sql = re.sub(r"--[^\n]*", "", migration.sql)
        is_post = re.search(r"-- when: +post", migration.sql, re.IGNORECASE)
        for statement in re.findall(r"ALTER TABLE[^;]*", sql, re.IGNORECASE):
            for added in re.findall(r"ADD COLUMN[^,;]*", statement, re.IGNORECASE):
                assert "NOT NULL" not in added.upper() or "DEFAULT" in added.upper(), (migration, added)
            contracts = re.search(r"DROP COLUMN|RENAME|SET NOT NULL|ALTER COLUMN .* TYPE", statement, re.IGNORECASE)
            assert is_post or not contracts, (migration, statement)
        assert is_post or not re.search(r"DROP TABLE", sql, re.IGNORECASE), migration
