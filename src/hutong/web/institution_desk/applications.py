"""Merchants that applied: looked at, taken on or declined."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.application import APPLICATION_PREFIX, WHY_LENGTH_MAX, ApplicationState
from hutong.institution.merchants.mcc import mcc_group
from hutong.institution.merchants.merchant import REFERENCE_LENGTH_MAX
from hutong.institution.merchants.views import MERCHANT_PREFIX
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.web.form import Form
from hutong.web.institution_desk.merchants import read_bps
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.institution_desk.wordings import APPLICATION_STATES
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "applications"
_DECIDED_MAX = 100


def application_pages(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    """`/desk/applications`, and each one's page below it."""
    applications = parts.institution.applications

    async def in_state(state: ApplicationState) -> list[tuple[str, Any]]:
        found = await desk.answer(lambda: applications.in_state(state))
        return [(id_text(APPLICATION_PREFIX, each.id), each) for each in found]

    @get()
    async def leaf(request: AnyRequest) -> Response[str]:
        decided = await in_state(ApplicationState.APPROVED) + await in_state(ApplicationState.DECLINED)
        decided.sort(key=lambda pair: -pair[1].changed_ns)
        return desk.render(
            request,
            "institution_desk/applications.html",
            NAV,
            waiting=await in_state(ApplicationState.APPLIED),
            decided=decided[:_DECIDED_MAX],
            states=APPLICATION_STATES,
        )

    async def page(request: AnyRequest, id_: int, refusal: Refusal | None = None, **told: str) -> Response[str]:
        application = await desk.answer(lambda: applications.application(id_))
        values: dict[str, Any] = {
            "application": application,
            "id": id_text(APPLICATION_PREFIX, id_),
            "state": APPLICATION_STATES[application.state],
            "group": mcc_group(application.mcc),
            "merchant": id_text(MERCHANT_PREFIX, application.merchant_id) if application.merchant_id else "",
            "invited": Form(dict(request.query_params)).ticked("invited"),
            "told": {"reference": "", "fee": "", "why": ""} | told,
        }
        return desk.shown(request, "institution_desk/application.html", NAV, refusal, **values)

    @get("/{application_id:str}")
    async def show(request: AnyRequest, application_id: FromPath[str]) -> Response[str]:
        return await page(request, parse_id(APPLICATION_PREFIX, application_id))

    @post("/{application_id:str}")
    async def decide(request: AnyRequest, application_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_, by = parse_id(APPLICATION_PREFIX, application_id), request.auth.name
        try:
            if form.text("act") == "decline":
                why = form.needed("why", length_max=WHY_LENGTH_MAX)
                await desk.answer(lambda: applications.decline(id_, why, by))
            elif form.text("act") == "invite":
                await desk.answer(partial(_invite_owner, parts, id_))
            else:
                bps, reference = read_bps(form, "fee"), form.text("reference", length_max=REFERENCE_LENGTH_MAX)
                await desk.answer(partial(applications.approve, id_, bps, reference, by))
        except Refusal as refusal:
            told = {name: form.text(name) for name in ("reference", "fee", "why")}
            return await page(request, id_, refusal, **told)
        done = "?invited=1" if form.text("act") == "invite" else ""
        return desk.pages.go(f"{HOME}/applications/{application_id}{done}")

    return desk.router(f"{HOME}/applications", [leaf, show, decide])


def _invite_owner(parts: DeskParts, id_: int) -> None:
    """The contact of an approved application becomes the merchant's first owner: a code goes to the telephone."""
    application = parts.institution.applications.application(id_)
    staff_id = id_text(APPLICATION_PREFIX, id_)  # So a second press invites nobody else.
    name, phone = application.contact_name, application.contact_phone
    parts.institution.staff.appoint(application.merchant_id, staff_id, name, phone)
