"""`hutong coupon`: templates, stock and codes as an institution's operator; offers and one's own as a user."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, USER, At, asking_later, connected, operating
from hutong.cli.output import AsJson, money, show_facts, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.kernel.money import Currency, parse_amount

TemplateId = Annotated[str, Parameter(help="A template: ctp_…")]
Yuan = Annotated[str, Parameter(help="In yuan.")]
_PATH, _MINE = "/v1/operator/coupon-templates", "/v1/me/coupons"


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
    terms: Annotated[Path | None, Parameter(help="Its whole terms instead, as JSON: see the API.")] = None,
    template_id: Annotated[str, Parameter(help="To ask again for the same: its id.")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Make a template of coupons: from now on they can be claimed, while their campaign runs."""
    told = _read(terms) if terms is not None else _terms(off, percent, at_most, least)
    if terms is None:
        told |= {"validity": {"days": days}, "limits": {"per_person": each, "per_device": each}}
        told |= {"code": code, "transferable": transferable}
    body = {
        "template_id": template_id or _new_id("ctp"),
        "campaign_id": campaign,
        "name": name,
        "terms": told,
        "stock": stock,
    }
    async with operating(at) as client:
        with asking_later(f"the same again with --template-id {body['template_id']}"):
            _show(await client.post(_PATH, body), as_json=json)


async def list_(*, at: At = NOWHERE, json: AsJson = False) -> None:
    """All templates, oldest first."""
    async with operating(at) as client:
        found = await client.get(_PATH)
    if json:
        show_json(found)
        return
    rows = [
        (each["template_id"], each["name"], each["state"], f"{each['claimed']:,} of {each['stock']:,}")
        for each in found
    ]
    show_rows("", ("id", "name", "state", "claimed"), rows)


async def show(template_id: TemplateId, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """One template: what it gives, and how many were claimed."""
    async with operating(at) as client:
        _show(await client.get(f"{_PATH}/{template_id}"), as_json=json)


async def stock(
    template_id: TemplateId,
    count: Annotated[int, Parameter(help="How many can be claimed in all.")],
    /,
    *,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Let another number be claimed in all."""
    async with operating(at) as client:
        _show(await client.post(f"{_PATH}/{template_id}/stock", {"stock": count}), as_json=json)


async def pause(template_id: TemplateId, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Let none be claimed for now. What was claimed stays good."""
    await _move(template_id, "pause", at, as_json=json)


async def resume(template_id: TemplateId, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Let them be claimed again."""
    await _move(template_id, "resume", at, as_json=json)


async def end(template_id: TemplateId, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Let none be claimed any more, for good. What was claimed stays good."""
    await _move(template_id, "end", at, as_json=json)


async def codes(
    template_id: TemplateId,
    /,
    *,
    count: Annotated[int, Parameter(help="How many.")] = 1,
    out: Annotated[Path | None, Parameter(help="Write them to this file, one a line.")] = None,
    batch_id: Annotated[str, Parameter(help="To get the same codes again: their batch, ccb_…")] = "",
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Make codes of a template, and write them down: whoever has one can claim."""
    body = {"batch_id": batch_id or _new_id("ccb"), "count": count}
    async with operating(at) as client:
        with asking_later(f"the same again with --batch-id {body['batch_id']}"):
            made = await client.post(f"{_PATH}/{template_id}/codes", body)
        text = await client.fetch(f"{_PATH}/{template_id}/codes/{made['batch_id']}")
    if out is not None:
        out.write_bytes(text)
    if json:
        show_json(made | ({} if out is not None else {"codes": text.decode().split()}))
    elif out is not None:
        stdout.print(f"{out}: {made['count']:,} codes, batch {made['batch_id']}")
    else:
        stdout.print(text.decode().rstrip(), markup=False, highlight=False)


async def claims(
    template_id: TemplateId,
    /,
    *,
    limit: Annotated[int, Parameter(help="How many at most.")] = 50,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Who claimed coupons and what became of them, newest first."""
    async with operating(at) as client:
        found = await client.get(f"{_PATH}/{template_id}/claims", limit=limit)
    if json:
        show_json(found)
        return
    rows = [
        (each["coupon_id"], each["user_id"], _time(each["claimed_at_ms"]), each["state"], each["payment_id"])
        for each in found["claims"]
    ]
    show_rows("", ("coupon", "user", "claimed", "state", "payment"), rows)


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


async def _move(template_id: str, verb: str, at: At, *, as_json: bool) -> None:
    async with operating(at) as client:
        _show(await client.post(f"{_PATH}/{template_id}/{verb}"), as_json=as_json)


def _terms(off: str, percent: int, at_most: str, least: str) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": "PERCENT_OFF", "percent_off_bps": percent * 100} if percent else {}
    if off:
        told |= {"kind": "AMOUNT_OFF", "amount_off": _fen(off)}
    if not told:
        raise Refusal(CouponCommandReason.COUPON_TERMS_UNREADABLE, problem="say --off, --percent or --terms")
    return told | ({"cap": _fen(at_most)} if at_most else {}) | ({"threshold": _fen(least)} if least else {})


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
