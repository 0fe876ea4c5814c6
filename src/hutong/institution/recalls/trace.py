"""
Tracing: which of an account's later debits spent the money of one credit.

The rule is **first in, first out**: what was on the account before is spent first, then this credit (its traced part
first), then what came later. So the traced money is an interval of all that leaves the account from then on, and what each
debit takes of it is where the two overlap. It needs no judgement, and two people who compute it agree to the fen.
"""

from collections.abc import Sequence

import msgspec

from hutong.institution.payments.payment import Why
from hutong.kernel.ids import PART_BITS, derive
from hutong.ledger.recipes import Leg
from hutong.ledger.transfer import Transfer
from hutong.scheme.messages import TraceHop, TraceKind

DEPTH_MAX = 10
ACCOUNTS_MAX = 100  # Looked through for one question.
DEBITS_MAX = 2_000  # Of one account.
_LEG_MASK = 0x3F
_REF_BITS = 64
_KINDS = {
    int(Why.PAYMENT_HELD): TraceKind.PAYMENT,
    int(Why.PAYMENT_ON_US): TraceKind.PAYMENT,
    int(Why.REFUND_HELD): TraceKind.RETURNED,
    int(Why.REFUND_ON_US): TraceKind.RETURNED,
    int(Why.DISPUTED): TraceKind.DISPUTED,
    int(Why.DISPUTE_ENDED): TraceKind.RELEASED,
}


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """Where the money of a payment went, as far as it was followed; `people` says who our own pseudonyms are."""

    payment_id: int
    amount: int
    holder: str
    is_whole: bool
    hops: list[TraceHop]
    people: dict[str, tuple[str, int]]


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """Traced money that came to one account: by the transfers about `about`, `created_ns` or later."""

    about: int
    created_ns: int
    account: int
    owner: tuple[str, int]  # The prefix of its id, and the id.
    traced: int
    depth: int


def spent(before: int, traced: int, debits: Sequence[int]) -> list[int]:
    """Of each debit, how much of it was the traced money, when `before` lay on the account in front of it."""
    gone, shares = 0, []
    for debit in debits:
        start, end = max(gone, before), min(gone + debit, before + traced)
        shares.append(max(end - start, 0))
        gone += debit
    return shares


def kind_of(transfer: Transfer) -> TraceKind:
    """What a debit of a person's or merchant's account was."""
    if transfer.id & _LEG_MASK == Leg.FEE:
        return TraceKind.FEE
    return _KINDS.get(transfer.code, TraceKind.PAID_OUT)


def pseudonym(node: str, owner_id: int) -> str:
    """Somebody of a node as other nodes may know them: the same in every trace, and no way back without the books."""
    return f"{node}:{derive(owner_id, f'{node}/trace') >> PART_BITS & (1 << _REF_BITS) - 1:016x}"
