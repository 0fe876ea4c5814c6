"""
Claims of people here.

A claim is decided in memory and appended with its transfer in one commit, so a packet that thousands open in the same
second gives each of them one share, and nobody two.
"""

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from hutong.codes.plate import PlateId
from hutong.institution import chart
from hutong.institution.payments.payment import Why
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency
from hutong.ledger import packet_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.marketing.red_packets.ports import People
from hutong.marketing.red_packets.reasons import RedPacketReason
from hutong.marketing.red_packets.red_packet import RED_PACKET_CLAIMS, ClaimState, RedPacket, RedPacketClaim, person_key
from hutong.marketing.red_packets.red_packet_service import RedPacketService
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import UNFINISHED_WITHIN

Claimed = Callable[[RedPacket, RedPacketClaim], None]
_PAID = ClaimState.PAID.value


class ClaimService:
    """Who opens a packet here."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        currency: Currency,
        people: People,
        packets: RedPacketService,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._ledger = ledger
        self._currency = currency
        self._people = people
        self._packets = packets
        self._claims = packets.claims

    async def start(self) -> None:
        """Move what a crash kept from the ledger: the packets have started."""
        for claim in await self._claims.load_since(max(0, self._journal.position - UNFINISHED_WITHIN)):
            if claim.state == ClaimState.MOVING:
                await self._packets.packets.load([claim.packet_id])
                self._node.decide(
                    partial(self._move, self._packets.packet(claim.packet_id), _paid(claim), _nobody_waits)
                )
        self._journal.seal()

    def claim(self, user_id: int, plate: PlateId, answer: Claimed) -> None:
        """
        Claim a share for a person here; `answer` is told it when its money is there.

        Moves:    packet -> wallet.
        Refuses:  RED_PACKET_UNKNOWN; RED_PACKET_NOT_YOURS; RED_PACKET_NOT_OPEN, RED_PACKET_EMPTY, RED_PACKET_EXPIRED;
                  USER_FROZEN, USER_CLOSED.
        Repeats:  the same share, whatever became of the packet.
        """
        packet = self._packets.found(plate)
        key = person_key(packet.id, user_id)
        known = self._packets.known_claim(packet, key)
        if known is not None:
            self._journal.effect(partial(answer, packet, known))
            return
        if packet.is_for_one and packet.to_user_id != user_id:
            raise Refusal(RedPacketReason.RED_PACKET_NOT_YOURS)
        if user_id == packet.sender_id and not (packet.count > 1 and self._packets.limits.sender_may_claim):
            raise Refusal(RedPacketReason.RED_PACKET_NOT_YOURS)
        now_ns = self._node.clock.now_ns()
        packet.check_claimable(now_ns)
        opened = self._packets.opened(packet)
        claimant = self._people.user(user_id)
        claimant.may_receive(now_ns)
        claim = RedPacketClaim(
            id=self._node.mint.mint(),
            packet_id=packet.id,
            claimant_key=key,
            number=opened.next_number,
            amount=opened.next_amount,
            user_id=user_id,
            agent="",
            name=claimant.masked_name,
            code="",
            state=_PAID,
            attempt=0,
            sending_day=None,
            reason="",
            created_ns=now_ns,
            changed_ns=now_ns,
        )
        self._move(self._packets.taken(packet, opened, claim), claim, answer)

    def _move(self, packet: RedPacket, claim: RedPacketClaim, answer: Claimed) -> None:
        """A claim is PAID with its transfer, in one row; MOVING before, if the ledger can't say so at once."""
        transfer = packet_recipes.claim(
            claim.id,
            packet.id,
            packet=packet.account(self._currency),
            wallet=chart.user_account(claim.user_id, self._currency),
            amount=claim.amount,
            ledger=self._currency.ledger,
            code=Why.RED_PACKET_CLAIMED,
        )
        is_moved = False

        def moved(statuses: list[TransferStatus]) -> None:
            nonlocal is_moved
            assert statuses[0] in TRANSFER_DONE, statuses  # The shares add up to the packet.
            is_moved = True
            self._claims.put(claim)
            self._journal.effect(partial(answer, packet, claim))

        self._ledger.create_transfers([transfer], moved)
        if not is_moved:
            self._claims.put(replace(claim, state=ClaimState.MOVING.value))

    async def received(self, user_id: int) -> list[RedPacketClaim]:
        """What a person claimed of packets here."""
        # Whatever was answered is durable; an index in memory would cost every claim.
        found = {row.id for _, row in await self._node.store.find(RED_PACKET_CLAIMS, "user_id", [user_id])}
        await self._claims.load(found)
        return [claim for id_ in sorted(found) if (claim := self._claims.get(id_)) is not None]


def _paid(claim: RedPacketClaim) -> RedPacketClaim:
    return replace(claim, state=_PAID)


def _nobody_waits(_packet: RedPacket, _claim: RedPacketClaim) -> None:
    """After a restart."""
