"""
How long an institution takes to compare a window with the switch's file: a million lines, half of them paid, half received.

The rows are written straight into the tables, as the payments would have left them in what is read here; the file is
the switch's, with a line missing, one too many and one that differs, so that there is something to find.
"""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import LiteralString

from hutong.app.host import Machine, NodeHost
from hutong.app.network import DEMO_NETWORK
from hutong.app.up import schema_of
from hutong.app.wiring import kinds_of, reconciling
from hutong.bench.figures import Figures
from hutong.bench.scratch import Idle, Scratch
from hutong.institution.chart import Chart
from hutong.institution.reconciliation.service import ReconciliationService
from hutong.runtime.database import Database
from hutong.runtime.export import csv_of
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.pool import WorkerPool

LINES = 1_000_000
WINDOW = "2026-01-01/1"
_NODE = next(spec for spec in DEMO_NETWORK.nodes if spec.node == "jing")
_ID: LiteralString = "(lpad(to_hex(1767225600000 + n / 1000), 12, '0') || lpad(to_hex(n << 8), 20, '0'))::uuid"
# Line n: paid where it is even, received where it is odd; 100 fen and n mod 1000.
_PAST: tuple[LiteralString, ...] = (
    """
INSERT INTO payment_outcomes (position, id, completed, reason, iso_code, decided_ns, "window")
SELECT 10 * n, """
    + _ID
    + """, true, '', '', 1767225600000000000 + n, $3
FROM generate_series($1::bigint, $2, 2) AS n""",
    """
INSERT INTO receipts
SELECT 10 * n + 1, """
    + _ID
    + """, 'wei', zero, zero, zero, zero, zero, '5812', 'STATIC', true, 'CNY', 100 + n % 1000, 0, 0, 0, 0, zero,
    '', 'free-1', 'cn-2018-04-01', '*小明', '', '', 1767225600000000000 + n, 1767225660000000000 + n
FROM generate_series($1::bigint + 1, $2, 2) AS n
CROSS JOIN (SELECT '00000000000000000000000000000000'::uuid AS zero) AS zeroes WHERE $3 <> ''""",
    """
INSERT INTO receipt_outcomes (position, id, completed, reason, iso_code, decided_ns, "window")
SELECT 10 * n + 2, """
    + _ID
    + """, true, '', '', 1767225600000000000 + n, $3
FROM generate_series($1::bigint + 1, $2, 2) AS n""",
)
_TRANSFERS: LiteralString = (
    """
INSERT INTO transfer (position, id, debit_account_id, credit_account_id, pending_id, user_data_128, debits_pending,
    debits_posted, credits_pending, credits_posted, timestamp, ledger, user_data_32, timeout, code, flags, amount, user_data_64)
SELECT 10 * n + 3, ids.id, CASE n % 2 WHEN 0 THEN zero ELSE $3::uuid END, CASE n % 2 WHEN 0 THEN $3::uuid ELSE zero END,
    ids.id, ids.id, zero, zero, zero, zero, n, 156, 0, 0, 10 + n % 2, 4, 100 + n % 1000, 0
FROM generate_series($1::bigint, $2) AS n
CROSS JOIN LATERAL (SELECT """
    + _ID
    + """ AS id) AS ids
CROSS JOIN (SELECT '00000000000000000000000000000000'::uuid AS zero) AS zeroes"""
)
_FILE: LiteralString = (
    """
SELECT $3::text AS "window", 'PAYMENT' AS kind, CASE n % 2 WHEN 0 THEN 'jing' ELSE 'wei' END AS originator,
    replace("""
    + _ID
    + """::text, '-', '') AS id, '' AS original_id, CASE n % 2 WHEN 0 THEN 'jing' ELSE 'wei' END AS debtor_agent,
    CASE n % 2 WHEN 0 THEN 'wei' ELSE 'jing' END AS creditor_agent, 'CNY' AS currency, 100 + n % 1000 AS amount,
    100 + n % 1000 AS settlement, 0 AS interchange, 0 AS switch_fee, CASE n % 2 WHEN 0 THEN 'DEBIT' ELSE 'CREDIT' END
    AS direction, 100 + n % 1000 + (n = 17)::int AS cleared, 1767225600000 + n AS decided_at_ms
FROM generate_series($1::bigint, $2 + 1) AS n WHERE n <> 18"""
)


class _FromDisk:
    """The clearing file, as if it had come over the network."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def fetch(self, window: str) -> AsyncIterator[bytes]:
        assert window == WINDOW
        with self._path.open("rb") as file:
            while piece := file.read(65_536):
                yield piece


async def measure(scratch: Scratch, figures: Figures, *, lines: int, progress: Callable[[str], None]) -> None:
    """Seconds for a window of so many lines, from the beginning to the cases written down."""
    database = Database(scratch.address, schema_of(_NODE.node))
    await migrate(database, all_migrations(kinds_of(_NODE)))
    chart = Chart(_NODE.node)
    progress(f"reconciliation: writing a window of {lines:,} lines")
    connection = await database.connect(statement_s=0)
    try:
        for sql in _PAST:
            await connection.execute(sql, 0, lines - 1, WINDOW)
        await connection.execute(_TRANSFERS, 0, lines - 1, chart.clearing)
        await connection.execute("ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
    pool, cleared = WorkerPool(), scratch.directory / "clearing.csv"
    found: list[ReconciliationService] = []

    async def build(machine: Machine, _stack: object) -> Idle:
        with cleared.open("wb") as file:
            async for piece in csv_of(machine.pool, _FILE, 0, lines - 1, WINDOW):
                file.write(piece)
        chart.open(machine.ledger)
        machine.journal.seal()
        found.append(reconciling(machine, chart, _FromDisk(cleared), pool, DEMO_NETWORK.switch.node))
        return Idle()

    host = NodeHost(_NODE.node, database, kinds_of(_NODE), build)
    await host.start()
    try:
        progress("reconciliation: comparing")
        started_at = time.perf_counter()
        run = await found[0].reconcile(WINDOW)
        figures.note("reconcile_1m_s" if lines == LINES else "reconcile_s", time.perf_counter() - started_at)
        assert (run.lines_here, run.lines_there, run.matched, run.differing) == (lines, lines, lines - 2, 3), run
    finally:
        await host.stop()
        pool.close()
        await database.drop()
