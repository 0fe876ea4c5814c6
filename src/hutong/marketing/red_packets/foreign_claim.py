"""What a person here claimed of another institution's packet."""

import msgspec

from hutong.codes.link import read_link
from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Table, Text, Uuid
from hutong.scheme.messages import id_hex


class ForeignClaim(msgspec.Struct, frozen=True, kw_only=True):
    """One version of it, as the packet's institution told it. Id: derived from (person, link)."""

    id: Uuid
    user_id: Uuid
    link: Text
    agent: Text  # The packet's institution.
    sender_name: Text
    greeting: Text
    amount: BigInt
    currency: Text
    payment_id: Uuid  # Under which it comes, or came; another when the first was refused.
    created_ns: BigInt
    changed_ns: BigInt


FOREIGN_CLAIMS = Table("red_packet_foreign_claims", ForeignClaim)


def one_spelling(link: str) -> str:
    """The link without a query. Refuses what is no link."""
    return str(read_link(link.strip())).partition("?")[0].partition("#")[0]


def foreign_claim_id(user_id: int, link: str) -> int:
    """By what a claim is found."""
    return derive(user_id, f"red packet/{link}")


def claimant_reference(user_id: int, link: str) -> str:
    """What we call a person towards the institution of a link: the same for all its packets, and of no use to another's."""
    return id_hex(derive(user_id, f"red packets/{read_link(link).authority}"))
