"""What units did and merchants took, read off the durable rows on connections of their own: nothing of it is on a payment's path."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, LiteralString, NamedTuple, Protocol

import asyncpg
import msgspec

from hutong.institution.payments.payment import PAYMENT_OUTCOMES, PAYMENTS, claimant
from hutong.institution.payments.receipt import RECEIPT_OUTCOMES, RECEIPTS
from hutong.institution.payments.refund import REFUND_OUTCOMES, REFUNDS, RETURN_OUTCOMES, RETURNS
from hutong.kernel.clock import NS_PER_HOUR
from hutong.kernel.ids import derive
from hutong.marketing.campaigns.award import ALL_AWARDS, EXPOSURES, Award, AwardState
from hutong.marketing.campaigns.campaign import Campaign, Side
from hutong.marketing.effects.unit import Refused, Takings, Unit
from hutong.marketing.invitations.referral import REFERRALS, ReferralState
from hutong.marketing.invitations.signals import Signal
from hutong.runtime.database import unavailable_when_gone
from hutong.runtime.tables import Store

_AT_ONCE = 5_000
_UNPAID = frozenset({ReferralState.REFUSED.value, ReferralState.APPEALED.value})
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

    async def refused(self, campaign_id: int) -> list[Refused]:
        """The rewards of inviters that are refused, as things stand."""
        ...

    async def takings(self, merchant_id: int) -> list[Takings]:
        """What a merchant took with each campaign that helped it."""
        ...


def _refused(reason: str, held: int, evidence: str) -> Refused:
    return Refused(reason, held, tuple(signal.name for signal in msgspec.json.decode(evidence, type=list[Signal])))


class Sold(NamedTuple):
    """A payment that a merchant got."""

    payment_id: int
    debtor_agent: str
    gross: int
    refunded: int


# `kept` of a payment p is what its merchant did not give back, here or elsewhere.
_PEOPLE: LiteralString = """
WITH met AS (
    SELECT DISTINCT ON (unit_id) unit_id, arm, at_ns FROM campaign_exposures WHERE campaign_id = $1
    ORDER BY unit_id, position
), paid AS (
    SELECT p.id, p.user_id, p.created_ns, p.gross, p.gross
        - (SELECT coalesce(sum(f.gross), 0) FROM refunds AS f WHERE f.payment_id = p.id
            AND EXISTS (SELECT FROM refund_outcomes AS e WHERE e.id = f.id AND e.completed))
        - (SELECT coalesce(sum(f.gross), 0) FROM returns AS f WHERE f.payment_id = p.id
            AND EXISTS (SELECT FROM return_outcomes AS e WHERE e.id = f.id AND e.completed)) AS kept,
        row_number() OVER (PARTITION BY p.user_id ORDER BY p.created_ns, p.position) AS nth
    FROM payments AS p
    WHERE p.user_id IN (SELECT unit_id FROM met) AND p.created_ns < $2
        AND EXISTS (SELECT FROM payment_outcomes AS o WHERE o.id = p.id AND o.completed)
)
SELECT m.arm, count(*) FILTER (WHERE p.created_ns >= m.at_ns AND p.kept > 0) AS payments,
    coalesce(sum(p.kept) FILTER (WHERE p.created_ns >= m.at_ns), 0)::bigint AS amount,
    count(*) FILTER (WHERE p.created_ns >= m.at_ns) AS gross_payments,
    coalesce(sum(p.gross) FILTER (WHERE p.created_ns >= m.at_ns), 0)::bigint AS gross_amount,
    coalesce(bool_or(p.nth = 1 AND p.kept > 0 AND EXISTS (
        SELECT FROM (
            SELECT DISTINCT ON (a.id) a.state FROM all_awards AS a WHERE a.payment_id = p.id AND a.campaign_id = $1
            ORDER BY a.id, a.position DESC
        ) AS given WHERE given.state <> 'RELEASED'
    )), false) AS is_new
FROM met AS m LEFT JOIN paid AS p ON p.user_id = m.unit_id GROUP BY m.unit_id, m.arm
"""
_HOURS_MET: LiteralString = "SELECT unit_id, arm FROM campaign_exposures WHERE campaign_id = $1"
# $1 is a merchant, or zero for all: what was sold on us and to payers elsewhere.
_HOURS_TAKEN: LiteralString = """
SELECT merchant_id, shop_id, created_ns / 3600000000000 AS hour, count(*) FILTER (WHERE kept > 0) AS payments,
    sum(kept)::bigint AS amount, count(*) AS gross_payments, sum(gross)::bigint AS gross_amount
FROM (
    SELECT merchant_id, shop_id, created_ns, gross,
        gross - (SELECT coalesce(sum(f.gross), 0) FROM refunds AS f WHERE f.payment_id = p.id
            AND EXISTS (SELECT FROM refund_outcomes AS e WHERE e.id = f.id AND e.completed)) AS kept
    FROM payments AS p
    WHERE payee_account <> '00000000000000000000000000000000'
        AND EXISTS (SELECT FROM payment_outcomes AS o WHERE o.id = p.id AND o.completed)
        AND created_ns >= $2 AND created_ns < $3
    UNION ALL
    SELECT merchant_id, shop_id, created_ns, gross,
        gross - (SELECT coalesce(sum(f.gross), 0) FROM refunds AS f WHERE f.payment_id = p.id
            AND EXISTS (SELECT FROM refund_outcomes AS e WHERE e.id = f.id AND e.completed)) AS kept
    FROM receipts AS p
    WHERE EXISTS (SELECT FROM receipt_outcomes AS o WHERE o.id = p.id AND o.completed)
        AND created_ns >= $2 AND created_ns < $3
) AS taken
WHERE merchant_id <> '00000000000000000000000000000000'
    AND ($1::uuid = '00000000000000000000000000000000' OR merchant_id = $1)
GROUP BY 1, 2, 3
"""
_REFUSED: LiteralString = """
SELECT reason, held, evidence FROM (
    SELECT DISTINCT ON (id) state, reason, held, evidence FROM referrals WHERE campaign_id = $1 ORDER BY id, position DESC
) AS newest WHERE state = ANY($2::text[])
"""
# What a merchant sold with anybody's help: on us (to a payer who may have been helped, too), and to payers elsewhere.
_HELPED: LiteralString = """
SELECT id, '' AS debtor_agent, gross,
    (SELECT coalesce(sum(f.gross), 0) FROM refunds AS f WHERE f.payment_id = p.id
        AND EXISTS (SELECT FROM refund_outcomes AS e WHERE e.id = f.id AND e.completed)) AS refunded
FROM payments AS p WHERE merchant_id = $1 AND (adjuster <> '' OR sponsor <> '')
UNION ALL
SELECT id, debtor_agent, gross,
    (SELECT coalesce(sum(f.gross), 0) FROM refunds AS f WHERE f.payment_id = p.id
        AND EXISTS (SELECT FROM refund_outcomes AS e WHERE e.id = f.id AND e.completed)) AS refunded
FROM receipts AS p WHERE merchant_id = $1 AND sponsor <> ''
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

    async def refused(self, campaign_id: int) -> list[Refused]:
        return [_refused(*row) for row in await self._fetch(_REFUSED, campaign_id, sorted(_UNPAID))]

    async def takings(self, merchant_id: int) -> list[Takings]:
        found = await self._fetch(_HELPED, merchant_id)
        sold = _by_name(
            Sold(row["id"], row["debtor_agent"] or self._node_id, row["gross"], int(row["refunded"])) for row in found
        )
        names = list(sold)
        awards = [
            Given(*row)
            for first in range(0, len(names), _AT_ONCE)
            for row in await self._fetch(_AWARDED, names[first : first + _AT_ONCE])
        ]
        return _takings(awards, sold)

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
        found = {unit: [0, 0, 0, 0] for unit in met}
        first: dict[int, Any] = {}
        refunded, helped = await self._refunded(), await self._helped(campaign.id)
        for payment in await self._completed(PAYMENTS, PAYMENT_OUTCOMES):  # In the order they were made.
            if payment.user_id in met and payment.created_ns < until_ns:
                first.setdefault(payment.user_id, payment)
                if payment.created_ns >= met[payment.user_id][1]:
                    _count(found[payment.user_id], payment.gross, refunded[payment.id])
        new = {unit for unit, payment in first.items() if payment.id in helped and refunded[payment.id] < payment.gross}
        return [_unit(met[unit][0], counts, is_new=unit in new) for unit, counts in found.items()]

    async def refused(self, campaign_id: int) -> list[Refused]:
        newest = {row.id: row for _, row in await self._store.scan(REFERRALS) if row.campaign_id == campaign_id}
        return [_refused(row.reason, row.held, row.evidence) for row in newest.values() if row.state in _UNPAID]

    async def takings(self, merchant_id: int) -> list[Takings]:
        refunded = await self._refunded()
        sold = _by_name(
            Sold(row.id, getattr(row, "debtor_agent", self._node_id), row.gross, refunded[row.id])
            for row in await self._sold()
            if row.merchant_id == merchant_id
        )
        awards = [
            Given(row.campaign_id, row.payment_id, row.amount, row.returned, row.state)
            for row in await self._awards()
            if row.payment_id in sold
        ]
        return _takings(awards, sold)

    async def _taken(self, campaign: Campaign, until_ns: int) -> list[tuple[int, ...]]:
        sums: dict[tuple[int, int, int], list[int]] = {}
        refunded = await self._refunded()
        for row in await self._sold():
            if campaign.created_ns <= row.created_ns < until_ns and campaign.merchant_id in (0, row.merchant_id):
                key = row.merchant_id, row.shop_id, row.created_ns // NS_PER_HOUR
                _count(sums.setdefault(key, [0, 0, 0, 0]), row.gross, refunded[row.id])
        return [(*key, *value) for key, value in sums.items()]

    async def _refunded(self) -> Counter[int]:
        """What was given back of each payment, here or elsewhere."""
        found: Counter[int] = Counter()
        for table, outcomes in ((REFUNDS, REFUND_OUTCOMES), (RETURNS, RETURN_OUTCOMES)):
            for row in await self._completed(table, outcomes):
                found[row.payment_id] += row.gross
        return found

    async def _helped(self, campaign_id: int) -> set[int]:
        """The payments that were made with an award of a campaign."""
        return {
            row.payment_id
            for row in await self._awards()
            if row.campaign_id == campaign_id and row.state != AwardState.RELEASED
        }

    async def _awards(self) -> list[Award]:
        outcomes = {row.id: row for _, row in await self._store.scan(PAYMENT_OUTCOMES)}
        newest = {row.id: row for _, row in await self._store.scan(ALL_AWARDS)}
        return [row.standing(outcomes.get(row.payment_id)) for row in newest.values()]

    async def _sold(self) -> list[Any]:
        paid = await self._completed(PAYMENTS, PAYMENT_OUTCOMES)
        received = await self._completed(RECEIPTS, RECEIPT_OUTCOMES)
        return [row for row in (*(row for row in paid if row.payee_account), *received) if row.merchant_id]

    async def _completed(self, table: Any, outcomes: Any) -> list[Any]:
        done = {row.id for _, row in await self._store.scan(outcomes) if row.completed}
        return [row for _, row in await self._store.scan(table) if row.id in done]


def _count(counts: list[int], gross: int, refunded: int) -> None:
    """One more payment: payments and amount less refunds, and both before them."""
    for at, value in enumerate((refunded < gross, gross - refunded, 1, gross)):
        counts[at] += value


def _unit(arm: str, counts: list[int], *, is_new: bool) -> Unit:
    payments, amount, gross_payments, gross_amount = counts
    return Unit(arm, payments, amount, gross_payments, gross_amount, is_new)


def _by_name(sold: Iterable[Sold]) -> dict[int, Sold]:
    """What was sold, by either name that an award may know the payment by: the payer's side's, and the payee's."""
    found: dict[int, Sold] = {}
    for each in sold:
        found[each.payment_id] = found[claimant(each.debtor_agent, each.payment_id)] = each
    return found


def _takings(awards: Iterable[Given], sold: dict[int, Sold]) -> list[Takings]:
    of: dict[int, list[Given]] = defaultdict(list)
    for award in awards:
        if award.state == AwardState.COMMITTED:
            of[award.campaign_id].append(award)
    return [
        Takings(
            campaign_id,
            len(payments),
            sum(sold[each].gross for each in payments),
            sum(sold[each].refunded for each in payments),
            sum(each.amount for each in given),
            sum(each.returned for each in given),
        )
        for campaign_id, given in of.items()
        for payments in [{each.payment_id for each in given}]
    ]


def _hours(arms: dict[int, str], taken: list[tuple[int, ...]]) -> list[Unit]:
    """Hours of shops that met the campaign, with what was taken in each; nothing was in those when nobody paid in the end."""
    sums = {hour_unit(merchant_id, shop_id, hour): counts for merchant_id, shop_id, hour, *counts in taken}
    return [_unit(arm, sums.get(unit, [0, 0, 0, 0]), is_new=False) for unit, arm in arms.items()]


def hour_unit(merchant_id: int, shop_id: int, hour: int) -> int:
    """As `Sponsorships` names an hour of a shop."""
    return derive(shop_id or merchant_id, f"hour/{hour}")
