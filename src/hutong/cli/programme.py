"""`hutong campaign`, as a merchant: money set aside for one's own, programmes of others, and what all of them brought; effects."""

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any

from cyclopts import Parameter

from hutong.cli.connection import MERCHANT, NOWHERE, At, Own, asking_later, connected, marketing
from hutong.cli.output import AsJson, count_of, money, show_facts, show_json, show_rows, stdout
from hutong.kernel.clock import SystemClock
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.kernel.money import BPS, Currency, parse_amount

Programme = Annotated[str, Parameter(help="A programme: cmp_…")]
_PROGRAMMES = "/v1/merchant/programmes"
_SHARED = "/v1/merchant/shared-campaigns"
_UNITS = {"person": "person", "shop_hour": "hour of a shop"}


async def budget(
    amount: Annotated[str, Parameter(help="So much more is set aside, in yuan; none: only say what is.")] = "",
    /,
    *,
    back: Annotated[bool, Parameter(help="Take it back to the account instead.", negative="")] = False,
    deposit_id: Annotated[str, Parameter(help="To ask again for the same: its id.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """What a merchant has set aside for campaigns of its own; set more aside, or take it back."""
    _, client = connected(at, MERCHANT)
    async with client:
        if amount:
            id_ = deposit_id or id_text("dep", IdMint(SystemClock(), system_randomness()).mint())
            body = {"deposit_id": id_, "amount": parse_amount(amount, Currency.CNY)}
            with asking_later(f"the same again with --deposit-id {id_}"):
                found = await client.post(f"/v1/merchant/budget/{'withdrawals' if back else 'deposits'}", body)
        else:
            found = await client.get("/v1/merchant/budget")
    if json:
        show_json(found)
    else:
        stdout.print(f"{money(found['balance'])} in no campaign")


async def programmes(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """What others pay for, and a merchant may join."""
    _, client = connected(at, MERCHANT)
    async with client:
        found = await client.get(_PROGRAMMES)
    if json:
        show_json(found)
        return
    rows = [
        (each["campaign_id"], each["name"], "joined" if each["joined"] else "", str(each["merchants"]))
        for each in found
    ]
    show_rows("", ("id", "name", "", "merchants"), rows, numbers=("merchants",))


async def join(campaign_id: Programme, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Take part, from now on."""
    await _move(campaign_id, "join", at, as_json=json)


async def leave(campaign_id: Programme, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Take part no longer."""
    await _move(campaign_id, "leave", at, as_json=json)


async def shared(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """Campaigns of the institution that a merchant is asked to pay a part of, or does."""
    _, client = connected(at, MERCHANT)
    async with client:
        found = await client.get(_SHARED)
    if json:
        show_json(found)
        return
    rows = [
        (
            each["campaign_id"],
            each["name"],
            each["state"],
            money(each["part"]),
            money(each["budget"]),
            str(each["version"]),
            "agreed" if each["agreed"] else "asked",
        )
        for each in found
    ]
    columns = ("id", "name", "state", "your part", "of", "version", "")
    show_rows("", columns, rows, numbers=("your part", "of", "version"))


async def agree(
    campaign_id: Annotated[str, Parameter(help="A campaign that one is asked to pay a part of: cmp_…")],
    /,
    *,
    version: Annotated[int, Parameter(help="Of the terms as one read them: `hutong campaign shared` says it.")],
    no: Annotated[bool, Parameter(help="Not, or no longer: before it is started.", negative="")] = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Pay one's part of it: the money leaves the budget when the institution starts it."""
    _, client = connected(at, MERCHANT)
    async with client:
        verb = "decline" if no else "agree"
        found = await client.post(f"{_SHARED}/{campaign_id}/{verb}?version={version}", {})
    if json:
        show_json(found)
    else:
        said = "agreed to pay" if found["agreed"] else "does not pay"
        stdout.print(f"{said} {money(found['part'])} of {money(found['budget'])}")


async def takings(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """What each campaign, one's own or a programme's, brought a merchant, and what it gave."""
    _, client = connected(at, MERCHANT)
    async with client:
        found = await client.get("/v1/merchant/takings")
    if json:
        show_json(found)
        return
    rows = [
        (
            each["campaign_id"],
            each["name"],
            "itself" if each["is_own"] else "others",
            str(each["payments"]),
            *(money(each[name]) for name in ("amount", "refunded", "given", "returned")),
        )
        for each in found
    ]
    columns = ("id", "name", "paid by", "payments", "taken", "refunded", "given", "returned")
    show_rows("", columns, rows, numbers=columns[3:])


async def effects(
    campaign_id: Annotated[str, Parameter(help="A campaign: cmp_…")],
    /,
    *,
    merchant: Own = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """What it cost and brought less refunds, against those held out: with the interval that the truth lies in 95 times of 100."""
    client, path = marketing(at, own=merchant)
    async with client:
        found = await client.get(f"{path}/campaigns/{campaign_id}/effects")
    if json:
        show_json(found)
        return
    facts = [(name, money(found[name])) for name in ("budget", "planned", "given", "left")]
    facts.append(("times", str(found["times"])))
    if found["unit"] == "person":
        cost = found["cost_per_new_payer"]
        facts.append(("new payers", f"{found['new_payers']}, {'—' if cost is None else money(cost)} each"))
        facts.append(("came back", f"{found['repeat_bps'] * 100 / BPS:g} % of those who paid"))
    if found["refused"]:
        facts.append(("refused", f"{count_of(found['refused'], 'reward')}, {money(found['refused_amount'])}"))
        facts += [
            (f"  {each['reason']}", f"{each['times']:,}, {money(each['amount'])}") for each in found["refused_for"]
        ]
        facts += [(f"  seen: {each['signal']}", f"at {each['times']:,}") for each in found["refused_signals"]]
    for name, shown in (("payments", counted), ("amount", paid)):
        facts.append((name, effect_line(found[name], shown)))
        facts.append((f"{name}, before refunds", effect_line(found[f"gross_{name}"], shown)))
    show_facts(f"{found['name']}, for each {_UNITS[found['unit']]}", facts)


async def _move(campaign_id: str, verb: str, at: At, *, as_json: bool) -> None:
    _, client = connected(at, MERCHANT)
    async with client:
        found = await client.post(f"{_PROGRAMMES}/{campaign_id}/{verb}", {})
    if as_json:
        show_json(found)
    else:
        stdout.print(f"{found['name']}: {'you take part' if found['joined'] else 'you take no part'}", markup=False)


def effect_line(effect: dict[str, Any], shown: Callable[[int], str]) -> str:
    """An effect in words; `shown` writes thousandths of what was counted, with their sign."""
    of = f"of {effect['treated']} with it and {effect['held_out']} without"
    if effect["verdict"] == "TOO_FEW":
        return f"too few to say, {of}"
    low, most, high = (shown(effect[name]) for name in ("low", "difference", "high"))
    return f"{most} (between {low} and {high}), {of}"


def counted(thousandths: int) -> str:
    """Payments more or less."""
    return f"{thousandths / 1000:+g}"


def paid(thousandths: int) -> str:
    """Money more or less, to the fen."""
    return f"{'-' if thousandths < 0 else '+'}{money(round(Fraction(abs(thousandths), 1000)))}"
