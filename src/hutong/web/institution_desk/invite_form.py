"""What an editor asks of a campaign that rewards inviting: its steps, who counts, how long rewards wait, what speaks against them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, format_amount
from hutong.marketing.invitations.terms import STEPS_MAX, read_terms
from hutong.web.form import Form, FormReason
from hutong.web.language import phrase

STEPS = 8  # More of them an editor shows once there are.
_AMOUNTS = ("person_max", "amount_min")
_AMOUNT_MAX = 1_000_000_000


class Asked(NamedTuple):
    """A number that is asked: what it is, and its bounds."""

    what: str
    least: int
    most: int


NUMBERS = {
    "accept_days": Asked(phrase("Days after registering in which a code may be given"), 1, 10_000),
    "qualify_days": Asked(phrase("Days after joining in which the friend has to pay"), 1, 10_000),
    "hold_hours": Asked(phrase("Hours for which a reward is held and looked at"), 0, 2_400),
    "appeal_days": Asked(phrase("Days for an appeal"), 1, 10_000),
    "refuse_at": Asked(phrase("Signals that together weigh so much refuse a reward"), 1, 10_000),
    "velocity_friends": Asked(phrase("Many friends at once: more than"), 1, 10_000),
    "velocity_s": Asked(phrase("within so many seconds"), 1, 10_000),
    "neighbours": Asked(phrase("Same address: from so many friends on"), 1, 10_000),
    "regulars": Asked(phrase("All at one merchant: from so many friends on"), 1, 10_000),
}
SIGNALS = {
    "SHARED_DEVICE": phrase("Same phone or browser"),
    "SHARED_FUNDING": phrase("Same account at a bank"),
    "FUNDED_BY_CIRCLE": phrase("Paid with the inviter's money"),
    "RING": phrase("A ring back to the inviter"),
    "DENSE_CIRCLE": phrase("Friends all pay each other"),
    "REFUND_AFTER_REWARD": phrase("Refunds behind rewards"),
    "VELOCITY": phrase("Many friends at once"),
    "SAME_ADDRESS": phrase("Same address"),
    "SAME_SHOP": phrase("All at one merchant"),
}
TIERS = {"1": phrase("Class 1"), "2": phrase("Class 2"), "3": phrase("Class 3")}


def inviting_fields(steps: int) -> tuple[str, ...]:
    """The names of its fields, with so many lines of steps."""
    weights = [f"weight_{name}" for name in SIGNALS]
    lines = [f"{name}{number}" for number in range(1, steps + 1) for name in ("friends", "total")]
    return ("steps", "tier_min", *_AMOUNTS, *NUMBERS, *weights, *lines)


def steps_of(form: Form) -> int:
    """How many lines of steps this form has."""
    return form.number("steps", least=STEPS, most=STEPS_MAX) if form.text("steps") else STEPS


def inviting_typed(said: Mapping[str, Any]) -> dict[str, str]:
    """Terms of inviting as an editor would have them typed; what a campaign does not say is as it usually is."""
    terms = read_terms(said)
    typed = {name: str(getattr(terms, name)) for name in ("tier_min", *NUMBERS)}
    typed |= {name: major(getattr(terms, name)) for name in _AMOUNTS}
    typed |= {f"weight_{name}": str(terms.weights.get(name, 0)) for name in SIGNALS}
    for number, step in enumerate(terms.steps, 1):
        typed |= {f"friends{number}": str(step.friends), f"total{number}": major(step.total)}
    return typed | {"steps": str(max(STEPS, len(terms.steps) + 1))}


def read_inviting(form: Form) -> dict[str, Any]:
    """
    Terms of inviting as typed.

    Refuses as `Form` does; a step that is not above the one before, or brings more than a person may have at most.
    """
    person_max, before = _amount(form, "person_max", 1, _AMOUNT_MAX), (0, 0)
    steps = []
    for number in range(1, steps_of(form) + 1):
        friends, total = f"friends{number}", f"total{number}"
        if form.text(friends) or form.text(total):
            count = form.number(friends, least=before[0] + 1, most=STEPS_MAX)
            before = count, _amount(form, total, before[1] + 1, person_max)
            steps.append({"friends": before[0], "total": before[1]})
    if not steps:
        raise Refusal(FormReason.FIELD_EMPTY, field="friends1")
    said: dict[str, Any] = {name: form.number(name, least=each.least, most=each.most) for name, each in NUMBERS.items()}
    said |= {"person_max": person_max, "amount_min": _amount(form, "amount_min", 1, _AMOUNT_MAX)}
    weights = {name: form.number(f"weight_{name}", most=10_000) for name in SIGNALS}
    return said | {"steps": steps, "tier_min": form.number("tier_min", least=1, most=3), "weights": weights}


def major(minor: int) -> str:
    """An amount as it is typed; empty: none."""
    return format_amount(minor, Currency.CNY) if minor else ""


def _amount(form: Form, name: str, least: int, most: int) -> int:
    form.needed(name, length_max=24)
    found = form.amount(name)
    if not least <= found <= most:
        raise Refusal(FormReason.AMOUNT_OUT_OF_BOUNDS, field=name, amount_min=least, amount_max=most)
    return found
