"""What people and merchants are shown of a payment, a receipt or a refund, in answers and in notices."""

from functools import lru_cache
from typing import Any

import msgspec

from hutong.institution.payments.payment import Outcome, Payment, PaymentState
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import Refund, Return
from hutong.institution.payments.request_to_pay import ToPay
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text

_TEXTS_MAX = 10_000


class PaymentView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="direction", tag="OUT"):
    """A payment as its payer sees it."""

    payment_id: str
    state: PaymentState
    amount: int
    paid: int
    discount: int = 0
    currency: str
    payee_name: str
    shop_name: str = ""
    creditor_agent: str
    channel: str
    remark: str = ""
    reason: str = ""
    iso_code: str = ""
    created_at_ms: int
    decided_at_ms: int = 0


@lru_cache(_TEXTS_MAX)
def payment_id_text(payment_id: int) -> str:
    """Asked for by the payer's answer and the payee's notice, right behind each other."""
    return id_text("pay", payment_id)


@lru_cache(_TEXTS_MAX)
def request_id_text(request_id: int) -> str:
    """A plate's is the same for all of its payments."""
    return id_text("req", request_id)


@lru_cache(_TEXTS_MAX)
def _shop_text(shop_id: int) -> str:
    """Of which shop news are; nothing of no shop in particular."""
    return id_text("shp", shop_id) if shop_id else ""


def state_of(outcome: Outcome | None) -> PaymentState:
    if outcome is None:
        return PaymentState.PENDING
    return PaymentState.COMPLETED if outcome.completed else PaymentState.REJECTED


def payment_view(payment: Payment, outcome: Outcome | None) -> PaymentView:
    """The payer's view."""
    return PaymentView(
        payment_id=payment_id_text(payment.id),
        state=state_of(outcome),
        amount=payment.gross,
        paid=payment.paid,
        discount=payment.payer_discount + payment.payee_discount,
        currency=payment.currency,
        payee_name=payment.payee_name,
        shop_name=payment.shop_name,
        creditor_agent=payment.creditor_agent,
        channel=payment.channel,
        remark=payment.remark,
        reason=outcome.reason if outcome is not None else "",
        iso_code=outcome.iso_code if outcome is not None else "",
        created_at_ms=payment.created_ns // NS_PER_MS,
        decided_at_ms=outcome.decided_ns // NS_PER_MS if outcome is not None else 0,
    )


class ReceiptView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="direction", tag="IN"):
    """A payment as its payee sees it; `fee` is the merchant's."""

    payment_id: str
    state: PaymentState
    amount: int
    fee: int
    currency: str
    payer_name: str
    debtor_agent: str = ""
    channel: str
    remark: str = ""
    created_at_ms: int


class PaymentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Payments sent and received, newest first. `next_cursor` is what to ask for the next page; null at the end."""

    payments: list[PaymentView | ReceiptView]
    next_cursor: int | None


class ReceiptPage(msgspec.Struct, frozen=True, kw_only=True):
    """Payments received, newest first. `next_cursor` is what to ask for the next page; null at the end."""

    payments: list[ReceiptView]
    next_cursor: int | None


def receipt_view(receipt: Receipt, outcome: Outcome | None) -> ReceiptView:
    """The payee's view of a payment from another node."""
    return ReceiptView(
        payment_id=payment_id_text(receipt.id),
        state=state_of(outcome),
        amount=receipt.gross,
        fee=receipt.fee,
        currency=receipt.currency,
        payer_name=receipt.debtor_name,
        debtor_agent=receipt.debtor_agent,
        channel=receipt.channel,
        remark=receipt.remark,
        created_at_ms=receipt.created_ns // NS_PER_MS,
    )


def received_view(payment: Payment, outcome: Outcome | None) -> ReceiptView:
    """The payee's view of a payment on us."""
    return ReceiptView(
        payment_id=payment_id_text(payment.id),
        state=state_of(outcome),
        amount=payment.gross,
        fee=payment.fee,
        currency=payment.currency,
        payer_name=payment.debtor_name,
        channel=payment.channel,
        remark=payment.remark,
        created_at_ms=payment.created_ns // NS_PER_MS,
    )


def payment_notice(payment: Payment, outcome: Outcome) -> tuple[str, dict[str, Any]]:
    """The news for a payer who isn't waiting for the answer."""
    data: dict[str, Any] = {
        "payment_id": payment_id_text(payment.id),
        "amount": payment.gross,
        "paid": payment.paid,
        "currency": payment.currency,
        "payee_name": payment.payee_name,
    }
    if outcome.completed:
        return "payment.sent", data
    return "payment.rejected", data | {"reason": outcome.reason}


def withdrawal_notice(payment: Payment, outcome: Outcome) -> tuple[str, dict[str, Any]]:
    """The news for a merchant whose money went to its bank, or did not."""
    data: dict[str, Any] = {
        "withdrawal_id": payment_id_text(payment.id),
        "amount": payment.gross,
        "currency": payment.currency,
        "bank": payment.creditor_agent,
    }
    if outcome.completed:
        return "withdrawal.completed", data
    return "withdrawal.rejected", data | {"reason": outcome.reason}


def received(payment: Payment) -> dict[str, Any]:
    """The news for the payee of a payment on us."""
    return {
        "payment_id": payment_id_text(payment.id),
        "request_id": request_id_text(payment.request_id),
        "shop_id": _shop_text(payment.shop_id),
        "amount": payment.gross,
        "fee": payment.fee,
        "currency": payment.currency,
        "channel": payment.channel,
        "payer_name": payment.debtor_name,
        "remark": payment.remark,
    }


def receipt_data(receipt: Receipt) -> dict[str, Any]:
    """The news for the payee of a payment from another node."""
    return {
        "payment_id": payment_id_text(receipt.id),
        "request_id": request_id_text(receipt.request_id),
        "shop_id": _shop_text(receipt.shop_id),
        "amount": receipt.gross,
        "fee": receipt.fee,
        "currency": receipt.currency,
        "channel": receipt.channel,
        "payer_name": receipt.debtor_name,
        "remark": receipt.remark,
    }


class RefundView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refund as its merchant sees it. Amounts in minor units; `fee` is the part of the merchant fee that came back."""

    refund_id: str
    payment_id: str
    state: PaymentState
    amount: int
    fee: int
    currency: str
    remark: str = ""
    reason: str = ""
    iso_code: str = ""
    created_at_ms: int


def refund_view(refund: Refund, outcome: Outcome | None) -> RefundView:
    return RefundView(
        refund_id=id_text("rfd", refund.refund_id),
        payment_id=payment_id_text(refund.payment_id),
        state=state_of(outcome),
        amount=refund.gross,
        fee=refund.fee,
        currency=refund.currency,
        remark=refund.remark,
        reason=outcome.reason if outcome is not None else "",
        iso_code=outcome.iso_code if outcome is not None else "",
        created_at_ms=refund.created_ns // NS_PER_MS,
    )


def refund_data(refund: Refund, outcome: Outcome) -> dict[str, Any]:
    """The news of a refund, for its merchant; and for the payer where that is our user too."""
    data: dict[str, Any] = {
        "refund_id": id_text("rfd", refund.refund_id),
        "payment_id": payment_id_text(refund.payment_id),
        "shop_id": _shop_text(refund.shop_id),
        "amount": refund.gross,
        "currency": refund.currency,
        "remark": refund.remark,
    }
    return data if outcome.completed else data | {"reason": outcome.reason}


def return_data(return_: Return) -> dict[str, Any]:
    """The news of a return, for the payer."""
    return {
        "payment_id": payment_id_text(return_.payment_id),
        "amount": return_.gross,
        "paid_back": return_.paid_back,
        "currency": return_.currency,
        "payee_name": return_.payee_name,
        "remark": return_.remark,
    }


def to_pay_data(row: ToPay) -> dict[str, Any]:
    """The news for a payer who is asked."""
    return {
        "request_to_pay_id": id_text("rtp", row.id),
        "payment_id": payment_id_text(row.payment_id),
        "creditor": row.terms.creditor,
        "creditor_name": row.creditor_name,
        "amount": row.amount,
        "payee_discount": row.payee_discount,
        "currency": row.currency,
        "expires_at_ms": row.expires_ns // NS_PER_MS,
    }
