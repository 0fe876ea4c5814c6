"""`hutong draw`: daily random discounts, checked by anyone from what is published; `verify` needs no network."""

from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from cyclopts import Parameter

from hutong.cli.connection import NOWHERE, At, client_of, url_of
from hutong.cli.output import AsJson, money, show_facts, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, instant
from hutong.kernel.errors import Refusal
from hutong.marketing.draws.draw import NUMBERS
from hutong.marketing.draws.reasons import DrawReason
from hutong.marketing.draws.record import DayRecord, Receipt
from hutong.marketing.draws.verification import Finding, unrevealed_day, verify_day, verify_receipt

Read = TypeVar("Read")
Campaign = Annotated[str, Parameter(help="A campaign, by its id: cmp_…")]
_PATH = "/v1/draws"


async def show(
    campaign: Campaign,
    day: Annotated[str, Parameter(help="Its record of this day, as 2026-11-23; after the day, with the seed.")] = "",
    /,
    *,
    save: Annotated[Path | None, Parameter(help="Write the day's record to this file, for `verify`.")] = None,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """A campaign's rules and commitments, or a day's record, as published; with --node or --url."""
    async with client_of(url_of(at.node, at.url), "") as client:
        found = await client.get(f"{_PATH}/{campaign}/days/{day}" if day else f"{_PATH}/{campaign}")
    if save is not None:
        save.write_bytes(msgspec.json.encode(found))
    if json:
        show_json(found)
    elif day:
        _show_day(found)
    else:
        _show_campaign(found)


def verify(
    record: Annotated[Path, Parameter(help="A day's record, as published: a file that `show --save` wrote.")],
    /,
    *,
    receipt: Annotated[Path | None, Parameter(help="Check this draw alone: a receipt, as the wallet gives it.")] = None,
    head: Annotated[str, Parameter(help="A hash of the log, noted earlier: it must still be in it.")] = "",
    json: AsJson = False,
) -> int:
    """Recompute a day's draws, thresholds and budget, or one draw. Leaves with 1, and says what differs, if anything does."""
    day = _read(record, DayRecord)
    if waiting := unrevealed_day(day):
        raise Refusal(DrawReason.DRAW_SEED_NOT_REVEALED, day=waiting, then=f"after {waiting}, show --save once more")
    findings = verify_day(day, head) if receipt is None else verify_receipt(_read(receipt, Receipt), day, head)
    differ = [each for each in findings if not each.holds]
    if json:
        show_json({"verified": not differ, "findings": findings})
        return int(bool(differ))
    for each in findings:
        stdout.print(f"{_mark(each)} ", end="")
        stdout.out(each.text)
    stdout.print("Yes: it is as the published rules and seed give it." if not differ else f"No: {len(differ)} differ.")
    return int(bool(differ))


def _mark(finding: Finding) -> str:
    return "[green]holds  [/]" if finding.holds else "[bold red]differs[/]"


def _read(path: Path, type_: type[Read]) -> Read:
    try:
        return msgspec.json.decode(path.read_bytes(), type=type_)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Refusal(DrawReason.DRAW_RECORD_MALFORMED, file=str(path), said=str(error)) from error


def _show_campaign(found: dict[str, Any]) -> None:
    terms = found["terms"]
    show_facts(
        found["name"],
        (
            ("a day's budget", money(terms["budget"])),
            ("draws a person and day", str(terms["turns"])),
            ("on average", money(found["mean"])),
            ("newest hash of the log", found["head"]),
        ),
    )
    whole = sum(band["weight"] for band in terms["distribution"]["bands"])
    bands = (
        (money(band["low"]), money(band["high"]), f"{100 * band['weight'] / whole:.3f} %")
        for band in terms["distribution"]["bands"]
    )
    show_rows("", ("from", "to", "of all draws"), bands, numbers=("from", "to", "of all draws"))
    # Whole, to be copied: a table would fold them.
    for each in found["days"]:
        stdout.print(f"{each['day']}  commitment {each['commitment']}  seed {each['seed'] or 'not yet'}")


def _show_day(found: dict[str, Any]) -> None:
    draws = found["draws"]
    given = sum(each["given"] for each in draws if each["released_slot"] is None)
    show_facts(found["log"]["campaign"], (("draws", f"{len(draws):,}"), ("given", money(given))))
    entries = [(each["at_ms"], each["kind"], msgspec.json.decode(each["text"])) for each in found["log"]["entries"]]
    day = entries[0][2]["day"]  # The next one's are published meanwhile, and bound to the same chain.
    slots = [(at, told) for at, kind, told in entries if kind == "slot" and told["day"] == day]
    rows = (
        (
            str(told["slot"]),
            f"{instant(at * NS_PER_MS):%H:%M:%S}",
            f"{100 * told['threshold'] / NUMBERS:.1f} %",
            money(told["spent"]),
        )
        for at, told in slots
    )
    show_rows(
        "", ("slot", "published (UTC)", "admitted", "given before"), rows, numbers=("slot", "admitted", "given before")
    )
