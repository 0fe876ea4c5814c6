"""Why payment requests are told no."""

from hutong.kernel.errors import Kind, Reason


class RequestReason(Reason):
    """Why a payment request isn't made, cancelled or paid; `field` names the input that is wrong."""

    REQUEST_UNKNOWN = Kind.NOT_FOUND, "NARR"
    REQUEST_EXPIRED = Kind.REFUSED, "TM01"
    REQUEST_CANCELLED = Kind.REFUSED, "NARR"
    REQUEST_ALREADY_PAID = Kind.REFUSED, "AM05"
    REQUEST_CLAIMED = Kind.REFUSED, "NARR"  # A payment of it is under way: it may yet fail, and then others may try.
    REFERENCE_REUSED = Kind.CONFLICT, "DUPL"  # The same reference came before with another `field`.
    AMOUNT_OUT_OF_LIMITS = Kind.REFUSED, "AM02"
    AMOUNT_DIFFERS = Kind.REFUSED, "AM09"
    CURRENCY_DIFFERS = Kind.REFUSED, "AM03"
    LIFETIME_OUT_OF_LIMITS = Kind.INVALID, "NARR"
    CHANNEL_NOT_REQUESTABLE = Kind.INVALID, "NARR"  # Such payments come without a request of the merchant's.
    REQUEST_SHOWS_NO_CODE = Kind.REFUSED, "NARR"
    PAYER_CODE_MISPLACED = Kind.INVALID, "NARR"  # A payment-code charge has the payer's code, and nothing else has.
