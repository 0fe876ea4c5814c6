"""
HTTP as a node's endpoints see it: a request to answer, and one way to say no.

`http_server` carries it out; `http_app` is the rest of a node's API, with its pages. A refusal looks the same
wherever it comes from (`problem`).
"""

import logging
import re
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from hutong.kernel.errors import Kind, OutcomeUnknown, Reason, Refusal
from hutong.runtime.database import DatabaseUnavailable
from hutong.runtime.journal import JournalHalted

JSON = b"application/json"
_LOG = logging.getLogger(__name__)

STATUS_OF_KIND = {
    Kind.INVALID: 400,
    Kind.REFUSED: 422,
    Kind.CONFLICT: 409,
    Kind.NOT_FOUND: 404,
    Kind.NOT_ALLOWED: 403,
    Kind.LIMITED: 429,
}

# Of kind NOT_ALLOWED: who calls is not known, so another token or signature would help (RFC 9110, 15.5.2).
_UNAUTHENTICATED = re.compile(
    r"SIGNATURE_\w+|(SESSION|TOKEN|KEY|OPERATOR|SENDER)_(UNKNOWN|EXPIRED|REVOKED|MISSING|NOT_ACCEPTED)"
)

# What RFC 9110 wants said with a status: how to authenticate, when to come again. For 429 see `retry_after_s`.
HEADERS_OF_STATUS = {401: ("www-authenticate", "Bearer"), 503: ("retry-after", "1")}
_AGAIN_S = 1


class HttpReason(Reason):
    """Why a request was refused before any domain saw it."""

    REQUEST_MALFORMED = Kind.INVALID, "NARR"
    REQUEST_TOO_SLOW = Kind.LIMITED, "NARR"
    HEADERS_TOO_LARGE = Kind.INVALID, "NARR"
    BODY_TOO_LARGE = Kind.INVALID, "NARR"
    BODY_MALFORMED = Kind.INVALID, "NARR"
    FIELD_INVALID = Kind.INVALID, "NARR"
    ROUTE_UNKNOWN = Kind.NOT_FOUND, "NARR"
    METHOD_NOT_ALLOWED = Kind.NOT_ALLOWED, "NARR"
    MEDIA_TYPE_NOT_ACCEPTED = Kind.INVALID, "NARR"
    TOKEN_MISSING = Kind.NOT_ALLOWED, "NARR"
    TOO_MANY_CONNECTIONS = Kind.LIMITED, "NARR"
    TOO_MANY_REQUESTS = Kind.LIMITED, "NARR"


_STATUS_OF_REASON: dict[Reason, int] = {
    HttpReason.REQUEST_TOO_SLOW: 408,
    HttpReason.HEADERS_TOO_LARGE: 431,
    HttpReason.BODY_TOO_LARGE: 413,
    HttpReason.METHOD_NOT_ALLOWED: 405,
    HttpReason.MEDIA_TYPE_NOT_ACCEPTED: 415,
    HttpReason.TOO_MANY_CONNECTIONS: 503,
}


class NodeStarting(Exception):  # noqa: N818  # It is an answer, not an error.
    """The node does not take work yet: nothing was looked at."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every answer that is not a yes. Clients match on `reason`; the rest is for people."""

    reason: str
    kind: str
    code: str
    message: str
    facts: dict[str, Any]


_encode_problem = msgspec.json.Encoder(enc_hook=str).encode


def status_of(reason: Reason) -> int:
    """The HTTP status of a refusal for this reason."""
    found = _STATUS_OF_REASON.get(reason)
    if found is not None:
        return found
    if reason.kind is Kind.NOT_ALLOWED and _UNAUTHENTICATED.fullmatch(reason.name):
        return 401
    return STATUS_OF_KIND[reason.kind]


def problem(said: BaseException) -> tuple[int, bytes]:
    """
    The status and JSON body that say this no.

    504 means the outcome is unknown and 503 that the node is starting, or starting again: ask again with the same id.
    Anything that is not an answer of ours is a bug: it is logged and becomes a 500 that tells nothing.
    """
    match said:
        case Refusal():
            name = said.reason.name
            body = Problem(
                reason=name,
                kind=said.reason.kind.value,
                code=said.reason.iso_code,
                message=_sentence(name, said.facts),
                facts=said.facts,
            )
            return status_of(said.reason), _encode_problem(body)
        case OutcomeUnknown():
            return 504, _unanswered(
                "OUTCOME_UNKNOWN", "UNKNOWN", "The outcome is not known yet: ask again with the same id."
            )
        case NodeStarting():
            return 503, _unanswered(
                "NODE_STARTING", "UNAVAILABLE", "The node is starting, nothing was done: ask again in some seconds."
            )
        case JournalHalted() | DatabaseUnavailable():
            return 503, _unanswered(
                "NODE_RESTARTING", "UNAVAILABLE", "The node is starting again: ask again with the same id."
            )
        case _:
            _LOG.error("unexpected: %r", said, exc_info=said)
            return 500, _unanswered(
                "INTERNAL_ERROR", "INTERNAL", "This is our mistake. Nothing is known about the outcome."
            )


def retry_after_s(said: BaseException) -> int:
    """When to come again after a refusal that says "too often": as its facts say, else soon; 0 for all others."""
    if not isinstance(said, Refusal) or status_of(said.reason) != STATUS_OF_KIND[Kind.LIMITED]:
        return 0
    told = said.facts.get("retry_after_s", _AGAIN_S)
    return told if isinstance(told, int) else _AGAIN_S


def _unanswered(reason: str, kind: str, message: str) -> bytes:
    return _encode_problem(Problem(reason=reason, kind=kind, code="NARR", message=message, facts={}))


def _sentence(name: str, facts: dict[str, Any]) -> str:
    words = name.replace("_", " ").capitalize()
    told = ", ".join(f"{fact} {value}" for fact, value in facts.items())
    return f"{words}: {told}." if told else f"{words}."


class Answerer(Protocol):
    """Whoever carries the answer to the client; it ignores one that comes too late."""

    def answer(self, request: "HotRequest", status: int, body: bytes, content_type: bytes) -> None: ...


class HotRequest:
    """
    One request to a hot endpoint, whole: its handler gets it once the body is complete.

    `respond` is called once, now or later, from anywhere on the loop; it is safe after the client has gone.
    Header names are in lower case; of a repeated header the last counts.
    """

    __slots__ = ("_answerer", "body", "client", "headers", "method", "path", "query")

    def __init__(
        self,
        answerer: Answerer,
        *,
        method: str,
        path: str,
        query: bytes,
        headers: dict[bytes, bytes],
        client: tuple[str, int] | None,
    ) -> None:
        self._answerer: Answerer | None = answerer
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.client = client
        self.body = b""

    @property
    def answered(self) -> bool:
        return self._answerer is None

    def respond(self, status: int, body: bytes, content_type: bytes = JSON) -> None:
        answerer = self._answerer
        assert answerer is not None, "a request is answered once"
        self._answerer = None
        answerer.answer(self, status, body, content_type)

    def refuse(self, said: BaseException) -> None:
        """Answer with the problem that `said` is."""
        status, body = problem(said)
        wait_s = retry_after_s(said)
        self.respond(status, body, JSON + b"\r\nretry-after: %d" % wait_s if wait_s else JSON)

    def bearer_token(self) -> str:
        """The token of `Authorization: Bearer ...`; refuses TOKEN_MISSING."""
        return bearer_token(self.headers.get(b"authorization"))


HotHandler = Callable[[HotRequest], None]
CALLED_FROM = "hutong.called_from"  # In a request's scope.


def called_from(request: Any) -> str:
    """The address a request counts for (see `RateLimited`); empty for who is on this machine itself."""
    found: str = request.scope.get(CALLED_FROM, "")
    return found


def bearer_token(authorization: bytes | None) -> str:
    """The token of an `Authorization` header (RFC 6750, 2.1); refuses TOKEN_MISSING."""
    if authorization is not None and authorization[:7].lower() == b"bearer ":
        token = authorization[7:].strip()
        if token and token.isascii() and len(token) <= 512:
            return token.decode()
    raise Refusal(HttpReason.TOKEN_MISSING, expected="Authorization: Bearer <token>")


def decode_refusal(error: msgspec.DecodeError) -> Refusal:
    """The refusal that says what msgspec found wrong: FIELD_INVALID with the field's path, or BODY_MALFORMED."""
    text = str(error)
    if isinstance(error, msgspec.ValidationError):
        what, _, where = text.partition(" - at `")
        return Refusal(HttpReason.FIELD_INVALID, field=where.rstrip("`").removeprefix("$.") or "$", problem=what)
    return Refusal(HttpReason.BODY_MALFORMED, problem=text)
