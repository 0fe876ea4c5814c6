"""A refund through a gateway: the merchant's own refund, under the numbers of the vendor's protocol."""

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from hutong.gateways.facts import read_facts
from hutong.institution.payments.payment import Outcome
from hutong.institution.payments.refund import Refund
from hutong.runtime.tables import BigInt, Bytes, Table, Text, Uuid


class RefundProgress(StrEnum):
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class GatewayRefund(msgspec.Struct, frozen=True, kw_only=True):
    """What the vendor's protocol wants back of a refund. Its id is the refund's on the network."""

    id: Uuid
    order_id: Uuid
    account_id: Uuid
    payee_id: Uuid
    refund_id: Uuid  # The merchant's own, as our API has it.
    dialect: Text
    out_refund_no: Text
    refund_no: Text  # The vendor's number.
    number_key: Uuid
    refund_key: Uuid
    amount: BigInt
    reason: Text
    notify_url: Text
    facts: Bytes
    created_ns: BigInt

    @property
    def told(self) -> dict[str, Any]:
        return read_facts(self.facts)


class RefundDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be given back of an order. `total` is what the caller thinks was paid; None where it does not say."""

    out_refund_no: str
    amount: int
    total: int | None = None
    reason: str = ""
    notify_url: str = ""
    dialect: str
    # Whether the number is the order's own (Alipay), and not unique among all of the merchant's (WeChat Pay).
    within_order: bool = False
    facts: dict[str, Any] = {}


class RefundState(msgspec.Struct, frozen=True, kw_only=True):
    """A refund with its outcome, if it has one."""

    row: GatewayRefund
    refund: Refund
    outcome: Outcome | None
    repeated: bool = False

    @property
    def progress(self) -> RefundProgress:
        if self.outcome is None:
            return RefundProgress.PROCESSING
        return RefundProgress.SUCCESS if self.outcome.completed else RefundProgress.FAILED


GATEWAY_REFUNDS = Table("gateway_refunds", GatewayRefund)


def refund_number_key(payee_id: int, order_id: int, out_refund_no: str) -> int:
    """By what a refund is found: its number, among the merchant's, or with `order_id` among the order's."""
    text = f"{payee_id:032x}/{order_id:032x}/{out_refund_no}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=16, person=b"hutong refundno").digest())


def vendor_refund_number(order_trade_no: str, refund_id: int) -> str:
    """The vendor's number of a refund: its order's day, and digits."""
    drawn = int.from_bytes(hashlib.blake2b(refund_id.to_bytes(16, "big"), digest_size=16).digest())
    return (
        f"503{drawn % 10**26:026d}"
        if order_trade_no.startswith("42")
        else f"{order_trade_no[:8]}2201{drawn % 10**16:016d}"
    )


def refund_key(refund_no: str) -> int:
    """By what a refund is found by the vendor's number."""
    return int.from_bytes(hashlib.blake2b(refund_no.encode(), digest_size=16, person=b"hutong refund").digest())
