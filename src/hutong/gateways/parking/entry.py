"""
One entry of a car into a car park.

    NORMAL <-> BLOCKED (nobody agreed, or not any more; the person is frozen; the car owes)        -> paid, or gone
"""

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from hutong.gateways.facts import read_facts
from hutong.institution.merchants.merchant import reference_key
from hutong.runtime.tables import BigInt, Boolean, Bytes, Table, Text, Uuid

FACT = "parking_entry"  # In the facts of the order that takes the money.
PRODUCT = "PARKING"


class Block(StrEnum):
    """Why nothing can be taken for a car; empty: it can."""

    NO = ""
    PAUSE = "PAUSE"  # The person's wallet is frozen.
    OVERDUE = "OVERDUE"  # Something could not be taken for it before, by the same merchant.
    OUT_SERVICE = "OUT_SERVICE"  # Nobody agreed, or not any more.


class EntryDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant says of it. `facts` is what may not differ when the number comes again."""

    number: str
    dialect: str
    notify_url: str = ""
    facts: dict[str, Any] = {}

    def digest(self, plate_key: int) -> bytes:
        """What is kept of the content."""
        told = f"{plate_key:032x}/{self.notify_url}/".encode() + msgspec.json.encode(self.facts, order="sorted")
        return hashlib.blake2b(told, digest_size=16).digest()


class ParkingEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an entry."""

    id: Uuid
    account_id: Uuid
    payee_id: Uuid
    dialect: Text
    number: Text  # The merchant's own.
    number_key: Uuid
    plate_key: Uuid
    open_key: Uuid | None  # The plate's, while the merchant is told what becomes of it.
    user_id: Uuid  # Whose consent it was, when it came in; 0: nobody's, or of somebody elsewhere.
    facts: Bytes  # JSON: the plate, and what is given back as it came.
    content: Bytes
    block: Text
    notify_url: Text
    owed: Boolean  # It could not be taken, at the last try.
    out_trade_no: Text  # Under what it is taken, at the last try; empty before.
    created_ns: BigInt
    changed_ns: BigInt  # When `block` was last another.

    @property
    def told(self) -> dict[str, Any]:
        """The facts, read."""
        return read_facts(self.facts)

    @property
    def name(self) -> str:
        """How its merchant names it to us."""
        return f"{self.id:032x}"


PARKING_ENTRIES = Table("parking_entries", ParkingEntry)


def number_key(payee_id: int, number: str) -> int:
    """By what an entry is found: the merchant's number."""
    return reference_key(payee_id, f"parking entry/{number}")
