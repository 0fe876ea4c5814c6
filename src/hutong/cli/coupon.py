"""`hutong coupon`: templates, stock and codes as an institution's operator; offers and one's own as a user."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, USER, At, Own, asking_later, connected, marketing, operating
from hutong.cli.output import AsJson, count_of, money, show_facts, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant, instant_ns
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.kernel.money import Currency, parse_amount

TemplateId = Annotated[str, Parameter(help="A template: ctp_…")]
Yuan = Annotated[str, Parameter(help="In yuan.")]
_MINE = "/v1/me/coupons"


class CouponCommandReason(Reason):
    """Why a coupon's command could not do its work."""

    COUPON_TERMS_UNREADABLE = Kind.INVALID, "NARR"
    COUPON_OR_CODE_NEEDED = Kind.INVALID, "NARR"


async def create(
    name: Annotated[str, Parameter(help="As people are shown it.")],
    /,
    *,
    campaign: Annotated[str, Parameter(help="The campaign for coupons that pays: cmp_…")],
    stock: Annotated[int, Parameter(help="How many can be claimed in all.")],
    off: Annotated[str, Parameter(help="So much off, in yuan.")] = "",
    percent: Annotated[int, Parameter(help="Or so many percent.")] = 0,
    at_most: Annotated[str, Parameter(help="No more than this off, in yuan.")] = "",
    least: Annotated[str, Parameter(help="Of payments of at least so many yuan.")] = "",
    days: Annotated[int, Parameter(help="Good for so many days, that of the claim included.")] = 7,
    each: Annotated[int, Parameter(help="So many for one person, and for one device; 0: any number.")] = 1,
    code: Annotated[Literal["NONE", "SHARED", "UNIQUE"], Parameter(help="Whether it is claimed by a code.")] = "NONE",
    transferable: Annotated[bool, Parameter(help="It can be given to somebody else, once.", negative="")] = False,
    until: Annotated[str, Parameter(help="Good until the end of this day: 2026-12-31.")] = "",
    weekday: Annotated[
        tuple[int, ...],
        Parameter(help="Only on this day of the week, 1 is Monday; more than once for more.", negative=""),
    ] = (),
    hours: Annotated[
        tuple[str, ...], Parameter(help="Only at these hours: 06:30-10:00; more than once for more.", negative="")
    ] = (),
    spent: Annotated[bool, Parameter(help="It stays spent when all is refunded.", negative="")] = False,
    alone: Annotated[bool, Parameter(help="With nothing else on one payment.", negative="")] = False,
    priority: Annotated[int, Parameter(help="The higher one is applied first.")] = 0,
    terms: Annotated[Path | None, Parameter(help="Its whole terms instead, as JSON: see the API.")] = None,
    template_id: Annotated[str, Parameter(help="To ask again for the same: its id.")] = "",
    merchant: Own = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Make a template of coupons: from now on they can be claimed, while their campaign runs."""
    told = _read(terms) if terms is not None else _terms(off, percent, at_most, least)
    if terms is None:
        told |= {"validity": _validity(days, until, weekday, hours)}
        told |= {"limits": {"per_person": each, "per_device": each}, "code": code, "transferable": transferable}
        told |= {"stacking": {"exclusive": alone, "priority": priority}, "on_refund": "BUDGET" if spent else "PERSON"}
    body = {
        "template_id": template_id or _new_id("ctp"),
        "campaign_id": campaign,
        "name": name,
        "terms": told,
        "stock": stock,
    }
    client, path = marketing(at, own=merchant)
    async with client:
        with asking_later(f"the same again with --template-id {body['template_id']}"):
            _show(await client.post(f"{path}/coupon-templates", body), as_json=json)


async def list_(*, merchant: Own = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """All templates, oldest first."""
    client, path = marketing(at, own=merchant)
    async with client:
        found = await client.get(f"{path}/coupon-templates")
    if json:
        show_json(found)
        return
    rows = [
        (each["template_id"], each["name"], each["state"], f"{each['claimed']:,} of {each['stock']:,}")
        for each in found
    ]
    show_rows("", ("id", "name", "state", "claimed"), rows)


async def show(template_id: TemplateId, /, *, merchant: Own = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """One template: what it gives, and how many were claimed."""
    client, path = marketing(at, own=merchant)
    async with client:
        _show(await client.get(f"{path}/coupon-templates/{template_id}"), as_json=json)


async def stock(
    template_id: TemplateId,
    count: Annotated[int, Parameter(help="How many can be claimed in all.")],
    /,
    *,
    merchant: Own = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Let another number be claimed in all."""
    client, path = marketing(at, own=merchant)
    async with client:
        _show(await client.post(f"{path}/coupon-templates/{template_id}/stock", {"stock": count}), as_json=json)


async def pause(template_id: TemplateId, /, *, merchant: Own = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """Let none be claimed for now. What was claimed stays good."""
    await _move(template_id, "pause", at, own=merchant, as_json=json)


async def resume(template_id: TemplateId, /, *, merchant: Own = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """Let them be claimed again."""
    await _move(template_id, "resume", at, own=merchant, as_json=json)


async def end(template_id: TemplateId, /, *, merchant: Own = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """Let none be claimed any more, for good. What was claimed stays good."""
    await _move(template_id, "end", at, own=merchant, as_json=json)


async def codes(
    template_id: TemplateId,
    /,
    *,
    count: Annotated[int, Parameter(help="How many.")] = 1,
    out: Annotated[Path | None, Parameter(help="Write them to this file, one a line.")] = None,
    batch_id: Annotated[str, Parameter(help="To get the same codes again: their batch, ccb_…")] = "",
    merchant: Own = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Make codes of a template, and write them down: whoever has one can claim."""
    body = {"batch_id": batch_id or _new_id("ccb"), "count": count}
    client, path = marketing(at, own=merchant)
    async with client:
        with asking_later(f"the same again with --batch-id {body['batch_id']}"):
            made = await client.post(f"{path}/coupon-templates/{template_id}/codes", body)
        text = await client.fetch(f"{path}/coupon-templates/{template_id}/codes/{made['batch_id']}")
    if out is not None:
        out.write_bytes(text)
    if json:
        show_json(made | ({} if out is not None else {"codes": text.decode().split()}))
    elif out is not None:
        stdout.print(f"{out}: {count_of(made['count'], 'code')}, batch {made['batch_id']}")
    else:
        stdout.print(text.decode().rstrip(), markup=False, highlight=False)


async def claims(
    template_id: TemplateId,
    /,
    *,
    limit: Annotated[int, Parameter(help="How many at most.")] = 50,
    merchant: Own = False,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Who claimed coupons and what became of them, newest first."""
    client, path = marketing(at, own=merchant)
    async with client:
        found = await client.get(f"{path}/coupon-templates/{template_id}/claims", limit=limit)
    if json:
        show_json(found)
        return
    rows = [
        (each["coupon_id"], each["user_id"], _time(each["claimed_at_ms"]), each["state"], each["payment_id"])
        for each in found["claims"]
    ]
    show_rows("", ("coupon", "user", "claimed", "state", "payment"), rows)


async def batches(template_id: TemplateId, /, *, merchant: Own = False, at: At = NOWHERE, json: AsJson = False) -> None:
    """The codes that were made, batch by batch, and how many of each were claimed and paid with."""
    client, path = marketing(at, own=merchant)
    async with client:
        found = await client.get(f"{path}/coupon-templates/{template_id}/codes")
    if json:
        show_json(found)
        return
    rows = [
        (each["batch_id"], _time(each["made_at_ms"]), each["made_by"], each["count"], each["claimed"], each["used"])
        for each in found
    ]
    columns = ("batch", "made", "by", "codes", "claimed", "used")
    show_rows("", columns, [tuple(map(str, row)) for row in rows], numbers=columns[3:])


async def send(
    template_id: TemplateId,
    user_id: Annotated[str, Parameter(help="A user of the institution: usr_…")],
    /,
    *,
    coupon_id: Annotated[str, Parameter(help="To ask again for the same: its id.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Send a coupon to a person who did not ask for it, and is told."""
    body = {"coupon_id": coupon_id or _new_id("cpn"), "user_id": user_id}
    async with operating(at) as client:
        with asking_later(f"the same again with --coupon-id {body['coupon_id']}"):
            sent = await client.post(f"/v1/operator/coupon-templates/{template_id}/send", body)
    _show_coupon(sent, as_json=json)


# A user's own.


async def offers(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """The coupons that you may claim now."""
    _, client = connected(at, USER)
    async with client:
        found = await client.get(f"{_MINE}/offers")
    if json:
        show_json(found)
        return
    show_rows("", ("template", "name", "left"), [(each["template_id"], each["label"], each["left"]) for each in found])


async def claim(
    template_id: Annotated[str, Parameter(help="An offer: ctp_…")] = "",
    /,
    *,
    code: Annotated[str, Parameter(help="Or the code that you have.")] = "",
    coupon_id: Annotated[str, Parameter(help="To ask again for the same: its id.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Claim a coupon, on offer or by its code."""
    if bool(template_id) == bool(code):
        raise Refusal(CouponCommandReason.COUPON_OR_CODE_NEEDED)
    body = {"coupon_id": coupon_id or _new_id("cpn")}
    body |= {"code": code} if code else {"template_id": template_id}
    _, client = connected(at, USER)
    async with client:
        with asking_later(f"the same again with --coupon-id {body['coupon_id']}"):
            _show_coupon(await client.post(f"{_MINE}/by-code" if code else _MINE, body), as_json=json)


async def mine(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """Your coupons, those that end soonest first."""
    _, client = connected(at, USER)
    async with client:
        found = await client.get(_MINE)
    if json:
        show_json(found)
        return
    rows = [(each["coupon_id"], each["label"], each["state"], _time(each["valid_until_ms"])) for each in found]
    show_rows("", ("id", "name", "state", "good until"), rows)


async def worth(
    code: Annotated[str, Parameter(help="What a payment would scan: the text of a code.")],
    amount: Annotated[str, Parameter(help="How much it would pay, in yuan; of a code with an amount: nothing.")] = "",
    /,
    *,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """What each of your coupons would give that payment, or why it would not."""
    body = {"code": code} | ({"amount": _fen(amount)} if amount else {})
    _, client = connected(at, USER)
    async with client:
        found = await client.post(f"{_MINE}/worth", body)
    if json:
        show_json(found)
        return
    rows = [(each["coupon_id"], each["label"], money(each["gives"]), each["reason"]) for each in found]
    show_rows("", ("coupon", "name", "gives", "why not"), rows, numbers=("gives",))


async def give(
    coupon_id: Annotated[str, Parameter(help="A coupon of yours: cpn_…")],
    phone: Annotated[str, Parameter(help="Whose it is to be.")],
    /,
    *,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Give a coupon to another person, once."""
    _, client = connected(at, USER)
    async with client:
        _show_coupon(await client.post(f"{_MINE}/{coupon_id}/give", {"phone": phone}), as_json=json)


async def _move(template_id: str, verb: str, at: At, *, own: bool, as_json: bool) -> None:
    client, path = marketing(at, own=own)
    async with client:
        _show(await client.post(f"{path}/coupon-templates/{template_id}/{verb}"), as_json=as_json)


def _terms(off: str, percent: int, at_most: str, least: str) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": "PERCENT_OFF", "percent_off_bps": percent * 100} if percent else {}
    if off:
        told |= {"kind": "AMOUNT_OFF", "amount_off": _fen(off)}
    if not told:
        raise Refusal(CouponCommandReason.COUPON_TERMS_UNREADABLE, problem="say --off, --percent or --terms")
    return told | ({"cap": _fen(at_most)} if at_most else {}) | ({"threshold": _fen(least)} if least else {})


def _validity(days: int, until: str, weekdays: tuple[int, ...], hours: tuple[str, ...]) -> dict[str, Any]:
    told: dict[str, Any] = {"days": days, "weekdays": list(weekdays)}
    try:
        if until:
            ends = datetime.combine(date.fromisoformat(until) + timedelta(days=1), time()).astimezone()
            told["until_ms"] = instant_ns(ends) // NS_PER_MS
        told["hours"] = [dict(zip(("from_minute", "until_minute"), _minutes(each), strict=True)) for each in hours]
    except ValueError as error:
        raise Refusal(CouponCommandReason.COUPON_TERMS_UNREADABLE, problem=str(error)) from None
    return told


def _minutes(hours: str) -> tuple[int, int]:
    begins, _, ends = hours.partition("-")
    first, last = time.fromisoformat(begins), time.fromisoformat(ends)
    return first.hour * 60 + first.minute, last.hour * 60 + last.minute or 24 * 60


def _read(file: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        raise Refusal(CouponCommandReason.COUPON_TERMS_UNREADABLE, file=str(file), problem=str(error)) from None


def _fen(text: str) -> int:
    return parse_amount(text, Currency.CNY)


def _new_id(prefix: str) -> str:
    return id_text(prefix, IdMint(SystemClock(), system_randomness()).mint())


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    terms = found["terms"]
    worth = [
        (name.replace("_", " "), money(terms[name]))
        for name in ("amount_off", "cap", "threshold", "item_price", "exchange_price")
        if terms[name]
    ]
    percent = [("percent", f"{terms['percent_off_bps'] / 100:g}")] if terms["percent_off_bps"] else []
    counts = f"{found['claimed']:,} of {found['stock']:,}, {found['claimed_today']:,} today"
    facts = [("id", found["template_id"]), ("campaign", found["campaign_id"]), ("state", found["state"])]
    show_facts(found["name"], [*facts, ("kind", terms["kind"]), *worth, *percent, ("claimed", counts)])


def _show_coupon(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    facts = (("id", found["coupon_id"]), ("state", found["state"]), ("good until", _time(found["valid_until_ms"])))
    show_facts(found["label"], facts)


def _time(at_ms: int) -> str:
    return instant(at_ms * NS_PER_MS).astimezone().isoformat(sep=" ", timespec="minutes")
