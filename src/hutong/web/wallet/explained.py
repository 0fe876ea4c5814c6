"""Why a payment costs what it costs, in the payer's words."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.institution.payments.cashier import Weighed
from hutong.marketing.campaigns.combination import Why
from hutong.web.language import Words, phrase

_WORDS = {
    Why.TAKEN: phrase("Used."),
    Why.TAKEN_IN_PART: phrase("Used in part: at least one fen is paid."),
    Why.GIVES_NOTHING: phrase("Gives nothing on this payment."),
    Why.BELOW_THRESHOLD: phrase("Needs a payment of %(threshold)s: %(missing)s more."),
    Why.BELOW_THRESHOLD_THEN: phrase("Needs %(threshold)s to pay, and the better ones leave %(left)s."),
    Why.GROUP_TAKEN: phrase("Either this or %(instead)s, which gives more."),
    Why.STANDS_ALONE: phrase("Can't be used with others, and they give %(together)s together."),
    Why.OTHER_STANDS_ALONE: phrase("The one used can't be used with others, and gives %(together)s."),
    Why.NOTHING_LEFT: phrase("The others pay all but the last fen."),
    Why.GIVES_LESS: phrase("Would come in the place of something better."),
    Why.BUDGET_SPENT: phrase("What there was of it has been given."),
    Why.PERSON_HAD_IT: phrase("You had as much of it as one person may."),
    Why.NO_DRAW_NOW: phrase("No draw now: you drew today, or the next ones are drawn later in the day."),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was weighed: its name, what it gives, and why."""

    label: str
    gives: int
    could_give: int
    why: str


def explained(_: Words, weighed: Sequence[Weighed]) -> list[Said]:
    """A line for each."""
    return [Said(each.label, each.gives, each.could_give, _why(_, each)) for each in weighed]


def _why(_: Words, weighed: Weighed) -> str:
    said = _WORDS[Why(weighed.why)]
    amounts = {name: _.money(getattr(weighed, name)) for name in ("threshold", "missing", "left", "together")}
    return _(said, **amounts, instead=weighed.instead)
