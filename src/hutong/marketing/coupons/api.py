"""Coupons over HTTP, for the person who has them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from litestar import Controller, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.institution.door_api import Door, session_guard
from hutong.institution.payments.cashier import Occasion
from hutong.institution.payments.service import PaymentService
from hutong.institution.people.device import Session
from hutong.institution.people.service import PeopleService
from hutong.institution.people.user import User
from hutong.institution.people.views import USER_PREFIX
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.coupons.claim_service import Claimant, ClaimService
from hutong.marketing.coupons.coupon import COUPON_PREFIX, Coupon, CouponState
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.redemption_service import RedemptionService
from hutong.marketing.coupons.template_service import TemplateService
from hutong.marketing.coupons.till_service import TillService
from hutong.marketing.coupons.views import (
    ClaimBody,
    ClaimByCodeBody,
    CouponView,
    GiveBody,
    OfferView,
    ValidateBody,
    WorthView,
    coupon_id_of,
    coupon_view,
    offer_view,
    template_id_of,
)
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided


@dataclass(frozen=True, slots=True)
class CouponEdge:
    """What the handlers and the wallet's pages need."""

    node: NodeRuntime
    people: PeopleService
    payments: PaymentService
    templates: TemplateService
    claims: ClaimService
    redemptions: RedemptionService
    till: TillService
    fitting: Callable[[Occasion], Collection[int]]  # The campaigns whose rules take a payment. May raise `Cold`.

    def view(self, coupon: Coupon, till_code: str = "") -> CouponView:
        return coupon_view(coupon, self.templates.template(coupon.template_id), self.node.clock.now_ns(), till_code)

    async def offers(self, person_id: int) -> list[OfferView]:
        """What this person may claim now."""
        found = await decided(self.node.journal, lambda: self.claims.on_offer(person_id))
        return [offer_view(each, self.templates.stock(each.id).claimed) for each in found]

    async def coupons(self, person_id: int) -> list[CouponView]:
        """All that the person has or had, those that end soonest first."""

        def find() -> list[tuple[Coupon, str]]:
            return [(each, self._till_code(each)) for each in self.redemptions.coupons(person_id)]

        return [self.view(*each) for each in await decided(self.node.journal, find)]

    async def given_away(self, person_id: int) -> list[CouponView]:
        """What the person gave to others, those that end soonest first: as it was then, whatever became of it there."""

        def find() -> list[Coupon]:
            return self.redemptions.given_away(person_id)

        return [self.view(each) for each in await decided(self.node.journal, find)]

    def _till_code(self, coupon: Coupon) -> str:
        if coupon.campaign_id:
            return ""
        code = self.till.of_coupon(coupon.id)
        return "" if code is None else code.letters

    async def claim(self, claim_id: int, template_id: int, who: Claimant) -> CouponView:
        verb = self.claims.claim
        return self.view(await decided(self.node.journal, lambda: verb(claim_id, template_id, who)))

    async def claim_by_code(self, claim_id: int, code: str, who: Claimant) -> CouponView:
        verb = self.claims.claim_by_code
        return self.view(await decided(self.node.journal, lambda: verb(claim_id, code, who)))

    async def give(self, coupon_id: int, giver_id: int, *, phone: str, user_id: str) -> CouponView:
        """Refuses what finding the receiver refuses, and as `ClaimService.give`."""
        people = self.people

        def receiver() -> User:
            return people.user(parse_id(USER_PREFIX, user_id)) if user_id else people.user_on(phone)

        def decide() -> Coupon:
            receiving = receiver()
            receiving.may_receive(self.node.clock.now_ns())
            return self.claims.give(coupon_id, giver_id, receiving.id)

        return self.view(await decided(self.node.journal, decide))

    async def worth(self, person_id: int, body: ValidateBody) -> list[WorthView]:
        """What each of the person's coupons that are not spent would give a payment by itself, or why it would not."""
        terms = await self.payments.consults.terms(body.code)
        amount = body.checked_amount(terms.amount)
        occasion = terms.occasion(self.node.node_id, amount, self.node.clock.now_ns(), payer_id=person_id)

        def decide() -> list[WorthView]:
            unspent = [each for each in self.redemptions.coupons(person_id) if each.state == CouponState.AVAILABLE]
            fitting = self.fitting(occasion)
            return [self._worth(each, occasion, fitting) for each in unspent]

        return await decided(self.node.journal, decide)

    def _worth(self, coupon: Coupon, occasion: Occasion, fitting: Collection[int]) -> WorthView:
        gives, reason, missing = 0, "", 0
        try:
            benefit = self.redemptions.validate(coupon.id, occasion)
            if benefit.campaign_id not in fitting:  # Its campaign's rules say no, or whoever pays sells there.
                raise Refusal(CouponReason.COUPON_NOT_HERE)
            gives = benefit.amount
        except Refusal as refusal:
            reason, missing = refusal.reason.name, int(refusal.facts.get("missing", 0))
        return WorthView(
            coupon_id=id_text(COUPON_PREFIX, coupon.id),
            label=self.templates.template(coupon.template_id).name,
            gives=min(gives, occasion.amount - 1),
            reason=reason,
            missing=missing,
        )


Edge = NamedDependency[SkipValidation[CouponEdge]]
Signed = NamedDependency[SkipValidation[Session]]


class MyCoupons(Controller):
    """The coupons of the user who asks."""

    path = "/v1/me/coupons"
    tags = ("Coupons",)

    @get("/")
    async def mine(self, edge: Edge, session: Signed) -> list[CouponView]:
        """All you have or had, those that end soonest first."""
        return await edge.coupons(session.user_id)

    @get("/offers")
    async def offers(self, edge: Edge, session: Signed) -> list[OfferView]:
        """What you may claim now without a code."""
        return await edge.offers(session.user_id)

    @post("/")
    async def claim(self, edge: Edge, session: Signed, data: JSONBody[ClaimBody]) -> CouponView:
        """Take a coupon. Refuses COUPON_NOT_ON_OFFER, COUPON_NEEDS_CODE, COUPON_LIMIT_REACHED, COUPON_STOCK_EXHAUSTED."""
        claim_id, template_id = coupon_id_of(data.coupon_id), template_id_of(data.template_id)
        return await edge.claim(claim_id, template_id, Claimant(session.user_id, session.device_id))

    @post("/by-code")
    async def claim_by_code(self, edge: Edge, session: Signed, data: JSONBody[ClaimByCodeBody]) -> CouponView:
        """Take the coupon that a code leads to. Refuses COUPON_CODE_WRONG, COUPON_CODE_USED, COUPON_GUESSES_EXHAUSTED."""
        who = Claimant(session.user_id, session.device_id)
        return await edge.claim_by_code(coupon_id_of(data.coupon_id), data.code, who)

    @post("/worth", status_code=200)
    async def worth(self, edge: Edge, session: Signed, data: JSONBody[ValidateBody]) -> list[WorthView]:
        """What each of your coupons would give a payment by itself, or why it would not."""
        return await edge.worth(session.user_id, data)

    @post("/{coupon_id:str}/give", status_code=200)
    async def give(self, edge: Edge, session: Signed, coupon_id: FromPath[str], data: JSONBody[GiveBody]) -> CouponView:
        """Give a coupon to another person of this institution, once. Refuses COUPON_NOT_TRANSFERABLE, COUPON_GIVEN_ALREADY."""
        id_ = coupon_id_of(coupon_id)
        return await edge.give(id_, session.user_id, phone=data.phone, user_id=data.user_id)


def coupon_routes(edge: CouponEdge) -> list[Router]:
    """The handlers for `make_app`."""
    return [Door("session", session_guard(edge.node, edge.people)).router("/", [MyCoupons], edge=edge)]
