"""Money that merchants send, transfers and red packets: it waits until it is taken, declined, or lapses."""

from collections.abc import Sequence
from typing import Any, Protocol

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.shelf import warmed
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.door import WALLET, wallet_guard

_PREFIX = "ptr"


class Sent(Protocol):
    """One that waits."""

    @property
    def id(self) -> int: ...
    @property
    def merchant_id(self) -> int: ...
    @property
    def amount(self) -> int: ...
    @property
    def remark(self) -> str: ...
    @property
    def expires_ns(self) -> int: ...


class Sending(Protocol):
    """What merchants send to people; refuses what is not the person's."""

    async def waiting(self, user_id: int, /) -> Sequence[Sent]: ...

    async def take(self, user_id: int, transfer_id: int, /) -> Any: ...

    async def decline(self, user_id: int, transfer_id: int, /) -> Any: ...


def transfers_pages(institution: InstitutionNode, pages: Pages, sending: Sending) -> list[ControllerRouterHandler]:
    """`/wallet/transfers` and everything below it."""
    journal, merchants = institution.node.journal, institution.merchants

    async def page(request: AnyRequest, refusal: Refusal | None = None) -> Response[str]:
        found = await sending.waiting(request.auth.user_id)
        names = await warmed(journal, lambda: [merchants.merchant(each.merchant_id).name for each in found])
        sent = [(id_text(_PREFIX, each.id), name, each) for name, each in zip(names, found, strict=True)]
        return pages.shown(request, "wallet/transfers.html", refusal, nav="home", sent=sent)

    @get("/wallet/transfers")
    async def show(request: AnyRequest) -> Response[str]:
        return await page(request)

    @post("/wallet/transfers/{transfer_id:str}/take", status_code=200)
    async def take(request: AnyRequest, transfer_id: FromPath[str]) -> Response[Any]:
        await pages.form(request)
        try:
            await sending.take(request.auth.user_id, parse_id(_PREFIX, transfer_id))
        except Refusal as refusal:
            return await page(request, refusal)
        return pages.go("/wallet")

    @post("/wallet/transfers/{transfer_id:str}/decline", status_code=200)
    async def decline(request: AnyRequest, transfer_id: FromPath[str]) -> Response[Any]:
        await pages.form(request)
        try:
            await sending.decline(request.auth.user_id, parse_id(_PREFIX, transfer_id))
        except Refusal as refusal:
            return await page(request, refusal)
        return pages.go("/wallet/transfers")

    return [pages.router("/", [show, take, decline], WALLET, [wallet_guard(institution, pages)])]
