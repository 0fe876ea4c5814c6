"""`hutong participant`: what the switch's operator does, through the switch's API."""

from typing import Annotated, Any
from urllib.parse import quote

from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, At, asking_later, operating
from hutong.cli.lifecycle import admit_certified
from hutong.cli.output import AsJson, money, show_facts, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.kernel.money import Currency, parse_amount

_KEY_LIFE_DAYS = 366
Why = Annotated[str, Parameter(help="Why: it is on record.")]


class AdmissionReason(Reason):
    """Why a command does not know how to admit."""

    HOW_TO_ADMIT = Kind.INVALID, "NARR"


async def list_(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """Every node, its standing and its position."""
    async with operating(at) as client:
        known = await client.get("/v1/participants")
        books = await client.get("/v1/positions")
    if json:
        show_json({"participants": known, "books": books})
        return
    position_of = {position["node"]: position for position in books["positions"]}
    figures = ("cap", "net", "headroom", "outgoing")
    rows = [
        (each["node"], each["name"], each["status"], *(money(position_of[each["node"]][figure]) for figure in figures))
        for each in known
    ]
    show_rows("", ("node", "name", "status", *figures), rows, numbers=figures)
    said = "balanced" if books["balanced"] else "NOT BALANCED"
    stdout.print(f"Books {said}: caps {money(books['caps'])}, income {money(books['income'])}")


async def admit_(
    node: str,
    name: Annotated[str, Parameter(help="Of a known node, its new name; of one without application, its name.")] = "",
    /,
    *,
    reserve: Annotated[str, Parameter(help="Of a certified applicant: what it prefunded, in yuan.")] = "",
    zero_cap: Annotated[bool, Parameter(negative="", help="Of a certified applicant: it begins with nothing.")] = False,
    consented_by: Annotated[str, Parameter(help="Who agreed that its code forms overlap others'.")] = "",
    reason: Annotated[str, Parameter(help="Why; without an application, who waived it.")] = "",
    participant: Annotated[str, Parameter(help="Whose node it is; default: its own.")] = "",
    address: Annotated[str, Parameter(help="Where it takes messages.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Let a certified applicant take part; or, with a name, note a node's name and address (an admin: admit it by hand)."""
    if bool(name) == bool(reserve or zero_cap) or (reserve and zero_cap):
        raise Refusal(AdmissionReason.HOW_TO_ADMIT, say="--reserve AMOUNT, --zero-cap, or a name")
    if not name:
        await admit_certified(node, reserve, consented_by, reason, at, as_json=json)
        return
    body: dict[str, Any] = {"name": name, "url": address, "waiver": reason}
    if participant:
        body["participant"] = participant
    async with operating(at) as client:
        _show(await client.put(_path(node), body), as_json=json)


async def suspend_(node: str, /, *, reason: Why = "", at: At = NOWHERE, json: AsJson = False) -> None:
    """Admit nothing new from or to a node."""
    async with operating(at) as client:
        _show(await client.post(f"{_path(node)}/suspend", {"reason": reason}), as_json=json)


async def resume_(node: str, /, *, reason: Why = "", at: At = NOWHERE, json: AsJson = False) -> None:
    """Let a suspended node take part again."""
    async with operating(at) as client:
        _show(await client.post(f"{_path(node)}/resume", {"reason": reason}), as_json=json)


async def cap_(
    node: str,
    amount: Annotated[str, Parameter(help="In yuan, as 1000000 or 0.01.")],
    /,
    *,
    lower: Annotated[bool, Parameter(negative="", help="Take back what is unused, at most the amount.")] = False,
    change_id: Annotated[str, Parameter(help="To ask again for the same change: its id.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Raise a node's net debit cap, or take back what is unused of it."""
    body = {
        "change_id": change_id or id_text("cap", IdMint(SystemClock(), system_randomness()).mint()),
        "change": "LOWER" if lower else "GRANT",
        "amount": parse_amount(amount, Currency.CNY),
    }
    async with operating(at) as client:
        with asking_later(f"the same again with --change-id {body['change_id']}"):
            changed = await client.post(f"{_path(node)}/cap", body)
    if json:
        show_json(changed)
        return
    way = "lowered" if lower else "raised"
    stdout.print(f"{node}: {way} by {money(changed['amount'])}, headroom {money(changed['position']['headroom'])}")


async def forms_(
    node: str,
    /,
    *,
    add: Annotated[str, Parameter(help="Codes of this form are the node's from now on.")] = "",
    consented_by: Annotated[str, Parameter(help="Who agreed that it overlaps another node's.")] = "",
    withdraw: Annotated[str, Parameter(help="They are the node's no longer.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """The code forms of a node; add one, or withdraw one."""
    path = f"{_path(node)}/forms"
    async with operating(at) as client:
        if add:
            await client.post(path, {"form": add, "consented_by": consented_by})
        if withdraw:
            await client.delete(path, form=withdraw)
        known = await client.get(path)
    if json:
        show_json(known)
        return
    rows = [(each["form"], "" if each["active"] else "withdrawn", each["consented_by"]) for each in known]
    show_rows("", ("form", "", "consented by"), rows)


async def keys_(
    node: str,
    /,
    *,
    add: Annotated[str, Parameter(help="A new key's id, with --public-key.")] = "",
    public_key: Annotated[str, Parameter(help="Ed25519, 64 hexadecimal digits.")] = "",
    days: Annotated[int, Parameter(help="How long the new key is good.")] = _KEY_LIFE_DAYS,
    retire: Annotated[str, Parameter(help="A key's id: nothing signed with it is taken from now on.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """The keys of a node; add one, or retire one."""
    path = f"{_path(node)}/keys"
    now_ms = SystemClock().now_ns() // NS_PER_MS
    async with operating(at) as client:
        if add:
            until_ms = now_ms + days * 86_400_000
            body = {"public_key": public_key, "valid_from_ms": now_ms, "valid_until_ms": until_ms}
            await client.put(f"{path}/{quote(add, safe='')}", body)
        if retire:
            await client.delete(f"{path}/{quote(retire, safe='')}")
        known = await client.get(path)
    if json:
        show_json(known)
        return
    rows = [
        (each["key_id"], each["fingerprint"], "to be confirmed" if each["pending"] else _day(each["valid_until_ms"]))
        for each in known
    ]
    show_rows("", ("key", "fingerprint", "good until"), rows)


def _path(node: str) -> str:
    return f"/v1/participants/{quote(node, safe='')}"


def _show(participant: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(participant)
    else:
        show_facts("", ((name, str(participant[name])) for name in ("node", "participant", "name", "url", "status")))


def _day(ms: int) -> str:
    return f"{instant(min(ms, 253_402_300_799_000) * NS_PER_MS):%Y-%m-%d %H:%M} UTC"
