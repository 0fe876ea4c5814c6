"""Where and when an offer is good: the conditions of a campaign's rules, as the people read them for whom they are."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from hutong.institution.people.user import Tier
from hutong.marketing.campaigns.rules import RuleRow, RuleTable
from hutong.web.language import Words, phrase

_MONDAY = date(2024, 1, 1)
_COMPARED = re.compile(r"(>=|<=|>|<|==)?\s*(\d+)")
_BETWEEN = re.compile(r"([\[(])\s*(\d+)\s*\.\.\s*(\d+)\s*([\])])")
_TEXT = re.compile(r"'([^']*)'")
_EITHER = " / "
# The standard's groups, and what people call those that most campaigns name.
_TRADES = (
    (5411, 5499, phrase("food shops")),
    (5811, 5814, phrase("restaurants and cafés")),
    (5912, 5912, phrase("pharmacies")),
    (5541, 5542, phrase("petrol stations")),
    (700, 1499, phrase("agricultural services")),
    (1500, 2999, phrase("craftsmen")),
    (3000, 3299, phrase("airlines")),
    (3300, 3499, phrase("car rental")),
    (3500, 3999, phrase("hotels")),
    (4000, 4799, phrase("transport")),
    (4800, 4999, phrase("telephone and utilities")),
    (5000, 5599, phrase("retail shops")),
    (5600, 5699, phrase("clothing shops")),
    (5700, 7299, phrase("other shops and services")),
    (7300, 7999, phrase("services and entertainment")),
    (8000, 8999, phrase("professional services")),
    (9000, 9999, phrase("public services")),
)
_WAYS = {
    "STATIC": phrase("a shop's plate"),
    "DYNAMIC": phrase("a till's code"),
    "PYMTCD": phrase("your payment code"),
    "PERSON": phrase("a person's code"),
}
Span = tuple[int | None, int | None]


def where(_: Words, table: RuleTable, names: Mapping[str, str]) -> list[str]:
    """
    A line for each row that asks for anything, in order: the first that fits decides. None: it is good everywhere.

    `names` are those of the network's institutions, by node.
    """
    return [line for row in table.rows if (line := row_where(_, row, names))]


def row_where(_: Words, row: RuleRow, names: Mapping[str, str]) -> str:
    """When one row fits; empty: always."""
    told = [_said(_, field, condition, names) for field, condition in row.when.items()]
    line = " · ".join(filter(None, told))
    return _("Not: %(where)s", where=line) if line and not row.gives else line


def _said(_: Words, field: str, condition: str, names: Mapping[str, str]) -> str:
    """One condition; empty for what is the reader's own anyway."""
    number = _NUMBERS.get(field)
    if number is not None:
        return _EITHER.join(number(_, span) for span in spans(condition))
    texts = _TEXT.findall(condition)
    match field:
        case "new":
            return _("on your first payment") if condition == "true" else _("behind your first payment")
        case "small":
            return (
                _("at merchants that their institution calls small")
                if condition == "true"
                else _("at merchants that their institution does not call small")
            )
        case "mcc":
            trades = dict.fromkeys(_trade(_, mcc) for mcc in texts)
            return _("at: %(names)s", names=_EITHER.join(trades))
        case "city":
            return _("in %(names)s", names=_EITHER.join(texts))
        case "home_city":
            return _("if you live in %(names)s", names=_EITHER.join(texts))
        case "creditor_agent":
            return _("at merchants of %(names)s", names=_EITHER.join(names.get(each, each) for each in texts))
        case "channel":
            ways = (_(_WAYS[each]) if each in _WAYS else each for each in texts)
            return _("with %(names)s", names=_EITHER.join(ways))
        case "tag":
            return _("at chosen shops")
        case "shop" | "merchant":
            return _chosen(_, texts, names)
        case "segment":
            return _("for chosen customers")
    return ""


def _chosen(_: Words, ids: list[str], names: Mapping[str, str]) -> str:
    """Shops by their ids; those of another institution are told with whose they are: `wei/shp_…`."""
    agents = dict.fromkeys(each.rpartition("/")[0] for each in ids)
    if "" in agents:
        return _("at chosen shops")
    return _("at chosen shops of %(names)s", names=_EITHER.join(names.get(each, each) for each in agents))


def spans(condition: str) -> list[Span]:
    """What a condition of a number lets through: the least and the greatest of each part, None where it is open."""
    found: list[Span] = []
    for part in condition.split(","):
        if between := _BETWEEN.fullmatch(part.strip()):
            opens, low, high, closes = between.groups()
            found.append((int(low) + (opens == "("), int(high) - (closes == ")")))
        elif compared := _COMPARED.fullmatch(part.strip()):
            sign, number = compared[1] or "==", int(compared[2])
            low_end = number + 1 if sign == ">" else number if sign in (">=", "==") else None
            high_end = number - 1 if sign == "<" else number if sign in ("<=", "==") else None
            found.append((low_end, high_end))
    return found


def _amount(_: Words, span: Span) -> str:
    low, high = span
    if low is None or high is None:
        return _("from %(amount)s on", amount=_.money(low)) if low is not None else _up_to(_, high)
    return _.money(low) if low == high else f"{_.money(low)} – {_.money(high)}"


def _up_to(_: Words, high: int | None) -> str:
    return _("up to %(amount)s", amount=_.money(high or 0))


def _tier(_: Words, span: Span) -> str:
    tiers = [each for each in Tier if (span[0] or 0) <= each.value <= (span[1] if span[1] is not None else each.value)]
    return _("tier %(tiers)s", tiers=_EITHER.join(each.name for each in tiers))


def _age(_: Words, span: Span) -> str:
    if span[0] is None:
        return _("within %(days)s %(days:day|days)s of opening your wallet", days=(span[1] or 0) + 1)
    return _("from day %(day)s of your wallet on", day=span[0])


def _weekday(_: Words, span: Span) -> str:
    days = range(max(1, span[0] or 1), min(7, span[1] or 7) + 1)
    return _EITHER.join(_.day(_MONDAY + timedelta(days=day - 1), "EEE") for day in days)


def _hour(_: Words, span: Span) -> str:
    low, high = span[0] or 0, 23 if span[1] is None else span[1]
    return f"{low:02}:00–{high + 1:02}:00"  # A dash as print has it.


def _trade(_: Words, mcc: str) -> str:
    number = int(mcc) if mcc.isdigit() else 0
    return next((_(name) for first, last, name in _TRADES if first <= number <= last), mcc)


_NUMBERS: Mapping[str, Callable[[Words, Span], str]] = {
    "amount": _amount,
    "tier": _tier,
    "age_days": _age,
    "weekday": _weekday,
    "hour": _hour,
}
