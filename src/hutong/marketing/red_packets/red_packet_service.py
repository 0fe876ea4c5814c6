"""
Red packets of people here: filled, and given back when their time is over.

Claims of people here are `ClaimService`'s, claims from other institutions `CrossingService`'s: both take the next share
from what this remembers of an open packet.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from hutong.codes.plate import Plate, PlateId, PlateKind
from hutong.institution import chart
from hutong.institution.payments.payment import Why, check_new_id
from hutong.institution.payments.ports import Notices, Payer
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.usage_service import UsageService
from hutong.institution.policy.policy import Policies
from hutong.institution.recalls.recall import Rounds
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive, id_text
from hutong.kernel.money import Currency
from hutong.ledger import packet_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, AccountStatus, TransferStatus
from hutong.marketing.red_packets.opened import OpenedPacket
from hutong.marketing.red_packets.ports import People
from hutong.marketing.red_packets.reasons import RedPacketReason
from hutong.marketing.red_packets.red_packet import (
    PACKET_PREFIX,
    RED_PACKET_CLAIMS,
    RED_PACKET_DAYS,
    RED_PACKETS,
    PacketDay,
    PacketDraft,
    PacketState,
    RedPacket,
    RedPacketClaim,
    RedPacketLimits,
    packet_plate,
    plate_key,
)
from hutong.marketing.red_packets.split import SEED_BYTES
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, warmed
from hutong.scheme.messages import Channel

log = structlog.get_logger()
Filled = Callable[[RedPacket], None]
_THERE = {AccountStatus.CREATED, AccountStatus.EXISTS}
_DAYS_BACK_MAX = 400  # Before any day was noted as done.
_OPENED_MAX = 10_000
_SETTLED_DAYS = 3  # So long behind its end nothing of a packet is under way.
_CHANNEL = Channel.REQUEST  # What a packet is to limits: an amount of the payer's own, reached by a link.


class _Returned(msgspec.Struct, frozen=True):
    """What goes back to a sender, as limits take it."""

    packet: RedPacket
    paid: int

    @property
    def id(self) -> int:
        return self.packet.id

    @property
    def user_id(self) -> int:
        return self.packet.sender_id

    @property
    def counter(self) -> int:
        return self.packet.counter

    @property
    def counted(self) -> bool:
        return self.packet.counted

    @property
    def created_ns(self) -> int:
        return self.packet.created_ns


class RedPacketService:
    """Packets, their money until it is claimed, and what of them is in memory."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        currency: Currency,
        policies: Policies,
        people: People,
        usages: UsageService,
        notices: Notices,
        *,
        link_key: bytes,
        plate_base: str,
        limits: RedPacketLimits | None = None,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._ledger = ledger
        self._currency = currency
        self._policies = policies
        self._people = people
        self._usages = usages
        self._notices = notices
        self._link_key = link_key
        self._plate_base = plate_base
        self.limits = limits or RedPacketLimits()
        by = ("sender_id", "to_user_id", "link_key")
        self.packets = Shelf(RED_PACKETS, node.journal, node.store, by=by, timed=True)
        self.claims = Shelf(RED_PACKET_CLAIMS, node.journal, node.store, by=("packet_id",), timed=True)
        self._opened: dict[int, OpenedPacket] = {}
        self._filling: dict[int, list[Filled]] = {}
        self._ending: set[int] = set()
        self._rounds = Rounds()
        self.unfinished: dict[int, int] = {}  # By packet, or share on its way: the day the packet ends.
        self.noted_day = 0

    async def start(self) -> None:
        """Take up what has not ended."""
        await self.packets.start()
        await self.claims.start()
        today = self._node.clock.now_ns() // NS_PER_DAY
        noted = await self._node.store.greatest(RED_PACKET_DAYS, "day")
        self.noted_day = noted if noted is not None else today - _DAYS_BACK_MAX
        days = range(self.noted_day + 1, today + self.limits.life_ns // NS_PER_DAY + 2)
        found = {row.id for _, row in await self._node.store.find(RED_PACKETS, "due_day", days)}
        await self.packets.load(found)
        for id_ in sorted(found):
            packet = self.packets.get(id_)
            assert packet is not None
            if packet.state == PacketState.OPENING:
                self._node.decide(partial(self._take_up, packet))
            elif packet.state == PacketState.OPEN:
                self._expect(packet)
        self._journal.seal()

    # Senders.

    def create(self, user_id: int, draft: PacketDraft, answer: Filled) -> None:
        """
        Fill a packet, once, however often this is called with the same id; `answer` is told it when it is OPEN or FAILED.

        Moves:    wallet -> packet.
        Refuses:  RED_PACKET_ID_TAKEN; ID_MALFORMED, ID_FROM_THE_FUTURE; what `PacketDraft.check` refuses; USER_FROZEN,
                  USER_CLOSED; RED_PACKET_TO_ONESELF, USER_UNKNOWN and what receiving refuses, of who is named; PIN_NEEDED
                  and the PIN token's refusals; DAILY_LIMIT_EXCEEDED, ANNUAL_LIMIT_EXCEEDED. That the balance does not
                  cover it is an answered, FAILED packet.
        Repeats:  the packet as it is; RED_PACKET_ID_TAKEN, naming the field, for other content under the same id.
        """
        known = self.packets.get(draft.packet_id)
        if known is not None:
            known.check_same(user_id, draft)
            self._answer(known, answer)
            return
        now_ns = self._node.clock.now_ns()
        check_new_id("packet_id", draft.packet_id, now_ns)
        draft.check(self.limits)
        sender = self._people.user(user_id)
        sender.may_pay(now_ns)
        if draft.to_user_id is not None:
            if draft.to_user_id == user_id:
                raise Refusal(RedPacketReason.RED_PACKET_TO_ONESELF, field="to_user_id")
            self._people.user(draft.to_user_id).may_receive(now_ns)
        packet = self._admitted(sender, draft, now_ns)
        self.packets.put(packet)
        self.packets.all_known("link_key", packet.link_key)
        self.claims.all_known("packet_id", packet.id)
        self._usages.note(_Returned(packet, 0))
        self._filling[packet.id] = [answer]
        self._fill(packet)

    def _admitted(self, sender: Payer, draft: PacketDraft, now_ns: int) -> RedPacket:
        """The packet as it is written down, counted towards its sender's limits. Refuses before anything is."""
        usage = self._usages.of(sender.id, sender.wallet_account)
        policy, day, year = self._policies.today(now_ns)
        if now_ns < usage.counted_ns:  # The clock was put back: a day that has begun for this sender goes on.
            day, year = self._policies.day_of(usage.counted_ns)
        limits = policy.limits(_CHANNEL, sender.tier, verified=bool(draft.pin_token))
        creditor = id_text(PACKET_PREFIX, draft.packet_id)
        if draft.pin_token:
            self._people.check_pin_token(draft.pin_token, sender.id, draft.packet_id, draft.amount, creditor, now_ns)
        elif draft.amount > limits.pin_free:
            raise Refusal(PaymentReason.PIN_NEEDED, pin_free=limits.pin_free, creditor=creditor)
        usage.turn(day, year)
        usage.check(limits, draft.amount)
        usage.take(limits, draft.amount)
        usage.counted_ns = max(now_ns, usage.counted_ns)
        expires_ns, there = now_ns + self.limits.life_ns, draft.to_elsewhere
        return RedPacket(
            id=draft.packet_id,
            sender_id=sender.id,
            sender_name=sender.masked_name,
            to_user_id=draft.to_user_id,
            link_key=plate_key(packet_plate(draft.packet_id, self._link_key)),
            kind=draft.kind.value,
            amount=draft.amount,
            count=draft.count,
            currency=self._currency.alpha,
            greeting=draft.greeting,
            seed=self._node.randomness.randbytes(SEED_BYTES),
            state=PacketState.OPENING.value,
            reason="",
            returned=0,
            policy_version=policy.version,
            counter=limits.counter,
            counted=limits.counted,
            due_day=expires_ns // NS_PER_DAY,
            created_ns=usage.counted_ns,  # What is given back of it is given back to the day that counted it.
            expires_ns=expires_ns,
            ended_ns=0,
            to_agent=there.agent if there is not None else "",
            to_code_id=there.code_id if there is not None else None,
            to_name=there.name if there is not None else "",
        )

    def link(self, packet: RedPacket) -> str:
        """What the sender gives to whom the packet is for."""
        return str(Plate(self._plate_base, packet_plate(packet.id, self._link_key)))

    def sent(self, user_id: int) -> list[RedPacket]:
        """A person's own packets, the newest first. May raise `Cold`."""
        return sorted(self.packets.find("sender_id", user_id), key=lambda each: -each.created_ns)

    def waiting(self, user_id: int) -> list[RedPacket]:
        """Packets that are for this person alone, and still to be opened. May raise `Cold`."""
        now_ns = self._node.clock.now_ns()
        found = self.packets.find("to_user_id", user_id)
        return [each for each in found if each.state == PacketState.OPEN and now_ns < each.expires_ns]

    # Anybody.

    def packet(self, packet_id: int) -> RedPacket:
        """Refuses RED_PACKET_UNKNOWN. May raise `Cold`."""
        packet = self.packets.get(packet_id)
        if packet is None:
            raise Refusal(RedPacketReason.RED_PACKET_UNKNOWN)
        return packet

    def found(self, plate: PlateId) -> RedPacket:
        """The packet of a link. Refuses RED_PACKET_UNKNOWN. May raise `Cold`."""
        if plate.kind is PlateKind.RED_PACKET:
            for packet in self.packets.find("link_key", _plate_key(plate)):
                return packet
        raise Refusal(RedPacketReason.RED_PACKET_UNKNOWN)

    def claims_of(self, packet: RedPacket) -> Sequence[RedPacketClaim]:
        """Every claim of a packet, as they came. May raise `Cold`."""
        return sorted(self.claims.find("packet_id", packet.id), key=lambda each: each.number)

    def seen(self, user_id: int, packet_id: int) -> tuple[RedPacket, Sequence[RedPacketClaim]]:
        """A packet of this person, or of which they claimed, with its claims. Refuses RED_PACKET_UNKNOWN. May raise `Cold`."""
        packet = self.packet(packet_id)
        claims = self.claims_of(packet)
        if user_id != packet.sender_id and all(each.user_id != user_id for each in claims):
            raise Refusal(RedPacketReason.RED_PACKET_UNKNOWN)
        return packet, claims

    def state_now(self, packet: RedPacket) -> PacketState:
        """How it stands: EXPIRED from the instant on, though its money goes back a moment later."""
        is_over = packet.state == PacketState.OPEN and self._node.clock.now_ns() >= packet.expires_ns
        return PacketState.EXPIRED if is_over else PacketState(packet.state)

    def check_open(self, packet: RedPacket) -> None:
        """Refuses what there is nothing to claim of."""
        packet.check_claimable(self._node.clock.now_ns())

    def known_claim(self, packet: RedPacket, claimant_key: int) -> RedPacketClaim | None:
        """What this claimant has of the packet already. May raise `Cold`."""
        claim_id = self.opened(packet).claimed.get(claimant_key)
        return None if claim_id is None else self.claims.get(claim_id)

    def opened(self, packet: RedPacket) -> OpenedPacket:
        """
        The packet in memory. May raise `Cold`.

        Also when it is over, for a while: most who come to a packet that everybody opens come too late.
        """
        opened = self._opened.get(packet.id)
        if opened is None:
            opened = OpenedPacket(packet, self.claims.find("packet_id", packet.id))
            self._opened[packet.id] = opened
            if len(self._opened) > _OPENED_MAX:
                del self._opened[next(iter(self._opened))]
        return opened

    def taken(self, packet: RedPacket, opened: OpenedPacket, claim: RedPacketClaim) -> RedPacket:
        """The next share is this claim's; the packet, which is EMPTY with its last one."""
        opened.take(claim.claimant_key, claim.id)
        if not opened.is_empty:
            return packet
        packet = replace(packet, state=PacketState.EMPTY.value, ended_ns=claim.created_ns)
        self.packets.put(packet)
        self._over(packet, "red_packet.finished")
        return packet

    async def held_of(self, user_id: int) -> int:
        """What is in a person's packets, on its way to other institutions included."""
        newest = self._node.clock.now_ns() // NS_PER_DAY - _SETTLED_DAYS
        packets = [each for each in await warmed(self._journal, lambda: self.sent(user_id)) if each.due_day >= newest]
        accounts = await self._ledger.lookup_accounts([each.account(self._currency) for each in packets])
        return sum(each.credits_posted - each.debits_posted for each in accounts)

    # Time.

    def tick(self) -> None:
        """What nobody claimed in time goes back."""
        now_ns = self._node.clock.now_ns()
        self._node.decide_each(partial(self._end, id_) for id_ in self._rounds.due(now_ns))
        today = now_ns // NS_PER_DAY
        if today - 1 > self.noted_day:
            self._note_day(min([today, *self.unfinished.values()]) - 1)

    def _end(self, packet_id: int) -> None:
        """The time of a packet is over."""
        packet = self.packet(packet_id)
        if packet.state != PacketState.OPEN or packet.id in self._ending:
            return
        opened = self.opened(packet)
        self.look_up(packet)
        self._ending.add(packet.id)
        rest = opened.left
        self.give_back(packet, derive(packet.id, "rest"), rest, partial(self._ended, packet.id, rest))

    def _ended(self, packet_id: int, rest: int) -> None:
        self._ending.discard(packet_id)
        packet = self.packets.get(packet_id)
        assert packet is not None
        ended_ns = self._node.clock.now_ns()
        packet = replace(packet, state=PacketState.EXPIRED.value, returned=packet.returned + rest, ended_ns=ended_ns)
        self.packets.put(packet)
        self._usages.give_back(_Returned(packet, rest))
        self._over(packet, "red_packet.returned")

    def give_back(self, packet: RedPacket, transfer_id: int, amount: int, then: Callable[[], None]) -> None:
        """
        Move so much to the sender; `then` writes it down, in the commit that moves it. The sender has been looked up.

        Moves:    packet -> wallet.
        """
        transfer = packet_recipes.give_back(
            transfer_id,
            packet.id,
            packet=packet.account(self._currency),
            wallet=chart.user_account(packet.sender_id, self._currency),
            amount=amount,
            ledger=self._currency.ledger,
            code=Why.RED_PACKET_RETURNED,
        )

        def moved(statuses: list[TransferStatus]) -> None:
            assert statuses[0] in TRANSFER_DONE, statuses
            then()

        self._ledger.create_transfers([transfer], moved)

    def given_back(self, packet_id: int, amount: int) -> None:
        """Write down that a share which another institution did not take is the sender's again."""
        packet = self.packets.get(packet_id)
        assert packet is not None
        packet = replace(packet, returned=packet.returned + amount)
        self.packets.put(packet)
        self._usages.give_back(_Returned(packet, amount))
        self._notices.tell_user(packet.sender_id, "red_packet.returned", self.told(packet))

    def look_up(self, packet: RedPacket) -> None:
        """What going back changes; may be cold, so before anything is written."""
        self._usages.of(packet.sender_id, self._people.user(packet.sender_id).wallet_account)

    # The money of a new packet.

    def _take_up(self, packet: RedPacket) -> None:
        """After a restart: it was written down, and whether it was filled the ledger knows."""
        self.look_up(packet)
        if packet.id not in self._filling:
            self._filling[packet.id] = []
            self._fill(packet)

    def _answer(self, packet: RedPacket, answer: Filled) -> None:
        if packet.state != PacketState.OPENING:
            self._journal.effect(partial(answer, packet))
            return
        self._take_up(packet)
        filling = self._filling.get(packet.id)
        if filling is not None:
            filling.append(answer)
        else:  # It was filled just now.
            self._journal.effect(partial(answer, self.packet(packet.id)))

    def _fill(self, packet: RedPacket) -> None:
        self._ledger.create_accounts([chart.red_packet(packet.id, self._currency)], _opened)
        transfer = packet_recipes.fill(
            derive(packet.id, "filled"),
            packet.id,
            wallet=chart.user_account(packet.sender_id, self._currency),
            packet=packet.account(self._currency),
            amount=packet.amount,
            ledger=self._currency.ledger,
            code=Why.RED_PACKET_FILLED,
        )
        self._ledger.create_transfers([transfer], partial(self._filled, packet))

    def _filled(self, packet: RedPacket, statuses: list[TransferStatus]) -> None:
        if statuses[0] in TRANSFER_DONE:
            packet = replace(packet, state=PacketState.OPEN.value)
            self.packets.put(packet)
            self._expect(packet)
            if packet.to_user_id is not None:
                told = self.told(packet) | {"link": self.link(packet)}
                self._notices.tell_user(packet.to_user_id, "red_packet.received", told)
        else:
            log.info("red_packet_not_filled", packet=packet.creditor, ledger=statuses[0].name)
            reason = PaymentReason.BALANCE_INSUFFICIENT.name
            packet = replace(
                packet,
                state=PacketState.FAILED.value,
                reason=reason,
                returned=packet.amount,
                ended_ns=self._node.clock.now_ns(),
            )
            self.packets.put(packet)
            self._usages.give_back(_Returned(packet, packet.amount))
        for answer in self._filling.pop(packet.id):
            self._journal.effect(partial(answer, packet))

    # What is told, and remembered.

    def _expect(self, packet: RedPacket) -> None:
        self._rounds.at(packet.id, packet.expires_ns)
        self.unfinished[packet.id] = packet.due_day

    def _over(self, packet: RedPacket, news: str) -> None:
        self.unfinished.pop(packet.id, None)
        self._notices.tell_user(packet.sender_id, news, self.told(packet))

    def _note_day(self, day: int) -> None:
        if day > self.noted_day:
            self.noted_day = day
            self._journal.append(RED_PACKET_DAYS, PacketDay(day))
            self._journal.seal()

    def told(self, packet: RedPacket) -> dict[str, Any]:
        """What news of a packet says."""
        return {
            "packet_id": packet.creditor,
            "sender_name": packet.sender_name,
            "amount": packet.amount,
            "returned": packet.returned,
            "currency": packet.currency,
            "remark": packet.greeting,
        }


@lru_cache(10_000)
def _plate_key(plate: PlateId) -> int:
    return plate_key(plate)


def _opened(statuses: list[AccountStatus]) -> None:
    assert statuses[0] in _THERE, statuses
