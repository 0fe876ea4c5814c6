"""
Recalls: the payer's side. The case is sent until it is answered, and again until the money is here or the answer is no.

REPORTED (by a payer, if the desk looks first) -> ASKED -> PENDING -> ACCEPTED -> RETURNED, or REJECTED. Nobody but the other
side ends what was sent: past the deadline a case is overdue, not over.
"""

from functools import partial
from typing import Any

import structlog
from msgspec.structs import replace

from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.matrix import Shares
from hutong.institution.payments.payment import (
    REMARK_LENGTH_MAX,
    Outcome,
    Payment,
    check_amount,
    check_new_id,
    check_same,
)
from hutong.institution.payments.ports import Notices
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.refund_service import RefundService
from hutong.institution.payments.return_service import ReturnService
from hutong.institution.payments.wording import network_reason
from hutong.institution.policy.policy import Policies, RecallTerms
from hutong.institution.recalls.dispute_service import DisputeService
from hutong.institution.recalls.reasons import RecallRefused
from hutong.institution.recalls.recall import ANSWERED, RECALLS, By, Recall, RecallOrder, RecallState, Rounds
from hutong.institution.recalls.views import recall_data
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import RecallAnswer, RecallReason, RecallRequest, hex_id, id_hex

log = structlog.get_logger()
_NEWS = {
    RecallState.REPORTED: "recall.reported",
    RecallState.DECLINED: "recall.declined",
    RecallState.ASKED: "recall.asked",
    RecallState.ACCEPTED: "recall.accepted",
    RecallState.RETURNED: "recall.returned",
    RecallState.REJECTED: "recall.rejected",
}


class RecallService:
    """Recalls of payments of our users."""

    def __init__(
        self,
        node: NodeRuntime,
        policies: Policies,
        debtor: DebtorService,
        refunds: RefundService,
        returns: ReturnService,
        disputes: DisputeService,
        notices: Notices,
        switch: str,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._policies = policies
        self._debtor = debtor
        self._refunds = refunds
        self._returns = returns
        self._disputes = disputes
        self._notices = notices
        self._switch = switch
        self.recalls = Shelf(RECALLS, node.journal, node.store, by=("payment_id", "user_id"))
        self._rounds = Rounds()
        disputes.answer_ourselves = self.answered

    async def load(self) -> None:
        """Every case."""
        await self.recalls.load_all()

    def resume(self) -> None:
        """After a restart: what is sent is sent again."""
        for recall in self.recalls.everything():
            if recall.is_sent:
                self._rounds.begin(recall.id, self._node.clock.now_ns())

    def report(self, user_id: int, order: RecallOrder) -> Recall:
        """
        A payer wants a payment back, once per recall id. The policy says whether the desk looks at it first.

        Refuses:  PAYMENT_UNKNOWN, also for somebody else's; PAYMENT_NOT_COMPLETED, RECALL_NOT_ALLOWED, RECALL_TOO_LATE,
                  RECALL_ALREADY_OPEN, REFUND_EXCEEDS_REMAINDER, NOTHING_LEFT_TO_RETURN.
        Repeats:  the case as it stands; ID_TAKEN, naming the field, for other content.
        """
        return self._open(By.PAYER, order, user_id, "")

    def open(self, operator: str, order: RecallOrder) -> Recall:
        """The institution's operator wants a payment back: as `report`, for any payer, and sent at once."""
        return self._open(By.OPERATOR, order, 0, operator)

    def approve(self, operator: str, recall_id: int) -> Recall:
        """The desk agrees: it is sent. Refuses RECALL_UNKNOWN, RECALL_NOT_WAITING. Repeats: nothing changes."""
        recall = self.recall(recall_id)
        if recall.is_sent:
            return recall
        payment = self._waiting(recall)
        self._look_up(recall.id, payment)
        terms = self._terms(recall.reason, By.PAYER)
        self._send(self._sent(replace(recall, operator=operator), terms))
        return self.recall(recall_id)

    def decline(self, operator: str, recall_id: int) -> Recall:
        """The desk does not: nothing was sent. Refuses RECALL_UNKNOWN, RECALL_NOT_WAITING. Repeats: nothing changes."""
        recall = self.recall(recall_id)
        if recall.state == RecallState.DECLINED:
            return recall
        self._waiting(recall)
        return self._put(replace(recall, state=RecallState.DECLINED, operator=operator))

    def recall(self, recall_id: int, user_id: int = 0) -> Recall:
        """One case. Refuses RECALL_UNKNOWN, also for another user's than `user_id`, if that is given."""
        recall = self.recalls.get(recall_id)
        if recall is None or user_id not in (0, recall.user_id):
            raise Refusal(RecallRefused.RECALL_UNKNOWN)
        return recall

    def answered(self, message: RecallAnswer) -> None:
        """
        camt.029: how a recall of ours stands. What comes late, twice or out of order changes nothing.

        A yes names the return by which the money comes; the case ends when that return has completed here.
        """
        recall = self.recalls.get(hex_id(message.recall_id))
        if recall is None or message.asker != self._node.node_id or not recall.is_sent:
            return
        state = ANSWERED[message.status]
        if state is RecallState.PENDING and recall.state != RecallState.ASKED:
            return
        if state is RecallState.ACCEPTED and not 0 < message.amount <= recall.amount:
            log.warning("answer_beyond_what_was_asked", recall=recall.id, amount=message.amount)
            return
        return_id = hex_id(message.return_id or "0")
        if self._has_come(recall, return_id):
            state = RecallState.RETURNED
        name, code = "", ""
        if message.reason_name or message.reason:
            name, code = network_reason(message.reason_name, message.reason, PaymentReason.REJECTED_BY_NETWORK)
        told = replace(
            recall,
            state=state,
            accepted=message.amount if state in (RecallState.ACCEPTED, RecallState.RETURNED) else 0,
            return_id=return_id,
            answer_code=code,
            answer_name=name,
        )
        if told != recall:
            if state is RecallState.ACCEPTED:
                self._rounds.begin(recall.id, self._node.clock.now_ns())  # The return is quick.
            self._put(told)

    def tick(self) -> None:
        """What time alone brings about: asking again, and seeing that the money has come."""
        due = self._rounds.due(self._node.clock.now_ns())
        self._node.decide_each(partial(self._again, id_) for id_ in due)

    # Opening.

    def _open(self, by: By, order: RecallOrder, user_id: int, operator: str) -> Recall:
        known = self.recalls.get(order.recall_id)
        if known is not None:
            check_same("recall_id", (known.by, user_id or known.user_id), (by, known.user_id))
            check_same("payment_id", known.payment_id, order.payment_id)
            check_same("reason", known.reason, order.reason)
            check_same("amount", known.amount, order.amount or known.amount)
            check_same("remark", known.remark, order.remark)
            return known
        now_ns = self._node.clock.now_ns()
        check_new_id("recall_id", order.recall_id, now_ns)
        check_text("remark", order.remark, length_max=REMARK_LENGTH_MAX, empty=True)
        payment, outcome = self._payment(order.payment_id, user_id)
        terms = self._terms(order.reason, by)
        until = terms.until(self._policies.date_of(outcome.decided_ns))
        if not terms.allowed:
            raise Refusal(RecallRefused.RECALL_NOT_ALLOWED, field="reason", reason=order.reason)
        if self._policies.date_of(now_ns) > until:
            raise Refusal(RecallRefused.RECALL_TOO_LATE, until=until.isoformat())
        for other in self.recalls.find("payment_id", payment.id):
            if other.is_open:
                raise Refusal(RecallRefused.RECALL_ALREADY_OPEN, field="payment_id")
        left = self._look_up(order.recall_id, payment).gross
        if not left:
            raise Refusal(RecallRefused.NOTHING_LEFT_TO_RETURN, field="payment_id")
        amount = order.amount or left
        check_amount(amount)
        if amount > left:
            raise Refusal(PaymentReason.REFUND_EXCEEDS_REMAINDER, field="amount", left=left)
        recall = Recall(
            id=order.recall_id,
            payment_id=payment.id,
            user_id=payment.user_id,
            creditor_agent=payment.creditor_agent,
            payee_name=payment.payee_name,
            currency=payment.currency,
            amount=amount,
            reason=order.reason,
            remark=order.remark,
            by=by,
            operator=operator,
            state=RecallState.REPORTED,
            accepted=0,
            return_id=0,
            answer_code="",
            answer_name="",
            created_ns=now_ns,
            sent_ns=0,
            answer_by_ns=0,
            changed_ns=now_ns,
        )
        if terms.desk:
            return self._put(recall)
        self._send(self._sent(recall, terms))
        return self.recall(recall.id)

    def _payment(self, payment_id: int, user_id: int) -> tuple[Payment, Outcome]:
        payment = self._debtor.payments.get(payment_id)
        if payment is None or user_id not in (0, payment.user_id):
            raise Refusal(PaymentReason.PAYMENT_UNKNOWN, field="payment_id")
        outcome = self._debtor.outcomes.get(payment_id)
        if outcome is None or not outcome.completed:
            raise Refusal(PaymentReason.PAYMENT_NOT_COMPLETED, field="payment_id")
        return payment, outcome

    def _waiting(self, recall: Recall) -> Payment:
        if recall.state != RecallState.REPORTED:
            raise Refusal(RecallRefused.RECALL_NOT_WAITING, state=recall.state)
        return self._payment(recall.payment_id, 0)[0]

    def _terms(self, reason: str, by: By) -> RecallTerms:
        policy, _, _ = self._policies.today(self._node.clock.now_ns())
        return policy.recall(reason, by)

    def _look_up(self, recall_id: int, payment: Payment) -> Shares:
        """What is left of the payment. May be cold; afterwards asking ourselves is not."""
        if payment.payee_account:
            return self._disputes.look_up(recall_id, payment)
        return self._returns.left(payment)

    # Asking.

    def _sent(self, recall: Recall, terms: RecallTerms) -> Recall:
        now_ns = self._node.clock.now_ns()
        answer_by_ns = now_ns + terms.answer_hours * NS_PER_HOUR
        return replace(recall, state=RecallState.ASKED, sent_ns=now_ns, answer_by_ns=answer_by_ns)

    def _send(self, recall: Recall) -> None:
        self._put(recall)
        self._rounds.begin(recall.id, self._node.clock.now_ns())
        self._ask(recall)

    def _ask(self, recall: Recall) -> None:
        message = RecallRequest(
            recall_id=id_hex(recall.id),
            asker=self._node.node_id,
            payment_id=id_hex(recall.payment_id),
            debtor_agent=self._node.node_id,
            creditor_agent=recall.creditor_agent,
            amount=recall.amount,
            currency=recall.currency,
            reason=RecallReason(recall.reason),
            remark=recall.remark,
            asked_at_ms=recall.sent_ns // NS_PER_MS,
            answer_by_ms=recall.answer_by_ns // NS_PER_MS,
        )
        if recall.creditor_agent == self._node.node_id:
            self._disputes.asked(message)
        else:
            self._journal.tell(self._switch, message)

    def _again(self, recall_id: int) -> None:
        recall, now_ns = self.recall(recall_id), self._node.clock.now_ns()
        if not recall.is_sent:
            self._rounds.end(recall_id)
            return
        if recall.state == RecallState.ACCEPTED and self._has_come(recall, recall.return_id):
            self._put(replace(recall, state=RecallState.RETURNED))
            self._rounds.end(recall_id)
            return
        self._rounds.again(recall_id, now_ns)
        self._ask(recall)

    def _has_come(self, recall: Recall, return_id: int) -> bool:
        """Whether the return has completed here, and is one of this payment."""
        if not return_id:
            return False
        here: tuple[Any, Any] = (
            (self._refunds.refunds, self._refunds.outcomes)
            if recall.creditor_agent == self._node.node_id
            else (self._returns.returns, self._returns.outcomes)
        )
        row, outcome = here[0].get(return_id), here[1].get(return_id)
        return outcome is not None and outcome.completed and row is not None and row.payment_id == recall.payment_id

    def _put(self, recall: Recall) -> Recall:
        changed = replace(recall, changed_ns=self._node.clock.now_ns())
        self.recalls.put(changed)
        news = _NEWS.get(RecallState(changed.state))
        if news is not None:
            self._notices.tell_user(changed.user_id, news, recall_data(changed))
        return changed
