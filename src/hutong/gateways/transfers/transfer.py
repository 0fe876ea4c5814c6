"""
What a merchant sends to one person.

    ACCEPTED -> SUCCESS | FAILED                                       without confirmation
    ACCEPTED -> WAITING -> SUCCESS | CANCELLED | FAILED (or at once)   with it
"""

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from hutong.gateways.facts import read_facts
from hutong.gateways.order import Dialect
from hutong.gateways.transfers.reasons import TransferReason
from hutong.institution.merchants.merchant import reference_key
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Boolean, Bytes, Table, Text, Uuid

ID_PREFIX = "ptr"
REMARK_LENGTH_MAX = 128


class TransferState(StrEnum):
    ACCEPTED = "ACCEPTED"
    WAITING = "WAITING"  # The money is held; the person is asked.
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"  # By the merchant.


ENDED = frozenset({TransferState.SUCCESS, TransferState.FAILED, TransferState.CANCELLED})


class PersonTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a transfer to a person."""

    id: Uuid
    merchant_id: Uuid
    account_id: Uuid  # The account at the gateway that asked, and is told.
    dialect: Text
    number: Text
    number_key: Uuid
    batch_id: Uuid  # 0: of no batch.
    user_id: Uuid  # 0: nobody of this institution.
    waiting_user_id: Uuid | None  # Whose list of what waits it is in.
    payee: Text  # As the protocol called the person.
    amount: BigInt
    remark: Text
    confirmed: Boolean  # Whether the person is asked first.
    content: Bytes  # A digest: the same number with another is another transfer.
    state: Text
    reason: Text  # The name of a `TransferReason`, of what failed.
    notify_url: Text
    facts: Bytes  # JSON: what the protocol wants back.
    day_key: Uuid  # What counts against its merchant's day.
    expires_ns: BigInt  # 0: it does not wait.
    created_ns: BigInt
    changed_ns: BigInt

    @property
    def told(self) -> dict[str, Any]:
        """The facts, read."""
        return read_facts(self.facts)

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED


class TransferDraft(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer as the protocol asks for it. Who `payee` is, the dialect has found out: `user_id`, 0 for nobody here."""

    number: str
    user_id: int
    payee: str
    amount: int
    dialect: Dialect
    remark: str = ""
    name: str = ""  # The person's, where the merchant says it: it must be right.
    confirmed: bool = False
    notify_url: str = ""
    facts: dict[str, Any] = {}

    @property
    def digest(self) -> bytes:
        """What may not differ when the number comes again."""
        said = f"{self.user_id:032x}/{self.payee}/{self.amount}/{self.name}/{self.confirmed}/{self.remark}"
        return hashlib.blake2b(said.encode(), digest_size=16, person=b"hutong transfer").digest()


class TransferLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What the institution lets merchants send, in minor units and seconds."""

    least: int = 10
    most: int = 5_000_000
    confirmed_most: int = 20_000
    named_from: int = 200_000
    daily: int = 100_000_000  # Of one merchant.
    waits_s: int = 86_400  # Before it lapses.

    def check(self, draft: TransferDraft) -> None:
        """Refuses TRANSFER_AMOUNT_OUT_OF_LIMITS, TRANSFER_NAME_NEEDED."""
        most = self.confirmed_most if draft.confirmed else self.most
        if not self.least <= draft.amount <= most:
            raise Refusal(
                TransferReason.TRANSFER_AMOUNT_OUT_OF_LIMITS, field="transfer_amount", least=self.least, most=most
            )
        if draft.amount >= self.named_from and not draft.name:
            raise Refusal(TransferReason.TRANSFER_NAME_NEEDED, field="user_name", named_from=self.named_from)

    def expires_ns(self, draft: TransferDraft, now_ns: int) -> int:
        return now_ns + self.waits_s * NS_PER_S if draft.confirmed else 0


class BatchState(StrEnum):
    ACCEPTED = "ACCEPTED"
    PROCESSING = "PROCESSING"
    FINISHED = "FINISHED"


class TransferBatch(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a batch of transfers."""

    id: Uuid
    merchant_id: Uuid
    account_id: Uuid
    dialect: Text
    number: Text
    number_key: Uuid
    name: Text
    remark: Text
    total: BigInt
    count: BigInt
    content: Bytes
    state: Text
    notify_url: Text
    facts: Bytes
    created_ns: BigInt
    changed_ns: BigInt

    @property
    def told(self) -> dict[str, Any]:
        return read_facts(self.facts)


class BatchDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as the protocol asks for it. What it says of itself must be what its details add up to."""

    number: str
    name: str
    remark: str
    total: int
    count: int
    dialect: Dialect
    details: tuple[TransferDraft, ...]
    notify_url: str = ""
    facts: dict[str, Any] = {}

    @property
    def digest(self) -> bytes:
        said = hashlib.blake2b(f"{self.name}/{self.remark}".encode(), digest_size=16, person=b"hutong batch")
        for each in self.details:
            said.update(each.number.encode() + b"\0" + each.digest)
        return said.digest()


PERSON_TRANSFERS = Table("person_transfers", PersonTransfer)
BATCHES = Table("transfer_batches", TransferBatch)


def transfer_number_key(merchant_id: int, door: str, number: str, batch_id: int = 0) -> int:
    """By what a transfer is found: its number among the merchant's at that door, or among the batch's."""
    return reference_key(merchant_id, f"transfer/{door}/{batch_id:032x}/{number}")


def batch_number_key(merchant_id: int, door: str, number: str) -> int:
    """The same of a batch."""
    return reference_key(merchant_id, f"transfer batch/{door}/{number}")


def money_id(transfer_id: int) -> int:
    """The id of the transfer on the ledger."""
    return derive(transfer_id, "send")
