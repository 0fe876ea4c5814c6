"""Why a hold, or what is asked of one, is told no."""

from hutong.kernel.errors import Kind, Reason


class HoldReason(Reason):
    """Rows are append-only: clients match on the name, and they travel in `hutong.held` and pain.014."""

    HOLD_UNKNOWN = Kind.NOT_FOUND, "NARR"
    HOLD_NOT_OPEN = Kind.REFUSED, "NARR"  # It was agreed to or declined, taken back, or its time is over.
    HOLD_NOT_HELD = Kind.REFUSED, "NARR"  # Nothing is held, or not any more.
    HOLD_EXCEEDED = Kind.REFUSED, "AM14"
    HOLD_DECLINED = Kind.REFUSED, "MS02"
    HOLD_BALANCE_INSUFFICIENT = Kind.REFUSED, "AM04"
    HOLD_WITHDRAWN = Kind.REFUSED, "NARR"  # The merchant does not ask any more.
    HOLD_MALFORMED = Kind.INVALID, "NARR"
