"""The scheme's settlement rules, as dated, versioned data: how far a reserve carries, and who bears a loss."""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated

import msgspec

from hutong.runtime.tables import BigInt, Text
from hutong.scheme.message import MinorUnits, NodeId


class Fund(Enum):
    """Which of a participant's funds at the switch."""

    RESERVE = "RESERVE"
    CONTRIBUTION = "CONTRIBUTION"


class LossSource(Enum):
    """What is used up when a participant can't pay, beyond its own reserve. What is then missing the creditors bear."""

    CONTRIBUTION = "CONTRIBUTION"  # Its own contribution to the guarantee fund.
    SURVIVORS = "SURVIVORS"  # The others' contributions, in proportion to them.


class SettlementRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    One version's content.

    `cap_bps` is the cap a reserve stands behind, in basis points of it; `caps_max` the most of that for a node, whatever its
    reserve. After `default_after_s` a participant that has not covered what it owes is in default; 0: only the operator
    says so. `loss_order` is what then pays after its reserve; the rest is borne by those who were to be paid, in proportion.
    """

    cap_bps: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 10_000
    caps_max: dict[NodeId, MinorUnits] = {}
    default_after_s: Annotated[int, msgspec.Meta(ge=0, le=30 * 86_400)] = 0
    loss_order: Annotated[list[LossSource], msgspec.Meta(max_length=2)] = msgspec.field(
        default_factory=lambda: [LossSource.CONTRIBUTION, LossSource.SURVIVORS]
    )
    suspends: bool = True  # Whether a participant in default is suspended.
    membership_fee_minor: MinorUnits = 0  # By the month, charged with the invoice.

    def cap_of(self, node_id: str, reserve_minor: int) -> int:
        """The cap that a reserve stands behind; fractions of a fen are not granted."""
        cap = reserve_minor * self.cap_bps // 10_000
        return min(cap, self.caps_max.get(node_id, cap))


class RulesVersion(msgspec.Struct, frozen=True):
    """A version of the rules, and from when it applies. `rules` is JSON of `SettlementRules`."""

    version: Text
    starts_ns: BigInt
    rules: Text


DEFAULT_RULES = RulesVersion("prefunded-1", 0, msgspec.json.encode(SettlementRules()).decode())


def rules_at(versions: Sequence[RulesVersion], now_ns: int) -> SettlementRules:
    """The rules in force: of the latest version to have started."""
    started = [version for version in versions if version.starts_ns <= now_ns]
    ruling = max(started, key=lambda version: (version.starts_ns, version.version), default=DEFAULT_RULES)
    return msgspec.json.decode(ruling.rules, type=SettlementRules)
