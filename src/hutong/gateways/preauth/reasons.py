"""Why an authorisation is told no; each dialect has its own words for these."""

from hutong.kernel.errors import Kind, Reason


class PreauthReason(Reason):
    """What is refused of authorisations, whatever the dialect."""

    PREAUTH_UNKNOWN = Kind.NOT_FOUND, "NARR"
    PREAUTH_DIFFERS = Kind.CONFLICT, "DUPL"  # The number came before, with another content.
    PREAUTH_OPERATION_UNKNOWN = Kind.NOT_FOUND, "NARR"
    PREAUTH_OPERATION_DIFFERS = Kind.CONFLICT, "DUPL"
    PREAUTH_NOT_OPEN = Kind.REFUSED, "NARR"  # It was authorised, closed, or its time is over.
    PREAUTH_NOT_HELD = Kind.REFUSED, "NARR"  # Nothing is held, or not any more.
    PREAUTH_EXCEEDS_HELD = Kind.REFUSED, "AM14"
    PREAUTH_CODE_REFUSED = (
        Kind.REFUSED,
        "NARR",
    )  # Whoever the code belongs to, elsewhere, says no; another may be tried.
    PREAUTH_BALANCE_INSUFFICIENT = Kind.REFUSED, "AM04"
