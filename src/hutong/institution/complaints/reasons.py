"""Why a complaint, or something that is said in one, is told no."""

from hutong.kernel.errors import Kind, Reason


class ComplaintReason(Reason):
    """Rows are append-only: clients match on the name, and they travel in `hutong.complained`."""

    COMPLAINT_UNKNOWN = Kind.NOT_FOUND, "NARR"
    COMPLAINT_ALREADY_OPEN = Kind.REFUSED, "DUPL"  # One at a time for a payment.
    COMPLAINT_TOO_LATE = Kind.REFUSED, "NARR"
    COMPLAINT_NEEDS_A_MERCHANT = Kind.REFUSED, "NARR"  # People are not complained of; a mistake is recalled.
    COMPLAINT_ENDED = Kind.REFUSED, "NARR"
    COMPLAINT_NOT_ENDED = Kind.REFUSED, "NARR"  # Nothing has been completed that one could be discontent with.
    COMPLAINT_CONTINUED_TOO_OFTEN = Kind.REFUSED, "NARR"
    COMPLAINT_NOT_ANSWERED = Kind.REFUSED, "NARR"  # Nobody completes what nobody has answered.
    COMPLAINT_ASKS_NO_REFUND = Kind.REFUSED, "NARR"
    COMPLAINT_TOO_LONG = Kind.REFUSED, "NARR"  # It has as many turns as one may have.
    COMPLAINT_STILL_SENDING = Kind.LIMITED, "NARR"  # What was said before is still on its way.
    COMPLAINT_NOT_DELIVERED = Kind.REFUSED, "AB06"  # The merchant's institution has been silent for days.
    TOO_MANY_COMPLAINTS = Kind.LIMITED, "NARR"  # Of one payer, in a day.
    COMPLAINED_PAYMENT_UNKNOWN = Kind.REFUSED, "NOOR"
    PICTURE_UNKNOWN = Kind.NOT_FOUND, "NARR"  # Never given, or given too long ago, or its complaint is long over.
    PICTURE_ON_ITS_WAY = Kind.LIMITED, "NARR"  # From the other side.
    PICTURE_NOT_RECOGNISED = Kind.INVALID, "NARR"
    PICTURE_TOO_BIG = Kind.INVALID, "NARR"
    TOO_MANY_PICTURES = Kind.LIMITED, "NARR"  # In one complaint, or given in a day.
    TOO_MANY_PICTURE_BYTES = Kind.LIMITED, "NARR"  # Given in a day.
