"""Institutions whose people give each other red packets, on the world of payments."""

from typing import Any

from hutong.institution.chart import red_packet_account
from hutong.kernel.ids import id_text
from hutong.ledger.transfer import AccountFlag
from hutong.marketing.red_packets.red_packet import PacketDraft, RedPacket, RedPacketClaim, packet_plate
from hutong.marketing.red_packets.service import RedPackets
from hutong.marketing.red_packets.split import SplitKind
from hutong.runtime.shelf import warmed
from tests.institution.payments.neighbours import Person, pin_token
from tests.institution.payments.world import POLICIES, Institution, World, now

KEY = b"a key of tests"
DAY_S = 86_400


class House(Institution):
    """An institution with red packets."""

    def boot(self) -> None:
        super().boot()
        now(self.red_packets.start())

    def wire(self) -> None:
        self.red_packets = RedPackets(
            self.payments,
            POLICIES,
            self.neighbours,
            self.neighbours,
            link_key=KEY,
            plate_base=f"https://{self.node_id}.example",
        )
        self.packets = self.red_packets.packets

    def tick(self) -> None:
        super().tick()
        self.red_packets.tick()

    def draft(self, sender: Person, amount: int, count: int, kind: SplitKind, **fields: Any) -> PacketDraft:
        """What a sender gives, with the PIN."""
        packet_id = fields.pop("packet_id", None) or self.node.mint.mint()
        token = pin_token(sender.id, packet_id, amount, id_text("rpk", packet_id))
        return PacketDraft(packet_id=packet_id, kind=kind, amount=amount, count=count, pin_token=token, **fields)

    def give(self, sender: Person, draft: PacketDraft) -> RedPacket:
        """Create it, and wait until it is told; the network must be delivering."""
        told: list[RedPacket] = []
        self.decide(lambda: self.packets.create(sender.id, draft, told.append))
        self.journal.flush()
        return told[-1]

    def open(self, person: Person, packet: RedPacket) -> RedPacketClaim:
        """Claim it as somebody who has its link."""
        told: list[RedPacketClaim] = []
        plate = packet_plate(packet.id, KEY)
        self.decide(lambda: self.red_packets.claims.claim(person.id, plate, lambda _, claim: told.append(claim)))
        self.journal.flush()
        return told[-1]

    def waiting(self, person: Person) -> list[int]:
        """The packets that wait for this person alone."""
        return [each.id for each in now(warmed(self.journal, lambda: self.packets.waiting(person.id)))]

    def inside(self, packet: RedPacket) -> int:
        """What is in a packet, by the ledger."""
        (account,) = self.accounts(red_packet_account(packet.id))
        assert account.flags & AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
        return account.credits_posted - account.debits_posted

    def newest(self, packet: RedPacket) -> RedPacket:
        """The packet as it is now."""
        return now(warmed(self.journal, lambda: self.packets.packet(packet.id)))


class PacketWorld(World):
    institution = House

    def __getitem__(self, name: str) -> House:
        place = self.places[name]
        assert isinstance(place, House)
        return place

    def later(self, seconds: int) -> None:
        """Time goes by, and everybody's timer with it."""
        self.tick(seconds)
        self.flush()
        self.settle()
