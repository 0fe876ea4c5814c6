"""`hutong campaign`: who pays for discounts and rewards, to whom, when and from which budget; as an institution's operator."""

from datetime import datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, At, Own, asking_later, marketing, operating
from hutong.cli.output import AsJson, money, show_facts, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant, instant_ns
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.kernel.money import Currency, parse_amount

CampaignId = Annotated[str, Parameter(help="A campaign: cmp_…")]
SponsorName = Annotated[str, Parameter(help="A sponsor: its id (spn_…) or your reference for it.")]
Yuan = Annotated[str, Parameter(help="In yuan.")]
_SPONSORS = "/v1/operator/sponsors"


class CampaignCommandReason(Reason):
    """Why a campaign's command could not do its work."""

    SPONSOR_NOT_FOUND = Kind.NOT_FOUND, "NARR"
    TERMS_UNREADABLE = Kind.INVALID, "NARR"
    MOMENT_UNREADABLE = Kind.INVALID, "NARR"
    ONE_PLACE_ONLY = Kind.INVALID, "NARR"  # A campaign's days have budgets of cities, or of shops.


AtSmall = Annotated[
    bool, Parameter(help="At small merchants alone, of every institution that says which of its are.", negative="")
]
InCity = Annotated[tuple[str, ...], Parameter(help="At shops of this city alone, whichever institution's; repeatable.")]
AtShop = Annotated[
    tuple[str, ...], Parameter(help="At this shop alone: shp_…, or wei/shp_… of another institution; repeatable.")
]
Tagged = Annotated[
    tuple[str, ...], Parameter(help="At merchants with this word, also where theirs shares it; repeatable.")
]
Starts = Annotated[
    str, Parameter(help="From when on, as 2026-11-24T08:00 or with a zone behind it; default: once it is started.")
]
HeldOut = Annotated[int, Parameter(help="So many percent get nothing, to be compared with; 0: everybody gets it.")]
WhoseSide = Annotated[
    Literal["PAYER", "PAYEE"], Parameter(help="For people of this wallet, or at merchants of this institution.")
]
By = Annotated[
    tuple[str, ...],
    Parameter(
        help="Who pays: spn_…, your reference, or mer_… who has to agree; =2 behind it for two parts.", negative=""
    ),
]


async def sponsor(
    name: Annotated[str, Parameter(help="As payers may see it.")],
    /,
    *,
    reference: Annotated[str, Parameter(help="Your own number for it.")],
    kind: Annotated[
        Literal["INSTITUTION", "SERVICE_PROVIDER", "SWITCH", "OUTSIDE"], Parameter(help="Who it is.")
    ] = "OUTSIDE",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Note somebody who pays for campaigns, and say what is in the budget."""
    async with operating(at) as client:
        found = await client.post(_SPONSORS, {"reference": reference, "kind": kind, "name": name})
    _show_sponsor(found, as_json=json)


async def sponsors(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """All sponsors, merchants among them, and what is in their budgets."""
    async with operating(at) as client:
        found = await client.get(_SPONSORS)
    if json:
        show_json(found)
        return
    rows = [
        (each["sponsor_id"], each.get("reference", ""), each["name"], each["kind"], money(each["balance"]))
        for each in found
    ]
    show_rows("", ("id", "reference", "name", "kind", "in no campaign"), rows, numbers=("in no campaign",))


async def deposit(
    who: SponsorName,
    amount: Yuan,
    /,
    *,
    deposit_id: Annotated[str, Parameter(help="To ask again for the same: its id.")] = "",
    back: Annotated[bool, Parameter(help="Take out of the budget what no campaign has.", negative="")] = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Note money that came in from outside for a sponsor's budget."""
    body = {"deposit_id": deposit_id or _new_id("dep"), "amount": parse_amount(amount, Currency.CNY)}
    async with operating(at) as client:
        found = await find_sponsor(client, who)
        with asking_later(f"the same again with --deposit-id {body['deposit_id']}"):
            way = "withdrawals" if back else "deposits"
            moved = await client.post(f"{_SPONSORS}/{found['sponsor_id']}/{way}", body)
    if json:
        show_json(moved)
    else:
        stdout.print(
            f"{found['name']}: {money(moved['amount'])} {'out' if back else 'in'}, {money(moved['balance'])} now"
        )


async def create(
    name: Annotated[str, Parameter(help="As payers are shown it.")],
    /,
    *,
    by: By = (),
    budget: Yuan,
    off: Annotated[str, Parameter(help="So much off each payment, in yuan.")] = "",
    percent: Annotated[int, Parameter(help="Or so many percent.")] = 0,
    at_most: Annotated[str, Parameter(help="No more than this off one payment, in yuan.")] = "",
    least: Annotated[str, Parameter(help="Of payments of at least so much, in yuan.")] = "",
    small: AtSmall = False,
    city: InCity = (),
    shop: AtShop = (),
    tag: Tagged = (),
    times_a_day: Annotated[int, Parameter(help="So often a person and day.")] = 0,
    a_day: Annotated[str, Parameter(help="No more than this on one day, in yuan.")] = "",
    a_city: Annotated[str, Parameter(help="No more than this in one city on one day, in yuan.")] = "",
    a_shop: Annotated[str, Parameter(help="Or in one shop on one day, in yuan.")] = "",
    a_person: Annotated[str, Parameter(help="No more than this for one person, in yuan.")] = "",
    starts: Starts = "",
    days: Annotated[int, Parameter(help="How long: so many whole days behind the one on which it begins.")] = 30,
    held_out: HeldOut = 5,
    side: WhoseSide = "PAYER",
    kind: Annotated[Literal["DISCOUNT", "DRAW", "COUPON", "INVITE"], Parameter(help="What it is.")] = "DISCOUNT",
    terms: Annotated[Path | None, Parameter(help="All terms from a JSON file, instead: docs/marketing.md.")] = None,
    campaign_id: Annotated[str, Parameter(help="To ask again for the same: its id.")] = "",
    merchant: Own = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Write a campaign down. Nothing moves before `hutong campaign start`."""
    if terms is not None:
        agreed = _read_terms(terms)
    else:
        row: dict[str, Any] = {"off": _fen(off), "bps": percent * 100, "max": _fen(at_most)}
        when = _when(least, {"city": city, "shop": shop, "tag": tag}, small=small)
        row |= {"when": when} if when else {}
        if a_city and a_shop:
            raise Refusal(CampaignCommandReason.ONE_PLACE_ONLY, field="a_city or a_shop")
        caps = {
            "day": _fen(a_day),
            "place": _fen(a_city or a_shop),
            "place_is": "shop" if a_shop else "city",
            "person": _fen(a_person),
            "times_day": times_a_day,
        }
        agreed = {"rules": {"rows": [row]}, "caps": caps, "holdout_bps": held_out * 100}
    begins_ns = _moment_ns(starts) if starts else 0
    first_ns = begins_ns or SystemClock.now_ns()
    body: dict[str, Any] = {
        "campaign_id": campaign_id or _new_id("cmp"),
        "name": name,
        "kind": kind,
        "budget": _fen(budget),
        "terms": agreed,
        "starts_at_ms": begins_ns // NS_PER_MS,
        "ends_at_ms": _midnight_ns(first_ns, days + 1) // NS_PER_MS,
    }
    client, path = marketing(at, own=merchant)
    async with client:
        if not merchant:
            body |= {"side": side, "sponsors": await _shares(client, by)}
        with asking_later(f"the same again with --campaign-id {body['campaign_id']}"):
            _show(await client.post(f"{path}/campaigns", body), as_json=json)


async def list_(
    *,
    only: Annotated[
        Literal["", "DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "ENDED"], Parameter(help="Those in a state.")
    ] = "",
    merchant: Own = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """All campaigns, merchants' own among them, oldest first."""
    client, path = marketing(at, own=merchant)
    async with client:
        found = await client.get(f"{path}/campaigns")
    found = [each for each in found if only in ("", each["state"])]
    if json:
        show_json(found)
        return
    rows = [
        (
            each["campaign_id"],
            each["name"],
            each["state"],
            money(each["budget"]),
            money(each["given"]),
            str(each["given_times"]),
            _day(each["ends_at_ms"]),
        )
        for each in found
    ]
    columns = ("id", "name", "state", "budget", "given", "times", "ends")
    show_rows("", columns, rows, numbers=("budget", "given", "times"))


async def show(campaign_id: CampaignId, /, *, merchant: Own = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """One campaign: its money, its rules and its budgets."""
    client, path = marketing(at, own=merchant)
    async with client:
        _show(await client.get(f"{path}/campaigns/{campaign_id}"), as_json=json)


async def start(campaign_id: CampaignId, /, *, merchant: Own = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """Set its money aside and let it run; or let it go on."""
    await _move(campaign_id, "start", at, own=merchant, as_json=json)


async def pause(campaign_id: CampaignId, /, *, merchant: Own = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """Give nothing until it is started again."""
    await _move(campaign_id, "pause", at, own=merchant, as_json=json)


async def segments(
    user_id: Annotated[str, Parameter(help="A person: usr_…")],
    /,
    *words: Annotated[str, Parameter(help="All segments from now on; none: those of now are shown.")],
    home_city: Annotated[str, Parameter(help="Where the person lives.")] = "",
    none: Annotated[bool, Parameter(help="In no segment, and nobody says where they live.", negative="")] = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Say in which segments a person is, for rules that ask `segment` or `home_city`."""
    body = {"words": list(words), "home_city": home_city}
    await _traits(
        f"/v1/operator/users/{user_id}/segments", body, wanted=bool(words or home_city or none), at=at, json=json
    )


async def tags(
    merchant_id: Annotated[str, Parameter(help="A merchant: mer_…")],
    /,
    *words: Annotated[str, Parameter(help="All tags from now on; none: those of now are shown.")],
    shared: Annotated[
        tuple[str, ...], Parameter(help="Of these, what other institutions are told, for their rules; repeatable.")
    ] = (),
    none: Annotated[bool, Parameter(help="No tag.", negative="")] = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """
    Say what a merchant is, for rules that ask `tag`, or `small` for those that are tagged so.

    Other institutions are told whether it is small, and in which city: their people get their discounts here, too.
    """
    path = f"/v1/operator/merchants/{merchant_id}/tags"
    body = {"words": list(words), "shared": list(shared)}
    await _traits(path, body, wanted=bool(words or none), at=at, json=json)


async def end(campaign_id: CampaignId, /, *, merchant: Own = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """End it for good: what is left goes back to its sponsors."""
    await _move(campaign_id, "end", at, own=merchant, as_json=json)


async def awards(
    campaign_id: CampaignId,
    /,
    *,
    limit: Annotated[int, Parameter(help="How many at most.")] = 20,
    merchant: Own = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """What it gave, the newest first: to which payment or person, by which row of which version."""
    client, path = marketing(at, own=merchant)
    async with client:
        page = await client.get(f"{path}/campaigns/{campaign_id}/awards", limit=str(limit))
    if json:
        show_json(page)
        return
    rows = [
        (
            _time(each["created_at_ms"]),
            each.get("payment_id") or each.get("person_id", ""),
            each["state"],
            money(each["amount"]),
            money(each.get("returned", 0)),
            f"{each['version']}/{each.get('row', 0)}",
        )
        for each in page["awards"]
    ]
    columns = ("when", "for", "state", "amount", "returned", "version/row")
    show_rows("", columns, rows, numbers=("amount", "returned"))


async def terms(
    campaign_id: CampaignId,
    file: Annotated[Path, Parameter(help="All its terms as JSON: docs/marketing.md.")],
    /,
    *,
    version: Annotated[int, Parameter(help="Only if they are still of this version.")] = 0,
    merchant: Own = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Change its terms, from now on; what was awarded keeps the version it was awarded by."""
    agreed = _read_terms(file)
    client, path = marketing(at, own=merchant)
    async with client:
        _show(await client.put(f"{path}/campaigns/{campaign_id}/terms", agreed, version=version), as_json=json)


async def versions(
    campaign_id: CampaignId, /, *, merchant: Own = False, at: At = NOWHERE, json: AsJson = False
) -> None:
    """Every version of its terms: what the version and row of an award mean."""
    client, path = marketing(at, own=merchant)
    async with client:
        found = await client.get(f"{path}/campaigns/{campaign_id}/versions")
    if json:
        show_json(found)
        return
    for each in found:
        stdout.print(f"version {each['version']}, since {_time(each['since_ms'])}")
        # As the file that `hutong campaign terms` reads: a table would fold it.
        stdout.out(msgspec.json.format(msgspec.json.encode(each["terms"]), indent=2).decode())


async def _traits(path: str, body: dict[str, Any], *, wanted: bool, at: At, json: bool) -> None:
    async with operating(at) as client:
        found = await (client.put(path, body) if wanted else client.get(path))
    if json:
        show_json(found)
        return
    facts = [("words", ", ".join(found["words"]) or "none")]
    facts += [("told elsewhere", ", ".join(found["shared"]))] if found.get("shared") else []
    facts += [("lives in", found["home_city"])] if found.get("home_city") else []
    show_facts("", facts)


async def _move(campaign_id: str, verb: str, at: At, *, own: bool, as_json: bool) -> None:
    client, path = marketing(at, own=own)
    async with client:
        _show(await client.post(f"{path}/campaigns/{campaign_id}/{verb}", {}), as_json=as_json)


async def _shares(client: Any, by: tuple[str, ...]) -> list[dict[str, Any]]:
    shares = []
    for each in by:
        who, _, proportion = each.partition("=")
        whose = (
            {"merchant_id": who}
            if who.startswith("mer_")
            else {"sponsor_id": (await find_sponsor(client, who))["sponsor_id"]}
        )
        shares.append({**whose, "proportion": int(proportion or "1")})
    return shares


async def find_sponsor(client: Any, who: str) -> dict[str, Any]:
    """The sponsor that is meant. Refuses SPONSOR_NOT_FOUND."""
    found: list[dict[str, Any]] = await client.get(_SPONSORS)
    for each in found:
        if who in (each["sponsor_id"], each.get("reference")):
            return each
    raise Refusal(CampaignCommandReason.SPONSOR_NOT_FOUND, sponsor=who, do="hutong campaign sponsor")


def _when(least: str, any_of: dict[str, tuple[str, ...]], *, small: bool) -> dict[str, str]:
    """The conditions of a row, as rules write them."""
    when = {"amount": f">= {_fen(least)}"} if least else {}
    when |= {"small": "true"} if small else {}
    return when | {field: ", ".join(f"'{each}'" for each in texts) for field, texts in any_of.items() if texts}


def _read_terms(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Refusal(CampaignCommandReason.TERMS_UNREADABLE, file=str(path), said=str(error)) from error


def _show_sponsor(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        stdout.print(f"{found['name']}: {found['sponsor_id']}, {money(found['balance'])} in no campaign", markup=False)


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    facts = [("campaign", found["campaign_id"]), ("state", found["state"])]
    if found.get("reason"):
        facts.append(("because", found["reason"]))
    facts += [(name.replace("_", " "), money(found.get(name, 0))) for name in ("budget", "given", "left", "given_back")]
    facts += [("begins", _time(found["starts_at_ms"]))] if found.get("starts_at_ms") else []
    facts += [("times", str(found["given_times"])), ("ends", _time(found["ends_at_ms"]))]
    for number, row in enumerate(found["terms"].get("rules", {}).get("rows", []), 1):
        facts.append((f"rule {number}", msgspec.json.encode(row).decode()))
    facts.append(("held out", f"{found['terms'].get('holdout_bps', 0) / 100:g} % get nothing, to be compared with"))
    facts.append(("caps", msgspec.json.encode(found["terms"].get("caps", {})).decode()))
    show_facts(found["name"], facts)


def _fen(yuan: str) -> int:
    return parse_amount(yuan, Currency.CNY) if yuan else 0


def _moment_ns(text: str) -> int:
    """Where no zone is said it is this machine's."""
    try:
        return instant_ns(datetime.fromisoformat(text).astimezone())
    except ValueError:
        raise Refusal(CampaignCommandReason.MOMENT_UNREADABLE, said=text, do="2026-11-24T08:00") from None


def _midnight_ns(from_ns: int, days: int) -> int:
    """So many days on, at this machine's midnight."""
    begins = instant(from_ns).astimezone()
    return instant_ns(datetime.combine(begins.date() + timedelta(days), time_of_day()).astimezone())


def _day(at_ms: int) -> str:
    return instant(at_ms * NS_PER_MS).astimezone().date().isoformat()


def _time(at_ms: int) -> str:
    return instant(at_ms * NS_PER_MS).astimezone().isoformat(sep=" ", timespec="minutes")


def _new_id(prefix: str) -> str:
    return id_text(prefix, IdMint(SystemClock(), system_randomness()).mint())
