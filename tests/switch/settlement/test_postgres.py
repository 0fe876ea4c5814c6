"""Windows on a real PostgreSQL, closed while payments go on."""

import asyncio
import csv
from collections import Counter

from hutong.runtime.database import Database
from hutong.switch.settlement.clearing_repository import (
    FLOWS,
    POSTINGS,
    SUMMING,
    PgClearingRepository,
    ScannedClearingRepository,
)
from tests.switch.settlement.stage import NODES, Stage, stage

CLOSINGS = 12


async def close_under_load(living: Stage) -> None:
    stop = asyncio.Event()
    load = asyncio.create_task(living.load(24, stop))
    for _ in range(CLOSINGS):
        paid = len(living.completed)
        while len(living.completed) < paid + 50:
            await asyncio.sleep(0.002)
        window = living.switch.windows.windows()[-1].window
        living.switch.windows.close(window)
        living.machine.journal.seal()
    stop.set()
    await load
    living.switch.windows.close(living.switch.windows.windows()[-1].window)
    await living.machine.journal.flushed()


async def read(pieces: object) -> list[dict[str, str]]:
    found = [piece async for piece in pieces]  # type: ignore[attr-defined]
    assert {type(piece) for piece in found} == {bytes}  # Else the server breaks the answer off.
    text = b"".join(found)
    assert text.endswith(b"\n")
    return list(csv.DictReader(text.decode().splitlines()))


def test_windows_that_close_under_load_hold_every_payment_once(database: Database) -> None:
    async def scenario() -> None:
        async with stage(database) as living:
            await close_under_load(living)
            pool = living.machine.pool
            counted = Counter(living.completed.values())
            rows = await pool.fetch("""SELECT "window", count(*) FROM decision WHERE status = 'ACSC' GROUP BY 1""")
            assert {row[0]: row[1] for row in rows} == counted
            assert len(counted) >= CLOSINGS
            scanned = ScannedClearingRepository(living.machine.node.store)
            by_sql = PgClearingRepository(pool)
            seen: Counter[str] = Counter()
            for window in living.switch.windows.windows()[:-1]:
                for node in NODES:
                    lines = await read(by_sql.clearing_file(window, node))
                    assert lines == await read(scanned.clearing_file(window, node))
                    assert {line["window"] for line in lines} <= {window.window}
                    seen.update(line["id"] for line in lines)
            assert seen.keys() == living.completed.keys()
            assert set(seen.values()) == {2}

    asyncio.run(scenario())


def test_what_is_owed_is_summed_without_looking_each_row_up_whatever_statistics_say(database: Database) -> None:
    """Of a window that was filled since the last ANALYZE they say that it has a row or two: and a million look-ups follow."""

    async def scenario() -> None:
        async with stage(database) as living:
            await close_under_load(living)
            async with living.machine.pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute(SUMMING)
                for query in (FLOWS, POSTINGS):
                    plan = await connection.fetch(f"EXPLAIN {query}", "2030-01-01/1", 0, 1 << 40)
                    assert not [line[0] for line in plan if "Nested Loop" in line[0]]

    asyncio.run(scenario())
