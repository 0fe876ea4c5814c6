"""Webhooks: where events are sent, what became of each attempt, and sending one again."""

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.notices.delivery import Outcome
from hutong.institution.notices.event import ID_PREFIX as EVENT_PREFIX
from hutong.institution.notices.webhook import ID_PREFIX as WEBHOOK_PREFIX
from hutong.institution.notices.webhook import URL_LENGTH_MAX, EndpointState
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.http import HttpReason
from hutong.web.console.place import Console
from hutong.web.form import Form
from hutong.web.language import phrase
from hutong.web.page import AnyRequest

_PAGE = 50
_STATES = {
    EndpointState.ACTIVE.value: (phrase("On"), "good"),
    EndpointState.DISABLED.value: (phrase("Off"), "warn"),
}
_OUTCOMES = {
    Outcome.DELIVERED.value: (phrase("Delivered"), "good"),
    Outcome.FAILED.value: (phrase("Failed"), "bad"),
    Outcome.SKIPPED.value: (phrase("Not asked for"), ""),
    Outcome.ENABLED.value: (phrase("Turned on"), ""),
    Outcome.REDELIVERED.value: (phrase("Sent again"), "good"),
    Outcome.REDELIVERY_FAILED.value: (phrase("Sent again, failed"), "bad"),
}
_ACTS = {"enable": EndpointState.ACTIVE, "disable": EndpointState.DISABLED, "remove": EndpointState.REMOVED}


def webhook_pages(console: Console) -> list[ControllerRouterHandler]:
    """`/console/webhooks...`."""
    return [*_endpoints(console), *_deliveries(console)]


def _endpoints(console: Console) -> list[ControllerRouterHandler]:
    webhooks = console.institution.webhooks

    async def shown(
        request: AnyRequest, typed: dict[str, str] | None = None, refusal: Refusal | None = None
    ) -> Response[str]:
        who: SignedInStaff = request.auth
        endpoints = await console.look(lambda: webhooks.endpoints(who.key.merchant_id))
        return await console.page(
            request,
            "webhooks.html",
            "webhooks",
            refusal,
            endpoints=endpoints,
            states=_STATES,
            webhook_text=_webhook_text,
            typed=typed or {"url": "", "types": ""},
            new_id=_webhook_text(console.institution.node.mint.mint()),
            url_max=URL_LENGTH_MAX,
        )

    @get("/webhooks")
    async def listed(request: AnyRequest) -> Response[str]:
        return await shown(request)

    @post("/webhooks", status_code=200)
    async def make(request: AnyRequest) -> Response[str]:
        form = await console.pages.form(request)
        typed = {name: form.text(name) for name in ("url", "types")}
        try:
            id_ = parse_id(WEBHOOK_PREFIX, form.needed("id", length_max=40))
            merchant_id, types = request.auth.key.merchant_id, typed["types"].replace(",", " ").split()
            await console.act(lambda: webhooks.make(merchant_id, id_, typed["url"], types))
        except Refusal as refusal:
            return await shown(request, typed, refusal)
        return console.pages.go(f"/console/webhooks/{_webhook_text(id_)}")

    @post("/webhooks/{webhook_id:str}/turn", status_code=200)
    async def turn(request: AnyRequest, webhook_id: FromPath[str]) -> Response[None]:
        act = (await console.pages.form(request)).text("act", length_max=20)
        id_ = parse_id(WEBHOOK_PREFIX, webhook_id)
        if act not in _ACTS:
            raise Refusal(HttpReason.ROUTE_UNKNOWN)
        merchant_id = request.auth.key.merchant_id
        await console.act(lambda: webhooks.turn(merchant_id, id_, _ACTS[act], "by the merchant"))
        return console.pages.go("/console/webhooks" if act == "remove" else f"/console/webhooks/{webhook_id}")

    return [listed, make, turn]


def _deliveries(console: Console) -> list[ControllerRouterHandler]:
    webhooks, deliveries = console.institution.webhooks, console.institution.deliveries

    async def shown(
        request: AnyRequest, id_: int, refusal: Refusal | None = None, *, secret: str = "", done: str = ""
    ) -> Response[str]:
        merchant_id = request.auth.key.merchant_id
        endpoint = await console.look(lambda: webhooks.endpoint(merchant_id, id_))
        before = Form({"before": request.query_params.get("before", "") or "0"}).number("before", most=2**53)
        found = await webhooks.deliveries(merchant_id, id_, before=before or 2**53, limit=_PAGE)
        older = f"/console/webhooks/{_webhook_text(id_)}?before={found[-1][0]}" if len(found) == _PAGE else ""
        return await console.page(
            request,
            "webhook.html",
            "webhooks",
            refusal,
            endpoint=endpoint,
            states=_STATES,
            webhook_text=_webhook_text,
            event_text=_event_text,
            deliveries=[each for _, each in found],
            outcomes=_OUTCOMES,
            older=older,
            secret=secret,
            done=done,
        )

    @get("/webhooks/{webhook_id:str}")
    async def one(request: AnyRequest, webhook_id: FromPath[str]) -> Response[str]:
        return await shown(request, parse_id(WEBHOOK_PREFIX, webhook_id))

    @post("/webhooks/{webhook_id:str}/secret", status_code=200)
    async def secret(request: AnyRequest, webhook_id: FromPath[str]) -> Response[str]:
        """What signs; with `rotate`, another from now on."""
        form = await console.pages.form(request)
        id_, merchant_id = parse_id(WEBHOOK_PREFIX, webhook_id), request.auth.key.merchant_id
        try:
            if form.ticked("rotate"):
                await console.act(lambda: webhooks.rotate(merchant_id, id_))
            found = await console.act(lambda: webhooks.secret(merchant_id, id_))
        except Refusal as refusal:
            return await shown(request, id_, refusal)
        return await shown(request, id_, secret=found)

    @post("/webhooks/{webhook_id:str}/resend", status_code=200)
    async def resend(request: AnyRequest, webhook_id: FromPath[str]) -> Response[str]:
        form = await console.pages.form(request)
        id_ = parse_id(WEBHOOK_PREFIX, webhook_id)
        _ = console.pages.words(request)
        try:
            event_id = parse_id(EVENT_PREFIX, form.needed("event", length_max=40))
            row = await deliveries.redeliver(request.auth.key.merchant_id, id_, event_id)
        except Refusal as refusal:
            return await shown(request, id_, refusal)
        return await shown(request, id_, done=_(_OUTCOMES[row.outcome][0]) + f" ({row.status or '–'})")

    return [one, secret, resend]


def _webhook_text(webhook_id: int) -> str:
    return id_text(WEBHOOK_PREFIX, webhook_id)


def _event_text(event_id: int) -> str:
    return id_text(EVENT_PREFIX, event_id) if event_id else ""
