"""
Complaints: the merchant's side, which keeps the history. What a payer said becomes a turn here, or is refused, once.

Turns are told to the payer's institution until it says that it knows them; what is lost, late or told twice changes nothing.
"""

from collections.abc import Callable, Sequence
from functools import partial

import structlog
from msgspec.structs import replace

from hutong.institution.complaints.complaint import (
    COMPLAINTS,
    Complaint,
    Move,
    answer_due_ns,
    complaint_id_of,
)
from hutong.institution.complaints.picture import Case, digests_in
from hutong.institution.complaints.picture_service import PictureService
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.complaints.turn import COMPLAINT_TURNS, TURNS_MAX, Turn, Words, act_key, turn_id
from hutong.institution.complaints.views import complaint_data
from hutong.institution.payments.creditor_service import CreditorService
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.payment import Outcome, Payment, check_amount, check_new_id, check_same
from hutong.institution.payments.ports import Notices
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import Refund, RefundOrder
from hutong.institution.payments.refund_service import RefundService
from hutong.institution.policy.policy import ComplaintTerms, Policies
from hutong.institution.recalls.recall import Rounds
from hutong.kernel.clock import NS_PER_DAY, NS_PER_HOUR, NS_PER_MS
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.ids import minted_ms
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.complaint import ComplaintAct, ComplaintParty, ComplaintStatus
from hutong.scheme.complaint_messages import ComplaintSaid, ComplaintTurn
from hutong.scheme.messages import hex_id, id_hex

log = structlog.get_logger()
ID_AHEAD_MAX_MS = 60_000
_AT_ONCE = 20  # Turns; who knows none of a long history asks again.
_TOLD_NS = 30 * NS_PER_DAY  # Whoever hasn't heard of a turn by then must ask.
_NEWS = {
    ComplaintAct.OPEN: "complaint.opened",
    ComplaintAct.CONTINUE: "complaint.continued",
    ComplaintAct.WITHDRAW: "complaint.withdrawn",
    ComplaintAct.CONFIRM: "complaint.confirmed",
    ComplaintAct.COMPLETE: "complaint.completed",
    ComplaintAct.REFUND: "complaint.refunded",
}
_BY_PAYER = frozenset(
    {ComplaintAct.OPEN, ComplaintAct.SAY, ComplaintAct.CONTINUE, ComplaintAct.WITHDRAW, ComplaintAct.CONFIRM}
)
_BY_PAYEE = frozenset({ComplaintAct.SAY, ComplaintAct.APPROVE, ComplaintAct.REFUSE, ComplaintAct.COMPLETE})


class ComplaintService:
    """Complaints of payments to our merchants."""

    def __init__(
        self,
        node: NodeRuntime,
        policies: Policies,
        debtor: DebtorService,
        creditor: CreditorService,
        refunds: RefundService,
        notices: Notices,
        pictures: PictureService,
        send: Callable[[str, ComplaintTurn], None],
    ) -> None:
        self._node = node
        self._policies = policies
        self._debtor = debtor
        self._creditor = creditor
        self._refunds = refunds
        self._notices = notices
        self._pictures = pictures
        self._send = send
        self.complaints = Shelf(COMPLAINTS, node.journal, node.store, by=("payment_id", "merchant_id"))
        self.turns = Shelf(COMPLAINT_TURNS, node.journal, node.store, by=("case_id", "act_key"))
        self._rounds = Rounds()
        self._heard: dict[int, int] = {}  # Of each: the first turn that the other side does not know.
        self.before_turn: list[Callable[[int], None]] = []  # For a merchant's complaint; may be cold.
        self.on_turn: list[Callable[[Complaint, Turn], None]] = []  # Within the decision; nothing of it may be cold.
        refunds.on_completed.append(self._refunded)

    async def load(self) -> None:
        """Every complaint; turns as they are asked for."""
        await self.complaints.load_all()

    def resume(self) -> None:
        """After a restart: what was last said of each is told again, so that the other side says what it lacks."""
        since_ns = self._node.clock.now_ns() - _TOLD_NS
        for complaint in self.complaints.everything():
            if complaint.changed_ns > since_ns:
                self._rounds.begin(complaint.id, self._node.clock.now_ns())

    # The payer's side.

    def said(self, message: ComplaintSaid) -> None:
        """
        hutong.complaint: the payer says something, or their institution says which turns it knows.

        Refuses:  in a hutong.complained of number 0: COMPLAINED_PAYMENT_UNKNOWN, COMPLAINT_NEEDS_A_MERCHANT, COMPLAINT_TOO_LATE,
                  COMPLAINT_ALREADY_OPEN to who opens one; COMPLAINT_UNKNOWN, COMPLAINT_TOO_LONG; what `Complaint.after` refuses.
        Repeats:  the turns that the other side lacks.

        An id from the future is dropped. It will be sent again.
        """
        id_ = complaint_id_of(hex_id(message.complaint_id), message.debtor_agent)
        complaint = self.complaints.get(id_)
        if message.act is None:
            if complaint is not None:
                self._tell_from(complaint, message.number)
            return
        now_ns = self._node.clock.now_ns()
        ahead_ms = minted_ms(hex_id(message.complaint_id)) - now_ns // NS_PER_MS
        if message.act not in _BY_PAYER or not message.act_id or ahead_ms > ID_AHEAD_MAX_MS:
            log.warning("complaint_dropped", debtor_agent=message.debtor_agent, complaint_id=message.complaint_id)
            return
        key = act_key(id_, ComplaintParty.PAYER, hex_id(message.act_id))
        if complaint is None or not self.turns.find("act_key", key):
            try:
                complaint = self._take(id_, complaint, message)
            except Refusal as refusal:
                self._refuse(message, complaint, refusal.reason)
                return
        self._tell_from(complaint, message.number)

    # The merchant's, and the institution's.

    def complaint(self, id_: int, merchant_id: int = 0, shop_id: int = 0) -> Complaint:
        """One. Refuses COMPLAINT_UNKNOWN, also for another merchant's or shop's, if those are given."""
        complaint = self.complaints.get(id_)
        if complaint is None or merchant_id not in (0, complaint.merchant_id) or shop_id not in (0, complaint.shop_id):
            raise Refusal(ComplaintReason.COMPLAINT_UNKNOWN)
        return complaint

    def history(self, complaint: Complaint) -> list[Turn]:
        """Its turns, oldest first. May be cold."""
        return sorted(self.turns.find("case_id", complaint.id), key=lambda turn: turn.number)

    def answer(  # What one may say, spelled out.
        self,
        complaint: Complaint,
        act: ComplaintAct,
        words: Words,
        author: str,
        *,
        by: ComplaintParty = ComplaintParty.PAYEE,
        amount: int = 0,
        giver: int = 0,
    ) -> Complaint:
        """
        The merchant answers, decides about a refund, or completes; or the institution says something itself.

        Pictures are the merchant's, or were given by `giver`.

        Refuses:  COMPLAINT_TOO_LONG; what `Complaint.after` refuses; words as `check_text` does; pictures as `PictureService.chosen`.
        Repeats:  how it stands now. ID_TAKEN, naming the field, for other words or another act.
        """
        assert act in _BY_PAYEE
        key = act_key(complaint.id, by, words.act_id)
        for known in self.turns.find("act_key", key):
            check_same("act", known.act, act.value)
            check_same("text", known.text, words.text)
            return self.complaint(complaint.id)
        words.check(empty=act in (ComplaintAct.COMPLETE, ComplaintAct.APPROVE))
        chosen = self._pictures.chosen(complaint.id, giver or complaint.merchant_id, words.pictures)
        move = Move(
            by=by,
            act=act,
            act_id=words.act_id,
            amount=amount,
            text=words.text,
            pictures=words.pictures,
            author=author,
        )
        self._complete_in_memory(complaint)
        changed = self._move(complaint, move)
        self._pictures.say(complaint.id, complaint.user_id, chosen)
        self._tell_from(changed, self._heard.get(complaint.id, changed.turns))
        return changed

    def approve(self, complaint: Complaint, words: Words, author: str, amount: int) -> Complaint:
        """
        The merchant agrees to a refund, and makes it with the same act: `amount` of the payment.

        Moves:    as `RefundService.refund`, under an id derived from the act's.
        Refuses:  as `answer`, and as `RefundService.refund`; then nothing was said either.
        Repeats:  as `answer`.
        """
        order = RefundOrder(
            refund_id=words.act_id, payment_id=complaint.payment_id, amount=amount, shop_id=complaint.shop_id
        )
        left = self._refunds.look_up(complaint.merchant_id, order)
        if not self.turns.find("act_key", act_key(complaint.id, ComplaintParty.PAYEE, words.act_id)):
            check_new_id("act_id", words.act_id, self._node.clock.now_ns())
            check_amount(amount)
            if amount > left.gross:
                raise Refusal(PaymentReason.REFUND_EXCEEDS_REMAINDER, field="amount", left=left.gross)
        self.answer(complaint, ComplaintAct.APPROVE, words, author, amount=amount)
        self._refunds.refund(complaint.merchant_id, order)
        return self.complaint(complaint.id)

    def own(self, complaint: Complaint, operator: str) -> Complaint:
        """Somebody at the institution looks after it; empty: nobody does."""
        if complaint.owner == operator:
            return complaint
        changed = replace(complaint, owner=operator)
        self.complaints.put(changed)
        return changed

    def case_of(self, id_: int) -> Case | None:
        """Whose complaint it is, for its pictures; None if it is none."""
        complaint = self.complaints.get(id_)
        if complaint is None:
            return None
        until_ns = None
        if not complaint.is_open:
            until_ns = complaint.ended_ns + self._terms(complaint.kind).picture_days * NS_PER_DAY
        return Case(
            complaint.complaint_id,
            complaint.payment_id,
            complaint.debtor_agent,
            self._node.node_id,
            ComplaintParty.PAYEE,
            complaint.user_id,
            until_ns,
        )

    def unanswered_since_ns(self) -> list[int]:
        """Since when what payers said waits for a first answer, the oldest first; a complaint that is continued waits anew."""
        pending = ComplaintStatus.PENDING.value
        waiting = (each for each in self.complaints.everything() if each.state == pending)
        return sorted(each.answer_by_ns - self._terms(each.kind).answer_hours * NS_PER_HOUR for each in waiting)

    def left(self, complaint: Complaint) -> int:
        """How much of its payment can be given back. May be cold."""
        order = RefundOrder(refund_id=complaint.id, payment_id=complaint.payment_id, amount=1)
        return self._refunds.look_up(complaint.merchant_id, order).gross

    def tick(self) -> None:
        """Tell again what the other side may not know."""
        due = self._rounds.due(self._node.clock.now_ns())
        self._node.decide_each(partial(self._again, id_) for id_ in due)

    # Within a decision.

    def _take(self, id_: int, complaint: Complaint | None, message: ComplaintSaid) -> Complaint:
        act = message.act
        assert act is not None
        move = Move(
            by=ComplaintParty.PAYER,
            act=act,
            act_id=hex_id(message.act_id),
            amount=message.amount,
            text=message.text,
            pictures=tuple(digests_in(message.pictures)),
        )
        if complaint is not None:
            if act is ComplaintAct.OPEN:
                raise Refusal(ComplaintReason.COMPLAINT_ALREADY_OPEN)
            self._complete_in_memory(complaint)
            self._pictures.look_up(complaint.id, move.pictures)
            changed = self._move(complaint, move)
            self._pictures.want(changed.id, changed.user_id, move.pictures)
            return changed
        if act is not ComplaintAct.OPEN:
            raise Refusal(ComplaintReason.COMPLAINT_UNKNOWN)
        opened = self._opened(id_, message)
        self._complete_in_memory(opened)
        self._pictures.look_up(opened.id, move.pictures)
        self._write(opened, move)
        self._pictures.want(opened.id, opened.user_id, move.pictures)
        return opened

    def _opened(self, id_: int, message: ComplaintSaid) -> Complaint:
        paid, outcome = self._paid(message)
        if not paid.merchant_id:
            raise Refusal(ComplaintReason.COMPLAINT_NEEDS_A_MERCHANT)
        now_ns, terms = self._node.clock.now_ns(), self._terms(message.kind.value)
        if now_ns > outcome.decided_ns + terms.days * NS_PER_DAY:
            raise Refusal(ComplaintReason.COMPLAINT_TOO_LATE, days=terms.days)
        for other in self.complaints.find("payment_id", paid.id):
            if other.is_open and other.debtor_agent == message.debtor_agent:
                raise Refusal(ComplaintReason.COMPLAINT_ALREADY_OPEN)
        ours = isinstance(paid, Payment)
        refunded = sum(
            refund.gross for refund, ended in self._refunds.of_payment(paid.id) if ended is not None and ended.completed
        )
        return Complaint(
            id=id_,
            complaint_id=hex_id(message.complaint_id),
            debtor_agent=message.debtor_agent,
            payment_id=paid.id,
            request_id=paid.request_id,
            merchant_id=paid.merchant_id,
            shop_id=paid.shop_id,
            user_id=paid.user_id if ours else 0,
            payer_ref="" if isinstance(paid, Payment) else paid.debtor_ref,
            kind=message.kind.value,
            currency=paid.currency,
            paid=paid.gross,
            asked=min(message.amount, paid.gross),
            refunded=refunded,
            contact=message.contact,
            state=ComplaintStatus.PENDING.value,
            ended="",
            owner="",
            turns=1,
            times=1,
            waiting=True,
            created_ns=now_ns,
            changed_ns=now_ns,
            answer_by_ns=answer_due_ns(terms, now_ns),
            ended_ns=0,
        )

    def _paid(self, message: ComplaintSaid) -> tuple[Receipt | Payment, Outcome]:
        payment_id, here = hex_id(message.payment_id), self._node.node_id
        paid: Receipt | Payment | None
        if message.debtor_agent == here:
            paid, outcomes = self._debtor.payments.get(payment_id), self._debtor.outcomes
            is_ours = paid is not None and bool(paid.payee_account)
        else:
            receipt = self._creditor.receipts.get(payment_id)
            paid, outcomes = receipt, self._creditor.outcomes
            is_ours = receipt is not None and receipt.debtor_agent == message.debtor_agent
        outcome = outcomes.get(payment_id) if is_ours else None
        if paid is None or outcome is None or not outcome.completed or paid.currency != message.currency:
            raise Refusal(ComplaintReason.COMPLAINED_PAYMENT_UNKNOWN)
        return paid, outcome

    def _move(self, complaint: Complaint, move: Move) -> Complaint:
        if complaint.turns >= TURNS_MAX and move.act is ComplaintAct.SAY:
            raise Refusal(ComplaintReason.COMPLAINT_TOO_LONG, turns_max=TURNS_MAX)
        changed = complaint.after(move, self._terms(complaint.kind), self._node.clock.now_ns())
        self._write(changed, move)
        return changed

    def _write(self, complaint: Complaint, move: Move) -> None:
        turn = Turn(
            id=turn_id(complaint.id, complaint.turns),
            case_id=complaint.id,
            user_id=complaint.user_id,
            number=complaint.turns,
            by=move.by.value,
            act=move.act.value,
            act_id=move.act_id,
            act_key=act_key(complaint.id, move.by, move.act_id),
            amount=move.amount,
            text=move.text,
            pictures="\n".join(move.pictures),
            author=move.author,
            state=complaint.state,
            at_ns=self._node.clock.now_ns(),
        )
        self.complaints.put(complaint)
        self.turns.put(turn)
        self.turns.all_known("act_key", turn.act_key)
        self._rounds.begin(complaint.id, self._node.clock.now_ns())
        if move.by is not ComplaintParty.PAYEE:
            news = _NEWS.get(move.act, "complaint.said")
            self._notices.tell_merchant(complaint.merchant_id, news, complaint_data(complaint, turn))
        for hear in self.on_turn:
            hear(complaint, turn)

    def _refunded(self, refund: Refund) -> None:
        """A refund of ours has completed: it becomes a turn of whatever complaint there is of its payment."""
        for complaint in self.complaints.find("payment_id", refund.payment_id):
            if complaint.merchant_id == refund.merchant_id and complaint.debtor_agent == refund.debtor_agent:
                move = Move(by=ComplaintParty.AGENT, act=ComplaintAct.REFUND, act_id=refund.id, amount=refund.gross)
                changed = complaint.after(move, self._terms(complaint.kind), self._node.clock.now_ns())
                self._write(changed, move)
                self._tell(changed, [self._newest(changed)])

    def _complete_in_memory(self, complaint: Complaint) -> None:
        """The whole history, so that telling what the other side lacks is not cold; and what else a turn takes. May be cold."""
        self.turns.find("case_id", complaint.id)
        for prepare in self.before_turn:
            prepare(complaint.merchant_id)

    def _newest(self, complaint: Complaint) -> Turn:
        turn = self.turns.get(turn_id(complaint.id, complaint.turns))
        assert turn is not None, "a complaint counts its turns"
        return turn

    def _terms(self, kind: str) -> ComplaintTerms:
        policy, _, _ = self._policies.today(self._node.clock.now_ns())
        return policy.complaint(kind)

    # Telling the payer's side.

    def _tell_from(self, complaint: Complaint, number: int) -> None:
        """All turns from a number on. May be cold, unless the history is in memory."""
        if number > complaint.turns:
            self._heard[complaint.id] = number
            self._rounds.end(complaint.id)
            return
        self._tell(complaint, self.history(complaint)[number - 1 : number - 1 + _AT_ONCE])

    def _tell(self, complaint: Complaint, turns: Sequence[Turn]) -> None:
        for turn in turns:
            message = ComplaintTurn(
                complaint_id=id_hex(complaint.complaint_id),
                payment_id=id_hex(complaint.payment_id),
                debtor_agent=complaint.debtor_agent,
                creditor_agent=self._node.node_id,
                number=turn.number,
                by=ComplaintParty(turn.by),
                act=ComplaintAct(turn.act),
                act_id=id_hex(turn.act_id) if turn.by == ComplaintParty.PAYER.value else "",
                status=ComplaintStatus(turn.state),
                currency=complaint.currency,
                amount=turn.amount,
                text=turn.text,
                pictures=turn.digests,
                answer_by_ms=complaint.answer_by_ns // NS_PER_MS if turn.number == complaint.turns else 0,
                at_ms=turn.at_ns // NS_PER_MS,
            )
            self._send(complaint.debtor_agent, message)

    def _refuse(self, message: ComplaintSaid, complaint: Complaint | None, reason: Reason) -> None:
        assert message.act is not None
        told = ComplaintTurn(
            complaint_id=message.complaint_id,
            payment_id=message.payment_id,
            debtor_agent=message.debtor_agent,
            creditor_agent=self._node.node_id,
            number=0,
            by=ComplaintParty.PAYER,
            act=message.act,
            act_id=message.act_id,
            status=ComplaintStatus.PENDING if complaint is None else ComplaintStatus(complaint.state),
            currency=message.currency,
            at_ms=self._node.clock.now_ns() // NS_PER_MS,
            reason=reason.iso_code,
            reason_name=reason.name,
        )
        self._send(message.debtor_agent, told)

    def _again(self, id_: int) -> None:
        complaint, now_ns = self.complaint(id_), self._node.clock.now_ns()
        if self._heard.get(id_, 0) > complaint.turns or now_ns > complaint.changed_ns + _TOLD_NS:
            self._rounds.end(id_)
            return
        newest = self._newest(complaint)  # May be cold: before anything is told.
        self._rounds.again(id_, now_ns)
        self._tell(complaint, [newest])
