"""Campaigns in the reader's words: what they give, how they stand, and what may be said of their effect."""

from dataclasses import dataclass

from markupsafe import Markup
from msgspec.structs import replace

from hutong.kernel.money import BPS
from hutong.marketing.campaigns.campaign import Campaign, CampaignKind, CampaignState, CampaignTerms
from hutong.marketing.campaigns.rules import RuleRow
from hutong.marketing.draws.terms import more_of
from hutong.marketing.effects.effect import Effect, Verdict
from hutong.marketing.effects.views import EffectsView
from hutong.marketing.invitations.terms import read_terms
from hutong.web.chart import Series, bars, lines, money_chart
from hutong.web.interval import Interval, drawn
from hutong.web.language import Words, phrase
from hutong.web.offer_wording import row_where, spans

STATES = {
    CampaignState.DRAFT.value: phrase("Draft"),
    CampaignState.FUNDING.value: phrase("Being funded"),
    CampaignState.SCHEDULED.value: phrase("Scheduled"),
    CampaignState.RUNNING.value: phrase("Running"),
    CampaignState.PAUSED.value: phrase("Paused"),
    CampaignState.ENDED.value: phrase("Ended"),
}
TAGS = {CampaignState.RUNNING.value: "good", CampaignState.PAUSED.value: "warn", CampaignState.DRAFT.value: "warn"}
KINDS = {
    CampaignKind.DISCOUNT.value: phrase("Money off"),
    CampaignKind.DRAW.value: phrase("Daily random discount"),
    CampaignKind.COUPON.value: phrase("Coupons"),
    CampaignKind.INVITE.value: phrase("Invitations"),
    CampaignKind.CASH.value: phrase("Money for people"),
}
_DAYS_SHOWN = 31
_EXAMPLE = 2_000


@dataclass(frozen=True, slots=True)
class Said:
    """One effect: its name, its verdict in words, the tag's colour, the figures behind it, and the interval as a picture."""

    name: str
    text: str
    tag: str
    treated: str
    held_out: str
    gross_treated: str  # Before refunds.
    gross_held_out: str
    drawn: Markup
    in_all: str = ""


def gives(_: Words, campaign: Campaign) -> list[str]:
    """What a campaign gives, a sentence for each row that gives anything."""
    return terms_give(_, CampaignKind(campaign.kind), campaign.told)


def terms_give(_: Words, kind: CampaignKind, terms: CampaignTerms) -> list[str]:
    """What such terms give."""
    if kind is CampaignKind.DRAW:
        return [_("By chance, up to %(amount)s a day", amount=_.money(more_of(terms).distribution.highest))]
    if kind is CampaignKind.INVITE:
        return [_("For inviting friends, up to %(amount)s", amount=_.money(read_terms(terms.more).steps[-1].total))]
    return [row_told(_, row) for row in terms.rules.rows if row.gives and (row.off or row.bps)]


def row_told(_: Words, row: RuleRow) -> str:
    """What one row takes off, and where and when."""
    # A threshold says the same of the amount already.
    when = {
        field: condition
        for field, condition in row.when.items()
        if (field, condition) != ("amount", f">= {row.threshold}")
    }
    return " · ".join(filter(None, [row_gives(_, row), row_where(_, replace(row, when=when), {})]))


def example(row: RuleRow) -> tuple[int, int]:
    """A price, and what is left to pay of it."""
    least = [low or 0 for low, _ in spans(row.when.get("amount", ""))]
    price = max([row.threshold, *least[:1]]) or max(_EXAMPLE, 2 * row.off)
    return price, price - row.amount_of(price)


def row_gives(_: Words, row: RuleRow) -> str:
    """What one row takes off."""
    if row.bps:
        percent = _percent(row.bps)
        text = _("%(percent)s off", percent=percent)
        if row.max:
            text = _("%(percent)s off, at most %(amount)s", percent=percent, amount=_.money(row.max))
    else:
        text = _("%(amount)s off", amount=_.money(row.off))
    if row.threshold:
        text += f" · {_('If you pay %(amount)s or more', amount=_.money(row.threshold))}"
    return text


def _percent(bps: int) -> str:
    whole, part = divmod(bps, BPS // 100)
    return f"{whole}.{part:02}".rstrip("0").rstrip(".") + "%"


def said_effects(_: Words, view: EffectsView) -> list[Said]:
    """Payments and amounts, against those who were held out."""
    return [
        _said(_, _("Number of payments"), view.payments, view.gross_payments, money=False),
        _said(_, _("Amount"), view.amount, view.gross_amount, money=True),
    ]


def _said(_: Words, name: str, effect: Effect, gross: Effect, *, money: bool) -> Said:
    def shown(thousandths: int, *, signed: bool = False) -> str:
        if money:
            return _.money(round(thousandths / 1000), signed=signed)
        return f"{thousandths / 1000:+.2f}".replace("-", "−") if signed else f"{thousandths / 1000:.2f}"

    def ends(thousandths: int) -> str:
        return shown(thousandths, signed=True)

    with_it, without = shown(effect.treated_mean), shown(effect.held_out_mean)
    gross_with_it, gross_without = shown(gross.treated_mean), shown(gross.held_out_mean)
    between = {"low": ends(effect.low), "high": ends(effect.high)}
    match effect.verdict:
        case Verdict.TOO_FEW:
            text, tag = _("Too few to say"), ""
            return Said(name, text, tag, with_it, without, gross_with_it, gross_without, Markup())
        case Verdict.NOT_SEEN:
            text, tag = _("No difference beyond chance: between %(low)s and %(high)s", **between), ""
        case _:
            difference = ends(effect.difference)
            text = _("%(difference)s, most likely; between %(low)s and %(high)s", difference=difference, **between)
            tag = "good" if effect.verdict is Verdict.MORE else "bad"
    picture = drawn(Interval(effect.low, effect.difference, effect.high, ends, tag, f"{name}: {text}"))
    in_all = (
        _(
            "In all about %(extra)s",
            extra=ends(effect.extra * 1000) if money else f"{effect.extra:+,}".replace("-", "−"),
        )
        if tag
        else ""
    )
    return Said(name, text, tag, with_it, without, gross_with_it, gross_without, picture, in_all)


def by_day(_: Words, view: EffectsView) -> str:
    """What each day gave, as bars; nothing where nothing was given."""
    days = view.days[-_DAYS_SHOWN:]
    if not days:
        return ""
    labels = [_.day(each.day, "MM-dd") for each in days]
    return bars(_, money_chart(_, _("Given by day"), labels, [Series(_("Given"), [each.given for each in days])]))


def against_plan(_: Words, labels: list[str], planned: list[int], given: list[int]) -> str:
    """A day's draws against their plan, as lines."""
    series = [Series(_("Given"), given), Series(_("Planned"), planned)]
    return lines(_, money_chart(_, _("Today against the plan"), labels, series))
