"""Why a payment, a refund, a charge or a link to a bank is told no."""

from hutong.kernel.errors import Kind, Reason


class PaymentReason(Reason):
    """Rows are append-only: clients match on the name."""

    # What was sent.
    AMOUNT_NOT_POSITIVE = Kind.INVALID, "AM01"
    AMOUNT_OUT_OF_RANGE = Kind.INVALID, "AM12"
    ID_FROM_THE_FUTURE = Kind.INVALID, "NARR"
    TEXT_MALFORMED = Kind.INVALID, "NARR"
    ID_TAKEN = Kind.CONFLICT, "AM05"  # The id came before with other content; `field` says which.

    # Who is to be paid.
    QUOTE_UNKNOWN = Kind.NOT_FOUND, "NARR"  # Never made, somebody else's, or too old: consult again.
    CODE_NOT_RESOLVED = Kind.REFUSED, "NARR"  # The code's owner said no; `because` names its reason.
    NETWORK_SILENT = Kind.LIMITED, "NARR"  # Nobody answered who the code belongs to. Nothing was sent to pay it.
    AMOUNT_DIFFERS = Kind.REFUSED, "AM09"  # The code asks for another amount.
    QUOTED_FOR_ANOTHER_AMOUNT = Kind.REFUSED, "AM09"  # The payee's discount is of what was typed: consult again.
    AMOUNT_MISSING = Kind.INVALID, "AM12"  # The code leaves it to the payer.
    CURRENCY_DIFFERS = Kind.REFUSED, "AM03"
    PAYING_ONESELF = Kind.REFUSED, "AG01"
    REQUEST_EXPIRED = Kind.REFUSED, "TM01"
    SHARES_UNSOUND = Kind.REFUSED, "AM09"  # Discounts and fees take more than there is.
    CHANNEL_DIFFERS = Kind.REFUSED, "NARR"
    MCC_DIFFERS = Kind.REFUSED, "NARR"

    # Whether the payer may.
    PIN_NEEDED = Kind.NOT_ALLOWED, "NARR"
    ANNUAL_LIMIT_EXCEEDED = Kind.REFUSED, "AM14"
    DAILY_LIMIT_EXCEEDED = Kind.REFUSED, "AM14"
    BALANCE_INSUFFICIENT = Kind.REFUSED, "AM04"
    FUNDING_UNKNOWN = Kind.INVALID, "NARR"
    DISCOUNT_GONE = Kind.REFUSED, "NARR"  # What was offered with the quote is no longer there.

    # What became of it.
    PAYMENT_UNKNOWN = Kind.NOT_FOUND, "NARR"
    REFUSED_EARLIER = Kind.REFUSED, "MS03"  # A crash ate the first answer. It was a no; which no is lost.
    REJECTED_BY_NETWORK = Kind.REFUSED, "MS03"  # The switch said no; `because` names its reason.
    ACCOUNT_REFUSED = Kind.REFUSED, "AC04"  # The payee's account takes nothing.
    NEVER_ACCEPTED = Kind.REFUSED, "NARR"  # A rejection came for what we never saw: its place is taken.

    # Refunds.
    REFUND_UNKNOWN = Kind.NOT_FOUND, "NARR"
    PAYMENT_NOT_COMPLETED = Kind.REFUSED, "NARR"
    REFUND_EXCEEDS_REMAINDER = Kind.REFUSED, "AM14"
    REFUND_OF_A_REFUND = Kind.REFUSED, "NARR"
    MERCHANT_BALANCE_INSUFFICIENT = Kind.REFUSED, "AM04"
    RETURN_MISMATCH = Kind.REFUSED, "NARR"  # A return that is not of a payment of ours to that agent.
    APPROVAL_NEEDED = Kind.NOT_ALLOWED, "NARR"  # The role may not refund alone: a colleague who may types their PIN.
    NOT_REFUNDABLE = Kind.REFUSED, "NARR"  # Between people, or to and from a bank account.

    # Charges by payment code, and mandates.
    CHARGE_UNKNOWN = Kind.NOT_FOUND, "NARR"
    CHARGE_REJECTED = Kind.REFUSED, "NARR"  # The payer's side said no; `because` names its reason.
    DECLINED_BY_PAYER = Kind.REFUSED, "CUST"
    REQUEST_TO_PAY_UNKNOWN = Kind.NOT_FOUND, "NARR"
    REQUEST_TO_PAY_DECIDED = Kind.REFUSED, "NARR"
    MANDATE_UNKNOWN = Kind.NOT_FOUND, "MD01"
    MANDATE_REVOKED = Kind.REFUSED, "MD16"
    MANDATE_LIMIT_EXCEEDED = Kind.REFUSED, "AM14"
    MANDATE_OF_ANOTHER = Kind.REFUSED, "MD01"  # It was granted to another institution.
    MANDATE_MALFORMED = Kind.INVALID, "MD02"
    BANK_ACCOUNT_UNKNOWN = Kind.NOT_FOUND, "NARR"
    BANK_ACCOUNT_UNLINKED = Kind.REFUSED, "NARR"
    HOLDER_DIFFERS = Kind.REFUSED, "BE01"  # The bank's account is of another person than the wallet.
    MANDATES_TOO_MANY = Kind.LIMITED, "NARR"
    BANK_ACCOUNTS_TOO_MANY = Kind.LIMITED, "NARR"
