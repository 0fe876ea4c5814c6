"""
Who calls an institution's API, and the doors they come in by: people, whoever holds a staff key, operators.

Who it is is known before the body is read: guards come first. A handler finds its caller under the name of its door.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Router
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.service import MerchantService
from hutong.institution.people.service import PeopleService
from hutong.operators.guard import Connection, Guard
from hutong.operators.guard import operator_guard as operators_guard
from hutong.runtime.http import bearer_token
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed


@dataclass(frozen=True, slots=True)
class Door:
    """A way in: `guard` finds out who comes, and handlers behind it are given that as `name`."""

    name: str
    guard: Guard

    def router(self, path: str, handlers: Sequence[ControllerRouterHandler], **things: object) -> Router:
        """The handlers behind this door, given these things by name."""
        dependencies = given(**things) | {self.name: Provide(caller, sync_to_thread=False)}
        return Router(path, route_handlers=list(handlers), dependencies=dependencies, guards=[self.guard])


@dataclass(frozen=True, slots=True)
class Doors:
    """The three of an institution."""

    people: Door
    keys: Door
    operators: Door


def doors_of(node: NodeRuntime, people: PeopleService, merchants: MerchantService) -> Doors:
    return Doors(
        people=Door("session", session_guard(node, people)),
        keys=Door("key", key_guard(node, merchants)),
        operators=Door("operator", operator_guard(node, people)),
    )


def given(**things: object) -> dict[str, Any]:
    """What handlers ask for by these names: the same for each request."""
    return {name: _always(thing) for name, thing in things.items()}


def session_guard(node: NodeRuntime, people: PeopleService) -> Guard:
    """Lets in who comes with a session. Refuses TOKEN_MISSING, SESSION_UNKNOWN, SESSION_EXPIRED."""
    return token_guard(node, people.session)


def key_guard(node: NodeRuntime, merchants: MerchantService) -> Guard:
    """Lets in who comes with a staff key. Refuses TOKEN_MISSING, KEY_NOT_ACCEPTED, KEY_REVOKED."""
    return token_guard(node, merchants.key)


def operator_guard(node: NodeRuntime, people: PeopleService) -> Guard:
    """Lets in an operator of the institution, and has every look at people's data noted, too; see `operators.guard`."""
    return operators_guard(node, people.operators, reads_noted=True)


def token_guard(node: NodeRuntime, known: Callable[[str], object]) -> Guard:
    """Lets in whose token is `known`, which answers who it is, or refuses. Refuses TOKEN_MISSING."""

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        token = token_of(connection)
        connection.scope["auth"] = await warmed(node.journal, lambda: known(token))

    return guard


def token_of(connection: Connection) -> str:
    """The bearer token of a request; refuses TOKEN_MISSING."""
    return bearer_token(connection.headers.get("authorization", "").encode())


def caller(request: Request[Any, Any, Any]) -> Any:
    """A dependency: who asks, as the guard of the route found."""
    return request.auth


def _always(thing: object) -> Provide:
    return Provide(lambda: thing, sync_to_thread=False)
