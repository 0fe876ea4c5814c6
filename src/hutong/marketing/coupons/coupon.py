"""One person's coupon, and the claim by which it came."""

from enum import StrEnum

import msgspec

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.reasons import CouponReason
from hutong.runtime.tables import BigInt, Integer, SmallInt, Text, Uuid

COUPON_PREFIX = "cpn"


class CouponState(StrEnum):
    """What it is to its person; whether it has expired, its dates say."""

    AVAILABLE = "AVAILABLE"
    RESERVED = "RESERVED"  # A payment with it is under way.
    REDEEMED = "REDEEMED"


class Claim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    That somebody took a coupon. It never changes.

    Each says how many there are with it, in all and today: the newest claim of a template is its count, however long
    ago the node was started, and however many came before.
    """

    id: Uuid  # The caller's own, and the coupon's.
    template_id: Uuid
    person_id: Uuid
    device_id: Uuid  # 0: it was sent, and nobody's device asked for it.
    code_id: Uuid | None  # Of a unique code: it leads to one claim.
    batch_id: Uuid | None  # Of the code that was typed, unique or shared.
    day: Integer  # In the institution's own zone.
    number: BigInt
    number_today: BigInt
    claimed_ns: BigInt


class Coupon(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of a coupon. Its id is its claim's."""

    id: Uuid
    template_id: Uuid
    campaign_id: Uuid  # 0: its merchant takes it at the till.
    person_id: Uuid
    state: Text
    from_ns: BigInt
    until_ns: BigInt
    award_id: Uuid  # What it gives, or gave; 0: nothing yet.
    payment_id: Uuid
    given_by: Uuid  # Who claimed it and gave it to the person; 0: nobody.
    returns: SmallInt  # How often a refund brought it back.
    claimed_ns: BigInt
    changed_ns: BigInt

    def check_usable(self, now_ns: int) -> None:
        """Refuses COUPON_SPENT, COUPON_NOT_YET_VALID, COUPON_EXPIRED."""
        if self.state != CouponState.AVAILABLE:
            raise Refusal(CouponReason.COUPON_SPENT, state=str(self.state))
        if now_ns < self.from_ns:
            raise Refusal(CouponReason.COUPON_NOT_YET_VALID, from_ms=self.from_ns // NS_PER_MS)
        if now_ns >= self.until_ns:
            raise Refusal(CouponReason.COUPON_EXPIRED, until_ms=self.until_ns // NS_PER_MS)

    def is_usable(self, now_ns: int) -> bool:
        """Whether a payment may be made cheaper with it now."""
        return self.state == CouponState.AVAILABLE and self.from_ns <= now_ns < self.until_ns

    def reserved(self, award_id: int, payment_id: int, now_ns: int) -> "Coupon":
        """Set aside for a payment that is under way; itself if it is."""
        if self.award_id == award_id:
            return self
        assert self.state == CouponState.AVAILABLE, "offers are of coupons that are there"
        return msgspec.structs.replace(
            self, state=CouponState.RESERVED.value, award_id=award_id, payment_id=payment_id, changed_ns=now_ns
        )

    def redeemed(self, award_id: int, now_ns: int) -> "Coupon":
        """The payment came about."""
        if self.award_id != award_id or self.state != CouponState.RESERVED:
            return self
        return msgspec.structs.replace(self, state=CouponState.REDEEMED.value, changed_ns=now_ns)

    def released(self, award_id: int, now_ns: int) -> "Coupon":
        """The payment did not come about: it is the person's as before."""
        if self.award_id != award_id or self.state != CouponState.RESERVED:
            return self
        return self._free(now_ns)

    def returned(self, award_id: int, now_ns: int) -> "Coupon":
        """All of the payment was refunded: it is the person's again, if it is still good."""
        if self.award_id != award_id or self.state != CouponState.REDEEMED or now_ns >= self.until_ns:
            return self
        return msgspec.structs.replace(self._free(now_ns), returns=self.returns + 1)

    def given(self, giver_id: int, receiver_id: int, now_ns: int) -> "Coupon":
        """
        The same as another person's; itself if the giver gave it to that person before.

        Refuses:  COUPON_UNKNOWN, COUPON_GIVEN_ALREADY, COUPON_GIVEN_TO_ONESELF, COUPON_SPENT, COUPON_EXPIRED.
        """
        if self.given_by == giver_id:
            if self.person_id == receiver_id:
                return self
            raise Refusal(CouponReason.COUPON_GIVEN_ALREADY)
        if self.person_id != giver_id:
            raise Refusal(CouponReason.COUPON_UNKNOWN)
        if self.given_by:
            raise Refusal(CouponReason.COUPON_GIVEN_ALREADY)
        if receiver_id == giver_id:
            raise Refusal(CouponReason.COUPON_GIVEN_TO_ONESELF)
        self.check_usable(max(now_ns, self.from_ns))  # What is good from tomorrow on can be given today.
        return msgspec.structs.replace(self, person_id=receiver_id, given_by=giver_id, changed_ns=now_ns)

    def as_given(self) -> "Coupon":
        """What its giver may know of it: that it was good, and when it was given."""
        return msgspec.structs.replace(self, state=CouponState.AVAILABLE.value, award_id=0, payment_id=0)

    def taken(self, now_ns: int) -> "Coupon":
        """Its merchant took it, for no payment that we know."""
        return msgspec.structs.replace(self, state=CouponState.REDEEMED.value, changed_ns=now_ns)

    def given_back(self, now_ns: int) -> "Coupon":
        """It was not used after all: the person's again, if it is still good."""
        return msgspec.structs.replace(self._free(now_ns), returns=self.returns + 1)

    def ended(self, now_ns: int) -> "Coupon":
        """Good until now, and no longer."""
        return msgspec.structs.replace(self, until_ns=now_ns, changed_ns=now_ns)

    def _free(self, now_ns: int) -> "Coupon":
        return msgspec.structs.replace(
            self, state=CouponState.AVAILABLE.value, award_id=0, payment_id=0, changed_ns=now_ns
        )
