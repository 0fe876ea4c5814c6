"""Why an agreement is told no; each dialect has its own words for these."""

from hutong.kernel.errors import Kind, Reason


class AgreementReason(Reason):
    """What is refused of agreements, whatever the dialect."""

    AGREEMENT_UNKNOWN = Kind.NOT_FOUND, "NARR"
    AGREEMENT_DIFFERS = Kind.CONFLICT, "DUPL"  # The number came before, with another content.
    AGREEMENT_SIGNED = Kind.REFUSED, "NARR"  # It is in force: there is nothing to offer, or to sign by another.
    AGREEMENT_LAPSED = Kind.REFUSED, "TM01"  # Nobody signed it in time.
    AGREEMENT_ENDED = Kind.REFUSED, "MD16"
    AGREEMENT_NOT_SIGNED = Kind.REFUSED, "MD01"
    AGREEMENT_NOT_DUE = Kind.REFUSED, "NARR"  # It was taken in this period, or the first has not come; `due` says when.
    AGREEMENT_SINGLE_EXCEEDED = Kind.REFUSED, "AM02"
    AGREEMENT_TOTAL_EXCEEDED = Kind.REFUSED, "AM02"  # Behind what was taken before.
    AGREEMENT_TIMES_EXCEEDED = Kind.REFUSED, "NARR"
    AGREEMENT_LIMIT_INVALID = Kind.INVALID, "AM12"
    CODE_IS_AGREEMENT = Kind.REFUSED, "NARR"  # Nobody is paid by its link: a wallet signs it.
