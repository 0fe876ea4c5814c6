"""Merchants and requests on a real PostgreSQL: what was decided there is found again, through the indexes."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from hutong.institution.merchants.repository import FEES, MERCHANTS, PLATES, SHOPS, STAFF_KEYS
from hutong.institution.merchants.staff_key import Role, StaffKey
from hutong.institution.requests.repository import REQUESTS
from hutong.kernel.errors import Refusal
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.pgjournal import open_journal
from hutong.runtime.pgstore import PgStore
from hutong.runtime.shelf import decided
from hutong.runtime.tables import Table
from tests.institution.merchants.shop_street import ShopStreet, corner, draft, noodles

Answer = TypeVar("Answer")
# What the services look up by, which must never cost a walk through the table.
LOOKED_UP: list[tuple[Table[Any], str]] = [
    (MERCHANTS, "id"),
    (MERCHANTS, "reference"),
    (FEES, "merchant_id"),
    (SHOPS, "id"),
    (SHOPS, "merchant_id"),
    (STAFF_KEYS, "id"),
    (STAFF_KEYS, "merchant_id"),
    (PLATES, "id"),
    (PLATES, "identity_key"),
    (PLATES, "listed_merchant"),
    (PLATES, "listed_shop"),
    (REQUESTS, "id"),
    (REQUESTS, "reference_key"),
    (REQUESTS, "listed_merchant"),
    (REQUESTS, "listed_shop"),
]


def test_everything_is_found_again_after_a_restart(database: Database) -> None:
    asyncio.run(_scenario(database))


async def _scenario(database: Database) -> None:
    await migrate(database, all_migrations(["runtime", "institution"]))
    street = ShopStreet.__new__(ShopStreet)
    street.prepare()
    journal = await open_journal(database)
    pool = await database.open_pool(size_max=2)
    try:
        await street.wire(journal, PgStore(pool))

        async def do(decide: Callable[[], Answer]) -> Answer:
            return await decided(street.journal, decide)

        key, token = await _an_owner(street)
        shop = await do(lambda: street.merchants.open_shop(key, corner()))
        till, _ = await do(lambda: street.merchants.issue_key(key, Role.CASHIER, "till", shop.id))
        plate = await do(lambda: street.plates.hang(key, "table 1", shop.id))
        old = await do(lambda: street.plates.register_foreign(key.merchant_id, "old", "https://old.example/1"))
        made = await do(lambda: street.requests.create(till, draft(remark="两碗炸酱面 🍜")))
        other = await do(lambda: street.requests.create(key, draft(reference="order-2", shop_id=0)))
        payment_id = street.mint.mint()
        await do(lambda: street.requests.claim(made.id, payment_id, street.now_ns))
        made = await do(lambda: street.requests.paid(made.id, payment_id))

        await street.wire(journal, PgStore(pool))
        assert await do(lambda: street.merchants.key(token)) == key
        assert await do(lambda: street.merchants.onboard(noodles(), 60)) == await do(
            lambda: street.merchants.merchant(key.merchant_id)
        )
        assert await do(lambda: street.merchants.shops(key)) == [shop]
        assert await do(lambda: street.plates.find_foreign("https://old.example/1")) == old
        assert await do(lambda: street.requests.create(till, draft(remark="两碗炸酱面 🍜"))) == made
        with pytest.raises(Refusal, match="REFERENCE_REUSED"):
            await do(lambda: street.requests.create(till, draft(amount=7)))
        assert await street.plates.plates(key, before=None, limit=10) == ([old, plate], None)
        assert await street.requests.page(key, before=None, limit=10) == ([other, made], None)
        assert await street.requests.page(till, before=None, limit=1) == ([made], made.id)
        assert await street.requests.page(till, before=made.id, limit=5) == ([], None)
        await _every_look_up_has_its_index(database)
    finally:
        await journal.close()
        await pool.close()


async def _an_owner(street: ShopStreet) -> tuple[StaffKey, str]:
    merchant = await decided(street.journal, lambda: street.merchants.onboard(noodles(), 60))
    return await decided(street.journal, lambda: street.merchants.issue_owner_key(merchant.id, "boss"))


async def _every_look_up_has_its_index(database: Database) -> None:
    connection = await database.connect()
    try:
        await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        for table, column in LOOKED_UP:
            (type_,) = [known.type.sql for known in table.columns if known.name == column]
            query = f"SELECT * FROM {table.name} WHERE {column} = ANY($1::{type_}[]) ORDER BY position"  # noqa: S608  # Our own names.
            await connection.execute(f"PREPARE looked_up AS {query}")
            plan = await connection.fetch("EXPLAIN EXECUTE looked_up(NULL)")
            assert f"{table.name}_by_{column}" in str(plan), (column, plan)
            await connection.execute("DEALLOCATE looked_up")
    finally:
        await connection.close()
