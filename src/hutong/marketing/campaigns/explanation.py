"""Why a payment gets what it gets: everything that fits it, with what each gives, and why the rest was not taken."""

from collections.abc import Iterable, Sequence

from hutong.institution.payments.cashier import Weighed
from hutong.marketing.campaigns.benefit import Benefit
from hutong.marketing.campaigns.budget import Level
from hutong.marketing.campaigns.campaign import Campaign
from hutong.marketing.campaigns.combination import Combination, Why


def explanation(
    offered: Sequence[Benefit],
    combination: Combination | None,
    over: Iterable[Benefit],
    closed: Iterable[tuple[Campaign, Level]],
    undrawn: Iterable[Campaign],
) -> list[Weighed]:
    """
    In the order of what they give.

    `combination` chose among `offered`; `over` are benefits that their budgets have no room for, `closed` campaigns that have
    none for anything, and `undrawn` those whose draw gives nothing now.
    """
    found = [_weighed(each, offered) for each in combination.explained] if combination is not None else []
    found += [
        _none(each.label, each.source, Why.BUDGET_SPENT if each.amount > 0 else Why.GIVES_NOTHING, each.amount)
        for each in over
    ]
    found += [
        _none(each.name, "campaign", Why.PERSON_HAD_IT if level is Level.PERSON else Why.BUDGET_SPENT)
        for each, level in closed
    ]
    found += [_none(each.name, "draw", Why.NO_DRAW_NOW) for each in undrawn]
    return sorted(found, key=lambda each: (-each.gives, -each.could_give))


def _weighed(told: dict[str, object], offered: Sequence[Benefit]) -> Weighed:
    def number(name: str) -> int:
        value = told.get(name, 0)
        assert isinstance(value, int)
        return value

    instead = next(
        (
            each.label
            for each in offered
            if (each.campaign_id, each.source_id) == (told.get("by_campaign_id"), told.get("by_source_id"))
        ),
        "",
    )
    return Weighed(
        label=str(told["label"]),
        source=str(told["source"]),
        could_give=number("could_give"),
        gives=number("gives"),
        why=str(told["why"]),
        threshold=number("threshold"),
        missing=number("missing"),
        left=number("left"),
        together=number("together") or number("alone"),
        instead=instead,
    )


def _none(label: str, source: str, why: Why, could_give: int = 0) -> Weighed:
    return Weighed(label=label, source=source, could_give=could_give, gives=0, why=why.value)
