"""The editor of campaigns: what was typed, read as terms."""

from zoneinfo import ZoneInfo

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.kernel.money import Currency, format_amount
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import (
    CAMPAIGN_PREFIX,
    NAME_LENGTH_MAX,
    CampaignDraft,
    CampaignKind,
    CampaignTerms,
    Side,
)
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.marketing.campaigns.rules import RuleRow, RuleTable
from hutong.marketing.campaigns.sponsor import SPONSOR_PREFIX
from hutong.marketing.draws.distribution import USUAL
from hutong.marketing.draws.reasons import DrawReason
from hutong.web.form import Form
from hutong.web.institution_desk.moment import moment_ns

FIELDS = (
    *("name", "kind", "side", "joining", "starts", "days", "budget", "holdout", "bands"),
    *("of_day", "place", "place_is", "person", "person_day", "times_all", "times"),
    *("priority", "group", "exclusive", "partial"),
)
# What an editor offers. Money for people is a merchant's own, by a gateway.
OFFERED = tuple(kind for kind in CampaignKind if kind is not CampaignKind.CASH)
ROW_FIELDS = ("when", "off", "percent", "most", "least")
ROWS = 4
_DAY_NS = 86_400 * NS_PER_S
_DAYS_MAX = 366
_PER_CENT_BPS = 100
_TIMES_MAX = 1_000
_PRIORITY_MAX = 1_000
_PARTS = 3  # Of a band's line: its weight, and from what amount to what.


def read_draft(form: Form, now_ns: int, zone: ZoneInfo, sponsors: list[int]) -> CampaignDraft:
    """A campaign as typed. Refuses as `Form` does, RULE_NOT_UNDERSTOOD naming the row, DISTRIBUTION_INVALID."""
    kind = next((each for each in OFFERED if each.value == form.text("kind")), CampaignKind.DISCOUNT)
    side = Side.PAYEE if form.text("side") == Side.PAYEE.value else Side.PAYER
    shares = [(each, _share(form, each)) for each in sponsors]
    rows = [row for number in range(1, ROWS + 1) if (row := _row(form, number)) is not None]
    terms = CampaignTerms(
        rules=RuleTable(rows=tuple(rows)),
        caps=_caps(form),
        holdout_bps=form.number("holdout", most=50) * _PER_CENT_BPS,
        by_joining=form.ticked("joining"),
        partial=form.ticked("partial"),
        priority=_number(form, "priority", _PRIORITY_MAX),
        exclusive=form.ticked("exclusive"),
        group=form.text("group", length_max=NAME_LENGTH_MAX),
        more={"distribution": {"bands": _bands(form.text("bands"))}} if kind is CampaignKind.DRAW else {},
    )
    form.needed("budget", length_max=24)
    starts = moment_ns(form, "starts", zone)
    starts_ns = 0 if starts is None else starts // NS_PER_S * NS_PER_S
    return CampaignDraft(
        id=parse_id(CAMPAIGN_PREFIX, form.needed("id", length_max=40)),
        name=form.needed("name", length_max=NAME_LENGTH_MAX),
        kind=kind,
        side=side,
        sponsors=[(each, share) for each, share in shares if share],
        budget=form.amount("budget"),
        terms=terms,
        starts_ns=starts_ns,
        ends_ns=max(now_ns, starts_ns) + form.number("days", least=1, most=_DAYS_MAX) * _DAY_NS,
    )


def usual_bands() -> str:
    """The usual distribution, as the editor shows it."""

    def shown(amount: int) -> str:
        return format_amount(amount, Currency.CNY)

    return "\n".join(f"{band.weight} {shown(band.low)} {shown(band.high)}" for band in USUAL.bands)


def _caps(form: Form) -> Caps:
    return Caps(
        day=form.amount("of_day"),
        place=form.amount("place"),
        place_is="shop" if form.text("place_is") == "shop" else "city",
        person=form.amount("person"),
        person_day=form.amount("person_day"),
        times=_number(form, "times_all", _TIMES_MAX),
        times_day=_number(form, "times", _TIMES_MAX),
    )


def _number(form: Form, name: str, most: int) -> int:
    return form.number(name, most=most) if form.text(name) else 0


def _share(form: Form, sponsor_id: int) -> int:
    field = id_text(SPONSOR_PREFIX, sponsor_id)
    return form.number(field, most=1_000_000) if form.text(field) else 0


def _row(form: Form, number: int) -> RuleRow | None:
    """A row of the table; None: nothing is in it."""
    if not any(form.text(f"{name}{number}") for name in ROW_FIELDS):
        return None
    percent, least = form.text(f"percent{number}"), form.amount(f"least{number}")
    return RuleRow(
        when=_when(form.text(f"when{number}"), number),
        off=form.amount(f"off{number}"),
        bps=form.number(f"percent{number}", most=100) * _PER_CENT_BPS if percent else 0,
        max=form.amount(f"most{number}"),
        threshold=least,
    )


def _when(text: str, number: int) -> dict[str, str]:
    """Conditions, `field condition`, apart by semicolons. Refuses RULE_NOT_UNDERSTOOD."""
    found = {}
    for each in filter(None, (part.strip() for part in text.split(";"))):
        field, _, condition = each.partition(" ")
        if not condition.strip():
            raise Refusal(CampaignReason.RULE_NOT_UNDERSTOOD, row=number, field=field[:40])
        found[field] = condition.strip()
    return found


def _bands(text: str) -> list[dict[str, int]]:
    """A line for each band: weight, from, to. Refuses DISTRIBUTION_INVALID, the amounts' refusals."""
    found = []
    for number, line in enumerate(filter(None, (line.strip() for line in text.splitlines())), 1):
        parts = line.split()
        if len(parts) != _PARTS or not (parts[0].isascii() and parts[0].isdigit()):
            raise Refusal(DrawReason.DISTRIBUTION_INVALID, band=number, field="bands")
        low, high = (Form({"bands": part}).amount("bands") for part in parts[1:])
        found.append({"weight": int(parts[0]), "low": low, "high": high})
    return found
