"""What units did and merchants took, read off the durable rows on connections of their own: nothing of it is on a payment's path."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, LiteralString, NamedTuple, Protocol

import asyncpg

from hutong.institution.payments.payment import PAYMENT_OUTCOMES, PAYMENTS, claimant
from hutong.institution.payments.receipt import RECEIPT_OUTCOMES, RECEIPTS
from hutong.kernel.clock import NS_PER_HOUR
from hutong.kernel.ids import derive
from hutong.marketing.campaigns.award import ALL_AWARDS, AWARDS, EXPOSURES, Award, AwardKind, AwardState
from hutong.marketing.campaigns.campaign import Campaign, Side
from hutong.marketing.effects.unit import Refused, Takings, Unit
from hutong.runtime.database import unavailable_when_gone
from hutong.runtime.tables import Store

_AT_ONCE = 5_000
_TIMEOUT = "SET LOCAL statement_timeout = '60s'"


class Given(NamedTuple):
    """An award to a payment, as far as a merchant's figures look at it."""

    campaign_id: int
    payment_id: int
    amount: int
    returned: int
    state: str


class EffectRows(Protocol):
    """Where the facts come from."""

    async def units(self, campaign: Campaign, until_ns: int) -> list[Unit]:
        """All who met a campaign, and what they did until then."""
        ...

    async def refused(self, campaign_id: int) -> Refused:
        """Rewards that were not paid."""
        ...

    async def takings(self, merchant_id: int) -> list[Takings]:
        """What a merchant took with each campaign that helped it."""
        ...


_PEOPLE: LiteralString = """
WITH met AS (
    SELECT DISTINCT ON (unit_id) unit_id, arm, at_ns FROM campaign_exposures WHERE campaign_id = $1
    ORDER BY unit_id, position
), paid AS (
    SELECT p.user_id, p.created_ns, p.gross FROM payments AS p
    WHERE p.user_id IN (SELECT unit_id FROM met) AND p.created_ns < $2
        AND EXISTS (SELECT FROM payment_outcomes AS o WHERE o.id = p.id AND o.completed)
)
SELECT m.arm, count(*) FILTER (WHERE p.created_ns >= m.at_ns) AS payments,
    coalesce(sum(p.gross) FILTER (WHERE p.created_ns >= m.at_ns), 0)::bigint AS amount,
    count(*) FILTER (WHERE p.created_ns < m.at_ns) AS before
FROM met AS m LEFT JOIN paid AS p ON p.user_id = m.unit_id GROUP BY m.unit_id, m.arm
"""
_HOURS_MET: LiteralString = "SELECT unit_id, arm FROM campaign_exposures WHERE campaign_id = $1"
# $1 is a merchant, or zero for all: what was sold on us and to payers elsewhere.
_HOURS_TAKEN: LiteralString = """
SELECT merchant_id, shop_id, created_ns / 3600000000000 AS hour, count(*) AS payments, sum(gross)::bigint AS amount FROM (
    SELECT merchant_id, shop_id, created_ns, gross FROM payments AS p
    WHERE payee_account <> '00000000000000000000000000000000'
        AND EXISTS (SELECT FROM payment_outcomes AS o WHERE o.id = p.id AND o.completed)
    UNION ALL
    SELECT merchant_id, shop_id, created_ns, gross FROM receipts AS r
    WHERE EXISTS (SELECT FROM receipt_outcomes AS o WHERE o.id = r.id AND o.completed)
) AS taken
WHERE merchant_id <> '00000000000000000000000000000000' AND created_ns >= $2 AND created_ns < $3
    AND ($1::uuid = '00000000000000000000000000000000' OR merchant_id = $1)
GROUP BY 1, 2, 3
"""
_REFUSED: LiteralString = """
SELECT count(*) AS times, coalesce(sum(amount), 0)::bigint AS amount FROM awards
WHERE campaign_id = $1 AND kind = 'REWARD' AND state = 'RELEASED' AND times = -1
"""
# What a merchant sold with anybody's help: on us (to a payer who may have been helped, too), and to payers elsewhere.
_HELPED: LiteralString = """
SELECT id, '' AS debtor_agent, gross FROM payments WHERE merchant_id = $1 AND (adjuster <> '' OR sponsor <> '')
UNION ALL
SELECT id, debtor_agent, gross FROM receipts WHERE merchant_id = $1 AND sponsor <> ''
"""
_AWARDED: LiteralString = """
SELECT DISTINCT ON (id) campaign_id, payment_id, amount, returned,
    CASE WHEN state = 'RESERVED' AND EXISTS (
        SELECT FROM payment_outcomes AS o WHERE o.id = a.payment_id AND o.completed
    ) THEN 'COMMITTED' ELSE state END AS state
FROM all_awards AS a WHERE payment_id = ANY($1::uuid[]) ORDER BY id, position DESC
"""


class PgEffectRows:
    """The rows in PostgreSQL."""

    def __init__(self, pool: "asyncpg.Pool[Any]", node_id: str) -> None:
        self._pool = pool
        self._node_id = node_id

    async def units(self, campaign: Campaign, until_ns: int) -> list[Unit]:
        if campaign.side == Side.PAYER:
            return [Unit(*row) for row in await self._fetch(_PEOPLE, campaign.id, until_ns)]
        arms = {row["unit_id"]: row["arm"] for row in await self._fetch(_HOURS_MET, campaign.id)}
        taken = await self._fetch(_HOURS_TAKEN, campaign.merchant_id, campaign.created_ns, until_ns)
        return _hours(arms, [tuple(row) for row in taken])

    async def refused(self, campaign_id: int) -> Refused:
        (row,) = await self._fetch(_REFUSED, campaign_id)
        return Refused(*row)

    async def takings(self, merchant_id: int) -> list[Takings]:
        sold = await self._fetch(_HELPED, merchant_id)
        gross = _by_name((row["id"], row["debtor_agent"] or self._node_id, row["gross"]) for row in sold)
        names = list(gross)
        awards = [
            Given(*row)
            for first in range(0, len(names), _AT_ONCE)
            for row in await self._fetch(_AWARDED, names[first : first + _AT_ONCE])
        ]
        return _takings(awards, gross)

    async def _fetch(self, query: LiteralString, *of: Any) -> list[Any]:
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute(_TIMEOUT)
                found: list[Any] = await connection.fetch(query, *of)
                return found


class ScannedEffectRows:
    """The rows of any store, one by one: for tests and simulations."""

    def __init__(self, store: Store, node_id: str) -> None:
        self._store = store
        self._node_id = node_id

    async def units(self, campaign: Campaign, until_ns: int) -> list[Unit]:
        met: dict[int, tuple[str, int]] = {}
        for _, row in await self._store.scan(EXPOSURES):
            if row.campaign_id == campaign.id:
                met.setdefault(row.unit_id, (row.arm, row.at_ns))
        if campaign.side == Side.PAYEE:
            return _hours({unit: arm for unit, (arm, _) in met.items()}, await self._taken(campaign, until_ns))
        found = {unit: [0, 0, 0] for unit in met}
        for payment in await self._completed(PAYMENTS, PAYMENT_OUTCOMES):
            if payment.user_id in met and payment.created_ns < until_ns:
                counts = found[payment.user_id]
                if payment.created_ns >= met[payment.user_id][1]:
                    counts[0] += 1
                    counts[1] += payment.gross
                else:
                    counts[2] += 1
        return [Unit(met[unit][0], *counts) for unit, counts in found.items()]

    async def refused(self, campaign_id: int) -> Refused:
        rows = [row for _, row in await self._store.scan(AWARDS) if row.campaign_id == campaign_id]
        kept = [
            row for row in rows if row.kind == AwardKind.REWARD and row.state == AwardState.RELEASED and row.times == -1
        ]
        return Refused(len(kept), sum(row.amount for row in kept))

    async def takings(self, merchant_id: int) -> list[Takings]:
        sold = [row for row in await self._sold() if row.merchant_id == merchant_id]
        gross = _by_name((row.id, getattr(row, "debtor_agent", self._node_id), row.gross) for row in sold)
        outcomes = {row.id: row for _, row in await self._store.scan(PAYMENT_OUTCOMES)}
        found = [row.standing(outcomes.get(row.payment_id)) for _, row in await self._store.scan(ALL_AWARDS)]
        newest: dict[int, Award] = {row.id: row for row in found}
        awards = [
            Given(row.campaign_id, row.payment_id, row.amount, row.returned, row.state)
            for row in newest.values()
            if row.payment_id in gross
        ]
        return _takings(awards, gross)

    async def _taken(self, campaign: Campaign, until_ns: int) -> list[tuple[int, ...]]:
        sums: dict[tuple[int, int, int], tuple[int, int]] = {}
        for row in await self._sold():
            if campaign.created_ns <= row.created_ns < until_ns and campaign.merchant_id in (0, row.merchant_id):
                key = row.merchant_id, row.shop_id, row.created_ns // NS_PER_HOUR
                payments, amount = sums.get(key, (0, 0))
                sums[key] = payments + 1, amount + row.gross
        return [(*key, *value) for key, value in sums.items()]

    async def _sold(self) -> list[Any]:
        paid = await self._completed(PAYMENTS, PAYMENT_OUTCOMES)
        received = await self._completed(RECEIPTS, RECEIPT_OUTCOMES)
        return [row for row in (*(row for row in paid if row.payee_account), *received) if row.merchant_id]

    async def _completed(self, table: Any, outcomes: Any) -> list[Any]:
        done = {row.id for _, row in await self._store.scan(outcomes) if row.completed}
        return [row for _, row in await self._store.scan(table) if row.id in done]


def _by_name(sold: Iterable[tuple[int, str, int]]) -> dict[int, int]:
    """Amounts sold, by either name that an award may know the payment by: the payer's side's, and the payee's."""
    found: dict[int, int] = {}
    for payment_id, debtor_agent, gross in sold:
        found[payment_id] = found[claimant(debtor_agent, payment_id)] = gross
    return found


def _takings(awards: Iterable[Given], gross: dict[int, int]) -> list[Takings]:
    of: dict[int, list[Given]] = defaultdict(list)
    for award in awards:
        if award.state == AwardState.COMMITTED:
            of[award.campaign_id].append(award)
    return [
        Takings(
            campaign_id,
            len(payments),
            sum(gross[each] for each in payments),
            sum(each.amount for each in given),
            sum(each.returned for each in given),
        )
        for campaign_id, given in of.items()
        for payments in [{each.payment_id for each in given}]
    ]


def _hours(arms: dict[int, str], taken: list[tuple[int, ...]]) -> list[Unit]:
    """Hours of shops that met the campaign, with what was taken in each; nothing was in those when nobody paid in the end."""
    sums = {
        hour_unit(merchant_id, shop_id, hour): (payments, amount)
        for merchant_id, shop_id, hour, payments, amount in taken
    }
    return [Unit(arm, *sums.get(unit, (0, 0)), 0) for unit, arm in arms.items()]


def hour_unit(merchant_id: int, shop_id: int, hour: int) -> int:
    """As `Sponsorships` names an hour of a shop."""
    return derive(shop_id or merchant_id, f"hour/{hour}")
