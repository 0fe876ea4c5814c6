"""
The rest of a node's API: typed handlers, described by OpenAPI, with interactive pages that need no other host.

Every no of it has the same shape as on the hot path (`Problem`), also those Litestar itself says.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request, Response, get
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, Reference, SecurityScheme
from litestar.params import BodyKwarg
from litestar.plugins import ReceiveRoutePlugin
from litestar.router import Router
from litestar.routes import BaseRoute, HTTPRoute
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler
from openapi_ui_bundles import swagger_ui

from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.text import has_nul
from hutong.runtime.http import HEADERS_OF_STATUS, HttpReason, Problem, decode_refusal, problem, retry_after_s
from hutong.runtime.http_application import Application

DOCS_PATH = "/docs"
_ASSETS_PATH = "/docs-assets"
_CLIENT_GONE = "client disconnected prematurely"  # As Litestar says it.
_REASON_OF_STATUS: dict[int, Reason] = {
    404: HttpReason.ROUTE_UNKNOWN,
    405: HttpReason.METHOD_NOT_ALLOWED,
    413: HttpReason.BODY_TOO_LARGE,
    415: HttpReason.MEDIA_TYPE_NOT_ACCEPTED,
}

_SCHEMES: dict[str, SecurityScheme | Reference] = {
    "bearer": SecurityScheme(type="http", scheme="bearer"),
    # Between nodes: this and the other headers of `docs/scheme/transport.md`.
    "signature": SecurityScheme(type="apiKey", name="hutong-signature", security_scheme_in="header"),
}
_OPEN: list[dict[str, list[str]]] = [{}]  # `security` of what needs no token.
# What each no means, wherever it is said. Clients match on `reason`.
_PROBLEMS = {
    400: "The input is wrong, and the same again cannot help: `facts` name the field and what is wrong with it.",
    401: "Who asks is not known.",
    403: "Who asks may not do this.",
    404: "There is no such thing, or it is somebody else's.",
    409: "The id came before with other content: `facts.field` names what differs.",
    422: "Well formed, and a rule says no; nothing moved.",
    429: "Too often, or too many at once: later is fine.",
    503: "The node is starting, or starting again: send the same again.",
    504: "The outcome is not known yet: send the same again.",
}
_OF_CALLERS = frozenset({401, 403})
_OF_CHANGES = frozenset({409, 504})


class Health(msgspec.Struct, frozen=True):
    """That the process answers; whether it is ready for work, and each thing it looked at: `ok`, or what is wrong."""

    status: str
    checks: dict[str, str] = {}


Checks = Callable[[], Awaitable[dict[str, str]]]
OK = "ok"


async def _nothing_to_check() -> dict[str, str]:
    return {}


def make_app(
    handlers: Sequence[ControllerRouterHandler],
    *,
    title: str,
    version: str,
    description: str = "",
    checks: Checks = _nothing_to_check,
    body_max: int = 16 << 20,
    **options: Any,
) -> Litestar:
    """
    The ASGI application of a node: `handlers`, `/health/live`, `/health/ready` and the pages under `/docs`.

    Hot endpoints never reach it; a handler of the same path and method stands in `handlers` only to be described.
    `options` are Litestar's own.
    """

    @get("/health/live", tags=["Node"], sync_to_thread=False, security=_OPEN)
    def live() -> Health:
        """The process is alive: its event loop answers. Restart it only when this does not."""
        return Health("alive")

    @get(
        "/health/ready",
        tags=["Node"],
        security=_OPEN,
        responses={503: ResponseSpec(Health, generate_examples=False, description="It does not.")},
    )
    async def ready() -> Response[Health]:
        """The node takes work; 503 while it starts or stops, has lost its database or lead, or can't know its peers."""
        found = await checks()
        well = all(said == OK for said in found.values())
        return Response(Health("ready" if well else "not ready", found), status_code=200 if well else 503)

    return Application(
        route_handlers=[live, ready, *handlers, _assets()],
        openapi_config=_openapi(title, version, description),
        before_request=_check_input,
        exception_handlers={HTTPException: _said_by_litestar, Exception: _said_by_us},
        request_max_body_size=body_max,
        logging_config=None,
        plugins=[_DescribedProblems()],
        **options,
    )


class _DescribedProblems(ReceiveRoutePlugin):
    """Describes every operation's no as what it is: Litestar would describe its own."""

    def receive_route(self, route: BaseRoute) -> None:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                described = {
                    status: spec for status, spec in _problems_of(handler).items() if handler.include_in_schema
                }
                handler.responses = described | dict(handler.responses or {})


def _problems_of(handler: HTTPRouteHandler) -> Mapping[int, ResponseSpec]:
    left_out = _OF_CALLERS if handler.resolve_security() == _OPEN else frozenset[int]()
    if handler.http_methods <= {"GET", "HEAD", "OPTIONS"}:
        left_out |= _OF_CHANGES
    return {
        status: ResponseSpec(Problem, generate_examples=False, description=description)
        for status, description in _PROBLEMS.items()
        if status not in left_out
    }


def _openapi(title: str, version: str, description: str) -> OpenAPIConfig:
    swagger = SwaggerRenderPlugin(
        js_url=f"{_ASSETS_PATH}/swagger-ui-bundle.js",
        css_url=f"{_ASSETS_PATH}/swagger-ui.css",
        standalone_preset_js_url=f"{_ASSETS_PATH}/swagger-ui-standalone-preset.js",
        favicon=f"<link rel='icon' type='image/png' href='{_ASSETS_PATH}/favicon-32x32.png'>",
        path="/",
    )
    return OpenAPIConfig(
        title=title,
        version=version,
        description=description,
        path=DOCS_PATH,
        components=Components(security_schemes=_SCHEMES),
        security=[{"bearer": []}],
        use_handler_docstrings=True,
        render_plugins=[
            swagger,
            JsonRenderPlugin(path="/openapi.json"),
            YamlRenderPlugin(path=["/openapi.yaml", "/openapi.yml"]),
        ],
    )


def _assets() -> Router:
    """Swagger UI's own files, from the package that carries them."""
    return create_static_files_router(
        path=_ASSETS_PATH,
        directories=[Path(swagger_ui.static_path)],
        include_in_schema=False,
        cache_control=None,
    )


async def _check_input(request: Request[Any, Any, Any]) -> None:
    """
    Parse, don't coerce: Litestar would take `"1"` for 1. And refuse U+0000 in any text, which databases do not keep.

    Refuses:  BODY_MALFORMED, FIELD_INVALID with the field's path.
    """
    if b"%00" in request.scope["query_string"] or "\0" in request.scope["path"]:
        raise Refusal(HttpReason.FIELD_INVALID, field="url", problem="U+0000 in a text")
    data = request.route_handler.parsed_fn_signature.parameters.get("data")
    if data is None or not _is_json(data.kwarg_definition):
        return
    body = await request.body()
    if not body:
        return
    try:
        _check_body(body, data.annotation)
    except UnicodeDecodeError:
        raise Refusal(HttpReason.BODY_MALFORMED, problem="not UTF-8") from None
    except RecursionError:
        raise Refusal(HttpReason.BODY_MALFORMED, problem="nested too deeply") from None


def _check_body(body: bytes, type_: Any) -> None:
    try:
        msgspec.json.decode(body, type=type_)
    except msgspec.DecodeError as error:
        if _is_coerced(body, type_):
            raise decode_refusal(error) from None
        return  # Litestar refuses it itself, once it knows who asks.
    if b"\\u0000" in body and has_nul(msgspec.json.decode(body)):
        raise Refusal(HttpReason.FIELD_INVALID, field="$", problem="U+0000 in a text")


def _is_coerced(body: bytes, type_: Any) -> bool:
    """Whether Litestar would take what strictly speaking is of another type."""
    try:
        msgspec.convert(msgspec.json.decode(body), type_, strict=False)
    except msgspec.DecodeError:
        return False
    return True


def _is_json(kwarg: Any) -> bool:
    return isinstance(kwarg, BodyKwarg) and kwarg.media_type == RequestEncodingType.JSON


def _said_by_us(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    status, body = problem(error)
    headers = dict([HEADERS_OF_STATUS[status]]) if status in HEADERS_OF_STATUS else {}
    if wait_s := retry_after_s(error):
        headers["retry-after"] = str(wait_s)
    return Response(body, status_code=status, media_type=MediaType.JSON, headers=headers)


def _said_by_litestar(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    return _said_by_us(request, _refusal(error) or error)


def _refusal(error: HTTPException) -> Refusal | None:
    """Litestar's no as one of ours; None for what it calls an error of the server."""
    cause = _decode_error(error)
    if cause is not None and not _has_fields(error):
        return decode_refusal(cause)
    if error.status_code in _REASON_OF_STATUS:
        return Refusal(_REASON_OF_STATUS[error.status_code])
    if error.detail == _CLIENT_GONE:
        return Refusal(
            HttpReason.REQUEST_MALFORMED, problem=_CLIENT_GONE
        )  # Nobody hears it, and it is no error of ours.
    if error.status_code >= 500:
        return None
    if _has_fields(error):
        assert isinstance(error.extra, list)
        first = error.extra[0]
        key = first.get("key", "data")  # The parameter that takes the body: to the caller, its root.
        return Refusal(HttpReason.FIELD_INVALID, field="$" if key == "data" else key, problem=first.get("message", ""))
    return Refusal(HttpReason.REQUEST_MALFORMED, problem=error.detail[:200])


def _has_fields(error: HTTPException) -> bool:
    return isinstance(error.extra, list) and bool(error.extra)


def _decode_error(error: BaseException | None) -> msgspec.DecodeError | None:
    while error is not None:
        if isinstance(error, msgspec.DecodeError):
            return error
        error = error.__cause__ or error.__context__
    return None
