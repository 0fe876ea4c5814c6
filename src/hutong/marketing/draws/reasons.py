"""Why a draw's terms, its public record or a wish about draws is refused."""

from hutong.kernel.errors import Kind, Reason


class DrawReason(Reason):
    """What is said of draws."""

    DISTRIBUTION_INVALID = Kind.INVALID, "NARR"
    DRAW_TERMS_INVALID = Kind.INVALID, "NARR"
    DRAW_RECORD_MALFORMED = Kind.INVALID, "NARR"  # What is to be verified can't even be read.
    DRAW_UNKNOWN = Kind.NOT_FOUND, "NARR"
    DRAW_CAMPAIGN_UNKNOWN = Kind.NOT_FOUND, "NARR"
    DRAW_DAY_UNKNOWN = Kind.NOT_FOUND, "NARR"
    DRAW_SEED_NOT_REVEALED = Kind.REFUSED, "NARR"  # The day is not over: nothing can be recomputed yet.
