"""Why money is not sent by a campaign; the dialect has its own words for these."""

from hutong.kernel.errors import Kind, Reason


class CashReason(Reason):
    """What is refused of cash campaigns."""

    CASH_CAMPAIGN_UNKNOWN = Kind.NOT_FOUND, "NARR"
    CASH_CAMPAIGN_STATE_FORBIDS = Kind.REFUSED, "NARR"
    CASH_CAMPAIGN_NOT_OPEN = Kind.REFUSED, "NARR"  # Not started, paused, over, or its time has not come.
    CASH_TERMS_UNSOUND = Kind.INVALID, "NARR"
    CASH_PRIZE_DIFFERS = Kind.CONFLICT, "DUPL"  # The number came before, for another person.
    CASH_PERSON_UNKNOWN = Kind.REFUSED, "NARR"  # Nobody of this institution.
    CASH_PERSON_HAD_ENOUGH = Kind.REFUSED, "NARR"
    CASH_EXHAUSTED = Kind.REFUSED, "NARR"
