"""A split of an order among receivers, and what one of them gives back."""

from enum import StrEnum
from typing import Any

import msgspec

from hutong.gateways.facts import read_facts
from hutong.gateways.splits.reasons import SplitReason
from hutong.gateways.splits.receiver import Receiver
from hutong.institution.merchants.merchant import reference_key
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Boolean, Bytes, Table, Text, Uuid

PARTS_MAX = 50


class PartState(StrEnum):
    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    CLOSED = "CLOSED"  # It went to nobody: `reason` says why.


class SplitState(StrEnum):
    PROCESSING = "PROCESSING"
    FINISHED = "FINISHED"


class PartDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What one receiver is to get."""

    receiver: Receiver
    amount: int
    description: str = ""


class SplitDraft(msgspec.Struct, frozen=True, kw_only=True):
    """One order to split. No parts and `finish`: the rest is unfrozen, and that is all."""

    number: str  # The merchant's own.
    parts: tuple[PartDraft, ...] = ()
    finish: bool = False  # What is left afterwards is the merchant's own again.
    facts: dict[str, Any] = {}

    @property
    def total(self) -> int:
        return sum(part.amount for part in self.parts)

    def check(self) -> None:
        """Refuses SPLIT_PARTS_MISSING, SPLIT_PARTS_TOO_MANY, SPLIT_AMOUNT_NOT_POSITIVE."""
        if not self.parts and not self.finish:
            raise Refusal(SplitReason.SPLIT_PARTS_MISSING, field="receivers")
        if len(self.parts) > PARTS_MAX:
            raise Refusal(SplitReason.SPLIT_PARTS_TOO_MANY, field="receivers", parts_max=PARTS_MAX)
        for part in self.parts:
            if part.amount <= 0:
                raise Refusal(SplitReason.SPLIT_AMOUNT_NOT_POSITIVE, field="amount", amount=part.amount)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one receiver gets, and whether it did."""

    receiver: Receiver
    amount: int
    description: str
    state: PartState
    reason: str = ""  # The name of a `SplitReason`.
    ended_ns: int = 0


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a split."""

    id: Uuid
    order_id: Uuid
    merchant_id: Uuid
    number: Text
    number_key: Uuid
    finish: Boolean
    parts: Bytes  # JSON: a list of `Part`.
    total: BigInt  # What receivers get of it: parts that are closed are no part of it.
    rest: BigInt  # What was unfrozen behind them.
    state: Text
    facts: Bytes
    created_ns: BigInt
    ended_ns: BigInt

    @property
    def told(self) -> list[Part]:
        """The parts, read."""
        return msgspec.json.decode(self.parts, type=list[Part])

    @property
    def given_facts(self) -> dict[str, Any]:
        return read_facts(self.facts)

    def check_same(self, order_id: int, draft: SplitDraft) -> None:
        """Refuses SPLIT_DIFFERS, naming the field."""
        ours = [(part.receiver, part.amount, part.description) for part in self.told]
        theirs = [(part.receiver, part.amount, part.description) for part in draft.parts]
        for field, known, asked in (
            ("transaction_id", self.order_id, order_id),
            ("unfreeze_unsplit", self.finish, draft.finish),
            ("receivers", ours, theirs),
        ):
            if known != asked:
                raise Refusal(SplitReason.SPLIT_DIFFERS, field=field, number=draft.number)


class ReturnState(StrEnum):
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class SplitReturnDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver is to give back."""

    number: str
    receiver: str  # As the split called it.
    amount: int
    description: str = ""


class SplitReturn(msgspec.Struct, frozen=True, kw_only=True):
    """One version of what a receiver gives back."""

    id: Uuid
    split_id: Uuid
    merchant_id: Uuid
    number: Text
    number_key: Uuid
    receiver: Text
    receiver_merchant_id: Uuid
    amount: BigInt
    description: Text
    state: Text
    reason: Text
    created_ns: BigInt
    ended_ns: BigInt


SPLITS = Table("splits", Split)
SPLIT_RETURNS = Table("split_returns", SplitReturn)


def split_number_key(merchant_id: int, door: str, number: str) -> int:
    """By what a split is found: its number among the merchant's, at that door."""
    return reference_key(merchant_id, f"split/{door}/{number}")


def return_number_key(merchant_id: int, door: str, number: str) -> int:
    """The same of a return."""
    return reference_key(merchant_id, f"split return/{door}/{number}")


def part_id(split_id: int, number: int) -> int:
    """The id of the transfer that gives the part."""
    return derive(split_id, f"part/{number}")


def rest_id(split_id: int) -> int:
    """The id of the transfer that unfreezes the rest."""
    return derive(split_id, "rest")
