"""Institutions whose people give each other red packets, on the world of payments."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec

from hutong.institution.chart import red_packet_account
from hutong.kernel.ids import id_text
from hutong.ledger.transfer import AccountFlag
from hutong.marketing.red_packets.red_packet import (
    PacketDraft,
    PersonElsewhere,
    RedPacket,
    RedPacketClaim,
    packet_plate,
)
from hutong.marketing.red_packets.service import RedPackets
from hutong.marketing.red_packets.split import SplitKind
from hutong.marketing.red_packets.views import ClaimView, LookView
from hutong.runtime.shelf import warmed
from tests.institution.payments.neighbours import Person, pin_token
from tests.institution.payments.world import POLICIES, Institution, World, now

T = TypeVar("T")
KEY = b"a key of tests"
DAY_S = 86_400


class People:
    """The smallest people, with a code for each."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self.user = house.neighbours.user
        self.check_pin_token = house.neighbours.check_pin_token

    def own_code(self, user_id: int) -> str:
        return self._house.own_codes[user_id]

    def own_codes(self, user_id: int) -> dict[int, str]:
        texts = [self._house.own_codes[user_id], *self._house.more_codes.get(user_id, ())]
        return {self._house.codes[text]: text for text in texts}


class House(Institution):
    """An institution with red packets."""

    def __init__(self, world: World, node_id: str, seed: int) -> None:
        self.own_codes: dict[int, str] = {}
        self.more_codes: dict[int, list[str]] = {}
        super().__init__(world, node_id, seed)

    def boot(self) -> None:
        super().boot()
        now(self.red_packets.start())

    def wire(self) -> None:
        self.red_packets = RedPackets(
            self.payments,
            POLICIES,
            People(self),
            self.neighbours,
            link_key=KEY,
            plate_base=f"https://{self.node_id}.example",
        )
        self.packets = self.red_packets.packets

    def tick(self) -> None:
        super().tick()
        self.red_packets.tick()

    def user(self, balance: int = 0, tier: int = 3) -> Person:
        person = super().user(balance, tier)
        self.own_codes[person.id] = f"https://{self.node_id}.example/q/P{person.id}"
        self.asks(user=person, code=self.own_codes[person.id], mcc="0000")
        return person

    def another_code(self, person: Person) -> str:
        """Beside the first one, which is the one that claims are made with."""
        codes = self.more_codes.setdefault(person.id, [])
        codes.append(f"https://{self.node_id}.example/q/P{person.id}-{len(codes)}")
        self.asks(user=person, code=codes[-1], mcc="0000")
        return codes[-1]

    def named(self, code: str) -> PersonElsewhere:
        """Whom of another institution a code names."""
        return waited(self.world, lambda: self.red_packets.named_elsewhere(code))

    def look(self, person: Person, link: str) -> LookView:
        """What stands on a packet of whatever institution."""
        return waited(self.world, lambda: self.red_packets.look(person.id, link))

    def open_link(self, person: Person, link: str) -> ClaimView:
        """Claim a packet of whatever institution, and wait for what it says."""
        return waited(self.world, lambda: self.red_packets.claim(person.id, link))

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

    def claims(self, packet: RedPacket) -> list[RedPacketClaim]:
        """Every claim of a packet, in order."""
        return list(now(warmed(self.journal, lambda: self.packets.claims_of(self.packets.packet(packet.id)))))

    def codes_closed(self, code_id: int) -> None:
        """Nobody is paid by a code, for a while."""
        self._code_stands(code_id, "CLOSED")

    def codes_opened(self, code_id: int) -> None:
        self._code_stands(code_id, "OPEN")

    def _code_stands(self, code_id: int, state: str) -> None:
        asks = now(warmed(self.journal, lambda: self.neighbours.request(code_id)))
        self.neighbours.asks.put(msgspec.structs.replace(asks, state=state))
        self.journal.seal()

    def inside(self, packet: RedPacket) -> int:
        """What is in a packet, by the ledger."""
        (account,) = self.accounts(red_packet_account(packet.id))
        assert account.flags & AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
        return account.credits_posted - account.debits_posted

    def newest_of(self, packet_id: int) -> RedPacket:
        """A packet as it is now. Refuses RED_PACKET_UNKNOWN."""
        return now(warmed(self.journal, lambda: self.packets.packet(packet_id)))

    def newest(self, packet: RedPacket) -> RedPacket:
        """The packet as it is now."""
        return now(warmed(self.journal, lambda: self.packets.packet(packet.id)))


class PacketWorld(World):
    institution = House

    def __init__(self, *names: str, **fields: Any) -> None:
        super().__init__(*names, **fields)
        for name in names:
            self.register(name, f"url:https://{name}.example/q/")
        self.flush()
        self.settle()

    def __getitem__(self, name: str) -> House:
        place = self.places[name]
        assert isinstance(place, House)
        return place

    def later(self, seconds: int) -> None:
        """Time goes by, and everybody's timer with it."""
        self.tick(seconds)
        self.flush()
        self.settle()


def waited(world: World, errand: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of what waits for the network, which delivers whatever there is until it has come."""

    async def through() -> T:
        doing = asyncio.ensure_future(errand())
        while not doing.done():
            await asyncio.sleep(0)
            world.flush()
            world.settle()
        return await doing

    return asyncio.run(through())
