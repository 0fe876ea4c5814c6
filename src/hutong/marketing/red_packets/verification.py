"""Whether a packet was split as it was promised: from what its sender and everybody who claimed can read, and nothing else."""

from binascii import unhexlify

import msgspec

from hutong.kernel.ids import parse_id
from hutong.marketing.red_packets.red_packet import PACKET_PREFIX, PacketState
from hutong.marketing.red_packets.split import SEED_BYTES, SplitKind, commitment, shares
from hutong.marketing.red_packets.views import PacketView, ShareView


class PacketRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A packet and everybody's share, as the API tells them; `hutong packet show --save` writes one."""

    packet: PacketView
    shares: list[ShareView]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was compared."""

    holds: bool
    text: str


def verify(record: PacketRecord, promised: str = "") -> list[Finding]:
    """
    Everything that must hold of a packet that is over. `promised`: a commitment that was noted while it was open.

    Of one that is still open there is a finding that says so: its seed is not told yet.
    """
    packet, claims = record.packet, record.shares
    found = [
        Finding([each.number for each in claims] == list(range(len(claims))), "claims are numbered as they came"),
        Finding(packet.claimed_amount == sum(each.amount for each in claims), "claims add up to what was claimed"),
        Finding(
            packet.claimed_count == len(claims) <= packet.count and packet.claimed_amount <= packet.amount,
            "no more was claimed than was in it",
        ),
    ]
    if packet.state is PacketState.EMPTY:
        found.append(Finding(packet.claimed_amount == packet.amount, "the shares add up to the packet"))
    if promised:
        found.append(Finding(promised.lower() == packet.commitment, "the commitment is the one noted before"))
    possible = 1 <= packet.count <= packet.amount and not (
        packet.kind is SplitKind.EQUAL and packet.amount % packet.count
    )
    if not possible:
        return [*found, Finding(False, "the amount can be shared among so many")]
    seed = _seed(packet.seed)
    if seed is None:
        return [*found, Finding(False, "the seed is told: the packet is over")]
    id_ = parse_id(PACKET_PREFIX, packet.packet_id)
    split = shares(packet.kind, packet.amount, packet.count, id_, seed)
    return [
        *found,
        Finding(commitment(id_, seed).hex() == packet.commitment, "the seed is the one committed to"),
        Finding(sum(split) == packet.amount, "the seed's shares add up to the packet"),
        *(
            Finding(each.amount == split[each.number], f"share {each.number + 1} of {packet.count}: {each.amount} fen")
            for each in claims
            if each.number < len(split)
        ),
    ]


def _seed(text: str) -> bytes | None:
    try:
        seed = unhexlify(text)
    except ValueError:
        return None
    return seed if len(seed) == SEED_BYTES else None
