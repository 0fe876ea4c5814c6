"""`hutong stuck` and `hutong payment ID --everywhere`: what is undecided, whose turn it is, and what became of it."""

import re
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from hutong.app.network import SWITCH
from hutong.app.node_client import NodeClient, NodeRefused, NodeSilent
from hutong.cli.connection import NOWHERE, At, operating, settings
from hutong.cli.credentials import CredentialsReason
from hutong.cli.output import AsJson, money, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, instant
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.scheme.standing import in_order

_SPAN = re.compile(r"(\d{1,9})(s|m|h|d)?")
_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class StuckReason(Reason):
    """Why a command does not know what is meant."""

    SPAN_MALFORMED = Kind.INVALID, "NARR"
    PAYMENT_KNOWN_NOWHERE = Kind.NOT_FOUND, "NOOR"


async def stuck(
    act: Annotated[
        Literal["list", "nudge"], Parameter(help="list, or nudge: have them asked about again now.")
    ] = "list",
    payment_id: Annotated[str, Parameter(help="The one to nudge; none: whatever is older.")] = "",
    /,
    *,
    older: Annotated[str, Parameter(help="Of this age at least, as 60s, 5m, 2h.")] = "60s",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """What has been undecided for a while at a node, by default the switch: its age, whose turn it is, what is to be done."""
    older_ms = _ms(older)
    async with operating(at) as client:
        if act == "nudge":
            answer = await client.post(f"{_base(at.node)}/stuck/nudge", {"id": payment_id, "older_ms": older_ms})
            if json:
                show_json(answer)
            else:
                stdout.print(f"Asked again about {len(answer['nudged'])}: {' '.join(answer['nudged']) or 'nothing'}")
            return
        found = await client.get(f"{_base(at.node)}/stuck", older_ms=older_ms)
    if json:
        show_json(found)
        return
    if not found:
        stdout.print(f"Nothing at {at.node or SWITCH} has been undecided for {older}.")
        return
    rows = [
        (
            each["id"],
            each["kind"].lower(),
            money(each["amount"], each["currency"]),
            _age(each["age_ms"]),
            each["state"],
            each["owner"],
            each["why"],
        )
        for each in found
    ]
    show_rows("", ("id", "", "amount", "age", "here", "whose turn", "to do"), rows, numbers=("amount", "age"))


async def story(payment_id: str, *, as_json: bool) -> None:
    """What every node whose operator's token is here wrote down of a payment, in order of time."""
    moments: list[dict[str, Any]] = []
    unheard: list[str] = []
    for node in settings().ports:
        try:
            async with operating(At(node=node)) as client:
                moments += await _story(client, node, payment_id)
        except Refusal as refusal:
            if not isinstance(refusal.reason, CredentialsReason):
                raise
            unheard.append(f"{node} (no operator's token here)")
        except NodeSilent:
            unheard.append(f"{node} (silent)")
    if not moments:
        raise Refusal(StuckReason.PAYMENT_KNOWN_NOWHERE, payment=payment_id, not_asked=", ".join(unheard))
    moments.sort(key=lambda moment: in_order(moment["at_ms"], moment["state"]))
    if as_json:
        show_json({"moments": moments, "not_asked": unheard})
        return
    rows = [
        (f"{instant(each['at_ms'] * NS_PER_MS):%H:%M:%S.%f}"[:-3], each["node"], each["state"], each["note"])
        for each in moments
    ]
    show_rows(f"{payment_id}, UTC", ("at", "node", "state", ""), rows)
    if unheard:
        stdout.print(f"Not asked: {', '.join(unheard)}")


async def _story(client: NodeClient, node: str, payment_id: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = await client.get(f"{_base(node)}/stories/{payment_id}")
    except NodeRefused as refused:
        if refused.reason != "PAYMENT_UNKNOWN":
            raise
        return []
    return found


def _base(node: str) -> str:
    return "/v1" if (node or SWITCH) == SWITCH else "/v1/operator"


def _ms(span: str) -> int:
    """Refuses SPAN_MALFORMED."""
    spelled = _SPAN.fullmatch(span)
    if spelled is None:
        raise Refusal(StuckReason.SPAN_MALFORMED, given=span, say="60s, 5m, 2h")
    return int(spelled[1]) * _MS[spelled[2] or "s"]


def _age(ms: int) -> str:
    seconds = ms // 1000
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
