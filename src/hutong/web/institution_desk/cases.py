"""Reconciliation: windows compared with the switch, and the cases of what differs. Corrections take two people."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.approval_service import CORRECT, SETTLE
from hutong.institution.reconciliation.case import CASE_PREFIX, NOTE_LENGTH_MAX, CaseState, Progress
from hutong.institution.reconciliation.reasons import ReconciliationReason
from hutong.institution.reconciliation.service import ReconciliationService
from hutong.institution.reconciliation.views import reconciliation_view
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.http import HttpReason
from hutong.scheme.clearing_file import window_of_path
from hutong.web.desk.approvals import propose
from hutong.web.form import Form
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.institution_desk.wordings import CASE_STATES, DIFFERENCES, LINE_KINDS, PROPOSALS, STANDINGS
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "reconciliation"
_CASES_MAX = 500
_RUNS_MAX = 100


def case_pages(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    """`/desk/reconciliation`, windows and cases below it. In a path the window `2026-11-23/2` is `2026-11-23.2`."""
    handlers = [*_windows(desk, parts.reconciliation), *_cases(desk, parts.reconciliation)]
    return desk.router(f"{HOME}/reconciliation", handlers)


def _windows(desk: Desk, reconciliation: ReconciliationService) -> list[ControllerRouterHandler]:
    async def windows(request: AnyRequest, refusal: Refusal | None = None) -> Response[str]:
        runs = await reconciliation.runs()
        values: dict[str, Any] = {
            "runs": [(_path(run.window), run) for run in runs[:_RUNS_MAX]],
            "waiting": await reconciliation.waiting(),
            "running": reconciliation.running,
        }
        return desk.shown(request, "institution_desk/reconciliation.html", NAV, refusal, **values)

    @get()
    async def leaf(request: AnyRequest) -> Response[str]:
        return await windows(request)

    @post()
    async def begin(request: AnyRequest) -> Response[Any]:
        form = await desk.pages.form(request)
        window = form.text("window", length_max=20)
        try:
            await desk.answer(lambda: reconciliation.begin(window))
        except Refusal as refusal:
            return await windows(request, refusal)
        return desk.pages.go(f"{HOME}/reconciliation/{_path(window)}")

    @get("/{window:str}")
    async def show(request: AnyRequest, window: FromPath[str]) -> Response[str]:
        id_, only = window_of_path(window), Form(dict(request.query_params)).text("only")
        error, run = "", None
        try:
            run = await desk.answer(lambda: reconciliation.standing(id_))
        except Refusal as refusal:
            if refusal.reason is ReconciliationReason.WINDOW_MALFORMED:
                raise
            error = desk.pages.words(request).refusal(refusal)
        found = await desk.answer(lambda: reconciliation.cases_of(id_))
        cases = [case for case in found if only in {"", case.state}]
        return desk.render(
            request,
            "institution_desk/window.html",
            NAV,
            window=id_,
            path=window,
            error=error,
            run=reconciliation_view(run) if run is not None else None,
            is_running=isinstance(run, Progress),
            cases=[(id_text(CASE_PREFIX, case.id), case) for case in cases[:_CASES_MAX]],
            more=max(0, len(cases) - _CASES_MAX),
            only=only,
            states=CASE_STATES,
            differences=DIFFERENCES,
            kinds=LINE_KINDS,
        )

    return [leaf, begin, show]


def _cases(desk: Desk, reconciliation: ReconciliationService) -> list[ControllerRouterHandler]:
    async def page(request: AnyRequest, id_: int, refusal: Refusal | None = None) -> Response[str]:
        case = await desk.answer(lambda: reconciliation.case(id_))
        values: dict[str, Any] = {
            "case": case,
            "id": id_text(CASE_PREFIX, id_),
            "path": _path(case.window),
            "state": CASE_STATES[case.state],
            "is_open": case.state == CaseState.OPEN.value,
            "is_corrected": case.state == CaseState.CORRECTED.value,
            "kind": DIFFERENCES[case.kind],
            "line_kind": LINE_KINDS[case.line_kind],
            "standing": STANDINGS[case.standing],
            "proposal": PROPOSALS[case.proposal],
            "correction": case.difference.clearing_debit,
            "payment": case.line.id,
        }
        return desk.shown(request, "institution_desk/case.html", NAV, refusal, **values)

    @get("/cases/{case_id:str}")
    async def case(request: AnyRequest, case_id: FromPath[str]) -> Response[str]:
        return await page(request, parse_id(CASE_PREFIX, case_id))

    @post("/cases/{case_id:str}")
    async def act(request: AnyRequest, case_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_, by = parse_id(CASE_PREFIX, case_id), request.auth.name
        try:
            match form.text("act"):
                case "correct":
                    return await propose(desk, request, form, CORRECT, case_id, {})
                case "settle":
                    account = form.needed("account", length_max=40)
                    return await propose(desk, request, form, SETTLE, case_id, {"account": account})
                case "enquire":
                    await desk.answer(lambda: reconciliation.enquire(id_))
                case "explain":
                    note = form.needed("note", length_max=NOTE_LENGTH_MAX)
                    await desk.answer(lambda: reconciliation.explain(id_, note, by))
                case _:
                    raise Refusal(HttpReason.FIELD_INVALID, field="act", problem="no such act")
        except Refusal as refusal:
            return await page(request, id_, refusal)
        return desk.pages.go(f"{HOME}/reconciliation/cases/{case_id}")

    return [case, act]


def _path(window: str) -> str:
    return window.replace("/", ".")
