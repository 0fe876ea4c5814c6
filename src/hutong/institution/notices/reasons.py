"""Why notices say no."""

from hutong.kernel.errors import Kind, Reason


class NoticeReason(Reason):
    """Rows are append-only: clients match on the name."""

    EVENT_UNKNOWN = Kind.NOT_FOUND, "NARR"
    EVENT_TYPE_MALFORMED = Kind.INVALID, "NARR"
    WEBHOOK_UNKNOWN = Kind.NOT_FOUND, "NARR"
    WEBHOOK_TAKEN = Kind.CONFLICT, "NARR"  # The id was used with other content; `field` says which.
    WEBHOOKS_TOO_MANY = Kind.REFUSED, "NARR"
    WEBHOOK_URL_MALFORMED = Kind.INVALID, "NARR"
    WEBHOOK_URL_NOT_SECURE = Kind.INVALID, "NARR"  # http, and no machine of our own network.
    WEBHOOK_TARGET_FORBIDDEN = Kind.REFUSED, "NARR"  # An address of our own network.
    WEBHOOK_ROTATING = Kind.CONFLICT, "NARR"  # The last rotation's old secret still signs.
