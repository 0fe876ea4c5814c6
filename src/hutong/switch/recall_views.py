"""What the switch's operator is shown of recalls and traces, and what a legal order says."""

from typing import Annotated

import msgspec

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text
from hutong.scheme.message import NodeId
from hutong.scheme.messages import RecallReason, TraceAnswer, hex_id
from hutong.switch.lifecycle.application import MaybeWords
from hutong.switch.payment import ClearedPayment
from hutong.switch.recall import Recall

RECALL_PREFIX = "rcl"


class LegalOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask a payment back in the switch's own name. Amount 0: all that is left. `remark` names the order."""

    recall_id: Annotated[str, msgspec.Meta(description="Minted and kept by you before the first try.")]
    originator: NodeId
    payment_id: str
    reason: RecallReason = RecallReason.FRAUD
    amount: Annotated[int, msgspec.Meta(ge=0)] = 0
    remark: MaybeWords = ""


class SwitchRecallView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    A recall as it passed the switch. `status` is ASKED, or what the payee's node last said: PDCR, CNCL, PECR, RJCR.

    `refused` is the switch's own no. `overdue`: nobody has decided in time.
    """

    recall_id: str
    asker: str
    payment_id: str
    debtor_agent: str
    creditor_agent: str
    amount: int
    currency: str
    reason: str
    status: str
    accepted: int = 0
    return_id: str = ""
    answer_code: str = ""
    answer_name: str = ""
    refused: str = ""
    operator: str = ""
    asked_at_ms: int
    answer_by_ms: int
    answered_at_ms: int = 0
    overdue: bool = False


class SwitchHopView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step: `amount` of the traced money went from `source` to `target`, which are pseudonyms, `node:digits`."""

    source: str
    target: str = ""
    kind: str
    amount: int
    payment_id: str = ""
    agent: str = ""
    at_ms: int = 0


class SwitchTraceView(msgspec.Struct, frozen=True, kw_only=True):
    """Where the money of a payment went, first in first out; `whole` is false where a bound was reached or a node silent."""

    payment_id: str
    amount: int
    currency: str
    holder: str
    whole: bool
    hops: list[SwitchHopView]
    people: dict[str, str] = {}  # The switch knows nobody's people.


def switch_recall_view(recall: Recall, now_ns: int) -> SwitchRecallView:
    return SwitchRecallView(
        recall_id=id_text(RECALL_PREFIX, recall.recall_id),
        asker=recall.asker,
        payment_id=id_text("pay", recall.payment_id),
        debtor_agent=recall.debtor_agent,
        creditor_agent=recall.creditor_agent,
        amount=recall.amount_minor,
        currency=recall.currency,
        reason=recall.reason,
        status=recall.status,
        accepted=recall.accepted_minor,
        return_id=id_text("rtn", recall.return_id) if recall.return_id else "",
        answer_code=recall.answer_code,
        answer_name=recall.answer_name,
        refused=recall.refused,
        operator=recall.operator,
        asked_at_ms=recall.asked_ns // NS_PER_MS,
        answer_by_ms=recall.answer_by_ns // NS_PER_MS,
        answered_at_ms=recall.answered_ns // NS_PER_MS,
        overdue=recall.is_overdue(now_ns),
    )


def switch_trace_view(payment: ClearedPayment, amount: int, joined: TraceAnswer) -> SwitchTraceView:
    return SwitchTraceView(
        payment_id=id_text("pay", payment.payment_id),
        amount=amount,
        currency=payment.currency,
        holder=joined.holder,
        whole=joined.is_whole,
        hops=[
            SwitchHopView(
                source=hop.source,
                target=hop.target,
                kind=hop.kind.value,
                amount=hop.amount,
                payment_id=id_text("pay", hex_id(hop.payment_id)) if hop.payment_id else "",
                agent=hop.agent or "",
                at_ms=hop.at_ms,
            )
            for hop in joined.hops
        ],
    )
