"""Complaints of the institution's merchants: what is overdue, who looks after it, and a word in the institution's name."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.complaints.complaint import COMPLAINT_PREFIX, Complaint
from hutong.institution.complaints.complaint_service import ComplaintService
from hutong.institution.complaints.turn import TEXT_LENGTH_MAX
from hutong.institution.complaints.views import ACT_PREFIX
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.scheme.complaint import ComplaintAct, ComplaintParty
from hutong.web.complaint_pictures import ComplaintPictures
from hutong.web.complaint_wording import KINDS, STATES, told, words_of
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "complaints"
_SHOWN_MAX = 200


def complaint_pages(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    """`/desk/complaints` and each of them."""
    whole, merchants = parts.institution.complaints, parts.institution.merchants
    complaints, pictures = whole.complaints, ComplaintPictures(parts.institution, desk.pages)

    async def page(request: AnyRequest, id_: int, refusal: Refusal | None = None, text: str = "") -> Response[str]:
        complaint, turns, name, states = await desk.answer(partial(_look, parts, id_))
        _ = desk.pages.words(request)
        values: dict[str, Any] = {
            "complaint": complaint,
            "id": id_text(COMPLAINT_PREFIX, id_),
            "merchant": name,
            "merchant_id": id_text("mer", complaint.merchant_id),
            "state": STATES[complaint.state],
            "kind": KINDS[complaint.kind],
            "turns": told(turns, complaint.currency, _, states),
            "act_id": id_text(ACT_PREFIX, desk.node.mint.mint()),
            "now_ns": desk.node.clock.now_ns(),
            "text": text,
            "text_max": TEXT_LENGTH_MAX,
        }
        return desk.shown(request, "institution_desk/complaint.html", NAV, refusal, **values)

    @get()
    async def listed(request: AnyRequest) -> Response[str]:
        now_ns = desk.node.clock.now_ns()

        def look() -> list[tuple[str, Complaint, str, int]]:
            found = sorted(complaints.complaints.everything(), key=lambda each: (not each.is_open, each.created_ns))
            return [
                (
                    id_text(COMPLAINT_PREFIX, each.id),
                    each,
                    merchants.merchant(each.merchant_id).name,
                    ((each.ended_ns or now_ns) - each.created_ns) // NS_PER_DAY,
                )
                for each in found[:_SHOWN_MAX]
            ]

        rows = await desk.answer(look)
        values: dict[str, Any] = {"rows": rows, "states": STATES, "kinds": KINDS, "now_ns": now_ns}
        return desk.shown(request, "institution_desk/complaints.html", NAV, None, **values)

    @get("/{complaint_id:str}")
    async def show(request: AnyRequest, complaint_id: FromPath[str]) -> Response[str]:
        return await page(request, parse_id(COMPLAINT_PREFIX, complaint_id))

    @get("/{complaint_id:str}/pictures/{digest:str}")
    async def picture(complaint_id: FromPath[str], digest: FromPath[str]) -> Response[bytes]:
        return await pictures.shown(lambda: complaints.complaint(parse_id(COMPLAINT_PREFIX, complaint_id)).id, digest)

    @post("/{complaint_id:str}")
    async def act(request: AnyRequest, complaint_id: FromPath[str]) -> Response[Any]:
        form, id_, by = await desk.pages.form(request), parse_id(COMPLAINT_PREFIX, complaint_id), request.auth.name
        what = form.text("act")
        try:
            if what == "say":
                await desk.answer(partial(_say, complaints, id_, words_of(form), by))
            else:
                owner = by if what == "own" else ""
                await desk.answer(lambda: complaints.own(complaints.complaint(id_), owner))
        except Refusal as refusal:
            return await page(request, id_, refusal, form.text("text"))
        return desk.pages.go(f"{HOME}/complaints/{complaint_id}")

    return desk.router(f"{HOME}/complaints", [listed, show, picture, act])


def _say(complaints: ComplaintService, id_: int, words: Any, by: str) -> Complaint:
    complaint = complaints.complaint(id_)
    complaints.history(complaint)
    return complaints.answer(complaint, ComplaintAct.SAY, words, by, by=ComplaintParty.AGENT)


def _look(parts: DeskParts, id_: int) -> tuple[Complaint, Any, str, dict[str, str]]:
    """A complaint with its history, its merchant's name, and how its pictures stand. May raise `Cold`."""
    whole = parts.institution.complaints
    found = whole.complaints.complaint(id_)
    name = parts.institution.merchants.merchant(found.merchant_id).name
    return found, whole.complaints.history(found), name, whole.pictures.states(id_)
