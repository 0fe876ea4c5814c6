"""A combined order, its parts, and what their merchants give back."""

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.facts import read_facts
from hutong.gateways.order import Dialect, Trade
from hutong.gateways.reasons import GatewayReason
from hutong.institution.merchants.merchant import reference_key
from hutong.institution.payments.matrix import Shares
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Boolean, Bytes, Integer, Table, Text, Uuid

PARTS_MAX = 50
FACT = "combined"  # In the facts of the order that is paid.


class CombinedState(StrEnum):
    WAITING = "WAITING"
    PAID = "PAID"  # The parts are about to be handed on.
    HANDED_ON = "HANDED_ON"


class CombinedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a combined order. Its id is the order's that is paid."""

    id: Uuid
    merchant_id: Uuid  # Who takes the payment.
    payment_id: Uuid
    state: Text
    attempts: Integer  # Of handing on.
    changed_ns: BigInt


class CombinedPart(msgspec.Struct, frozen=True, kw_only=True):
    """One version of what one merchant is paid of it."""

    id: Uuid
    combined_id: Uuid
    payee_id: Uuid  # The merchant's account at the gateway.
    merchant_id: Uuid
    out_trade_no: Text
    number_key: Uuid
    trade_no: Text  # The vendor's number of this part of the payment.
    trade_key: Uuid
    amount: BigInt
    fee: BigInt  # Its part of the payment's, once that is there.
    to_be_split: Boolean
    facts: Bytes  # JSON: what is to be given back as it came.
    refunded: BigInt  # What was given back of it, or is on its way.
    taken: BigInt  # What that cost its merchant.
    changed_ns: BigInt

    @property
    def net(self) -> int:
        return self.amount - self.fee

    @property
    def told(self) -> dict[str, Any]:
        """The facts, read."""
        return read_facts(self.facts)


class TakingState(StrEnum):
    """WANTED -> TAKEN -> PUT_BACK, if its refund failed; SHORT where the merchant did not have it."""

    WANTED = "WANTED"
    TAKEN = "TAKEN"
    SHORT = "SHORT"
    PUTTING_BACK = "PUTTING_BACK"
    PUT_BACK = "PUT_BACK"


class PartTaking(msgspec.Struct, frozen=True, kw_only=True):
    """One version of what a part's merchant gives for a refund of it."""

    id: Uuid
    part_id: Uuid
    number_key: Uuid
    refund_id: Uuid  # On the network; 0 until there is one.
    gross: BigInt  # What the payer gets.
    amount: BigInt  # What it costs the part's merchant.
    state: Text
    changed_ns: BigInt


class PartDraft(msgspec.Struct, frozen=True, kw_only=True):
    """One merchant's order among those combined. `payee` acts for that merchant as the protocol lets it."""

    payee: Caller
    out_trade_no: str
    amount: int
    description: str
    to_be_split: bool = False
    facts: dict[str, Any] = {}


class CombinedDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A combined order as the protocol asks for it."""

    out_trade_no: str
    product: str
    description: str
    dialect: Dialect
    parts: tuple[PartDraft, ...]
    lifetime_s: int | None = None
    notify_url: str = ""
    facts: dict[str, Any] = {}

    @property
    def amount(self) -> int:
        return sum(part.amount for part in self.parts)

    def check(self) -> None:
        """Refuses COMBINED_PARTS_WRONG: none, too many, or one number twice."""
        numbers = {(part.payee.payee.row.id, part.out_trade_no) for part in self.parts}
        if not 0 < len(self.parts) <= PARTS_MAX or len(numbers) != len(self.parts):
            raise Refusal(GatewayReason.COMBINED_PARTS_WRONG, field="sub_orders", parts_max=PARTS_MAX)
        for part in self.parts:
            if part.amount <= 0:
                raise Refusal(GatewayReason.COMBINED_PARTS_WRONG, field="total_amount", amount=part.amount)

    @property
    def digest(self) -> bytes:
        """What may not differ when it comes again."""
        said = hashlib.blake2b(self.description.encode(), digest_size=16, person=b"hutong combined")
        for part in self.parts:
            told = f"/{part.payee.payee.row.number}/{part.out_trade_no}/{part.amount}/{part.to_be_split}"
            said.update(told.encode() + msgspec.json.encode(part.facts))
        return said.digest()


class CombinedTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A combined order with its parts, at one moment."""

    trade: Trade
    combined: CombinedOrder
    parts: list[CombinedPart]


COMBINED = Table("combined_orders", CombinedOrder)
PARTS = Table("combined_parts", CombinedPart)
PART_TAKINGS = Table("combined_takings", PartTaking)


def part_number_key(merchant_id: int, door: str, out_trade_no: str) -> int:
    """By what a part is found: its merchant's number."""
    return reference_key(merchant_id, f"combined part/{door}/{out_trade_no}")


def taking_key(merchant_id: int, out_refund_no: str) -> int:
    """By what a part's refund is found: its merchant's number."""
    return reference_key(merchant_id, f"combined refund/{out_refund_no}")


def fees(shares: Shares, amounts: list[int]) -> list[int]:
    """Each part's share of the payment's fee, as refunds of the parts one after the other would give it back."""
    found = []
    for amount in amounts:
        of_part = shares.share(amount)
        found.append(of_part.fee)
        shares = shares.less(of_part)
    return found
