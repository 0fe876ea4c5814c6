"""How many coupons of a template were claimed, and how many more can be."""

from collections.abc import Iterable

from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.coupon import Claim
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.template import ClaimLimits, CouponTemplate


class Stock:
    """One template's counts, in the node's one writer: what is counted here and the row that says so are one decision."""

    __slots__ = ("claimed", "day", "today")

    def __init__(self) -> None:
        self.claimed = 0
        self.day = 0
        self.today = 0

    def read(self, claim: Claim) -> None:
        """Go on from the newest claim."""
        self.claimed, self.day, self.today = claim.number, claim.day, claim.number_today

    def on(self, day: int) -> int:
        """How many were claimed on a day, if none was on a later one."""
        return self.today if day == self.day else 0

    def check(self, template: CouponTemplate, day: int) -> None:
        """Refuses COUPON_STOCK_EXHAUSTED, COUPON_LIMIT_REACHED of the day."""
        if self.claimed >= template.stock:
            raise Refusal(CouponReason.COUPON_STOCK_EXHAUSTED)
        per_day = template.told.limits.per_day
        if per_day and self.on(max(day, self.day)) >= per_day:
            raise Refusal(CouponReason.COUPON_LIMIT_REACHED, of="day", limit=per_day)

    def take(self, day: int) -> None:
        """Count one more. A clock that was put back begins no earlier day."""
        if day > self.day:
            self.day, self.today = day, 0
        self.claimed += 1
        self.today += 1


def check_limits(limits: ClaimLimits, day: int, of_person: Iterable[Claim], of_device: Iterable[Claim]) -> None:
    """Refuses COUPON_LIMIT_REACHED of a person or device that had as many of the template before."""
    claims = list(of_person)
    if limits.per_person and len(claims) >= limits.per_person:
        raise Refusal(CouponReason.COUPON_LIMIT_REACHED, of="person", limit=limits.per_person)
    today = sum(claim.day >= day for claim in claims)
    if limits.per_person_day and today >= limits.per_person_day:
        raise Refusal(CouponReason.COUPON_LIMIT_REACHED, of="person", limit=limits.per_person_day, each="day")
    if limits.per_device and sum(1 for _ in of_device) >= limits.per_device:
        raise Refusal(CouponReason.COUPON_LIMIT_REACHED, of="device", limit=limits.per_device)
