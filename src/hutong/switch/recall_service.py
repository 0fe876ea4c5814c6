"""
Recalls at the switch: passed on, recorded, answered; and the operator's own, by a legal order.

Nothing here moves money: what comes back comes as a return. Who asks sends it again until it is answered, so the switch
resends its own alone.
"""

import heapq

import msgspec
import structlog

from hutong.kernel.clock import NS_PER_HOUR, NS_PER_MS, NS_PER_S
from hutong.kernel.errors import Reason, Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import RecallAnswer, RecallReason, RecallRequest, hex_id, id_hex
from hutong.switch.enquiry import is_from_the_future
from hutong.switch.payment import row_id
from hutong.switch.reason import SwitchReason
from hutong.switch.recall import RECALLS, Recall, check_recall, recall_of, refused
from hutong.switch.service import ClearingService

log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode
_DECODER = msgspec.json.Decoder(RecallRequest)
_FIRST_WAIT_NS = 2 * NS_PER_S
_WAIT_NS_MAX = NS_PER_HOUR
LEGAL_ORDER_NS = 72 * NS_PER_HOUR


class RecallService:
    """Every recall of a payment between two nodes, as the switch sees it."""

    def __init__(self, node: NodeRuntime, clearing: ClearingService) -> None:
        self._node = node
        self._clearing = clearing
        self.recalls = Shelf(RECALLS, node.journal, node.store)
        self._own: list[tuple[int, int, int]] = []  # When, how long it waited, which of our own.

    async def start(self) -> None:
        """Load every case; our own that are undecided are asked again."""
        for recall in await self.recalls.load_all():
            if recall.asker == self._node.node_id and not recall.is_final:
                self._ask_again(recall.id, _FIRST_WAIT_NS)

    def ask(self, sender: str, request: RecallRequest) -> None:
        """
        camt.056 of a debtor agent: record it and pass it on to the payee's node.

        Refuses:  with a durable camt.029 RJCR: what `check_recall` refuses. What is sent in another's name is dropped.
        Repeats:  passed on again, unless the switch itself had said no: then that. Other content under the same id
                  changes nothing, and is told so.
        """
        if sender != request.asker or sender != request.debtor_agent:
            log.warning("recall for another", sender=sender, asker=request.asker)
            return
        if is_from_the_future(request.recall_id, sender, self._node.clock.now_ns()):
            return
        id_ = row_id(request.recall_id, sender)
        known = self.recalls.get(id_)
        if known is None:
            recall = self._admit(id_, request, "")
            if recall.refused:
                self._node.journal.tell(sender, recall.answer())
            else:
                self._node.journal.tell(request.creditor_agent, request)
        elif known.message != _encode(request):
            self._node.journal.tell(sender, _conflicting(known, SwitchReason.SAME_ID_OTHER_CONTENT))
        elif known.refused:
            self._node.journal.tell(sender, known.answer())
        else:
            self._node.journal.tell(known.creditor_agent, request)

    def answer(self, sender: str, message: RecallAnswer) -> None:
        """camt.029 of the payee's node: record it, and pass on how it stands now."""
        recall = self.recalls.get(row_id(message.recall_id, message.asker))
        if recall is None or recall.refused or sender != recall.creditor_agent:
            log.warning("answer nobody asked for", sender=sender, recall_id=message.recall_id)
            return
        if message.amount > recall.amount_minor:
            log.warning("answer beyond what was asked", sender=sender, recall_id=message.recall_id)
            return
        answered = recall.answered(message, self._node.clock.now_ns())
        if answered is not recall:
            self.recalls.put(answered)
        if recall.asker != self._node.node_id:
            self._node.journal.tell(recall.asker, answered.answer())

    def order(  # A legal order, spelled out.
        self,
        operator: str,
        recall_id: int,
        originator: str,
        payment_id: int,
        reason: RecallReason,
        amount: int = 0,
        remark: str = "",
    ) -> Recall:
        """
        A legal order: ask a payment back in the switch's own name. Amount 0: all that is left of it.

        Refuses:  PAYMENT_UNKNOWN and what `check_recall` refuses; SAME_ID_OTHER_CONTENT.
        Repeats:  the case as it stands.
        """
        here = self._node.node_id
        id_ = row_id(id_hex(recall_id), here)
        known = self.recalls.get(id_)
        if known is not None:
            asked = _DECODER.decode(known.message)
            same = (asked.debtor_agent, hex_id(asked.payment_id), asked.reason, amount or asked.amount, asked.remark)
            if same != (originator, payment_id, reason, asked.amount, remark):
                raise Refusal(SwitchReason.SAME_ID_OTHER_CONTENT, recall_id=id_hex(recall_id))
            return known
        payment, _ = self._clearing.look_up(originator, payment_id)
        if payment is None or payment.is_return:
            raise Refusal(SwitchReason.PAYMENT_UNKNOWN, originator=originator)
        now_ns = self._node.clock.now_ns()
        returned = self._clearing.returned(payment.id)
        left = payment.amount_minor - (returned.amount_minor if returned is not None else 0)
        request = RecallRequest(
            recall_id=id_hex(recall_id),
            asker=here,
            payment_id=id_hex(payment_id),
            debtor_agent=payment.debtor_agent,
            creditor_agent=payment.creditor_agent,
            amount=amount or max(left, 1),
            currency=payment.currency,
            reason=reason,
            remark=remark,
            asked_at_ms=now_ns // NS_PER_MS,
            answer_by_ms=(now_ns + LEGAL_ORDER_NS) // NS_PER_MS,
        )
        self._check(request)
        recall = self._admit(id_, request, operator)
        self._node.journal.tell(recall.creditor_agent, request)
        self._ask_again(id_, _FIRST_WAIT_NS)
        return recall

    def recall(self, asker: str, recall_id: int) -> Recall:
        """One case. Refuses RECALL_UNKNOWN."""
        recall = self.recalls.get(row_id(id_hex(recall_id), asker))
        if recall is None:
            raise Refusal(SwitchReason.RECALL_UNKNOWN, asker=asker)
        return recall

    def tick(self) -> None:
        """Ask again for what the switch itself wants answered, ever more slowly."""
        now_ns = self._node.clock.now_ns()
        while self._own and self._own[0][0] <= now_ns:
            _, waited_ns, id_ = heapq.heappop(self._own)
            recall = self.recalls.get(id_)
            if recall is not None and not recall.is_final:
                self._node.journal.tell(recall.creditor_agent, _DECODER.decode(recall.message))
                self._node.journal.seal()
                self._ask_again(id_, min(2 * waited_ns, _WAIT_NS_MAX))

    def _admit(self, id_: int, request: RecallRequest, operator: str) -> Recall:
        now_ns = self._node.clock.now_ns()
        recall = recall_of(id_, request, _encode(request), now_ns, operator)
        try:
            self._check(request)
        except Refusal as refusal:
            recall = refused(recall, refusal.reason, now_ns)
        self.recalls.put(recall)
        return recall

    def _check(self, request: RecallRequest) -> None:
        original = row_id(request.payment_id, request.debtor_agent)
        clearing = self._clearing
        payment, decision = clearing.payments.get(original), clearing.decisions.get(original)
        check_recall(request, payment, decision, clearing.returned(original))

    def _ask_again(self, id_: int, wait_ns: int) -> None:
        heapq.heappush(self._own, (self._node.clock.now_ns() + wait_ns, wait_ns, id_))


def _conflicting(known: Recall, reason: Reason) -> RecallAnswer:
    return msgspec.structs.replace(known.answer(), reason=reason.iso_code, reason_name=reason.name)
