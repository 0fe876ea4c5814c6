"""Bills read off the durable rows, on connections of their own: a million lines leave as they come, and none is kept."""

from collections.abc import AsyncIterator
from typing import Any, LiteralString

import asyncpg

from hutong.institution.bills.bill import BillDay, Days
from hutong.institution.bills.figures import Figures, HourFigures
from hutong.institution.payments.payment import Why
from hutong.kernel.ids import id_text
from hutong.runtime.database import unavailable_when_gone
from hutong.runtime.export import csv_of

assert (Why.RECEIPT, Why.PAYMENT_ON_US, Why.REFUND_HELD, Why.REFUND_ON_US) == (11, 12, 20, 22), "the queries name them"

# Posted: neither pending (2) nor the voiding of it (8). $1 is the account, [$2, $3) the day.
_MOVED: LiteralString = """
WITH moved AS (
    SELECT timestamp, code, get_byte(uuid_send(id), 15) & 63 AS leg, user_data_128 AS about, amount AS change
    FROM transfer WHERE credit_account_id = $1 AND timestamp >= $2 AND timestamp < $3 AND flags & 10 = 0
    UNION ALL
    SELECT timestamp, code, get_byte(uuid_send(id), 15) & 63, user_data_128, -amount
    FROM transfer WHERE debit_account_id = $1 AND timestamp >= $2 AND timestamp < $3 AND flags & 10 = 0
)"""
_TRADES: LiteralString = (
    _MOVED
    + """, trade AS (
    SELECT code, about, min(timestamp) AS at, sum(change) AS net
    FROM moved WHERE code IN (11, 12, 20, 22) GROUP BY code, about
), told AS (
    SELECT t.*, coalesce(r.id, p.id, f.payment_id) AS payment_id, coalesce(r.request_id, p.request_id) AS request_id,
        coalesce(r.is_static, p.is_static, true) AS is_static, f.refund_id, f.id IS NOT NULL AS is_refund,
        coalesce(r.shop_id, p.shop_id, f.shop_id) AS shop_id, coalesce(r.channel, p.channel, '') AS channel,
        coalesce(r.debtor_name, p.debtor_name, '') AS payer, coalesce(r.remark, p.remark, f.remark, '') AS remark,
        coalesce(r.gross, p.gross, f.gross) AS gross, coalesce(r.payee_discount, p.payee_discount, f.payee_discount) AS discount,
        coalesce(r.fee, p.fee, f.fee) AS fee
    FROM trade AS t
    LEFT JOIN receipts AS r ON t.code = 11 AND r.id = t.about
    LEFT JOIN payments AS p ON t.code = 12 AND p.id = t.about
    LEFT JOIN refunds AS f ON t.code IN (20, 22) AND f.id = t.about
)"""
)
# What somebody else wrote begins no formula in a spreadsheet.
_TRADE_BILL: LiteralString = (
    _TRADES
    + """
SELECT payment_id, refund_id, CASE WHEN shop_id <> '00000000000000000000000000000000' THEN shop_id END AS shop_id,
    to_char(to_timestamp(at / 1000000000) AT TIME ZONE $4, 'YYYY-MM-DD HH24:MI:SS') AS at,
    CASE WHEN is_refund THEN 'REFUND' ELSE 'PAYMENT' END AS kind,
    (SELECT regexp_replace(q.reference, '^([=+@-])', '''\\1') FROM payment_requests AS q
        WHERE NOT t.is_static AND q.id = t.request_id LIMIT 1) AS reference,
    channel, $5::text AS currency, gross, discount AS sponsored, fee, net,
    regexp_replace(payer, '^([=+@-])', '''\\1') AS payer, regexp_replace(remark, '^([=+@-])', '''\\1') AS remark
FROM told AS t ORDER BY at, about"""
)
_FUND_BILL: LiteralString = (
    _MOVED
    + """
SELECT CASE WHEN m.code IN (11, 12) THEN m.about ELSE f.payment_id END AS payment_id, f.refund_id,
    to_char(to_timestamp(m.timestamp / 1000000000) AT TIME ZONE $4, 'YYYY-MM-DD HH24:MI:SS') AS at,
    CASE
        WHEN m.leg = 3 AND m.code IN (11, 12, 20, 22) THEN 'FEE' WHEN m.leg IN (1, 2) AND m.code IN (11, 12) THEN 'DISCOUNT'
        WHEN m.code IN (11, 12) THEN 'PAYMENT' WHEN m.code IN (20, 22) THEN 'REFUND' WHEN m.code IN (40, 41) THEN 'DISPUTED'
        WHEN m.code = 10 THEN 'WITHDRAWAL' WHEN m.code IN (30, 31) THEN 'PAID_OUT' ELSE 'OTHER' END AS kind,
    $5::text AS currency, greatest(m.change, 0) AS "in", greatest(-m.change, 0) AS "out",
    $6::bigint + sum(m.change) OVER (ORDER BY m.timestamp ROWS UNBOUNDED PRECEDING) AS balance
FROM moved AS m LEFT JOIN refunds AS f ON m.code IN (20, 22) AND f.id = m.about ORDER BY m.timestamp"""
)
_TOTALS: LiteralString = (
    _TRADES
    + """
SELECT
    count(*) FILTER (WHERE NOT is_refund) AS payments, coalesce(sum(gross) FILTER (WHERE NOT is_refund), 0)::bigint AS gross,
    coalesce(sum(fee) FILTER (WHERE NOT is_refund), 0)::bigint AS fees,
    count(*) FILTER (WHERE is_refund) AS refunds, coalesce(sum(gross) FILTER (WHERE is_refund), 0)::bigint AS refunded,
    coalesce(sum(fee) FILTER (WHERE is_refund), 0)::bigint AS fees_back,
    coalesce(sum(net), 0)::bigint AS net, coalesce(bool_and(net = (gross - fee) * CASE WHEN is_refund THEN -1 ELSE 1 END), true)
    AS told_as_moved, (SELECT count(*) FROM moved) AS lines, (SELECT coalesce(sum(change), 0)::bigint FROM moved) AS change
FROM told"""
)
_HOURS: LiteralString = (
    _TRADES
    + """
SELECT (to_timestamp(at / 1000000000) AT TIME ZONE $4)::date AS day,
    extract(hour FROM to_timestamp(at / 1000000000) AT TIME ZONE $4)::int AS hour, shop_id,
    count(*) FILTER (WHERE NOT is_refund) AS payments, coalesce(sum(gross) FILTER (WHERE NOT is_refund), 0)::bigint AS gross,
    coalesce(sum(fee) FILTER (WHERE NOT is_refund), 0)::bigint AS fees,
    count(*) FILTER (WHERE is_refund) AS refunds, coalesce(sum(gross) FILTER (WHERE is_refund), 0)::bigint AS refunded,
    coalesce(sum(fee) FILTER (WHERE is_refund), 0)::bigint AS fees_back, sum(net)::bigint AS net, 0::bigint AS other
FROM told GROUP BY 1, 2, 3
UNION ALL
SELECT (to_timestamp(timestamp / 1000000000) AT TIME ZONE $4)::date,
    extract(hour FROM to_timestamp(timestamp / 1000000000) AT TIME ZONE $4)::int,
    '00000000000000000000000000000000', 0, 0, 0, 0, 0, 0, 0, sum(change)::bigint
FROM moved WHERE code NOT IN (11, 12, 20, 22) GROUP BY 1, 2"""
)


class PgBills:
    """The rows in PostgreSQL."""

    def __init__(self, pool: "asyncpg.Pool[Any]", zone: str, currency: str) -> None:
        self._pool = pool
        self._zone = zone
        self._currency = currency

    def trades(self, account: int, day: BillDay) -> AsyncIterator[bytes]:
        """The trade bill: CSV, a line for each payment and refund."""
        found = csv_of(self._pool, _TRADE_BILL, account, day.from_ns, day.until_ns, self._zone, self._currency)
        return _with_ids(found, ("pay", "rfd", "shp"))

    def funds(self, account: int, day: BillDay, opening: int) -> AsyncIterator[bytes]:
        """The fund-flow bill: CSV, a line for each movement with the balance behind it."""
        found = csv_of(self._pool, _FUND_BILL, account, day.from_ns, day.until_ns, self._zone, self._currency, opening)
        return _with_ids(found, ("pay", "rfd"))

    async def totals(self, account: int, day: BillDay) -> asyncpg.Record:
        """The sums of both."""
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute("SET LOCAL statement_timeout = 0")
                return await connection.fetchrow(_TOTALS, account, day.from_ns, day.until_ns)

    async def hours(self, account: int, days: Days) -> list[HourFigures]:
        """The sums of each hour and shop."""
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute("SET LOCAL statement_timeout = 0")
                return [
                    HourFigures(
                        day=row["day"],
                        hour=row["hour"],
                        shop_id=row["shop_id"],
                        figures=Figures(**{field: row[field] for field in Figures.__struct_fields__}),
                    )
                    for row in await connection.fetch(_HOURS, account, days.from_ns, days.until_ns, self._zone)
                ]


async def _with_ids(pieces: AsyncIterator[bytes], prefixes: tuple[str, ...]) -> AsyncIterator[bytes]:
    """Ids as people see them everywhere else, in the first columns, which hold nothing but ids: no quotes, no commas."""
    rest, head = b"", True
    async for piece in pieces:
        lines = (rest + piece).split(b"\n")
        rest = lines.pop()
        if head and lines:
            head = False
            yield lines.pop(0) + b"\n"
        if lines:
            yield b"".join([_line(line, prefixes) for line in lines])
    assert not rest, "a CSV ends with a line feed"


def _line(line: bytes, prefixes: tuple[str, ...]) -> bytes:
    *ids, told = line.split(b",", len(prefixes))
    named = (
        id_text(prefix, int(id_.replace(b"-", b""), 16)).encode() if id_ else b""
        for prefix, id_ in zip(prefixes, ids, strict=True)
    )
    return b"%b,%b\n" % (b",".join(named), told)
