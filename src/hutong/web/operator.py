"""
A node's operators in the browser: the realm they sign in to, the guard before their pages, and the frame of a desk.

The operator's token is pasted once and never kept by the browser: a session of its own is (`operators.session`), idle for
half an hour at most. What is done on a page is held to the same roles, and noted in the same audit log, as over the API.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from litestar import Response, Router
from litestar.handlers import BaseRouteHandler
from litestar.types import ControllerRouterHandler, Guard

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.operators.approval import PREFIX
from hutong.operators.guard import UNATTENDED, let_in
from hutong.operators.operator import Operator, Role
from hutong.operators.service import Operators
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided, warmed
from hutong.web.language import phrase
from hutong.web.page import AnyRequest, Pages, Realm

DESK = Realm("desk", "/desk/sign-in")
HOME = "/desk"
Answer = TypeVar("Answer")
ROLES = {
    Role.VIEWER: phrase("Viewer"),
    Role.OPERATOR: phrase("Operator"),
    Role.ADMIN: phrase("Admin"),
}


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A page of the menu: `nav` is what that page renders with, `what` a phrase."""

    nav: str
    path: str
    what: str


class Desk:
    """What every page of a node's desk shares. `reads_noted`: looks are in the audit log, too, where people's data are."""

    def __init__(  # Wired once.
        self,
        node: NodeRuntime,
        operators: Operators,
        pages: Pages,
        menu: Sequence[MenuEntry],
        *,
        reads_noted: bool,
    ) -> None:
        self.node = node
        self.operators = operators
        self.pages = pages
        self._menu = menu
        self._reads_noted = reads_noted
        operators.approvals.has_colleague = pages.sandbox is not None and len(pages.sandbox.operators()) > 1

    def router(self, path: str, handlers: Sequence[ControllerRouterHandler], role: Role = Role.VIEWER) -> Router:
        """Handlers for operators who are signed in and have the role; the option `TAKES` of a handler asks for more."""
        guard = desk_guard(self.node, self.operators, self.pages, role, reads_noted=self._reads_noted)
        return self.pages.router(path, handlers, DESK, [guard])

    def render(
        self, request: AnyRequest, template: str, nav: str, *, status: int = 200, **values: Any
    ) -> Response[str]:
        """A page in the desk's frame."""
        return self.pages.render(request, template, status=status, **self._frame(request, nav), **values)

    def shown(
        self, request: AnyRequest, template: str, nav: str, refusal: Refusal | None, **values: Any
    ) -> Response[str]:
        """The page; after a refusal, once more and saying why not."""
        return self.pages.shown(request, template, refusal, **self._frame(request, nav), **values)

    async def answer(self, decide: Callable[[], Answer]) -> Answer:
        """Decide, and answer when that is durable: with it the act is in the audit log."""
        return await decided(self.node.journal, decide)

    def may(self, request: AnyRequest, role: Role) -> bool:
        """Whether who is signed in has the role."""
        return Role(request.auth.role).covers(role)

    def _frame(self, request: AnyRequest, nav: str) -> dict[str, Any]:
        operator: Operator = request.auth
        return {
            "nav": nav,
            "menu": self._menu,
            "operator": operator,
            "who": operator.name,
            "role_name": ROLES[Role(operator.role)],
            "may_act": self.may(request, Role.OPERATOR),
            "may_appoint": self.may(request, Role.ADMIN),
            "approval_id": id_text(PREFIX, self.node.mint.mint()),  # What a form here may propose.
            "waiting_count": len(self.operators.approvals.waiting()),
        }


def desk_guard(
    node: NodeRuntime, operators: Operators, pages: Pages, role: Role = Role.VIEWER, *, reads_noted: bool = False
) -> Guard:
    """
    Lets in operators who are signed in and have the role; `request.auth` is then the `Operator`.

    Refuses:  TOKEN_MISSING, SESSION_EXPIRED, which lead to the sign-in; OPERATOR_MAY_NOT.
    """

    async def guard(connection: Any, handler: BaseRouteHandler) -> None:
        await operators.approvals.load()  # Every page says how many wait.
        token, awake = pages.token(connection, DESK), not handler.opt.get(UNATTENDED)
        operator = await warmed(node.journal, lambda: operators.sessions.operator(token, awake=awake))
        node.journal.seal()
        connection.scope["auth"] = operator
        await let_in(node, operators.audit, operator, connection, handler, reads_noted=reads_noted, at_least=role)

    return guard
