"""Why merchants are told no."""

from hutong.kernel.errors import Kind, Reason


class MerchantReason(Reason):
    """Why a merchant, its shops, keys, fees or plates refuse; `field` names the input that is wrong."""

    MERCHANT_UNKNOWN = Kind.NOT_FOUND, "AC03"
    MERCHANT_SUSPENDED = Kind.REFUSED, "AC06"
    MERCHANT_CLOSED = Kind.REFUSED, "AC07"
    REFERENCE_REUSED = Kind.CONFLICT, "DUPL"  # The same reference came before with another `field`.
    MCC_MALFORMED = Kind.INVALID, "NARR"
    MCC_UNKNOWN = Kind.INVALID, "NARR"
    LATIN_NAME_MISSING = Kind.INVALID, "NARR"  # EMVCo fields 59 and 60 are ASCII; a Chinese name needs one beside it.

    FEE_OUT_OF_RANGE = Kind.INVALID, "NARR"
    FEE_CHANGE_IN_THE_PAST = Kind.INVALID, "NARR"  # What was charged has been charged.
    FEE_VERSION_TAKEN = Kind.CONFLICT, "NARR"  # The fee was changed otherwise since the caller looked.

    SHOP_UNKNOWN = Kind.NOT_FOUND, "NARR"
    SHOP_CLOSED = Kind.REFUSED, "NARR"

    KEY_NOT_ACCEPTED = Kind.NOT_ALLOWED, "NARR"  # No token of ours, or nobody's: it never says which.
    KEY_REVOKED = Kind.NOT_ALLOWED, "NARR"
    ROLE_MAY_NOT = Kind.NOT_ALLOWED, "NARR"
    SHOP_NOT_YOURS = Kind.NOT_ALLOWED, "NARR"  # The key is of one shop, and this is of another or of them all.
    STAFF_KEY_UNKNOWN = Kind.NOT_FOUND, "NARR"
    STAFF_KEY_TAKEN = Kind.CONFLICT, "NARR"  # The caller's id is another key's, or of other content.

    STAFF_UNKNOWN = Kind.NOT_FOUND, "NARR"
    STAFF_TAKEN = Kind.CONFLICT, "NARR"  # The caller's id is of somebody else, or of other content.
    STAFF_PHONE_TAKEN = Kind.CONFLICT, "NARR"  # Somebody of this merchant's staff has the number.
    STAFF_REVOKED = Kind.REFUSED, "NARR"
    STAFF_ONESELF = Kind.REFUSED, "NARR"  # Nobody takes their own rights away: another owner does.
    STAFF_NOWHERE = Kind.REFUSED, "NARR"  # Nobody's staff has this number, or nobody that took the invitation.
    STAFF_MAY_NOT_APPROVE = Kind.REFUSED, "NARR"  # Not of this merchant and shop, or with no right to do it either.

    PLATE_UNKNOWN = Kind.NOT_FOUND, "NARR"
    CODE_INACTIVE = Kind.REFUSED, "NARR"  # The plate was taken down, or replaced.
    PLATE_NOT_PRINTED_HERE = Kind.REFUSED, "NARR"  # A foreign plate hangs already; its issuer prints it.
    FOREIGN_CODE_UNREADABLE = Kind.INVALID, "NARR"  # Nothing in it names a payee.
    FOREIGN_CODE_TAKEN = Kind.CONFLICT, "NARR"  # It leads to a plate already.
    FOREIGN_CODE_IS_OURS = Kind.INVALID, "NARR"

    APPLICATION_UNKNOWN = Kind.NOT_FOUND, "NARR"
    APPLICATION_DECIDED = Kind.REFUSED, "NARR"  # Approved or declined, for good; `state` says which.
    APPLICATION_OTHERWISE = Kind.CONFLICT, "NARR"  # The same id came before with another `field`.
    APPLICATIONS_TOO_MANY = Kind.LIMITED, "NARR"  # Wait until those there are were looked at.
