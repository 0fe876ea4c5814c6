"""Asking to be paid at the counter: an amount becomes a code on the screen, or the customer's code is charged."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from litestar.types import ControllerRouterHandler

from hutong.codes.picture import qr_svg
from hutong.institution.merchants.staff_key import Right
from hutong.institution.notices.event import Event, EventBody
from hutong.institution.requests.draft import PAYER_CODE_LENGTH_MAX, RequestDraft
from hutong.institution.requests.reasons import RequestReason
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.runtime.http import HttpReason
from hutong.runtime.shelf import decided, warmed
from hutong.scheme.messages import Channel
from hutong.web.form import Form
from hutong.web.frames import FrameReader
from hutong.web.live import feed_events
from hutong.web.page import HEADERS, AnyRequest
from hutong.web.staff import STAFF
from hutong.web.till.counter import ALL_SHOPS, SHOP_COOKIE, AskedState, Counter, Place, as_json, request_id_in

CODE_LIFETIME_S = 600  # Of a code on the till's screen: a customer stands in front of it.
_NEWS = frozenset({"payment.completed", "refund.completed", "refund.rejected"})
_body = msgspec.json.Decoder(EventBody).decode


class Seen(msgspec.Struct, frozen=True):
    """What a camera's frame showed; empty: no code."""

    code: str = ""


def asking_pages(counter: Counter) -> list[ControllerRouterHandler]:
    """`/till` and what is asked there."""
    return [*_counter(counter), *_asking(counter), *_watching(counter)]


def _counter(counter: Counter) -> list[ControllerRouterHandler]:
    pages = counter.pages

    @get("/till")
    async def till(request: AnyRequest) -> Response[str] | Redirect:
        place = await counter.place(request)
        if place is None:
            return pages.go("/till/shop")
        return pages.render(
            request,
            "till/till.html",
            nav="till",
            place=place,
            merchant=counter.institution.merchants.merchant(place.key.merchant_id),
            may_charge=place.key.has_right(Right.CHARGE),
            position=counter.institution.notices.newest(),
            reference=_reference(counter),
            shops=len(await counter.shops(place.who)),
            workplaces=len(await warmed(counter.node.journal, lambda: counter.institution.staff.workplaces(place.who))),
        )

    @get("/till/shop")
    async def shops(request: AnyRequest) -> Response[str]:
        return pages.render(
            request,
            "till/shop.html",
            shops=[(id_text("shp", shop.id), shop) for shop in await counter.shops(request.auth)],
            chosen=pages.kept(request, SHOP_COOKIE),
            everywhere=ALL_SHOPS,
            may_all=not request.auth.key.shop_id,
        )

    @post("/till/shop", status_code=200)
    async def choose(request: AnyRequest) -> Redirect:
        form = await pages.form(request)
        answer = pages.go("/till")
        pages.keep(request, answer, SHOP_COOKIE, form.needed("shop", length_max=40))
        return answer

    return [till, shops, choose]


def _asking(counter: Counter) -> list[ControllerRouterHandler]:
    pages, requests = counter.pages, counter.institution.requests

    async def answer(request: AnyRequest, state: AskedState) -> Response[Any]:
        if "text/html" not in request.headers.get("accept", ""):
            return as_json(state)
        return pages.go(f"/till/requests/{state.request_id}")

    @post("/till/codes", status_code=200)
    async def show_code(request: AnyRequest) -> Response[Any]:
        """A code for this amount; the same reference again is the same code."""
        form, place = await pages.form(request), await counter.placed(request)
        draft = _draft(form, place, Channel.DYNAMIC_CODE, lifetime_s=CODE_LIFETIME_S)
        asked = await counter.institution.counter.ask(place.key, draft)
        return await answer(request, counter.shown(asked, None, pages.words(request)))

    @post("/till/charges", status_code=200)
    async def charge(request: AnyRequest) -> Response[Any]:
        """Charge the customer's code; the same reference again asks how it stands."""
        form, place = await pages.form(request), await counter.placed(request)
        code = "".join(form.needed("payer_code", length_max=PAYER_CODE_LENGTH_MAX).split())
        draft = _draft(form, place, Channel.PAYMENT_CODE, payer_code=code)
        charged = await counter.institution.counter.charge(place.key, draft)
        return await answer(request, await counter.state(place.key, charged.id, pages.words(request)))

    @get("/till/requests/{request_id:str}")
    async def look(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
        place = await counter.placed(request)
        state = await counter.state(place.key, request_id_in(request_id), pages.words(request))
        if "text/html" not in request.headers.get("accept", ""):
            return as_json(state)
        return pages.render(request, "till/request.html", nav="till", state=state)

    @post("/till/requests/{request_id:str}/cancel", status_code=200)
    async def cancel(request: AnyRequest, request_id: FromPath[str]) -> Response[Any]:
        await pages.form(request)
        place, id_ = await counter.placed(request), request_id_in(request_id)
        await decided(counter.node.journal, lambda: requests.cancel(place.key, id_))
        return await answer(request, await counter.state(place.key, id_, pages.words(request)))

    @get("/till/requests/{request_id:str}/code.svg")
    async def picture(request: AnyRequest, request_id: FromPath[str]) -> Response[bytes]:
        place, id_ = await counter.placed(request), request_id_in(request_id)
        text, _ = await decided(counter.node.journal, lambda: requests.texts(requests.get(place.key, id_)))
        if not text:
            raise Refusal(RequestReason.REQUEST_SHOWS_NO_CODE)
        return Response(qr_svg(text), media_type="image/svg+xml", headers=HEADERS)

    return [show_code, charge, look, cancel, picture]


def _watching(counter: Counter) -> list[ControllerRouterHandler]:
    frames = FrameReader(counter.pages, counter.institution.pool)

    @post("/till/frame", status_code=200)
    async def watch(request: AnyRequest) -> Response[bytes]:
        """The code in a picture of the camera's; the picture is kept nowhere."""
        return as_json(Seen(await frames.code_in(request, request.auth.session.id)))

    return [watch]


def hearing(counter: Counter) -> ControllerRouterHandler:
    """`/till/events`, which a page listens to by itself."""
    staff, journal = counter.institution.staff, counter.node.journal

    @get("/till/events")
    async def events(request: AnyRequest) -> Stream:
        """What the shop receives, as soon as it is durable; from behind `after`, where a page was before."""
        place = await counter.placed(request)
        token = counter.pages.token(request, STAFF)
        after = request.query_params.get("after", "")
        known_as = place.who.member

        async def still() -> None:
            """Signed in yet, and as before: who was placed elsewhere opens the till anew."""
            who = await warmed(journal, lambda: staff.signed_in(token))
            if (who.member.id, who.member.shop_id) != (known_as.id, known_as.shop_id):
                raise Refusal(HttpReason.TOKEN_MISSING)

        def shown(event: Event) -> Mapping[str, Any] | None:
            return _heard(place, event)

        begin = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
        return feed_events(request, counter.institution.notices, place.key.merchant_id, shown, still, begin)

    return events


def _heard(place: Place, event: Event) -> Mapping[str, Any] | None:
    """What this counter hears of the merchant's news: its own shop's."""
    if event.type not in _NEWS:
        return None
    data = _body(event.body).data
    if place.key.shop_id and data.get("shop_id", "") != id_text("shp", place.key.shop_id):
        return None
    return {
        "payment_id": data["payment_id"],
        "request_id": data.get("request_id", ""),
        "amount": data["amount"],
        "payer": data.get("payer_name", ""),
        "at_ms": event.at_ns // NS_PER_MS,
    }


def _draft(
    form: Form, place: Place, channel: Channel, *, payer_code: str = "", lifetime_s: int | None = None
) -> RequestDraft:
    return RequestDraft(
        reference=form.needed("reference", length_max=64),
        amount=form.amount("amount"),
        channel=channel,
        shop_id=place.key.shop_id,
        remark=form.text("remark", length_max=128),
        payer_code=payer_code,
        lifetime_s=lifetime_s,
    )


def _reference(counter: Counter) -> str:
    """Of the next asking, for a page whose script does not run."""
    return f"till-{counter.node.mint.mint():032x}"
