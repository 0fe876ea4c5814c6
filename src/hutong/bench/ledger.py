"""
The ledger alone: durable transfers a second through the journal into PostgreSQL, both account indexes in place.

One transfer per client: each waits until its transfer is durable before it asks for the next. Batches: two are under
way, so that one is decided while the other is written. The comparison, in the same run: PostgreSQL's own COPY
of the same rows into the same tables, with nothing decided.
"""

import asyncio
import time
from collections.abc import Callable
from io import BytesIO

from hutong.app.host import Machine
from hutong.bench.figures import Figures
from hutong.bench.scratch import Scratch, scratch_machine
from hutong.kernel.ids import seeded_randomness
from hutong.ledger.rows import TRANSFER, TransferRow
from hutong.ledger.transfer import Account, AccountStatus, Transfer, TransferStatus
from hutong.runtime.database import Database
from hutong.runtime.pgwire import COPY_BEGIN

ACCOUNTS = 10_000
_COPIED_MAX = 400_000
_SCHEMA = "bench_ledger"
_CODE = 1
_LEDGER = 156
_CREATED = TransferStatus.CREATED
Pick = Callable[[], tuple[int, int]]


async def measure(scratch: Scratch, figures: Figures, *, seconds: float, progress: Callable[[str], None]) -> None:
    """All figures of the ledger."""
    async with scratch_machine(scratch, _SCHEMA) as machine:
        ids = await _open_accounts(machine, ACCOUNTS)
        randomness = seeded_randomness(1)

        def anyone() -> tuple[int, int]:
            debit, credit = randomness.randrange(ACCOUNTS), randomness.randrange(ACCOUNTS - 1)
            return ids[debit], ids[credit + (credit >= debit)]

        def two_hot() -> tuple[int, int]:
            return ids[0], ids[1]

        for clients in (16, 256, 1024):
            progress(f"ledger, {clients} clients")
            figures.note(f"ledger_c{clients}_per_s", await closed_loop(machine, clients, 1, anyone, seconds))
        for batch in (100, 1000, 8000):
            progress(f"ledger, batches of {batch}")
            figures.note(f"ledger_b{batch}_per_s", await closed_loop(machine, 2, batch, anyone, seconds))
        progress("ledger, PostgreSQL's own COPY of such rows")
        figures.note("copy_b8000_per_s", await _copy(scratch, machine, anyone, 8000, seconds))
        progress("ledger, two hot accounts")
        figures.note("ledger_hot_b8000_per_s", await closed_loop(machine, 2, 8000, two_hot, seconds))


async def _open_accounts(machine: Machine, count: int) -> list[int]:
    accounts = [Account(id=machine.node.mint.mint(), ledger=_LEDGER, code=_CODE) for _ in range(count)]

    def opened(statuses: list[AccountStatus]) -> None:
        assert all(status is AccountStatus.CREATED for status in statuses)

    for first in range(0, count, 1000):
        machine.ledger.create_accounts(accounts[first : first + 1000], then=opened)
        machine.journal.seal()
    await machine.journal.flushed()
    return [account.id for account in accounts]


async def _copy(scratch: Scratch, machine: Machine, pick: Pick, batch: int, seconds: float) -> float:
    """Rows a second, packed beforehand, that a connection makes durable by COPY alone, a transaction for each batch."""
    batches = []
    mint, zeroes = machine.node.mint.mint, (0,) * 5
    position = 1 << 40  # Far above what the journal gave out.
    for _ in range(_COPIED_MAX // batch):
        rows = []
        for _ in range(batch):
            position += 1
            row = TransferRow(mint(), *pick(), 0, *zeroes, position, _LEDGER, 0, 0, _CODE, 0, 1, 0)
            rows.append(TRANSFER.pack(position, row))
        batches.append(b"".join((COPY_BEGIN, *rows, b"\xff\xff")))
    copied = 0
    connection = await Database(scratch.address, _SCHEMA).connect()
    try:
        starts_at = time.perf_counter()
        for data in batches:
            await connection.copy_to_table(
                TRANSFER.name, source=BytesIO(data), columns=TRANSFER.packed_names, format="binary"
            )
            copied += batch
            if time.perf_counter() - starts_at > seconds:
                break
        return copied / (time.perf_counter() - starts_at)
    finally:
        await connection.close()


async def closed_loop(machine: Machine, clients: int, batch: int, pick: Pick, seconds: float) -> float:
    """Transfers a second that became durable while `clients` kept asking."""
    done = 0
    running = clients
    ended = asyncio.get_running_loop().create_future()
    mint = machine.node.mint.mint
    starts_at = time.perf_counter()
    ends_at = starts_at + seconds
    stopped_at = ends_at

    def durable() -> None:
        nonlocal done, running, stopped_at
        done += batch
        if time.perf_counter() < ends_at:
            ask()
            return
        running -= 1
        if running == 0:
            stopped_at = time.perf_counter()
            ended.set_result(None)

    def answered(statuses: list[TransferStatus]) -> None:
        assert all(status is _CREATED for status in statuses)
        machine.journal.effect(durable)

    def ask() -> None:
        transfers = []
        for _ in range(batch):
            debit, credit = pick()
            transfers.append(Transfer(mint(), debit, credit, 1, _LEDGER, _CODE))
        machine.ledger.create_transfers(transfers, then=answered)
        machine.journal.seal()

    for _ in range(clients):
        ask()
    await ended
    return done / (stopped_at - starts_at)
