"""All merchants as a list, off the durable rows: for operators, who ask seldom."""

from typing import Any, LiteralString

import asyncpg

from hutong.runtime.database import unavailable_when_gone

# Each merchant stands where its first version does, whatever became of it. Looking through them costs what there are of them.
_PAGE: LiteralString = """
SELECT f.position, f.id FROM merchants AS f
WHERE f.created_ns = f.changed_ns AND f.position < $1
    AND ($2 = '' OR strpos(lower(f.name || ' ' || f.legal_name || ' ' || f.latin_name || ' ' || f.reference), lower($2)) > 0)
    AND ($3 = '' OR $3 = (SELECT m.status FROM merchants AS m WHERE m.id = f.id ORDER BY m.position DESC LIMIT 1))
ORDER BY f.position DESC LIMIT $4"""


class PgMerchantRegister:
    """The rows in PostgreSQL."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def page(self, words: str, status: str, *, before: int, limit: int) -> list[tuple[int, int]]:
        """Places and ids of merchants before a place, the newest first, whose names or reference hold the words."""
        with unavailable_when_gone():
            return [tuple(row) for row in await self._pool.fetch(_PAGE, before, words, status, limit)]
