"""Why an order is not split, or a part does not come back."""

from hutong.kernel.errors import Kind, Reason


class SplitReason(Reason):
    """What is refused of splits, whatever the dialect."""

    ORDER_NOT_TO_BE_SPLIT = Kind.REFUSED, "NARR"  # It was not placed as one, or is not paid.
    SPLIT_FINISHED = Kind.REFUSED, "NARR"  # The rest was unfrozen: nothing can be split any more.
    SPLIT_EXCEEDS_FROZEN = Kind.REFUSED, "AM04"
    SPLIT_RATIO_EXCEEDED = Kind.REFUSED, "AM14"
    SPLIT_DIFFERS = Kind.CONFLICT, "DUPL"  # The number came before, with other content.
    SPLIT_UNKNOWN = Kind.NOT_FOUND, "NARR"
    SPLIT_PARTS_TOO_MANY = Kind.INVALID, "NARR"
    SPLIT_PARTS_MISSING = Kind.INVALID, "NARR"
    SPLIT_AMOUNT_NOT_POSITIVE = Kind.INVALID, "AM01"
    SPLIT_RETURN_DIFFERS = Kind.CONFLICT, "DUPL"
    SPLIT_RETURN_UNKNOWN = Kind.NOT_FOUND, "NARR"
    SPLIT_RETURN_EXCEEDS_PART = Kind.REFUSED, "AM14"
    SPLIT_RETURN_TOO_LATE = Kind.REFUSED, "DT01"
    RECEIVER_UNKNOWN = Kind.REFUSED, "NARR"  # Nobody of this institution.
    RECEIVER_NOT_NAMED = Kind.REFUSED, "NARR"  # The merchant has not added it, or removed it.
    RECEIVER_IS_ONESELF = Kind.REFUSED, "NARR"
    RECEIVER_IS_A_PERSON = Kind.REFUSED, "NARR"  # Nothing is taken back from people.
    RECEIVER_NAME_DIFFERS = Kind.REFUSED, "BE01"
    RECEIVER_ABNORMAL = Kind.REFUSED, "AC06"  # Closed, or stopped: it takes nothing.
    RECEIVER_BALANCE_INSUFFICIENT = Kind.REFUSED, "AM04"
