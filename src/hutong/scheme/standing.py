"""
How something undecided stands at a node, and what a node knows of its story: what operators look at.

Not part of the protocol between nodes: each node tells its own operators alone.
"""

from typing import Annotated, Literal

import msgspec

OLDER_MS = 60_000  # From what age on something undecided is shown as stuck, unless one asks otherwise.
NUDGED_MAX = 100  # At a time: the switch drops what is over a participant's rate anyway.

Kind = Literal["PAYMENT", "RETURN"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """
    A payment or return that a node has not heard, or taken, the decision of.

    `owner` is the node whose turn it is. Nobody's hand moves its money: it is decided by the messages alone, which can
    be asked for again.
    """

    id: str
    originator: str
    kind: Kind
    role: Annotated[str, msgspec.Meta(description="What this node is in it: DEBTOR_AGENT, CREDITOR_AGENT, SWITCH.")]
    state: str
    owner: str
    why: Annotated[str, msgspec.Meta(description="What its owner is to do.")]
    amount: int
    currency: str
    age_ms: int
    asked: Annotated[int, msgspec.Meta(description="How often this node has asked again.")]
    expires_at_ms: Annotated[int, msgspec.Meta(description="From then on the switch rejects what nobody accepted.")]


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a node wrote down."""

    at_ms: int
    node: str
    kind: Kind
    state: str
    note: str = ""


_TURNS = ("ADMITTED", "HELD", "RESERVED", "ACCEPTED")  # Whatever else there is, comes behind these.


def in_order(at_ms: int, state: str) -> tuple[int, int]:
    """Where a moment stands among those of other nodes: quick ones write several down within one millisecond."""
    return at_ms, _TURNS.index(state) if state in _TURNS else len(_TURNS)


class Nudge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to ask about again, now: one, or whatever is older."""

    id: str = ""
    older_ms: Annotated[int, msgspec.Meta(ge=0)] = OLDER_MS


class Nudged(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked about again. At most a hundred at a time, the oldest first."""

    nudged: list[str]


def oldest(found: list[Standing], nudge: Nudge) -> list[Standing]:
    """What is meant by a nudge."""
    meant = [each for each in found if (each.id == nudge.id if nudge.id else each.age_ms >= nudge.older_ms)]
    return sorted(meant, key=lambda each: -each.age_ms)[:NUDGED_MAX]
