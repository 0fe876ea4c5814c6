"""
Every page of a node: how it is rendered, what protects it, and how a browser is known.

A page runs only our own scripts and styles, is kept by nobody, and stands in nobody's frame. A browser has a visit (a
random cookie) from its first page on; what a form sends must carry the token that belongs to it, so no other site can
send one. Who signed in is a second cookie, one for each realm: a wallet, a merchant's staff, a node's operators. Cookies
are shared by all ports of a host, so their names end in the node's.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Request, Response, Router
from litestar.datastructures import Cookie, UploadFile
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler, Guard

from hutong.kernel.errors import KernelReason, Reason, Refusal
from hutong.kernel.ids import Randomness
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.marketing.coupons.reasons import CouponReason
from hutong.runtime.http import HttpReason, problem, status_of
from hutong.web.assets import asset_path
from hutong.web.brand import Brand
from hutong.web.form import Form, FormReason
from hutong.web.language import COOKIE, LANGUAGES, Words, language_of, words
from hutong.web.sandbox import Sandbox

# What these say of a field is not which: the page does.
_OF_ANY_FIELD = frozenset(
    {
        FormReason.AMOUNT_OUT_OF_BOUNDS,
        FormReason.FIELD_EMPTY,
        FormReason.NUMBER_OUT_OF_RANGE,
        HttpReason.FIELD_INVALID,
        KernelReason.AMOUNT_MALFORMED,
        CampaignReason.CAMPAIGN_TERMS_UNSOUND,
        CouponReason.COUPON_TERMS_UNSOUND,
    }
)
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "vary": "accept-language, cookie",
}
_VISIT_BYTES = 16
_VISIT_LIFE_S = 400 * 86_400
UPLOAD_MAX = 12 << 20

AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Realm:
    """A kind of people who sign in, and where they do."""

    name: str
    sign_in: str


class _Templates(Environment):
    """As Jinja's, but `row.keys` of a dictionary is what it holds under that name before it is the method."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return obj[attribute] if isinstance(obj, dict) and attribute in obj else super().getattr(obj, attribute)


class Pages:
    """What all pages of one node share."""

    def __init__(
        self, brand: Brand, key: bytes, randomness: Randomness, zone: ZoneInfo, sandbox: Sandbox | None = None
    ) -> None:
        self.brand = brand
        self.zone = zone
        self.sandbox = sandbox  # None in a production network: nothing of it is reachable then.
        self._key = key
        self._randomness = randomness
        self._templates = _Templates(
            loader=PackageLoader("hutong.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {"brand": brand, "asset": asset_path, "languages": LANGUAGES, "sandbox": sandbox}

    # What a page says.

    def words(self, request: AnyRequest) -> Words:
        """The reader's language: as chosen, else as the browser asks."""
        return words(language_of(request.headers.get("accept-language", ""), request.cookies.get(COOKIE)))

    def render(self, request: AnyRequest, template: str, *, status: int = 200, **values: Any) -> Response[str]:
        """A page: `templates/<template>` with `values`, and what every page knows."""
        said = self.words(request)
        visit, cookies = self._visit(request)
        page = self._templates.get_template(template).render(
            {
                "_": said,
                "language": said.language,
                "money": said.money,
                "time": partial(said.time, zone=self.zone),
                "day": said.day,
                "csrf": self._token(visit),
                "path": request.url.path,
                "here": _here(request),
                "who": None,
                "nav": "",
                **values,
            }
        )
        return Response(page, status_code=status, media_type=MediaType.HTML, headers=HEADERS, cookies=cookies)

    def again(self, request: AnyRequest, template: str, refusal: Refusal, **values: Any) -> Response[str]:
        """The page with the form once more, saying why not."""
        told = self.wrong(request, refusal)
        return self.render(request, template, status=status_of(refusal.reason), **told, **values)

    def wrong(self, request: AnyRequest, refusal: Refusal) -> dict[str, Any]:
        """A no as a page says it: `error`, the `field` it names, and whether the page `says_where` that is."""
        field = str(refusal.facts.get("field", ""))
        says_where = refusal.reason in _OF_ANY_FIELD
        return {"error": self.words(request).refusal(refusal), "field": field, "says_where": says_where}

    def shown(self, request: AnyRequest, template: str, refusal: Refusal | None, **values: Any) -> Response[str]:
        """The page; after a refusal, once more and saying why not."""
        if refusal is None:
            return self.render(request, template, **values)
        return self.again(request, template, refusal, **values)

    def go(self, path: str) -> Redirect:
        """On to another page, behind a form: loading that again sends nothing again."""
        return Redirect(path, status_code=303, headers={"cache-control": "no-store"})

    # What a form sends.

    async def form(self, request: AnyRequest) -> Form:
        """The fields of a form of ours. Refuses FORM_EXPIRED, unless it is from a page that this browser was shown."""
        sent = await request.form()
        fields = {name: value for name, value in sent.items() if isinstance(value, str)}
        self.check_sender(request, fields.get("csrf", ""))
        return Form(fields)

    async def upload(self, request: AnyRequest, name: str) -> bytes:
        """A file of a form that `form` was asked for. Refuses FIELD_EMPTY, BODY_TOO_LARGE."""
        found = (await request.form()).get(name)
        content = await found.read() if isinstance(found, UploadFile) else b""
        if not content:
            raise Refusal(FormReason.FIELD_EMPTY, field=name)
        if len(content) > UPLOAD_MAX:
            raise Refusal(HttpReason.BODY_TOO_LARGE)
        return content

    async def uploads(self, request: AnyRequest, name: str) -> list[bytes]:
        """The files that were chosen for one field of such a form; none, if none were. Refuses BODY_TOO_LARGE."""
        sent = (await request.form()).getall(name, [])
        found = [await each.read() for each in sent if isinstance(each, UploadFile)]
        if any(len(content) > UPLOAD_MAX for content in found):
            raise Refusal(HttpReason.BODY_TOO_LARGE, field=name)
        return [content for content in found if content]

    def check_sender(self, request: AnyRequest, token: str = "") -> None:
        """Refuses FORM_EXPIRED, unless a page of ours sends this: by the form's `csrf`, or a script's `x-csrf`."""
        given = (token or request.headers.get("x-csrf", "")).encode()
        visit = request.cookies.get(self._cookie_name("visit"), "")
        elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}
        if elsewhere or not visit or not hmac.compare_digest(given, self._token(visit).encode()):
            raise Refusal(FormReason.FORM_EXPIRED)

    # Who a browser is.

    def token(self, request: AnyRequest, realm: Realm) -> str:
        """What was kept when somebody signed in here. Refuses TOKEN_MISSING."""
        token = request.cookies.get(self._cookie_name(realm.name), "")
        if not token:
            raise Refusal(HttpReason.TOKEN_MISSING)
        return token

    def signed_in(self, request: AnyRequest, realm: Realm, token: str, life_s: int, path: str) -> Redirect:
        """Keep who signed in, in a visit of its own, and go on to `path`."""
        answer = self.go(path)
        visit = self._randomness.randbytes(_VISIT_BYTES).hex()
        answer.set_cookie(self._cookie(request, "visit", visit, _VISIT_LIFE_S))
        answer.set_cookie(self._cookie(request, realm.name, token, life_s))
        return answer

    def signed_out(self, request: AnyRequest, realm: Realm, path: str) -> Redirect:
        """Forget who signed in."""
        answer = self.go(path)
        answer.set_cookie(self._cookie(request, realm.name, "", 0))
        return answer

    def kept(self, request: AnyRequest, name: str) -> str:
        """A cookie of ours that says nothing of who signed in; empty where there is none."""
        return request.cookies.get(self._cookie_name(name), "")

    def keep(self, request: AnyRequest, response: Response[Any], name: str, value: str) -> None:
        """Keep something for this browser, for as long as browsers do."""
        response.set_cookie(self._cookie(request, name, value, _VISIT_LIFE_S))

    def router(
        self, path: str, handlers: Sequence[ControllerRouterHandler], realm: Realm | None, guards: Sequence[Guard] = ()
    ) -> Router:
        """Handlers as pages: what they refuse is a page, too, or the way to sign in."""

        def refused(request: AnyRequest, error: Exception) -> Response[Any]:  # No partial: Litestar copies handlers.
            return self._refused(realm, request, error)

        return Router(
            path,
            route_handlers=list(handlers),
            guards=list(guards),
            include_in_schema=False,
            exception_handlers={HTTPException: refused, Exception: refused},
        )

    def _refused(self, realm: Realm | None, request: AnyRequest, error: Exception) -> Response[Any]:
        refusal = error if isinstance(error, Refusal) else _of_litestar(error)
        if "text/html" not in request.headers.get("accept", "text/html"):
            status, body = problem(refusal or error)
            if refusal is not None:  # Scripts show people what happened, too: in their language.
                body = msgspec.json.encode(msgspec.json.decode(body) | {"said": self.words(request).refusal(refusal)})
            return Response(body, status_code=status, media_type=MediaType.JSON, headers=HEADERS)
        _ = self.words(request)
        if refusal is None:
            status = problem(error)[0]
            text = _("We don't know yet what became of this. Look again in a moment.")
            if status == 500:
                text = _("Something went wrong on our side. Nothing is known about the outcome.")
            return self.render(request, "kit/refused.html", status=status, text=text, reason="")
        status = status_of(refusal.reason)
        if status == 401 and realm is not None:
            return self.go(f"{realm.sign_in}?next={quote(_here(request))}")
        text = _.refusal(refusal)
        return self.render(request, "kit/refused.html", status=status, text=text, reason=refusal.reason.name)

    def _visit(self, request: AnyRequest) -> tuple[str, list[Cookie]]:
        visit = request.cookies.get(self._cookie_name("visit"), "")
        if len(visit) == 2 * _VISIT_BYTES:
            return visit, []
        visit = self._randomness.randbytes(_VISIT_BYTES).hex()
        return visit, [self._cookie(request, "visit", visit, _VISIT_LIFE_S)]

    def _token(self, visit: str) -> str:
        return hmac.digest(self._key, b"csrf/" + visit.encode(), "sha256").hex()[:32]

    def _cookie_name(self, name: str) -> str:
        return f"{name}-{self.brand.node}"

    def _cookie(self, request: AnyRequest, name: str, value: str, life_s: int) -> Cookie:
        secure = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
        return Cookie(
            key=self._cookie_name(name),
            value=value,
            max_age=life_s,
            httponly=True,
            secure=secure,
            samesite="lax",
            path="/",
        )


def own_path(path: str, otherwise: str) -> str:
    """A path of this node that a link may lead on to; `otherwise` for what is none, so that nobody is sent elsewhere."""
    split = urlsplit(path)
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not split.netloc and path.isprintable()
    return path if is_ours else otherwise


def guarded(known: Callable[[AnyRequest], Awaitable[Any]]) -> Guard:
    """A guard that lets in whom `known` finds; they are then `request.auth`."""

    async def guard(connection: Any, _: Any) -> None:
        connection.scope["auth"] = await known(connection)

    return guard


def _here(request: AnyRequest) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def _of_litestar(error: Exception) -> Refusal | None:
    if not isinstance(error, HTTPException) or error.status_code >= 500:
        return None
    reasons: Mapping[int, Reason] = {
        404: HttpReason.ROUTE_UNKNOWN,
        405: HttpReason.METHOD_NOT_ALLOWED,
        413: HttpReason.BODY_TOO_LARGE,
    }
    return Refusal(reasons.get(error.status_code, HttpReason.REQUEST_MALFORMED))
