"""A merchant's stock of its own coupons, what was asked about them by number, and where its merchant hears of them."""

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.vouchers.stock import VoucherCallback
from hutong.institution.merchants.merchant import reference_key
from hutong.kernel.ids import derive
from hutong.marketing.coupons.template import CouponTerms
from hutong.runtime.tables import BigInt, Boolean, Bytes, Table, Text, Uuid

STOCK_DIGITS, CODE_DIGITS = 16, 22


class CodeMode(StrEnum):
    """Where the codes of a stock come from."""

    WECHATPAY_MODE = "WECHATPAY_MODE"  # From us.
    MERCHANT_API = "MERCHANT_API"  # The merchant says each when it sends it.
    MERCHANT_UPLOAD = "MERCHANT_UPLOAD"  # The merchant brings them beforehand.


class StockState(StrEnum):
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    OVER = "OVER"


class TillStockDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A stock as the vendor's protocol describes it: `count` coupons of `terms`, `per_day` of them a day (0: no matter)."""

    number: str  # The merchant's own, of its request.
    name: str
    terms: CouponTerms
    count: int
    per_day: int
    code_mode: CodeMode
    subsidised: bool
    facts: dict[str, Any]  # What is to be given back as it came.


class TillStock(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a stock. Its id is its template's, too."""

    id: Uuid
    account_id: Uuid  # Who made it.
    payee_id: Uuid  # The account whose merchant takes its coupons.
    merchant_id: Uuid
    number: Text  # The vendor's.
    number_key: Uuid
    code_mode: Text
    per_day: BigInt
    subsidised: Boolean
    facts: Bytes
    created_ns: BigInt
    changed_ns: BigInt

    @property
    def told(self) -> dict[str, Any]:
        """The facts, read."""
        found: dict[str, Any] = msgspec.json.decode(self.facts)
        return found


class TillRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was asked under a number, and the answer. It never changes."""

    id: Uuid
    account_id: Uuid
    content: Bytes  # A digest.
    answer: Bytes  # JSON.
    at_ns: BigInt


STOCKS = Table("till_stocks", TillStock)
REQUESTS = Table("till_requests", TillRequest)
CALLBACKS = Table("till_callbacks", VoucherCallback)


def number_key(number: str) -> int:
    """By what a stock is found."""
    return reference_key(0, f"till stock/{number}")


def digits(id_: int, use: str, length: int) -> str:
    """A number made of an id, so that a decision that is made again makes the same."""
    drawn = hashlib.blake2b(f"{use}/{id_:032x}".encode(), digest_size=16).digest()
    return f"1{int.from_bytes(drawn) % 10 ** (length - 1):0{length - 1}d}"


def request_id(caller: Caller, verb: str, number: str) -> int:
    """Under what a request is kept: each verb counts the caller's numbers by itself."""
    return derive(caller.account.row.id, f"till coupons/{verb}/{number}")


def digest(content: Any) -> bytes:
    """What may not differ when a number comes again."""
    return hashlib.blake2b(msgspec.json.encode(content, order="sorted"), digest_size=16).digest()
