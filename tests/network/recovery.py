"""
How soon a node that was killed under load pays again, with millions of past transfers behind it.

    python -m tests.network.recovery --past 5000000 --times 5

The past is the benchmark's (hutong.bench.growth), in jing's tables alone, on a disk that is one. The clock runs from `kill -9`; the
node is started again at once. Both firsts are told: any payment of jing's, and one between jing and wei.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from hutong.app.up import schema_of
from hutong.app.wiring import kinds_of
from hutong.bench.growth import write_past
from hutong.runtime.address import Address
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate
from tests.network.load import Load
from tests.network.town import NETWORK, Town, town_of

_ACCOUNTS = 100_000
_UNDER_LOAD_S = 2
_PATIENCE_S = 120
_OLD = "jing"


def _past(address: Address, transfers: int) -> None:
    async def write() -> None:
        database = Database(address, schema_of(_OLD))
        await migrate(database, all_migrations(kinds_of(NETWORK.node(_OLD))))
        await write_past(database, _ACCOUNTS, transfers, lambda said: print(said, flush=True))  # noqa: T201

    asyncio.run(write())


async def _measure(town: Town, seed: int) -> tuple[float, float, float]:
    """Seconds from the kill until it is ready, until it pays, and until a payment has crossed."""
    load = Load(town.payers, town.tills, seed)
    load.start()
    await asyncio.sleep(_UNDER_LOAD_S)
    node = town.nodes[_OLD]
    killed_at = time.monotonic()
    node.kill()
    node.start()
    before = {entry.id for entry in load.log if entry.final}
    ready = asyncio.create_task(asyncio.to_thread(node.until_ready))
    ready_s = paid_s = crossed_s = 0.0
    while not (ready_s and paid_s and crossed_s) and time.monotonic() - killed_at < _PATIENCE_S:
        await asyncio.sleep(0.01)
        now_s = time.monotonic() - killed_at
        ready_s = ready_s or (now_s if ready.done() else 0)
        new = [e for e in load.log if e.node == _OLD and e.id not in before and e.final == "COMPLETED"]
        paid_s = paid_s or (now_s if new else 0)
        crossed_s = crossed_s or (now_s if any(entry.crosses for entry in new) else 0)
    await ready
    await load.stop()
    await load.settle()
    assert load.wrong == []
    return ready_s, paid_s, crossed_s


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--past", type=int, default=5_000_000)
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="hutong-recovery-", dir="/tmp"))
    directory.chmod(0o711)
    with town_of(directory / "town", before=lambda address: _past(address, asked.past)) as town:
        for number in range(asked.times):
            ready_s, paid_s, crossed_s = asyncio.run(_measure(town, number))
            print(f"ready {ready_s:.2f} s, paid {paid_s:.2f} s, crossed {crossed_s:.2f} s after the kill", flush=True)  # noqa: T201
    directory.rmdir()
    return 0


if __name__ == "__main__":
    sys.exit(main())
