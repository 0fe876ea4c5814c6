"""A complaint: somebody who paid a merchant of ours is not content."""

from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.policy.policy import ComplaintTerms
from hutong.kernel.clock import NS_PER_DAY, NS_PER_HOUR
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Boolean, Integer, Table, Text, Uuid
from hutong.scheme.complaint import ComplaintAct, ComplaintKind, ComplaintParty, ComplaintStatus

_PROCESSED = ComplaintStatus.PROCESSED.value
_PROCESSING = ComplaintStatus.PROCESSING.value


class Complaint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version. What was said is in its turns."""

    id: Uuid  # Derived: ids of complaints are unique per debtor agent.
    complaint_id: Uuid
    debtor_agent: Text
    payment_id: Uuid
    request_id: Uuid
    merchant_id: Uuid
    shop_id: Uuid
    user_id: Uuid  # The payer; 0: another institution's.
    payer_ref: Text  # The payer towards the merchant: a pseudonym.
    kind: Text
    currency: Text
    paid: BigInt  # The gross amount of the payment.
    asked: BigInt  # What the payer wants back.
    refunded: BigInt  # Since the complaint was opened and before.
    contact: Text
    state: Text
    ended: Text  # The act that ended it; empty: it goes on.
    owner: Text  # Whoever at the institution looks after it.
    turns: Integer
    times: Integer  # How often the payer complained: opened, and continued.
    waiting: Boolean  # The payer spoke last.
    created_ns: BigInt
    changed_ns: BigInt
    answer_by_ns: BigInt  # Until when the merchant should act; 0: nothing is to be done.
    ended_ns: BigInt

    @property
    def is_open(self) -> bool:
        return self.state != _PROCESSED

    @property
    def is_fully_refunded(self) -> bool:
        return self.refunded >= self.paid

    def is_overdue(self, now_ns: int) -> bool:
        """The merchant should have acted."""
        return 0 < self.answer_by_ns < now_ns

    def after(self, move: "Move", terms: ComplaintTerms, now_ns: int) -> "Complaint":
        """
        How it stands behind an act.

        Refuses:  COMPLAINT_ENDED; COMPLAINT_NOT_ENDED, COMPLAINT_TOO_LATE, COMPLAINT_CONTINUED_TOO_OFTEN to who continues;
                  COMPLAINT_NOT_ANSWERED to who completes; COMPLAINT_ASKS_NO_REFUND to who approves or refuses one.
        """
        changed = replace(self, turns=self.turns + 1, changed_ns=now_ns)
        if move.act is ComplaintAct.REFUND:
            return replace(changed, refunded=min(self.refunded + move.amount, self.paid))
        if move.by is ComplaintParty.AGENT:
            return changed
        if move.act is ComplaintAct.CONTINUE:
            self._check_continued(terms, now_ns)
            again = replace(changed, state=ComplaintStatus.PENDING.value, ended="", ended_ns=0, times=self.times + 1)
            return replace(again, waiting=True, answer_by_ns=now_ns + terms.answer_hours * NS_PER_HOUR)
        if not self.is_open and not (move.act is ComplaintAct.CONFIRM and self.ended == ComplaintAct.COMPLETE.value):
            raise Refusal(ComplaintReason.COMPLAINT_ENDED, ended=self.ended)
        if move.by is ComplaintParty.PAYER:
            if move.act is ComplaintAct.SAY:
                due_ns = self.answer_by_ns if self.waiting else now_ns + terms.answer_hours * NS_PER_HOUR
                return replace(changed, waiting=True, answer_by_ns=due_ns)
            return _over(changed, move.act, now_ns)
        return _answered(changed, move.act, terms, now_ns)

    def _check_continued(self, terms: ComplaintTerms, now_ns: int) -> None:
        if self.ended != ComplaintAct.COMPLETE.value:
            raise Refusal(ComplaintReason.COMPLAINT_NOT_ENDED, state=self.state)
        if now_ns > self.ended_ns + terms.continue_days * NS_PER_DAY:
            raise Refusal(ComplaintReason.COMPLAINT_TOO_LATE, days=terms.continue_days)
        if self.times >= terms.times_max:
            raise Refusal(ComplaintReason.COMPLAINT_CONTINUED_TOO_OFTEN, times_max=terms.times_max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What somebody wants to do in a complaint."""

    by: ComplaintParty
    act: ComplaintAct
    act_id: int  # Whoever acts names the act.
    amount: int = 0
    text: str = ""
    pictures: tuple[str, ...] = ()
    author: str = ""


COMPLAINTS = Table("complaints", Complaint)
COMPLAINT_PREFIX = "cpl"


def complaint_id_of(complaint_id: int, debtor_agent: str) -> int:
    """Our name of somebody's complaint: nobody can squat another's."""
    return derive(complaint_id, f"{debtor_agent}/complaint")


def answer_due_ns(terms: ComplaintTerms, now_ns: int) -> int:
    """Until when what has just been said should be answered."""
    return now_ns + terms.answer_hours * NS_PER_HOUR


def _answered(complaint: Complaint, act: ComplaintAct, terms: ComplaintTerms, now_ns: int) -> Complaint:
    if act is ComplaintAct.COMPLETE:
        if complaint.state != _PROCESSING:
            raise Refusal(ComplaintReason.COMPLAINT_NOT_ANSWERED)
        return _over(complaint, act, now_ns)
    if act in (ComplaintAct.APPROVE, ComplaintAct.REFUSE) and complaint.kind != ComplaintKind.REFUND.value:
        raise Refusal(ComplaintReason.COMPLAINT_ASKS_NO_REFUND)
    due_ns = complaint.answer_by_ns
    if complaint.waiting or complaint.state != _PROCESSING:
        due_ns = now_ns + terms.complete_hours * NS_PER_HOUR
    return replace(complaint, state=_PROCESSING, waiting=False, answer_by_ns=due_ns)


def _over(complaint: Complaint, act: ComplaintAct, now_ns: int) -> Complaint:
    return replace(complaint, state=_PROCESSED, ended=act.value, ended_ns=now_ns, answer_by_ns=0, waiting=False)
