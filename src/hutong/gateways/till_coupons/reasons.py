"""Why merchants' own coupons are told no; the dialect has its own words for these."""

from hutong.kernel.errors import Kind, Reason


class TillCouponReason(Reason):
    """What is refused of stocks, their codes and subsidies; of coupons, see `CouponReason`."""

    TILL_STOCK_UNKNOWN = Kind.NOT_FOUND, "NARR"
    TILL_STOCK_OVER = Kind.REFUSED, "NARR"
    TILL_STOCK_CHANGED = Kind.REFUSED, "NARR"  # It is not as whoever changes it believes.
    TILL_REQUEST_DIFFERS = Kind.CONFLICT, "DUPL"  # The number came before, with another content.
    TILL_CODE_NEEDED = Kind.INVALID, "NARR"  # The merchant says the codes of this stock itself.
    TILL_CODE_NOT_ASKED = Kind.INVALID, "NARR"  # It does not, of this one.
    TILL_CODES_NOT_LOADED = Kind.REFUSED, "NARR"  # Of this stock no codes are brought beforehand.
    TILL_STOCK_NEEDED = Kind.INVALID, "NARR"  # A code that a merchant made up says nothing without its stock.
    TILL_PERSON_UNKNOWN = Kind.REFUSED, "NARR"  # Nobody of this institution.
    TILL_PERSON_DIFFERS = Kind.REFUSED, "NARR"  # The coupon is somebody else's.
    SUBSIDY_FORBIDDEN = Kind.REFUSED, "NARR"  # The stock was made without.
    SUBSIDY_OF_UNTAKEN = Kind.REFUSED, "NARR"
    SUBSIDY_ORDER_DIFFERS = Kind.REFUSED, "NARR"  # Not paid, or not to the merchant that is to receive it.
    SUBSIDY_EXCEEDS_COUPON = Kind.REFUSED, "NARR"
    SUBSIDY_UNKNOWN = Kind.NOT_FOUND, "NARR"
    SUBSIDY_PAID = Kind.REFUSED, "NARR"  # What was taken and subsidised comes back when the subsidy has.
