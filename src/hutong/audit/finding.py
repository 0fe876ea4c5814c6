"""What an audit found: each thing that is wrong, each thing that is under way, and what was looked at."""

from collections import Counter
from dataclasses import dataclass, field

FINDINGS_MAX = 200  # Told in full of one node and invariant; one broken sum can make a million lines.


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong at one node. `invariant` is its number in ARCHITECTURE.md."""

    node: str
    invariant: int
    text: str

    def __str__(self) -> str:
        return f"{self.node}: {self.text}"


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Something intended that this node has not concluded yet. `since_ns` is when it began."""

    node: str
    what: str
    id: str
    since_ns: int


@dataclass(slots=True)
class Report:
    """An audit's outcome. Clean when nothing is wrong; what is under way is not."""

    findings: list[Finding] = field(default_factory=list)
    not_told: Counter[tuple[str, int]] = field(default_factory=Counter)
    under_way: list[UnderWay] = field(default_factory=list)
    not_seen: list[str] = field(default_factory=list)  # Nodes the switch knows, whose rows are not in these databases.
    looked_at: dict[str, Counter[str]] = field(default_factory=dict)  # By node: rows read, by what they are.
    _told: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def is_clean(self) -> bool:
        """Nothing is wrong."""
        return not self.findings

    def find(self, node: str, invariant: int, text: str) -> None:
        """Something is wrong."""
        kind = node, invariant
        if self._told[kind] < FINDINGS_MAX:
            self._told[kind] += 1
            self.findings.append(Finding(node, invariant, text))
        else:
            self.not_told[kind] += 1

    def begun(self, under_way: UnderWay, now_ns: int, overdue_ns: int) -> None:
        """Something is under way; what is older than it may be is wrong."""
        self.under_way.append(under_way)
        age_ns = now_ns - under_way.since_ns
        if age_ns > overdue_ns:
            text = f"{under_way.what} {under_way.id} is undecided since {age_ns // 1_000_000_000} s"
            self.find(under_way.node, 5, text)

    def count(self, node: str, what: str, rows: int) -> None:
        """So many rows were read."""
        self.looked_at.setdefault(node, Counter())[what] += rows
