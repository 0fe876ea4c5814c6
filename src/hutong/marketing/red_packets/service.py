"""All of red packets, wired: what `app` builds, and a node's timer and API talk to."""

import asyncio
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from hutong.codes.plate import PATH, PlateId, read_plate_id
from hutong.institution.payments.cashier import RED_PACKET
from hutong.institution.payments.ports import Notices
from hutong.institution.payments.service import PaymentService
from hutong.institution.policy.policy import Policies
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.marketing.red_packets.claim_service import ClaimService
from hutong.marketing.red_packets.crossing_service import CrossingService, is_for_anything
from hutong.marketing.red_packets.foreign_claim_service import ForeignClaimService
from hutong.marketing.red_packets.ports import People
from hutong.marketing.red_packets.reasons import RedPacketReason
from hutong.marketing.red_packets.red_packet import (
    PacketDraft,
    PersonElsewhere,
    RedPacket,
    RedPacketClaim,
    RedPacketLimits,
    person_key,
)
from hutong.marketing.red_packets.red_packet_service import RedPacketService
from hutong.marketing.red_packets.views import ClaimView, LookView, claim_view
from hutong.runtime.shelf import decided, warmed


class RedPackets:
    """Packets of people here, and whatever people here claim."""

    def __init__(
        self,
        payments: PaymentService,
        policies: Policies,
        people: People,
        notices: Notices,
        *,
        link_key: bytes,
        plate_base: str,
        limits: RedPacketLimits | None = None,
    ) -> None:
        node, ledger, currency = payments.node, payments.ledger, payments.chart.currency
        self.node = node
        self._journal = node.journal
        self._own_links = f"{plate_base}{PATH}"
        self._consults = payments.consults
        self.packets = RedPacketService(
            node,
            ledger,
            currency,
            policies,
            people,
            payments.debtor.usages,
            notices,
            link_key=link_key,
            plate_base=plate_base,
            limits=limits,
        )
        self.claims = ClaimService(node, ledger, currency, people, self.packets)
        self.crossing = CrossingService(
            node,
            currency,
            payments.consults,
            payments.debtor,
            payments.returns,
            self.packets,
            payments.switch,
            plate_base,
        )
        payments.cashier.takers[RED_PACKET] = self.crossing
        self.foreign = ForeignClaimService(node, people, payments.consults, payments.creditor)

    def is_ours(self, link: str) -> bool:
        """Whether a link, as we write them, is of this institution."""
        return link.startswith(self._own_links)

    def own_plate(self, link: str) -> PlateId:
        """What a link of ours names. Refuses RED_PACKET_ELSEWHERE, and a plate that can't be read."""
        return _plate(link, self._own_links)

    # What waits: for the ledger, or for the network.

    async def named_elsewhere(self, code: str, field: str = "to_code") -> PersonElsewhere:
        """
        The person of another institution whose code to receive this is: whom a packet may be for.

        Refuses:  RED_PACKET_NAMES_NOBODY, of a merchant's code, one with an amount, or one for a single payment; what the
                  code's owner refuses; NETWORK_SILENT.
        """
        terms = await self._consults.terms_from_network(code)
        if not is_for_anything(terms) or terms.creditor_agent == self.node.node_id:
            raise Refusal(RedPacketReason.RED_PACKET_NAMES_NOBODY, field=field)
        return PersonElsewhere(terms.creditor_agent, terms.request_id, terms.payee_name)

    async def create(self, user_id: int, draft: Callable[[], PacketDraft]) -> RedPacket:
        """As `RedPacketService.create`, when it is durable; `draft` may look things up."""
        answered = self._journal.promise()
        answer = partial(_fulfil, answered)
        await warmed(self._journal, lambda: self.packets.create(user_id, draft(), answer))
        self._journal.seal()
        packet: RedPacket = await answered
        return packet

    async def claim(self, user_id: int, link: str) -> ClaimView:
        """A share of a packet of any institution. Refuses as `ClaimService.claim`, or `ForeignClaimService.claim`."""
        link = link.strip()
        if not self.is_ours(link):
            return await self.foreign.claim(user_id, link)
        answered = self._journal.promise()

        def answer(packet: RedPacket, claim: RedPacketClaim) -> None:
            _fulfil(answered, claim_view(packet, claim))

        await warmed(self._journal, lambda: self.claims.claim(user_id, self.own_plate(link), answer))
        self._journal.seal()
        view: ClaimView = await answered
        return view

    async def look(self, user_id: int, link: str) -> LookView:
        """What stands on a packet of any institution. Refuses RED_PACKET_UNKNOWN, or as `ForeignClaimService.look`."""
        link = link.strip()
        if not self.is_ours(link):
            return await self.foreign.look(user_id, link)
        return await decided(self._journal, lambda: self._look(user_id, link))

    async def received(self, user_id: int) -> list[ClaimView]:
        """Everything a person got, the newest first."""
        claims = await self.claims.received(user_id)

        def here() -> list[ClaimView]:
            return [claim_view(self.packets.packet(each.packet_id), each) for each in claims]

        found = await decided(self._journal, here) + await self.foreign.received(user_id)
        return sorted(found, key=lambda each: -each.claimed_at_ms)

    def _look(self, user_id: int, link: str) -> LookView:
        packet = self.packets.found(self.own_plate(link))
        claim = self.packets.known_claim(packet, person_key(packet.id, user_id))
        return LookView(
            packet_id=packet.creditor,
            sender_name=packet.sender_name,
            greeting=packet.greeting,
            state=self.packets.state_now(packet),
            is_mine=packet.sender_id == user_id,
            is_for_me=packet.to_user_id == user_id,
            is_for_another=packet.is_for_one and packet.to_user_id != user_id,
            claimed=None if claim is None else claim_view(packet, claim),
            expires_at_ms=packet.expires_ns // NS_PER_MS,
        )

    async def start(self) -> None:
        """Take up what has not ended; payments have started."""
        await self.packets.start()
        await self.claims.start()
        await self.crossing.start()

    def tick(self) -> None:
        """What time alone brings about."""
        self.packets.tick()
        self.crossing.tick()


@lru_cache(10_000)
def _plate(link: str, own_links: str) -> PlateId:
    if not link.startswith(own_links):
        raise Refusal(RedPacketReason.RED_PACKET_ELSEWHERE)
    return read_plate_id(link.removeprefix(own_links))


def _fulfil(answered: "asyncio.Future[Any]", answer: Any) -> None:
    if not answered.done():  # Who waited may have gone.
        answered.set_result(answer)
