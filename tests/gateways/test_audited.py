"""What sharing writes down, on a real PostgreSQL: the tables are as declared, and the audit finds nothing, but what is damaged."""

import asyncio
import importlib
import pkgutil
import re
from typing import Any

import pytest

import hutong
from hutong.audit.finding import Report
from hutong.audit.rules import check_rules
from hutong.audit.snapshot import nodes_of
from hutong.gateways.agreements.agreement import AGREEMENTS
from hutong.gateways.combined.combined import COMBINED, PART_TAKINGS, PARTS
from hutong.gateways.order import Dialect
from hutong.gateways.preauth.preauth import PREAUTH_OPERATIONS, PREAUTHS
from hutong.gateways.splits.hold import HOLDS, TAKINGS
from hutong.gateways.splits.receiver import RECEIVERS
from hutong.gateways.splits.split import SPLIT_RETURNS, SPLITS
from hutong.gateways.transfers.transfer import BATCHES, PERSON_TRANSFERS, TransferDraft
from hutong.institution import chart
from hutong.kernel.clock import NS_PER_S
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.pgjournal import open_journal
from hutong.runtime.pgstore import PgStore
from hutong.runtime.tables import MemoryStore, Table
from tests.gateways.combined.test_combined import Mall
from tests.gateways.hall import Hall
from tests.gateways.preauth.test_preauths import draft, held, take
from tests.gateways.sharing import person, shop
from tests.gateways.splits.test_splits import Scene
from tests.gateways.street import Street

OVERDUE_NS = 10**6 * NS_PER_S
TABLES: list[Table[Any]] = [
    *(HOLDS, TAKINGS, RECEIVERS, SPLITS, SPLIT_RETURNS, PERSON_TRANSFERS, BATCHES, COMBINED, PARTS, PART_TAKINGS),
    *(PREAUTHS, PREAUTH_OPERATIONS, AGREEMENTS),
]
DAMAGES = [
    ("UPDATE split_holds SET remaining = remaining - 1 WHERE remaining > 1", "is said to be frozen"),
    ("DELETE FROM split_holds", "nothing is said to be frozen"),
    ("UPDATE splits SET total = total + 1 WHERE state = 'FINISHED' AND total > 0", "split is FINISHED"),
    ("DELETE FROM splits WHERE state = 'FINISHED'", "split is PROCESSING"),
    ("UPDATE split_returns SET amount = amount + 10000 WHERE state = 'SUCCESS'", "came back"),
    ("DELETE FROM split_returns", "return of a split is unknown"),
    ("UPDATE splits SET number_key = merchant_id", "splits of one merchant under one number"),
    ("DELETE FROM person_transfers WHERE state = 'SUCCESS'", "transfer to a person is ACCEPTED"),
    ("UPDATE person_transfers SET amount = amount + 1 WHERE state = 'WAITING'", "and holds"),
    ("UPDATE person_transfers SET number_key = merchant_id", "transfers to people under one number"),
]
OF_PREAUTHS = [
    ("UPDATE gateway_preauths SET amount = amount + 1", "came, and"),
    ("DELETE FROM gateway_preauths WHERE state = 'HELD'", "authorisation is HOLDING"),
    ("DELETE FROM gateway_preauth_operations WHERE state = 'DONE'", "came, and"),
    ("UPDATE payments SET funding = 'balance'", "came, and"),
]
OF_COMBINED = [
    ("UPDATE combined_parts SET fee = fee + 1", "handed on"),
    ("DELETE FROM combined_orders WHERE state = 'HANDED_ON'", "that is PAID: handed on"),
    ("UPDATE combined_parts SET taken = amount WHERE taken > 0", "its merchant gave"),
    ("UPDATE combined_takings SET amount = amount + 1 WHERE state = 'TAKEN'", "what was given for a refund is TAKEN"),
    ("UPDATE combined_takings SET state = 'SHORT' WHERE state = 'TAKEN'", "they come to 0 and 0"),
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_says_its_columns_in_their_order(table: Table[Any]) -> None:
    sql = "\n".join(migration.sql for migration in all_migrations(["institution"]))
    declared = sql.split(f"CREATE TABLE {table.name} (\n")[1].split("\n);")[0].splitlines()
    added = re.findall(rf"^ALTER TABLE {table.name} ADD COLUMN (\w+ +\w+)", sql, re.MULTILINE)
    said = [line.split()[:2] for line in (line.rstrip(",") for line in [*declared, *added])]
    assert said == [["position", "bigint"]] + [[column.name, column.type.sql] for column in table.columns]


def test_the_audit_finds_nothing_but_what_is_damaged(database: Database) -> None:
    scene = Scene(on_us=False)
    partner, courier = shop(scene.partner), person(scene.courier.id)
    scene.split("S1", (partner, 2_000), (courier, 500))
    scene.give_back("S1", "R1", partner, 1_500)
    scene.wei.refund(scene.merchant, scene.sold.payment.id, 9_999)  # It fails: what it took is frozen again.
    scene.wei.refund(scene.merchant, scene.sold.payment.id, 3_000)
    scene.split("S2", (partner, 40))
    send(scene)
    asyncio.run(_audited(database, scene.wei.store, DAMAGES))


async def test_the_audit_finds_nothing_in_combined_orders_but_what_is_damaged(database: Database, hall: Hall) -> None:
    mall = await Mall(hall).open()
    paid = await mall.paid("C1", 7_000, 2_990, 10)
    await mall.refund(mall.noodles, paid.parts[0], "R1", 3_000)
    await mall.refund(mall.platform, paid.parts[2], "R1", 5)
    await mall.refund(mall.tea, paid.parts[1], "R1", 2_990)
    await _audited(database, hall.jing.node.store, OF_COMBINED)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_audit_finds_nothing_in_what_is_held_but_what_is_damaged(database: Database, street: Street) -> None:
    house, caller, _, preauth = await held(street)
    for number, amount in (("T-1", 20_000), ("T-2", 5_000)):
        await take(house, caller, preauth, number, amount)
    await house.gateways.preauths.let_go(caller, preauth, number="U-1", amount=10_000)
    await house.gateways.preauths.offer(caller, draft("H-2"))
    _, other, _, cancelled = await held(street)
    await house.gateways.preauths.cancel(other, cancelled)
    await _audited(database, house.store, OF_PREAUTHS)


def send(scene: Scene) -> None:
    """Transfers to a person that end in every way."""
    wei = scene.wei
    wei.pay_in(chart.merchant_account(scene.merchant), 10_000)
    for number, confirmed in (("T1", False), ("T2", True), ("T3", True), ("T4", True)):
        draft = TransferDraft(
            number=number,
            user_id=scene.courier.id,
            payee="o1",
            amount=100,
            confirmed=confirmed,
            dialect=Dialect.WECHATPAY_V3,
        )
        wei.ask(wei.transfers.send(scene.caller, draft))
    taken = wei.ask(wei.transfers.find(scene.caller, "T2"))
    wei.ask(wei.transfers.take(scene.courier.id, taken.id))
    wei.ask(wei.transfers.cancel(scene.caller, "T3"))


async def _audited(database: Database, store: Any, damages: list[tuple[str, str]]) -> None:
    await migrate(database, all_migrations(["runtime", "ledger", "institution"]))
    await copied(database, store)
    async with await database.open_pool(size_max=1) as pool:
        for table in TABLES:  # What was written is read as it was.
            kept = [row for _, row in store.rows[table.name]]
            read = await PgStore(pool).find(table, "id", {row.id for row in kept})
            assert [row for _, row in read] == kept, table
    await each_is_found(database, damages)


async def each_is_found(database: Database, damages: list[tuple[str, str]]) -> None:
    """Nothing is wrong; then each damage by itself, and what the audit says of it."""
    connection = await database.connect(statement_s=0)
    try:
        for codec in ("uuid", "numeric", "jsonb"):
            await connection.reset_type_codec(codec, schema="pg_catalog")
        assert await found_in(database, connection) == []
        for damage, says in damages:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(damage)
            found = await found_in(database, connection)
            assert any(says in text for text in found), (damage, found)
            await transaction.rollback()
    finally:
        await connection.close()


async def found_in(database: Database, connection: Any) -> list[str]:
    async with connection.transaction():
        (node,) = [node for node in await nodes_of(connection) if node.name == database.schema]
        report = Report()
        await check_rules(node, report, OVERDUE_NS)
    # The neighbours of payments in these worlds keep no events.
    return [finding.text for finding in report.findings if "and was told 0" not in finding.text]


async def copied(database: Database, store: MemoryStore) -> None:
    """The rows of a node in memory, into a schema of a database."""
    tables: dict[str, Table[Any]] = {}
    for module in pkgutil.walk_packages(hutong.__path__, "hutong."):
        if not module.name.endswith("__main__"):
            tables |= {
                each.name: each
                for each in vars(importlib.import_module(module.name)).values()
                if isinstance(each, Table)
            }
    known = {name for name in tables if name in store.rows}
    rows = sorted((position, name, row) for name in known for position, row in store.rows[name])
    journal = await open_journal(database)
    for _, name, row in rows:
        journal.append(tables[name], row)
    await journal.flushed()
    await journal.close()
