"""`hutong settlement`: windows, reserves and statements, through the switch's API."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from cyclopts import Parameter

from hutong.app.network import SWITCH
from hutong.app.node_client import NodeClient
from hutong.cli.connection import NOWHERE, At, asking_later, operating
from hutong.cli.output import AsJson, money, show_facts, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant, instant_ns
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.kernel.money import Currency, parse_amount

_FORMS = {"csv": "clearing.csv", "camt053": "camt.053", "camt054": "camt.054"}


class PolicyFileReason(Reason):
    """Why a file with a calendar or with rules can't be announced."""

    FILE_UNREADABLE = Kind.INVALID, "NARR"
    VERSION_MISSING = Kind.INVALID, "NARR"
    INSTANT_WITHOUT_ZONE = Kind.INVALID, "NARR"


async def windows(*, limit: int = 20, at: At = NOWHERE, json: AsJson = False) -> None:
    """The newest windows: what is open, closed, settled, and what waits for what."""
    async with operating(at) as client:
        found = await client.get("/v1/windows", limit=limit)
    if json:
        show_json(found)
        return
    rows = [
        (
            *(each["window"], each["state"], _time(each["closes_at_ms"]), _time(each["settled_at_ms"])),
            *(str(each["payments"]), str(each["returns"]), each["reason"]),
        )
        for each in found
    ]
    columns = ("window", "state", "closes", "settled", "payments", "returns", "waits for")
    show_rows("", columns, rows, numbers=("payments", "returns"))


async def show(window: str, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """What a window came to, and how it was settled."""
    async with operating(at) as client:
        _show_window(await client.get(_path(window)), as_json=json)


async def close(window: str, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Close the open window before its time; payments go on in the next one."""
    async with operating(at) as client:
        found = await client.post(f"{_path(window)}/close")
    if json:
        show_json(found)
    else:
        stdout.print(f"{window}: closed at {_time(found['closed_at_ms'])}, {found['state']}")


async def default(window: str, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Whoever does not cover what it owes for this window is in default: others bear it, as the rules say."""
    async with operating(at) as client:
        _show_window(await client.post(f"{_path(window)}/default"), as_json=json)


async def look_again(window: str, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Compare a halted window with the ledger once more."""
    async with operating(at) as client:
        _show_window(await client.post(f"{_path(window)}/look-again"), as_json=json)


async def reserve(
    node: str,
    /,
    *,
    top_up: Annotated[str, Parameter(help="Money came for it: how much, in yuan.")] = "",
    withdraw: Annotated[str, Parameter(help="It takes money back: how much, in yuan.")] = "",
    contribution: Annotated[
        bool, Parameter(negative="", help="Of its contribution to the guarantee fund, not its reserve.")
    ] = False,
    change_id: Annotated[str, Parameter(help="To ask again for the same change: its id.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """What a node prefunded; with an amount, a change of it."""
    path = f"/v1/participants/{quote(node, safe='')}/reserve"
    amount = top_up or withdraw
    async with operating(at) as client:
        if amount:
            body = {
                "change_id": change_id or id_text("rsv", IdMint(SystemClock(), system_randomness()).mint()),
                "change": "TOP_UP" if top_up else "WITHDRAW",
                "amount": parse_amount(amount, Currency.CNY),
                "fund": "CONTRIBUTION" if contribution else "RESERVE",
            }
            with asking_later(f"the same again with --change-id {body['change_id']}"):
                found = await client.post(path, body)
        else:
            found = await client.get(path)
    if json:
        show_json(found)
        return
    figures = ("reserve", "contribution", "cap", "headroom", "net")
    show_facts(node, ((figure, money(found[figure], found["currency"])) for figure in figures))


async def statement(
    node: str,
    /,
    *,
    window: Annotated[str, Parameter(help="The files of one window, for --form.")] = "",
    form: Annotated[str, Parameter(help="csv (the clearing file), camt053 or camt054.")] = "csv",
    output: Annotated[Path | None, Parameter(help="Write there instead of printing.")] = None,
    limit: int = 20,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """A node's settlement account; with --window its statement or clearing file."""
    async with operating(at) as client:
        if window:
            _give(await client.fetch(f"{_path(window)}/{_FORMS.get(form, form)}?node={quote(node, safe='')}"), output)
            return
        path = f"/v1/participants/{quote(node, safe='')}/reserve/entries"
        found = await client.get(path, limit=limit)
    if json:
        show_json(found)
        return
    figures = ("credit", "debit", "moved", "loss", "missing", "opening", "closing")
    rows = [
        (
            *(str(each["number"]), _time(each["booked_at_ms"]), each["kind"], each["window"]),
            *(money(each[figure], each["currency"]) for figure in figures),
        )
        for each in found
    ]
    show_rows("", ("no.", "booked", "kind", "window", *figures), rows, numbers=figures)


async def calendar(
    *,
    publish: Annotated[Path | None, Parameter(help="A TOML file with a calendar for days to come.")] = None,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """When windows close and which days are none; announce a calendar."""
    path = "/v1/settlement/calendars"
    async with operating(at) as client:
        found = [await _publish(client, path, publish)] if publish else await client.get(path)
    if json:
        show_json(found[0] if publish else found)
    else:
        _show_calendars(found)


async def rules(
    *,
    publish: Annotated[Path | None, Parameter(help="A TOML file with rules from an instant on.")] = None,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """How far reserves carry and who bears a loss; and when windows close. Or announce rules."""
    path = "/v1/settlement/rules"
    async with operating(at) as client:
        if publish:
            found, calendars = [await _publish(client, path, publish)], []
        else:
            found, calendars = await client.get(path), await client.get("/v1/settlement/calendars")
    if json:
        show_json(found[0] if publish else {"rules": found, "calendars": calendars})
        return
    _show_calendars(calendars)
    for each in found:
        facts = each["rules"]
        show_facts(
            f"rules {each['version']}, from {_time(each['starts_at_ms']) or 'the beginning'}",
            [
                ("cap", f"{facts['cap_bps'] / 100:g} % of the reserve"),
                ("default", f"after {facts['default_after_s']} s" if facts["default_after_s"] else "when declared"),
                ("loss borne by", ", ".join([*facts["loss_order"], "those who are owed"])),
            ],
        )


async def proof(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """Prove now that the money is there: the switch's reserves, or with --node an institution's customers' money."""
    async with operating(at) as client:
        is_switch = at.node in {"", SWITCH}
        found = await client.post("/v1/settlement/proofs" if is_switch else "/v1/operator/safeguarding")
    if json:
        show_json(found)
        return
    for each in found if is_switch else [found]:
        said = "holds" if each["holds"] else "DOES NOT HOLD"
        amounts = ((name, money(value)) for name, value in each.items() if type(value) is int)
        show_facts(f"{each['day']}: {said}", amounts)


async def invoices(
    *,
    issue: Annotated[str, Parameter(help="A month that is over, as 2026-11.")] = "",
    form: Annotated[str, Parameter(help="text, or csv: all of them, a row for each line.")] = "text",
    output: Annotated[Path | None, Parameter(help="Write the CSV there instead of printing it.")] = None,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """The scheme's invoices; issue a month's."""
    path = "/v1/settlement/invoices"
    async with operating(at) as client:
        found = await client.post(f"{path}/{quote(issue, safe='')}") if issue else await client.get(path)
        if form == "csv" and not json:
            _give(await client.fetch(f"{path}.csv"), output)
            return
    if json:
        show_json(found)
        return
    for each in found:
        stdout.out(each["text"])


async def _publish(client: NodeClient, path: str, file: Path) -> Any:
    """Announce what a file says."""
    version, said = _read_policy(file)
    return await client.put(f"{path}/{quote(version, safe='')}", said)


def _read_policy(file: Path) -> tuple[str, dict[str, Any]]:
    """A TOML file: the `version` it names, and all else, with `starts_at` in milliseconds."""
    try:
        said = tomllib.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise Refusal(PolicyFileReason.FILE_UNREADABLE, file=file, said=str(error)) from None
    version = said.pop("version", "")
    if type(version) is not str or not version:
        raise Refusal(PolicyFileReason.VERSION_MISSING, file=file)
    starts_at = said.pop("starts_at", None)
    if starts_at is not None:
        if not isinstance(starts_at, datetime) or starts_at.tzinfo is None:
            raise Refusal(PolicyFileReason.INSTANT_WITHOUT_ZONE, file=file, starts_at=starts_at)
        said["starts_at_ms"] = instant_ns(starts_at) // NS_PER_MS
    return version, msgspec.to_builtins(said)


def _show_calendars(found: list[dict[str, Any]]) -> None:
    for each in found:
        facts = each["rules"]
        cut_offs = f"{', '.join(facts['cut_offs'])} {facts['zone']}"
        show_facts(f"calendar {each['version']}, from {each['first_on']}", [("cut-offs", cut_offs)])


def _give(content: bytes, output: Path | None) -> None:
    if output is None:
        stdout.out(content.decode(), end="")
    else:
        output.write_bytes(content)


def _show_window(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    facts = [(name, str(found[name])) for name in ("state", "payments", "returns", "reason")]
    times = [(name, _time(found[f"{name}_at_ms"])) for name in ("closes", "closed", "settled")]
    show_facts(found["window"], [*facts, *times])
    moved = {(each["node"], each["currency"]): each for each in found["entries"]}
    rows = []
    for each in found["obligations"]:
        entry = moved.get((each["node"], each["currency"]))
        settled = [money(entry[name], each["currency"]) if entry else "" for name in ("moved", "loss", "missing")]
        owed = [money(each[name], each["currency"]) for name in ("credit", "debit", "net")]
        rows.append((each["node"], *owed, *settled))
    columns = ("node", "owed to it", "it owed", "net", "moved", "loss", "missing")
    show_rows("", columns, rows, numbers=columns[1:])


def _path(window: str) -> str:
    return f"/v1/windows/{quote(window.replace('/', '.'), safe='')}"


def _time(ms: int) -> str:
    return f"{instant(ms * NS_PER_MS):%Y-%m-%d %H:%M:%S}" if ms else ""
