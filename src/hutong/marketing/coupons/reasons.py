"""Why a coupon is not to be had, or not to be used."""

from hutong.kernel.errors import Kind, Reason


class CouponReason(Reason):
    """Why a template, a claim, a code or a coupon is refused; `field` names the input that is wrong."""

    COUPON_TEMPLATE_UNKNOWN = Kind.NOT_FOUND, "NARR"
    COUPON_TEMPLATE_OTHERWISE = Kind.CONFLICT, "DUPL"  # The same id came before with another `field`.
    COUPON_TERMS_UNSOUND = Kind.INVALID, "NARR"
    COUPON_STOCK_BELOW_CLAIMED = Kind.REFUSED, "NARR"
    COUPON_CAMPAIGN_NOT_FOR_COUPONS = Kind.REFUSED, "NARR"

    COUPON_NOT_ON_OFFER = Kind.REFUSED, "NARR"  # Paused, ended, or its campaign is not running.
    COUPON_CLAIM_OTHERWISE = Kind.CONFLICT, "DUPL"
    COUPON_LIMIT_REACHED = Kind.REFUSED, "NARR"  # `of` says whose: person, device, day.
    COUPON_STOCK_EXHAUSTED = Kind.REFUSED, "NARR"
    COUPON_NEEDS_CODE = Kind.REFUSED, "NARR"

    COUPON_CODE_WRONG = Kind.INVALID, "NARR"
    COUPON_CODE_USED = Kind.REFUSED, "NARR"
    COUPON_GUESSES_EXHAUSTED = Kind.LIMITED, "NARR"
    COUPON_CODES_OTHERWISE = Kind.CONFLICT, "DUPL"
    COUPON_CODES_TOO_MANY = Kind.REFUSED, "NARR"
    COUPON_CODES_UNKNOWN = Kind.NOT_FOUND, "NARR"
    COUPON_CODES_HANDED_OUT = Kind.REFUSED, "NARR"  # To a browser: once, and to nobody after.
    COUPON_TAKES_NO_CODES = Kind.REFUSED, "NARR"

    COUPON_UNKNOWN = Kind.NOT_FOUND, "NARR"
    COUPON_SPENT = Kind.REFUSED, "NARR"  # Reserved or redeemed: `state` says which.
    COUPON_NOT_YET_VALID = Kind.REFUSED, "NARR"
    COUPON_EXPIRED = Kind.REFUSED, "NARR"
    COUPON_NOT_AT_THIS_HOUR = Kind.REFUSED, "NARR"
    COUPON_NOT_HERE = Kind.REFUSED, "NARR"  # Another merchant's or shop's.
    COUPON_BELOW_THRESHOLD = Kind.REFUSED, "NARR"

    COUPON_AT_THE_TILL = Kind.REFUSED, "NARR"  # Its merchant takes it: no payment does, and nobody claims it.
    COUPON_BOUND = Kind.REFUSED, "NARR"  # To another order of the merchant's.
    COUPON_NOT_TAKEN = Kind.REFUSED, "NARR"
    COUPON_TAKEN_LONG_AGO = Kind.REFUSED, "NARR"  # More than a day.
    COUPON_CODES_EXHAUSTED = Kind.REFUSED, "NARR"  # None that was loaded is nobody's any more.

    COUPON_NOT_TRANSFERABLE = Kind.REFUSED, "NARR"
    COUPON_GIVEN_ALREADY = Kind.REFUSED, "NARR"  # Once, and no further.
    COUPON_GIVEN_TO_ONESELF = Kind.INVALID, "NARR"
