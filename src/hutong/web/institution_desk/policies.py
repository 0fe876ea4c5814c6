"""Limits and policies: every version with the days it is in force, its tables, and what they say to one question."""

from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from hutong.institution.people.user import Tier
from hutong.institution.policy.decision_table import DecisionTable
from hutong.institution.policy.policy import COUNTERS, Policy
from hutong.kernel.errors import Refusal
from hutong.runtime.http import HttpReason
from hutong.scheme.messages import Channel
from hutong.web.form import Form
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.institution_desk.wordings import (
    CHANNELS,
    POLICY_FIELDS,
    POLICY_TABLES,
    POLICY_VALUES,
    RECALL_REASONS,
    TIERS,
)
from hutong.web.language import Words
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "policies"
_MONEY = frozenset({"annual", "daily", "pin_free", "fee_min"})
_NO_BOUND = "null"
# A thousand million yuan without a PIN: the table says so where a consent was given before.
_NO_PIN = 100_000_000_000


def policy_pages(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    """`/desk/policies`."""
    policies = parts.institution.policies

    @get()
    async def show(request: AnyRequest) -> Response[str]:
        form, words = Form(dict(request.query_params)), desk.pages.words(request)
        versions = policies.everything()
        now, _, _ = policies.today(desk.node.clock.now_ns())
        wanted = form.text("version") or now.version
        chosen = [(policy, until) for policy, until in versions if policy.version == wanted]
        if not chosen:
            raise Refusal(HttpReason.ROUTE_UNKNOWN)
        policy, until = chosen[0]
        asked = _asked(form)
        return desk.render(
            request,
            "institution_desk/policies.html",
            NAV,
            versions=versions,
            policy=policy,
            until=until,
            now=now,
            tables=[_told(words, table) for table in policy.tables],
            asked=asked,
            answer=_answer(words, policy, *asked) if asked else (),
            channels={channel.value: CHANNELS[channel.value] for channel in Channel},
            tiers=TIERS,
        )

    return desk.router(f"{HOME}/policies", [show])


def _asked(form: Form) -> tuple[Channel, Tier, bool] | None:
    """What is tried; None: nothing. Refuses FIELD_INVALID."""
    channel = form.text("channel")
    if not channel:
        return None
    if channel not in {each.value for each in Channel}:
        raise Refusal(HttpReason.FIELD_INVALID, field="channel", problem="no such kind of code")
    return Channel(channel), Tier(form.number("tier", least=min(Tier), most=max(Tier))), form.ticked("verified")


def _answer(words: Words, policy: Policy, channel: Channel, tier: Tier, verified: bool) -> list[tuple[str, str]]:  # noqa: FBT001  # As asked.
    limits, fee = policy.limits(channel, tier, verified=verified), policy.merchant_fee(channel, merchant=True)
    pairs = [
        ("pin_free", str(limits.pin_free)),
        ("counter", COUNTERS[limits.counter]),
        ("daily", _NO_BOUND if limits.daily is None else str(limits.daily)),
        ("annual", _NO_BOUND if limits.annual is None else str(limits.annual)),
        ("rounding", fee.rounding),
    ]
    return [(words(POLICY_FIELDS[field]), _value(words, field, value)) for field, value in pairs]


def _told(words: Words, table: DecisionTable) -> dict[str, Any]:
    """A table in the reader's words."""
    return {
        "name": words(POLICY_TABLES[table.key]),
        "inputs": [words(POLICY_FIELDS[column.field]) for column in table.inputs],
        "outputs": [words(POLICY_FIELDS[column.field]) for column in table.outputs],
        "rows": [
            (
                [
                    [_value(words, column.field, value) for value in values]
                    for column, values in zip(table.inputs, row.conditions, strict=True)
                ],
                [_value(words, column.field, value) for column, value in zip(table.outputs, row.results, strict=True)],
                row.why,
            )
            for row in table.rows
        ],
    }


def _value(words: Words, field: str, value: str) -> str:
    """One value: an amount, a name, a number."""
    if field in _MONEY and value != _NO_BOUND:
        return words(POLICY_VALUES[_NO_BOUND]) if int(value) >= _NO_PIN else words.money(int(value))
    if field == "channel":
        return words(CHANNELS[value])
    if field == "reason":
        return words(RECALL_REASONS[value])
    if field == "tier":
        return TIERS[int(value)]
    return words(POLICY_VALUES[value]) if value in POLICY_VALUES else value
