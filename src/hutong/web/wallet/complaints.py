"""Complaints in the wallet: of a payment, what was said, and saying more."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.complaints.grievance import GRIEVANCE_PREFIX, Grievance, GrievanceOrder
from hutong.institution.complaints.grievance_service import CONTACT_LENGTH_MAX
from hutong.institution.complaints.picture import PictureState
from hutong.institution.complaints.turn import TEXT_LENGTH_MAX
from hutong.institution.complaints.views import ACT_PREFIX
from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.http import HttpReason
from hutong.runtime.shelf import decided, warmed
from hutong.scheme.complaint import ComplaintAct
from hutong.scheme.complaint_messages import PICTURES_MAX
from hutong.web.complaint_pictures import ACCEPTED, ComplaintPictures, carried
from hutong.web.complaint_wording import KINDS, STATES, told, typed, words_of
from hutong.web.form import Form
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.door import WALLET, wallet_guard

HOME = "/wallet/complaints"
_ACTS = {
    "say": ComplaintAct.SAY,
    "continue": ComplaintAct.CONTINUE,
    "withdraw": ComplaintAct.WITHDRAW,
    "confirm": ComplaintAct.CONFIRM,
}


def complaints_pages(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    """`/wallet/complaints` and everything below it."""
    handlers = [*_opening(institution, pages), *_going_on(institution, pages), _looking(institution, pages)]
    return [pages.router("/", handlers, WALLET, [wallet_guard(institution, pages)])]


def _opening(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    journal, grievances = institution.node.journal, institution.complaints.grievances
    pictures = ComplaintPictures(institution, pages)

    def form_of(
        request: AnyRequest, values: dict[str, str], refusal: Refusal | None = None, given: tuple[str, ...] = ()
    ) -> Response[str]:
        return pages.shown(
            request,
            "wallet/complaint_new.html",
            refusal,
            nav="bills",
            typed=values,
            kinds=KINDS,
            text_max=TEXT_LENGTH_MAX,
            contact_max=CONTACT_LENGTH_MAX,
            pictures_max=PICTURES_MAX,
            accepted=ACCEPTED,
            given=given,
        )

    @get(HOME)
    async def listed(request: AnyRequest) -> Response[str]:
        user_id = request.auth.user_id
        found = await warmed(journal, lambda: grievances.grievances.find("user_id", user_id))
        mine = [(id_text(GRIEVANCE_PREFIX, each.id), each) for each in reversed(found)]
        return pages.shown(request, "wallet/complaints.html", None, nav="bills", mine=mine, states=STATES, kinds=KINDS)

    @get(f"{HOME}/new")
    async def new(request: AnyRequest) -> Response[str]:
        # Its id is minted here: sending the form again complains of nothing twice.
        values = {
            "id": id_text(GRIEVANCE_PREFIX, institution.node.mint.mint()),
            "payment": request.query_params.get("payment", "")[:40],
            **dict.fromkeys(("kind", "amount", "text", "contact"), ""),
        }
        return form_of(request, values)

    @post(HOME, status_code=200)
    async def open_(request: AnyRequest) -> Response[Any]:
        form, user_id = await pages.form(request), request.auth.user_id
        given = carried(form)
        try:
            given = await pictures.chosen(request, form, user_id)
            order = _order(form, given)
            await decided(journal, lambda: grievances.open(user_id, order))
        except Refusal as refusal:
            names = ("id", "payment", "kind", "amount", "text", "contact")
            return form_of(request, {name: form.text(name) for name in names}, refusal, given)
        return pages.go(f"{HOME}/{id_text(GRIEVANCE_PREFIX, order.grievance_id)}")

    return [listed, new, open_]


def _going_on(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    journal, grievances = institution.node.journal, institution.complaints.grievances
    pictures = ComplaintPictures(institution, pages)

    async def page(
        request: AnyRequest, id_: int, refusal: Refusal | None = None, text: str = "", given: tuple[str, ...] = ()
    ) -> Response[str]:
        user_id = request.auth.user_id

        def look() -> tuple[Grievance, Any, dict[str, str]]:
            found = grievances.grievance(id_, user_id)
            return found, grievances.history(found), institution.complaints.pictures.states(id_)

        grievance, turns, states = await warmed(journal, look)
        _ = pages.words(request)
        return pages.shown(
            request,
            "wallet/complaint.html",
            refusal,
            nav="bills",
            grievance=grievance,
            id=id_text(GRIEVANCE_PREFIX, id_),
            payment_id=id_text("pay", grievance.payment_id),
            state=STATES[grievance.state],
            kind=KINDS[grievance.kind],
            turns=told(turns, grievance.currency, _, states),
            arriving=PictureState.WANTED in states.values(),
            refused=_.reason(grievance.refusal) if grievance.refusal else "",
            completed=grievance.ended == ComplaintAct.COMPLETE.value,
            act_id=id_text(ACT_PREFIX, institution.node.mint.mint()),
            text=text,
            text_max=TEXT_LENGTH_MAX,
            pictures_max=PICTURES_MAX,
            accepted=ACCEPTED,
            given=given,
        )

    @get(f"{HOME}/{{grievance_id:str}}")
    async def show(request: AnyRequest, grievance_id: FromPath[str]) -> Response[str]:
        return await page(request, parse_id(GRIEVANCE_PREFIX, grievance_id))

    @post(f"{HOME}/{{grievance_id:str}}", status_code=200)
    async def say(request: AnyRequest, grievance_id: FromPath[str]) -> Response[Any]:
        form, id_, user_id = await pages.form(request), parse_id(GRIEVANCE_PREFIX, grievance_id), request.auth.user_id
        given = carried(form)
        try:
            given = await pictures.chosen(request, form, user_id)
            act = _ACTS.get(form.text("act"))
            if act is None:
                raise Refusal(HttpReason.FIELD_INVALID, field="act", problem="no such act")
            words = words_of(form, given)
            await decided(journal, partial(_say, institution, id_, user_id, act, words))
        except Refusal as refusal:
            return await page(request, id_, refusal, form.text("text"), given)
        return pages.go(f"{HOME}/{grievance_id}")

    return [show, say]


def _looking(institution: InstitutionNode, pages: Pages) -> ControllerRouterHandler:
    pictures, grievances = ComplaintPictures(institution, pages), institution.complaints.grievances

    @get(f"{HOME}/{{grievance_id:str}}/pictures/{{digest:str}}")
    async def picture(request: AnyRequest, grievance_id: FromPath[str], digest: FromPath[str]) -> Response[bytes]:
        id_, user_id = parse_id(GRIEVANCE_PREFIX, grievance_id), request.auth.user_id
        return await pictures.shown(lambda: grievances.grievance(id_, user_id).id, digest)

    return picture


def _say(institution: InstitutionNode, id_: int, user_id: int, act: ComplaintAct, words: Any) -> Grievance:
    grievances = institution.complaints.grievances
    return grievances.say(grievances.grievance(id_, user_id), act, words)


def _order(form: Form, pictures: tuple[str, ...]) -> GrievanceOrder:
    kind = form.needed("kind")
    if kind not in KINDS:
        raise Refusal(HttpReason.FIELD_INVALID, field="kind", problem="no such kind")
    return GrievanceOrder(
        grievance_id=parse_id(GRIEVANCE_PREFIX, form.needed("id", length_max=40)),
        payment_id=parse_id("pay", form.needed("payment", length_max=40)),
        kind=kind,
        text=typed(form),
        amount=form.amount("amount") if kind == "RFND" else 0,
        contact=form.text("contact", length_max=CONTACT_LENGTH_MAX),
        pictures=pictures,
    )
