"""Why a red packet is told no."""

from hutong.kernel.errors import Kind, Reason


class RedPacketReason(Reason):
    """Rows are append-only: clients match on the name."""

    RED_PACKET_UNKNOWN = Kind.NOT_FOUND, "NARR"
    RED_PACKET_ID_TAKEN = Kind.CONFLICT, "AM05"  # The id came before with other content; `field` says which.
    RED_PACKET_SPLIT_IMPOSSIBLE = Kind.INVALID, "AM09"  # Less than a fen each, or not the same for each.
    RED_PACKET_COUNT_OUT_OF_RANGE = Kind.INVALID, "NARR"
    RED_PACKET_TOO_MUCH = Kind.REFUSED, "AM14"  # More each than a packet may hold.
    RED_PACKET_FOR_ONE = Kind.INVALID, "NARR"  # To a named person goes one share.
    RED_PACKET_TO_ONESELF = Kind.REFUSED, "AG01"
    RED_PACKET_NOT_OPEN = Kind.REFUSED, "NARR"  # Its money is not in it, yet or for good.
    RED_PACKET_NOT_YOURS = Kind.REFUSED, "NARR"  # It is for somebody else.
    RED_PACKET_EXPIRED = Kind.REFUSED, "TM01"
    RED_PACKET_EMPTY = Kind.REFUSED, "NARR"  # Others were quicker.
    RED_PACKET_ELSEWHERE = Kind.REFUSED, "NARR"  # It is another institution's, whose name the network knows.
    RED_PACKET_NOT_CLAIMED = Kind.REFUSED, "NARR"  # Its institution said no; `because` names its reason.
    RED_PACKET_CLAIM_MALFORMED = Kind.INVALID, "NARR"
    RED_PACKET_PAYEE_ELSEWHERE = Kind.REFUSED, "AG01"  # The code to pay is not of the institution that claims.
    RED_PACKET_NOT_DELIVERED = Kind.REFUSED, "NARR"  # The claimant's institution refused the money for a day.
    RED_PACKET_NAMES_NOBODY = (
        Kind.INVALID,
        "AG01",
    )  # It is to be for one person, and the code is no person's for any amount.
