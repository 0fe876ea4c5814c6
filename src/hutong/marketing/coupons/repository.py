"""What is kept of coupons: every table once, and the newest versions in memory."""

from hutong.marketing.coupons.code import CodeBatch
from hutong.marketing.coupons.coupon import Claim, Coupon
from hutong.marketing.coupons.template import CouponTemplate
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.runtime.tables import Table

TEMPLATES = Table("coupon_templates", CouponTemplate)
BATCHES = Table("coupon_code_batches", CodeBatch)
CLAIMS = Table("coupon_claims", Claim)
COUPONS = Table("coupons", Coupon)


class CouponRepository:
    """Templates and batches of codes whole, claims and coupons as they are asked for, which may raise `Cold`."""

    def __init__(self, node: NodeRuntime) -> None:
        self._store = node.store
        journal, store = node.journal, node.store
        self.templates = Shelf(TEMPLATES, journal, store)
        self.batches = Shelf(BATCHES, journal, store, by=("template_id",))
        self.claims = Shelf(CLAIMS, journal, store, by=("person_id", "device_id", "code_id"), timed=True)
        self.coupons = Shelf(COUPONS, journal, store, by=("person_id",), timed=True)

    async def start(self) -> None:
        await self.templates.load_all()
        await self.batches.load_all()
        await self.claims.start()
        await self.coupons.start()

    async def newest_claim(self, template_id: int) -> Claim | None:
        """The last claim of a template: its numbers are the template's counts."""
        found = await self._store.page(CLAIMS, "template_id", template_id, limit=1, newest_first=True)
        return found[0][1] if found else None

    async def claims_page(self, template_id: int, *, before: int | None, limit: int) -> list[Claim]:
        """The claims of a template, newest first; those made before another."""
        position = None
        if before is not None:
            position = (await self._store.find(CLAIMS, "id", [before]))[0][0]
        found = await self._store.page(
            CLAIMS, "template_id", template_id, before=position, limit=limit, newest_first=True
        )
        return [claim for _, claim in found]
