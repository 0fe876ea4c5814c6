"""Why money is not sent to a person."""

from hutong.kernel.errors import Kind, Reason


class TransferReason(Reason):
    """What is refused of transfers to people, or makes one fail."""

    TRANSFER_AMOUNT_OUT_OF_LIMITS = Kind.INVALID, "AM02"
    TRANSFER_NAME_NEEDED = Kind.INVALID, "NARR"  # From some amount on, who gets it must be named.
    TRANSFER_DAILY_LIMIT_EXCEEDED = Kind.LIMITED, "AM14"
    TRANSFER_BALANCE_INSUFFICIENT = Kind.REFUSED, "AM04"
    TRANSFER_DIFFERS = Kind.CONFLICT, "DUPL"  # The number came before, with other content.
    TRANSFER_UNKNOWN = Kind.NOT_FOUND, "NARR"
    TRANSFER_ENDED = Kind.REFUSED, "NARR"  # It can be neither cancelled nor taken any more.
    TRANSFER_LAPSED = Kind.REFUSED, "TM01"
    TRANSFER_DECLINED = Kind.REFUSED, "CUST"
    TRANSFER_PAYEE_UNKNOWN = Kind.REFUSED, "AC03"  # Nobody of this institution.
    TRANSFER_NAME_DIFFERS = Kind.REFUSED, "BE01"
    TRANSFER_PAYEE_ABNORMAL = Kind.REFUSED, "AC06"  # Frozen or closed: it takes nothing.
    RECEIPT_NOT_READY = Kind.REFUSED, "NARR"  # Of what has not arrived, or never will.
    BATCH_UNKNOWN = Kind.NOT_FOUND, "NARR"
    BATCH_DIFFERS = Kind.CONFLICT, "DUPL"
    BATCH_TOO_BIG = Kind.INVALID, "NARR"
    BATCH_SUMS_DIFFER = Kind.INVALID, "NARR"  # What it says of itself is not what its details add up to.
    BATCH_NUMBER_TWICE = Kind.INVALID, "NARR"
