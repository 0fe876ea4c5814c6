"""
An approval: what one operator proposes and another decides; it is then carried out, once.

PROPOSED -> APPROVED -> DONE, or FAILED where what it was to move said no in the end; or PROPOSED -> DECLINED (by another),
WITHDRAWN (by who proposed it); or, when nobody decided in time, EXPIRED, which is read off the clock and never written.
"""

from enum import Enum

import msgspec

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.tables import BigInt, Table, Text, Uuid

PREFIX = "apr"
LIFE_S = 3 * 86_400
WORDS_MAX = 500


class ApprovalReason(Reason):
    """Why something is not proposed, decided or done."""

    TWO_PEOPLE_NEEDED = Kind.REFUSED, "NARR"  # Propose it: somebody else decides.
    APPROVAL_UNKNOWN = Kind.NOT_FOUND, "NARR"
    APPROVAL_KIND_UNKNOWN = Kind.INVALID, "NARR"
    APPROVAL_FACTS_INVALID = Kind.INVALID, "NARR"
    APPROVAL_CONFLICTS = Kind.CONFLICT, "DUPL"  # This id is another proposal's.
    APPROVAL_NEEDS_ANOTHER_OPERATOR = Kind.NOT_ALLOWED, "NARR"
    APPROVAL_DECIDED = Kind.REFUSED, "NARR"
    APPROVAL_EXPIRED = Kind.REFUSED, "NARR"


class ApprovalState(Enum):
    """Where a proposal stands."""

    PROPOSED = "PROPOSED"
    APPROVED = "APPROVED"  # It is being carried out; after a crash, again: executors repeat without harm.
    DONE = "DONE"
    FAILED = "FAILED"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal and what became of it; its newest row says."""

    id: Uuid
    kind: Text
    subject: Text
    facts: Text  # JSON, as its kind reads it.
    reason: Text
    state: Text
    proposed_by: Text
    proposed_ns: BigInt
    expires_ns: BigInt
    decided_by: Text = ""
    decided_ns: BigInt = 0
    remark: Text = ""
    outcome: Text = ""  # The name of the reason why it failed.

    def state_at(self, now_ns: int) -> ApprovalState:
        """Where it stands now."""
        if self.state == ApprovalState.PROPOSED.value and now_ns >= self.expires_ns:
            return ApprovalState.EXPIRED
        return ApprovalState(self.state)

    def check_same(self, other: "Approval") -> None:
        """Refuses APPROVAL_CONFLICTS, unless the other asks for the same in the same name; `field` says what differs."""
        for field in ("kind", "subject", "facts", "reason", "proposed_by"):
            if getattr(self, field) != getattr(other, field):
                raise Refusal(ApprovalReason.APPROVAL_CONFLICTS, field=field)

    def approved(self, by: str, remark: str, *, alone: bool, now_ns: int) -> "Approval":
        """Refuses APPROVAL_DECIDED, APPROVAL_EXPIRED; APPROVAL_NEEDS_ANOTHER_OPERATOR, unless nobody else is needed."""
        self._check_open(now_ns)
        if by == self.proposed_by and not alone:
            raise Refusal(ApprovalReason.APPROVAL_NEEDS_ANOTHER_OPERATOR, proposed_by=by)
        return self._decided(ApprovalState.APPROVED, by, remark, now_ns)

    def turned_down(self, by: str, remark: str, *, now_ns: int) -> "Approval":
        """By who proposed it: withdrawn; by anybody else: declined. Refuses APPROVAL_DECIDED, APPROVAL_EXPIRED."""
        self._check_open(now_ns)
        state = ApprovalState.WITHDRAWN if by == self.proposed_by else ApprovalState.DECLINED
        return self._decided(state, by, remark, now_ns)

    def ended(self, failed: str) -> "Approval":
        """Carried out; or not, and why: the name of a reason."""
        state = ApprovalState.FAILED if failed else ApprovalState.DONE
        return msgspec.structs.replace(self, state=state.value, outcome=failed)

    def _decided(self, state: ApprovalState, by: str, remark: str, now_ns: int) -> "Approval":
        return msgspec.structs.replace(self, state=state.value, decided_by=by, decided_ns=now_ns, remark=remark)

    def _check_open(self, now_ns: int) -> None:
        state = self.state_at(now_ns)
        if state is ApprovalState.EXPIRED:
            raise Refusal(ApprovalReason.APPROVAL_EXPIRED)
        if state is not ApprovalState.PROPOSED:
            raise Refusal(ApprovalReason.APPROVAL_DECIDED, state=state.value, decided_by=self.decided_by)


APPROVALS = Table("approvals", Approval)


def proposal(  # Everything of it.
    id_: int, kind: str, subject: str, facts: str, reason: str, by: str, now_ns: int
) -> Approval:
    """As it begins."""
    return Approval(
        id=id_,
        kind=kind,
        subject=subject,
        facts=facts,
        reason=reason,
        state=ApprovalState.PROPOSED.value,
        proposed_by=by,
        proposed_ns=now_ns,
        expires_ns=now_ns + LIFE_S * NS_PER_S,
    )
