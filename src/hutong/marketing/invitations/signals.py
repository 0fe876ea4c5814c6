"""
Signs of collusion: each is a pure function of a circle, and says what it saw.

None of them is proof. What they weigh is policy (`InvitationTerms.weights`); together they refuse from `refuse_at` on, and an operator
who hears an appeal sees what each saw.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.ids import id_text
from hutong.marketing.invitations.circle import NOTHING, Circle, pairs_that_paid, way_back
from hutong.marketing.invitations.terms import InvitationTerms

_DENSE_FRIENDS_MIN = 3
_FACTS_MAX = 10


class Signal(msgspec.Struct, frozen=True):
    """What one of them saw, and what that weighs."""

    name: str
    weight: int
    facts: Mapping[str, Any]


Facts = dict[str, Any] | None
Look = Callable[[Circle, InvitationTerms], Facts]


def shared_device(circle: Circle, _: InvitationTerms) -> Facts:
    """The friend uses a phone or browser that the inviter, or another friend of the inviter's, uses, too."""
    return _shared(circle, circle.devices)


def shared_funding(circle: Circle, _: InvitationTerms) -> Facts:
    """The friend ever linked an account that the inviter, or another friend of the inviter's, ever linked."""
    return _shared(circle, circle.funding)


def funded_by_circle(circle: Circle, _: InvitationTerms) -> Facts:
    """What the friend paid with came from the inviter or the inviter's other friends."""
    givers = {circle.inviter_id, *circle.others}
    given = [
        each
        for each in circle.payments
        if each.payee_id == circle.friend_id and each.payer_id in givers and each.at_ns <= circle.paid_at_ns
    ]
    amount = sum(each.amount for each in given)
    if not circle.paid or amount < circle.paid:
        return None
    return {"amount": amount, "by": _people(each.payer_id for each in given)}


def ring(circle: Circle, _: InvitationTerms) -> Facts:
    """Money or invitations lead from the friend back to the inviter, by way of others."""
    way = way_back(circle)
    return {"way": [id_text("usr", each) for each in way[:_FACTS_MAX]]} if way else None


def dense_circle(circle: Circle, _: InvitationTerms) -> Facts:
    """At least half of the pairs of the inviter's friends paid each other: people brought one by one seldom know each other so."""
    count = len(circle.friends)
    pairs = pairs_that_paid(circle)
    if count < _DENSE_FRIENDS_MIN or 4 * pairs < count * (count - 1):
        return None
    return {"friends": count, "pairs": pairs}


def refund_after_reward(circle: Circle, _: InvitationTerms) -> Facts:
    """Friends of this inviter were paid for, and then had their payments given back."""
    return {"friends": _people(circle.refunded)} if circle.refunded else None


def velocity(circle: Circle, terms: InvitationTerms) -> Facts:
    """More friends of this inviter joined around the same time than people bring."""
    times = sorted(circle.joined_ns.values())
    window_ns = terms.velocity_s * NS_PER_S
    mine = circle.joined_ns.get(circle.friend_id)
    if mine is None:
        return None
    most = max(
        sum(begin <= each < begin + window_ns for each in times) for begin in times if begin <= mine < begin + window_ns
    )
    return {"friends": most, "within_s": terms.velocity_s} if most > terms.velocity_friends else None


def same_address(circle: Circle, terms: InvitationTerms) -> Facts:
    """Several friends of this inviter registered from one address. A family does, too: it weighs little alone."""
    place = circle.places.get(circle.friend_id)
    if place is None:
        return None
    here = [each for each in circle.friends if circle.places.get(each) == place]
    return {"friends": len(here)} if len(here) >= terms.neighbours else None


def same_shop(circle: Circle, terms: InvitationTerms) -> Facts:
    """Nearly all friends of this inviter first paid one and the same merchant."""
    merchant = circle.merchants.get(circle.friend_id)
    of_all = [each for each in circle.merchants.values() if each]
    here = sum(each == merchant for each in of_all)
    if not merchant or here < terms.regulars or 5 * here < 4 * len(of_all):
        return None
    return {"friends": here, "of": len(of_all)}


LOOKS: Mapping[str, Look] = {
    "SHARED_DEVICE": shared_device,
    "SHARED_FUNDING": shared_funding,
    "FUNDED_BY_CIRCLE": funded_by_circle,
    "RING": ring,
    "DENSE_CIRCLE": dense_circle,
    "REFUND_AFTER_REWARD": refund_after_reward,
    "VELOCITY": velocity,
    "SAME_ADDRESS": same_address,
    "SAME_SHOP": same_shop,
}


def seen(circle: Circle, terms: InvitationTerms) -> list[Signal]:
    """All that is seen in a circle; what weighs nothing is not looked at."""
    found = []
    for name, look in LOOKS.items():
        weight = terms.weights.get(name, 0)
        if weight and (facts := look(circle, terms)) is not None:
            found.append(Signal(name, weight * _times(name, circle), facts))
    return found


def score(signals: Sequence[Signal]) -> int:
    """What they weigh together."""
    return sum(each.weight for each in signals)


def _times(name: str, circle: Circle) -> int:
    """Each friend whose payment came back counts anew."""
    return len(circle.refunded) if name == "REFUND_AFTER_REWARD" else 1


def _shared(circle: Circle, marks: Mapping[int, frozenset[int]]) -> Facts:
    mine = marks.get(circle.friend_id, NOTHING)
    with_ = [each for each in (circle.inviter_id, *circle.others) if marks.get(each, NOTHING) & mine]
    return {"with": _people(with_)} if with_ else None


def _people(ids: Any) -> list[str]:
    return [id_text("usr", each) for each in sorted(set(ids))[:_FACTS_MAX]]
