"""
Grievances: the payer's side. What the payer says is sent until it is a turn of the history at the other side, or is refused.

The history here is a copy, turn by turn in its order; what is missing is asked for, what comes again is known already.
"""

from collections.abc import Callable
from functools import partial

import structlog
from msgspec.structs import replace

from hutong.institution.complaints.grievance import GRIEVANCES, OVER, Grievance, GrievanceOrder, GrievanceState
from hutong.institution.complaints.picture import Case, digests_in
from hutong.institution.complaints.picture_service import PictureService
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.complaints.turn import GRIEVANCE_TURNS, TURNS_MAX, Turn, Words, turn_of
from hutong.institution.complaints.views import grievance_data
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.payment import Payment, check_amount, check_new_id, check_same
from hutong.institution.payments.ports import Notices
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.wording import network_reason
from hutong.institution.policy.policy import Policies
from hutong.institution.recalls.recall import Rounds
from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.complaint import ComplaintAct, ComplaintKind, ComplaintParty
from hutong.scheme.complaint_messages import ComplaintSaid, ComplaintTurn
from hutong.scheme.messages import Channel, hex_id, id_hex

log = structlog.get_logger()
CONTACT_LENGTH_MAX = 35
TURNS_KEPT_MAX = 2 * TURNS_MAX  # Of somebody else's saying.
_SENT_NS = 7 * NS_PER_DAY  # What was not heard by then is not sent any more.
_NEWS = {
    ComplaintAct.SAY: "complaint.answered",
    ComplaintAct.APPROVE: "complaint.refund_approved",
    ComplaintAct.REFUSE: "complaint.refund_refused",
    ComplaintAct.COMPLETE: "complaint.completed",
    ComplaintAct.REFUND: "complaint.refunded",
}
# People pay each other by these, and banks: there is no merchant to complain of.
NO_MERCHANT = frozenset({Channel.PERSONAL_CODE.value, Channel.TOP_UP.value, Channel.WITHDRAWAL.value})


class GrievanceService:
    """Complaints of our people."""

    def __init__(
        self,
        node: NodeRuntime,
        policies: Policies,
        debtor: DebtorService,
        notices: Notices,
        pictures: PictureService,
        send: Callable[[str, ComplaintSaid], None],
    ) -> None:
        self._node = node
        self._policies = policies
        self._debtor = debtor
        self._notices = notices
        self._pictures = pictures
        self._send = send
        self.grievances = Shelf(GRIEVANCES, node.journal, node.store, by=("payment_id", "user_id"))
        self.turns = Shelf(GRIEVANCE_TURNS, node.journal, node.store, by=("case_id",))
        self._rounds = Rounds()

    async def load(self) -> None:
        """Every grievance; turns as they are asked for."""
        await self.grievances.load_all()

    def resume(self) -> None:
        """After a restart: what is on its way is sent again."""
        for grievance in self.grievances.everything():
            if grievance.is_sending:
                self._rounds.begin(grievance.id, self._node.clock.now_ns())

    def open(self, user_id: int, order: GrievanceOrder) -> Grievance:
        """
        Somebody complains of a payment of theirs, once per grievance id.

        Refuses:  PAYMENT_UNKNOWN, also for somebody else's; PAYMENT_NOT_COMPLETED, COMPLAINT_NEEDS_A_MERCHANT, COMPLAINT_TOO_LATE,
                  COMPLAINT_ALREADY_OPEN, TOO_MANY_COMPLAINTS; words as `check_text` does; pictures as `PictureService.chosen`.
                  The other side may refuse as well.
        Repeats:  as it stands; ID_TAKEN, naming the field, for other content.
        """
        known = self.grievances.get(order.grievance_id)
        if known is not None:
            check_same("grievance_id", known.user_id, user_id)
            check_same("payment_id", known.payment_id, order.payment_id)
            check_same("kind", known.kind, order.kind)
            return known
        now_ns = self._node.clock.now_ns()
        check_new_id("grievance_id", order.grievance_id, now_ns)
        words = Words(act_id=order.grievance_id, text=order.text, pictures=order.pictures)
        words.check()
        check_text("contact", order.contact, length_max=CONTACT_LENGTH_MAX, empty=True)
        payment = self._complained(user_id, order, now_ns)
        asked = order.amount
        if order.kind == ComplaintKind.REFUND.value:
            asked = order.amount or payment.gross
            check_amount(asked)
        if not 0 <= asked <= payment.gross:
            raise Refusal(PaymentReason.REFUND_EXCEEDS_REMAINDER, field="amount", left=payment.gross)
        grievance = Grievance(
            id=order.grievance_id,
            user_id=user_id,
            payment_id=payment.id,
            creditor_agent=payment.creditor_agent,
            payee_name=payment.payee_name,
            kind=order.kind,
            currency=payment.currency,
            paid=payment.gross,
            asked=asked,
            contact=order.contact,
            state=GrievanceState.SENDING,
            ended="",
            turns=0,
            act="",
            act_id=0,
            act_text="",
            act_pictures="",
            act_ns=0,
            is_sending=False,
            refusal="",
            refusal_code="",
            answer_by_ns=0,
            created_ns=now_ns,
            changed_ns=now_ns,
        )
        return self._act(grievance, ComplaintAct.OPEN, words)

    def say(self, grievance: Grievance, act: ComplaintAct, words: Words) -> Grievance:
        """
        The payer says more, continues, withdraws or confirms.

        Refuses:  COMPLAINT_STILL_SENDING; COMPLAINT_ENDED, COMPLAINT_NOT_ENDED as far as is known here; words as `check_text` does.
                  The other side may refuse as well: then `refusal` says so.
        Repeats:  as it stands; ID_TAKEN, naming the field, for other content.
        """
        assert act in (ComplaintAct.SAY, ComplaintAct.CONTINUE, ComplaintAct.WITHDRAW, ComplaintAct.CONFIRM)
        if words.act_id == grievance.act_id:
            check_same("act", grievance.act, act.value)
            check_same("text", grievance.act_text, words.text)
            return grievance
        for turn in self.history(grievance):
            if turn.act_id == words.act_id:
                check_same("act", turn.act, act.value)
                return grievance
        words.check(empty=act in (ComplaintAct.WITHDRAW, ComplaintAct.CONFIRM))
        if grievance.is_sending:
            raise Refusal(ComplaintReason.COMPLAINT_STILL_SENDING)
        completed = grievance.ended == ComplaintAct.COMPLETE.value
        if act is ComplaintAct.CONTINUE:
            if not completed:
                raise Refusal(ComplaintReason.COMPLAINT_NOT_ENDED, state=grievance.state)
        elif grievance.state in OVER and not (completed and act is ComplaintAct.CONFIRM):
            raise Refusal(ComplaintReason.COMPLAINT_ENDED, ended=grievance.ended)
        return self._act(grievance, act, words)

    def grievance(self, grievance_id: int, user_id: int = 0) -> Grievance:
        """One. Refuses COMPLAINT_UNKNOWN, also for another person's, if one is given."""
        grievance = self.grievances.get(grievance_id)
        if grievance is None or user_id not in (0, grievance.user_id):
            raise Refusal(ComplaintReason.COMPLAINT_UNKNOWN)
        return grievance

    def case_of(self, id_: int) -> Case | None:
        """Whose complaint it is, for its pictures; None if it is none."""
        grievance = self.grievances.get(id_)
        if grievance is None:
            return None
        until_ns = None
        if not grievance.is_open:
            policy, _, _ = self._policies.today(self._node.clock.now_ns())
            until_ns = grievance.changed_ns + policy.complaint(grievance.kind).picture_days * NS_PER_DAY
        return Case(
            grievance.id,
            grievance.payment_id,
            self._node.node_id,
            grievance.creditor_agent,
            ComplaintParty.PAYER,
            grievance.user_id,
            until_ns,
        )

    def history(self, grievance: Grievance) -> list[Turn]:
        """The turns that are known here, oldest first. May be cold."""
        return sorted(self.turns.find("case_id", grievance.id), key=lambda turn: turn.number)

    def told(self, message: ComplaintTurn) -> None:
        """
        hutong.complained: one turn, or why what was said is none. What comes late, twice or out of order changes nothing.

        The other side is told each time which turns are known here.
        """
        grievance = self.grievances.get(hex_id(message.complaint_id))
        if (
            grievance is None
            or message.debtor_agent != self._node.node_id
            or message.creditor_agent != grievance.creditor_agent
            or hex_id(message.payment_id) != grievance.payment_id
        ):
            return
        if message.number == 0:
            self._refused(grievance, message)
            return
        if message.number == grievance.turns + 1 <= TURNS_KEPT_MAX:
            grievance = self._take(grievance, message)
        self._ask(grievance, None)

    def tick(self) -> None:
        """Say again what has not arrived."""
        due = self._rounds.due(self._node.clock.now_ns())
        self._node.decide_each(partial(self._again, id_) for id_ in due)

    # Within a decision.

    def _complained(self, user_id: int, order: GrievanceOrder, now_ns: int) -> Payment:
        """The payment, if it can be complained of now."""
        payment = self._debtor.payments.get(order.payment_id)
        if payment is None or payment.user_id != user_id:
            raise Refusal(PaymentReason.PAYMENT_UNKNOWN, field="payment_id")
        outcome = self._debtor.outcomes.get(order.payment_id)
        if outcome is None or not outcome.completed:
            raise Refusal(PaymentReason.PAYMENT_NOT_COMPLETED, field="payment_id")
        if payment.channel in NO_MERCHANT:
            raise Refusal(ComplaintReason.COMPLAINT_NEEDS_A_MERCHANT, field="payment_id")
        terms = self._policies.today(now_ns)[0].complaint(order.kind)
        if now_ns > outcome.decided_ns + terms.days * NS_PER_DAY:
            raise Refusal(ComplaintReason.COMPLAINT_TOO_LATE, days=terms.days)
        if any(other.is_open for other in self.grievances.find("payment_id", payment.id)):
            raise Refusal(ComplaintReason.COMPLAINT_ALREADY_OPEN, field="payment_id")
        today = [each for each in self.grievances.find("user_id", user_id) if each.created_ns > now_ns - NS_PER_DAY]
        if len(today) >= terms.daily_max:
            raise Refusal(ComplaintReason.TOO_MANY_COMPLAINTS, daily_max=terms.daily_max)
        return payment

    def _act(self, grievance: Grievance, act: ComplaintAct, words: Words) -> Grievance:
        chosen = self._pictures.chosen(grievance.id, grievance.user_id, words.pictures)
        acted = replace(
            grievance,
            act=act.value,
            act_id=words.act_id,
            act_text=words.text,
            act_pictures="\n".join(words.pictures),
            act_ns=self._node.clock.now_ns(),
            is_sending=True,
            refusal="",
            refusal_code="",
        )
        self._put(acted)
        self._pictures.say(acted.id, acted.user_id, chosen)
        self._rounds.begin(acted.id, self._node.clock.now_ns())
        self._ask(acted, act)
        return self.grievance(acted.id)

    def _take(self, grievance: Grievance, message: ComplaintTurn) -> Grievance:
        turn = turn_of(message, grievance.id, grievance.user_id)
        if message.by is not ComplaintParty.PAYER:
            self._pictures.look_up(grievance.id, turn.digests)
        arrived = grievance.is_sending and turn.act_id == grievance.act_id
        ended = message.act.value if message.status.value == GrievanceState.PROCESSED else ""
        if message.act in (ComplaintAct.SAY, ComplaintAct.REFUND):
            ended = grievance.ended
        known = replace(
            grievance,
            state=message.status.value,
            ended=ended,
            turns=turn.number,
            is_sending=grievance.is_sending and not arrived,
            answer_by_ns=message.answer_by_ms * NS_PER_MS,
        )
        self.turns.put(turn)
        self._put(known)
        if message.by is not ComplaintParty.PAYER:
            self._pictures.want(known.id, known.user_id, turn.digests)
            news = _NEWS.get(message.act, "complaint.answered")
            self._notices.tell_user(known.user_id, news, grievance_data(known, turn))
        return known

    def _refused(self, grievance: Grievance, message: ComplaintTurn) -> None:
        if not grievance.is_sending or hex_id(message.act_id or "0") != grievance.act_id:
            return
        name, code = network_reason(message.reason_name, message.reason, PaymentReason.REJECTED_BY_NETWORK)
        self._give_up(grievance, GrievanceState.REFUSED, name, code)

    def _give_up(self, grievance: Grievance, state: GrievanceState, name: str, code: str) -> None:
        """What was said is not said any more. Of a complaint that was never opened nothing is left to do."""
        refused = replace(grievance, is_sending=False, refusal=name, refusal_code=code)
        if not grievance.turns:
            refused = replace(refused, state=state)
        self._put(refused)
        self._rounds.end(grievance.id)
        self._notices.tell_user(refused.user_id, "complaint.refused", grievance_data(refused))

    def _again(self, id_: int) -> None:
        grievance, now_ns = self.grievance(id_), self._node.clock.now_ns()
        if not grievance.is_sending:
            self._rounds.end(id_)
            return
        if now_ns > grievance.act_ns + _SENT_NS:
            reason = ComplaintReason.COMPLAINT_NOT_DELIVERED
            self._give_up(grievance, GrievanceState.NOT_DELIVERED, reason.name, reason.iso_code)
            return
        self._rounds.again(id_, now_ns)
        self._ask(grievance, ComplaintAct(grievance.act))

    def _ask(self, grievance: Grievance, act: ComplaintAct | None) -> None:
        """Say what its person says, or nothing but which turns are known."""
        message = ComplaintSaid(
            complaint_id=id_hex(grievance.id),
            payment_id=id_hex(grievance.payment_id),
            debtor_agent=self._node.node_id,
            creditor_agent=grievance.creditor_agent,
            number=grievance.turns + 1,
            currency=grievance.currency,
            at_ms=(grievance.act_ns if act is not None else self._node.clock.now_ns()) // NS_PER_MS,
        )
        if act is not None:
            message = replace(
                message,
                act=act,
                act_id=id_hex(grievance.act_id),
                text=grievance.act_text,
                pictures=digests_in(grievance.act_pictures.split("\n")),
            )
        if act is ComplaintAct.OPEN:
            message = replace(
                message, kind=ComplaintKind(grievance.kind), amount=grievance.asked, contact=grievance.contact
            )
        self._send(grievance.creditor_agent, message)

    def _put(self, grievance: Grievance) -> None:
        self.grievances.put(replace(grievance, changed_ns=self._node.clock.now_ns()))
