"""Taking coupons: one's own by a tap or a code, one that is sent, and one that is given on."""

from dataclasses import dataclass

from hutong.institution.payments.payment import check_new_id
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.marketing.campaigns.calendar import Calendar
from hutong.marketing.coupons.code import code_id
from hutong.marketing.coupons.coupon import COUPON_PREFIX, Claim, Coupon, CouponState
from hutong.marketing.coupons.guesses import CodeGuesses
from hutong.marketing.coupons.ports import Campaigns, Notices
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.repository import CouponRepository
from hutong.marketing.coupons.stock import check_limits
from hutong.marketing.coupons.template import CodeKind, CouponTemplate, TemplateState
from hutong.marketing.coupons.template_service import TemplateService
from hutong.runtime.node import NodeRuntime


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who asks, on which device; 0: it is sent to the person, who did not ask."""

    person_id: int
    device_id: int = 0


class ClaimService:
    """
    Who gets a coupon.

    A claim's row, the coupon's and the counts are one decision: what was answered is there after any crash, and what was
    not answered was not counted.
    """

    def __init__(
        self,
        node: NodeRuntime,
        repository: CouponRepository,
        templates: TemplateService,
        campaigns: Campaigns,
        calendar: Calendar,
        notices: Notices,
    ) -> None:
        self._clock = node.clock
        self._all = repository
        self._templates = templates
        self._campaigns = campaigns
        self._calendar = calendar
        self._notices = notices
        self._guesses = CodeGuesses()

    def claim(self, claim_id: int, template_id: int, who: Claimant) -> Coupon:
        """
        A coupon for whoever asks for one.

        Refuses:  ID_MALFORMED, ID_FROM_THE_FUTURE; COUPON_CLAIM_OTHERWISE, naming the field; COUPON_TEMPLATE_UNKNOWN;
                  COUPON_NEEDS_CODE; COUPON_NOT_ON_OFFER; COUPON_LIMIT_REACHED, saying of what; COUPON_STOCK_EXHAUSTED.
        Repeats:  the coupon as it is now.
        """
        known = self._repeated(claim_id, template_id, who.person_id)
        if known is not None:
            return known
        template = self._templates.template(template_id)
        _check_not_for_till(template)
        if template.told.code is not CodeKind.NONE:
            raise Refusal(CouponReason.COUPON_NEEDS_CODE)
        return self._take(claim_id, template, who)

    def claim_by_code(self, claim_id: int, code: str, who: Claimant) -> Coupon:
        """
        The coupon that a code leads to.

        Refuses:  COUPON_GUESSES_EXHAUSTED, before the code is looked at; COUPON_CODE_WRONG, which is counted;
                  COUPON_CODE_USED; and as `claim`.
        Repeats:  the coupon as it is now.
        """
        now_ns = self._clock.now_ns()
        self._guesses.check(who.person_id, now_ns)
        try:
            batch, number = self._templates.batch_of(code)
        except Refusal:
            self._guesses.note_wrong(who.person_id, now_ns)
            raise
        key = None if batch.shared else code_id(batch.id, number)
        known = self._repeated(claim_id, batch.template_id, who.person_id)
        if known is not None:
            claim = self._all.claims.get(claim_id)
            assert claim is not None
            if claim.code_id != key:
                raise Refusal(CouponReason.COUPON_CLAIM_OTHERWISE, field="code")
            return known
        if key is not None and self._all.claims.find("code_id", key):
            raise Refusal(CouponReason.COUPON_CODE_USED, field="code")
        return self._take(claim_id, self._templates.template(batch.template_id), who, key, batch.id)

    def is_known(self, claim_id: int) -> bool:
        """Whether this claim came before. May raise `Cold`."""
        return self._all.claims.get(claim_id) is not None

    def send(self, claim_id: int, template_id: int, person_id: int, merchant_id: int = 0) -> Coupon:
        """
        A coupon for somebody who did not ask: no code is needed, and no device counts. The person is told.

        Refuses:  as `claim`.
        Repeats:  the coupon as it is now.
        """
        template = self._templates.template(template_id, merchant_id)
        _check_not_for_till(template)
        known = self._repeated(claim_id, template_id, person_id)
        if known is not None:
            return known
        coupon = self._take(claim_id, template, Claimant(person_id))
        self._tell(coupon, template)
        return coupon

    def send_for_till(self, claim_id: int, template_id: int, person_id: int, code_id: int) -> Coupon:
        """The same of a coupon that its merchant takes at the till, with the code it is taken by. It does not repeat."""
        template = self._templates.template(template_id)
        assert template.is_for_till
        coupon = self._take(claim_id, template, Claimant(person_id), code_id)
        self._tell(coupon, template)
        return coupon

    def give(self, coupon_id: int, giver_id: int, receiver_id: int) -> Coupon:
        """
        Give a coupon to another person, once. That person is told.

        Refuses:  COUPON_UNKNOWN; COUPON_NOT_TRANSFERABLE; COUPON_GIVEN_ALREADY; COUPON_GIVEN_TO_ONESELF; COUPON_SPENT;
                  COUPON_EXPIRED; COUPON_LIMIT_REACHED of a person who has as many as anybody may claim.
        Repeats:  the coupon as it is now.
        """
        coupon = self._all.coupons.get(coupon_id)
        if coupon is None or giver_id not in {coupon.person_id, coupon.given_by}:
            raise Refusal(CouponReason.COUPON_UNKNOWN)
        template = self._templates.template(coupon.template_id)
        held = self._all.coupons.find("person_id", receiver_id)
        given = coupon.given(giver_id, receiver_id, self._clock.now_ns())
        if given is coupon:
            return coupon
        terms = template.told
        if not terms.transferable:
            raise Refusal(CouponReason.COUPON_NOT_TRANSFERABLE)
        most = terms.limits.per_person
        # Else whoever may claim one would have his friends claim theirs for him.
        if most and sum(each.template_id == template.id for each in held) >= most:
            raise Refusal(CouponReason.COUPON_LIMIT_REACHED, of="person", limit=most)
        self._all.coupons.put(given)
        self._tell(given, template)
        return given

    def on_offer(self, person_id: int) -> list[CouponTemplate]:
        """The templates of which this person may claim one now, without a code, oldest first."""
        claims = self._all.claims.find("person_id", person_id)
        now_ns = self._clock.now_ns()
        day = self._calendar.day(now_ns)
        offered = []
        for template in self._templates.templates():
            if template.told.code is not CodeKind.NONE or template.is_for_till:
                continue
            try:
                self._check_offered(template, person_id, now_ns)
                self._templates.stock(template.id).check(template, day)
                own = [claim for claim in claims if claim.template_id == template.id]
                check_limits(template.told.limits, day, own, ())
            except Refusal:
                continue
            offered.append(template)
        return offered

    def claimed_today(self, template_id: int) -> int:
        """How many of a template were claimed today."""
        day = self._calendar.day(self._clock.now_ns())
        return self._templates.stock(template_id).on(day)

    def _take(
        self,
        claim_id: int,
        template: CouponTemplate,
        who: Claimant,
        key: int | None = None,
        batch_id: int | None = None,
    ) -> Coupon:
        now_ns = self._clock.now_ns()
        day = self._calendar.day(now_ns)
        stock, terms = self._templates.stock(template.id), template.told
        self._check_offered(template, who.person_id, now_ns)
        of_person, of_device = self._all.claims_of(who.person_id, who.device_id)
        check_limits(
            terms.limits,
            day,
            [claim for claim in of_person if claim.template_id == template.id],
            [claim for claim in of_device if claim.template_id == template.id],
        )
        stock.check(template, day)
        stock.take(day)
        self._all.claims.put(
            Claim(
                id=claim_id,
                template_id=template.id,
                person_id=who.person_id,
                device_id=who.device_id,
                code_id=key,
                batch_id=batch_id,
                day=stock.day,
                number=stock.claimed,
                number_today=stock.today,
                claimed_ns=now_ns,
            )
        )
        from_ns, until_ns = terms.validity.period(now_ns, self._calendar.zone)
        coupon = Coupon(
            id=claim_id,
            template_id=template.id,
            campaign_id=template.campaign_id,
            person_id=who.person_id,
            state=CouponState.AVAILABLE.value,
            from_ns=from_ns,
            until_ns=until_ns,
            award_id=0,
            payment_id=0,
            given_by=0,
            returns=0,
            claimed_ns=now_ns,
            changed_ns=now_ns,
        )
        self._all.coupons.put(coupon)
        return coupon

    def _check_offered(self, template: CouponTemplate, person_id: int, now_ns: int) -> None:
        if (
            template.state != TemplateState.ACTIVE
            or template.told.validity.is_in_vain(now_ns, self._calendar.zone)
            or not (template.is_for_till or self._campaign_gives(template.campaign_id, person_id, now_ns))
        ):
            raise Refusal(CouponReason.COUPON_NOT_ON_OFFER)

    def _campaign_gives(self, campaign_id: int, person_id: int, now_ns: int) -> bool:
        campaign = self._campaigns.campaign(campaign_id)
        # Who is in the campaign's holdout group is told what anybody is told who comes too late.
        return campaign.is_running(now_ns) and not self._campaigns.is_held_out(campaign.id, person_id)

    def _repeated(self, claim_id: int, template_id: int, person_id: int) -> Coupon | None:
        """The coupon of a claim that came before, if it is the same claim."""
        claim = self._all.claims.get(claim_id)
        if claim is None:
            check_new_id("coupon_id", claim_id, self._clock.now_ns())
            return None
        for field, value in (("person_id", person_id), ("template_id", template_id)):
            if getattr(claim, field) != value:
                raise Refusal(CouponReason.COUPON_CLAIM_OTHERWISE, field="coupon_id" if field == "person_id" else field)
        coupon = self._all.coupons.get(claim_id)
        assert coupon is not None, "a claim and its coupon are one decision"
        return coupon

    def _tell(self, coupon: Coupon, template: CouponTemplate) -> None:
        told = {"coupon_id": id_text(COUPON_PREFIX, coupon.id), "label": template.name}
        self._notices.tell_user(coupon.person_id, "coupon.received", told)


def _check_not_for_till(template: CouponTemplate) -> None:
    """Refuses COUPON_AT_THE_TILL: its merchant sends it, with the code that it is taken by."""
    if template.is_for_till:
        raise Refusal(CouponReason.COUPON_AT_THE_TILL)
