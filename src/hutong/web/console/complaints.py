"""Complaints of payers: what they say, and the merchant's answers, refunds and word that it is done."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.complaints.complaint import COMPLAINT_PREFIX, Complaint
from hutong.institution.complaints.turn import TEXT_LENGTH_MAX, Words
from hutong.institution.complaints.views import ACT_PREFIX
from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.merchants.staff_key import Right
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.http import HttpReason
from hutong.scheme.complaint import ComplaintAct, ComplaintKind
from hutong.scheme.complaint_messages import PICTURES_MAX
from hutong.web.complaint_pictures import ACCEPTED, ComplaintPictures, carried
from hutong.web.complaint_wording import KINDS, STATES, told, words_of
from hutong.web.console.place import Console
from hutong.web.page import AnyRequest

_SHOWN_MAX = 200
_ACTS = {
    "say": ComplaintAct.SAY,
    "approve": ComplaintAct.APPROVE,
    "refuse": ComplaintAct.REFUSE,
    "complete": ComplaintAct.COMPLETE,
}


def complaint_pages(console: Console) -> list[ControllerRouterHandler]:
    """`/console/complaints...`."""
    return [_listing(console), *_each(console)]


def _listing(console: Console) -> ControllerRouterHandler:
    complaints, clock = console.institution.complaints.complaints, console.institution.node.clock

    @get("/complaints")
    async def listed(request: AnyRequest) -> Response[str]:
        who: SignedInStaff = request.auth
        found = await console.look(lambda: complaints.complaints.find("merchant_id", who.key.merchant_id))
        seen = [each for each in found if who.key.sees(each.merchant_id, each.shop_id)]
        seen.sort(key=lambda each: (not each.is_open, each.answer_by_ns if each.is_open else -each.created_ns))
        return await console.page(
            request,
            "complaints.html",
            "complaints",
            rows=[(id_text(COMPLAINT_PREFIX, each.id), each) for each in seen[:_SHOWN_MAX]],
            states=STATES,
            kinds=KINDS,
            now_ns=clock.now_ns(),
        )

    return listed


def _each(console: Console) -> list[ControllerRouterHandler]:
    complaints = console.institution.complaints.complaints
    clock = console.institution.node.clock
    pictures = ComplaintPictures(console.institution, console.pages)

    async def page(
        request: AnyRequest, id_: int, refusal: Refusal | None = None, given: tuple[str, ...] = (), **typed: str
    ) -> Response[str]:
        who: SignedInStaff = request.auth

        def look() -> tuple[Complaint, Any, int, dict[str, str]]:
            found = complaints.complaint(id_, who.key.merchant_id, who.key.shop_id)
            states = console.institution.complaints.pictures.states(id_)
            return found, complaints.history(found), complaints.left(found), states

        complaint, turns, left, states = await console.look(look)
        _ = console.pages.words(request)
        return await console.page(
            request,
            "complaint.html",
            "complaints",
            refusal,
            complaint=complaint,
            id=id_text(COMPLAINT_PREFIX, id_),
            state=STATES[complaint.state],
            kind=KINDS[complaint.kind],
            turns=told(turns, complaint.currency, _, states),
            left=left,
            asks_refund=complaint.kind == ComplaintKind.REFUND.value,
            may_answer=who.key.has_right(Right.REFUND),
            is_overdue=complaint.is_overdue(clock.now_ns()),
            act_id=id_text(ACT_PREFIX, console.institution.node.mint.mint()),
            typed={"text": "", "amount": ""} | typed,
            text_max=TEXT_LENGTH_MAX,
            pictures_max=PICTURES_MAX,
            accepted=ACCEPTED,
            given=given,
        )

    @get("/complaints/{complaint_id:str}")
    async def show(request: AnyRequest, complaint_id: FromPath[str]) -> Response[str]:
        return await page(request, parse_id(COMPLAINT_PREFIX, complaint_id))

    @get("/complaints/{complaint_id:str}/pictures/{digest:str}")
    async def picture(request: AnyRequest, complaint_id: FromPath[str], digest: FromPath[str]) -> Response[bytes]:
        id_, key = parse_id(COMPLAINT_PREFIX, complaint_id), request.auth.key
        return await pictures.shown(lambda: complaints.complaint(id_, key.merchant_id, key.shop_id).id, digest)

    @post("/complaints/{complaint_id:str}", status_code=200)
    async def answer(request: AnyRequest, complaint_id: FromPath[str]) -> Response[Any]:
        form, id_ = await console.pages.form(request), parse_id(COMPLAINT_PREFIX, complaint_id)
        who, given = request.auth, carried(form)
        try:
            act, amount = _ACTS.get(form.text("act")), form.amount("amount")
            if act is None:
                raise Refusal(HttpReason.FIELD_INVALID, field="act", problem="no such act")
            who.key.check_right(Right.REFUND)
            given = await pictures.chosen(request, form, who.key.merchant_id, is_merchant=True)
            await console.act(partial(_answer, console, who, id_, act, words_of(form, given), amount))
        except Refusal as refusal:
            return await page(request, id_, refusal, given, text=form.text("text"), amount=form.text("amount"))
        return console.pages.go(f"/console/complaints/{complaint_id}")

    return [show, picture, answer]


def _answer(console: Console, who: SignedInStaff, id_: int, act: ComplaintAct, words: Words, amount: int) -> Complaint:
    complaints = console.institution.complaints.complaints
    who.key.check_right(Right.REFUND)
    complaint = complaints.complaint(id_, who.key.merchant_id, who.key.shop_id)
    complaints.history(complaint)
    if act is ComplaintAct.APPROVE and amount:
        return complaints.approve(complaint, words, who.member.name, amount)
    return complaints.answer(complaint, act, words, who.member.name)
