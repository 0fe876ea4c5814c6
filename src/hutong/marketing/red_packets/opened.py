"""An open packet in memory: so that a claim of one that thousands open at once costs the same as any other's."""

from collections.abc import Iterable

from hutong.marketing.red_packets.red_packet import RedPacket, RedPacketClaim


class OpenedPacket:
    """Its shares, who has claimed already, and how much is left."""

    __slots__ = ("claimed", "left", "shares")

    def __init__(self, packet: RedPacket, claims: Iterable[RedPacketClaim]) -> None:
        self.shares = packet.shares()
        self.claimed: dict[int, int] = {}  # The claim's id by its claimant's key, in the order of claims.
        self.left = packet.amount
        for claim in sorted(claims, key=lambda each: each.number):
            assert claim.number == self.next_number, "claims are numbered as they come"
            assert claim.amount == self.next_amount, "a claim is worth what the split says"
            self.take(claim.claimant_key, claim.id)

    @property
    def next_number(self) -> int:
        """Of the next claim."""
        return len(self.claimed)

    @property
    def next_amount(self) -> int:
        """What the next claim is worth."""
        return self.shares[len(self.claimed)]

    @property
    def is_empty(self) -> bool:
        return len(self.claimed) == len(self.shares)

    def take(self, claimant_key: int, claim_id: int) -> None:
        """The next share is this claimant's."""
        self.left -= self.next_amount
        self.claimed[claimant_key] = claim_id
