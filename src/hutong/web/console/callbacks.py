"""Callbacks: what the merchant's software was told by the gateways, what it answered, and sending one again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.merchants.staff_key import StaffKey
from hutong.kernel.errors import Refusal
from hutong.web.console.place import Console
from hutong.web.form import Form
from hutong.web.language import phrase
from hutong.web.page import AnyRequest

_PAGE = 50
_CURSOR_MAX = 2**53
_STATES = {
    "WAITING": (phrase("To be sent again"), "warn"),
    "TAKEN": (phrase("Delivered"), "good"),
    "GIVEN_UP": (phrase("Given up"), "bad"),
}
_CAUSES = {
    "SCHEDULE": phrase("By schedule"),
    "HAND": phrase("Sent again"),
    "DUPLICATE": phrase("Sent twice on purpose"),
    "PROBE": phrase("Signed wrongly on purpose"),
}
_KINDS = {"PAID": phrase("Paid"), "REFUND": phrase("Refund"), "CLOSED": phrase("Closed")}


@dataclass(frozen=True, slots=True)
class ShownTry:
    """One try, and what came back."""

    cause: str
    at_ns: int
    took_ms: int
    status: int
    note: str
    answer: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Callback:
    """Something the merchant's software was told, or is to be."""

    id: str
    about: str
    kind: str
    state: str
    url: str
    at_ns: int
    next_at_ns: int
    plain: str
    tries: Sequence[ShownTry]


class Callbacks(Protocol):
    """The gateways, as far as a merchant's owner looks into them. Everything refuses what is another's."""

    async def accounts(self, key: StaffKey) -> list[tuple[str, str]]:
        """The merchant's accounts: number and name."""
        ...

    async def page(self, key: StaffKey, number: str, *, before: int, limit: int) -> tuple[list[Callback], int]:
        """What one was told, newest first, and before what there is more; 0: nothing."""
        ...

    async def one(self, key: StaffKey, id_: str) -> Callback:
        """One, whole."""
        ...

    async def resend(self, key: StaffKey, id_: str) -> Callback:
        """Send it again, now."""
        ...


def callback_pages(console: Console, callbacks: Callbacks) -> list[ControllerRouterHandler]:
    """`/console/callbacks...`."""

    @get("/callbacks")
    async def listed(request: AnyRequest) -> Response[str]:
        who: SignedInStaff = request.auth
        accounts = await callbacks.accounts(who.key)
        number = request.query_params.get("number", "") or (accounts[0][0] if accounts else "")
        asked = Form({"before": request.query_params.get("before", "") or "0"}).number("before", most=_CURSOR_MAX)
        found: list[Callback] = []
        before = 0
        if number:
            found, before = await callbacks.page(who.key, number, before=asked or _CURSOR_MAX, limit=_PAGE)
        return await console.page(
            request,
            "callbacks.html",
            "callbacks",
            accounts=accounts,
            number=number,
            found=found,
            states=_STATES,
            kinds=_KINDS,
            older=f"/console/callbacks?number={number}&before={before}" if before else "",
        )

    async def shown(request: AnyRequest, callback: Callback, refusal: Refusal | None = None) -> Response[str]:
        return await console.page(
            request,
            "callback.html",
            "callbacks",
            refusal,
            callback=callback,
            states=_STATES,
            kinds=_KINDS,
            causes=_CAUSES,
        )

    @get("/callbacks/{callback_id:str}")
    async def one(request: AnyRequest, callback_id: FromPath[str]) -> Response[str]:
        return await shown(request, await callbacks.one(request.auth.key, callback_id))

    @post("/callbacks/{callback_id:str}/resend", status_code=200)
    async def resend(request: AnyRequest, callback_id: FromPath[str]) -> Response[str]:
        await console.pages.form(request)
        return await shown(request, await callbacks.resend(request.auth.key, callback_id))

    return [listed, one, resend]
