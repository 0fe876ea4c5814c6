"""The three steps of a corner shop's campaign: what was typed, read as a campaign and, where it gives coupons, as one of these."""

from typing import NamedTuple

from msgspec.structs import replace

from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS
from hutong.kernel.money import Currency, format_amount
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import NAME_LENGTH_MAX, Campaign, CampaignKind, CampaignState, CampaignTerms
from hutong.marketing.campaigns.rules import RuleRow, RuleTable
from hutong.marketing.campaigns.views import DraftOwnCampaign
from hutong.marketing.coupons.template import NAME_LENGTH_MAX as COUPON_NAME_LENGTH_MAX
from hutong.marketing.coupons.template import STOCK_MAX, CodeKind, CouponKind, CouponTerms
from hutong.marketing.coupons.validity import Hours, Validity
from hutong.web.form import Form
from hutong.web.language import phrase

FIELDS = ("name", "kind", "off", "percent", "most", "least", "way", "count", "hours", "days", "budget", "of_day")
USUAL = {"kind": "amount", "days": "14", "count": "100"}
DAYS = (7, 14, 30, 90)
HOURS = {
    "": phrase("All day"),
    "[6..10)": phrase("Breakfast, 6 to 10"),
    "[10..14)": phrase("Lunch, 10 to 14"),
    "[14..17)": phrase("Afternoon, 14 to 17"),
    "[17..22)": phrase("Evening, 17 to 22"),
}
WAYS = {
    "": phrase("By itself, whoever pays"),
    CodeKind.NONE.value: phrase("As a coupon that they take in their wallet"),
    CodeKind.UNIQUE.value: phrase("As a coupon, by a code that you give them"),
}
_BPS_OF_PERCENT = 100
_MINUTES = 60


class Wanted(NamedTuple):
    """A campaign, and the coupon that it gives, if it gives coupons."""

    draft: DraftOwnCampaign
    coupon: CouponTerms | None
    stock: int


def read_own(form: Form, now_ns: int, currency: str) -> Wanted:
    """What was typed. Refuses as `Form` does."""
    name, way = form.needed("name", length_max=NAME_LENGTH_MAX), form.text("way", length_max=10)
    is_coupon = bool(way) and way in WAYS
    row = read_row(form, currency)
    form.needed("budget", length_max=24)
    days = form.number("days", least=1, most=max(DAYS))
    ends_at_ms = (now_ns + days * NS_PER_DAY) // NS_PER_MS
    rules = RuleTable() if is_coupon else RuleTable(rows=(row,))
    draft = DraftOwnCampaign(
        campaign_id=form.needed("id", length_max=40),
        name=name,
        kind=CampaignKind.COUPON.value if is_coupon else CampaignKind.DISCOUNT.value,
        budget=form.amount("budget", currency),
        terms=CampaignTerms(rules=rules, caps=Caps(day=form.amount("of_day", currency)), partial=False),
        ends_at_ms=ends_at_ms,
    )
    if not is_coupon:
        return Wanted(draft, None, 0)
    form.text("name", length_max=COUPON_NAME_LENGTH_MAX)
    return Wanted(draft, _coupon(form, row, CodeKind(way), ends_at_ms), form.number("count", least=1, most=STOCK_MAX))


def read_terms(form: Form, campaign: Campaign, currency: str) -> CampaignTerms:
    """A campaign's terms as typed anew; what the three steps don't ask stays as it is. Refuses as `Form` does."""
    kept = campaign.told
    caps = replace(kept.caps, day=form.amount("of_day", currency))
    if campaign.kind == CampaignKind.COUPON:
        return replace(kept, caps=caps)
    row = replace(read_row(form, currency), why=kept.rules.rows[0].why)
    return replace(kept, rules=RuleTable(rows=(row,)), caps=caps)


def revisable(campaign: Campaign) -> dict[str, str] | None:
    """Its terms as the three steps would have said them; None: they say more than these can."""
    terms = campaign.told
    typed = {"of_day": _major(terms.caps.day)}
    if campaign.state == CampaignState.ENDED:
        return None
    if campaign.kind == CampaignKind.COUPON:
        return typed
    if campaign.kind != CampaignKind.DISCOUNT or len(terms.rules.rows) != 1:
        return None
    (row,) = terms.rules.rows
    percent, rest = divmod(row.bps, _BPS_OF_PERCENT)
    typed |= {
        "kind": "percent" if row.bps else "amount",
        "off": _major(row.off),
        "percent": str(percent) if percent else "",
        "most": _major(row.max),
        "least": _major(row.threshold),
        "hours": row.when.get("hour", ""),
    }
    if rest or (row.bps and row.off) or typed["hours"] not in HOURS:
        return None
    said = dict(row.when)
    said.pop("hour", None)
    return typed if said in ({}, {"amount": f">= {row.threshold}"}) else None


def read_row(form: Form, currency: str) -> RuleRow:
    """What customers get. Refuses as `Form` does."""
    least = form.amount("least", currency)
    hours = form.text("hours", length_max=10)
    when = ({"amount": f">= {least}"} if least else {}) | ({"hour": hours} if hours in HOURS and hours else {})
    if form.text("kind") == "percent":
        bps = form.number("percent", least=1, most=99) * _BPS_OF_PERCENT
        return RuleRow(when=when, bps=bps, max=form.amount("most", currency), threshold=least)
    form.needed("off", length_max=24)
    return RuleRow(when=when, off=form.amount("off", currency), threshold=least)


def _major(minor: int) -> str:
    """As it is typed; empty: none."""
    return format_amount(minor, Currency.CNY) if minor else ""


def _coupon(form: Form, row: RuleRow, code: CodeKind, ends_at_ms: int) -> CouponTerms:
    """The same as a coupon, good until its campaign ends."""
    terms = CouponTerms(
        kind=CouponKind.PERCENT_OFF if row.bps else CouponKind.AMOUNT_OFF,
        amount_off=row.off,
        percent_off_bps=row.bps,
        cap=row.max,
        threshold=row.threshold,
        validity=Validity(until_ms=ends_at_ms),
        code=code,
    )
    if not row.when.get("hour"):
        return terms
    first, _, last = form.text("hours").strip("[)").partition("..")
    hours = (Hours(int(first) * _MINUTES, int(last) * _MINUTES),)
    return replace(terms, validity=replace(terms.validity, hours=hours))
