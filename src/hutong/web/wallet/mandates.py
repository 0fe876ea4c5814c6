"""Mandates: at the bank, what lets a wallet elsewhere take so much a day from the account here."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.shelf import decided, warmed
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.door import WALLET, wallet_guard

_PREFIX = "mdt"
_GRANT_PREFIX = "gra"


def mandates_pages(
    institution: InstitutionNode, pages: Pages, names: Mapping[str, str]
) -> list[ControllerRouterHandler]:
    """`/wallet/mandates`. `names` are those of all institutions, by node."""
    mandates, node = institution.payments.mandates, institution.node

    async def page(request: AnyRequest, refusal: Refusal | None = None, **sent: str) -> Response[str]:
        granted = await warmed(node.journal, lambda: mandates.mandates(request.auth.user_id))
        grant_id = id_text(_GRANT_PREFIX, node.mint.mint())
        values: dict[str, Any] = {"grantee": "", "daily_max": "", "name": "", "id": grant_id, "text": ""} | sent
        values |= {
            "nav": "settings",
            "names": names,
            "wallets": {id_: name for id_, name in names.items() if id_ != node.node_id},
            "granted": [(id_text(_PREFIX, each.id), each) for each in granted if not each.revoked_ns],
        }
        return pages.shown(request, "wallet/mandates.html", refusal, **values)

    @get("/wallet/mandates")
    async def show(request: AnyRequest) -> Response[str]:
        return await page(request)

    @post("/wallet/mandates", status_code=200)
    async def grant(request: AnyRequest) -> Response[Any]:
        """The text is shown here and nowhere else; loading this again shows it again."""
        form = await pages.form(request)
        sent = {name: form.text(name, length_max=70) for name in ("grantee", "daily_max", "name", "id")}
        try:
            daily_max, user_id = form.amount("daily_max"), request.auth.user_id
            _, text = await decided(
                node.journal, lambda: mandates.grant(user_id, sent["grantee"], daily_max, sent["name"], sent["id"])
            )
        except Refusal as refusal:
            return await page(request, refusal, **sent)
        return await page(request, text=text)

    @post("/wallet/mandates/{mandate_id:str}/revoke", status_code=200)
    async def revoke(request: AnyRequest, mandate_id: FromPath[str]) -> Response[Any]:
        await pages.form(request)
        id_ = parse_id(_PREFIX, mandate_id)
        await decided(node.journal, lambda: mandates.revoke(request.auth.user_id, id_))
        return pages.go("/wallet/mandates")

    return [pages.router("/", [show, grant, revoke], WALLET, [wallet_guard(institution, pages)])]
