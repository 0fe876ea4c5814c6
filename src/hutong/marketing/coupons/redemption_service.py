"""Using coupons: what they would give a payment, and what becomes of them with it."""

from collections.abc import Iterable, Sequence

from hutong.institution.payments.cashier import Occasion
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.benefit import Benefit
from hutong.marketing.campaigns.calendar import Calendar
from hutong.marketing.coupons.coupon import Claim, Coupon, CouponState
from hutong.marketing.coupons.ports import Award, Campaign, Campaigns
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.repository import CouponRepository
from hutong.marketing.coupons.template import CouponTemplate, OnRefund
from hutong.marketing.coupons.template_service import TemplateService
from hutong.runtime.node import NodeRuntime

SOURCE = "coupon"


class RedemptionService:
    """
    What makes a coupon worth something: it is one of the sources that a campaign's subsidies ask for benefits.

    `reserved`, `committed`, `released` and `returned` come in the decision that does the same to the payment, and each may
    come again with the same award.
    """

    def __init__(
        self,
        node: NodeRuntime,
        repository: CouponRepository,
        templates: TemplateService,
        campaigns: Campaigns,
        calendar: Calendar,
    ) -> None:
        self._clock = node.clock
        self._all = repository
        self._templates = templates
        self._campaigns = campaigns
        self._calendar = calendar

    # A person's coupons.

    def coupon(self, coupon_id: int, person_id: int) -> Coupon:
        """Refuses COUPON_UNKNOWN, for another's just as for none."""
        coupon = self._all.coupons.get(coupon_id)
        if coupon is None or coupon.person_id != person_id:
            raise Refusal(CouponReason.COUPON_UNKNOWN)
        return coupon

    def known(self, coupon_id: int) -> Coupon | None:
        """Whosever it is. May raise `Cold`."""
        return self._all.coupons.get(coupon_id)

    def name(self, coupon_id: int) -> str:
        """What it is called. Refuses COUPON_UNKNOWN. May raise `Cold`."""
        coupon = self.known(coupon_id)
        if coupon is None:
            raise Refusal(CouponReason.COUPON_UNKNOWN)
        return self._templates.template(coupon.template_id).name

    def coupons(self, person_id: int) -> list[Coupon]:
        """All that a person has or had, those that end soonest first."""
        return sorted(self._all.coupons.find("person_id", person_id), key=lambda coupon: (coupon.until_ns, coupon.id))

    def given_away(self, person_id: int) -> list[Coupon]:
        """
        What a person claimed and gave to somebody, those that end soonest first. May raise `Cold`.

        It is told as it was: what the other does with it is not the giver's to know.
        """
        claims = self._all.claims.find("person_id", person_id)
        found = [self._all.coupons.get(claim.id) for claim in claims]
        given = [coupon for coupon in found if coupon is not None and coupon.given_by == person_id]
        return [coupon.as_given() for coupon in sorted(given, key=lambda coupon: (coupon.until_ns, coupon.id))]

    async def page(self, template_id: int, *, before: int | None, limit: int) -> list[tuple[Claim, Coupon]]:
        """The claims of a template, newest first, each with its coupon as it is now. Refuses COUPON_UNKNOWN to page on."""
        if before is not None:
            await self._all.claims.load([before])
            known = self._all.claims.get(before)
            if known is None or known.template_id != template_id:
                raise Refusal(CouponReason.COUPON_UNKNOWN, field="cursor")
        claims = await self._all.claims_page(template_id, before=before, limit=limit)
        await self._all.coupons.load([claim.id for claim in claims])
        found = [(claim, self._all.coupons.get(claim.id)) for claim in claims]
        return [(claim, coupon) for claim, coupon in found if coupon is not None]

    def validate(self, coupon_id: int, occasion: Occasion) -> Benefit:
        """
        What a coupon would give a payment, if nothing else did. Nothing is set aside.

        Refuses:  COUPON_UNKNOWN; COUPON_SPENT, COUPON_NOT_YET_VALID, COUPON_EXPIRED, COUPON_NOT_AT_THIS_HOUR;
                  COUPON_NOT_ON_OFFER where its campaign is not running; COUPON_NOT_HERE; COUPON_BELOW_THRESHOLD;
                  COUPON_AT_THE_TILL.
        """
        coupon = self.coupon(coupon_id, occasion.payer_id)
        coupon.check_usable(occasion.now_ns)
        template = self._templates.template(coupon.template_id)
        if template.is_for_till:
            raise Refusal(CouponReason.COUPON_AT_THE_TILL)
        campaign = self._campaigns.campaign(coupon.campaign_id)
        if not campaign.is_running(occasion.now_ns):
            raise Refusal(CouponReason.COUPON_NOT_ON_OFFER)
        if not template.told.validity.is_hour(occasion.now_ns, self._calendar.zone):
            raise Refusal(CouponReason.COUPON_NOT_AT_THIS_HOUR)
        if not _is_here(template, occasion):
            raise Refusal(CouponReason.COUPON_NOT_HERE)
        needed = template.told.needed
        if occasion.amount < needed:
            raise Refusal(CouponReason.COUPON_BELOW_THRESHOLD, threshold=needed, missing=needed - occasion.amount)
        return _benefit(coupon, template, campaign, occasion.amount)

    # What merchants do at the till. Their coupons are of no campaign, so that no payment finds them among its benefits.

    def take(self, coupon_id: int) -> Coupon:
        """Refuses COUPON_SPENT, COUPON_NOT_YET_VALID, COUPON_EXPIRED, COUPON_NOT_AT_THIS_HOUR. May raise `Cold`."""
        coupon, now_ns = self._for_till(coupon_id), self._clock.now_ns()
        coupon.check_usable(now_ns)
        validity = self._templates.template(coupon.template_id).told.validity
        if not validity.is_hour(now_ns, self._calendar.zone):
            raise Refusal(CouponReason.COUPON_NOT_AT_THIS_HOUR)
        taken = coupon.taken(now_ns)
        self._all.coupons.put(taken)
        return taken

    def give_back(self, coupon_id: int) -> None:
        """What was taken is the person's again."""
        coupon = self._for_till(coupon_id)
        assert coupon.state == CouponState.REDEEMED
        self._all.coupons.put(coupon.given_back(self._clock.now_ns()))

    def void(self, coupon_id: int) -> None:
        """Nobody can use it any more. Refuses COUPON_EXPIRED."""
        coupon = self.check_unexpired(coupon_id)
        self._all.coupons.put(coupon.ended(self._clock.now_ns()))

    def check_unexpired(self, coupon_id: int) -> Coupon:
        """Refuses COUPON_EXPIRED. May raise `Cold`."""
        coupon, now_ns = self._for_till(coupon_id), self._clock.now_ns()
        coupon.check_usable(max(now_ns, coupon.from_ns))
        return coupon

    def _for_till(self, coupon_id: int) -> Coupon:
        coupon = self._all.coupons.get(coupon_id)
        assert coupon is not None, "a code that was sent names its coupon"
        return coupon

    # The source of benefits.

    def benefits(self, occasion: Occasion, campaigns: Sequence[Campaign]) -> list[Benefit]:
        """What the payer's coupons would give: all that can be used here and now, or those that the payer chose."""
        chosen = occasion.chosen
        if not occasion.payer_id or chosen == () or not campaigns:
            return []
        running = {campaign.id: campaign for campaign in campaigns}
        found: list[Benefit] = []
        for coupon in self._usable(occasion):
            campaign = running.get(coupon.campaign_id)
            if campaign is None or (chosen is not None and coupon.id not in chosen):
                continue
            template = self._templates.template(coupon.template_id)
            if _is_here(template, occasion) and template.told.validity.is_hour(occasion.now_ns, self._calendar.zone):
                found.append(_benefit(coupon, template, campaign, occasion.amount))
        return found

    def look_up(self, award: Award) -> None:
        """May raise `Cold`."""
        self._all.coupons.get(award.source_id)

    def reserved(self, award: Award) -> None:
        self._put(award, self._of(award).reserved(award.id, award.payment_id, self._clock.now_ns()))

    def committed(self, award: Award) -> None:
        self._put(award, self._of(award).redeemed(award.id, self._clock.now_ns()))

    def released(self, award: Award) -> None:
        self._put(award, self._of(award).released(award.id, self._clock.now_ns()))

    def returned(self, award: Award, amount: int, left: int) -> None:
        """
        A refund brought `amount` of it back to its budget, and `left` is still given.

        Only where nothing is left does the coupon come back, if its terms say so: else a part of a payment could be refunded
        again and again, and the coupon used each time.
        """
        del amount
        coupon = self._of(award)
        if not left and self._templates.template(coupon.template_id).told.on_refund is OnRefund.PERSON:
            self._put(award, coupon.returned(award.id, self._clock.now_ns()))

    def _usable(self, occasion: Occasion) -> Iterable[Coupon]:
        """The payer's coupons that are good now; of equal ones the soonest to end is spent first."""
        return (coupon for coupon in self.coupons(occasion.payer_id) if coupon.is_usable(occasion.now_ns))

    def _of(self, award: Award) -> Coupon:
        coupon = self._all.coupons.get(award.source_id)
        assert coupon is not None, "an award names the coupon that it came from"
        return coupon

    def _put(self, award: Award, coupon: Coupon) -> None:
        if coupon is not self._of(award):
            self._all.coupons.put(coupon)


def _is_here(template: CouponTemplate, occasion: Occasion) -> bool:
    """Whether this payee takes it: a merchant's own coupon is good there alone. The campaign's rules say the rest."""
    return not template.merchant_id or template.merchant_id == occasion.merchant_id


def _benefit(coupon: Coupon, template: CouponTemplate, campaign: Campaign, amount: int) -> Benefit:
    terms = template.told
    # Too small a payment is told so, not passed over: who sees what is missing may buy a bun more.
    return Benefit(
        campaign_id=campaign.id,
        amount=terms.gives(max(amount, terms.needed)),
        label=template.name,
        source=SOURCE,
        source_id=coupon.id,
        priority=terms.stacking.priority,
        exclusive=terms.stacking.exclusive,
        group=template.group,
        threshold=terms.needed,
        facts={"template": f"{template.id:032x}"},
    )
