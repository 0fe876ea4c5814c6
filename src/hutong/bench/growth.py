"""
What age costs: the same load on a young ledger and on one with a million accounts and millions of past transfers.

The past is written straight into the tables as the ledger would have left it (each row with the balances behind it),
and then the ledger starts on it like on any other: the start is timed, too.
"""

import asyncio
import time
from collections.abc import Callable
from typing import LiteralString

from hutong.app.host import Machine, NodeHost
from hutong.bench.figures import Figures
from hutong.bench.ledger import closed_loop
from hutong.bench.scratch import Idle, Scratch
from hutong.kernel.ids import seeded_randomness
from hutong.ledger.transfer import Transfer, TransferStatus
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate

YOUNG_ACCOUNTS = 10_000
OLD_ACCOUNTS = 1_000_000
OLD_TRANSFERS = 5_000_000
_STEP = 250_000
_CLIENTS = 256
_KINDS = ("runtime", "ledger")
# An account's or a transfer's id is 2026-01-01 in milliseconds above its number, as the mint would have it.
_ID: LiteralString = "(lpad(to_hex(1767225600000 + n / 1000), 12, '0') || lpad(to_hex(n << 8), 20, '0'))::uuid"
_ACCOUNTS_SQL: LiteralString = f"""
INSERT INTO account (position, id, user_data_128, timestamp, ledger, user_data_32, code, flags, user_data_64)
SELECT n, {_ID}, '00000000000000000000000000000000', n, 156, 0, 1, 0, 0 FROM generate_series($1::bigint, $2) AS n"""
# Transfer n goes from account n mod A to the next one, a fen each: everybody has given and got n / A before it.
_TRANSFERS_SQL: LiteralString = """
INSERT INTO transfer (position, id, debit_account_id, credit_account_id, pending_id, user_data_128, debits_pending,
    debits_posted, credits_pending, credits_posted, timestamp, ledger, user_data_32, timeout, code, flags, amount, user_data_64)
SELECT $3 + n, (lpad(to_hex(1767225600000 + n / 1000), 12, '0') || lpad(to_hex(n << 8), 20, '0'))::uuid, d.id, c.id,
    zero, zero, zero, lpad(to_hex(n / $3 + 1), 32, '0')::uuid, zero, lpad(to_hex(n / $3 + 1), 32, '0')::uuid,
    $3 + n, 156, 0, 0, 1, 0, 1, 0
FROM generate_series($1::bigint, $2) AS n
JOIN account AS d ON d.position = n % $3 + 1
JOIN account AS c ON c.position = (n + 1) % $3 + 1
CROSS JOIN (SELECT '00000000000000000000000000000000'::uuid AS zero) AS zeroes"""


async def measure(scratch: Scratch, figures: Figures, *, seconds: float, progress: Callable[[str], None]) -> None:
    """Transfers a second, young and old, and how long the start on the old one takes."""
    ages = (("young", YOUNG_ACCOUNTS, 0), ("wide", OLD_ACCOUNTS, 0), ("old", OLD_ACCOUNTS, OLD_TRANSFERS))
    for name, accounts, transfers in ages:
        database = Database(scratch.address, f"bench_{name}")
        await migrate(database, all_migrations(_KINDS))
        await _live(database, accounts, transfers, progress)
        progress(f"growth: {accounts:,} accounts, {transfers:,} past transfers")
        start_s, rate = await _start_and_load(database, accounts, seconds)
        figures.note(f"growth_{name}_c256_per_s", rate)
        figures.note(f"growth_{name}_start_s", start_s)
        await database.drop()
    values = figures.values
    figures.note("growth_old_to_young", values["growth_old_c256_per_s"] / values["growth_young_c256_per_s"])


async def _live(database: Database, accounts: int, transfers: int, progress: Callable[[str], None]) -> None:
    """Write a past of so many accounts and transfers."""
    connection = await database.connect(statement_s=0)
    try:
        for first in range(1, accounts + 1, _STEP):
            await connection.execute(_ACCOUNTS_SQL, first, min(first + _STEP - 1, accounts))
        for first in range(0, transfers, _STEP):
            progress(f"growth: writing a past, {first:,} of {transfers:,} transfers")
            await connection.execute(_TRANSFERS_SQL, first, min(first + _STEP, transfers) - 1, accounts)
        await connection.execute("ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _start_and_load(database: Database, accounts: int, seconds: float) -> tuple[float, float]:
    found: list[Machine] = []

    async def build(machine: Machine, _stack: object) -> Idle:
        found.append(machine)
        return Idle()

    host = NodeHost("bench", database, _KINDS, build)
    started_at = time.perf_counter()
    await host.start()
    machine = found[0]
    ids = [_account_id(number) for number in range(1, accounts + 1)]
    await _first_transfer(machine, ids)
    start_s = time.perf_counter() - started_at
    randomness = seeded_randomness(2)

    def anyone() -> tuple[int, int]:
        debit, credit = randomness.randrange(accounts), randomness.randrange(accounts - 1)
        return ids[debit], ids[credit + (credit >= debit)]

    try:
        await closed_loop(
            machine, _CLIENTS, 1, anyone, seconds
        )  # Warm: the accounts come into memory as they are used.
        return start_s, await closed_loop(machine, _CLIENTS, 1, anyone, seconds)
    finally:
        await host.stop()


async def _first_transfer(machine: Machine, ids: list[int]) -> None:
    durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answered(statuses: list[TransferStatus]) -> None:
        assert statuses == [TransferStatus.CREATED], statuses
        machine.journal.effect(lambda: durable.set_result(None))
        machine.journal.seal()

    machine.ledger.create_transfers([Transfer(machine.node.mint.mint(), ids[0], ids[1], 1, 156, 1)], then=answered)
    machine.journal.seal()
    await durable


def _account_id(number: int) -> int:
    return (1_767_225_600_000 + number // 1000) << 80 | number << 8
