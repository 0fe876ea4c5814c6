"""`hutong participant apply … depart`: a participant's life, at the applicant's side and at the switch's operator's."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, At, operating, settings
from hutong.cli.output import AsJson, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import system_randomness
from hutong.kernel.money import Currency, parse_amount
from hutong.scheme.messages import VERSION

_DAY_S = 86_400
_MARKS = {True: "[green]✓[/]", False: "[red]·[/]"}


class LifecycleFileReason(Reason):
    """Why a file of a participant's life can't be used."""

    FILE_UNREADABLE = Kind.INVALID, "NARR"
    APPLICATION_MALFORMED = Kind.INVALID, "NARR"
    REPORT_HAS_NO_CERTIFICATE = Kind.INVALID, "NARR"
    WAIVER_MALFORMED = Kind.INVALID, "NARR"


def apply_(  # What an applicant has to say.
    node: str,
    name: Annotated[str, Parameter(help="As other people's users see it.")],
    /,
    *,
    out: Annotated[Path, Parameter(help="The file to give to the scheme's operator.")],
    address: Annotated[str, Parameter(help="Where the node takes messages: a URL.")],
    legal_name: Annotated[str, Parameter(help="The legal entity's name.")],
    registration: Annotated[str, Parameter(help="Its registration number (统一社会信用代码).")],
    country: Annotated[str, Parameter(help="Its country, ISO 3166-1.")] = "CN",
    legal_address: Annotated[str, Parameter(help="Its registered address.")],
    contact: Annotated[str, Parameter(help="Whom to call.")],
    email: Annotated[str, Parameter(help="Their e-mail address.")],
    phone: Annotated[str, Parameter(help="Their telephone: a fingerprint is read over it.")] = "",
    form: Annotated[tuple[str, ...], Parameter(help="A code form it wants; once for each.", negative="")] = (),
    participant: Annotated[str, Parameter(help="Whose node it is; default: its own.")] = "",
    switch: Annotated[str, Parameter(help="The switch's node id.")] = "switch",
    json: AsJson = False,
) -> None:
    """Write an application, signed with the node's newest key of this machine; its secrets are made if there are none."""
    from hutong.app.secrets import node_secrets
    from hutong.switch.lifecycle.application import Application, sign
    from hutong.switch.lifecycle.key import fingerprint

    ours, now_ns = settings(), SystemClock().now_ns()
    key = node_secrets(ours.data_directory, node, system_randomness(), ours.secrets_key).signing_keys[-1]
    public_key = key.secret().public().public_key
    said = {
        "switch": switch,
        "node": node,
        "participant": participant or node,
        "name": name,
        "legal_entity": {
            "name": legal_name,
            "registration_id": registration,
            "country": country,
            "address": legal_address,
        },
        "contact": {"name": contact, "email": email, "phone": phone},
        "url": address,
        "forms": form,
        "key": {"key_id": key.key_id, "public_key": public_key.hex()},
        "protocol_version": VERSION,
        "made_at_ms": now_ns // NS_PER_MS,
    }
    try:
        application = msgspec.convert(said, Application)
    except msgspec.ValidationError as error:
        raise Refusal(LifecycleFileReason.APPLICATION_MALFORMED, said=str(error)) from None
    out.write_bytes(msgspec.json.format(msgspec.json.encode(sign(application, key.seed)), indent=2) + b"\n")
    if json:
        show_json({"file": str(out), "key_id": key.key_id, "fingerprint": fingerprint(public_key)})
        return
    stdout.print(f"{out}: give it to the operator of {switch}, and when they call, read them this:")
    stdout.print(f"  {key.key_id}  {fingerprint(public_key)}", highlight=False)


async def take_application_(file: Path, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Take in an applicant's file, as the switch's operator."""
    async with operating(at) as client:
        _tell(await client.post("/v1/applications", _read(file)), as_json=json)


async def applications_(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """Who has applied, and how far each is."""
    async with operating(at) as client:
        known = await client.get("/v1/applications")
    if json:
        show_json(known)
        return
    rows = [(each["node"], each["name"], each["stage"], each["url"], each["taken_by"]) for each in known]
    show_rows("", ("node", "name", "stage", "url", "taken in by"), rows)


async def certify_(
    node: str,
    report: Annotated[Path, Parameter(help="The kit's report: hutong conform --report report.json.")],
    /,
    *,
    waive: Annotated[
        tuple[str, ...], Parameter(help="A case that need not be proven, as PD-CRASH=why.", negative="")
    ] = (),
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Attach what the conformance kit found of an applicant, or of a participant anew."""
    told = _read(report)
    if not isinstance(told, dict) or "certificate" not in told:
        raise Refusal(LifecycleFileReason.REPORT_HAS_NO_CERTIFICATE, file=report, say="hutong conform --report x.json")
    waived = {}
    for each in waive:
        case, _, why = each.partition("=")
        if not why:
            raise Refusal(LifecycleFileReason.WAIVER_MALFORMED, waive=each, say="as PD-CRASH=why")
        waived[case] = why
    async with operating(at) as client:
        body = {"certificate": told["certificate"], "waived": waived}
        _tell(await client.post(f"{_path(node)}/certificate", body), as_json=json)


async def confirm_key_(
    node: str,
    key_id: str,
    /,
    *fingerprint: Annotated[str, Parameter(help="As the participant read it over another channel.")],
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Be the second person: say the fingerprint that the participant read, and the key counts."""
    async with operating(at) as client:
        path = f"{_path(node)}/keys/{quote(key_id, safe='')}/confirm"
        _tell(await client.post(path, {"fingerprint": " ".join(fingerprint)}), as_json=json)


async def reject_(node: str, reason: str, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Say no to an application."""
    await _step(node, "reject", {"reason": reason}, at, as_json=json)


async def withdraw_(node: str, reason: str, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Note that an applicant wants it no more."""
    await _step(node, "withdraw", {"reason": reason}, at, as_json=json)


async def leave_(
    node: str,
    reason: str,
    /,
    *,
    returns_for_days: Annotated[int | None, Parameter(help="For how long returns are still allowed.")] = None,
    forms_to: Annotated[str, Parameter(help="The node that takes its code forms over.")] = "",
    consented_by: Annotated[str, Parameter(help="Who agreed to that.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Begin a participant's way out: no new payments, returns for a while. Again: with another end of the returns."""
    body: dict[str, Any] = {"reason": reason, "consented_by": consented_by}
    if returns_for_days is not None:
        body["returns_for_s"] = returns_for_days * _DAY_S
    if forms_to:
        body["forms_to"] = forms_to
    await _step(node, "leave", body, at, as_json=json)


async def depart_(node: str, reason: str = "", /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """End it, once nothing is undecided, unsettled, asked back or held: what is left is listed."""
    await _step(node, "depart", {"reason": reason}, at, as_json=json)


async def show_(node: str, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """A participant's life: what is done, what is missing, what comes next, and every step so far."""
    async with operating(at) as client:
        _tell(await client.get(f"{_path(node)}/life"), as_json=json)


async def admit_certified(node: str, reserve: str, consented_by: str, reason: str, at: At, *, as_json: bool) -> None:
    """Make a certified applicant a participant, with a reserve or expressly with none."""
    amount = parse_amount(reserve, Currency.CNY) if reserve else 0
    body = {"reserve": amount, "zero_cap": not reserve, "consented_by": consented_by, "reason": reason}
    await _step(node, "admit", body, at, as_json=as_json)


async def _step(node: str, step: str, body: dict[str, Any], at: At, *, as_json: bool) -> None:
    async with operating(at) as client:
        _tell(await client.post(f"{_path(node)}/{step}", body), as_json=as_json)


def _read(file: Path) -> Any:
    try:
        return msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise Refusal(LifecycleFileReason.FILE_UNREADABLE, file=file, said=str(error)) from None


def _path(node: str) -> str:
    return f"/v1/participants/{quote(node, safe='')}"


def _tell(life: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(life)
        return
    stdout.print(f"[bold]{life['node']}[/]  {life['stage']}", highlight=False)
    for check in life["checklist"]:
        stdout.print(f"  {_MARKS[check['done']]} {check['what']:15}{check['details']}", highlight=False)
    for key in life["keys"]:
        state = "pending" if key["pending"] else f"until {_day(key['valid_until_ms'])}"
        stdout.print(f"    {key['key_id']}  {key['fingerprint']}  {state}", highlight=False)
    for warning in life["warnings"]:
        stdout.print(f"  [yellow]![/] {warning}", highlight=False)
    for blocker in life["blockers"]:
        stdout.print(f"  [red]✗[/] {blocker['what']:20}{blocker['details']}", highlight=False)
    stdout.print(f"Next: {life['next']}", highlight=False)
    rows = [(_day(each["at_ms"]), each["step"], each["stage"], each["by"], each["reason"]) for each in life["history"]]
    show_rows("", ("when", "step", "then", "by", "why"), rows)


def _day(ms: int) -> str:
    return f"{instant(min(ms, 253_402_300_799_000) * NS_PER_MS):%Y-%m-%d %H:%M} UTC"
