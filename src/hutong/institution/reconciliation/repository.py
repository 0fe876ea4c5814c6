"""Our own side of a window, read off the durable rows on connections of their own: nothing here is in a payment's way."""

from collections.abc import AsyncIterator, Collection
from typing import Any, LiteralString, Protocol

import asyncpg

from hutong.institution.chart import Chart
from hutong.institution.payments.payment import Why
from hutong.institution.reconciliation.difference import Line, Standing
from hutong.runtime.database import unavailable_when_gone
from hutong.runtime.export import csv_of


class OwnBooks(Protocol):
    """What the institution's books say of a window. CSV with a header, in pieces; columns as `comparison.compare` reads them."""

    def lines(self, window: str) -> AsyncIterator[bytes]:
        """Every payment and return across nodes that completed in the window, once."""
        ...

    def moves(self, window: str) -> AsyncIterator[bytes]:
        """What every posted transfer since the window began debits the clearing account with."""
        ...

    async def standings(self, lines: Collection[Line], window: str) -> dict[Line, Standing]:
        """How lines that are missing stand in our books otherwise."""
        ...

    async def waiting(self) -> dict[str, int]:
        """How many cases of each window are not closed."""
        ...


# A line's key is the transfers' `code` and `user_data_128`: ids are unique within each of the four kinds of movement. What
# a case put right is a line, too (perhaps told twice), or none any more.
_LINES: LiteralString = """
WITH own AS (
    SELECT 'PAYMENT' AS kind, $1::text AS originator, id, 'DEBIT' AS direction, 10 AS code
    FROM payment_outcomes WHERE "window" = $2 AND completed
    UNION ALL
    SELECT 'PAYMENT', r.debtor_agent, o.id, 'CREDIT', 11
    FROM receipt_outcomes AS o JOIN receipts AS r ON r.id = o.id WHERE o."window" = $2 AND o.completed
    UNION ALL
    SELECT 'RETURN', $1, o.id, 'DEBIT', 20
    FROM refund_outcomes AS o WHERE o."window" = $2 AND o.completed
    UNION ALL
    SELECT 'RETURN', r.creditor_agent, o.id, 'CREDIT', 21
    FROM return_outcomes AS o JOIN returns AS r ON r.id = o.id WHERE o."window" = $2 AND o.completed
), corrected AS (
    SELECT line_kind AS kind, originator, line_id AS id, direction, there,
        CASE line_kind || direction WHEN 'PAYMENTDEBIT' THEN 10 WHEN 'PAYMENTCREDIT' THEN 11
            WHEN 'RETURNDEBIT' THEN 20 ELSE 21 END AS code
    FROM (
        SELECT DISTINCT ON (c.id) c.* FROM difference_case AS c WHERE c."window" = $2 ORDER BY c.id, c.position DESC
    ) AS newest
    WHERE suspense <> 0
)
SELECT kind, originator, id, direction, $3::text AS currency, code FROM own AS o
WHERE NOT EXISTS (SELECT FROM corrected AS c WHERE c.there IS NULL AND c.id = o.id AND c.code = o.code)
UNION ALL
SELECT kind, originator, id, direction, $3, code FROM corrected WHERE there IS NOT NULL"""

# Posted: neither pending (2) nor the voiding of it (8). A correction says in `user_data_32` what it corrects.
_MOVES: LiteralString = """
SELECT
    CASE code WHEN 50 THEN user_data_32 ELSE code END AS code, user_data_128 AS id,
    CASE debit_account_id WHEN $1 THEN amount ELSE -amount END AS debit
FROM transfer
WHERE position > $2 AND flags & 10 = 0 AND (debit_account_id = $1 OR credit_account_id = $1)"""

_FIRST: LiteralString = """
SELECT min(position) FROM (
    SELECT min(position) AS position FROM payment_outcomes WHERE "window" = $1
    UNION ALL SELECT min(position) FROM receipt_outcomes WHERE "window" = $1
    UNION ALL SELECT min(position) FROM refund_outcomes WHERE "window" = $1
    UNION ALL SELECT min(position) FROM return_outcomes WHERE "window" = $1
    UNION ALL SELECT min(position) FROM difference_case WHERE "window" = $1
) AS firsts"""

_WAITING: LiteralString = """
SELECT "window", count(*) FROM (
    SELECT DISTINCT ON (id) "window", state FROM difference_case ORDER BY id, position DESC
) AS newest WHERE state IN ('OPEN', 'CORRECTED', 'SETTLING') GROUP BY "window" ORDER BY "window" DESC"""

# A transfer's post is appended in the same decision as its outcome, or later; this is how much is looked at before it.
_BEFORE_ROWS = 10_000

_STANDING: dict[tuple[str, str], LiteralString] = {
    ("PAYMENT", "DEBIT"): """
        SELECT p.id, o.completed, o."window" FROM payments AS p LEFT JOIN payment_outcomes AS o ON o.id = p.id
        WHERE p.id = ANY($1::uuid[])""",
    ("PAYMENT", "CREDIT"): """
        SELECT coalesce(r.id, o.id) AS id, o.completed, o."window"
        FROM receipts AS r FULL JOIN receipt_outcomes AS o ON o.id = r.id WHERE coalesce(r.id, o.id) = ANY($1::uuid[])""",
    ("RETURN", "DEBIT"): """
        SELECT r.id, o.completed, o."window" FROM refunds AS r LEFT JOIN refund_outcomes AS o ON o.id = r.id
        WHERE r.id = ANY($1::uuid[])""",
    ("RETURN", "CREDIT"): """
        SELECT coalesce(r.id, o.id) AS id, o.completed, o."window"
        FROM returns AS r FULL JOIN return_outcomes AS o ON o.id = r.id WHERE coalesce(r.id, o.id) = ANY($1::uuid[])""",
}


class PgOwnBooks:
    """The rows in PostgreSQL."""

    def __init__(self, pool: "asyncpg.Pool[Any]", chart: Chart) -> None:
        self._pool = pool
        self._chart = chart

    def lines(self, window: str) -> AsyncIterator[bytes]:
        return csv_of(self._pool, _LINES, self._chart.node_id, window, self._chart.currency.alpha)

    async def moves(self, window: str) -> AsyncIterator[bytes]:
        with unavailable_when_gone():
            first = await self._pool.fetchval(_FIRST, window)
        # Nothing of ours is in the window: then no move is asked for either.
        after = 2**62 if first is None else max(0, first - _BEFORE_ROWS)
        async for piece in csv_of(self._pool, _MOVES, self._chart.clearing, after):
            yield piece

    async def standings(self, lines: Collection[Line], window: str) -> dict[Line, Standing]:
        found: dict[Line, Standing] = {}
        for (kind, direction), query in _STANDING.items():
            asked = {int(line.id, 16): line for line in lines if (line.kind, line.direction) == (kind, direction)}
            if not asked:
                continue
            with unavailable_when_gone():
                rows = await self._pool.fetch(query, list(asked))
            for row in rows:
                found[asked[row["id"]]] = _standing(row, window)
        return {line: found.get(line, Standing.UNKNOWN) for line in lines}

    async def waiting(self) -> dict[str, int]:
        with unavailable_when_gone():
            return {row["window"]: row["count"] for row in await self._pool.fetch(_WAITING)}


def _standing(row: asyncpg.Record, window: str) -> Standing:
    if row["completed"] is None:
        return Standing.PENDING
    if not row["completed"]:
        return Standing.REJECTED
    return Standing.COMPLETED if row["window"] == window else Standing.OTHER_WINDOW


_NAMED = (Why.PAYMENT_HELD, Why.RECEIPT, Why.REFUND_HELD, Why.RETURN, Why.CORRECTION)
assert _NAMED == (10, 11, 20, 21, 50), "the queries name them"
