"""
What age costs: the same load on a young ledger, on one with a million accounts, and on one with millions of past
transfers as well.

The past is written straight into the tables as the ledger would have left it (each row with the balances behind it),
and then the ledger starts on it like on any other: the start is timed, too. Accounts come into memory when they are
first moved, so as many are moved once before the measurement as are moved in it: `AWAKE` of them, spread over all.
What that waking costs, a look-up in the database for each, is a figure of its own.
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

AWAKE = 10_000  # Accounts that move during the measurement; the young ledger has no others.
OLD_ACCOUNTS = 1_000_000
OLD_TRANSFERS = 5_000_000
_STEP = 250_000
_CLIENTS = 256
_KINDS = ("runtime", "ledger")
# An account's or a transfer's id is 2026-01-01 in milliseconds above its number, as the mint would have it.
_ACCOUNTS_SQL: LiteralString = """
INSERT INTO account (position, id, user_data_128, timestamp, ledger, user_data_32, code, flags, user_data_64)
SELECT n, (lpad(to_hex(1767225600000 + n / 1000), 12, '0') || lpad(to_hex(n << 8), 20, '0'))::uuid,
    '00000000000000000000000000000000', n, 156, 0, 1, 0, 0
FROM generate_series($1::bigint, $2) AS n"""
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


async def measure(
    scratch: Scratch,
    figures: Figures,
    *,
    seconds: float,
    accounts: int,
    transfers: int,
    progress: Callable[[str], None],
) -> None:
    """Transfers a second, young, wide and old, and how long the start on the old one takes."""
    for name, has_accounts, has_transfers in (
        ("young", AWAKE, 0),
        ("wide", accounts, 0),
        ("old", accounts, transfers),
    ):
        database = Database(scratch.address, f"bench_{name}")
        await migrate(database, all_migrations(_KINDS))
        await _live(database, has_accounts, has_transfers, progress)
        progress(f"growth: {has_accounts:,} accounts, {has_transfers:,} past transfers")
        await _start_and_load(database, figures, name, has_accounts, seconds)
        await database.drop()
    values = figures.values
    for name in ("wide", "old"):
        figures.note(f"growth_{name}_to_young", values[f"growth_{name}_c256_per_s"] / values["growth_young_c256_per_s"])


async def _live(database: Database, accounts: int, transfers: int, progress: Callable[[str], None]) -> None:
    """Write a past of so many accounts and transfers."""
    connection = await database.connect(statement_s=0)
    try:
        for first in range(1, accounts + 1, _STEP):
            await connection.execute(_ACCOUNTS_SQL, first, min(first + _STEP - 1, accounts))
        for first in range(0, transfers, _STEP):
            progress(f"growth: writing a past, {first:,} of {transfers:,} transfers")
            await connection.execute(_TRANSFERS_SQL, first, min(first + _STEP, transfers) - 1, accounts)
        if transfers:
            last = accounts + transfers
            # As the ledger leaves one every so many rows.
            await connection.execute(
                "INSERT INTO checkpoint (position, open_pending_position, timestamp) VALUES ($1, 0, $2)", last + 1, last
            )
        await connection.execute("ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _start_and_load(database: Database, figures: Figures, name: str, accounts: int, seconds: float) -> None:
    found: list[Machine] = []

    async def build(machine: Machine, _stack: object) -> Idle:
        found.append(machine)
        return Idle()

    host = NodeHost("bench", database, _KINDS, build)
    started_at = time.perf_counter()
    await host.start()
    try:
        machine = found[0]
        awake = [_account_id(number) for number in range(1, accounts + 1, max(1, accounts // AWAKE))]
        await _durable(machine, [Transfer(machine.node.mint.mint(), awake[0], awake[1], 1, 156, 1)])
        figures.note(f"growth_{name}_start_s", time.perf_counter() - started_at)
        woken_at = time.perf_counter()
        await _wake(machine, awake)
        figures.note(f"growth_{name}_wake_us", 1e6 * (time.perf_counter() - woken_at) / len(awake))
        randomness = seeded_randomness(2)

        def anyone() -> tuple[int, int]:
            debit, credit = randomness.randrange(len(awake)), randomness.randrange(len(awake) - 1)
            return awake[debit], awake[credit + (credit >= debit)]

        figures.note(f"growth_{name}_c256_per_s", await closed_loop(machine, _CLIENTS, 1, anyone, seconds))
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
