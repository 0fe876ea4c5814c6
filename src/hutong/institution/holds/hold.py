"""
A hold: what one of our people lets a merchant elsewhere hold. Nouns, and no look-ups.

    WAITING -> HOLDING -> HELD (-> ENDING) -> ENDED        WAITING -> REFUSED | CLOSED        HOLDING -> REFUSED | WAITING
    REFUSED -> WAITING: by link, where one has declined, and somebody else opens it.
"""

import re
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from hutong.institution.chart import held_account
from hutong.institution.holds.reasons import HoldReason
from hutong.institution.payments.mandate import HOLD_PREFIX
from hutong.institution.payments.payment import HELD_ELSEWHERE
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.ids import derive, id_text
from hutong.kernel.money import Currency
from hutong.runtime.tables import BigInt, Boolean, Integer, Table, Text, Uuid
from hutong.scheme.hold import HoldStatus

PREFIX = "hld"
HELD_DAYS = 30  # After that what was not taken goes back by itself.
_CODE = re.compile(rf"{HOLD_PREFIX}[a-z][a-z0-9-]{{1,34}}:([0-9a-f]{{32}}):([0-9a-f]{{32}})")
OFFER_LIFE_NS_MAX = NS_PER_DAY  # Longer than that nobody is asked.


class HoldState(StrEnum):
    WAITING = "WAITING"  # The person is asked.
    HOLDING = "HOLDING"  # They have agreed, and the ledger is asked.
    HELD = "HELD"
    ENDING = "ENDING"  # It takes no more payments; those under way are waited for.
    ENDED = "ENDED"  # Everything was taken, or let go.
    REFUSED = "REFUSED"  # Nothing was held, and why.
    CLOSED = "CLOSED"  # The merchant took it back, or nobody agreed in time.


_STATUSES = {
    HoldState.WAITING: HoldStatus.PENDING,
    HoldState.HOLDING: HoldStatus.PENDING,
    HoldState.HELD: HoldStatus.HELD,
    HoldState.ENDING: HoldStatus.HELD,
    HoldState.ENDED: HoldStatus.ENDED,
    HoldState.REFUSED: HoldStatus.REJECTED,
    HoldState.CLOSED: HoldStatus.REJECTED,
}
HOLDING_MONEY = frozenset({HoldState.HELD, HoldState.ENDING})


class Hold(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version. Its id is derived from (creditor agent, that agent's id): nobody can squat another's."""

    id: Uuid
    hold_id: Uuid
    creditor_agent: Text
    creditor_name: Text
    title: Text
    user_id: Uuid
    debtor_name: Text  # As the creditor may see it, from when they agreed.
    token: Uuid  # Of what requests to pay name it by, which its creditor agent alone is told.
    is_by_code: Boolean  # Its person showed a payment code; else somebody opened the merchant's link.
    amount: BigInt
    currency: Text
    taken: BigInt
    released: BigInt
    under_way: BigInt  # Of payments and releases that are not decided.
    state: Text
    reason: Text
    iso_code: Text
    # Of the newest state that the creditor agent is told. 0: it is told nothing, of a link; of a code, nobody was asked yet.
    number: BigInt
    attempt: Integer  # How often the ledger was asked: a refused id is spent.
    due_day: Integer  # The day, since 1970, on which it is over by itself; 0: it is.
    created_ns: BigInt
    expires_ns: BigInt  # Until when it can be agreed to.
    held_ns: BigInt
    changed_ns: BigInt

    @property
    def text(self) -> str:
        """Its id, as people see it, and what the PIN token of its consent is bound to, beside its id and amount."""
        return id_text(PREFIX, self.id)

    @property
    def funding(self) -> str:
        """What a payment is paid from that takes some of it."""
        return f"{HELD_ELSEWHERE}{self.id:032x}"

    @property
    def free(self) -> int:
        """What can still be taken or let go."""
        return self.amount - self.taken - self.released - self.under_way if self.state in HOLDING_MONEY else 0

    @property
    def left(self) -> int:
        """What was neither taken nor let go."""
        return self.amount - self.taken - self.released if self.state in HOLDING_MONEY else 0

    @property
    def is_to_be_asked(self) -> bool:
        """Its person's code is claimed, and whether to ask them is still to be decided."""
        return self.is_by_code and self.state == HoldState.WAITING and not self.number

    @property
    def status(self) -> HoldStatus:
        return _STATUSES[HoldState(self.state)]

    def account(self, currency: Currency) -> int:
        """Where it is held."""
        return held_account(self.id, currency)

    def code(self, node_id: str) -> str:
        """What a request to pay out of it names."""
        return f"{HOLD_PREFIX}{node_id}:{self.hold_id:032x}:{self.token:032x}"

    def state_at(self, now_ns: int) -> HoldState:
        """How it stands: the kept state, or CLOSED for one that nobody agreed to in time."""
        is_over = self.state == HoldState.WAITING and self.expires_ns <= now_ns
        return HoldState.CLOSED if is_over else HoldState(self.state)

    def check_open(self, now_ns: int) -> None:
        """Refuses HOLD_NOT_OPEN."""
        state = self.state_at(now_ns)
        if state is not HoldState.WAITING:
            raise Refusal(HoldReason.HOLD_NOT_OPEN, state=state.value)

    def check_free(self, amount: int) -> None:
        """Refuses HOLD_NOT_HELD; HOLD_EXCEEDED when so much can't be taken of it, nor let go."""
        if self.state != HoldState.HELD:
            raise Refusal(HoldReason.HOLD_NOT_HELD, state=str(self.state))
        if amount > self.free:
            raise Refusal(HoldReason.HOLD_EXCEEDED, left=self.free)

    # What becomes of it. `number` grows with whatever the creditor agent is to hear.

    def asked_of(self, user_id: int, now_ns: int) -> "Hold":
        """Somebody else has opened the link: who declined it did so for themselves. Refuses HOLD_NOT_OPEN."""
        if self.is_by_code:
            raise Refusal(HoldReason.HOLD_NOT_OPEN)
        state = HoldState.WAITING if self.reason == HoldReason.HOLD_DECLINED.name else self.state
        asked = replace(self, user_id=user_id, state=state, reason="", iso_code="", changed_ns=now_ns)
        asked.check_open(now_ns)
        return asked

    def agreed(self, debtor_name: str, now_ns: int) -> "Hold":
        """Its person says yes: the ledger is asked, once more."""
        return replace(
            self,
            state=HoldState.HOLDING,
            debtor_name=debtor_name,
            attempt=self.attempt + 1,
            due_day=now_ns // NS_PER_DAY + HELD_DAYS,
            reason="",
            iso_code="",
            changed_ns=now_ns,
        )

    def held(self, now_ns: int) -> "Hold":
        return replace(self, state=HoldState.HELD, number=self.number + 1, held_ns=now_ns, changed_ns=now_ns)

    def not_covered(self, now_ns: int) -> "Hold":
        """The balance does not cover it. Who opened a link may try again; who showed a code has had their turn."""
        reason = HoldReason.HOLD_BALANCE_INSUFFICIENT
        if self.is_by_code:
            return self.refused(reason, now_ns)
        return replace(
            self, state=HoldState.WAITING, reason=reason.name, iso_code=reason.iso_code, due_day=0, changed_ns=now_ns
        )

    def refused(self, reason: Reason, now_ns: int, state: HoldState = HoldState.REFUSED) -> "Hold":
        """Nothing is held, nor will be."""
        return replace(
            self,
            state=state,
            reason=reason.name,
            iso_code=reason.iso_code,
            number=self.number + 1,
            due_day=0,
            changed_ns=now_ns,
        )

    def taking(self, amount: int) -> "Hold":
        """So much of it is on its way: to the merchant, or back."""
        assert 0 < amount <= self.free
        return replace(self, under_way=self.under_way + amount)

    def took(self, amount: int, now_ns: int) -> "Hold":
        """So much was paid of it."""
        assert 0 < amount <= self.under_way
        return replace(self, under_way=self.under_way - amount, taken=self.taken + amount).moved(now_ns)

    def took_back(self, amount: int) -> "Hold":
        """So much was not paid after all."""
        assert 0 < amount <= self.under_way
        return replace(self, under_way=self.under_way - amount)

    def let_go(self, amount: int, now_ns: int) -> "Hold":
        """So much is the person's own again."""
        assert 0 < amount <= self.under_way
        return replace(self, under_way=self.under_way - amount, released=self.released + amount).moved(now_ns)

    def ending(self, now_ns: int) -> "Hold":
        """Nothing more is taken of it."""
        assert self.state in HOLDING_MONEY
        return replace(self, state=HoldState.ENDING, number=self.number + 1, changed_ns=now_ns)

    def moved(self, now_ns: int) -> "Hold":
        """Less is left of it; where nothing is, it has ended."""
        moved = replace(self, number=self.number + 1, changed_ns=now_ns)
        return moved if moved.left else replace(moved, state=HoldState.ENDED, due_day=0)


class ReleaseState(StrEnum):
    WANTED = "WANTED"
    DONE = "DONE"


class HoldRelease(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of money of a hold that goes back to its person."""

    id: Uuid
    hold: Uuid
    act_id: Uuid  # The creditor agent's; 0: nobody asked.
    amount: BigInt
    state: Text
    created_ns: BigInt


HOLDS = Table("holds", Hold)
HOLD_RELEASES = Table("hold_releases", HoldRelease)


def hold_key(hold_id: int, creditor_agent: str) -> int:
    """Our own name of another node's hold."""
    return derive(hold_id, f"{creditor_agent}/hold")


def release_key(hold: Hold, act_id: int) -> int:
    """Our own name of what its creditor agent lets go."""
    return derive(act_id, f"{hold.creditor_agent}/release")


def read_code(text: str) -> tuple[int, int]:
    """The hold and the token that `hold:<node>:<hold>:<token>` names. Refuses HOLD_MALFORMED."""
    spelled = _CODE.fullmatch(text)
    if spelled is None:
        raise Refusal(HoldReason.HOLD_MALFORMED)
    return int(spelled[1], 16), int(spelled[2], 16)
