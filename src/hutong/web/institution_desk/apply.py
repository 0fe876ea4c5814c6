"""The page on which a merchant applies, and the one that tells it how that stands. Nobody need sign in."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.application import APPLICATION_PREFIX, ApplicationForm
from hutong.institution.merchants.application_service import ApplicationService
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided
from hutong.web.institution_desk.wordings import APPLICATION_STATES
from hutong.web.page import AnyRequest, Pages

FIELDS = ApplicationForm.__struct_fields__


def apply_pages(node: NodeRuntime, applications: ApplicationService, pages: Pages) -> ControllerRouterHandler:
    """`/merchants/apply` and `/merchants/applications/{id}`."""

    @get("/apply")
    async def blank(request: AnyRequest) -> Response[str]:
        # The id is in the form, so that sending it twice is one application.
        id_ = id_text(APPLICATION_PREFIX, node.mint.mint())
        return pages.render(request, "institution_desk/apply.html", id=id_, told=dict.fromkeys(FIELDS, ""))

    @post("/apply")
    async def apply(request: AnyRequest) -> Response[Any]:
        form = await pages.form(request)
        told = {name: form.text(name) for name in FIELDS}
        text = form.text("id")
        try:
            id_ = parse_id(APPLICATION_PREFIX, text)
            await decided(node.journal, lambda: applications.apply(id_, ApplicationForm(**told)))
        except Refusal as refusal:
            return pages.again(request, "institution_desk/apply.html", refusal, id=text, told=told)
        return pages.go(f"/merchants/applications/{text}")

    @get("/applications/{application_id:str}")
    async def standing(request: AnyRequest, application_id: FromPath[str]) -> Response[str]:
        id_ = parse_id(APPLICATION_PREFIX, application_id)
        application = await decided(node.journal, lambda: applications.application(id_))
        state = APPLICATION_STATES[application.state]
        return pages.render(request, "institution_desk/applied.html", application=application, state=state)

    return pages.router("/merchants", [blank, apply, standing], None)
