"""
How a window's obligations are discharged: who pays from what, who gets how much, and who bears what could not be paid.

Pure arithmetic: the same obligations, reserves and rules give the same movements, to the fen.
"""

from collections.abc import Mapping, Sequence
from enum import Enum

import msgspec

from hutong.kernel.errors import Refusal
from hutong.kernel.money import split
from hutong.runtime.tables import BigInt, Text
from hutong.switch.settlement.reason import SettlementReason
from hutong.switch.settlement.rules import LossSource


class MovementKind(Enum):
    """What a movement is."""

    PAY = "PAY"  # From a node's reserve: what it owes, or what its reserve has of it.
    RECEIVE = "RECEIVE"  # Into a node's reserve: what it is owed, less what it bears.
    CONTRIBUTION = "CONTRIBUTION"  # From a node's contribution, for `defaulter`.
    LOSS = "LOSS"  # Forgone by a node that is owed, for `defaulter`.


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of one try to settle a window: the intent, written down before the money moves."""

    window: Text
    attempt: BigInt
    kind: Text
    node_id: Text
    defaulter: Text = ""
    currency: Text
    minor: BigInt


class Means(msgspec.Struct, frozen=True):
    """What everybody has, in one currency."""

    reserves: Mapping[str, int]
    contributions: Mapping[str, int]


def uncovered(nets: Mapping[str, int], means: Means) -> dict[str, int]:
    """Who owes more than its reserve has, and by how much."""
    return {
        node: -net - means.reserves.get(node, 0)
        for node, net in sorted(nets.items())
        if -net > means.reserves.get(node, 0)
    }


def discharge(
    nets: Mapping[str, int], means: Means, order: Sequence[LossSource], scheme: str
) -> list[tuple[MovementKind, str, str, int]]:
    """
    Every movement, as (kind, node, defaulter, minor units); what is moved adds up to what is owed.

    Whoever is uncovered is in default: its reserve pays what it has, then what `order` says, and the rest is borne by
    those who are owed, in proportion. Of several in default, none bears anything for another.

    Refuses:  SCHEME_UNCOVERED: the scheme itself does not default.
    """
    short = uncovered(nets, means)
    if scheme in short:
        raise Refusal(SettlementReason.SCHEME_UNCOVERED, missing=short[scheme])
    moves = [
        (MovementKind.PAY, node, "", min(-net, means.reserves.get(node, 0)))
        for node, net in sorted(nets.items())
        if net < 0
    ]
    left = dict(means.contributions)
    owed = {node: net for node, net in sorted(nets.items()) if net > 0}
    for defaulter, missing in short.items():
        rest = missing
        for source in order:
            bearers = {defaulter: left.get(defaulter, 0)}
            if source is LossSource.SURVIVORS:
                bearers = {node: minor for node, minor in sorted(left.items()) if minor and node not in short}
            for node, minor in _taken(rest, bearers).items():
                left[node] -= minor
                rest -= minor
                moves.append((MovementKind.CONTRIBUTION, node, defaulter, minor))
        for node, minor in _taken(rest, owed).items():
            owed[node] -= minor
            rest -= minor
            moves.append((MovementKind.LOSS, node, defaulter, minor))
        assert not rest, "what is owed is never less than what is missing"
    moves += [(MovementKind.RECEIVE, node, "", minor) for node, minor in owed.items()]
    return [move for move in moves if move[3]]


def _taken(minor: int, bearers: Mapping[str, int]) -> dict[str, int]:
    """At most all that the bearers have, in proportion to it."""
    able = {node: has for node, has in bearers.items() if has}
    taken = min(minor, sum(able.values()))
    if not taken:
        return {}
    return {node: share for node, share in zip(able, split(taken, list(able.values())), strict=True) if share}
