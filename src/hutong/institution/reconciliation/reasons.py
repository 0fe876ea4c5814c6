"""Why reconciling is refused."""

from hutong.kernel.errors import Kind, Reason


class ReconciliationReason(Reason):
    """Rows are append-only: clients match on the name."""

    WINDOW_MALFORMED = Kind.INVALID, "NARR"
    CLEARING_FILE_MALFORMED = Kind.REFUSED, "NARR"  # What the switch sent is not what its contract says.
    NOT_RECONCILED_YET = Kind.NOT_FOUND, "NARR"
    RECONCILING_ALREADY = Kind.LIMITED, "NARR"
    CASE_UNKNOWN = Kind.NOT_FOUND, "NARR"
    CASE_IS_CLOSED = Kind.REFUSED, "NARR"
    CORRECTION_NOT_PROPOSED = Kind.REFUSED, "NARR"  # This difference is not put right by moving money.
    CORRECTION_REFUSED = Kind.REFUSED, "NARR"  # By the ledger.
    NOTHING_IN_SUSPENSE = Kind.REFUSED, "NARR"
