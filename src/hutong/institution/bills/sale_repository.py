"""Sales read off the durable rows, on connections of their own: found by the account's transfers, which are indexed."""

from collections.abc import AsyncIterator
from typing import Any, LiteralString

import asyncpg

from hutong.institution.bills.sale import REFUNDED, Sale, SaleSearch
from hutong.institution.payments.payment import PaymentState, Why
from hutong.runtime.database import unavailable_when_gone

assert (Why.RECEIPT, Why.PAYMENT_ON_US, REFUNDED) == (11, 12, "REFUNDED"), "the queries name them"

_BATCH = 500
_SEARCH_TIMEOUT = "SET LOCAL statement_timeout = '20s'"
# Each sale is the principal leg (0) that credits the account: held (across nodes), or posted at once (on us); neither the
# posting (4) nor the voiding (8) of one. $1 is the account, [$2, $3) the time.
_SALES: LiteralString = """
SELECT s.timestamp AS asked_ns, s.user_data_128 AS payment_id, coalesce(o.decided_ns, 0) AS decided_ns,
    CASE WHEN o.completed IS NULL THEN 'PENDING' WHEN o.completed THEN 'COMPLETED' ELSE 'REJECTED' END AS state,
    coalesce(o.reason, '') AS reason, told.*, back.refunded,
    coalesce((SELECT q.reference FROM payment_requests AS q WHERE NOT told.is_static AND q.id = told.request_id LIMIT 1), '')
    AS reference
FROM transfer AS s
CROSS JOIN LATERAL (
    SELECT r.shop_id, r.channel, r.debtor_name AS payer_name, r.debtor_agent, r.remark, r.gross,
        r.payee_discount AS discount, r.fee, r.request_id, r.is_static
    FROM receipts AS r WHERE s.code = 11 AND r.id = s.user_data_128
    UNION ALL
    SELECT p.shop_id, p.channel, p.debtor_name, '', p.remark, p.gross, p.payee_discount, p.fee, p.request_id, p.is_static
    FROM payments AS p WHERE s.code = 12 AND p.id = s.user_data_128
    LIMIT 1
) AS told
LEFT JOIN LATERAL (
    SELECT * FROM (
        SELECT position, completed, reason, decided_ns FROM receipt_outcomes WHERE s.code = 11 AND id = s.user_data_128
        UNION ALL
        SELECT position, completed, reason, decided_ns FROM payment_outcomes WHERE s.code = 12 AND id = s.user_data_128
    ) AS ended ORDER BY position LIMIT 1
) AS o ON true
CROSS JOIN LATERAL (
    SELECT coalesce(sum(f.gross), 0)::bigint AS refunded FROM refunds AS f WHERE f.payment_id = s.user_data_128
    AND (SELECT e.completed FROM refund_outcomes AS e WHERE e.id = f.id ORDER BY e.position LIMIT 1)
) AS back
WHERE s.credit_account_id = $1 AND s.timestamp >= $2 AND s.timestamp < $3 AND s.code IN (11, 12) AND s.flags & 12 = 0
    AND get_byte(uuid_send(s.id), 15) & 63 = 0
    AND ($4::uuid = '00000000000000000000000000000000' OR told.shop_id = $4)
    AND told.gross >= $5 AND ($6::bigint = 0 OR told.gross <= $6)
    AND ($7 = '' OR $7 = CASE WHEN o.completed IS NULL THEN 'PENDING' WHEN o.completed THEN 'COMPLETED' ELSE 'REJECTED' END
        OR ($7 = 'REFUNDED' AND back.refunded > 0))
    AND ($8 = '' OR told.payer_name ILIKE $8 OR told.remark ILIKE $8 OR EXISTS (SELECT FROM payment_requests AS q
        WHERE NOT told.is_static AND q.id = told.request_id AND q.reference ILIKE $8))
"""
_NEWEST: LiteralString = _SALES + "ORDER BY s.timestamp DESC LIMIT $9"
_ALL: LiteralString = _SALES + "ORDER BY s.timestamp"


class PgSales:
    """The rows in PostgreSQL."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def newest(self, account: int, search: SaleSearch, limit: int) -> list[Sale]:
        """The newest of those looked for."""
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute(_SEARCH_TIMEOUT)
                return [_sale(row) for row in await connection.fetch(_NEWEST, *_asked(account, search), limit)]

    async def all(self, account: int, search: SaleSearch) -> AsyncIterator[list[Sale]]:
        """All of those looked for, oldest first, in batches: however many there are, few are in memory."""
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute("SET LOCAL statement_timeout = 0")
                found = await connection.cursor(_ALL, *_asked(account, search))
                while batch := await found.fetch(_BATCH):
                    yield [_sale(row) for row in batch]


def _asked(account: int, search: SaleSearch) -> tuple[Any, ...]:
    until_ns = min(search.days.until_ns, search.before_ns or search.days.until_ns)
    return (
        account,
        search.days.from_ns,
        until_ns,
        search.shop_id,
        search.amount_min,
        search.amount_max,
        search.state,
        search.pattern,
    )


def _sale(row: asyncpg.Record) -> Sale:
    told = {field: row[field] for field in Sale.__struct_fields__ if field != "state"}
    return Sale(state=PaymentState(row["state"]), **told)
