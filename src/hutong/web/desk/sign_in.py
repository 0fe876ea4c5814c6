"""Signing in to a desk: with an operator's token; and, where nobody has one yet, the node's first operator."""

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.operators.operator import OperatorReason, Role
from hutong.operators.session import LIFE_S
from hutong.runtime.shelf import decided, warmed
from hutong.web.operator import DESK, HOME, ROLES, Desk
from hutong.web.page import AnyRequest, own_path

_TOKEN_MAX = 200
_NAME_MAX = 32


def sign_in_pages(desk: Desk) -> ControllerRouterHandler:
    """`/desk/sign-in`, `/desk/first`, `/desk/sign-out`: open to everybody, each a form of ours."""
    door = _Door(desk)

    @get("/sign-in")
    async def show(request: AnyRequest) -> Response[Any]:
        if await door.is_first():
            return desk.pages.render(request, "desk/first.html")
        return door.show(request)

    @post("/sign-in")
    async def sign_in(request: AnyRequest) -> Response[Any]:
        return await door.sign_in(request)

    @get("/first")
    async def again() -> Redirect:
        return desk.pages.go(DESK.sign_in)

    @post("/first")
    async def name_first(request: AnyRequest) -> Response[Any]:
        return await door.name_first(request)

    @post("/sign-out")
    async def sign_out(request: AnyRequest) -> Redirect:
        return await door.sign_out(request)

    return desk.pages.router(HOME, [show, sign_in, again, name_first, sign_out], None)


class _Door:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pages = desk.pages

    async def is_first(self) -> bool:
        """Whether the node asks for its first operator: never in a network for trying out."""
        operators = self._desk.operators
        return self._pages.sandbox is None and await warmed(self._desk.node.journal, lambda: operators.nobody_named)

    def show(self, request: AnyRequest, refusal: Refusal | None = None, onward: str = "") -> Response[str]:
        sandbox = self._pages.sandbox
        samples = [(each.name, ROLES[Role(each.role)]) for each in sandbox.operators()] if sandbox else []
        values: dict[str, Any] = {
            "samples": samples,
            "next": own_path(onward or request.query_params.get("next", ""), HOME),
        }
        if refusal is None:
            return self._pages.render(request, "desk/sign_in.html", **values)
        return self._pages.again(request, "desk/sign_in.html", refusal, **values)

    async def sign_in(self, request: AnyRequest) -> Response[Any]:
        form = await self._pages.form(request)
        sample = form.text("sample", length_max=_NAME_MAX)
        operators, journal = self._desk.operators, self._desk.node.journal
        try:
            token = await self._sample_token(sample) if sample else form.needed("token", length_max=_TOKEN_MAX)
            if await self.is_first():
                return self._pages.go(DESK.sign_in)
            await operators.audit.start()

            def begin() -> str:
                operator, session = operators.sessions.begin(token)
                operators.audit.note(operator.name, "POST /desk/sign-in", "", {})
                return session

            session = await decided(journal, begin)
        except Refusal as refusal:
            return self.show(request, refusal, form.text("next"))
        return self._pages.signed_in(request, DESK, session, LIFE_S, own_path(form.text("next"), HOME))

    async def name_first(self, request: AnyRequest) -> Response[Any]:
        form = await self._pages.form(request)
        operators = self._desk.operators
        try:
            if self._pages.sandbox is not None:
                raise Refusal(OperatorReason.FIRST_OPERATOR_NAMED)
            token, name = form.needed("token", length_max=_TOKEN_MAX), form.needed("name", length_max=_NAME_MAX)
            await operators.audit.start()

            def decide() -> str:
                operator, named = operators.name_first(token, name)
                operators.audit.note(operator.changed_by, "POST /desk/first", name, {"role": operator.role})
                return named

            own = await decided(self._desk.node.journal, decide)
        except Refusal as refusal:
            return self._pages.again(request, "desk/first.html", refusal)
        return self._pages.render(request, "desk/token.html", name=name, token=own)

    async def sign_out(self, request: AnyRequest) -> Redirect:
        await self._pages.form(request)
        try:
            token = self._pages.token(request, DESK)
        except Refusal:
            return self._pages.go(DESK.sign_in)
        await decided(self._desk.node.journal, lambda: self._desk.operators.sessions.end(token))
        return self._pages.signed_out(request, DESK, DESK.sign_in)

    async def _sample_token(self, name: str) -> str:
        """Of somebody anybody may sign in as; who is not named yet is now. Refuses NO_SUCH_OPERATOR."""
        sandbox, operators = self._pages.sandbox, self._desk.operators
        found = [each for each in (sandbox.operators() if sandbox else ()) if each.name == name]
        if not found:
            raise Refusal(OperatorReason.NO_SUCH_OPERATOR, name=name)
        sample = found[0]

        def named() -> None:
            if all(each.name != name or not each.active for each in operators.everybody()):
                operators.appoint(name, Role(sample.role), "sandbox", sample.token)

        await decided(self._desk.node.journal, named)
        return sample.token
