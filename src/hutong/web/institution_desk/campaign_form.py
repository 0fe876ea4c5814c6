"""The editor of campaigns: what was typed, read as terms."""

from zoneinfo import ZoneInfo

from msgspec.structs import replace

from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.merchants.views import MERCHANT_PREFIX
from hutong.kernel.clock import NS_PER_DAY, NS_PER_S
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
from hutong.marketing.campaigns.rules import ROWS_MAX, RuleRow, RuleTable
from hutong.marketing.campaigns.sponsor import SPONSOR_PREFIX, merchant_sponsor_id
from hutong.marketing.draws.distribution import Distribution
from hutong.marketing.draws.reasons import DrawReason
from hutong.marketing.draws.terms import more_of
from hutong.web.form import Form, FormReason
from hutong.web.institution_desk.invite_form import inviting_typed, major, read_inviting
from hutong.web.institution_desk.moment import moment_ns

FIELDS = (
    *("name", "kind", "side", "joining", "starts", "days", "budget", "holdout", "bands"),
    *("of_day", "place", "place_is", "person", "person_day", "times_all", "times"),
    *("priority", "group", "exclusive", "partial"),
    *("merchant", "merchant_parts"),
)
# What an editor offers. Money for people is a merchant's own, by a gateway.
OFFERED = tuple(kind for kind in CampaignKind if kind is not CampaignKind.CASH)
ROW_FIELDS = ("when", "off", "percent", "most", "least", "nothing")
ROWS = 4
# What a refusal calls the fields of the terms, as the editor does.
_FIELDS = {
    "rules": "off1",
    "caps.day": "of_day",
    "caps.person": "person",
    "holdout_bps": "holdout",
    "more": "bands",
    "ends_at": "days",
}
_OF_ROW = {"off": "off", "bps": "percent", "max": "most", "threshold": "least"}
_DAYS_MAX = 366
_PER_CENT_BPS = 100
_TIMES_MAX = 1_000
_PRIORITY_MAX = 1_000
_PARTS_MAX = 1_000_000
_PARTS = 3  # Of a band's line: its weight, and from what amount to what.


def read_draft(form: Form, now_ns: int, zone: ZoneInfo, sponsors: list[int]) -> CampaignDraft:
    """A campaign as typed. Refuses as `Form` does, RULE_NOT_UNDERSTOOD naming the row, DISTRIBUTION_INVALID."""
    kind = next((each for each in OFFERED if each.value == form.text("kind")), CampaignKind.DISCOUNT)
    side = Side.PAYEE if form.text("side") == Side.PAYEE.value else Side.PAYER
    shares = [(each, _share(form, each)) for each in sponsors]
    if merchant := sharing_merchant(form):
        shares.append((merchant_sponsor_id(merchant), form.number("merchant_parts", least=1, most=_PARTS_MAX)))
    terms = read_terms(form, kind)
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
        ends_ns=max(now_ns, starts_ns) + form.number("days", least=1, most=_DAYS_MAX) * NS_PER_DAY,
    )


def sharing_merchant(form: Form) -> int:
    """The merchant that is to pay a part; 0: none. Refuses MERCHANT_UNKNOWN for what is no merchant's id."""
    text = form.text("merchant", length_max=40)
    if not text:
        return 0
    try:
        return parse_id(MERCHANT_PREFIX, text)
    except Refusal as refusal:
        raise Refusal(MerchantReason.MERCHANT_UNKNOWN, field="merchant") from refusal


def read_terms(form: Form, kind: CampaignKind, kept: CampaignTerms | None = None) -> CampaignTerms:
    """Terms as typed; what the editor does not ask stays as `kept` has it. Refuses as `read_draft`."""
    kept = kept or CampaignTerms()
    known = kept.rules.rows
    typed = [(number, _row(form, number)) for number in range(1, rows_of(form) + 1)]
    # What a row is called is asked nowhere: it keeps its name.
    rows = [
        replace(row, why=known[number - 1].why if number <= len(known) else "")
        for number, row in typed
        if row is not None
    ]
    more = kept.more
    if kind is CampaignKind.DRAW:
        more = more | {"distribution": {"bands": _bands(form.text("bands"))}}
    elif kind is CampaignKind.INVITE:
        more = more | read_inviting(form)
    return replace(
        kept,
        rules=RuleTable(rows=tuple(rows)),
        caps=_caps(form),
        holdout_bps=form.amount("holdout"),  # Per cent with two decimals: as many basis points.
        by_joining=form.ticked("joining"),
        partial=form.ticked("partial"),
        priority=_number(form, "priority", _PRIORITY_MAX),
        exclusive=form.ticked("exclusive"),
        group=form.text("group", length_max=NAME_LENGTH_MAX),
        more=more,
    )


def typed_of(terms: CampaignTerms, kind: CampaignKind) -> dict[str, str]:
    """Terms as the editor would have them typed."""
    caps, rows = terms.caps, terms.rules.rows
    typed = {
        "holdout": _hundredth(terms.holdout_bps) or "0",
        "joining": _tick(terms.by_joining),
        "partial": _tick(terms.partial),
        "exclusive": _tick(terms.exclusive),
        "priority": str(terms.priority or ""),
        "group": terms.group,
        "of_day": major(caps.day),
        "place": major(caps.place),
        "place_is": caps.place_is,
        "person": major(caps.person),
        "person_day": major(caps.person_day),
        "times_all": str(caps.times or ""),
        "times": str(caps.times_day or ""),
        "rows": str(max(ROWS, len(rows) + 1)),
    }
    for number, row in enumerate(rows, 1):
        typed |= {
            f"when{number}": "; ".join(f"{field} {condition}" for field, condition in row.when.items()),
            f"off{number}": major(row.off),
            f"percent{number}": _hundredth(row.bps),
            f"most{number}": major(row.max),
            f"least{number}": major(row.threshold),
            f"nothing{number}": _tick(not row.gives),
        }
    if kind is CampaignKind.DRAW:
        typed["bands"] = bands_text(more_of(terms).distribution)
    if kind is CampaignKind.INVITE:
        typed |= inviting_typed(terms.more)
    return typed


def rows_of(form: Form) -> int:
    """How many rows this form has."""
    return form.number("rows", least=ROWS, most=ROWS_MAX) if form.text("rows") else ROWS


def bands_text(distribution: Distribution) -> str:
    """A distribution, as the editor shows it."""

    def shown(amount: int) -> str:
        return format_amount(amount, Currency.CNY)

    return "\n".join(f"{band.weight} {shown(band.low)} {shown(band.high)}" for band in distribution.bands)


def at_field(refusal: Refusal) -> Refusal:
    """The same no, said of a field of the editor."""
    named, row = str(refusal.facts.get("field", "")), refusal.facts.get("row")
    if refusal.reason is CampaignReason.RULE_NOT_UNDERSTOOD:
        within = _OF_ROW.get(named, "when")
        return Refusal(refusal.reason, **(refusal.facts | {"field": f"{within}{row}"}))
    return Refusal(refusal.reason, **(refusal.facts | {"field": _FIELDS.get(named, named)}))


def _tick(on: bool) -> str:  # noqa: FBT001  # A box.
    return "1" if on else ""


def _hundredth(bps: int) -> str:
    """Basis points as per cent: 1,250 is 12.5; none is empty."""
    return f"{bps / _PER_CENT_BPS:g}" if bps else ""


def _percent(form: Form, name: str, most: int) -> int:
    """Basis points, of per cent with two decimals at most."""
    bps = form.amount(name)
    if bps > most * _PER_CENT_BPS:
        raise Refusal(FormReason.NUMBER_OUT_OF_RANGE, field=name, least=0, most=most)
    return bps


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
    return form.number(field, most=_PARTS_MAX) if form.text(field) else 0


def _row(form: Form, number: int) -> RuleRow | None:
    """A row of the table; None: nothing is in it."""
    if not any(form.text(f"{name}{number}") for name in ROW_FIELDS):
        return None
    return RuleRow(
        when=_when(form.text(f"when{number}"), number),
        off=form.amount(f"off{number}"),
        bps=_percent(form, f"percent{number}", 100),
        gives=not form.ticked(f"nothing{number}"),
        max=form.amount(f"most{number}"),
        threshold=form.amount(f"least{number}"),
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
