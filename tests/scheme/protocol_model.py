"""
The payment protocol as a model small enough to check exhaustively (`docs/scheme/payment.md`).

The network is the set of messages ever sent: each may be delivered any number of times, in any order, or
never. Every durable step and every send is an action of its own, so a crash may fall between any two: what a
step did not make durable has no effect. `faults` plants one mistake an implementer might make.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum


class Fault(Enum):
    """A mistake to plant; each must be found."""

    NO_TOMBSTONE = "the switch answers an enquiry for an unknown payment without writing its no down"
    REPLAY_IS_NO = "the debtor agent takes the refusal of a replayed envelope for a rejection"
    TIMEOUT_IS_NO = "the debtor agent gives up after its message went out"
    CREDITOR_POSTS = "the creditor agent posts when it accepts, before the decision"
    CREDITOR_TIMES_OUT = "the creditor agent gives up after it accepted"
    TELLS_BEFORE_DURABLE = "the switch tells the decision before it is durable"
    TWO_CLAIMS = "a payment request can be claimed by two payments at once"


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment: the durable state at debtor agent, switch and creditor agent, and all messages ever sent."""

    debtor: str = "NEW"
    switch: str = "NONE"
    creditor: str = "NONE"
    sent: frozenset[str] = frozenset()

    def send(self, *messages: str) -> "Payment":
        return replace(self, sent=self.sent.union(messages))

    @property
    def decided(self) -> bool:
        return (
            self.debtor in ("COMPLETED", "REJECTED")
            and self.switch in ("NONE", "COMPLETED", "REJECTED")
            and self.creditor in ("NONE", "COMPLETED", "REJECTED")
        )

    @property
    def contradicts(self) -> bool:
        """Two nodes hold opposite outcomes for final."""
        outcomes = {self.debtor, self.switch, self.creditor}
        return "COMPLETED" in outcomes and "REJECTED" in outcomes


@dataclass(frozen=True, slots=True)
class World:
    """Some payments towards one payment request: OPEN, CLOSED, PAID or claimed by payment number n."""

    payments: tuple[Payment, ...]
    request: str | int = "OPEN"

    @property
    def violated(self) -> bool:
        paid = sum(payment.creditor == "COMPLETED" for payment in self.payments)
        return paid > 1 or any(payment.contradicts for payment in self.payments)

    @property
    def decided(self) -> bool:
        return all(payment.decided for payment in self.payments)


Step = tuple[Payment, str | int]


def debtor_steps(payment: Payment, faults: frozenset[Fault]) -> Iterator[Payment]:
    """The debtor agent: hold, send and enquire as often as it likes, end only by the switch's word."""
    if payment.debtor == "NEW":
        yield replace(payment, debtor="HELD")
        yield replace(payment, debtor="REJECTED")
    if payment.debtor != "HELD":
        return
    yield payment.send("pacs.008")
    yield payment.send("pacs.028")
    if "ACSC to debtor" in payment.sent:
        yield replace(payment, debtor="COMPLETED")
    if payment.sent & {"RJCT to debtor", "NOT FOUND"}:
        yield replace(payment, debtor="REJECTED")
    gives_up = Fault.TIMEOUT_IS_NO in faults or (Fault.REPLAY_IS_NO in faults and payment.switch != "NONE")
    if gives_up and "pacs.008" in payment.sent:
        yield replace(payment, debtor="REJECTED")


def switch_steps(payment: Payment, faults: frozenset[Fault]) -> Iterator[Payment]:
    """The switch: reserve or refuse, offer, decide once, tell the decision for ever."""
    match payment.switch:
        case "NONE":
            if "pacs.008" in payment.sent:
                yield replace(payment, switch="RESERVED")
                yield replace(payment, switch="REJECTED")
            if "pacs.028" in payment.sent:
                forgets = Fault.NO_TOMBSTONE in faults
                yield payment.send("NOT FOUND") if forgets else replace(payment, switch="REJECTED")
        case "RESERVED":
            yield payment.send("offer")
            yield replace(payment, switch="REJECTED")
            if "ACSP" in payment.sent:
                yield replace(payment, switch="COMPLETED")
                if Fault.TELLS_BEFORE_DURABLE in faults:
                    yield payment.send("ACSC to debtor", "ACSC to creditor")
        case "COMPLETED":
            yield payment.send("ACSC to debtor", "ACSC to creditor")
        case "REJECTED":
            yield payment.send("RJCT to debtor", "RJCT to creditor")


def creditor_steps(number: int, payment: Payment, request: str | int, faults: frozenset[Fault]) -> Iterator[Step]:
    """The creditor agent: accept by claiming the request, or refuse; then wait for the decision."""
    posts = Fault.CREDITOR_POSTS in faults
    if payment.creditor == "NONE":
        if "offer" in payment.sent:
            if request == "OPEN" or (Fault.TWO_CLAIMS in faults and isinstance(request, int)):
                yield replace(payment, creditor="COMPLETED" if posts else "ACCEPTED"), "PAID" if posts else number
            yield replace(payment, creditor="REJECTED"), request
        if "RJCT to creditor" in payment.sent and Fault.NO_TOMBSTONE not in faults:
            yield replace(payment, creditor="REJECTED"), request
    if payment.creditor == "ACCEPTED" or (payment.creditor == "COMPLETED" and posts):
        yield payment.send("ACSP"), request
    if payment.creditor == "ACCEPTED":
        released = "OPEN" if request == number else request
        if "ACSC to creditor" in payment.sent:
            yield replace(payment, creditor="COMPLETED"), "PAID"
        if "RJCT to creditor" in payment.sent or Fault.CREDITOR_TIMES_OUT in faults:
            yield replace(payment, creditor="REJECTED"), released
    if payment.creditor == "REJECTED":
        yield payment.send("RJCT to switch"), request


def steps(world: World, faults: frozenset[Fault]) -> Iterator[World]:
    """Everything that may happen next."""
    if world.request == "OPEN":
        yield replace(world, request="CLOSED")  # Cancelled or expired.
    for number, payment in enumerate(world.payments):
        others = world.payments[:number], world.payments[number + 1 :]
        for changed in (*debtor_steps(payment, faults), *switch_steps(payment, faults)):
            yield World((*others[0], changed, *others[1]), world.request)
        for changed, request in creditor_steps(number, payment, world.request, faults):
            yield World((*others[0], changed, *others[1]), request)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many worlds were reached, the first that violates safety, and how many can never be decided."""

    worlds: int
    violation: World | None
    stuck: int


def explore(payments: int = 1, faults: frozenset[Fault] = frozenset()) -> Verdict:
    """Reach every world there is, breadth first, or stop at the first violation."""
    start = World((Payment(),) * payments)
    seen = {start}
    before: dict[World, list[World]] = {}
    queue = deque([start])
    while queue:
        world = queue.popleft()
        if world.violated:
            return Verdict(len(seen), world, 0)
        for following in steps(world, faults):
            before.setdefault(following, []).append(world)
            if following not in seen:
                seen.add(following)
                queue.append(following)
    healable = {world for world in seen if world.decided}
    back = list(healable)
    while back:
        for earlier in before.get(back.pop(), ()):
            if earlier not in healable:
                healable.add(earlier)
                back.append(earlier)
    return Verdict(len(seen), None, len(seen) - len(healable))
