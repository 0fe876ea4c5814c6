"""What is kept of coupons: every table once, and the newest versions in memory."""

import asyncio

from hutong.marketing.coupons.code import CodeBatch, CodeHandout
from hutong.marketing.coupons.coupon import Claim, Coupon
from hutong.marketing.coupons.template import CouponTemplate
from hutong.marketing.coupons.till_code import TillCode
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Cold, Shelf
from hutong.runtime.tables import Table

TEMPLATES = Table("coupon_templates", CouponTemplate)
BATCHES = Table("coupon_code_batches", CodeBatch)
HANDOUTS = Table("coupon_code_handouts", CodeHandout)
CLAIMS = Table("coupon_claims", Claim)
COUPONS = Table("coupons", Coupon)
TILL_CODES = Table("coupon_till_codes", TillCode)


class CouponRepository:
    """Templates and batches of codes whole, claims and coupons as they are asked for, which may raise `Cold`."""

    def __init__(self, node: NodeRuntime) -> None:
        self._store = node.store
        journal, store = node.journal, node.store
        self.templates = Shelf(TEMPLATES, journal, store)
        self.batches = Shelf(BATCHES, journal, store, by=("template_id",))
        self.handouts = Shelf(HANDOUTS, journal, store)
        self.claims = Shelf(CLAIMS, journal, store, by=("person_id", "device_id", "code_id"), timed=True)
        self._together = {column: _Together(node, self.claims, column) for column in ("person_id", "device_id")}
        self.coupons = Shelf(COUPONS, journal, store, by=("person_id",), timed=True)
        self.till_codes = Shelf(TILL_CODES, journal, store, by=("template_id", "letters_key", "coupon_id"))

    async def start(self) -> None:
        await self.templates.load_all()
        await self.batches.load_all()
        await self.handouts.load_all()
        await self.claims.start()
        await self.coupons.start()

    def claims_of(self, person_id: int, device_id: int) -> tuple[list[Claim], list[Claim]]:
        """What a person claimed, and what came to a device (0: none). One look for both, and for all who ask meanwhile."""
        asked = {"person_id": person_id} | ({"device_id": device_id} if device_id else {})
        missing = [(column, value) for column, value in asked.items() if not self.claims.knows(column, value)]
        if missing:
            raise Cold(lambda: self._load(missing))
        found = [self.claims.find(column, value) for column, value in asked.items()]
        return found[0], found[1] if device_id else []

    async def _load(self, missing: list[tuple[str, int]]) -> None:
        for column, value in missing:
            await self._together[column].load(value)

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


class _Together:
    """
    Look-ups of one column, many in one question: when an offer is published, thousands who were never here ask at once.

    One question is under way at a time; whoever comes meanwhile is in the next.
    """

    def __init__(self, node: NodeRuntime, claims: Shelf[Claim], column: str) -> None:
        self._node = node
        self._claims = claims
        self._column = column
        self._asking = False
        self._next: list[tuple[int, asyncio.Future[None]]] = []

    async def load(self, value: int) -> None:
        if self._asking:
            answered = self._node.journal.promise()
            self._next.append((value, answered))
            await answered
            return
        self._asking = True
        try:
            await self._claims.load_by(self._column, [value])
        finally:
            self._asking = bool(self._next)
            if self._next:
                self._node.spawn(self._go_on())

    async def _go_on(self) -> None:
        while self._next:
            asked, self._next = self._next, []
            try:
                await self._claims.load_by(self._column, {value for value, _ in asked})
            except Exception as error:  # noqa: BLE001  # Whoever asked raises it.
                for _, answered in asked:
                    if not answered.done():
                        answered.set_exception(error)
            else:
                for _, answered in asked:
                    if not answered.done():
                        answered.set_result(None)
        self._asking = False
