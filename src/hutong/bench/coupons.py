"""
Claiming coupons: how many a second, and how long each takes when a thousand people want one of the same template.

The services are real, and so are the journal and the database; each claim is a new person's on a new device, as when an
offer has just been published: nothing of them is in memory, and all is looked up.
"""

import asyncio
import time
from typing import Any
from zoneinfo import ZoneInfo

from hutong.app.host import Machine
from hutong.bench.figures import Figures, percentile
from hutong.bench.scratch import Scratch, scratch_machine
from hutong.marketing.campaigns.calendar import Calendar
from hutong.marketing.coupons.claim_service import Claimant, ClaimService
from hutong.marketing.coupons.service import Coupons
from hutong.marketing.coupons.template import STOCK_MAX, CouponKind, CouponTerms
from hutong.marketing.coupons.template_service import COUPON_CAMPAIGN
from hutong.marketing.coupons.validity import Validity
from hutong.runtime.shelf import decided

CLIENTS = 1_000
_PACE_S = 1.0  # Each client claims once in so long; all together a thousand a second.
_KEY = b"a key for measuring, of no value"
_TERMS = CouponTerms(kind=CouponKind.AMOUNT_OFF, amount_off=500, threshold=2_000, validity=Validity(days=7))


class _Running:
    """The campaign, running; campaigns are measured elsewhere."""

    id, kind, merchant_id, version = 1, COUPON_CAMPAIGN, 0, 1

    def is_running(self, _now_ns: int, /) -> bool:
        return True

    def campaign(self, _campaign_id: int, /) -> "_Running":
        return self

    def is_held_out(self, _campaign_id: int, _person_id: int, /) -> bool:
        return False

    def tell_user(self, user_id: int, type_: str, data: dict[str, Any], /) -> None:
        """Nobody is told of what he claimed himself."""


class _Rush:
    """People who claim."""

    def __init__(self, machine: Machine, claims: ClaimService, template_id: int) -> None:
        self._node = machine.node
        self._claims = claims
        self._template_id = template_id
        self.latencies_s: list[float] = []

    async def claim(self) -> None:
        mint = self._node.mint
        claim_id, who = mint.mint(), Claimant(mint.mint(), mint.mint())
        began = time.perf_counter()
        await decided(self._node.journal, lambda: self._claims.claim(claim_id, self._template_id, who))
        self.latencies_s.append(time.perf_counter() - began)

    async def paced(self, number: int, ends_at: float) -> None:
        """One client: a claim in every second, at a moment of its own."""
        due = time.perf_counter() + number / CLIENTS * _PACE_S
        while due < ends_at:
            await asyncio.sleep(max(0, due - time.perf_counter()))
            await self.claim()
            due += _PACE_S

    async def at_once(self, ends_at: float) -> None:
        """One client that claims again as soon as it has one."""
        while time.perf_counter() < ends_at:
            await self.claim()


async def measure(scratch: Scratch, figures: Figures, *, seconds: float, progress: Any) -> None:
    """A thousand clients that each claim once a second, and as fast as they can."""
    async with scratch_machine(scratch, "coupons", "institution") as machine:
        campaigns, calendar = _Running(), Calendar(ZoneInfo("Asia/Shanghai"))
        coupons = Coupons(machine.node, campaigns, calendar, campaigns, _KEY)
        await coupons.start()
        templates, claims = coupons.templates, coupons.claims
        template_id = machine.node.mint.mint()
        await decided(machine.node.journal, lambda: templates.create(template_id, 1, "早餐满20减5", _TERMS, STOCK_MAX))
        progress(f"coupons: {CLIENTS:,} clients, each claims once a second")
        rush = _Rush(machine, claims, template_id)
        ends_at = time.perf_counter() + seconds
        await asyncio.gather(*(rush.paced(number, ends_at) for number in range(CLIENTS)))
        _note(figures, f"coupon_claim_c{CLIENTS}", rush.latencies_s, seconds)
        progress("coupons: 64 clients, as fast as they can")
        rush = _Rush(machine, claims, template_id)
        ends_at = time.perf_counter() + seconds
        await asyncio.gather(*(rush.at_once(ends_at) for _ in range(64)))
        _note(figures, "coupon_claim_most", rush.latencies_s, seconds)


def _note(figures: Figures, name: str, latencies_s: list[float], seconds: float) -> None:
    latencies_s.sort()
    figures.note(f"{name}_per_s", len(latencies_s) / seconds)
    figures.note(f"{name}_p50_ms", 1000 * percentile(latencies_s, 0.5))
    figures.note(f"{name}_p99_ms", 1000 * percentile(latencies_s, 0.99))
