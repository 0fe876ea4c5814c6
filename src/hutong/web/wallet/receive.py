"""Being paid: a code of one's own, for any amount or for one, with a note; and the money as it arrives."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from markupsafe import Markup

from hutong.codes.picture import QUIET_ZONE, qr_png, qr_symbol
from hutong.institution.node import InstitutionNode
from hutong.institution.people.personal_code import REMARK_LENGTH_MAX, PersonalCode
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.views import PERSONAL_CODE_PREFIX
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive, id_text, parse_id
from hutong.runtime.shelf import decided, warmed
from hutong.web.page import HEADERS, AnyRequest, Pages
from hutong.web.wallet.door import WALLET, signed_in_user, wallet_guard

_TEMPLATE = "wallet/receive.html"
_PICTURE_SCALE = 12


class _Receiving:
    """What the handlers share."""

    def __init__(self, institution: InstitutionNode, pages: Pages) -> None:
        self.institution = institution
        self.pages = pages
        self.codes = institution.people.codes
        self.journal = institution.node.journal

    async def active(self, user_id: int) -> list[PersonalCode]:
        """The user's codes that money comes by; who never had one gets one, always the same."""
        found = await warmed(self.journal, lambda: self.codes.personal_codes(user_id))
        if not found:
            make = partial(self.codes.make_personal_code, user_id, derive(user_id, "first code"))
            found = [await decided(self.journal, make)]
        return [code for code in found if code.active]

    async def page(
        self, request: AnyRequest, chosen: str, refusal: Refusal | None = None, **typed: str
    ) -> Response[str]:
        user = await signed_in_user(self.institution, request)
        mine = await self.active(user.id)
        shown = _chosen(mine, chosen)
        text = self.codes.plate_text(shown) if shown is not None else ""
        values: dict[str, Any] = {
            "nav": "receive",
            "user": user,
            "code": shown,
            "code_id": _id_of(shown),
            "text": text,
            "picture": _picture(text) if text else "",
            "codes": [(_id_of(code), code) for code in reversed(mine)],
            "new_id": id_text(PERSONAL_CODE_PREFIX, self.institution.node.mint.mint()),
            "remark_max": REMARK_LENGTH_MAX,
            "typed": {"amount": "", "remark": ""} | typed,
        }
        return self.pages.shown(request, _TEMPLATE, refusal, **values)


def receive_pages(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    """`/wallet/receive` and what is below it."""
    receiving = _Receiving(institution, pages)
    codes, journal = receiving.codes, receiving.journal

    @get("/wallet/receive")
    async def receive(request: AnyRequest) -> Response[str]:
        return await receiving.page(request, request.query_params.get("code", ""))

    @post("/wallet/receive", status_code=200)
    async def make(request: AnyRequest) -> Response[str]:
        form = await pages.form(request)
        amount = remark = ""
        try:
            remark, amount = form.text("remark"), form.text("amount")
            code_id = parse_id(PERSONAL_CODE_PREFIX, form.needed("code_id", length_max=40))
            user_id, fen = request.auth.user_id, form.amount("amount")
            decide = partial(codes.make_personal_code, user_id, code_id, amount=fen, remark=remark)
            code = await decided(journal, decide)
        except Refusal as refusal:
            return await receiving.page(request, "", refusal, amount=amount, remark=remark)
        return pages.go(f"/wallet/receive?code={_id_of(code)}")

    @post("/wallet/receive/{code_id:str}/deactivate", status_code=200)
    async def deactivate(request: AnyRequest, code_id: FromPath[str]) -> Response[str]:
        await pages.form(request)
        id_ = parse_id(PERSONAL_CODE_PREFIX, code_id)
        await decided(journal, lambda: codes.deactivate_personal_code(request.auth.user_id, id_))
        return pages.go("/wallet/receive")

    @get("/wallet/receive/{code_id:str}/picture.png")
    async def picture(request: AnyRequest, code_id: FromPath[str]) -> Response[bytes]:
        for code in await receiving.active(request.auth.user_id):
            if _id_of(code) == code_id:
                headers = HEADERS | {"content-disposition": f'attachment; filename="{code.plate}.png"'}
                png = qr_png(codes.plate_text(code), scale=_PICTURE_SCALE)
                return Response(png, media_type="image/png", headers=headers)
        raise Refusal(PeopleReason.PERSONAL_CODE_UNKNOWN)

    handlers = [receive, make, deactivate, picture]
    return [pages.router("/", handlers, WALLET, [wallet_guard(institution, pages)])]


def _chosen(mine: list[PersonalCode], chosen: str) -> PersonalCode | None:
    """The code that was asked for; else one that leaves the amount to the payer; else the newest."""
    if not mine:
        return None
    asked = [code for code in mine if _id_of(code) == chosen]
    plain = [code for code in mine if not code.amount and not code.remark]
    return (asked or plain or mine[-1:])[0]


def _id_of(code: PersonalCode | None) -> str:
    return id_text(PERSONAL_CODE_PREFIX, code.id) if code is not None else ""


def _picture(text: str) -> Markup:
    """The picture as an element of the page, as large as the page wants it."""
    return Markup(qr_symbol(text).svg_inline(border=QUIET_ZONE, light="white", omitsize=True))  # noqa: S704  # Our own.
