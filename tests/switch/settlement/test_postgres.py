"""Windows on a real PostgreSQL, closed while payments go on."""

import asyncio
import csv
from collections import Counter

from hutong.runtime.database import Database
from hutong.switch.settlement.clearing_repository import PgClearingRepository, ScannedClearingRepository
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
