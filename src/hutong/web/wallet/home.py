"""The wallet's first page: the balance, the ways to pay and be paid, what happened last."""

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.institution.payments.history import Search
from hutong.institution.people.user import Tier
from hutong.runtime.shelf import decided, warmed
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.bills import entry_lines
from hutong.web.wallet.door import WALLET, signed_in_user, wallet_guard
from hutong.web.wallet.red_packets import Waiting, nothing_waits

_LATEST = 5


def home_pages(
    institution: InstitutionNode, pages: Pages, waiting: Waiting = nothing_waits
) -> list[ControllerRouterHandler]:
    """`/wallet`, and signing out. `waiting` knows of red packets that are to be opened."""
    people, journal = institution.people, institution.node.journal

    @get("/wallet")
    async def home(request: AnyRequest) -> Response[str]:
        user = await signed_in_user(institution, request)
        has_pin = await warmed(journal, lambda: people.pins.is_set(user.id))
        balance, held = await institution.payments.statements.balance(user.wallet_account)
        latest = await institution.payments.history.page(user.wallet_account, Search(), limit=_LATEST)
        return pages.render(
            request,
            "wallet/home.html",
            nav="home",
            user=user,
            has_pin=has_pin,
            balance=balance,
            held=held,
            tier=Tier(user.tier).name,
            waiting=await waiting(user.id),
            lines=entry_lines(latest.entries, pages.words(request)),
        )

    @post("/wallet/sign-out", status_code=200)
    async def sign_out(request: AnyRequest) -> Response[None]:
        await pages.form(request)
        await decided(journal, lambda: people.devices.sign_out(request.auth))
        return pages.signed_out(request, WALLET, WALLET.sign_in)

    guard = wallet_guard(institution, pages)
    return [pages.router("/", [home, sign_out], WALLET, [guard])]
