"""
Reconciling a window, and putting right what is found.

A run only reads; what it found is written down in one decision. Money moves when an operator says so, case by case.
"""

import asyncio
import hashlib
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from hutong.institution.chart import Chart
from hutong.institution.payments.payment import Why
from hutong.institution.reconciliation.case import (
    CASES,
    NOTE_LENGTH_MAX,
    RECONCILIATIONS,
    CaseState,
    DifferenceCase,
    Progress,
    Reconciliation,
    case_id,
    opened,
    proposes,
)
from hutong.institution.reconciliation.comparison import Comparison, compare
from hutong.institution.reconciliation.difference import Difference, DifferenceKind, Line, Proposal, Standing
from hutong.institution.reconciliation.reasons import ReconciliationReason
from hutong.institution.reconciliation.repository import OwnBooks
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.ledger import corrections
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TransferStatus
from hutong.runtime.journal import durable
from hutong.runtime.node import NodeRuntime
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import Shelf, decided
from hutong.scheme.clearing_file import ClearingFiles
from hutong.scheme.messages import StatusRequest

_MOVED_BY = {
    ("PAYMENT", "DEBIT"): Why.PAYMENT_HELD,
    ("PAYMENT", "CREDIT"): Why.RECEIPT,
    ("RETURN", "DEBIT"): Why.REFUND_HELD,
    ("RETURN", "CREDIT"): Why.RETURN,
}
_DONE = frozenset({TransferStatus.CREATED, TransferStatus.EXISTS})
_WINDOW = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}/[1-9][0-9]{0,3}")
Booked = Callable[[TransferStatus], None]


class ReconciliationService:
    """Every use case of reconciliation at one institution."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        chart: Chart,
        files: ClearingFiles,
        books: OwnBooks,
        pool: WorkerPool,
        *,
        switch: str,
    ) -> None:
        self.node = node
        self._ledger = ledger
        self.chart = chart
        self._files = files
        self._books = books
        self._pool = pool
        self._switch = switch
        self._runs = Shelf(RECONCILIATIONS, node.journal, node.store, key="window")
        self.cases = Shelf(CASES, node.journal, node.store, by=("window",))
        self._running: Progress | None = None
        self._failed: dict[str, Refusal] = {}  # The newest run of a window, if it came to nothing.

    # Comparing.

    def begin(self, window: str) -> Progress:
        """
        Compare our books with the switch's file of a closed window, beside everything else; every difference becomes a case.

        Moves:    nothing.
        Refuses:  WINDOW_MALFORMED, RECONCILING_ALREADY; `standing` tells later what the run refused.
        Repeats:  of the window that is being compared: nothing. Afterwards it compares anew.
        """
        check_window(window)
        if self._running is not None and self._running.window == window:
            return self._running
        if self._running is not None or self._pool.is_full:
            busy = self._running.window if self._running is not None else ""
            raise Refusal(ReconciliationReason.RECONCILING_ALREADY, window=busy)
        self._failed.pop(window, None)
        self._running = progress = Progress(window=window)
        self.node.spawn(self._run(progress))
        return progress

    def standing(self, window: str) -> Progress | Reconciliation:
        """How far the run is, or what came of the newest one. Refuses NOT_RECONCILED_YET, and what that run refused."""
        check_window(window)
        if self._running is not None and self._running.window == window:
            return self._running
        if failure := self._failed.get(window):
            raise failure
        run = self._runs.get(window)
        if run is None:
            raise Refusal(ReconciliationReason.NOT_RECONCILED_YET, window=window)
        return run

    async def reconcile(self, window: str) -> Reconciliation:
        """
        As `begin`, to its end: what came of it.

        Refuses:  CLEARING_FILE_MALFORMED; what the switch refuses.
        """
        return await self._reconcile(Progress(window=window))

    async def _run(self, progress: Progress) -> None:
        try:
            await self._reconcile(progress)
        except* Refusal as refused:
            self._failed[progress.window] = _first(refused)
        finally:
            self._running = None

    async def _reconcile(self, progress: Progress) -> Reconciliation:
        began_ns, window = self.node.clock.now_ns(), progress.window
        with tempfile.TemporaryDirectory(prefix="hutong-reconcile-") as name:
            folder = Path(name)
            own_lines, own_moves, cleared = (folder / each for each in ("lines.csv", "moves.csv", "cleared.csv"))
            async with asyncio.TaskGroup() as reading:
                theirs = reading.create_task(
                    _kept(self._files.fetch(window), cleared, partial(_count, progress, "lines_there"))
                )
                reading.create_task(
                    _kept(self._books.lines(window), own_lines, partial(_count, progress, "lines_here"))
                )
                reading.create_task(_kept(self._books.moves(window), own_moves, lambda _: None))
            progress.phase = "comparing"
            comparison = await self._pool.run(partial(compare, own_lines, own_moves, cleared, window, folder))
        progress.phase = "writing"
        standings = await self._standings(comparison.differences, window)
        run = _result(window, theirs.result(), comparison, began_ns, self.node.clock.now_ns())
        return await decided(self.node.journal, partial(self._write_down, run, comparison.differences, standings))

    async def _standings(self, differences: list[Difference], window: str) -> dict[Line, Standing]:
        missing = [each.line for each in differences if each.kind is DifferenceKind.MISSING_HERE]
        return await self._books.standings(missing, window)

    def _write_down(
        self, run: Reconciliation, differences: list[Difference], standings: dict[Line, Standing]
    ) -> Reconciliation:
        now_ns = run.finished_ns
        known = {case.id: case for case in self.cases.find("window", run.window)}
        found = set()
        for difference in differences:
            id_ = case_id(run.window, difference.line)
            found.add(id_)
            standing = standings.get(difference.line, Standing.COMPLETED)
            case = opened(run.window, difference, standing, known.get(id_), now_ns)
            if case is not known.get(id_):
                self.cases.put(case)
        told_in_full = run.differing == len(differences)
        for case in known.values():
            if told_in_full and case.id not in found and case.state == CaseState.OPEN.value:
                self.cases.put(case.changed(CaseState.HEALED, "", now_ns))
        self._runs.put(run)
        return run

    # Looking.

    def cases_of(self, window: str) -> list[DifferenceCase]:
        """Every case of a window, as it stands."""
        check_window(window)
        return self.cases.find("window", window)

    async def runs(self) -> list[Reconciliation]:
        """What came of the newest run of each window, the newest window first."""
        await durable(self.node.journal)
        return sorted(await self._runs.load_all(), key=lambda run: _window_order(run.window), reverse=True)

    async def waiting(self) -> dict[str, int]:
        """How many cases of each window nobody has closed."""
        await durable(self.node.journal)
        return await self._books.waiting()

    @property
    def running(self) -> Progress | None:
        """The run under way."""
        return self._running

    def case(self, id_: int) -> DifferenceCase:
        """Refuses CASE_UNKNOWN."""
        case = self.cases.get(id_)
        if case is None:
            raise Refusal(ReconciliationReason.CASE_UNKNOWN)
        return case

    # Putting right.

    def enquire(self, id_: int) -> DifferenceCase:
        """Ask the switch again how the line stands. Refuses CASE_UNKNOWN, CASE_IS_CLOSED, CORRECTION_NOT_PROPOSED."""
        case = self.case(id_)
        case.check_open()
        proposes(case, Proposal.ENQUIRE)
        self.node.journal.tell(self._switch, StatusRequest(payment_id=case.line.id, originator=case.originator))
        return case

    def correct(self, id_: int, by: str, then: Booked) -> None:
        """
        Book what is missing: clearing mirrors the switch again, and the suspense account (待查) holds the difference.

        Moves:    clearing <-> suspense, the difference; posted.
        Refuses:  CASE_UNKNOWN, CASE_IS_CLOSED, CORRECTION_NOT_PROPOSED.
        Repeats:  of a corrected case: nothing.
        """
        case = self.case(id_)
        if case.state == CaseState.CORRECTED.value:
            then(TransferStatus.EXISTS)
            return
        case.check_open()
        proposes(case, Proposal.BOOK_TO_SUSPENSE)
        transfer = corrections.book_difference(
            case.correction_id,
            case.line_id,
            clearing=self.chart.clearing,
            suspense=self.chart.suspense,
            clearing_debit=case.difference.clearing_debit,
            corrects=_MOVED_BY[case.line_kind, case.direction],
            ledger=self.chart.currency.ledger,
            code=Why.CORRECTION,
        )
        self._ledger.create_transfers([transfer], partial(self._corrected, case, by, then))

    def settle(self, id_: int, account: int, by: str, then: Booked) -> None:
        """
        Take a corrected case's amount out of suspense: with whom it concerns, or as a gain or loss of ours.

        Moves:    suspense <-> `account`; posted. The case is SETTLED when the ledger has done it, else CORRECTED again.
        Refuses:  CASE_UNKNOWN; NOTHING_IN_SUSPENSE, also while or after it is settled with another account. The ledger's
                  answer goes to `then`: it may say EXCEEDS_CREDITS.
        Repeats:  of a settled case: nothing.
        """
        case = self.case(id_)
        begun = {CaseState.SETTLING.value, CaseState.SETTLED.value}
        if case.state != CaseState.CORRECTED.value and (case.state not in begun or case.settled_with != account):
            raise Refusal(ReconciliationReason.NOTHING_IN_SUSPENSE, state=case.state)
        if case.state == CaseState.CORRECTED.value:
            settling = case.changed(CaseState.SETTLING, by, self.node.clock.now_ns())
            case = msgspec.structs.replace(settling, settled_with=account)
            self.cases.put(case)
        transfer = corrections.settle_difference(
            case.settlement_id,
            case.line_id,
            suspense=self.chart.suspense,
            account=account,
            suspense_debit=case.difference.clearing_debit,
            ledger=self.chart.currency.ledger,
            code=Why.CORRECTION_SETTLED,
        )
        self._ledger.create_transfers([transfer], partial(self._settled, case, by, then))

    def explain(self, id_: int, note: str, by: str) -> DifferenceCase:
        """Close a case without moving money, saying why. Refuses CASE_UNKNOWN, CASE_IS_CLOSED, and what `check_text` refuses."""
        check_text("note", note, length_max=NOTE_LENGTH_MAX)
        case = self.case(id_)
        if case.state == CaseState.EXPLAINED.value and case.note == note:
            return case
        case.check_open()
        self.cases.put(case.changed(CaseState.EXPLAINED, by, self.node.clock.now_ns(), note=note))
        return self.case(id_)

    def _corrected(self, case: DifferenceCase, by: str, then: Booked, statuses: list[TransferStatus]) -> None:
        if statuses[0] in _DONE and case.state == CaseState.OPEN.value:
            suspense = case.difference.clearing_debit
            self.cases.put(case.changed(CaseState.CORRECTED, by, self.node.clock.now_ns(), suspense=suspense))
        then(statuses[0])

    def _settled(self, case: DifferenceCase, by: str, then: Booked, statuses: list[TransferStatus]) -> None:
        now_ns = self.node.clock.now_ns()
        if statuses[0] not in _DONE:
            # The ledger remembers that no under this transfer's id: another try is another transfer.
            again = case.changed(CaseState.CORRECTED, by, now_ns)
            self.cases.put(msgspec.structs.replace(again, settled_with=0, round=case.round + 1))
        elif case.state != CaseState.SETTLED.value:
            self.cases.put(case.changed(CaseState.SETTLED, by, now_ns))
        then(statuses[0])


def check_window(window: str) -> None:
    """Refuses WINDOW_MALFORMED."""
    if _WINDOW.fullmatch(window) is None:
        raise Refusal(ReconciliationReason.WINDOW_MALFORMED, expected="2026-11-23/2")


def _window_order(window: str) -> tuple[str, int]:
    day, _, number = window.partition("/")
    return day, int(number)


def _first(refused: ExceptionGroup[Any]) -> Refusal:
    """Of what went wrong at the same time, one is told."""
    (error, *_) = refused.exceptions
    return _first(error) if isinstance(error, ExceptionGroup) else error


async def _kept(pieces: AsyncIterator[bytes], path: Path, count: Callable[[int], None]) -> str:
    """Write a stream to a file, counting lines; its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        async for piece in pieces:
            file.write(piece)
            digest.update(piece)
            count(piece.count(b"\n"))
    return digest.hexdigest()


def _count(progress: Progress, name: str, lines: int) -> None:
    setattr(progress, name, getattr(progress, name) + lines)


def _result(window: str, sha256: str, comparison: Comparison, began_ns: int, now_ns: int) -> Reconciliation:
    return Reconciliation(
        window=window,
        file_sha256=sha256,
        lines_here=comparison.lines_here,
        lines_there=comparison.lines_there,
        matched=comparison.matched,
        differing=comparison.differing,
        totals_here=msgspec.json.encode(comparison.here).decode(),
        totals_there=msgspec.json.encode(comparison.there).decode(),
        took_ms=(now_ns - began_ns) // NS_PER_MS,
        finished_ns=now_ns,
    )
