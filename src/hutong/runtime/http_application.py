"""Litestar, begun in less than half the time: an institution has a thousand handlers, and a process may have several."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any

from litestar import Litestar
from litestar.handlers.base import BaseRouteHandler
from litestar.router import Router
from litestar.types import ControllerRouterHandler, RouteHandlerType
from litestar.types.internal_types import RouteHandlerMapItem
from litestar.utils.helpers import unwrap_partial

_VARIANTS_MAX = 8  # Of one function: a factory may make others of the same code on each call.


@dataclass(frozen=True, slots=True)
class _Read:
    """What Litestar read from one function, and what it read it from."""

    source: tuple[Any, ...]
    signature: Any
    model: Any


_read: dict[CodeType, deque[_Read]] = {}


class Application(Litestar):
    """
    Takes routers as they are: they are made for one application, and need no copy of each handler.

    What is registered by now is looked up once for all paths of a router, not again for each; and what a handler's function
    takes is read once in a process, not again for each institution in it.
    """

    _registered: dict[str, RouteHandlerMapItem] | None = None  # While a router is registered.

    def register(self, value: ControllerRouterHandler) -> None:  # type: ignore[override]  # As Litestar's own.
        self._registered = super().route_handler_method_map  # No path stands twice in one router.
        try:
            super().register(value)
        finally:
            self._registered = None

    @property
    def route_handler_method_map(self) -> dict[str, RouteHandlerMapItem]:
        return super().route_handler_method_map if self._registered is None else self._registered

    @classmethod
    def get_route_handler_map(cls, value: "RouteHandlerType | Router") -> dict[str, RouteHandlerMapItem]:
        found = super().get_route_handler_map(value)
        for handlers in found.values():
            for handler in handlers.values():
                _give_what_was_read(handler)
        return found

    def _validate_registration_value(self, value: ControllerRouterHandler) -> "RouteHandlerType | Router":
        if isinstance(value, Router) and value.owner is None:
            value.owner = self
            return value
        return super()._validate_registration_value(value)


def _give_what_was_read(handler: BaseRouteHandler) -> None:
    """
    Let a handler know what another of the same function knows already, where nothing it depends on differs.

    Litestar keeps both for each handler, and reads them when nothing is kept.
    """
    function: Callable[..., Any] = unwrap_partial(handler.fn)
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is None:
        return
    source = (
        function.__module__,
        function.__annotations__,
        function.__defaults__,
        function.__kwdefaults__,
        handler.dependency_name_set,
        handler.resolve_signature_namespace(),
        handler.resolve_type_decoders(),
    )
    variants = _read.setdefault(code, deque(maxlen=_VARIANTS_MAX))
    found = next((each for each in variants if each.source == source), None)
    if found is None:
        assert handler.resolve_data_dto() is None, "what a DTO makes of a body is not looked at here"
        found = _Read(source, handler.parsed_fn_signature, handler.signature_model)
        variants.append(found)
    handler._parsed_fn_signature, handler._signature_model = found.signature, found.model  # noqa: SLF001
