"""
A case: one difference, until somebody has put it right or said why it is none.

OPEN -> CORRECTED (booked to suspense) -> SETTLING -> SETTLED (with whom it concerns); or OPEN -> EXPLAINED | HEALED (a
later run found it matched). A case that is closed is opened again when a later run finds another difference in the same line.
"""

from enum import Enum

import msgspec

from hutong.institution.reconciliation.difference import Difference, Line, Proposal, Standing, proposal_for
from hutong.institution.reconciliation.reasons import ReconciliationReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, SmallInt, Table, Text, Uuid

CASE_PREFIX = "dif"
NOTE_LENGTH_MAX = 500


class CaseState(Enum):
    """How far it is."""

    OPEN = "OPEN"
    CORRECTED = "CORRECTED"  # Clearing mirrors the switch again; what is in suspense is to be settled.
    SETTLING = "SETTLING"  # With one account, and the ledger has yet to answer.
    SETTLED = "SETTLED"  # And the suspense account is even again.
    EXPLAINED = "EXPLAINED"
    HEALED = "HEALED"


class DifferenceCase(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a case. Amounts are minor units; `here` and `there` are NULL where that side has no such line."""

    id: Uuid
    window: Text
    line_kind: Text
    originator: Text
    line_id: Uuid
    direction: Text
    currency: Text
    kind: Text
    here: BigInt | None
    there: BigInt | None
    standing: Text
    proposal: Text
    state: Text
    round: SmallInt  # Of its transfers: one more each time it is opened, or the ledger refuses to settle it.
    suspense: BigInt  # What was booked against suspense for it in all: positive where suspense owes it.
    settled_with: Uuid  # The account; 0 before.
    note: Text
    changed_by: Text  # The operator; empty: found by a run.
    opened_ns: BigInt
    changed_ns: BigInt

    @property
    def line(self) -> Line:
        return Line(self.line_kind, self.originator, f"{self.line_id:032x}", self.direction)

    @property
    def difference(self) -> Difference:
        return Difference(line=self.line, currency=self.currency, here=self.here, there=self.there)

    @property
    def correction_id(self) -> int:
        """The transfer that books this round's difference."""
        return derive(self.id, f"correction/{self.round}")

    @property
    def settlement_id(self) -> int:
        """The transfer that takes this round's difference out of suspense."""
        return derive(self.id, f"suspense/{self.round}")

    def check_open(self) -> None:
        """Refuses CASE_IS_CLOSED."""
        if self.state != CaseState.OPEN.value:
            raise Refusal(ReconciliationReason.CASE_IS_CLOSED, state=self.state)

    def check_corrected(self) -> None:
        """Refuses NOTHING_IN_SUSPENSE."""
        if self.state != CaseState.CORRECTED.value:
            raise Refusal(ReconciliationReason.NOTHING_IN_SUSPENSE, state=self.state)

    def changed(self, state: CaseState, by: str, now_ns: int, *, note: str = "", suspense: int = 0) -> "DifferenceCase":
        """The next version."""
        return msgspec.structs.replace(
            self,
            state=state.value,
            changed_by=by,
            changed_ns=now_ns,
            note=note or self.note,
            suspense=self.suspense + suspense,
        )


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What came of comparing a window: its newest row says. Totals are JSON of `SideTotals`."""

    window: Text
    file_sha256: Text
    lines_here: BigInt
    lines_there: BigInt
    matched: BigInt
    differing: BigInt
    totals_here: Text
    totals_there: Text
    took_ms: BigInt
    finished_ns: BigInt


class Progress(msgspec.Struct, kw_only=True):
    """How far the run under way is. Lines are counted as they come."""

    window: str
    phase: str = "fetching"  # Then "comparing", "writing".
    lines_there: int = 0
    lines_here: int = 0


RECONCILIATIONS = Table("reconciliation", Reconciliation)
CASES = Table("difference_case", DifferenceCase)


def case_id(window: str, line: Line) -> int:
    """A line of a window has one case, however often it is found."""
    return derive(int(line.id, 16), f"{window}/{line.kind}/{line.originator}/{line.direction}")


def opened(
    window: str, difference: Difference, standing: Standing, known: DifferenceCase | None, now_ns: int
) -> DifferenceCase:
    """The case of a difference that was found: a new one, a known one as it is, or a closed one opened again."""
    line = difference.line
    case = DifferenceCase(
        id=case_id(window, line),
        window=window,
        line_kind=line.kind,
        originator=line.originator,
        line_id=int(line.id, 16),
        direction=line.direction,
        currency=difference.currency,
        kind=difference.kind.value,
        here=difference.here,
        there=difference.there,
        standing=standing.value,
        proposal=proposal_for(difference, standing).value,
        state=CaseState.OPEN.value,
        round=1,
        suspense=0,
        settled_with=0,
        note="",
        changed_by="",
        opened_ns=now_ns,
        changed_ns=now_ns,
    )
    if known is None:
        return case
    same = (known.here, known.there, known.standing) == (case.here, case.there, case.standing)
    if same and known.state in {CaseState.OPEN.value, CaseState.EXPLAINED.value}:
        return known
    still_open = known.state == CaseState.OPEN.value
    return msgspec.structs.replace(
        case,
        round=known.round if still_open else known.round + 1,
        suspense=known.suspense,
        note=known.note,
        opened_ns=known.opened_ns if still_open else now_ns,
    )


def proposes(case: DifferenceCase, proposal: Proposal) -> None:
    """Refuses CORRECTION_NOT_PROPOSED, saying what is."""
    if case.proposal != proposal.value:
        raise Refusal(ReconciliationReason.CORRECTION_NOT_PROPOSED, proposed=case.proposal)
