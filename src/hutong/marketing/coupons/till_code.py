"""
The code of a coupon that its merchant takes at the till: what the person shows, and the merchant's software reads.

No payment is made cheaper by such a coupon, and no budget pays for it: the merchant asks for less, and notes here that the
coupon was taken for it.
"""

from enum import StrEnum

import msgspec

from hutong.institution.merchants.merchant import reference_key
from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.reasons import CouponReason
from hutong.runtime.tables import BigInt, Text, Uuid

CODE_LENGTH_MAX = 32


class TillState(StrEnum):
    """Whether it has expired, its coupon's dates say."""

    LOADED = "LOADED"  # Brought by the merchant; nobody's yet.
    SENT = "SENT"
    TAKEN = "TAKEN"
    DELETED = "DELETED"  # Before anybody had it.
    VOIDED = "VOIDED"  # By its merchant, while a person had it.


class TillCode(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of a code. Its id is made of its template and its letters: there are no two alike of one template."""

    id: Uuid
    template_id: Uuid
    letters: Text
    letters_key: Uuid
    state: Text
    coupon_id: Uuid  # Whose it is; 0: nobody's yet.
    sent_by: Uuid  # Who sent it, as the sender counts; 0: nobody yet.
    send_number: Text  # The sender's number of that.
    order_no: Text  # The merchant's order that it is bound to; empty: none.
    take_number: Text  # The merchant's number of taking it.
    paid_for: Text  # What it was taken for, as the merchant said it.
    loaded_ns: BigInt
    sent_ns: BigInt
    taken_ns: BigInt
    changed_ns: BigInt
    back_number: Text = ""  # The merchant's number of giving it back, the last time; empty: it never did.
    back_ns: BigInt = 0
    void_number: Text = ""  # The merchant's number of ending it, and why.
    void_why: Text = ""

    def check_sent(self) -> None:
        """Refuses COUPON_UNKNOWN for what nobody has; COUPON_SPENT for what was taken, or ended by its merchant."""
        if self.state in {TillState.LOADED, TillState.DELETED}:
            raise Refusal(CouponReason.COUPON_UNKNOWN)
        if self.state != TillState.SENT:
            raise Refusal(CouponReason.COUPON_SPENT, state=str(self.state))

    def check_order(self, order_no: str) -> None:
        """Refuses COUPON_BOUND where it is bound to another order than this."""
        if self.order_no and order_no and self.order_no != order_no:
            raise Refusal(CouponReason.COUPON_BOUND, order_no=self.order_no)


def till_code_id(template_id: int, letters: str) -> int:
    """By what a template's code is found."""
    return reference_key(template_id, f"till code/{letters}")


def letters_key(letters: str) -> int:
    """By what a code is found whose template nobody says."""
    return reference_key(0, f"till code/{letters}")
