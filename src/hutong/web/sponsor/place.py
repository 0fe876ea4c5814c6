"""What all pages of a sponsor share: who is there, and the page around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from litestar import Response, Router
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.sponsor import Sponsor
from hutong.marketing.campaigns.sponsor_key import SponsorKey
from hutong.marketing.marketing import Marketing
from hutong.runtime.shelf import decided, warmed
from hutong.web.language import phrase
from hutong.web.page import AnyRequest, Pages, Realm, guarded

SPONSOR = Realm("sponsor", "/sponsor/sign-in")
HOME = "/sponsor"
Answer = TypeVar("Answer")
MENU = (("overview", HOME, phrase("Overview")), ("keys", f"{HOME}/keys", phrase("API keys")))


@dataclass(frozen=True, slots=True)
class SponsorPlace:
    """The services behind the pages."""

    marketing: Marketing
    pages: Pages

    def sponsor(self, request: AnyRequest) -> Sponsor:
        """Whose page this is: everything on it is read by this id alone (invariant 8)."""
        key: SponsorKey = request.auth
        return self.marketing.sponsors.sponsor(key.sponsor_id)

    def page(
        self, request: AnyRequest, template: str, nav: str, refusal: Refusal | None = None, **values: Any
    ) -> Response[str]:
        """A page; with a `refusal`, once more and saying why not."""
        key: SponsorKey = request.auth
        around = {"nav": nav, "who": key.name, "sponsor": self.sponsor(request), "menu": MENU, **values}
        return self.pages.shown(request, f"sponsor/{template}", refusal, **around)

    async def act(self, decide: Callable[[], Answer]) -> Answer:
        """Decide, and go on when that is durable."""
        return await decided(self.marketing.node.journal, decide)

    def router(self, handlers: Sequence[ControllerRouterHandler], *, is_act: bool = True) -> Router:
        """Handlers for who is signed in; what an open page asks by itself is no act and keeps no session alive."""
        node, sessions = self.marketing.node, self.marketing.sponsor_sessions

        async def known(request: AnyRequest) -> SponsorKey:
            token = self.pages.token(request, SPONSOR)
            key = await warmed(node.journal, lambda: sessions.key(token, awake=is_act))
            node.journal.seal()
            return key

        return self.pages.router(HOME, handlers, SPONSOR, [guarded(known)])
