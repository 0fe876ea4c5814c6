"""
What age costs: the same loads on a young node, on one with a million accounts, and on one with millions of past
payments as well.

The past is written straight into the tables of one institution as it would have left them (each transfer with the
balances behind it, each payment with its outcome), and then the ledger and the institution start on it like on any
other: the starts are timed, too, the first on the old one without any checkpoint, the second with what the first
one left. Accounts come into memory when they are first moved, so as many are moved once before the measurement as are
moved in it: `AWAKE` of them, spread over all. What that waking costs, a look-up in the database for each, is a figure
of its own. Payments are on us, by users and to a merchant of today's.
"""

import asyncio
import time
from collections.abc import Callable
from typing import LiteralString

from hutong.app.host import Machine, NodeHost
from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.up import running_network, schema_of
from hutong.app.wiring import kinds_of
from hutong.bench.figures import Figures
from hutong.bench.ledger import closed_loop
from hutong.bench.load import Plan, under_load
from hutong.bench.scratch import Idle, Scratch
from hutong.bench.stage import Place, set_stage
from hutong.kernel.ids import seeded_randomness
from hutong.ledger.transfer import Transfer, TransferStatus
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.settings import Settings

AWAKE = 10_000  # Accounts that move during the measurement of the ledger; the young one has no others.
OLD_ACCOUNTS = 1_000_000
OLD_TRANSFERS = 5_000_000
_STEP = 250_000
_CLIENTS = 256
_WARM_S = 1.0
_NODES = Network(nodes=tuple(spec for spec in DEMO_NETWORK.nodes if spec.node in {"switch", "jing"}))
_OLD = next(spec for spec in _NODES.nodes if spec.node == "jing")
# Past wallets, without the history that an audit would like: (account, transfer and payment number n, of A accounts).
# An account's, a transfer's or a payment's id is 2026-01-01 in milliseconds above its number, as the mint would have it.
_ACCOUNTS_SQL: LiteralString = """
INSERT INTO account (position, id, user_data_128, timestamp, ledger, user_data_32, code, flags, user_data_64)
SELECT n, (lpad(to_hex(1767225600000 + n / 1000), 12, '0') || lpad(to_hex(n << 8), 20, '0'))::uuid,
    '00000000000000000000000000000000', n, 156, 0, 1, 0, 0
FROM generate_series($1::bigint, $2) AS n"""
# Transfer n goes from account n mod A to the next one, a fen each: everybody has given and got n / A before it.
_TRANSFERS_SQL: LiteralString = """
INSERT INTO transfer (position, id, debit_account_id, credit_account_id, pending_id, user_data_128, debits_pending,
    debits_posted, credits_pending, credits_posted, timestamp, ledger, user_data_32, timeout, code, flags, amount, user_data_64)
SELECT $3 + n, ids.id, d.id, c.id, zero, ids.id, zero, lpad(to_hex(n / $3 + 1), 32, '0')::uuid, zero,
    lpad(to_hex(n / $3 + 1), 32, '0')::uuid, $3 + n, 156, 0, 0, 12, 0, 1, 0
FROM generate_series($1::bigint, $2) AS n
CROSS JOIN LATERAL (
    SELECT (lpad(to_hex(1767225600000 + n / 1000), 12, '0') || lpad(to_hex(n << 8), 20, '0'))::uuid AS id
) AS ids
JOIN account AS d ON d.position = n % $3 + 1
JOIN account AS c ON c.position = (n + 1) % $3 + 1
CROSS JOIN (SELECT '00000000000000000000000000000000'::uuid AS zero) AS zeroes"""
_PAYMENTS_SQL: LiteralString = """
INSERT INTO payments
SELECT t.position, t.id, t.debit_account_id, t.debit_account_id, '*小明', 'jing', t.credit_account_id, t.credit_account_id,
    t.credit_account_id, t.pending_id, t.pending_id, '胡同面馆', '', '5812', 'STATIC', true, 'CNY', 1, 0, 0, 0, 0, 0,
    t.pending_id, t.pending_id, '', '', 'balance', '', 'cn-2018-04-01', t.id, t.pending_id, '', 1, true, 1, 1, 0, 0,
    1767225600000000000 + t.position, 1767225660000000000 + t.position
FROM transfer AS t WHERE t.position BETWEEN $1::bigint + $3::bigint AND $2::bigint + $3::bigint"""
_OUTCOMES_SQL: LiteralString = """
INSERT INTO payment_outcomes (position, id, completed, reason, iso_code, decided_ns)
SELECT t.position, t.id, true, '', '', 1767225600000000000 + t.position
FROM transfer AS t WHERE t.position BETWEEN $1::bigint + $3::bigint AND $2::bigint + $3::bigint"""


_INDEXES: LiteralString = """
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = current_schema() AND tablename IN ('transfer', 'payments', 'payment_outcomes')
    AND indexname NOT IN (SELECT conname FROM pg_constraint)"""


async def measure(
    scratch: Scratch,
    figures: Figures,
    *,
    clients: int,
    seconds: float,
    accounts: int,
    transfers: int,
    progress: Callable[[str], None],
) -> None:
    """Transfers and payments a second, young, wide and old, and how long the starts on the old one take."""
    for name, has_accounts, has_transfers in (
        ("young", AWAKE, 0),
        ("wide", accounts, 0),
        ("old", accounts, transfers),
    ):
        database = Database(scratch.address, schema_of(_OLD.node))
        await migrate(database, all_migrations(kinds_of(_OLD)))
        await write_past(database, has_accounts, has_transfers, progress)
        progress(f"growth: {has_accounts:,} accounts, {has_transfers:,} past payments")
        if has_transfers:
            await _ledger(database, figures, f"growth_{name}_unchecked", has_accounts, 0)
        await _ledger(database, figures, f"growth_{name}", has_accounts, seconds)
        await _payments(scratch, figures, f"growth_{name}", clients, seconds)
        for spec in _NODES.nodes:
            await Database(scratch.address, schema_of(spec.node)).drop()
    values = figures.values
    for name in ("wide", "old"):
        for load, figure in (("", "_c256_per_s"), ("_pay_onus", "_pay_onus_per_s")):
            measured, young = (values[f"growth_{which}{figure}"] for which in (name, "young"))
            figures.note(f"growth_{name}{load}_to_young", measured / young)


async def write_past(database: Database, accounts: int, transfers: int, progress: Callable[[str], None]) -> None:
    """Write a past of so many accounts, and of payments with a transfer each."""
    connection = await database.connect(statement_s=0)
    try:
        for first in range(1, accounts + 1, _STEP):
            await connection.execute(_ACCOUNTS_SQL, first, min(first + _STEP - 1, accounts))
        # As the database has them, but made at the end: a past of millions is written in a third of the time.
        indexes = await connection.fetch(_INDEXES) if transfers else []
        for name, _ in indexes:
            await connection.execute(f'DROP INDEX "{name}"')
        for first in range(0, transfers, _STEP):
            progress(f"growth: writing a past, {first:,} of {transfers:,} payments")
            for sql in (_TRANSFERS_SQL, _PAYMENTS_SQL, _OUTCOMES_SQL):
                await connection.execute(sql, first, min(first + _STEP, transfers) - 1, accounts)
        if indexes:
            progress("growth: indexing it")
        for _, definition in indexes:
            await connection.execute(definition)
        # What autovacuum would have done along the years; left to it, it would take the machine from what is measured next.
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _payments(scratch: Scratch, figures: Figures, name: str, clients: int, seconds: float) -> None:
    """The institution and a switch start, people register, and pay."""
    settings = Settings(data_directory=scratch.directory / name, ports={})
    started_at = time.perf_counter()
    async with running_network(settings, _NODES, scratch.address) as network:
        figures.note(f"{name}_network_start_s", time.perf_counter() - started_at)
        place = Place(network[_OLD.node].url, network[_OLD.node].operator_token)
        stage = await set_stage(place, place, clients)
        payers = await stage.payers(stage.plate_here, clients)
        outcome = await under_load(Plan(payers, seconds, _WARM_S), lambda: None)
        assert not outcome.others, outcome.others
        figures.note(f"{name}_pay_onus_per_s", outcome.per_s)
        figures.note(f"{name}_pay_onus_p99_ms", outcome.p99_ms)


async def _ledger(database: Database, figures: Figures, name: str, accounts: int, seconds: float) -> None:
    """The ledger alone starts; and, given any seconds, transfers."""
    found: list[Machine] = []

    async def build(machine: Machine, _stack: object) -> Idle:
        found.append(machine)
        return Idle()

    host = NodeHost("bench", database, kinds_of(_OLD), build)
    started_at = time.perf_counter()
    await host.start()
    try:
        machine = found[0]
        awake = [_account_id(number) for number in range(1, accounts + 1, max(1, accounts // AWAKE))]
        await _durable(machine, [Transfer(machine.node.mint.mint(), awake[0], awake[1], 1, 156, 1)])
        figures.note(f"{name}_start_s", time.perf_counter() - started_at)
        if not seconds:
            return
        woken_at = time.perf_counter()
        await _wake(machine, awake)
        figures.note(f"{name}_wake_us", 1e6 * (time.perf_counter() - woken_at) / len(awake))
        randomness = seeded_randomness(2)

        def anyone() -> tuple[int, int]:
            debit, credit = randomness.randrange(len(awake)), randomness.randrange(len(awake) - 1)
            return awake[debit], awake[credit + (credit >= debit)]

        figures.note(f"{name}_c256_per_s", await closed_loop(machine, _CLIENTS, 1, anyone, seconds))
    finally:
        await host.stop()


async def _wake(machine: Machine, ids: list[int]) -> None:
    """Move every account once."""
    mint = machine.node.mint.mint
    pairs = list(zip(ids[::2], ids[1::2], strict=False))
    for first in range(0, len(pairs), _CLIENTS):
        some = pairs[first : first + _CLIENTS]
        await _durable(machine, [Transfer(mint(), debit, credit, 1, 156, 1) for debit, credit in some])


async def _durable(machine: Machine, transfers: list[Transfer]) -> None:
    durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answered(statuses: list[TransferStatus]) -> None:
        assert all(status is TransferStatus.CREATED for status in statuses), statuses
        machine.journal.effect(lambda: durable.set_result(None))
        machine.journal.seal()

    machine.ledger.create_transfers(transfers, then=answered)
    machine.journal.seal()
    await durable


def _account_id(number: int) -> int:
    return (1_767_225_600_000 + number // 1000) << 80 | number << 8
