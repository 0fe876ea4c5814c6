"""Coupons that their merchant takes at the till: loaded, sent, bound to an order, taken, given back, ended."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from msgspec.structs import replace

from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.claim_service import ClaimService
from hutong.marketing.coupons.coupon import Coupon, CouponState
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.redemption_service import RedemptionService
from hutong.marketing.coupons.repository import CouponRepository
from hutong.marketing.coupons.template_service import TemplateService
from hutong.marketing.coupons.till_code import TillCode, TillState, letters_key, till_code_id
from hutong.runtime.node import NodeRuntime

LOADED_MAX = 100_000  # Codes of one template that nobody has yet.
_GIVEN_BACK_NS = NS_PER_DAY


@dataclass(slots=True)
class _Free:
    """A template's codes that nobody has: how many, and which, in order. Those among them that were dropped are passed over."""

    count: int
    codes: deque[int]


class TillService:
    """
    A coupon and its code change in one decision of the node's one writer: it is taken once, whoever reads it how often.

    Whose a template is, the caller has looked at.
    """

    def __init__(
        self,
        node: NodeRuntime,
        repository: CouponRepository,
        templates: TemplateService,
        claims: ClaimService,
        redemptions: RedemptionService,
    ) -> None:
        self._node = node
        self._all = repository
        self._templates = templates
        self._claims = claims
        self._redemptions = redemptions
        self._free: dict[int, _Free] = {}  # Of each template that was asked for codes since the start.

    # Codes.

    def code(self, template_id: int, letters: str) -> TillCode:
        """Refuses COUPON_UNKNOWN. May raise `Cold`."""
        found = self._all.till_codes.get(till_code_id(template_id, letters))
        if found is None:
            raise Refusal(CouponReason.COUPON_UNKNOWN)
        return found

    def by_id(self, code_id: int) -> TillCode:
        """One that is known to be there. May raise `Cold`."""
        found = self._all.till_codes.get(code_id)
        assert found is not None
        return found

    def alike(self, letters: str) -> list[TillCode]:
        """The codes of all templates that read so. May raise `Cold`."""
        return self._all.till_codes.find("letters_key", letters_key(letters))

    def codes(self, template_id: int) -> list[TillCode]:
        """All of a template, those loaded or sent first before others. May raise `Cold`."""
        found = self._all.till_codes.find("template_id", template_id)
        return sorted(found, key=lambda code: (code.loaded_ns or code.sent_ns, code.id))

    def of_coupon(self, coupon_id: int) -> TillCode | None:
        """None for a coupon that makes payments cheaper. May raise `Cold`."""
        return next(iter(self._all.till_codes.find("coupon_id", coupon_id)), None)

    def load(self, template_id: int, letters: Collection[str]) -> tuple[list[str], list[str]]:
        """
        Bring codes; which came, and which were there before.

        Refuses:  COUPON_CODES_TOO_MANY.
        Repeats:  all were there before.
        """
        free = self._free_of(template_id)
        # By name, and not among all of the template: a merchant with a million codes brings the next hundred as cheaply.
        known = self._all.till_codes.get_all([till_code_id(template_id, each) for each in letters])
        there = {code.letters for code in known}
        new = [each for each in dict.fromkeys(letters) if each not in there]
        if free.count + len(new) > LOADED_MAX:
            raise Refusal(CouponReason.COUPON_CODES_TOO_MANY)
        now_ns = self._node.clock.now_ns()
        for each in new:
            code = self._new(template_id, each, now_ns, TillState.LOADED)
            self._all.till_codes.put(code)
            free.codes.append(code.id)
        free.count += len(new)
        return new, [each for each in letters if each in there]

    def delete(self, template_id: int, letters: str) -> TillCode:
        """Drop a code that nobody has. Refuses COUPON_UNKNOWN; COUPON_SPENT of one that somebody has or had. Repeats: the code."""
        code = self.code(template_id, letters)
        if code.state == TillState.DELETED:
            return code
        if code.state != TillState.LOADED:
            raise Refusal(CouponReason.COUPON_SPENT, state=str(code.state))
        self._free_of(template_id).count -= 1
        return self._put(replace(code, state=TillState.DELETED.value, changed_ns=self._node.clock.now_ns()))

    # Coupons.

    def send(
        self, claim_id: int, template_id: int, person_id: int, letters: str, *, sent_by: int, number: str
    ) -> TillCode:
        """
        A coupon for a person, who is told; with `letters` as its code, or the next that was loaded where they are empty.

        Refuses:  COUPON_CODE_USED; COUPON_CODES_EXHAUSTED; what `ClaimService.send` does.
        """
        code = self._loaded(template_id) if not letters else self._fresh(template_id, letters)
        coupon = self._claims.send_for_till(claim_id, template_id, person_id, code.id)
        if code.state == TillState.LOADED:
            self._free_of(template_id).count -= 1
        return self._put(
            replace(
                code,
                state=TillState.SENT.value,
                coupon_id=coupon.id,
                sent_by=sent_by,
                send_number=number,
                sent_ns=coupon.claimed_ns,
                changed_ns=coupon.claimed_ns,
            )
        )

    def bind(self, code: TillCode, order_no: str) -> TillCode:
        """Note what order it is for. Refuses COUPON_UNKNOWN, COUPON_SPENT, COUPON_EXPIRED; COUPON_BOUND to another. Repeats: the code."""
        code.check_sent()
        code.check_order(order_no)
        self._redemptions.check_unexpired(code.coupon_id)
        return code if code.order_no else self._changed(code, order_no=order_no)

    def unbind(self, code: TillCode, order_no: str) -> TillCode:
        """Note that it is for no order any more. Refuses COUPON_UNKNOWN, COUPON_SPENT; COUPON_BOUND to another. Repeats: the code."""
        code.check_sent()
        code.check_order(order_no)
        return self._changed(code, order_no="") if code.order_no else code

    def take(self, code: TillCode, number: str, *, order_no: str, paid_for: str) -> tuple[TillCode, Coupon]:
        """
        The merchant takes it.

        Refuses:  COUPON_UNKNOWN; COUPON_BOUND; COUPON_SPENT, COUPON_NOT_YET_VALID, COUPON_EXPIRED, COUPON_NOT_AT_THIS_HOUR.
        """
        code.check_sent()
        code.check_order(order_no)
        now_ns = self._node.clock.now_ns()
        coupon = self._redemptions.take(code.coupon_id)
        taken = self._changed(code, state=TillState.TAKEN.value, take_number=number, paid_for=paid_for, taken_ns=now_ns)
        return taken, coupon

    def give_back(self, code: TillCode, number: str) -> TillCode:
        """
        What was taken is the person's again: for a day.

        Refuses:  COUPON_UNKNOWN; COUPON_NOT_TAKEN; COUPON_TAKEN_LONG_AGO.
        """
        if code.state != TillState.TAKEN:
            raise Refusal(CouponReason.COUPON_NOT_TAKEN, state=str(code.state))
        if self._node.clock.now_ns() - code.taken_ns > _GIVEN_BACK_NS:
            raise Refusal(CouponReason.COUPON_TAKEN_LONG_AGO)
        self._redemptions.give_back(code.coupon_id)
        free = {"take_number": "", "paid_for": "", "taken_ns": 0, "order_no": ""}
        now_ns = self._node.clock.now_ns()
        return self._changed(code, state=TillState.SENT.value, back_number=number, back_ns=now_ns, **free)

    def void(self, code: TillCode, number: str, why: str) -> TillCode:
        """Nobody can use it any more. Refuses COUPON_UNKNOWN, COUPON_SPENT, COUPON_EXPIRED."""
        code.check_sent()
        self._redemptions.void(code.coupon_id)
        return self._changed(code, state=TillState.VOIDED.value, void_number=number, void_why=why)

    def coupon_of(self, code: TillCode) -> Coupon:
        """The coupon that a code which was sent leads to. May raise `Cold`."""
        coupon = self._redemptions.known(code.coupon_id)
        assert coupon is not None, "what was sent is a coupon"
        return coupon

    def is_over(self, code: TillCode) -> bool:
        """Whether nobody can use it any more, though nobody has. May raise `Cold`."""
        coupon = self.coupon_of(code)
        return coupon.state == CouponState.AVAILABLE and self._node.clock.now_ns() >= coupon.until_ns

    def _fresh(self, template_id: int, letters: str) -> TillCode:
        if self._all.till_codes.get(till_code_id(template_id, letters)) is not None:
            raise Refusal(CouponReason.COUPON_CODE_USED, field="code")
        return self._new(template_id, letters, 0, TillState.SENT)

    def _loaded(self, template_id: int) -> TillCode:
        """The code loaded first of those that are nobody's. Which are is looked at again, however the queue came about."""
        free = self._free_of(template_id).codes
        while free:
            code = self._all.till_codes.get(free[0])
            if code is not None and code.state == TillState.LOADED:
                return code
            free.popleft()
        raise Refusal(CouponReason.COUPON_CODES_EXHAUSTED)

    def _free_of(self, template_id: int) -> _Free:
        """All codes of the template are looked through once; from then on it is counted. May raise `Cold`."""
        known = self._free.get(template_id)
        if known is None:
            loaded = [code.id for code in self.codes(template_id) if code.state == TillState.LOADED]
            known = self._free[template_id] = _Free(len(loaded), deque(loaded))
        return known

    def _new(self, template_id: int, letters: str, now_ns: int, state: TillState) -> TillCode:
        return TillCode(
            id=till_code_id(template_id, letters),
            template_id=template_id,
            letters=letters,
            letters_key=letters_key(letters),
            state=state.value,
            coupon_id=0,
            sent_by=0,
            send_number="",
            order_no="",
            take_number="",
            paid_for="",
            loaded_ns=now_ns,
            sent_ns=0,
            taken_ns=0,
            changed_ns=now_ns,
        )

    def _changed(self, code: TillCode, **changes: object) -> TillCode:
        return self._put(replace(code, changed_ns=self._node.clock.now_ns(), **changes))

    def _put(self, code: TillCode) -> TillCode:
        self._all.till_codes.put(code)
        return code
