"""Types and schemas of a node's connections."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.runtime.address import Address
from hutong.runtime.database import Database, DatabaseUnavailable, decode_numeric, encode_numeric, unavailable_when_gone


async def fetch(database: Database, query: str, *values: Any) -> Any:
    connection = await database.connect()
    try:
        return await connection.fetchval(query, *values)
    finally:
        await connection.close()


@pytest.mark.parametrize("value", [0, 1, 9_999, 10_000, -1, -10_000, 123_456_789, 10**8, 2**63, 2**128 - 1, 10**40])
def test_whole_numbers_are_ints_both_ways(database: Database, value: int) -> None:
    assert asyncio.run(fetch(database, "SELECT $1::numeric", value)) == value
    assert asyncio.run(fetch(database, f"SELECT ({value})::numeric")) == value
    assert asyncio.run(fetch(database, "SELECT $1::numeric::text", value)) == str(value)


@given(st.integers(min_value=-(10**50), max_value=10**50))
def test_an_int_survives_the_binary_form(value: int) -> None:
    assert decode_numeric(encode_numeric(value)) == value


@pytest.mark.parametrize("text", ["0.5", "-12.25", "10000.0001", "0.00000001", "123456789.987654321"])
def test_a_fraction_stays_exact(database: Database, text: str) -> None:
    assert asyncio.run(fetch(database, f"SELECT {text}::numeric")) == Decimal(text)


def test_ids_are_ints_and_json_stays_bytes(database: Database) -> None:
    assert asyncio.run(fetch(database, "SELECT $1::uuid", 2**128 - 1)) == 2**128 - 1
    assert asyncio.run(fetch(database, "SELECT $1::uuid::text", 1)) == "00000000-0000-0000-0000-000000000001"
    assert asyncio.run(fetch(database, "SELECT $1::jsonb", b'{"a": 1}')) == b'{"a": 1}'


def test_unqualified_names_mean_the_nodes_schema(database: Database) -> None:
    assert asyncio.run(fetch(database, "SELECT current_schema()")) == database.schema
    asyncio.run(database.create())


def test_a_connection_that_has_ended_is_a_database_that_is_gone(database: Database) -> None:
    """A server that is killed, and a node that is ending, cut connections off which somebody has just taken."""

    async def cut() -> None:
        pool = await database.open_pool(size_max=1)
        async with pool.acquire() as connection:
            connection.terminate()
            with pytest.raises(DatabaseUnavailable), unavailable_when_gone():
                await connection.fetchval("SELECT 1")
        await pool.close()
        with pytest.raises(DatabaseUnavailable), unavailable_when_gone():
            await pool.fetchval("SELECT 1")

    asyncio.run(cut())


def test_a_database_that_takes_too_long_may_be_asked_again(database: Database) -> None:
    """A server that is busy beyond its limit answers nobody: its clients hear so, and not of a mistake of ours."""

    async def slow() -> None:
        connection = await database.connect()
        try:
            await connection.execute("SET statement_timeout = '20ms'")
            with pytest.raises(DatabaseUnavailable, match="too long"), unavailable_when_gone():
                await connection.fetchval("SELECT pg_sleep(60)")
        finally:
            await connection.close()

    asyncio.run(slow())


def test_a_query_that_is_wrong_is_no_database_that_is_gone(database: Database) -> None:
    async def mistaken() -> None:
        connection = await database.connect()
        try:
            with pytest.raises(asyncpg.InterfaceError), unavailable_when_gone():
                await connection.fetchval("SELECT $1::int")
        finally:
            await connection.close()

    asyncio.run(mistaken())


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    nowhere = Database(Address(str(tmp_path), 1, "nobody", "nothing"), "jing")
    with pytest.raises(DatabaseUnavailable):
        asyncio.run(nowhere.connect())
