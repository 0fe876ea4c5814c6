"""What the API says of red packets."""

from collections.abc import Sequence

import msgspec

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.red_packets.red_packet import (
    CLAIM_PREFIX,
    PACKET_PREFIX,
    ClaimState,
    PacketDraft,
    PacketState,
    PersonElsewhere,
    RedPacket,
    RedPacketClaim,
)
from hutong.marketing.red_packets.split import SplitKind


class CreatePacket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Fill a packet. `packet_id` is the caller's own, minted and kept before the first try: try as often as need be.

    A PIN token for it is bound to `payment_id` (the same letters behind `pay_`), `amount`, and `packet_id` as the creditor.
    """

    packet_id: str
    kind: SplitKind
    amount: int  # Of all shares together, in minor units.
    count: int
    greeting: str = ""
    to_code: str = (
        ""  # A code to receive of the one person it is for, of any institution; empty: of whoever has the link.
    )
    pin_token: str = ""

    def draft(self, to_user_id: int | None, to_elsewhere: PersonElsewhere | None = None) -> PacketDraft:
        return PacketDraft(
            packet_id=parse_id(PACKET_PREFIX, self.packet_id),
            kind=self.kind,
            amount=self.amount,
            count=self.count,
            greeting=self.greeting,
            to_user_id=to_user_id,
            to_elsewhere=to_elsewhere,
            pin_token=self.pin_token,
        )


class PacketLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The link of a packet, of any institution of the network."""

    link: str


class ShareView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One claimed share. `number` counts from 0, in the order of claims: by it the share follows from the seed."""

    number: int
    name: str
    amount: int
    state: ClaimState
    agent: str = ""  # The institution of the claimant; left out: this one.
    returned: int = 0  # So much of it that institution gave back, to the sender.
    claimed_at_ms: int


class ClaimView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What I got. SENDING: it is on its way from another institution, and will be here."""

    claim_id: str = ""
    packet_id: str = ""
    link: str = ""
    sender_name: str
    greeting: str = ""
    amount: int
    currency: str
    state: ClaimState
    institution: str = ""  # Whose packet it was; left out: of this one.
    claimed_at_ms: int


class PacketView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    A packet as its sender and those who claimed see it.

    `commitment` is told from the beginning; `seed` when nobody can claim any more: see `docs/red-packets.md`.
    """

    packet_id: str
    sender_name: str
    kind: SplitKind
    amount: int
    count: int
    currency: str
    greeting: str = ""
    state: PacketState
    reason: str = ""
    claimed_count: int
    claimed_amount: int
    returned: int = 0
    commitment: str
    seed: str = ""
    link: str = ""  # For the sender alone.
    to_institution: str = ""  # Of the one person of another institution it is for,
    to_name: str = ""  # and their name as it is shown: for the sender alone.
    mine: ShareView | None = None
    created_at_ms: int
    expires_at_ms: int
    ended_at_ms: int = 0


class LookView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stands on a packet before it is opened."""

    packet_id: str = ""  # Left out of another institution's.
    sender_name: str
    greeting: str = ""
    state: PacketState
    is_mine: bool = False  # I filled it.
    is_for_me: bool = False  # And for nobody else.
    is_for_another: bool = False  # One person, and I am not that one.
    institution: str = ""  # Whose it is; left out: of this one.
    claimed: ClaimView | None = None  # What I got of it already.
    expires_at_ms: int = 0


class SharePage(msgspec.Struct, frozen=True, kw_only=True):
    """Claims in their order. `next_after` is where to go on; null at the end."""

    shares: list[ShareView]
    next_after: int | None


def share_view(claim: RedPacketClaim) -> ShareView:
    return ShareView(
        number=claim.number,
        name=claim.name,
        amount=claim.amount,
        state=_settled(claim),
        agent=claim.agent,
        returned=claim.returned,
        claimed_at_ms=claim.created_ns // NS_PER_MS,
    )


def claim_view(packet: RedPacket, claim: RedPacketClaim) -> ClaimView:
    return ClaimView(
        claim_id=id_text(CLAIM_PREFIX, claim.id),
        packet_id=packet.creditor,
        sender_name=packet.sender_name,
        greeting=packet.greeting,
        amount=claim.amount,
        currency=packet.currency,
        state=_settled(claim),
        claimed_at_ms=claim.created_ns // NS_PER_MS,
    )


def packet_view(
    packet: RedPacket, claims: Sequence[RedPacketClaim], *, link: str = "", mine: RedPacketClaim | None = None
) -> PacketView:
    return PacketView(
        packet_id=packet.creditor,
        sender_name=packet.sender_name,
        kind=SplitKind(packet.kind),
        amount=packet.amount,
        count=packet.count,
        currency=packet.currency,
        greeting=packet.greeting,
        state=PacketState(packet.state),
        reason=packet.reason,
        claimed_count=len(claims),
        claimed_amount=sum(claim.amount for claim in claims),
        returned=packet.returned,
        commitment=packet.commitment.hex(),
        seed=packet.seed.hex() if packet.is_over else "",
        link=link,
        to_institution=packet.to_agent if link else "",
        to_name=packet.to_name if link else "",
        mine=None if mine is None else share_view(mine),
        created_at_ms=packet.created_ns // NS_PER_MS,
        expires_at_ms=packet.expires_ns // NS_PER_MS,
        ended_at_ms=packet.ended_ns // NS_PER_MS,
    )


def _settled(claim: RedPacketClaim) -> ClaimState:
    """What is MOVING is there before anybody hears of it."""
    return ClaimState.PAID if claim.state == ClaimState.MOVING else ClaimState(claim.state)
