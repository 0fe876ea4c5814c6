"""Who runs the node: for its admins to name, to give another token, to dismiss."""

from collections.abc import Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.operators.guard import TAKES
from hutong.operators.operator import Operator, Role
from hutong.runtime.http import HttpReason
from hutong.web.operator import HOME, ROLES, Desk
from hutong.web.page import AnyRequest

NAV = "operators"
_NAME_MAX = 32


def staff_pages(desk: Desk) -> ControllerRouterHandler:
    """`/desk/operators`."""
    operators = desk.operators

    def page(request: AnyRequest, refusal: Refusal | None = None, **values: Any) -> Response[str]:
        values |= {"everybody": operators.everybody(), "roles": {role.value: said for role, said in ROLES.items()}}
        return desk.shown(request, "desk/operators.html", NAV, refusal, **values)

    async def change(request: AnyRequest, decide: Callable[[], tuple[Operator, str]]) -> Response[str]:
        try:
            operator, token = await desk.answer(decide)
        except Refusal as refusal:
            return page(request, refusal)
        return page(request, named=operator, token=token)

    @get()
    async def show(request: AnyRequest) -> Response[str]:
        return page(request)

    @post(opt={TAKES: Role.ADMIN})
    async def appoint(request: AnyRequest) -> Response[str]:
        form = await desk.pages.form(request)
        name, role, by = form.text("name", length_max=_NAME_MAX), form.text("role"), request.auth.name
        if role not in Role.__members__:
            return page(request, Refusal(HttpReason.FIELD_INVALID, field="role", problem="no role"))
        return await change(request, lambda: operators.appoint(name, Role(role), by))

    @post("/{name:str}", opt={TAKES: Role.ADMIN})
    async def alter(request: AnyRequest, name: FromPath[str]) -> Response[str]:
        form = await desk.pages.form(request)
        by = request.auth.name
        if form.text("act") == "dismiss":
            return await change(request, lambda: (operators.dismiss(name, by), ""))
        return await change(request, lambda: operators.renew_token(name, by))

    return desk.router(f"{HOME}/operators", [show, appoint, alter])
