"""
An order of a gateway: a payment request, and what the vendor's protocol wants back of it.

    NOT_PAID -> PAID            NOT_PAID -> CLOSED (closed, or its time over)
    PAYING   -> PAID | FAILED   PAID, PAYING -> REVERSED
"""

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from hutong.gateways.account import Caller, GatewayAccount
from hutong.gateways.facts import read_facts
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.vouchers.stock import UsedVoucher
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.request_to_pay import Charge
from hutong.institution.requests.request import PaymentRequest
from hutong.kernel.clock import NS_PER_DAY, instant
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import RANDOM_BITS
from hutong.runtime.tables import BigInt, Bytes, Integer, Table, Text, Uuid

_ZONE_OFFSET_S = 8 * 3600  # Both vendors' numbers begin with the day in Beijing.
_DAY_DIGITS = 8
REFUNDABLE_NS = 365 * NS_PER_DAY  # How long after its payment something may be given back of an order.


class Dialect(StrEnum):
    """In which protocol an order was placed, and its news are told."""

    WECHATPAY_V3 = "wechatpay-v3"
    WECHATPAY_V2 = "wechatpay-v2"
    ALIPAY = "alipay"


class Closed(StrEnum):
    """What the merchant did to an order."""

    NO = ""
    CLOSED = "CLOSED"
    REVERSED = "REVERSED"
    RETRIED = "RETRIED"  # The payment code failed, and another was scanned under the same number: see the next attempt.


class TradeState(StrEnum):
    """How an order stands."""

    NOT_PAID = "NOT_PAID"
    PAYING = "PAYING"  # Somebody's wallet is at it, or asks for a PIN.
    PAID = "PAID"
    CLOSED = "CLOSED"
    REVERSED = "REVERSED"  # Taken back, with the money if it had come.
    FAILED = "FAILED"  # The payer's side said no to a payment code.


# A fact of an order that is taken under an agreement whose person their institution did not name.
SIGNED_AS = "signed_as"


class GatewayOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an order. Its id is its payment request's."""

    id: Uuid
    account_id: Uuid  # Who placed it.
    payee_id: Uuid  # The account that is paid: another, where a service provider placed it.
    dialect: Text
    product: Text  # NATIVE, JSAPI, MICROPAY, PRECREATE, ...: the vendor's word.
    out_trade_no: Text
    trade_no: Text  # The vendor's number of the payment; told when there is one.
    trade_key: Uuid
    notify_url: Text
    facts: Bytes  # JSON: what is to be given back as it came.
    content: Bytes  # A digest: the same number with another is another order.
    closed: Text
    attempt: Integer  # Payment codes scanned under this number so far.
    payment_id: Uuid  # 0 until it is paid.
    paid_ns: BigInt
    payer: Text  # See `payer.Payer`; empty until it is paid.
    created_ns: BigInt

    @property
    def told(self) -> dict[str, Any]:
        """The facts, read."""
        return read_facts(self.facts)

    @property
    def signed_as(self) -> str:
        """As whom the merchant knows its payer, who signed for it beforehand; empty: as who pays."""
        return self.told[SIGNED_AS] if SIGNED_AS.encode() in self.facts else ""

    def is_final(self, now_ns: int) -> bool:
        """Whether it was paid so long ago that nothing is given back any more."""
        return 0 < self.paid_ns < now_ns - REFUNDABLE_NS

    def check_refundable(self, now_ns: int) -> None:
        """Refuses REFUND_TOO_LATE."""
        if self.is_final(now_ns):
            raise Refusal(GatewayReason.REFUND_TOO_LATE)


class OrderDraft(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the vendor's protocol names it. `amount` in minor units; `content` is what may not differ when it is repeated."""

    out_trade_no: str
    amount: int
    product: str
    description: str
    dialect: Dialect
    payer_code: str = ""  # Of a payment-code order: what was scanned.
    lifetime_s: int | None = None
    notify_url: str = ""
    facts: dict[str, Any] = {}
    content: bytes = b""

    def digest(self, caller: Caller) -> bytes:
        """What is kept of the content."""
        who = f"{caller.account.row.number}/{caller.payee.row.number}/{self.amount}/{self.payer_code}/".encode()
        return hashlib.blake2b(who + self.content, digest_size=16).digest()


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """An order with all that became of it, at one moment."""

    order: GatewayOrder
    request: PaymentRequest
    state: TradeState
    payment: Receipt | Payment | None = None
    charge: Charge | None = None
    refunded: int = 0  # What was given back, or is on its way.
    refunds: int = 0
    is_final: bool = False  # Nothing is given back any more.
    was_seen: bool = False  # Whether a wallet has looked at it.
    vouchers: tuple[UsedVoucher, ...] = ()  # What of the payer's own institution's part were coupons.

    @property
    def amount(self) -> int:
        """What was to be paid."""
        return self.request.amount

    @property
    def paid(self) -> int:
        """What the payer himself paid, as far as this side knows; 0 before."""
        if self.payment is None:
            return 0
        return self.payment.gross - self.payment.payee_discount - payer_discount(self.payment)

    @property
    def discount(self) -> int:
        """What others than the payer carried."""
        return 0 if self.payment is None else self.payment.payee_discount + payer_discount(self.payment)

    @property
    def left(self) -> int:
        """What can still be given back."""
        return self.amount - self.refunded


def payer_discount(payment: Receipt | Payment) -> int:
    """What the payer's own institution carried: known here only where that is us."""
    return payment.payer_discount if isinstance(payment, Payment) else 0


ORDERS = Table("gateway_orders", GatewayOrder)


def trade_number(account: GatewayAccount, order_id: int) -> str:
    """The vendor's number of an order's payment, by its id: 32 digits that begin with 42, or 28 that begin with the day."""
    made_s = (order_id >> RANDOM_BITS) // 1000 + _ZONE_OFFSET_S
    day = f"{instant(made_s * 1_000_000_000):%Y%m%d}"
    drawn = int.from_bytes(
        hashlib.blake2b(order_id.to_bytes(16, "big"), digest_size=16, person=b"hutong trade").digest()
    )
    if account.kind == "wechatpay":
        return f"42000{drawn % 10**5:05d}{day}{drawn // 10**5 % 10**14:014d}"
    return f"{day}2200{drawn % 10**16:016d}"


def trade_key(trade_no: str) -> int:
    """By what an order is found."""
    return int.from_bytes(hashlib.blake2b(trade_no.encode(), digest_size=16, person=b"hutong tradeno").digest())
