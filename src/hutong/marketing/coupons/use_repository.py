"""How many of a template's coupons were claimed by each batch of codes, and paid with: counted over the rows when somebody asks."""

from typing import Any, LiteralString, Protocol

import asyncpg

from hutong.marketing.coupons.code import Use
from hutong.marketing.coupons.coupon import CouponState
from hutong.marketing.coupons.repository import CLAIMS, COUPONS
from hutong.runtime.database import unavailable_when_gone
from hutong.runtime.tables import Store


class CouponUses(Protocol):
    """Where the counts come from."""

    async def of_template(self, template_id: int) -> dict[int, Use]:
        """By batch; those claimed without a code under 0. It costs by the template's claims."""
        ...

    async def of_batch(self, batch_id: int) -> Use:
        """Of one batch's codes. It costs by the batch's claims."""
        ...


_USES: LiteralString = """
SELECT c.batch_id, count(*), count(*) FILTER (WHERE now.state = 'REDEEMED')
FROM coupon_claims AS c CROSS JOIN LATERAL (
    SELECT state FROM coupons WHERE id = c.id ORDER BY position DESC LIMIT 1
) AS now WHERE c.template_id = $1 GROUP BY 1
"""
_USE: LiteralString = """
SELECT count(*), count(*) FILTER (WHERE now.state = 'REDEEMED')
FROM coupon_claims AS c CROSS JOIN LATERAL (
    SELECT state FROM coupons WHERE id = c.id ORDER BY position DESC LIMIT 1
) AS now WHERE c.batch_id = $1
"""
_TIMEOUT: LiteralString = "SET LOCAL statement_timeout = '60s'"


class PgCouponUses:
    """The rows in PostgreSQL."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def of_template(self, template_id: int) -> dict[int, Use]:
        found = await self._fetch(_USES, template_id)
        return {int(batch_id or 0): Use(claimed, used) for batch_id, claimed, used in found}

    async def of_batch(self, batch_id: int) -> Use:
        (row,) = await self._fetch(_USE, batch_id)
        return Use(*row)

    async def _fetch(self, query: LiteralString, id_: int) -> list[Any]:
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute(_TIMEOUT)
                found: list[Any] = await connection.fetch(query, id_)
                return found


class ScannedCouponUses:
    """The rows of any store, one by one: for tests and simulations."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_template(self, template_id: int) -> dict[int, Use]:
        newest = {coupon.id: coupon for _, coupon in await self._store.scan(COUPONS)}
        found: dict[int, Use] = {}
        for _, claim in await self._store.scan(CLAIMS):
            if claim.template_id == template_id:
                claimed, used = found.get(claim.batch_id or 0, Use())
                is_used = newest[claim.id].state == CouponState.REDEEMED
                found[claim.batch_id or 0] = Use(claimed + 1, used + is_used)
        return found

    async def of_batch(self, batch_id: int) -> Use:
        claims = [claim for _, claim in await self._store.find(CLAIMS, "batch_id", [batch_id])]
        versions = await self._store.find(COUPONS, "id", [claim.id for claim in claims])
        newest = {coupon.id: coupon for _, coupon in versions}
        return Use(len(claims), sum(newest[claim.id].state == CouponState.REDEEMED for claim in claims))
