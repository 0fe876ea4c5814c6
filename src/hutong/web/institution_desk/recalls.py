"""Recalls, both ways: what we ask back of others, and what others ask back of ours, to be answered in time."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.recalls.dispute import Dispute
from hutong.institution.recalls.dispute_service import DisputeService
from hutong.institution.recalls.reasons import ANSWERS as ANSWER_REASONS
from hutong.institution.recalls.recall import Recall, RecallOrder, RecallState
from hutong.institution.recalls.recall_service import RecallService
from hutong.institution.recalls.service import RecallDesk
from hutong.institution.recalls.views import DISPUTE_PREFIX, RECALL_PREFIX
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.http import HttpReason
from hutong.scheme.messages import RecallReason
from hutong.web.form import Form
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.institution_desk.wordings import (
    ANSWERS,
    DISPUTE_STATES,
    RECALL_REASONS,
    RECALL_STATES,
    STANCES,
)
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "recalls"
_ENDED_MAX = 100
_REMARK_MAX = 140


def recall_pages(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    """`/desk/recalls`: ours; `/desk/recalls/disputes`: what others ask back."""
    both = parts.institution.recalls
    handlers = [*_lists(desk, both), *_recalls(desk, both.recalls), *_disputes(desk, both.disputes)]
    return desk.router(f"{HOME}/recalls", handlers)


def _lists(desk: Desk, both: RecallDesk) -> list[ControllerRouterHandler]:
    async def listed(request: AnyRequest, refusal: Refusal | None = None, **told: str) -> Response[str]:
        disputes = sorted(both.disputes.disputes.everything(), key=lambda each: (each.has_ended, each.answer_by_ns))
        recalls = sorted(both.recalls.recalls.everything(), key=lambda each: (not each.is_open, -each.created_ns))
        values: dict[str, Any] = {
            "disputes": [(id_text(DISPUTE_PREFIX, each.id), each) for each in disputes[:_ENDED_MAX]],
            "recalls": [(id_text(RECALL_PREFIX, each.id), each) for each in recalls[:_ENDED_MAX]],
            "dispute_states": DISPUTE_STATES,
            "recall_states": RECALL_STATES,
            "reasons": RECALL_REASONS,
            "now_ns": desk.node.clock.now_ns(),
            "recall_id": told.get("recall_id") or id_text(RECALL_PREFIX, desk.node.mint.mint()),
            "told": {"payment": "", "reason": "", "amount": "", "remark": ""} | told,
        }
        return desk.shown(request, "institution_desk/recalls.html", NAV, refusal, **values)

    @get()
    async def leaf(request: AnyRequest) -> Response[str]:
        return await listed(request)

    @post()
    async def open_(request: AnyRequest) -> Response[Any]:
        form = await desk.pages.form(request)
        try:
            order = _order(form)
            await desk.answer(lambda: both.recalls.open(request.auth.name, order))
        except Refusal as refusal:
            names = ("payment", "reason", "amount", "remark", "recall_id")
            return await listed(request, refusal, **{name: form.text(name) for name in names})
        return desk.pages.go(f"{HOME}/recalls/{id_text(RECALL_PREFIX, order.recall_id)}")

    return [leaf, open_]


def _recalls(desk: Desk, recalls: RecallService) -> list[ControllerRouterHandler]:
    async def page(request: AnyRequest, recall: Recall, refusal: Refusal | None = None) -> Response[str]:
        words = desk.pages.words(request)
        values: dict[str, Any] = {
            "recall": recall,
            "id": id_text(RECALL_PREFIX, recall.id),
            "payment": id_text("pay", recall.payment_id),
            "user": id_text("usr", recall.user_id),
            "state": RECALL_STATES[recall.state],
            "reason": RECALL_REASONS[recall.reason],
            "answer": words(ANSWERS.get(recall.answer_code, "")) or recall.answer_name,
            "is_waiting": recall.state == RecallState.REPORTED,
            "is_overdue": recall.is_overdue(desk.node.clock.now_ns()),
        }
        return desk.shown(request, "institution_desk/recall.html", NAV, refusal, **values)

    @get("/{recall_id:str}")
    async def show(request: AnyRequest, recall_id: FromPath[str]) -> Response[str]:
        id_ = parse_id(RECALL_PREFIX, recall_id)
        return await page(request, await desk.answer(lambda: recalls.recall(id_)))

    @post("/{recall_id:str}")
    async def decide(request: AnyRequest, recall_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_ = parse_id(RECALL_PREFIX, recall_id)
        act = recalls.approve if form.text("act") == "approve" else recalls.decline
        try:
            await desk.answer(partial(act, request.auth.name, id_))
        except Refusal as refusal:
            return await page(request, await desk.answer(lambda: recalls.recall(id_)), refusal)
        return desk.pages.go(f"{HOME}/recalls/{recall_id}")

    return [show, decide]


def _disputes(desk: Desk, disputes: DisputeService) -> list[ControllerRouterHandler]:
    async def page(request: AnyRequest, dispute: Dispute, refusal: Refusal | None = None) -> Response[str]:
        words = desk.pages.words(request)
        values: dict[str, Any] = {
            "dispute": dispute,
            "id": id_text(DISPUTE_PREFIX, dispute.id),
            "payment": id_text("pay", dispute.payment_id),
            "payee": _payee(dispute),
            "state": DISPUTE_STATES[dispute.state],
            "reason": RECALL_REASONS[dispute.reason],
            "stance": STANCES[dispute.stance],
            "answers": {code: ANSWERS[code] for code in ANSWER_REASONS},
            "answer": words(ANSWERS.get(dispute.answer_code, "")) or dispute.answer_name,
            "now_ns": desk.node.clock.now_ns(),
        }
        return desk.shown(request, "institution_desk/dispute.html", NAV, refusal, **values)

    @get("/disputes/{dispute_id:str}")
    async def show(request: AnyRequest, dispute_id: FromPath[str]) -> Response[str]:
        id_ = parse_id(DISPUTE_PREFIX, dispute_id)
        return await page(request, await desk.answer(lambda: disputes.dispute(id_)))

    @post("/disputes/{dispute_id:str}")
    async def answer(request: AnyRequest, dispute_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_, by = parse_id(DISPUTE_PREFIX, dispute_id), request.auth.name
        try:
            if form.text("act") == "accept":
                amount = form.amount("amount")
                await desk.answer(partial(disputes.accept, by, id_, amount))
            else:
                code = form.needed("code")
                if code not in ANSWER_REASONS:
                    raise Refusal(HttpReason.FIELD_INVALID, field="code", problem="no such answer")
                await desk.answer(partial(disputes.reject, by, id_, code))
        except Refusal as refusal:
            return await page(request, await desk.answer(lambda: disputes.dispute(id_)), refusal)
        return desk.pages.go(f"{HOME}/recalls/disputes/{dispute_id}")

    return [show, answer]


def _order(form: Form) -> RecallOrder:
    reason = form.needed("reason")
    if reason not in {each.value for each in RecallReason}:
        raise Refusal(HttpReason.FIELD_INVALID, field="reason", problem="no such reason")
    return RecallOrder(
        recall_id=parse_id(RECALL_PREFIX, form.needed("recall_id")),
        payment_id=parse_id("pay", form.needed("payment", length_max=40)),
        reason=reason,
        amount=form.amount("amount"),
        remark=form.text("remark", length_max=_REMARK_MAX),
    )


def _payee(dispute: Dispute) -> str:
    """Where the payee's page is; nowhere for what was refused at once."""
    if dispute.merchant_id:
        return f"merchants/{id_text('mer', dispute.merchant_id)}"
    return f"users/{id_text('usr', dispute.user_id)}" if dispute.user_id else ""
