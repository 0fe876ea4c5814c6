"""`hutong application`: merchants that applied to an institution, as its operator; always with --node."""

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, At, operating
from hutong.cli.output import AsJson, show_facts, show_json, show_rows
from hutong.kernel.clock import NS_PER_MS, instant

ApplicationId = Annotated[str, Parameter(help="An application: apl_…")]
_PATH = "/v1/operator/merchant-applications"


async def list_(
    *,
    only: Annotated[Literal["APPLIED", "APPROVED", "DECLINED"], Parameter(help="Which.")] = "APPLIED",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Merchants that applied, oldest first: those nobody has decided about, unless others are asked for."""
    async with operating(at) as client:
        found = await client.get(f"{_PATH}?only={only}")
    if json:
        show_json(found)
        return
    rows = [(each["application_id"], each["name"], each["city"], each["mcc"], _time(each)) for each in found]
    show_rows("", ("id", "name", "city", "mcc", "applied"), rows)


async def approve(
    application_id: ApplicationId,
    /,
    *,
    fee_bps: Annotated[int, Parameter(help="Of every payment, in basis points.")],
    reference: Annotated[str, Parameter(help="Your own number for it; default: the application's.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Take a merchant on that applied."""
    async with operating(at) as client:
        body = {"fee_bps": fee_bps, "reference": reference}
        _show(await client.post(f"{_PATH}/{application_id}/approve", body), as_json=json)


async def decline(
    application_id: ApplicationId,
    /,
    *,
    why: Annotated[str, Parameter(help="The applicant is shown it.")],
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Don't take a merchant on, saying why."""
    async with operating(at) as client:
        _show(await client.post(f"{_PATH}/{application_id}/decline", {"why": why}), as_json=json)


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    told = ("application_id", "state", "legal_name", "licence", "merchant_id", "why", "decided_by")
    show_facts(found["name"], [(name.replace("_", " "), found[name]) for name in told if found[name]])


def _time(found: dict[str, Any]) -> str:
    at = instant(found["applied_at_ms"] * NS_PER_MS)
    return at.astimezone().isoformat(sep=" ", timespec="minutes")
