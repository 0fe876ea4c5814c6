"""
Tracing across nodes: only the switch knows both ends of every payment, so it asks each payee's node in turn.

Volatile like a consult: nothing is written down. A trace ends when everybody has answered or when its time is over, and then
says that it is not whole.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import structlog

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.scheme.messages import (
    TRACE_HOPS_MAX,
    TraceAnswer,
    TraceHop,
    TraceKind,
    TraceRequest,
    TransactionStatus,
    id_hex,
)
from hutong.switch.payment import ClearedPayment, Decision, row_id
from hutong.switch.reason import SwitchReason
from hutong.switch.service import ClearingService

log = structlog.get_logger()
WAIT_NS = 10 * NS_PER_S
TRACES_MAX = 100  # At once.
QUESTIONS_MAX = 100  # Of one trace.
Answer = Callable[[TraceAnswer], None]


@dataclass(slots=True)
class Question:
    """One payee's node was asked; `hop` is the step whose target its answer names, -1 for the first."""

    of: str
    depth: int
    hop: int


@dataclass(slots=True)
class Join:
    """One trace, as far as it has come."""

    trace_id: str
    answer: Answer
    until_ns: int
    holder: str = ""
    is_whole: bool = True
    hops: list[TraceHop] = field(default_factory=list)
    asked: dict[str, Question] = field(default_factory=dict)
    count: int = 0


class TraceService:
    """Where the money of a payment went, joined from what each node says of its own."""

    def __init__(self, node: NodeRuntime, clearing: ClearingService) -> None:
        self._node = node
        self._clearing = clearing
        self._joins: dict[str, Join] = {}
        self._questions: dict[str, Join] = {}

    def ask(self, sender: str, request: TraceRequest) -> None:
        """An agent of a payment asks. Refuses, in the answer: PAYMENT_UNKNOWN, also to anybody else; TOO_MANY_TRACES."""
        try:
            payment = self._completed(request.originator, request.payment_id)
            if sender not in (payment.debtor_agent, payment.creditor_agent):
                raise Refusal(SwitchReason.PAYMENT_UNKNOWN)
            self._begin(
                request.trace_id,
                payment,
                request.amount,
                request.depth_max,
                lambda answer: self._node.journal.tell(sender, answer),
            )
        except Refusal as refusal:
            no = TraceAnswer(trace_id=request.trace_id, is_whole=False, reason_name=refusal.reason.name)
            self._node.journal.tell(sender, no)

    def trace(self, originator: str, payment_id: int, amount: int, depth_max: int, answer: Answer) -> None:
        """The operator asks; amount 0 is all of it. Refuses PAYMENT_UNKNOWN, TOO_MANY_TRACES."""
        payment = self._completed(originator, id_hex(payment_id))
        trace_id = id_hex(self._node.mint.mint())
        told = self._node.journal.effect
        self._begin(
            trace_id,
            payment,
            amount or payment.amount_minor,
            depth_max,
            lambda joined: told(lambda: answer(joined)),
        )

    def answered(self, sender: str, message: TraceAnswer) -> None:
        """One node's part: note it, and ask whoever was paid on."""
        join = self._questions.get(message.trace_id)
        question = join.asked.get(message.trace_id) if join is not None else None
        if join is None or question is None or question.of != sender:
            log.warning("trace nobody asked for", sender=sender, trace_id=message.trace_id)
            return
        following = self._following(sender, message)  # May be cold: before anything changes.
        del self._questions[message.trace_id]
        del join.asked[message.trace_id]
        join.is_whole = join.is_whole and message.is_whole
        if question.hop < 0:
            join.holder = message.holder
        else:
            join.hops[question.hop] = msgspec.structs.replace(join.hops[question.hop], target=message.holder)
        offset = len(join.hops)
        room = TRACE_HOPS_MAX - offset
        join.is_whole = join.is_whole and len(message.hops) <= room
        join.hops += message.hops[:room]
        for index, payment in following:
            if index < room and join.count < QUESTIONS_MAX and question.depth > 1:
                self._question(join, payment, message.hops[index].amount, question.depth - 1, offset + index)
            else:
                join.is_whole = False
        self._end_if_done(join)

    def tick(self) -> None:
        """End what took too long with what there is."""
        now_ns = self._node.clock.now_ns()
        for join in [join for join in self._joins.values() if join.until_ns <= now_ns]:
            join.is_whole = False
            for asked in join.asked:
                del self._questions[asked]
            join.asked.clear()
            self._end_if_done(join)
            self._node.journal.seal()

    def _completed(self, originator: str, payment_id: str) -> ClearedPayment:
        id_ = row_id(payment_id, originator)
        payment, decision = self._clearing.payments.get(id_), self._clearing.decisions.get(id_)
        if payment is None or payment.is_return or not _is_completed(decision):
            raise Refusal(SwitchReason.PAYMENT_UNKNOWN, originator=originator)
        return payment

    def _following(self, sender: str, message: TraceAnswer) -> list[tuple[int, ClearedPayment]]:
        """The payments by which the money went on to other nodes: such as the switch itself has completed."""
        found = []
        for index, hop in enumerate(message.hops):
            goes_on = hop.kind is TraceKind.PAYMENT and hop.originator == sender and hop.agent not in (None, sender)
            if goes_on and hop.payment_id:
                id_ = row_id(hop.payment_id, sender)
                payment, decision = self._clearing.payments.get(id_), self._clearing.decisions.get(id_)
                if payment is not None and _is_completed(decision) and hop.amount:
                    found.append((index, payment))
        return found

    def _begin(self, trace_id: str, payment: ClearedPayment, amount: int, depth_max: int, answer: Answer) -> None:
        if len(self._joins) >= TRACES_MAX:
            raise Refusal(SwitchReason.TOO_MANY_TRACES)
        join = Join(trace_id, answer, self._node.clock.now_ns() + WAIT_NS)
        self._joins[trace_id] = join
        self._question(join, payment, min(amount, payment.amount_minor), depth_max, -1)

    def _question(self, join: Join, payment: ClearedPayment, amount: int, depth: int, hop: int) -> None:
        join.count += 1
        question_id = id_hex(self._node.mint.mint())
        join.asked[question_id] = Question(payment.creditor_agent, depth, hop)
        self._questions[question_id] = join
        request = TraceRequest(
            trace_id=question_id,
            payment_id=id_hex(payment.payment_id),
            originator=payment.originator,
            amount=amount,
            depth_max=depth,
        )
        self._node.journal.tell(payment.creditor_agent, request)

    def _end_if_done(self, join: Join) -> None:
        if not join.asked:
            del self._joins[join.trace_id]
            joined = TraceAnswer(trace_id=join.trace_id, holder=join.holder, is_whole=join.is_whole, hops=join.hops)
            join.answer(joined)


def _is_completed(decision: Decision | None) -> bool:
    return decision is not None and decision.status == TransactionStatus.COMPLETED.value
