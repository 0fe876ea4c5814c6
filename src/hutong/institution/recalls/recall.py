"""A recall: a payment of ours is asked back of the payee's institution."""

import heapq
from enum import StrEnum

import msgspec

from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S
from hutong.runtime.tables import BigInt, Table, Text, Uuid
from hutong.scheme.messages import RecallStatus

FIRST_WAIT_NS = 2 * NS_PER_S
WAIT_NS_MAX = NS_PER_HOUR


class By(StrEnum):
    """Who wants it back: a case of the policy's table."""

    PAYER = "payer"
    OPERATOR = "operator"
    SWITCH = "switch"


class RecallState(StrEnum):
    REPORTED = "REPORTED"  # By the payer; the desk has yet to look at it.
    DECLINED = "DECLINED"  # By the desk.
    ASKED = "ASKED"  # Sent, again and again, until the other side says that it has it.
    PENDING = "PENDING"  # The other side has it, and has not decided.
    ACCEPTED = "ACCEPTED"  # The money is on its way.
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"


ENDED = frozenset({RecallState.DECLINED, RecallState.RETURNED, RecallState.REJECTED})
_SENT = frozenset({RecallState.ASKED, RecallState.PENDING, RecallState.ACCEPTED})


class Recall(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of the asking side's case."""

    id: Uuid
    payment_id: Uuid
    user_id: Uuid  # The payer.
    creditor_agent: Text  # Our own node: the payee is ours, too.
    payee_name: Text
    currency: Text
    amount: BigInt  # Of the gross amount.
    reason: Text
    remark: Text
    by: Text
    operator: Text  # Who approved, declined or opened it.
    state: Text
    accepted: BigInt  # What the other side gives back.
    return_id: Uuid  # By which return.
    answer_code: Text
    answer_name: Text
    created_ns: BigInt
    sent_ns: BigInt
    answer_by_ns: BigInt  # 0 while the desk has it.
    changed_ns: BigInt

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED

    @property
    def is_sent(self) -> bool:
        """Whether the other side is asked again until all of it has come."""
        return self.state in _SENT

    def is_overdue(self, now_ns: int) -> bool:
        """Nobody answered in time: the other side is silent, or the answer is still on its way."""
        return self.state in (RecallState.ASKED, RecallState.PENDING) and now_ns > self.answer_by_ns


class RecallOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What somebody wants back. Amount 0: all that is left of the payment."""

    recall_id: int
    payment_id: int
    reason: str
    amount: int = 0
    remark: str = ""


RECALLS = Table("recalls", Recall)

ANSWERED = {
    RecallStatus.PENDING: RecallState.PENDING,
    RecallStatus.ACCEPTED: RecallState.ACCEPTED,
    RecallStatus.PARTIAL: RecallState.ACCEPTED,
    RecallStatus.REJECTED: RecallState.REJECTED,
}


class Rounds:
    """When to come back to what: by time, and, for what is said again, ever more slowly for as long as it takes."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int]] = []
        self._waits: dict[int, int] = {}

    def at(self, id_: int, due_ns: int) -> None:
        """Come back to it then."""
        heapq.heappush(self._due, (due_ns, id_))

    def begin(self, id_: int, now_ns: int) -> None:
        """From now on, come back to it ever more slowly."""
        self._waits[id_] = FIRST_WAIT_NS
        self.at(id_, now_ns + FIRST_WAIT_NS)

    def again(self, id_: int, now_ns: int) -> None:
        """Once more, after twice the time."""
        wait = self._waits[id_] = min(2 * self._waits.get(id_, FIRST_WAIT_NS), WAIT_NS_MAX)
        self.at(id_, now_ns + wait)

    def is_on(self, id_: int) -> bool:
        """Whether it was begun and has not ended."""
        return id_ in self._waits

    def end(self, id_: int) -> None:
        """It has ended."""
        self._waits.pop(id_, None)

    def due(self, now_ns: int) -> list[int]:
        """What it is time for, each once."""
        found: dict[int, None] = {}
        while self._due and self._due[0][0] <= now_ns:
            found[heapq.heappop(self._due)[1]] = None
        return list(found)
