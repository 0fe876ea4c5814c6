"""The terms of inviting: policy data of a campaign, read strictly."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Any

import msgspec

from hutong.kernel.clock import NS_PER_DAY, NS_PER_HOUR
from hutong.kernel.errors import Refusal
from hutong.marketing.invitations.reasons import InvitationReason

PERSON_MAX = 28_800  # CNY 288, unless the terms say otherwise.
STEPS_MAX = 100

Count = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Fen = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many friends bring so much in all, in minor units."""

    friends: Annotated[int, msgspec.Meta(ge=1, le=STEPS_MAX)]
    total: Fen


class InvitationTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is shipped, with what the campaign says otherwise."""

    version: str
    steps: Annotated[Sequence[Step], msgspec.Meta(min_length=1, max_length=STEPS_MAX)]
    person_max: Fen = PERSON_MAX
    amount_min: Annotated[
        int, msgspec.Meta(ge=1, le=1_000_000_000)
    ]  # What the friend pays at least, discounts not counted.
    tier_min: Annotated[int, msgspec.Meta(ge=1, le=3)]
    accept_days: Count  # So long after registering, and before the first payment, a code may still be given.
    qualify_days: Count  # Within so many days of joining the friend makes the qualifying payment.
    hold_hours: Annotated[int, msgspec.Meta(ge=0, le=2400)]
    appeal_days: Count
    refuse_at: Count  # Signals that together weigh so much refuse a reward.
    weights: Mapping[str, Annotated[int, msgspec.Meta(ge=0, le=10_000)]]  # By signal.
    velocity_friends: Count  # More than so many who joined ...
    velocity_s: Count  # ... within so many seconds are too many.
    neighbours: Count  # So many friends, this one included, who joined from one address.
    regulars: Count  # From so many friends on it says something that nearly all first paid one merchant.

    @property
    def friends_max(self) -> int:
        """How many friends count."""
        return self.steps[-1].friends

    @property
    def hold_ns(self) -> int:
        return self.hold_hours * NS_PER_HOUR

    @property
    def accept_ns(self) -> int:
        return self.accept_days * NS_PER_DAY

    @property
    def qualify_ns(self) -> int:
        return self.qualify_days * NS_PER_DAY

    @property
    def appeal_ns(self) -> int:
        return self.appeal_days * NS_PER_DAY

    def total(self, friends: int) -> int:
        """What so many friends bring in all."""
        return max((step.total for step in self.steps if step.friends <= friends), default=0)


def read_terms(said: Mapping[str, Any]) -> InvitationTerms:
    """
    What a campaign says of inviting, over what is shipped; of `weights` each signal by itself: who weighs one anew leaves the others
    as they are. Refuses INVITATION_TERMS_INVALID, saying where.
    """
    shipped = _shipped()
    merged = {**shipped, **said}
    if isinstance(weights := said.get("weights"), Mapping):
        merged["weights"] = {**shipped["weights"], **weights}
    try:
        terms = msgspec.convert(merged, InvitationTerms)
    except msgspec.ValidationError as error:
        raise Refusal(InvitationReason.INVITATION_TERMS_INVALID, problem=str(error)) from None
    for before, after in pairwise(terms.steps):
        if after.friends <= before.friends or after.total <= before.total:
            raise Refusal(InvitationReason.INVITATION_TERMS_INVALID, field="steps", problem="steps must rise")
    if terms.steps[-1].total > terms.person_max:
        raise Refusal(InvitationReason.INVITATION_TERMS_INVALID, field="steps", problem="more than person_max")
    return terms


def check_terms(said: Mapping[str, Any]) -> InvitationTerms:
    """The same of terms that somebody writes down now: a signal that there is not is refused, too, and not passed over."""
    terms = read_terms(said)
    unknown = sorted(terms.weights.keys() - _shipped()["weights"].keys())
    if unknown:
        problem = f"no such signal: {', '.join(unknown)}"[:200]
        raise Refusal(InvitationReason.INVITATION_TERMS_INVALID, field="weights", problem=problem)
    return terms


@cache
def _shipped() -> Mapping[str, Any]:
    text = files("hutong.marketing.invitations").joinpath("terms.json").read_bytes()
    found: dict[str, Any] = msgspec.json.decode(text)
    return found
