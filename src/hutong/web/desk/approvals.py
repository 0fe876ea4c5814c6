"""What two operators decide together: proposed on the page of its subject, decided here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.operators.approval import PREFIX, WORDS_MAX, Approval, ApprovalState
from hutong.operators.operator import Role
from hutong.web.form import Form
from hutong.web.language import Words, phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "approvals"
_OVER_MAX = 100
STATES = {
    ApprovalState.PROPOSED: (phrase("Waiting"), "warn"),
    ApprovalState.APPROVED: (phrase("Being done"), "warn"),
    ApprovalState.DONE: (phrase("Done"), "good"),
    ApprovalState.FAILED: (phrase("Failed"), "bad"),
    ApprovalState.DECLINED: (phrase("Declined"), "bad"),
    ApprovalState.WITHDRAWN: (phrase("Withdrawn"), ""),
    ApprovalState.EXPIRED: (phrase("Expired"), ""),
}


@dataclass(frozen=True, slots=True)
class Wording:
    """How a kind of approval is told: `what` is a phrase with `%(subject)s` in it; `facts` are pairs of label and value."""

    what: str
    facts: Callable[[Words, Mapping[str, Any]], Sequence[tuple[str, str]]] = lambda _words, _facts: ()


@dataclass(frozen=True, slots=True)
class Told:
    """An approval as the page tells it."""

    id: str
    what: str
    state: str
    tag: str
    approval: Approval
    facts: Sequence[tuple[str, str]]


def approval_pages(desk: Desk, wordings: Mapping[str, Wording]) -> ControllerRouterHandler:
    """`/desk/approvals`, and each one's page below it."""

    def tell(words: Words, approval: Approval) -> Told:
        wording = wordings.get(approval.kind, Wording(approval.kind))
        said, tag = STATES[approval.state_at(desk.node.clock.now_ns())]
        facts = wording.facts(words, msgspec.json.decode(approval.facts))
        what = words(wording.what, subject=approval.subject)
        return Told(id_text(PREFIX, approval.id), what, words(said), tag, approval, facts)

    def page(request: AnyRequest, approval: Approval, refusal: Refusal | None = None) -> Response[str]:
        words, by = desk.pages.words(request), request.auth.name
        values: dict[str, Any] = {
            "told": tell(words, approval),
            "is_open": approval.state_at(desk.node.clock.now_ns()) is ApprovalState.PROPOSED,
            "is_own": approval.proposed_by == by and desk.operators.approvals.needs_second(by),
            "why_not": words.reason(approval.outcome) if approval.outcome else "",
        }
        return desk.shown(request, "desk/approval.html", NAV, refusal, **values)

    @get()
    async def show_all(request: AnyRequest) -> Response[str]:
        words, approvals = desk.pages.words(request), desk.operators.approvals
        waiting = approvals.waiting()
        over = [each for each in approvals.everything() if each not in waiting][:_OVER_MAX]
        return desk.render(
            request,
            "desk/approvals.html",
            NAV,
            open=[tell(words, each) for each in waiting],
            over=[tell(words, each) for each in over],
        )

    @get("/{approval_id:str}")
    async def show(request: AnyRequest, approval_id: FromPath[str]) -> Response[str]:
        return page(request, desk.operators.approvals.approval(parse_id(PREFIX, approval_id)))

    @post("/{approval_id:str}")
    async def decide(request: AnyRequest, approval_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_, remark, by = parse_id(PREFIX, approval_id), form.text("remark", length_max=WORDS_MAX), request.auth.name
        approvals = desk.operators.approvals
        act = approvals.approve if form.text("verdict") == "approve" else approvals.turn_down
        try:
            decided = await desk.answer(lambda: act(id_, by, remark))
        except Refusal as refusal:
            return page(request, approvals.approval(id_), refusal)
        return desk.pages.go(approval_path(decided))

    return desk.router(f"{HOME}/approvals", [show_all, show, decide], Role.VIEWER)


async def propose(  # What, of whom, in which form.
    desk: Desk, request: AnyRequest, form: Form, kind: str, subject: str, facts: Mapping[str, Any]
) -> Redirect:
    """
    Propose what a form asks for, and go to its page; where nobody else is needed it is done by then.

    The form has the fields `approval` (the frame's `approval_id`) and `reason`. Refuses as `Approvals.propose`.
    """
    id_, reason = parse_id(PREFIX, form.needed("approval")), form.needed("reason", length_max=WORDS_MAX)
    by, approvals = request.auth.name, desk.operators.approvals
    made = await desk.answer(lambda: approvals.propose(id_, kind, subject, facts, reason, by))
    return desk.pages.go(approval_path(made))


def approval_path(approval: Approval) -> str:
    """Its page."""
    return f"{HOME}/approvals/{id_text(PREFIX, approval.id)}"
