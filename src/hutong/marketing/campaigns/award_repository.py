"""What budgets have given, summed over the rows: read at every start, before anything is decided."""

from collections.abc import Set as AbstractSet
from typing import Any, LiteralString, NamedTuple, Protocol

import asyncpg
import msgspec

from hutong.institution.payments.payment import PAYMENTS
from hutong.institution.payments.receipt import RECEIPTS
from hutong.marketing.campaigns.award import ALL_AWARDS, MERCHANT_SAID, AwardKind
from hutong.runtime.database import unavailable_when_gone
from hutong.runtime.tables import Store


class Total(NamedTuple):
    """What one campaign has given on one day at one place, and how often."""

    campaign_id: int
    day: int
    place: str
    change: int
    times: int


class GivenAt(NamedTuple):
    """What one campaign gave in payments to one shop, or merchant, on one day; refunds aside."""

    merchant_id: int  # 0, and no shop: none of ours.
    shop_id: int
    agent: str  # The institution that is paid.
    said: str  # JSON: what it says of its merchant, where that counted; empty: nobody noted it.
    change: int


class AwardTotals(Protocol):
    """Where the sums come from."""

    async def totals(self) -> list[Total]:
        """All of them."""
        ...

    async def given_on(self, campaign_id: int, day: int, but: AbstractSet[int]) -> list[GivenAt]:
        """What a campaign gave on a day by other versions of its terms than these. Durable rows only."""
        ...


_TOTALS: LiteralString = """
SELECT campaign_id, day, place, sum(change)::bigint, sum(times)::bigint FROM all_awards GROUP BY 1, 2, 3
"""
# The last position behind which all that was given on the day before, or later, was written: found by halves, for there may be years
# of rows, and payments wait. A clock that was put back by less than a day hides nothing.
_SINCE: LiteralString = """
WITH RECURSIVE halves (low, high) AS (
    SELECT -1::bigint, coalesce(max(position), -1) + 1 FROM {rows}
    UNION ALL
    SELECT CASE WHEN is_since THEN low ELSE middle END, CASE WHEN is_since THEN middle ELSE high END
    FROM halves, LATERAL (SELECT (low + high) / 2 AS middle) AS halved, LATERAL (
        SELECT coalesce((SELECT {day} >= $1 - 1 FROM {rows} WHERE {is_given} AND position >= middle ORDER BY position LIMIT 1), true)
            AS is_since
    ) AS looked
    WHERE high - low > 1
)
SELECT max(low) FROM halves
"""
_PAYMENTS_SINCE = _SINCE.format(rows="payments", day="award_day", is_given="campaign_id IS NOT NULL")
_AWARDS_SINCE = _SINCE.format(rows="awards", day="day", is_given="times = 1")
# A payment is named by its payer's institution: what we give at merchants of ours says that name as its source. It was written in the
# decision that wrote its award.
_GIVEN: LiteralString = """
SELECT merchant_id, shop_id, agent, said, sum(change)::bigint FROM (
    SELECT merchant_id, shop_id, creditor_agent AS agent, '' AS said, payer_discount AS change
    FROM payments
    WHERE campaign_id = $1 AND award_day = $2 AND award_version <> ALL($3::integer[]) AND position > $4
    UNION ALL
    SELECT coalesce(p.merchant_id, r.merchant_id), coalesce(p.shop_id, r.shop_id), coalesce(p.creditor_agent, ''), coalesce(said, ''), change
    FROM (
        SELECT CASE WHEN source = 'campaign' AND source_id <> '00000000-0000-0000-0000-000000000000' THEN source_id ELSE payment_id END
            AS id, change, CASE WHEN facts <> '' THEN convert_from(facts, 'UTF8')::jsonb ->> 'merchant_said' END AS said
        FROM awards
        WHERE campaign_id = $1 AND day = $2 AND times = 1 AND kind = 'DISCOUNT' AND version <> ALL($3::integer[]) AND position > $5
    ) AS given
    LEFT JOIN payments AS p ON p.id = given.id AND p.position > $5
    LEFT JOIN receipts AS r ON r.id = given.id AND r.position > $5
) AS each
GROUP BY 1, 2, 3, 4
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

    async def given_on(self, campaign_id: int, day: int, but: AbstractSet[int]) -> list[GivenAt]:
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute("SET LOCAL statement_timeout = 0")
                since = [await connection.fetchval(query, day) for query in (_PAYMENTS_SINCE, _AWARDS_SINCE)]
                found = await connection.fetch(_GIVEN, campaign_id, day, sorted(but), *since)
                return [GivenAt(merchant or 0, shop or 0, *rest) for merchant, shop, *rest in found]


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

    async def given_on(self, campaign_id: int, day: int, but: AbstractSet[int]) -> list[GivenAt]:
        payments = {row.id: row for _, row in await self._store.scan(PAYMENTS)}
        receipts = {row.id: row for _, row in await self._store.scan(RECEIPTS)}
        sums: dict[tuple[int, int, str, str], int] = {}
        for _, award in await self._store.scan(ALL_AWARDS):
            if (award.campaign_id, award.day, award.times) != (campaign_id, day, 1) or award.version in but:
                continue
            if award.kind == AwardKind.DISCOUNT:
                payment = payments.get(award.paid_id)
                at = payment or receipts.get(award.paid_id)
                said = award.told.get(MERCHANT_SAID)
                key = (
                    at.merchant_id if at else 0,
                    at.shop_id if at else 0,
                    payment.creditor_agent if payment else "",
                    msgspec.json.encode(said).decode() if said else "",
                )
                sums[key] = sums.get(key, 0) + award.change
        return [GivenAt(*key, change) for key, change in sums.items()]
