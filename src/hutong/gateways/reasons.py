"""Why a gateway says no; each dialect has its own words for these."""

from hutong.kernel.errors import Kind, Reason


class GatewayReason(Reason):
    """What is refused at a gateway, whatever the dialect."""

    ACCOUNT_UNKNOWN = Kind.NOT_FOUND, "NARR"
    ACCOUNT_SUSPENDED = Kind.NOT_ALLOWED, "NARR"
    ACCOUNTS_TOO_MANY = Kind.REFUSED, "NARR"
    KEY_UNUSABLE = Kind.INVALID, "NARR"
    SECRET_MALFORMED = Kind.INVALID, "NARR"
    NOTIFY_URL_INVALID = Kind.INVALID, "NARR"
    PARTNER_NOT_ALLOWED = Kind.NOT_ALLOWED, "NARR"
    ORDER_UNKNOWN = Kind.NOT_FOUND, "NARR"
    ORDER_DIFFERS = Kind.CONFLICT, "DUPL"  # The number came before, with other content.
    ORDER_PAID = Kind.REFUSED, "NARR"
    ORDER_PAYING = Kind.REFUSED, "NARR"
    ORDER_CLOSED = Kind.REFUSED, "NARR"
    ORDER_REVERSED = Kind.REFUSED, "NARR"
    ORDER_FOR_ANOTHER = Kind.REFUSED, "NARR"  # It names who is to pay, and that is somebody else.
    ORDER_NOT_PAID = Kind.REFUSED, "NARR"
    COMBINED_PARTS_WRONG = Kind.INVALID, "NARR"
    COMBINED_NUMBER_TAKEN = Kind.CONFLICT, "DUPL"  # Of a part: another combined order has it.
    REFUND_UNKNOWN = Kind.NOT_FOUND, "NARR"
    REFUND_DIFFERS = Kind.CONFLICT, "DUPL"  # The number came before, with another amount or order.
    REFUND_TOTAL_DIFFERS = Kind.INVALID, "NARR"  # What it says was paid is not what was.
    REFUND_TOO_LATE = Kind.REFUSED, "NARR"  # A year after the payment.
    REFUNDS_TOO_MANY = Kind.REFUSED, "NARR"
    REVERSAL_FAILED = Kind.REFUSED, "NARR"  # The refund of what was paid failed; `because` says of what.
    NOTIFICATION_UNKNOWN = Kind.NOT_FOUND, "NARR"
    FAULT_CODE_UNKNOWN = Kind.INVALID, "NARR"  # Of a sandbox: the vendor documents no such code.
