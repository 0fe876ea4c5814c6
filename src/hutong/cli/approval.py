"""`hutong approval`: what takes two operators: proposed by one, decided by another. By default at the switch; `--node`."""

from typing import Annotated, Any

from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, At, operating
from hutong.cli.output import AsJson, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.operators.approval import PREFIX

Remark = Annotated[str, Parameter(help="What the proposer and the record are told.")]


async def list_(*, everything: bool = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """What waits for a decision; with `--everything` what was decided, too."""
    async with operating(at) as client:
        known = await client.get("/v1/approvals", waiting="false" if everything else "true")
    if json:
        show_json(known)
        return
    rows = [
        (
            each["approval_id"],
            each["state"],
            each["kind"],
            each["subject"],
            _facts(each),
            each["proposed_by"],
            _until(each),
        )
        for each in known
    ]
    show_rows("", ("id", "state", "what", "of whom", "facts", "proposed by", "until (UTC)"), rows)


async def propose_(  # As the API has it.
    kind: Annotated[str, Parameter(help="Such as participant.suspend or cap.change: docs/operate.md has them all.")],
    subject: Annotated[str, Parameter(help="A node, a window, a case: as the kind has it.")],
    /,
    *,
    reason: str,
    fact: Annotated[tuple[str, ...], Parameter(help="NAME=VALUE, once or more; numbers are minor units.")] = (),
    approval_id: str = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Propose something for another operator to decide."""
    facts: dict[str, str | int] = {}
    for each in fact:
        name, _, value = each.partition("=")
        facts[name] = int(value) if value.isdigit() and value.isascii() else value
    id_ = approval_id or id_text(PREFIX, IdMint(SystemClock(), system_randomness()).mint())
    body = {"approval_id": id_, "kind": kind, "subject": subject, "reason": reason, "facts": facts}
    async with operating(at) as client:
        _show(await client.post("/v1/approvals", body), as_json=json)


async def approve_(approval_id: str, /, *, remark: Remark = "", at: At = NOWHERE, json: AsJson = False) -> None:
    """Have it done, now."""
    async with operating(at) as client:
        _show(await client.post(f"/v1/approvals/{approval_id}/approve", {"remark": remark}), as_json=json)


async def decline_(approval_id: str, /, *, remark: Remark = "", at: At = NOWHERE, json: AsJson = False) -> None:
    """Say no to it; one's own is withdrawn."""
    async with operating(at) as client:
        _show(await client.post(f"/v1/approvals/{approval_id}/decline", {"remark": remark}), as_json=json)


def _show(approval: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(approval)
        return
    outcome = f" ({approval['outcome']})" if approval["outcome"] else ""
    stdout.print(
        f"{approval['approval_id']}: {approval['kind']} of {approval['subject']} is {approval['state']}{outcome}."
    )
    if approval["state"] == "PROPOSED":
        stdout.print(
            f"Another operator than {approval['proposed_by']}: hutong approval approve {approval['approval_id']}"
        )


def _facts(approval: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in approval["facts"].items() if value is not None)


def _until(approval: dict[str, Any]) -> str:
    return f"{instant(approval['expires_at_ms'] * NS_PER_MS):%Y-%m-%d %H:%M}"
