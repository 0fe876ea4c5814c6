"""The words every kind of code shares: what kind it is, and why it is refused."""

from enum import Enum

from hutong.kernel.errors import Kind, Reason


class Presented(Enum):
    """Who shows the code. It decides who scans, and so which way the first message goes."""

    BY_MERCHANT = "merchant"  # Whoever is paid shows it, a person too: 收款码.
    BY_CONSUMER = "consumer"  # Whoever pays shows it: 付款码.


class CodeReason(Reason):
    """
    Why a text or a picture is refused as a code.

    Refusals from parsing carry `offset`, the first character (in binary codes the first byte) that is wrong, and
    where there is one `id`, the field's, as `62.05`.
    """

    # Any text.
    CODE_KIND_UNKNOWN = Kind.INVALID, "NARR"  # Neither a payload, nor digits, nor a link.
    CODE_TOO_LONG = Kind.INVALID, "NARR"
    CODE_HAS_CONTROL_CHARACTERS = Kind.INVALID, "NARR"
    CODE_UNKNOWN = Kind.NOT_FOUND, "NARR"  # Well formed, and no participant owns it.

    # EMVCo merchant-presented: two-digit ids and lengths.
    FIELD_TRUNCATED = Kind.INVALID, "NARR"
    FIELD_ID_MALFORMED = Kind.INVALID, "NARR"
    FIELD_LENGTH_MALFORMED = Kind.INVALID, "NARR"
    FIELD_TOO_LONG = Kind.INVALID, "NARR"
    FIELD_EMPTY = Kind.INVALID, "NARR"
    FIELD_REPEATED = Kind.INVALID, "NARR"
    FIELD_MISSING = Kind.INVALID, "NARR"
    FIELD_MALFORMED = Kind.INVALID, "NARR"
    FIELD_NOT_ASCII = Kind.INVALID, "NARR"
    FIELDS_OUT_OF_ORDER = Kind.INVALID, "NARR"
    FORMAT_VERSION_UNKNOWN = Kind.INVALID, "NARR"
    CRC_MISSING = Kind.INVALID, "NARR"
    CRC_WRONG = Kind.INVALID, "NARR"
    AMOUNT_ZERO = Kind.INVALID, "AM01"
    AMOUNT_NOT_CANONICAL = Kind.INVALID, "AM12"
    TIP_INCOMPLETE = Kind.INVALID, "NARR"
    NOT_CANONICAL = Kind.INVALID, "NARR"  # A value that would not be read back as itself.

    # EMVCo consumer-presented: BER-TLV in base64.
    BASE64_MALFORMED = Kind.INVALID, "NARR"
    BER_TAG_MALFORMED = Kind.INVALID, "NARR"
    BER_LENGTH_MALFORMED = Kind.INVALID, "NARR"
    BER_TRUNCATED = Kind.INVALID, "NARR"

    # Links: plates, foreign plates, UPI.
    LINK_MALFORMED = Kind.INVALID, "NARR"
    LINK_NOT_SECURE = Kind.INVALID, "NARR"  # http to anywhere but this machine.
    LINK_DISGUISED = Kind.INVALID, "NARR"  # Names one place to the eye and another to the machine.
    PLATE_MALFORMED = Kind.INVALID, "NARR"
    PLATE_MISTYPED = Kind.INVALID, "NARR"  # The check letter disagrees.

    # Payment codes.
    PAYMENT_CODE_MALFORMED = Kind.INVALID, "NARR"
    PAYMENT_CODE_WRONG = Kind.REFUSED, "NARR"  # Nobody's phone shows this now; it never says which part is wrong.
    PAYMENT_CODE_EXPIRED = Kind.REFUSED, "NARR"
    PAYMENT_CODE_REUSED = Kind.REFUSED, "NARR"
    PAYMENT_CODE_GUESSES_EXHAUSTED = Kind.LIMITED, "NARR"

    # The directory.
    FORM_MALFORMED = Kind.INVALID, "NARR"
    FORM_TAKEN = Kind.CONFLICT, "NARR"
    FORM_OVERLAPS = Kind.CONFLICT, "NARR"  # The operator may consent.
    FORM_UNKNOWN = Kind.NOT_FOUND, "NARR"

    # Pictures.
    PICTURE_UNREADABLE = Kind.INVALID, "NARR"
    PICTURE_TOO_LARGE = Kind.INVALID, "NARR"
    PICTURE_WITHOUT_CODE = Kind.INVALID, "NARR"
    LOGO_HIDES_CODE = Kind.INVALID, "NARR"

    # Red packets: nothing is paid to one, it pays whoever claims.
    CODE_IS_RED_PACKET = Kind.REFUSED, "NARR"
    CODE_ASKS_TO_HOLD = Kind.REFUSED, "NARR"  # Nobody is paid by it: a merchant asks to hold money.
