"""Payments' tables on a real PostgreSQL: every row comes back as it was, and every look-up has its index."""

import asyncio
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from hutong.institution.payments.mandate import BANK_ACCOUNTS, MANDATES, TOP_UPS
from hutong.institution.payments.payment import PAYMENT_OUTCOMES, PAYMENTS, SPENDING
from hutong.institution.payments.receipt import RECEIPT_OUTCOMES, RECEIPTS
from hutong.institution.payments.refund import REFUND_OUTCOMES, REFUNDS, RETURN_OUTCOMES, RETURNS
from hutong.institution.payments.request_to_pay import CHARGES, REQUESTS_TO_PAY
from hutong.institution.recalls.dispute import DISPUTES
from hutong.institution.recalls.recall import RECALLS
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.pgjournal import open_journal
from hutong.runtime.pgstore import PgStore
from hutong.runtime.tables import Table

# Which columns are looked up by, beside the key.
TABLES: list[tuple[Table[Any], tuple[str, ...]]] = [
    (PAYMENTS, ("id",)),
    (PAYMENT_OUTCOMES, ("id",)),
    (SPENDING, ("user_id",)),
    (RECEIPTS, ("id",)),
    (RECEIPT_OUTCOMES, ("id",)),
    (REFUNDS, ("id", "payment_id")),
    (REFUND_OUTCOMES, ("id",)),
    (RETURNS, ("id", "payment_id")),
    (RETURN_OUTCOMES, ("id",)),
    (CHARGES, ("id",)),
    (REQUESTS_TO_PAY, ("id", "waiting_user_id")),
    (MANDATES, ("id", "user_id")),
    (BANK_ACCOUNTS, ("id", "user_id")),
    (TOP_UPS, ("id",)),
    (RECALLS, ("id", "payment_id", "user_id")),
    (DISPUTES, ("id", "payment_id", "user_id", "merchant_id")),
]
BIG = {
    "uuid": (1 << 127) + 5,
    "bigint": 2**63 - 1,
    "integer": 10_000,
    "smallint": 3,
    "boolean": True,
    "text": "午饭 🍜",
    "bytea": bytes(range(256)),
}


def row_of(table: Table[Any], *, empty: bool) -> Any:
    """A row with the greatest values its columns take, or with nulls where they may be."""
    values = {column.name: None if empty and column.nullable else BIG[column.type.sql] for column in table.columns}
    return table.row(**values)


def test_every_row_comes_back_and_every_look_up_has_its_index(database: Database) -> None:
    asyncio.run(_scenario(database))


async def _scenario(database: Database) -> None:
    await migrate(database, all_migrations(["runtime", "institution"]))
    journal = await open_journal(database)
    pool = await database.open_pool(size_max=2)
    try:
        store = PgStore(pool)
        rows = {table.name: [row_of(table, empty=empty) for empty in (False, True)] for table, _ in TABLES}
        for table, _ in TABLES:
            for row in rows[table.name]:
                journal.append(table, row)
        await journal.flushed()
        for table, columns in TABLES:
            found = await store.find(table, columns[0], [getattr(rows[table.name][0], columns[0])])
            assert [row for _, row in found] == rows[table.name]
        await _look_ups_have_their_indexes(database)
    finally:
        await journal.close()
        await pool.close()


async def _look_ups_have_their_indexes(database: Database) -> None:
    connection = await database.connect()
    try:
        await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        for table, columns in TABLES:
            for column in columns:
                (type_,) = [known.type.sql for known in table.columns if known.name == column]
                query = f"SELECT * FROM {table.name} WHERE {column} = ANY($1::{type_}[]) ORDER BY position"  # noqa: S608
                await connection.execute(f"PREPARE looked_up AS {query}")
                plan = str(await connection.fetch("EXPLAIN EXECUTE looked_up(NULL)"))
                assert f"{table.name}_{column}" in plan, (table, column, plan)
                await connection.execute("DEALLOCATE looked_up")
    finally:
        await connection.close()


@pytest.mark.parametrize("table", [table for table, _ in TABLES], ids=lambda table: table.name)
def test_no_row_is_looked_at_by_the_garbage_collector(table: Table[Any]) -> None:
    """A million rows in memory must not cost a pause: they hold plain values alone."""
    assert not table.row.__struct_config__.gc
    for hint in get_type_hints(table.row).values():
        assert get_origin(hint) not in (list, dict, tuple)
        assert all(arg in (int, str, bool, type(None)) for arg in get_args(hint))
