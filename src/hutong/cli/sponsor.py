"""`hutong campaign`: the keys of sponsors that are no merchants, and what their budgets saw; as an institution's operator."""

from typing import Annotated

from cyclopts import Parameter

from hutong.cli.campaign import SponsorName, find_sponsor
from hutong.cli.connection import NOWHERE, At, asking_later, operating
from hutong.cli.output import AsJson, money, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant
from hutong.kernel.ids import IdMint, id_text, system_randomness

_SPONSORS = "/v1/operator/sponsors"


async def key(
    who: SponsorName,
    name: Annotated[str, Parameter(help="Who holds it, as you want to find it again.")],
    /,
    *,
    key_id: Annotated[str, Parameter(help="To ask again for the same: your own id of it.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Give a sponsor a key of its own, and show it this once. From its first one on, it is asked before its money goes."""
    callers_id = key_id or id_text("spk", IdMint(SystemClock(), system_randomness()).mint())
    async with operating(at) as client:
        found = await find_sponsor(client, who)
        with asking_later(f"the same again with --key-id {callers_id}"):
            issued = await client.post(f"{_SPONSORS}/{found['sponsor_id']}/keys", {"name": name, "key_id": callers_id})
    if json:
        show_json(issued)
        return
    told = issued["token"] or "issued before, and shown no more; revoke it and issue another"
    stdout.print(f"{found['name']}, {name}: {issued['key']['key_id']}", markup=False)
    stdout.out(told)


async def keys(who: SponsorName, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """A sponsor's keys, revoked ones too."""
    async with operating(at) as client:
        sponsor = await find_sponsor(client, who)
        found = await client.get(f"{_SPONSORS}/{sponsor['sponsor_id']}/keys")
    if json:
        show_json(found)
        return
    rows = [
        (each["key_id"], each["name"], "good" if each["is_good"] else "revoked", _time(each["rotated_at_ms"]))
        for each in found
    ]
    show_rows("", ("id", "held by", "", "token since"), rows)


async def revoke_key(
    who: SponsorName,
    key_id: Annotated[str, Parameter(help="The key: spk_…")],
    /,
    *,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """End a sponsor's key for good. What was agreed to with it stays agreed to."""
    async with operating(at) as client:
        sponsor = await find_sponsor(client, who)
        found = await client.post(f"{_SPONSORS}/{sponsor['sponsor_id']}/keys/{key_id}/revoke", {})
    if json:
        show_json(found)
    else:
        stdout.print(f"{sponsor['name']}, {found['name']}: revoked", markup=False)


async def movements(
    who: SponsorName,
    /,
    *,
    limit: Annotated[int, Parameter(help="How many at most.")] = 20,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """What came into a sponsor's budget and went out of it, the newest first."""
    async with operating(at) as client:
        sponsor = await find_sponsor(client, who)
        page = await client.get(f"{_SPONSORS}/{sponsor['sponsor_id']}/movements", limit=str(limit))
    if json:
        show_json(page)
        return
    rows = [
        (_time(each["at_ms"]), each["kind"], money(each["amount"]), each.get("campaign_id", ""), each["movement_id"])
        for each in page["movements"]
    ]
    show_rows("", ("when", "what", "amount", "campaign", "transfer"), rows, numbers=("amount",))


def _time(at_ms: int) -> str:
    return instant(at_ms * NS_PER_MS).astimezone().isoformat(sep=" ", timespec="minutes")
