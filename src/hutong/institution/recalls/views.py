"""What people, merchants and operators are shown of recalls and disputes. Amounts are integers of minor units (fen)."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hutong.institution.payments.views import payment_id_text
from hutong.institution.recalls.dispute import Dispute
from hutong.institution.recalls.recall import Recall
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text
from hutong.scheme.messages import RecallReason

RECALL_PREFIX, DISPUTE_PREFIX = "rcl", "dsp"


class ReportBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask for a payment back. `recall_id` is yours: with it, try as often as need be. Amount 0: all that is left."""

    recall_id: Annotated[str, Meta(description="Minted and kept by you before the first try.")]
    payment_id: str
    reason: RecallReason
    amount: Annotated[int, Meta(ge=0)] = 0
    remark: Annotated[str, Meta(max_length=140)] = ""


class StanceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the payee has to say."""

    remark: Annotated[str, Meta(max_length=140)] = ""


class AcceptBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give back. Amount 0: as much as was set aside."""

    amount: Annotated[int, Meta(ge=0)] = 0


class RejectBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give nothing back, and why: ISO 20022 ExternalPaymentCancellationRejection1Code."""

    code: Annotated[str, Meta(pattern="^(CUST|NOAS|ARDT|AC04|AM04|LEGL|AGNT)$")]


class RecallView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A recall as the asking side sees it. `overdue`: the other side has not answered in time."""

    recall_id: str
    payment_id: str
    state: str
    reason: str
    amount: int
    accepted: int = 0
    currency: str
    payee_name: str
    creditor_agent: str
    by: str
    remark: str = ""
    answer_code: str = ""
    answer_name: str = ""
    operator: str = ""
    created_at_ms: int
    answer_by_ms: int = 0
    overdue: bool = False


class DisputeView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A recall as the payee's side sees it: `amount` is disputed, `blocked` set aside, `accepted` given back."""

    dispute_id: str
    payment_id: str
    state: str
    reason: str
    amount: int
    blocked: int = 0
    accepted: int = 0
    currency: str
    asker: str
    merchant_id: str = ""
    user_id: str = ""
    stance: str = ""
    stance_remark: str = ""
    remark: str = ""
    answer_code: str = ""
    answer_name: str = ""
    operator: str = ""
    attempts: int = 0
    created_at_ms: int
    answer_by_ms: int


def recall_view(recall: Recall, now_ns: int) -> RecallView:
    return RecallView(
        recall_id=id_text(RECALL_PREFIX, recall.id),
        payment_id=payment_id_text(recall.payment_id),
        state=recall.state,
        reason=recall.reason,
        amount=recall.amount,
        accepted=recall.accepted,
        currency=recall.currency,
        payee_name=recall.payee_name,
        creditor_agent=recall.creditor_agent,
        by=recall.by,
        remark=recall.remark,
        answer_code=recall.answer_code,
        answer_name=recall.answer_name,
        operator=recall.operator,
        created_at_ms=recall.created_ns // NS_PER_MS,
        answer_by_ms=recall.answer_by_ns // NS_PER_MS,
        overdue=recall.is_overdue(now_ns),
    )


def dispute_view(dispute: Dispute, *, to_payee: bool = False) -> DisputeView:
    """For the desk; the payee is not told what the payer wrote, nor who decided."""
    return DisputeView(
        dispute_id=id_text(DISPUTE_PREFIX, dispute.id),
        payment_id=payment_id_text(dispute.payment_id),
        state=dispute.state,
        reason=dispute.reason,
        amount=dispute.amount,
        blocked=dispute.blocked,
        accepted=dispute.accepted,
        currency=dispute.currency,
        asker=dispute.asker,
        merchant_id=id_text("mer", dispute.merchant_id) if dispute.merchant_id else "",
        user_id=id_text("usr", dispute.user_id) if dispute.user_id else "",
        stance=dispute.stance,
        stance_remark=dispute.stance_remark,
        remark="" if to_payee else dispute.remark,
        answer_code=dispute.answer_code,
        answer_name=dispute.answer_name,
        operator="" if to_payee else dispute.operator,
        attempts=dispute.attempts,
        created_at_ms=dispute.created_ns // NS_PER_MS,
        answer_by_ms=dispute.answer_by_ns // NS_PER_MS,
    )


def recall_data(recall: Recall) -> dict[str, Any]:
    """The news of a recall, for the payer."""
    return {
        "recall_id": id_text(RECALL_PREFIX, recall.id),
        "payment_id": payment_id_text(recall.payment_id),
        "state": recall.state,
        "amount": recall.amount,
        "accepted": recall.accepted,
        "currency": recall.currency,
        "reason": recall.reason,
        "answer_code": recall.answer_code,
    }


def dispute_data(dispute: Dispute) -> dict[str, Any]:
    """The news of a dispute, for the payee. What the payer wrote stays with the operator."""
    return {
        "dispute_id": id_text(DISPUTE_PREFIX, dispute.id),
        "payment_id": payment_id_text(dispute.payment_id),
        "state": dispute.state,
        "amount": dispute.amount,
        "accepted": dispute.accepted,
        "currency": dispute.currency,
        "reason": dispute.reason,
        "answer_by_ms": dispute.answer_by_ns // NS_PER_MS,
    }
