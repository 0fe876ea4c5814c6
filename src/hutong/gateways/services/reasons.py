"""Why a service order is told no."""

from hutong.kernel.errors import Kind, Reason


class ServiceReason(Reason):
    """What is refused of service orders, whatever the dialect."""

    SERVICE_UNKNOWN = Kind.NOT_FOUND, "NARR"
    SERVICE_DIFFERS = Kind.CONFLICT, "DUPL"  # The number came before, with other content.
    SERVICE_REVOKED = Kind.REFUSED, "NARR"
    SERVICE_COMPLETED = Kind.REFUSED, "NARR"
    SERVICE_NOT_COMPLETED = Kind.REFUSED, "NARR"
    SERVICE_NOT_AGREED = Kind.REFUSED, "MD01"  # The person has not agreed to it.
    SERVICE_PAYING = Kind.REFUSED, "NARR"  # The last try to take it may yet succeed.
    SERVICE_PAID = Kind.REFUSED, "NARR"
    SERVICE_TOTAL_EXCEEDED = Kind.INVALID, "AM14"  # More than was agreed, or said before.
    SERVICE_ATTEMPTS_EXHAUSTED = Kind.LIMITED, "NARR"
