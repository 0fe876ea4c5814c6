"""A merchant's stock of vouchers, what was used of it and what came back, and where its merchant hears of that."""

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.vouchers.reasons import VoucherReason
from hutong.institution.merchants.merchant import reference_key
from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.coupon import Coupon, CouponState
from hutong.marketing.coupons.template import CouponTerms
from hutong.runtime.tables import BigInt, Boolean, Bytes, SmallInt, Table, Text, Uuid

STOCK_DIGITS, VOUCHER_DIGITS = 16, 18


class StockState(StrEnum):
    """How it stands: its campaign and its template say."""

    UNACTIVATED = "UNACTIVATED"
    RUNNING = "RUNNING"  # Its money is set aside; whether its time has come, its dates say.
    PAUSED = "PAUSED"  # None is sent; what was sent stays good.
    ENDED = "ENDED"


class FlowKind(StrEnum):
    USED = "USED"
    RETURNED = "RETURNED"  # By a refund of what was paid with it.


class StockDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A stock as the vendor's protocol describes it: `count` vouchers of `terms`, good between two moments."""

    number: str  # The merchant's own, of its request.
    dialect: str
    name: str
    terms: CouponTerms
    count: int
    from_ns: int
    until_ns: int
    facts: dict[str, Any]  # What is to be given back as it came.

    def digest(self, caller: Caller) -> bytes:
        """What may not differ when the number comes again."""
        told = (caller.payee.row.number, self.name, self.count, self.from_ns, self.until_ns, self.facts)
        encoded = msgspec.json.encode((told, msgspec.to_builtins(self.terms)), order="sorted")
        return hashlib.blake2b(encoded, digest_size=16).digest()


class VoucherStock(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a stock. Its id is its campaign's and its template's, too."""

    id: Uuid
    account_id: Uuid  # Who made it.
    payee_id: Uuid  # The account whose merchant pays for it, and where it is good.
    merchant_id: Uuid
    dialect: Text
    number: Text  # The vendor's.
    number_key: Uuid
    request: Text  # The merchant's number of the request that made it.
    request_key: Uuid
    facts: Bytes
    content: Bytes  # A digest.
    starting: Boolean  # Its money is on its way.
    attempt: SmallInt  # At setting it aside: a refused transfer's id is spent.
    started_ns: BigInt  # 0: not yet.
    taken_home: BigInt  # What went back to the merchant's account after the end,
    last_home: BigInt  # and of that the last time.
    created_ns: BigInt

    @property
    def told(self) -> dict[str, Any]:
        """The facts, read."""
        found: dict[str, Any] = msgspec.json.decode(self.facts)
        return found

    def check_started(self) -> None:
        """Refuses VOUCHER_STOCK_NOT_STARTED."""
        if not self.started_ns:
            raise Refusal(VoucherReason.VOUCHER_STOCK_NOT_STARTED)


class VoucherFlow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That a voucher made a payment cheaper, or that a refund brought so much of it back. It never changes."""

    id: Uuid
    stock_id: Uuid
    coupon_id: Uuid
    payment_id: Uuid
    kind: Text
    amount: BigInt
    at_ns: BigInt


class VoucherCallback(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account is told that its vouchers are used."""

    id: Uuid  # The account's.
    url: Text
    is_on: Boolean
    changed_ns: BigInt


class UsedVoucher(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon of whose that made a payment cheaper, as the payment's payee is told."""

    coupon_id: int
    name: str
    amount: int
    stock: str = ""  # The number of the payee's own stock; empty: somebody else's coupon.


STOCKS = Table("voucher_stocks", VoucherStock)
FLOWS = Table("voucher_flows", VoucherFlow)
CALLBACKS = Table("voucher_callbacks", VoucherCallback)


def number_key(number: str) -> int:
    """By what a stock is found."""
    return reference_key(0, f"voucher stock/{number}")


def request_key(account_id: int, number: str) -> int:
    """By what a request is found that comes again."""
    return reference_key(account_id, f"voucher stock/{number}")


def voucher_number(coupon_id: int) -> str:
    """The vendor's number of a voucher: digits, of which its person has no two alike."""
    drawn = hashlib.blake2b(coupon_id.to_bytes(16, "big"), digest_size=16, person=b"hutong voucher").digest()
    return f"1{int.from_bytes(drawn) % 10 ** (VOUCHER_DIGITS - 1):0{VOUCHER_DIGITS - 1}d}"


def is_expired(coupon: Coupon, ends_ns: int, now_ns: int) -> bool:
    """Whether nobody can use it any more, though nobody has: its own time is over, or its stock's."""
    return coupon.state == CouponState.AVAILABLE and now_ns >= min(coupon.until_ns, ends_ns)
