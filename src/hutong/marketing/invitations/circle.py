"""A circle: the people around one referral, and what is known of them that may be a sign of collusion."""

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

NOTHING: frozenset[int] = frozenset()


class PersonPayment(msgspec.Struct, frozen=True):
    """Somebody of the circle paid another: directly, or at a shop where the other works."""

    payer_id: int
    payee_id: int
    amount: int
    at_ns: int


class Circle(msgspec.Struct, frozen=True, kw_only=True):
    """
    Everybody is an id here. `friends` are all whom the inviter brought in the campaign, this friend included.

    Devices, funding and places are marks: equal marks mean the same phone or browser, the same account, the same address.
    """

    inviter_id: int
    friend_id: int
    friends: tuple[int, ...] = ()
    joined_ns: Mapping[int, int] = {}  # Of friends.
    invited: tuple[tuple[int, int], ...] = ()  # Who brought whom, beyond this inviter as well.
    devices: Mapping[int, frozenset[int]] = {}
    funding: Mapping[int, frozenset[int]] = {}
    places: Mapping[int, int] = {}  # Without those not known.
    payments: tuple[PersonPayment, ...] = ()
    merchants: Mapping[int, str] = {}  # Whom each friend's qualifying payment paid.
    paid: int = 0  # This friend's qualifying payment ...
    paid_at_ns: int = 0  # ... and when.
    refunded: frozenset[int] = NOTHING  # Friends whose payment was given back after their reward was paid.

    @property
    def others(self) -> tuple[int, ...]:
        """The inviter's other friends."""
        return tuple(each for each in self.friends if each != self.friend_id)


def way_back(circle: Circle) -> tuple[int, ...]:
    """
    The shortest way from the friend back to the inviter that does not take the invitation between them; empty: there is none.

    Invitations alone never make one, as everybody is invited once: so there is a payment on it. Between the two alone it says
    nothing: friends pay each other.
    """
    invited = [pair for pair in circle.invited if pair != (circle.inviter_id, circle.friend_id)]
    paid = [(each.payer_id, each.payee_id) for each in circle.payments]
    ends = {circle.inviter_id, circle.friend_id}
    neighbours = _neighbours(pair for pair in [*invited, *paid] if set(pair) != ends)
    came_from = {circle.friend_id: circle.friend_id}
    queue = deque([circle.friend_id])
    while queue:
        here = queue.popleft()
        if here == circle.inviter_id:
            return _walked(came_from, here)
        for there in sorted(neighbours.get(here, ())):
            if there not in came_from:
                came_from[there] = here
                queue.append(there)
    return ()


def pairs_that_paid(circle: Circle) -> int:
    """How many pairs of the inviter's friends paid each other."""
    friends = set(circle.friends)
    pairs = {frozenset((each.payer_id, each.payee_id)) for each in circle.payments}
    return sum(1 for pair in pairs if len(pair) == 2 and pair <= friends)


def _neighbours(pairs: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for one, other in pairs:
        if one != other:
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
    return found


def _walked(came_from: Mapping[int, int], end: int) -> tuple[int, ...]:
    way = [end]
    while came_from[way[-1]] != way[-1]:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))
