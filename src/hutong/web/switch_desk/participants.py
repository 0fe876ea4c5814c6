"""Participants: who takes part, with what keys and code forms; taking one in, suspending it, taking it back."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.money import currency_of
from hutong.switch.approval_service import ADMIT, RESUME, SUSPEND
from hutong.switch.lifecycle.api import life
from hutong.switch.lifecycle.application import PublicHex
from hutong.switch.lifecycle.service import KEY_FOR_EVER_NS
from hutong.switch.lifecycle.stage import Stage
from hutong.switch.lifecycle.views import keys_of
from hutong.switch.node import SwitchNode
from hutong.switch.reason import SwitchReason
from hutong.switch.views import KeyId
from hutong.web.desk.approvals import propose
from hutong.web.form import Form
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest
from hutong.web.switch_desk.overview import gauge

NAV = "participants"
_PATH = f"{HOME}/participants"
_NEVER_MS = KEY_FOR_EVER_NS // NS_PER_MS
STAGES = {
    Stage.APPLIED: (phrase("Has applied"), "warn"),
    Stage.CERTIFIED: (phrase("Certified"), "warn"),
    Stage.REJECTED: (phrase("Rejected"), "bad"),
    Stage.WITHDRAWN: (phrase("Withdrawn"), ""),
    Stage.ACTIVE: (phrase("Takes part"), "good"),
    Stage.SUSPENDED: (phrase("Suspended"), "bad"),
    Stage.LEAVING: (phrase("Leaving"), "warn"),
    Stage.LEFT: (phrase("Has left"), ""),
}
_STEPS = {"suspend": SUSPEND, "resume": RESUME}


def participant_pages(desk: Desk, switch: SwitchNode) -> ControllerRouterHandler:
    """`/desk/participants`, and each one's page below it."""

    @get()
    async def show_all(request: AnyRequest) -> Response[str]:
        return await _everybody(desk, switch, request)

    @post()
    async def admit(request: AnyRequest) -> Response[Any]:
        form = await desk.pages.form(request)
        facts = {"name": form.text("name"), "url": form.text("url")}
        try:
            return await propose(desk, request, form, ADMIT, form.needed("node", length_max=64), facts)
        except Refusal as refusal:
            return await _everybody(desk, switch, request, refusal)

    @get("/{node:str}")
    async def show(request: AnyRequest, node: FromPath[str]) -> Response[str]:
        return await _one(desk, switch, request, node)

    @post("/{node:str}/{step:str}")
    async def act(request: AnyRequest, node: FromPath[str], step: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        try:
            if step in _STEPS:
                return await propose(desk, request, form, _STEPS[step], node, {})
            await desk.answer(_change(desk, switch, node, step, form, request.auth.name))
        except Refusal as refusal:
            return await _one(desk, switch, request, node, refusal)
        return desk.pages.go(f"{_PATH}/{node}")

    return desk.router(_PATH, [show_all, admit, show, act])


async def _everybody(
    desk: Desk, switch: SwitchNode, request: AnyRequest, refusal: Refusal | None = None
) -> Response[str]:
    said = desk.pages.words(request)
    rows = []
    now_ms = switch.node.clock.now_ns() // NS_PER_MS
    for each in switch.admission.participants():
        keys = keys_of(switch, each.node_id)
        rows.append(
            {
                "participant": each,
                "stage": STAGES[Stage(each.status)],
                "keys": sum(not key.pending and key.valid_from_ms <= now_ms < key.valid_until_ms for key in keys),
                "pending": sum(key.pending for key in keys),
                "forms": sum(form.active and form.node_id == each.node_id for form in switch.admission.forms()),
            }
        )
    admitted = {each.node_id for each in switch.admission.participants()}
    applicants = [row for row in switch.lifecycle.applications() if row.node_id not in admitted]
    values: dict[str, Any] = {
        "rows": rows,
        "applicants": [
            (row.read(), STAGES[switch.admission.stage(row.node_id) or Stage.APPLIED]) for row in applicants
        ],
        "said": said,
    }
    return desk.shown(request, "switch_desk/participants.html", NAV, refusal, **values)


async def _one(
    desk: Desk, switch: SwitchNode, request: AnyRequest, node: str, refusal: Refusal | None = None
) -> Response[str]:
    about = await life(switch, node)
    stage = Stage(about.stage)
    known = next((each for each in switch.admission.participants() if each.node_id == node), None)
    gauges = []
    if known is not None:
        currencies = sorted(switch.clearing.currencies)
        gauges = [gauge(await switch.positions.position(node, currency_of(alpha)), alpha) for alpha in currencies]
    values: dict[str, Any] = {
        "life": about,
        "node": node,
        "title": known.name if known else about.application.name if about.application else node,
        "participant": known,
        "stage": STAGES[stage],
        "stages": {each.value: said for each, said in STAGES.items()},
        "gauges": gauges,
        "now_ms": switch.node.clock.now_ns() // NS_PER_MS,
        "never_ms": _NEVER_MS,
        "per_ms": NS_PER_MS,
        "forms": [form for form in switch.admission.forms() if form.node_id == node and form.active],
        "can_suspend": stage is Stage.ACTIVE,
        "can_resume": stage is Stage.SUSPENDED,
    }
    return desk.shown(request, "switch_desk/participant.html", NAV, refusal, **values)


def _change(desk: Desk, switch: SwitchNode, node: str, step: str, form: Form, by: str) -> Callable[[], Any]:
    """What one operator does alone: keys go through two pairs of hands by their fingerprint, code forms by consent."""
    key_id = form.text("key_id", length_max=64)
    alone = not desk.operators.others_than(by)
    match step:
        case "key":
            _check("key_id", key_id, KeyId)
            public_key = _check("public_key", form.needed("public_key", length_max=64), PublicHex)
            from_ns = switch.node.clock.now_ns()
            days = form.number("days", least=1, most=36_500) if form.text("days") else 0
            until_ns = from_ns + days * NS_PER_DAY if days else KEY_FOR_EVER_NS
            key = bytes.fromhex(public_key)
            return lambda: switch.lifecycle.register_key(node, key_id, key, from_ns, until_ns, by=by, alone=alone)
        case "confirm":
            said = form.needed("fingerprint", length_max=200)
            return lambda: switch.lifecycle.confirm_key(node, key_id, said, by=by, alone=alone)
        case "retire":
            return lambda: _retire(switch, node, key_id)
        case "form":
            text, consented = form.needed("form", length_max=512), by if form.ticked("consent") else ""
            return lambda: switch.admission.register_form(node, text, consented_by=consented)
        case "withdraw":
            text = form.needed("form", length_max=512)
            return lambda: switch.admission.withdraw_form(node, text)
        case _:
            raise Refusal(SwitchReason.FIELD_INVALID, field="step", problem="unknown")


def _retire(switch: SwitchNode, node: str, key_id: str) -> None:
    if switch.lifecycle.drop_key(node, key_id):
        return
    keys = switch.admission.keys()
    if all((key.key_id, key.node_id) != (key_id, node) for key in keys):
        raise Refusal(SwitchReason.KEY_UNKNOWN, key_id=key_id)
    switch.admission.retire_key(key_id)


def _check(field: str, text: str, type_: Any) -> str:
    try:
        return str(msgspec.convert(text, type_))
    except msgspec.ValidationError as error:
        raise Refusal(SwitchReason.FIELD_INVALID, field=field, problem=str(error)) from None
