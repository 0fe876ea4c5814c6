"""Signing in as a sponsor with a key, and out again. The browser keeps a session, never the key."""

from litestar import Response, get, post
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.reasons import MerchantReason
from hutong.kernel.errors import Refusal
from hutong.operators.session import LIFE_S
from hutong.runtime.http import status_of
from hutong.web.language import phrase
from hutong.web.page import AnyRequest, own_path
from hutong.web.sponsor.place import HOME, SPONSOR, SponsorPlace

_TOKEN_MAX = 200
_NO_KEY = phrase("This is no key of a sponsor's. Copy it whole, as the institution gave it to you.")


def door_pages(place: SponsorPlace) -> ControllerRouterHandler:
    """`/sponsor/sign-in`, `/sponsor/sign-out`: open to everybody, each a form of ours."""
    pages, sessions = place.pages, place.marketing.sponsor_sessions

    def shown(request: AnyRequest, path: str, refusal: Refusal | None = None) -> Response[str]:
        return pages.shown(request, "sponsor/sign_in.html", refusal, next=own_path(path, HOME))

    @get("/sign-in", sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str]:
        return shown(request, request.query_params.get("next", ""))

    @post("/sign-in", status_code=200)
    async def sign_in(request: AnyRequest) -> Response[str] | Redirect:
        form = await pages.form(request)
        path = form.text("next")
        try:
            token = form.needed("token", length_max=_TOKEN_MAX)
            session = await place.act(lambda: sessions.begin(token))
        except Refusal as refusal:
            if (
                refusal.reason is MerchantReason.KEY_NOT_ACCEPTED
            ):  # Elsewhere it says who is to sign in: here they are about to.
                error = pages.words(request)(_NO_KEY)
                values = {"error": error, "field": "token", "says_where": False, "next": own_path(path, HOME)}
                return pages.render(request, "sponsor/sign_in.html", status=status_of(refusal.reason), **values)
            return shown(request, path, refusal)
        await leave(request)
        return pages.signed_in(request, SPONSOR, session, LIFE_S, own_path(path, HOME))

    @post("/sign-out", status_code=200)
    async def sign_out(request: AnyRequest) -> Redirect:
        await pages.form(request)
        await leave(request)
        return pages.signed_out(request, SPONSOR, SPONSOR.sign_in)

    async def leave(request: AnyRequest) -> None:
        """Whoever was signed in here before is no longer."""
        token = pages.kept(request, SPONSOR.name)
        if token:
            await place.act(lambda: sessions.end(token))

    return pages.router(HOME, [show, sign_in, sign_out], None)
