"""
One service, to be paid for afterwards.

    OPEN -> COMPLETED (what it comes to is known, and taken)        OPEN, COMPLETED -> REVOKED
"""

from enum import StrEnum
from typing import Any

import msgspec

from hutong.gateways.agreements.agreement import Agreement, AgreementState
from hutong.gateways.facts import read_facts
from hutong.gateways.order import Trade, TradeState
from hutong.gateways.services.reasons import ServiceReason
from hutong.institution.merchants.merchant import reference_key
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Bytes, Integer, Table, Text, Uuid

FACT = "service_order"  # In the facts of the order that takes the money.
PRODUCT = "PAYSCORE"
_ATTEMPTS_MAX = 9_999


class ServiceState(StrEnum):
    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    REVOKED = "REVOKED"


class ServiceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a service order."""

    id: Uuid
    account_id: Uuid
    merchant_id: Uuid
    service_id: Text
    number: Text  # The merchant's own.
    number_key: Uuid
    agreement_id: Uuid  # The person's consent.
    most: BigInt  # What may be taken for it.
    total: BigInt  # What it came to, when it is completed.
    attempt: Integer  # Of taking it.
    settled_ns: BigInt  # When the merchant said that it was paid for elsewhere; 0: it did not.
    notify_url: Text
    facts: Bytes  # JSON: what is given back as it came.
    content: Bytes
    state: Text
    created_ns: BigInt
    changed_ns: BigInt

    @property
    def told(self) -> dict[str, Any]:
        """The facts, read."""
        return read_facts(self.facts)

    @property
    def out_trade_no(self) -> str:
        """Under what number it is taken, at this attempt."""
        return f"PS{self.id >> 24:026x}{self.attempt:04d}"

    def completed(self, total: int, facts: dict[str, Any], now_ns: int) -> "ServiceOrder":
        """
        What it comes to is known.

        Refuses:  SERVICE_TOTAL_EXCEEDED; SERVICE_REVOKED; SERVICE_COMPLETED, with another total.
        Repeats:  itself.
        """
        if self.state == ServiceState.COMPLETED and self.total == total:
            return self
        self.check_open()
        return self._at(total, facts, now_ns)

    def modified(self, total: int, facts: dict[str, Any], now_ns: int) -> "ServiceOrder":
        """It comes to less than was said. Refuses SERVICE_NOT_COMPLETED; SERVICE_TOTAL_EXCEEDED. Repeats: itself."""
        self.check_completed()
        if total > self.total:
            raise Refusal(ServiceReason.SERVICE_TOTAL_EXCEEDED, field="total_amount", most=self.total)
        return self if total == self.total else self._at(total, facts, now_ns)

    def check_open(self) -> None:
        """Refuses SERVICE_REVOKED, SERVICE_COMPLETED."""
        if self.state == ServiceState.REVOKED:
            raise Refusal(ServiceReason.SERVICE_REVOKED)
        if self.state == ServiceState.COMPLETED:
            raise Refusal(ServiceReason.SERVICE_COMPLETED)

    def check_completed(self) -> None:
        """Refuses SERVICE_NOT_COMPLETED: there is nothing to take yet, or any more."""
        if self.state != ServiceState.COMPLETED:
            raise Refusal(ServiceReason.SERVICE_NOT_COMPLETED)

    def _at(self, total: int, facts: dict[str, Any], now_ns: int) -> "ServiceOrder":
        if total > self.most:
            raise Refusal(ServiceReason.SERVICE_TOTAL_EXCEEDED, field="total_amount", most=self.most)
        return msgspec.structs.replace(
            self,
            total=total,
            attempt=self.next_attempt,
            facts=msgspec.json.encode(self.told | facts),
            state=ServiceState.COMPLETED.value,
            changed_ns=now_ns,
        )

    @property
    def next_attempt(self) -> int:
        """Refuses SERVICE_ATTEMPTS_EXHAUSTED."""
        if self.attempt >= _ATTEMPTS_MAX:
            raise Refusal(ServiceReason.SERVICE_ATTEMPTS_EXHAUSTED)
        return self.attempt + 1


class ServiceDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant asks consent for."""

    service_id: str
    number: str
    most: int
    dialect: str
    shown: str
    notify_url: str
    permission: Agreement | None = None  # Under which it needs no consent of its own.
    facts: dict[str, Any] = {}
    content: bytes = b""


class ServiceStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A service order with the consent and the money, at one moment."""

    order: ServiceOrder
    agreement: Agreement
    trade: Trade | None  # What takes the money, of the last attempt.
    now_ns: int

    @property
    def is_signed(self) -> bool:
        return bool(self.agreement.signed_ns)

    @property
    def is_lapsed(self) -> bool:
        """Nobody agreed in time."""
        return self.agreement.state_at(self.now_ns) is AgreementState.LAPSED

    @property
    def is_taken(self) -> bool:
        return self.trade is not None and self.trade.state is TradeState.PAID

    @property
    def is_paid(self) -> bool:
        """Taken, paid elsewhere, or nothing to pay."""
        if self.order.state != ServiceState.COMPLETED:
            return False
        return not self.order.total or bool(self.order.settled_ns) or self.is_taken


SERVICE_ORDERS = Table("service_orders", ServiceOrder)


def number_key(payee_id: int, service_id: str, number: str) -> int:
    """By what a service order is found: the merchant's number."""
    return reference_key(payee_id, f"service order/{service_id}/{number}")
