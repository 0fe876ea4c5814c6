"""One sponsor: what came into its budget and went out of it, and the keys that it signs in with."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX
from hutong.marketing.campaigns.sponsor import SPONSOR_PREFIX, SponsorKind
from hutong.marketing.campaigns.sponsor_key import KEY_PREFIX, NAME_LENGTH_MAX
from hutong.marketing.marketing import Marketing
from hutong.web.form import Form
from hutong.web.institution_desk.campaign_editor import NAV
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest
from hutong.web.shared_campaign import MOVEMENTS, cursor_of

_PATH = f"{HOME}/campaigns/sponsors"
_MOVEMENTS = 50
SPONSOR_KINDS = {
    SponsorKind.INSTITUTION.value: phrase("Institution"),
    SponsorKind.MERCHANT.value: phrase("Merchant"),
    SponsorKind.SERVICE_PROVIDER.value: phrase("Service provider"),
    SponsorKind.SWITCH.value: phrase("Switch"),
    SponsorKind.OUTSIDE.value: phrase("From outside"),
}


def sponsor_pages(desk: Desk, marketing: Marketing) -> list[ControllerRouterHandler]:
    """`/desk/campaigns/sponsors/{id}`, and its keys."""
    keys = marketing.sponsor_keys

    async def shown(request: AnyRequest, id_: int, refusal: Refusal | None = None, token: str = "") -> Response[str]:
        sponsor = marketing.sponsors.sponsor(id_)
        before = cursor_of(request)
        return desk.shown(
            request,
            "institution_desk/sponsor.html",
            NAV,
            refusal,
            id=id_text(SPONSOR_PREFIX, id_),
            sponsor=sponsor,
            kind=SPONSOR_KINDS[sponsor.kind],
            balance=await marketing.sponsors.balance(id_),
            moved=await marketing.campaign_edge.movements(id_, before, _MOVEMENTS),
            earlier=before is not None,
            kinds_moved=MOVEMENTS,
            names={id_text(CAMPAIGN_PREFIX, each.id): each.name for each in marketing.campaigns.everything()},
            keys=[(id_text(KEY_PREFIX, each.id), each) for each in keys.of_sponsor(id_)],
            new_key=id_text(KEY_PREFIX, desk.node.mint.mint()),  # In the form: sent twice, it is one key.
            token=token,
        )

    @get("/sponsors/{sponsor_id:str}")
    async def show(request: AnyRequest, sponsor_id: FromPath[str]) -> Response[str]:
        return await shown(request, parse_id(SPONSOR_PREFIX, sponsor_id))

    @post("/sponsors/{sponsor_id:str}/keys")
    async def issue(request: AnyRequest, sponsor_id: FromPath[str]) -> Response[Any]:
        form: Form = await desk.pages.form(request)
        id_ = parse_id(SPONSOR_PREFIX, sponsor_id)
        try:
            name = form.needed("name", length_max=NAME_LENGTH_MAX)
            _, token = await desk.answer(partial(keys.issue, id_, name, form.needed("key_id", length_max=40)))
        except Refusal as refusal:
            return await shown(request, id_, refusal)
        return await shown(request, id_, token=token)

    @post("/sponsors/{sponsor_id:str}/keys/{key_id:str}")
    async def revoke(request: AnyRequest, sponsor_id: FromPath[str], key_id: FromPath[str]) -> Response[Any]:
        await desk.pages.form(request)
        id_ = parse_id(SPONSOR_PREFIX, sponsor_id)
        try:
            await desk.answer(partial(keys.revoke, id_, parse_id(KEY_PREFIX, key_id)))
        except Refusal as refusal:
            return await shown(request, id_, refusal)
        return desk.pages.go(f"{_PATH}/{sponsor_id}")

    return [show, issue, revoke]
