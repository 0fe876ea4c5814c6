"""How an institution claims a packet of another for one of its people: the packet's link, with who and where to."""

import re
from urllib.parse import parse_qsl, urlencode

import msgspec

from hutong.kernel.errors import Refusal
from hutong.marketing.red_packets.reasons import RedPacketReason

_REFERENCE = re.compile(r"[0-9A-Za-z-]{16,35}")
_FIELDS_MAX = 2
CODE_LENGTH_MAX = 300


class Claim(msgspec.Struct, frozen=True):
    """
    What stands behind the link: `?for=<reference>&to=<code>`.

    `reference` is the institution's own name of the person, always the same towards one institution, and no news to
    anybody else. `code` is a code of that person, for any amount: what is paid.
    """

    reference: str
    code: str


def claim_text(link: str, claim: Claim) -> str:
    """What is consulted."""
    return f"{link}?{urlencode({'for': claim.reference, 'to': claim.code})}"


def read_claim(query: str) -> Claim:
    """Refuses RED_PACKET_CLAIM_MALFORMED, naming the field."""
    try:
        fields = parse_qsl(
            query, keep_blank_values=True, strict_parsing=True, max_num_fields=_FIELDS_MAX, errors="strict"
        )
    except ValueError:
        raise Refusal(RedPacketReason.RED_PACKET_CLAIM_MALFORMED) from None
    found = dict(fields)
    if set(found) != {"for", "to"} or len(fields) != len(found):
        raise Refusal(RedPacketReason.RED_PACKET_CLAIM_MALFORMED)
    if not _REFERENCE.fullmatch(found["for"]):
        raise Refusal(RedPacketReason.RED_PACKET_CLAIM_MALFORMED, field="for")
    if not 1 <= len(found["to"]) <= CODE_LENGTH_MAX or not found["to"].isprintable():
        raise Refusal(RedPacketReason.RED_PACKET_CLAIM_MALFORMED, field="to")
    return Claim(found["for"], found["to"])
