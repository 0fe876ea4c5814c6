"""What budgets have given, summed over the rows: read at every start, before anything is decided."""

from typing import Any, LiteralString, NamedTuple, Protocol

import asyncpg

from hutong.marketing.campaigns.award import ALL_AWARDS
from hutong.runtime.database import unavailable_when_gone
from hutong.runtime.tables import Store


class Total(NamedTuple):
    """What one campaign has given on one day at one place, and how often."""

    campaign_id: int
    day: int
    place: str
    change: int
    times: int


class AwardTotals(Protocol):
    """Where the sums come from."""

    async def totals(self) -> list[Total]:
        """All of them."""
        ...


_TOTALS: LiteralString = """
SELECT campaign_id, day, place, sum(change)::bigint, sum(times)::bigint FROM all_awards GROUP BY 1, 2, 3
"""


class PgAwardTotals:
    """The rows in PostgreSQL."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def totals(self) -> list[Total]:
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute("SET LOCAL statement_timeout = 0")
                return [Total(*record) for record in await connection.fetch(_TOTALS)]


class ScannedAwardTotals:
    """The rows of any store, one by one: for tests and simulations."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def totals(self) -> list[Total]:
        sums: dict[tuple[int, int, str], tuple[int, int]] = {}
        for _, row in await self._store.scan(ALL_AWARDS):
            change, times = sums.get((row.campaign_id, row.day, row.place), (0, 0))
            sums[row.campaign_id, row.day, row.place] = change + row.change, times + row.times
        return [Total(*key, *value) for key, value in sums.items()]
