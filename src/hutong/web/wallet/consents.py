"""What merchants ask of a person beforehand: to take money without asking each time, or to hold some until it is known how much."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.holds.hold import Hold
from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import decided, warmed
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.door import WALLET, wallet_guard

_ELSEWHERE = "/wallet/agreements/elsewhere"
_HOLDS = "/wallet/holds"
_LINK_MAX = 300


class Consent(Protocol):
    """One thing that is asked."""

    @property
    def id(self) -> str: ...
    @property
    def payment_id(self) -> int:
        """With `amount` and `creditor`, what the PIN token of a yes is bound to."""
        ...

    @property
    def creditor(self) -> str: ...
    @property
    def merchant(self) -> str: ...
    @property
    def about(self) -> str:
        """What it is for, as the merchant says it."""
        ...

    @property
    def amount(self) -> int: ...
    @property
    def is_daily(self) -> bool:
        """So much a day, without asking; else so much is held, once."""
        ...

    @property
    def is_open(self) -> bool: ...
    @property
    def is_in_force(self) -> bool: ...
    @property
    def can_end(self) -> bool: ...
    @property
    def back(self) -> str:
        """What leads back to who asked, behind a yes; empty: nothing does."""
        ...

    @property
    def at_ns(self) -> int: ...
    @property
    def institution(self) -> str:
        """Whose merchant asks, as a node; empty: one of this institution's."""
        ...

    @property
    def taken(self) -> int:
        """Of what a merchant elsewhere holds: how much was paid of it; and how much is left, and why nothing is."""
        ...

    @property
    def left(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def by_code(self) -> bool:
        """The person's payment code was scanned for it, and the till waits."""
        ...


class Consents(Protocol):
    """All of them. Everything may raise `Cold` before it appends anything, and refuses what is not the person's."""

    def of(self, user_id: int, /) -> Sequence[Consent]: ...

    def one(self, user_id: int, id_: str, /) -> Consent: ...

    def hold(self, hold: Hold, /) -> Consent:
        """What a merchant elsewhere asks to hold, also of who only looks at its link yet."""
        ...

    def agree(self, user_id: int, id_: str, pin_token: str, /) -> None: ...

    def end(self, user_id: int, id_: str, /) -> None: ...

    async def elsewhere(self, link: str, /) -> Consent:
        """What a link of another institution's asks for."""
        ...

    async def agree_elsewhere(self, user_id: int, link: str, pin_token: str, /) -> Consent: ...


def consents_pages(
    institution: InstitutionNode, pages: Pages, names: Mapping[str, str], consents: Consents
) -> list[ControllerRouterHandler]:
    """`/wallet/agreements` and everything below it. `names` are those of all institutions, by node."""
    handlers = [
        *_here(institution, pages, consents),
        *_holds(institution, pages, consents),
        *_elsewhere(institution, pages, names, consents),
    ]
    return [pages.router("/", handlers, WALLET, [wallet_guard(institution, pages)])]


def holds_path(link: str) -> str:
    """Where a scanned link of another institution's merchant is shown that asks to hold money."""
    return f"{_HOLDS}?{urlencode({'link': link})}"


def elsewhere_path(link: str) -> str:
    """Where a scanned link of another institution's agreement is shown."""
    return f"{_ELSEWHERE}?{urlencode({'link': link})}"


def _here(institution: InstitutionNode, pages: Pages, consents: Consents) -> list[ControllerRouterHandler]:
    journal, people = institution.node.journal, institution.people

    @get("/wallet/agreements")
    async def show(request: AnyRequest) -> Response[str]:
        found = await warmed(journal, lambda: consents.of(request.auth.user_id))
        return pages.render(request, "wallet/agreements.html", nav="settings", consents=found)

    async def page(request: AnyRequest, consent_id: str, refusal: Refusal | None = None) -> Response[str]:
        consent = await warmed(journal, lambda: consents.one(request.auth.user_id, consent_id))
        why = pages.words(request).reason
        return pages.shown(request, "wallet/agreement.html", refusal, nav="settings", consent=consent, link="", why=why)

    @get("/wallet/agreements/{consent_id:str}")
    async def ask(request: AnyRequest, consent_id: FromPath[str]) -> Response[str]:
        return await page(request, consent_id)

    @post("/wallet/agreements/{consent_id:str}/agree", status_code=200)
    async def agree(request: AnyRequest, consent_id: FromPath[str]) -> Response[Any]:
        form, user_id = await pages.form(request), request.auth.user_id
        try:
            consent = await warmed(journal, lambda: consents.one(request.auth.user_id, consent_id))
            token = await people.pin_token(
                user_id, form.text("pin", length_max=12), consent.payment_id, consent.amount, consent.creditor
            )
            await decided(journal, lambda: consents.agree(user_id, consent_id, token))
        except Refusal as refusal:
            return await page(request, consent_id, refusal)
        return pages.go(consent.back or f"/wallet/agreements/{consent_id}")

    @post("/wallet/agreements/{consent_id:str}/end", status_code=200)
    async def end(request: AnyRequest, consent_id: FromPath[str]) -> Response[Any]:
        await pages.form(request)
        try:
            await decided(journal, lambda: consents.end(request.auth.user_id, consent_id))
        except Refusal as refusal:
            return await page(request, consent_id, refusal)
        return pages.go("/wallet/agreements")

    return [show, ask, agree, end]


def _holds(institution: InstitutionNode, pages: Pages, consents: Consents) -> list[ControllerRouterHandler]:
    """A merchant's link elsewhere that asks to hold money. Who opens it looks; asked, here, is who says yes."""
    journal, people, desk = institution.node.journal, institution.people, institution.holds

    def shown(request: AnyRequest, hold: Hold, link: str, refusal: Refusal | None = None) -> Response[str]:
        values = {"consent": consents.hold(hold), "link": link, "why": pages.words(request).reason}
        return pages.shown(request, "wallet/agreement.html", refusal, nav="settings", **values)

    @get(_HOLDS)
    async def look(request: AnyRequest) -> Response[Any]:
        user_id, link = request.auth.user_id, request.query_params.get("link", "")[:_LINK_MAX]
        try:
            asked = await desk.read(link)
            hold, is_asked = await warmed(journal, lambda: desk.holds.shown(user_id, asked))
        except Refusal as refusal:
            return pages.shown(request, "wallet/scan.html", refusal, nav="scan", code="")
        return pages.go(f"/wallet/agreements/{hold.text}") if is_asked else shown(request, hold, link)

    @post(_HOLDS, status_code=200)
    async def agree(request: AnyRequest) -> Response[Any]:
        form, user_id = await pages.form(request), request.auth.user_id
        link, pin = form.text("link", length_max=_LINK_MAX), form.text("pin", length_max=12)
        hold = None
        try:
            asked = await desk.read(link)
            hold, _ = await warmed(journal, lambda: desk.holds.shown(user_id, asked))
            id_, amount, text = hold.id, hold.amount, hold.text
            token = await people.pin_token(user_id, pin, id_, amount, text)
            await decided(journal, lambda: desk.holds.opened(user_id, asked))
            await decided(journal, lambda: desk.holds.agree(user_id, id_, token))
        except Refusal as refusal:
            if hold is None:
                return pages.shown(request, "wallet/scan.html", refusal, nav="scan", code="")
            return shown(request, hold, link, refusal)
        return pages.go(f"/wallet/agreements/{text}")

    return [look, agree]


def _elsewhere(
    institution: InstitutionNode, pages: Pages, names: Mapping[str, str], consents: Consents
) -> list[ControllerRouterHandler]:
    people = institution.people

    def shown(request: AnyRequest, consent: Consent | None, link: str, refusal: Refusal | None = None) -> Response[str]:
        values = {"nav": "settings", "consent": consent, "link": link, "names": names}
        return pages.shown(request, "wallet/agreement_elsewhere.html", refusal, **values)

    @get(_ELSEWHERE)
    async def ask(request: AnyRequest) -> Response[str]:
        link = request.query_params.get("link", "")[:_LINK_MAX]
        try:
            return shown(request, await consents.elsewhere(link), link)
        except Refusal as refusal:
            return shown(request, None, link, refusal)

    @post(_ELSEWHERE, status_code=200)
    async def agree(request: AnyRequest) -> Response[str]:
        form, user_id = await pages.form(request), request.auth.user_id
        link, pin = form.text("link", length_max=_LINK_MAX), form.text("pin", length_max=12)
        consent = None
        try:
            consent = await consents.elsewhere(link)
            token = await people.pin_token(user_id, pin, consent.payment_id, consent.amount, consent.creditor)
            return shown(request, await consents.agree_elsewhere(user_id, link, token), link)
        except Refusal as refusal:
            return shown(request, consent, link, refusal)

    return [ask, agree]
