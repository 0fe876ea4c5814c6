"""
Red packets over HTTP, for people.

`POST /v1/me/red-packets/claims` itself is answered by `hot_api`; it stands here to be described.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from litestar import Controller, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from hutong.codes.code import CodeReason
from hutong.institution.door_api import Door, session_guard
from hutong.institution.people.device import Session
from hutong.institution.people.service import PeopleService
from hutong.kernel.errors import Kind, Refusal
from hutong.kernel.ids import parse_id
from hutong.marketing.red_packets.red_packet import (
    PACKET_PREFIX,
    PacketState,
    PersonElsewhere,
    RedPacket,
    RedPacketClaim,
    person_key,
)
from hutong.marketing.red_packets.service import RedPackets
from hutong.marketing.red_packets.views import (
    ClaimView,
    CreatePacket,
    LookView,
    PacketLink,
    PacketView,
    SharePage,
    packet_view,
    share_view,
)
from hutong.runtime.http import Problem
from hutong.runtime.shelf import decided, warmed

Recipient = Callable[[str], int]


class Role(StrEnum):
    SENT = "sent"
    WAITING = "waiting"  # For me alone, and still to be opened.


@dataclass(frozen=True, slots=True)
class PacketEdge:
    """What the handlers need. `recipient` is whose personal code of this institution a text is; it refuses any other."""

    red_packets: RedPackets
    recipient: Recipient

    async def create(self, user_id: int, data: CreatePacket) -> RedPacket:
        here, there = await whom(self.red_packets, self.recipient, data.to_code)
        return await self.red_packets.create(user_id, lambda: data.draft(here, there))

    def seen(self, user_id: int, packet_id: int) -> tuple[RedPacket, Sequence[RedPacketClaim]]:
        """A packet of mine, or of which I claimed, and all its claims. Refuses RED_PACKET_UNKNOWN. May raise `Cold`."""
        return self.red_packets.packets.seen(user_id, packet_id)

    def view(self, user_id: int, packet: RedPacket, claims: Sequence[RedPacketClaim]) -> PacketView:
        key = person_key(packet.id, user_id)
        mine = next((each for each in claims if each.claimant_key == key), None)
        link = self.red_packets.packets.link(packet) if packet.sender_id == user_id else ""
        return packet_view(packet, claims, link=link, mine=mine)


async def whom(
    red_packets: RedPackets, recipient: Recipient, text: str, field: str = "to_code"
) -> tuple[int, None] | tuple[None, PersonElsewhere | None]:
    """The one person here or elsewhere that a text names; nobody, where it is empty. Refuses as `named_elsewhere`."""
    if not text:
        return None, None
    try:
        return await warmed(red_packets.node.journal, lambda: recipient(text)), None
    except Refusal as refusal:
        if refusal.reason is not CodeReason.CODE_UNKNOWN:
            raise
    return None, await red_packets.named_elsewhere(text, field)


Edge = NamedDependency[SkipValidation[PacketEdge]]
Signed = NamedDependency[SkipValidation[Session]]
After = Annotated[int, QueryParameter(ge=-1, le=2**31 - 1, description="The `next_after` of the page before.")]
Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="How many at most.")]
Which = Annotated[Role, QueryParameter(description="`sent`: mine. `waiting`: for me alone, and still to be opened.")]


class Packets(Controller):
    """Money in a packet for friends: equal shares, or lucky ones."""

    path = "/me/red-packets"
    tags = ("Red packets",)

    @post(status_code=200)
    async def create(self, edge: Edge, session: Signed, data: JSONBody[CreatePacket]) -> Response[Any]:
        """Fill a packet; its link is for whom it is meant. 422: the balance does not cover it."""
        packet = await edge.create(session.user_id, data)
        if packet.state == PacketState.FAILED:
            return Response(failed(packet), status_code=422)
        view = await decided(edge.red_packets.node.journal, lambda: edge.view(session.user_id, packet, []))
        return Response(view)

    @get()
    async def list_packets(self, edge: Edge, session: Signed, role: Which = Role.SENT) -> list[PacketView]:
        """My packets, the newest first; or those that wait for me."""
        packets = edge.red_packets.packets

        def listed() -> list[PacketView]:
            found = packets.sent(session.user_id) if role is Role.SENT else packets.waiting(session.user_id)
            return [edge.view(session.user_id, each, packets.claims_of(each)) for each in found]

        return await decided(edge.red_packets.node.journal, listed)

    @post("/claims", status_code=200)
    async def claim(self, edge: Edge, session: Signed, data: JSONBody[PacketLink]) -> ClaimView:
        """Open a packet by its link: the share is mine, once, however often I ask."""
        return await edge.red_packets.claim(session.user_id, data.link)

    @get("/claims")
    async def received(self, edge: Edge, session: Signed) -> list[ClaimView]:
        """What I got, the newest first."""
        return await edge.red_packets.received(session.user_id)

    @post("/look", status_code=200)
    async def look(self, edge: Edge, session: Signed, data: JSONBody[PacketLink]) -> LookView:
        """What stands on a packet: who it is from, and whether there is something left."""
        return await edge.red_packets.look(session.user_id, data.link)

    @get("/{packet_id:str}")
    async def show(self, edge: Edge, session: Signed, packet_id: FromPath[str]) -> PacketView:
        """A packet of mine, or of which I got something."""
        id_ = parse_id(PACKET_PREFIX, packet_id)
        return await decided(
            edge.red_packets.node.journal, lambda: edge.view(session.user_id, *edge.seen(session.user_id, id_))
        )

    @get("/{packet_id:str}/shares")
    async def shares(
        self, edge: Edge, session: Signed, packet_id: FromPath[str], after: After = -1, limit: Limit = 200
    ) -> SharePage:
        """Who got what, in the order of claims; by it everybody can check the split when the packet is over."""
        id_ = parse_id(PACKET_PREFIX, packet_id)

        def page() -> SharePage:
            _, claims = edge.seen(session.user_id, id_)
            found = claims[after + 1 : after + 1 + limit]
            more = after + 1 + limit < len(claims)
            return SharePage(shares=[share_view(each) for each in found], next_after=after + limit if more else None)

        return await decided(edge.red_packets.node.journal, page)


def failed(packet: RedPacket) -> Problem:
    """The no that came after the packet was written down."""
    return Problem(
        reason=packet.reason,
        kind=Kind.REFUSED.value,
        code="AM04",
        message=packet.reason.replace("_", " ").capitalize() + ".",
        facts={"state": packet.state, "packet_id": packet.creditor},
    )


def packet_routes(red_packets: RedPackets, people: PeopleService, recipient: Recipient) -> Router:
    """The handlers for `make_app`."""
    edge = PacketEdge(red_packets, recipient)
    return Door("session", session_guard(red_packets.node, people)).router("/v1", [Packets], edge=edge)
