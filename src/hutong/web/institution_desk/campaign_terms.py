"""What a campaign's terms say, in the reader's words: who pays which part, each budget inside it, its rules, what it stands beside."""

from typing import NamedTuple

from hutong.kernel.money import BPS
from hutong.marketing.campaigns.campaign import Campaign, Side
from hutong.marketing.campaigns.sponsor_service import SponsorService
from hutong.web.campaign_wording import row_gives
from hutong.web.language import Words, phrase

# What a row may ask, as `rules.FIELDS` names it, with an example and what it is.
ASKED = {
    "new": ("new true", phrase("has never paid from this wallet")),
    "tier": ("tier >= 2", phrase("the payer's real-name tier")),
    "age_days": ("age_days < 30", phrase("days since the registration")),
    "segment": ("segment 'student', 'driver'", phrase("words kept for a person: any of them")),
    "home_city": ("home_city '上海'", phrase("the city where the payer lives")),
    "mcc": ("mcc '5812', '5814'", phrase("the merchant's category")),
    "city": ("city '上海'", phrase("the shop's city, as its institution says")),
    "small": ("small true", phrase("small merchants alone; elsewhere, if their institution says so")),
    "tag": (
        "tag 'old-town'",
        phrase("words kept for a merchant: any of them; elsewhere, those its institution shares"),
    ),
    "shop": ("shop 'shp_…'", phrase("one shop, by its id; of another institution wei/shp_…")),
    "merchant": ("merchant 'mer_…'", phrase("one merchant, by its id; of another institution wei/mer_…")),
    "amount": ("amount [1000..5000)", phrase("the price, in fen")),
    "channel": ("channel 'STATIC'", phrase("what was scanned: STATIC, DYNAMIC, PYMTCD, PERSON")),
    "debtor_agent": ("debtor_agent 'jing'", phrase("the payer's institution")),
    "creditor_agent": ("creditor_agent 'wei'", phrase("the payee's institution")),
    "weekday": ("weekday 6, 7", phrase("1 is Monday")),
    "hour": ("hour [7..10)", phrase("of the day, 0 to 23")),
}


class Row(NamedTuple):
    """One row of the rules: when it fits, and what it gives."""

    when: str
    gives: str


class Version(NamedTuple):
    """Terms as they once stood."""

    number: int
    since_ns: int
    terms: list[tuple[str, str]]
    rules: list[Row]


def version_told(_: Words, campaign: Campaign, sponsors: SponsorService, only: int = 0) -> Version:
    """A version of a campaign, to be read beside the awards that name it; `only` as in `terms_told`."""
    terms = terms_told(_, campaign, sponsors, only)
    return Version(campaign.version, campaign.changed_ns, terms, rules_told(_, campaign))


def terms_told(_: Words, campaign: Campaign, sponsors: SponsorService, only: int = 0) -> list[tuple[str, str]]:
    """Everything but the rules: a name and what it is. `only` this sponsor's part is told, where it is one that reads it."""
    terms, caps = campaign.told, campaign.told.caps
    paid = [
        _("%(name)s: %(amount)s", name=sponsors.sponsor(sponsor_id).name, amount=_.money(amount))
        for sponsor_id, amount in campaign.parts()
        if only in (0, sponsor_id)
    ]
    place = _("In one city on one day") if caps.place_is == "city" else _("In one shop on one day")
    budgets = [
        (_("On one day"), caps.day),
        (place, caps.place),
        (_("For one person in all"), caps.person),
        (_("For one person on one day"), caps.person_day),
    ]
    times = [(_("Times a person, in all"), caps.times), (_("Times a person and day"), caps.times_day)]
    beside = [
        _("Stands alone") if terms.exclusive else "",
        _("One of the group %(group)s", group=terms.group) if terms.group else "",
        _("Priority %(number)s", number=terms.priority) if terms.priority else "",
        _("Gives what is left where a budget has less") if terms.partial else "",
    ]
    side = _("Our people, wherever they pay") if campaign.side == Side.PAYER else _("Whoever pays at our merchants")
    found = [
        (_("Who gets it"), side),
        (_("Who pays"), " · ".join(paid)),
        *((name, _.money(amount)) for name, amount in budgets if amount),
        *((name, str(number)) for name, number in times if number),
        (_("Held out, per cent"), f"{terms.holdout_bps * 100 / BPS:g}"),
        (_("Beside others"), " · ".join(filter(None, beside))),
        (_("Version"), str(campaign.version)),
    ]
    return [(name, text) for name, text in found if text]


def rules_told(_: Words, campaign: Campaign) -> list[Row]:
    """The decision table, in order: the first row that fits decides."""
    return [
        Row(
            "; ".join(f"{field} {condition}" for field, condition in row.when.items()),
            row_gives(_, row) if row.gives and (row.off or row.bps) else "" if row.gives else _("Nothing"),
        )
        for row in campaign.told.rules.rows
    ]
