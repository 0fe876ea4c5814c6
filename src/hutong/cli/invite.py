"""`hutong invite`: rewards for inviting, as an institution's operator; always with --node."""

from typing import Annotated, Any

from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, At, operating
from hutong.cli.output import AsJson, money, show_facts, show_json, show_rows
from hutong.kernel.clock import NS_PER_MS, instant
from hutong.kernel.errors import Kind, Reason, Refusal

_PATH = "/v1/operator/invitations"


class InviteReason(Reason):
    """Why nobody was asked about an invitation."""

    VERDICT_NEEDS_ONE_OF = Kind.INVALID, "NARR"
    CAMPAIGN_OR_REFERRAL_NEEDED = Kind.INVALID, "NARR"


async def show(
    what: Annotated[str, Parameter(help="A campaign (cmp_…): its figures; or a referral (rfl_…).")],
    /,
    *,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """What inviting came to in a campaign; or one referral with the signals around it."""
    kind = what.partition("_")[0]
    if kind not in {"cmp", "rfl"}:
        raise Refusal(InviteReason.CAMPAIGN_OR_REFERRAL_NEEDED, say="cmp_… or rfl_…")
    async with operating(at) as client:
        found = await client.get(f"{_PATH}/campaigns/{what}" if kind == "cmp" else f"{_PATH}/{what}")
    if json:
        show_json(found)
    elif kind == "cmp":
        _show_figures(found)
    else:
        _show_referral(found)


async def held(
    *,
    campaign: Annotated[str, Parameter(help="Of this campaign alone.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Appeals that wait for an answer, oldest first, and rewards on hold, those due first."""
    asked = {"campaign_id": campaign} if campaign else {}
    async with operating(at) as client:
        appeals = await client.get(f"{_PATH}/appeals", **asked)
        found = await client.get(f"{_PATH}/held", **asked)
    if json:
        show_json({"appeals": appeals, "held": found})
        return
    rows = [
        (
            each["referral_id"],
            each["state"],
            money(each["held"]),
            f"{each['score']}/{each['refuse_at']}",
            ", ".join(signal["name"] for signal in each["signals"]),
            _time(each["appealed_at_ms"] or each["due_at_ms"]),
        )
        for each in [*appeals, *found]
    ]
    show_rows("", ("id", "state", "held", "weight", "signals", "due (UTC)"), rows, numbers=("held", "weight"))


async def decide(
    referral: Annotated[str, Parameter(help="A referral whose refusal is appealed: rfl_…")],
    /,
    *,
    grant: Annotated[bool, Parameter(negative="", help="Pay it.")] = False,
    uphold: Annotated[bool, Parameter(negative="", help="The refusal stands.")] = False,
    remark: Annotated[str, Parameter(help="Why; the inviter is shown it.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Answer an appeal. Where two people are needed: hutong approval propose invitation.grant REFERRAL."""
    if grant == uphold:
        raise Refusal(InviteReason.VERDICT_NEEDS_ONE_OF, say="--grant or --uphold")
    verdict = "grant" if grant else "uphold"
    async with operating(at) as client:
        found = await client.post(f"{_PATH}/{referral}/{verdict}", {"remark": remark})
    if json:
        show_json(found)
    else:
        _show_referral(found)


def _show_figures(found: dict[str, Any]) -> None:
    facts = [("who invites", str(found["inviters"])), ("friends", str(found["friends"]))]
    facts += [(state.lower(), str(count)) for state, count in found["states"].items()]
    facts += [(f"refused: {reason}", str(count)) for reason, count in found["reasons"].items()]
    facts += [(name.replace("_", " "), money(found[name])) for name in ("held", "paid", "cost_per_friend")]
    show_facts(found["name"], facts)


def _show_referral(found: dict[str, Any]) -> None:
    told = ("state", "inviter_id", "friend_id", "payment_id", "reason", "appeal", "decided_by", "remark")
    facts = [(name.replace("_", " "), str(found[name])) for name in told if found[name]]
    facts += [(name, money(found[name])) for name in ("paid", "held", "reward")]
    facts.append(("weight", f"{found['score']} of {found['refuse_at']}"))
    facts += [
        (f"  {each['name']} {each['weight']}", ", ".join(f"{name}={fact}" for name, fact in each["facts"].items()))
        for each in found["signals"]
    ]
    show_facts(found["referral_id"], facts)


def _time(at_ms: int) -> str:
    return f"{instant(at_ms * NS_PER_MS):%Y-%m-%d %H:%M}"
