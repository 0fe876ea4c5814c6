"""Why people are told no."""

from hutong.kernel.errors import Kind, Reason


class PeopleReason(Reason):
    """Rows are append-only: clients match on the name."""

    # What was sent.
    PHONE_MALFORMED = Kind.INVALID, "NARR"
    PIN_MALFORMED = Kind.INVALID, "NARR"
    PIN_WEAK = Kind.INVALID, "NARR"
    PIN_REPEATED_OTHERWISE = Kind.INVALID, "NARR"  # Typed twice, not alike.
    ID_FROM_THE_FUTURE = Kind.INVALID, "NARR"

    # Who asks.
    SESSION_UNKNOWN = Kind.NOT_ALLOWED, "NARR"
    SESSION_EXPIRED = Kind.NOT_ALLOWED, "NARR"

    # One-time codes.
    CODE_REQUESTS_EXHAUSTED = Kind.LIMITED, "NARR"
    ONE_TIME_CODE_WRONG = Kind.REFUSED, "NARR"
    ONE_TIME_CODE_EXPIRED = Kind.REFUSED, "NARR"
    ONE_TIME_CODE_USED = Kind.REFUSED, "NARR"
    ONE_TIME_CODE_NEEDED = Kind.REFUSED, "NARR"  # The PIN alone opens only a device that is the user's already.

    # Users.
    USER_UNKNOWN = Kind.NOT_FOUND, "BE06"
    PHONE_TAKEN = Kind.CONFLICT, "NARR"
    REGISTERED_OTHERWISE = Kind.CONFLICT, "NARR"  # Same phone and registration id, other content; `field` says which.
    USER_NUMBERS_EXHAUSTED = Kind.LIMITED, "NARR"
    USER_FROZEN = Kind.REFUSED, "AC06"
    USER_CLOSED = Kind.REFUSED, "AC04"
    FROZEN_BY_OPERATOR = Kind.NOT_ALLOWED, "AC06"  # The user cannot lift that.
    BALANCE_NOT_ZERO = Kind.REFUSED, "NARR"
    TIER_EVIDENCE_INSUFFICIENT = Kind.REFUSED, "NARR"
    TIER_NOT_RAISED = Kind.REFUSED, "NARR"  # A tier is raised here, never lowered.

    # PINs.
    PIN_NOT_SET = Kind.REFUSED, "NARR"
    PIN_ALREADY_SET = Kind.CONFLICT, "NARR"
    PIN_WRONG = Kind.REFUSED, "NARR"
    PIN_LOCKED = Kind.LIMITED, "NARR"
    PIN_BLOCKED = Kind.REFUSED, "NARR"  # Only a reset helps.
    PIN_BUSY = Kind.LIMITED, "NARR"  # One try at a time, and not too many users at once.
    PIN_CHANGED = Kind.REFUSED, "NARR"  # It was changed while it was being checked.
    PIN_TOKEN_MALFORMED = Kind.INVALID, "NARR"
    PIN_TOKEN_WRONG = Kind.NOT_ALLOWED, "NARR"  # For another user, payment, amount or creditor, or made up.
    PIN_TOKEN_EXPIRED = Kind.REFUSED, "NARR"

    # Devices and codes.
    DEVICE_UNKNOWN = Kind.NOT_FOUND, "NARR"
    DEVICE_TAKEN = Kind.CONFLICT, "NARR"
    DEVICE_LOST = Kind.REFUSED, "NARR"
    DEVICE_TOO_NEW = Kind.LIMITED, "NARR"  # A phone added or signed in within a day resets no PIN.
    DEVICES_TOO_MANY = Kind.REFUSED, "NARR"
    PERSONAL_CODE_UNKNOWN = Kind.NOT_FOUND, "NARR"
    PERSONAL_CODE_TAKEN = Kind.CONFLICT, "NARR"  # The id was used for a code with other content; `field` says which.
    PERSONAL_CODES_TOO_MANY = Kind.REFUSED, "NARR"
    AMOUNT_OUT_OF_RANGE = Kind.INVALID, "AM12"
    FOREIGN_CODE_MALFORMED = Kind.INVALID, "NARR"  # No digits, too few, too many, or a payment code of ours.
    FOREIGN_CODE_TAKEN = Kind.CONFLICT, "NARR"  # It leads to another user.
    FOREIGN_CODE_UNKNOWN = Kind.NOT_FOUND, "NARR"
    FOREIGN_CODES_TOO_MANY = Kind.REFUSED, "NARR"
