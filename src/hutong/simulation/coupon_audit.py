"""Safety of coupons, at every commit: those that make payments cheaper, and those that merchants take at their tills."""

from collections.abc import Callable
from typing import Any

from hutong.marketing.campaigns.award import AwardState
from hutong.marketing.coupons.coupon import CouponState
from hutong.marketing.coupons.till_code import TillState
from hutong.simulation.audit import NodeView
from hutong.simulation.given import Given


class CouponAudit:
    """The part of `MarketingAudit` that is about coupons."""

    def __init__(
        self,
        say: Callable[[Given, str], None],
        moved_on: Callable[[Given, str, Any], Any],
        given: Callable[[NodeView], Given],
    ) -> None:
        self._say = say
        self._moved_on = moved_on
        self._given = given

    def claim(self, given: Given, row: Any) -> None:
        """Each claim counts once, none is beyond the stock, and a code is good for one."""
        if row.id in given.view.rows["coupon_claims"]:
            self._say(given, f"coupon {row.id:032x} was claimed twice")
        template = given.view.rows["coupon_templates"][row.template_id]
        limits = template.told.limits
        given.claimed[template.id] += 1
        given.claimed_on[template.id, row.day] += 1
        counted = given.claimed[template.id], given.claimed_on[template.id, row.day]
        if (row.number, row.number_today) != counted:
            self._say(given, f"coupon {row.id:032x} says it is {row.number}, {row.number_today}; it is {counted}")
        if counted[0] > template.stock or (limits.per_day and counted[1] > limits.per_day):
            self._say(given, f"of template {template.id:032x} {counted} were claimed, of a stock of {template.stock}")
        for who, id_, most in (
            ("person", row.person_id, limits.per_person),
            ("device", row.device_id, limits.per_device),
        ):
            given.claimed_by[template.id, who, id_] += 1
            if id_ and most and given.claimed_by[template.id, who, id_] > most:
                self._say(given, f"coupon {row.id:032x} is one more than {most} by {who}")
        if row.code_id is not None:
            if row.code_id in given.codes:
                self._say(given, f"coupon {row.id:032x} came by a code that was used")
            given.codes.add(row.code_id)

    def coupon(self, given: Given, row: Any) -> None:
        before = self._moved_on(given, "coupons", row)
        claim = given.view.rows["coupon_claims"][row.id]
        was = claim.person_id if before is None else before.person_id
        given_on = before is not None and not before.given_by and row.given_by == was
        if row.person_id != was and not given_on:
            self._say(given, f"coupon {row.id:032x} is somebody's who neither claimed it nor was given it")
        given.touched["coupon", row.id] = None

    def till_code(self, given: Given, row: Any) -> None:
        """A code leads to one coupon, and a coupon has one code; taking it has a number."""
        before = self._moved_on(given, "coupon_till_codes", row)
        if before is not None and before.coupon_id and row.coupon_id != before.coupon_id:
            self._say(given, f"code {row.letters} was sent to somebody, and now to somebody else")
        if row.coupon_id:
            if given.till_codes.setdefault(row.coupon_id, row.id) != row.id:
                self._say(given, f"coupon {row.coupon_id:032x} has two codes")
            given.touched["coupon", row.coupon_id] = None
        if row.state == TillState.TAKEN:
            given.taken.add((row.id, row.take_number))

    def told_taken(self, view: NodeView, code_id: int, number: str) -> None:
        """A merchant was told that it took a coupon under this number (invariant 4)."""
        if (code_id, number) not in self._given(view).taken:
            self._say(self._given(view), f"somebody was told of taking {code_id:032x}, which is not durable")

    def check(self, given: Given, id_: int) -> None:
        """A coupon makes one payment cheaper: what is set aside with it, or was given and stays given. Or a merchant takes it."""
        coupon = given.view.rows["coupons"][id_]
        if given.view.rows["coupon_templates"][coupon.template_id].is_for_till:
            code = given.view.rows["coupon_till_codes"].get(given.till_codes.get(id_, 0))
            if code is None or (code.state == TillState.TAKEN) != (coupon.state == CouponState.REDEEMED):
                self._say(given, f"coupon {id_:032x} is {coupon.state}, its code {code and code.state}")
            return
        awards = [given.view.rows["all_awards"][each] for each in given.of_coupon.get(id_, ())]
        live = [each for each in awards if each.left]
        if len(live) > 1:
            self._say(given, f"coupon {id_:032x} gives {len(live)} payments something")
        wanted = {"RESERVED": AwardState.RESERVED, "REDEEMED": AwardState.COMMITTED}.get(coupon.state)
        own = given.view.rows["all_awards"].get(coupon.award_id)
        stands = own and given.standing(own)
        if wanted is not None and (own is None or stands != wanted or own.payment_id != coupon.payment_id):
            self._say(given, f"coupon {id_:032x} is {coupon.state}, its award {stands}")
        if coupon.state == CouponState.AVAILABLE and live:
            self._say(given, f"coupon {id_:032x} may be used, and still gives a payment {live[0].left}")
