"""Payments and returns: what is undecided and whose turn it is, and the story of one as far as the switch knows it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.scheme.standing import Moment, Nudge, in_order
from hutong.switch.api import read_id
from hutong.switch.node import SwitchNode
from hutong.switch.payment import ClearedPayment
from hutong.web.form import Form
from hutong.web.language import Words, phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "payments"
_PATH = f"{HOME}/payments"
_ID_MAX = 64
_SHOWN_MAX = 200
WHY = {
    "accept or refuse it": phrase("accept or refuse it"),
    "reject it: its deadline has passed": phrase("reject it: its deadline has passed"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a payment: when, where, what."""

    at_ns: int
    node: str
    what: str
    note: str
    tag: str


# What nodes whose books this operator may see wrote down of a payment: those of one process; strangers keep theirs.
Elsewhere = Callable[[int], Awaitable[Sequence[Moment]]]


async def nobody_else(_: int) -> Sequence[Moment]:
    """Of a switch that shares its process with nobody."""
    return ()


def payment_pages(desk: Desk, switch: SwitchNode, elsewhere: Elsewhere) -> ControllerRouterHandler:
    """`/desk/payments`, and one's page below it."""

    async def page(request: AnyRequest, refusal: Refusal | None = None, text: str = "") -> Response[str]:
        standing = await desk.answer(switch.oversight.undecided)
        values: dict[str, Any] = {"standing": standing[:_SHOWN_MAX], "count": len(standing), "why": WHY, "text": text}
        return desk.shown(request, "switch_desk/payments.html", NAV, refusal, **values)

    @get()
    async def show_all(request: AnyRequest) -> Response[Any]:
        text = Form(dict(request.query_params)).text("id", length_max=_ID_MAX)
        if not text:
            return await page(request)
        try:
            await desk.answer(lambda: switch.oversight.story(read_id(text)))
        except Refusal as refusal:
            return await page(request, refusal, text)
        return desk.pages.go(f"{_PATH}/{text}")

    @post("/nudge")
    async def nudge(request: AnyRequest) -> Response[Any]:
        form = await desk.pages.form(request)
        wanted = Nudge(id=form.text("id", length_max=_ID_MAX), older_ms=0)
        try:
            await desk.answer(lambda: switch.oversight.nudge(wanted))
        except Refusal as refusal:
            return await page(request, refusal)
        return desk.pages.go(_PATH)

    @get("/{payment_id:str}")
    async def show(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        return await _one(desk, switch, elsewhere, request, payment_id)

    return desk.router(_PATH, [show_all, nudge, show])


async def _one(desk: Desk, switch: SwitchNode, elsewhere: Elsewhere, request: AnyRequest, text: str) -> Response[str]:
    said, id_ = desk.pages.words(request), read_id(text)
    story = await desk.answer(lambda: switch.oversight.story(id_))
    found = await desk.answer(lambda: switch.oversight.payments(id_))
    moments = sorted([*story, *await elsewhere(id_)], key=lambda each: in_order(each.at_ms, each.state))
    events = [
        Event(
            each.at_ms * NS_PER_MS,
            each.node,
            said(_STEPS[each.state]),
            _note(said, each.state, each.note),
            _TAGS.get(each.state, ""),
        )
        for each in moments
    ]
    for payment, decision in found:
        if decision is not None and decision.window:
            events += _window_events(said, switch, decision.window)
        if payment is not None and not payment.is_return:
            events += await _recall_events(desk, said, switch, payment)
    now_ns = switch.node.clock.now_ns()
    is_open = any(decision is None for _, decision in found)
    return desk.render(
        request,
        "switch_desk/payment.html",
        NAV,
        id=text,
        found=found,
        events=sorted(events, key=lambda each: each.at_ns),
        is_open=is_open,
        now_ns=now_ns,
        names={each.node_id: each.name for each in switch.admission.participants()},
    )


_STEPS = {
    "HELD": phrase("Money held"),
    "ACCEPTED": phrase("Accepted"),
    "RESERVED": phrase("Reserved"),
    "COMPLETED": phrase("Completed"),
    "REJECTED": phrase("Rejected"),
}
_TAGS = {"COMPLETED": "good", "REJECTED": "bad"}


def _note(said: Words, state: str, note: str) -> str:
    """What a rejection's reason means; of others the moment's own note is told with the payment."""
    if state == "REJECTED" and note:
        return said.reason(note)
    return said(phrase("window %(window)s"), window=note) if state == "COMPLETED" else ""


def _window_events(said: Words, switch: SwitchNode, window: str) -> list[Event]:
    row = switch.windows.window(window)
    node = switch.node.node_id
    events = []
    if row.closed_ns:
        events.append(Event(row.closed_ns, node, said(phrase("Its window closed")), window, ""))
    if row.settled_ns:
        events.append(Event(row.settled_ns, node, said(phrase("Obligations settled")), window, "good"))
    return events


async def _recall_events(desk: Desk, said: Words, switch: SwitchNode, payment: ClearedPayment) -> list[Event]:
    events = []
    for recall in await desk.answer(switch.recalls.recalls.everything):
        if (recall.payment_id, recall.debtor_agent) != (payment.payment_id, payment.debtor_agent):
            continue
        events.append(Event(recall.asked_ns, recall.asker, said(phrase("Asked back")), recall.reason, "warn"))
        if recall.answered_ns:
            events.append(
                Event(recall.answered_ns, recall.creditor_agent, said(phrase("Recall answered")), recall.status, "")
            )
    return events
