"""Every no of settlement."""

from hutong.kernel.errors import Kind, Reason


class SettlementReason(Reason):
    """Why settlement refuses."""

    CALENDAR_INVALID = Kind.INVALID, "NARR"
    CALENDAR_CONFLICTS = Kind.CONFLICT, "DUPL"
    CALENDAR_STARTS_TOO_EARLY = Kind.INVALID, "NARR"
    WINDOW_UNKNOWN = Kind.NOT_FOUND, "NARR"
    WINDOW_NOT_CLOSED = Kind.REFUSED, "NARR"
    WINDOW_NOT_OPEN_YET = Kind.REFUSED, "NARR"
    WINDOW_CLOSED_ALREADY = Kind.CONFLICT, "NARR"
