"""Why parking is told no; each dialect has its own words for these."""

from hutong.kernel.errors import Kind, Reason


class ParkingReason(Reason):
    """What is refused of parking, whatever the dialect."""

    PLATE_MALFORMED = Kind.INVALID, "NARR"
    ENTRY_UNKNOWN = Kind.NOT_FOUND, "NARR"
    ENTRY_DIFFERS = Kind.CONFLICT, "DUPL"  # The number came before, with another content.
    ENTRY_OF_ANOTHER_CAR = Kind.REFUSED, "NARR"
    ENTRY_PAYING = Kind.REFUSED, "NARR"  # It is just being taken, under another number.
    ENTRY_PAID = Kind.REFUSED, "NARR"
    PLATE_NOT_AGREED = Kind.REFUSED, "MD01"  # Nobody lets this car's parking be taken, or not any more.
