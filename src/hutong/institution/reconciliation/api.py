"""Reconciliation over HTTP, for the institution's operators. In a path the window `2026-11-23/2` is written `2026-11-23.2`."""

from collections.abc import Callable

from litestar import Controller, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, SkipValidation

from hutong.institution import chart
from hutong.institution.approval_service import CORRECT, SETTLE
from hutong.institution.door_api import Door
from hutong.institution.merchants.views import MERCHANT_PREFIX
from hutong.institution.reconciliation.case import CASE_PREFIX
from hutong.institution.reconciliation.reasons import ReconciliationReason
from hutong.institution.reconciliation.service import Booked, ReconciliationService
from hutong.institution.reconciliation.views import (
    CaseView,
    Explanation,
    ReconciliationView,
    Settlement,
    case_view,
    reconciliation_view,
)
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.ledger.transfer import TransferStatus
from hutong.operators.approval_service import Approvals
from hutong.operators.guard import Guard
from hutong.runtime.shelf import decided
from hutong.scheme.clearing_file import window_of_path

Reconciling = NamedDependency[SkipValidation[ReconciliationService]]
Two = NamedDependency[SkipValidation[Approvals]]
OperatorName = NamedDependency[SkipValidation[str]]
_DONE = frozenset({TransferStatus.CREATED, TransferStatus.EXISTS})
_OURS = "differences"


class Reconciliations(Controller):
    """Our own books against the switch's clearing file, window by window."""

    path = "/reconciliations"
    tags = ("Operator: reconciliation",)

    @post("/{window:str}", status_code=202)
    async def begin(self, service: Reconciling, window: FromPath[str]) -> ReconciliationView:
        """
        Compare a closed window. Answers at once; ask again how far it is. Compared twice, it is compared anew.

        Refuses WINDOW_MALFORMED, RECONCILING_ALREADY.
        """
        id_ = window_of_path(window)
        return reconciliation_view(await decided(service.node.journal, lambda: service.begin(id_)))

    @get("/{window:str}")
    async def standing(self, service: Reconciling, window: FromPath[str]) -> ReconciliationView:
        """How far the comparison is, or what came of the newest. Refuses NOT_RECONCILED_YET, and what the run refused."""
        id_ = window_of_path(window)
        return reconciliation_view(await decided(service.node.journal, lambda: service.standing(id_)))

    @get("/{window:str}/cases")
    async def cases(self, service: Reconciling, window: FromPath[str], only: FromQuery[str] = "") -> list[CaseView]:
        """Every case of a window; with `only`, those in this state."""
        id_ = window_of_path(window)
        found = await decided(service.node.journal, lambda: service.cases_of(id_))
        return [case_view(case) for case in found if only in {"", case.state}]


class Cases(Controller):
    """What becomes of differences. Each verb may be repeated."""

    path = "/cases"
    tags = ("Operator: reconciliation",)

    @get("/{case_id:str}")
    async def show(self, service: Reconciling, case_id: FromPath[str]) -> CaseView:
        """One case."""
        id_ = parse_id(CASE_PREFIX, case_id)
        return case_view(await decided(service.node.journal, lambda: service.case(id_)))

    @post("/{case_id:str}/enquire", status_code=200)
    async def enquire(self, service: Reconciling, case_id: FromPath[str]) -> CaseView:
        """Ask the switch again how the line stands. Refuses CASE_IS_CLOSED, CORRECTION_NOT_PROPOSED."""
        id_ = parse_id(CASE_PREFIX, case_id)
        return case_view(await decided(service.node.journal, lambda: service.enquire(id_)))

    @post("/{case_id:str}/correct", status_code=200)
    async def correct(
        self, service: Reconciling, approvals: Two, operator: OperatorName, case_id: FromPath[str]
    ) -> CaseView:
        """
        Book what is missing against suspense (待查). Refuses CASE_IS_CLOSED, CORRECTION_NOT_PROPOSED; TWO_PEOPLE_NEEDED,
        where the node is set so.
        """
        approvals.check_alone(CORRECT)
        id_ = parse_id(CASE_PREFIX, case_id)
        return await _booked(service, id_, lambda then: service.correct(id_, operator, then))

    @post("/{case_id:str}/settle", status_code=200)
    async def settle(
        self,
        service: Reconciling,
        approvals: Two,
        operator: OperatorName,
        case_id: FromPath[str],
        data: JSONBody[Settlement],
    ) -> CaseView:
        """
        Take it out of suspense, with whom it concerns. Refuses NOTHING_IN_SUSPENSE, CORRECTION_REFUSED; TWO_PEOPLE_NEEDED,
        where the node is set so.
        """
        approvals.check_alone(SETTLE)
        id_, account = parse_id(CASE_PREFIX, case_id), _account(service, data.with_)
        return await _booked(service, id_, lambda then: service.settle(id_, account, operator, then))

    @post("/{case_id:str}/explain", status_code=200)
    async def explain(
        self, service: Reconciling, operator: OperatorName, case_id: FromPath[str], data: JSONBody[Explanation]
    ) -> CaseView:
        """Close a case without moving money, saying why. Refuses CASE_IS_CLOSED."""
        id_ = parse_id(CASE_PREFIX, case_id)
        return case_view(await decided(service.node.journal, lambda: service.explain(id_, data.note, operator)))


def reconciliation_api(service: ReconciliationService, approvals: Approvals, operator_only: Guard) -> Router:
    """The handlers for `make_app`."""
    door = Door("operator", operator_only)
    return door.router("/v1/operator", [Reconciliations, Cases], service=service, approvals=approvals)


def _account(service: ReconciliationService, with_: str) -> int:
    """Refuses ID_MALFORMED and ID_OF_OTHER_KIND; an account that does not exist is the ledger's to refuse."""
    if with_ == _OURS:
        return service.chart.differences
    if with_.startswith(f"{MERCHANT_PREFIX}_"):
        return chart.merchant_account(parse_id(MERCHANT_PREFIX, with_), service.chart.currency)
    return chart.user_account(parse_id("usr", with_), service.chart.currency)


async def _booked(service: ReconciliationService, id_: int, book: Callable[[Booked], None]) -> CaseView:
    """Book, and answer when the ledger has: refuses CORRECTION_REFUSED with the ledger's own word."""
    journal = service.node.journal
    answered = journal.promise()

    def then(status: TransferStatus) -> None:
        if not answered.done():
            answered.set_result(status)

    await decided(journal, lambda: book(then))
    status: TransferStatus = await answered
    if status not in _DONE:
        raise Refusal(ReconciliationReason.CORRECTION_REFUSED, ledger=status.name)
    return case_view(await decided(journal, lambda: service.case(id_)))
