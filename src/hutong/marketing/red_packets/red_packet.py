"""
One red packet, and each claim of it.

    packet: OPENING -> OPEN -> EMPTY (everything claimed) | EXPIRED (the rest went back)        OPENING -> FAILED
    claim:  (MOVING ->) PAID, of people here        SENDING -> PAID | GIVEN_UP, of people of other institutions
"""

import hashlib
from enum import StrEnum

import msgspec

from hutong.codes.plate import PlateId, red_packet_plate_id
from hutong.institution import chart
from hutong.institution.payments.payment import check_amount
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive, id_text
from hutong.kernel.money import Currency
from hutong.kernel.text import check_text
from hutong.marketing.red_packets.reasons import RedPacketReason
from hutong.marketing.red_packets.split import SplitKind, commitment, shares
from hutong.runtime.tables import BigInt, Boolean, Bytes, Integer, SmallInt, Table, Text, Uuid

PACKET_PREFIX = "rpk"
CLAIM_PREFIX = "rpc"
GREETING_LENGTH_MAX = 70


class PacketState(StrEnum):
    OPENING = "OPENING"  # Written down; the ledger is asked.
    OPEN = "OPEN"
    EMPTY = "EMPTY"  # Every share is claimed.
    EXPIRED = "EXPIRED"  # What nobody claimed is the sender's again.
    FAILED = "FAILED"  # The balance did not cover it.


class ClaimState(StrEnum):
    MOVING = "MOVING"  # Written down; the ledger has to look an account up.
    PAID = "PAID"
    SENDING = "SENDING"  # On its way to another institution.
    GIVEN_UP = "GIVEN_UP"  # That institution did not take it: it is the sender's again.


class RedPacketLimits(msgspec.Struct, frozen=True):
    """What an institution allows."""

    count_max: int = 20_000
    share_max: int = 20_000  # On average: CNY 200 each.
    life_ns: int = NS_PER_DAY
    sender_may_claim: bool = True  # From a packet for several.

    def check(self, kind: SplitKind, amount: int, count: int) -> None:
        """Refuses RED_PACKET_COUNT_OUT_OF_RANGE, RED_PACKET_SPLIT_IMPOSSIBLE, RED_PACKET_TOO_MUCH."""
        if not 1 <= count <= self.count_max:
            raise Refusal(RedPacketReason.RED_PACKET_COUNT_OUT_OF_RANGE, field="count", count_max=self.count_max)
        if amount < count or (kind is SplitKind.EQUAL and amount % count):
            raise Refusal(RedPacketReason.RED_PACKET_SPLIT_IMPOSSIBLE, field="amount", count=count)
        if amount > count * self.share_max:
            raise Refusal(RedPacketReason.RED_PACKET_TOO_MUCH, field="amount", amount_max=count * self.share_max)


class PersonElsewhere(msgspec.Struct, frozen=True):
    """One person of another institution, by a code to receive of theirs: who scanned it need not know more."""

    agent: str
    code_id: int  # What that institution calls the code.
    name: str = ""  # As the code's owner tells it: masked.

    def key(self, link: str) -> int:
        """
        By what that institution finds the code among those of whoever opens `link`: nobody learns from it whose it is, who
        does not know both.

        Spec:     docs/scheme/red-packet.md, "For one person".
        """
        told = hashlib.blake2b(f"{link} {self.code_id:032x}".encode(), digest_size=16, person=b"hutong packet to")
        return int.from_bytes(told.digest(), "big")


class PacketDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender wants to give."""

    packet_id: int
    kind: SplitKind
    amount: int
    count: int
    greeting: str = ""
    to_user_id: int | None = None  # None: whoever has the link,
    to_elsewhere: PersonElsewhere | None = None  # or one person of another institution.
    pin_token: str = ""

    def check(self, limits: RedPacketLimits) -> None:
        """Refuses what is wrong with the amount, the limits' refusals, RED_PACKET_FOR_ONE, the text refusals."""
        check_amount(self.amount)
        limits.check(self.kind, self.amount, self.count)
        if (self.to_user_id or self.to_elsewhere) and self.count != 1:
            raise Refusal(RedPacketReason.RED_PACKET_FOR_ONE, field="count")
        check_text("greeting", self.greeting, length_max=GREETING_LENGTH_MAX, empty=True)


class RedPacket(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a packet. `id` is the sender's own."""

    id: Uuid
    sender_id: Uuid
    sender_name: Text  # As claimants see it: masked.
    to_user_id: Uuid | None  # The only one who may claim; None: whoever has the link.
    link_key: Uuid  # By what it is found, by who has the link.
    kind: Text
    amount: BigInt
    count: Integer
    currency: Text
    greeting: Text
    seed: Bytes  # Ours alone until the packet is over.
    state: Text
    reason: Text
    returned: BigInt  # Of the amount, what went back to the sender so far; or never left, if it FAILED.
    policy_version: Text
    counter: SmallInt  # What a day's limit counted it with.
    counted: Boolean  # Whether the year's did.
    due_day: Integer  # The day, since 1970 in UTC, on which it ends.
    created_ns: BigInt
    expires_ns: BigInt
    ended_ns: BigInt  # 0: not yet.
    to_agent: Text = ""  # Of the one person of another institution who may claim;
    to_code_id: Uuid | None = None  # by which code they are named,
    to_name: Text = ""  # and what it says of them: masked.

    @property
    def to_elsewhere(self) -> PersonElsewhere | None:
        """The one person of another institution it is for."""
        return None if self.to_code_id is None else PersonElsewhere(self.to_agent, self.to_code_id, self.to_name)

    @property
    def is_for_one(self) -> bool:
        """Whether somebody is named, here or elsewhere."""
        return self.to_user_id is not None or self.to_code_id is not None

    @property
    def is_over(self) -> bool:
        """Nobody can claim it any more, so its seed is no secret."""
        return self.state in (PacketState.EMPTY, PacketState.EXPIRED, PacketState.FAILED)

    @property
    def commitment(self) -> bytes:
        return commitment(self.id, self.seed)

    @property
    def creditor(self) -> str:
        """What the sender's PIN token is bound to, beside the packet's id and amount."""
        return id_text(PACKET_PREFIX, self.id)

    def shares(self) -> list[int]:
        """In the order in which they are claimed."""
        return shares(SplitKind(self.kind), self.amount, self.count, self.id, self.seed)

    def account(self, currency: Currency) -> int:
        """Where its money is."""
        return chart.red_packet_account(self.id, currency)

    def check_same(self, sender_id: int, draft: PacketDraft) -> None:
        """Refuses RED_PACKET_ID_TAKEN, naming the field in which the draft differs from what came under this id before."""
        pairs = {
            "packet_id": (self.sender_id, sender_id),
            "kind": (self.kind, draft.kind.value),
            "amount": (self.amount, draft.amount),
            "count": (self.count, draft.count),
            "greeting": (self.greeting, draft.greeting),
            "to_user_id": (self.to_user_id, draft.to_user_id),
            "to_code": (self.to_code_id, draft.to_elsewhere and draft.to_elsewhere.code_id),
        }
        for field, (known, asked) in pairs.items():
            if known != asked:
                raise Refusal(RedPacketReason.RED_PACKET_ID_TAKEN, field=field)

    def check_claimable(self, now_ns: int) -> None:
        """Refuses RED_PACKET_NOT_OPEN, RED_PACKET_EMPTY, RED_PACKET_EXPIRED."""
        match PacketState(self.state):
            case PacketState.OPENING | PacketState.FAILED:
                raise Refusal(RedPacketReason.RED_PACKET_NOT_OPEN, state=str(self.state))
            case PacketState.EMPTY:
                raise Refusal(RedPacketReason.RED_PACKET_EMPTY)
            case PacketState.EXPIRED:
                raise Refusal(RedPacketReason.RED_PACKET_EXPIRED)
            case PacketState.OPEN:
                if now_ns >= self.expires_ns:
                    raise Refusal(RedPacketReason.RED_PACKET_EXPIRED)


class RedPacketClaim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of a share that somebody claimed. Its id is that of the transfer that moves it, of people here."""

    id: Uuid
    packet_id: Uuid
    claimant_key: Uuid  # Who claims, of which packet.
    number: Integer  # The how-manyth, from 0: which of the shares it is.
    amount: BigInt
    user_id: Uuid  # 0: of another institution,
    agent: Text  # which is this one; empty: ours.
    name: Text  # As the others see it: masked.
    code: Text  # What that institution wants paid; empty here.
    state: Text
    attempt: Integer  # Of sending it there.
    sending_day: Integer | None  # While it is SENDING, the day on which the packet ends: how a restart finds it.
    reason: Text
    created_ns: BigInt
    changed_ns: BigInt
    returned: BigInt = 0  # By the institution it crossed to, and from here to the sender.

    @property
    def payment_id(self) -> int:
        """The payment that takes it to another institution, this time."""
        return derive(self.id, f"attempt/{self.attempt}")


class PacketDay(msgspec.Struct, frozen=True):
    """Every packet that was to end on this day has ended: a restart begins behind it."""

    day: Integer


RED_PACKETS = Table("red_packets", RedPacket)
RED_PACKET_CLAIMS = Table("red_packet_claims", RedPacketClaim)
RED_PACKET_DAYS = Table("red_packet_days", PacketDay)


def person_key(packet_id: int, user_id: int) -> int:
    """A person here, as a claimant."""
    return derive(packet_id, f"{user_id:032x}")


def stranger_key(packet_id: int, agent: str, reference: str) -> int:
    """A person of another institution, which names each of its people in one way of its own."""
    return derive(packet_id, f"{agent}/{reference}")


def packet_plate(packet_id: int, key: bytes) -> PlateId:
    """What stands in the packet's link: nobody guesses it, and no table holds it."""
    told = hashlib.blake2b(packet_id.to_bytes(16, "big"), key=key, digest_size=15, person=b"hutong packet")
    return red_packet_plate_id(told.digest())


def plate_key(plate: PlateId) -> int:
    """By what a packet is found that has this in its link."""
    return int.from_bytes(hashlib.blake2b(str(plate).encode(), digest_size=16, person=b"hutong packet").digest())
