"""Reconciliation as the operator's API tells it. Amounts are minor units."""

import msgspec

from hutong.institution.reconciliation.case import CASE_PREFIX, DifferenceCase, Progress, Reconciliation
from hutong.institution.reconciliation.comparison import SideTotals
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text


class ReconciliationView(msgspec.Struct, frozen=True, kw_only=True):
    """
    How far a run is, and, when it is done, what came of it.

    `phase` is fetching, comparing, writing or done. `here` and `there` are each side's lines by currency and direction.
    """

    window: str
    phase: str
    lines_here: int
    lines_there: int
    matched: int = 0
    differing: int = 0
    here: list[SideTotals] = []
    there: list[SideTotals] = []
    file_sha256: str = ""
    took_ms: int = 0
    finished_ms: int = 0


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """
    One difference. `here` and `there` are what either side says the line moved, null where it has no such line.

    `correction` is what our clearing account has to be debited with (negative: credited) to mirror the switch.
    """

    case_id: str
    window: str
    state: str
    kind: str
    line_kind: str
    originator: str
    id: str
    direction: str
    currency: str
    here: int | None
    there: int | None
    standing: str
    proposal: str
    correction: int
    note: str
    changed_by: str
    opened_ms: int
    changed_ms: int


class Explanation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why no money is wrong."""

    note: str


class Settlement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With whom a booked difference is settled: `usr_…`, `mer_…`, or `differences`, our own gain or loss."""

    with_: str = msgspec.field(name="with")


def reconciliation_view(found: Progress | Reconciliation) -> ReconciliationView:
    """As the API tells it."""
    if isinstance(found, Progress):
        return ReconciliationView(
            window=found.window, phase=found.phase, lines_here=found.lines_here, lines_there=found.lines_there
        )
    return ReconciliationView(
        window=found.window,
        phase="done",
        lines_here=found.lines_here,
        lines_there=found.lines_there,
        matched=found.matched,
        differing=found.differing,
        here=msgspec.json.decode(found.totals_here, type=list[SideTotals]),
        there=msgspec.json.decode(found.totals_there, type=list[SideTotals]),
        file_sha256=found.file_sha256,
        took_ms=found.took_ms,
        finished_ms=found.finished_ns // NS_PER_MS,
    )


def case_view(case: DifferenceCase) -> CaseView:
    """As the API tells it."""
    return CaseView(
        case_id=id_text(CASE_PREFIX, case.id),
        window=case.window,
        state=case.state,
        kind=case.kind,
        line_kind=case.line_kind,
        originator=case.originator,
        id=case.line.id,
        direction=case.direction,
        currency=case.currency,
        here=case.here,
        there=case.there,
        standing=case.standing,
        proposal=case.proposal,
        correction=case.difference.clearing_debit,
        note=case.note,
        changed_by=case.changed_by,
        opened_ms=case.opened_ns // NS_PER_MS,
        changed_ms=case.changed_ns // NS_PER_MS,
    )
