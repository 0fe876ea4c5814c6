"""
Who gets what, where and when: a campaign's rules as a decision table, whose first row that fits decides.

People write rows of conditions; the engine (ZEN) reads the same table as its own document. A condition is written as the
engine's unary tests, of which few kinds are taken, so that two facts which no row can tell apart are known to be alike:
a table is asked once of each kind of occasion, not of each payment.

    amount, tier, age_days, hour, weekday    >= 1000        [1000..5000)        8, 9, 10
    new, small                               true
    mcc, city, home_city, channel, ...       '5812', '5814'
    segment, tag                             'student', 'driver'       any of them
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec
from zen import compile_unary_expression

from hutong.kernel.errors import Refusal
from hutong.kernel.money import BPS, MINOR_MAX, share_bps
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.scheme.messages import Channel

ROWS_MAX = 100
CONDITION_LENGTH_MAX = 2000
_REMEMBERED_MAX = 20_000
_NUMBER = r"\d{1,15}"
# ASCII alone: the engine reads no other digits and no other spaces, as a Chinese keyboard has them (１００).
_NUMERIC = re.compile(
    rf"(?:(?:>=|<=|>|<|==)\s*{_NUMBER}|{_NUMBER}|[\[(]\s*{_NUMBER}\s*\.\.\s*{_NUMBER}\s*[\])])", re.ASCII
)
_DIGITS = re.compile(_NUMBER, re.ASCII)
_TEXTS = re.compile(r"'([^'\\\"]{1,80})'(?:\s*,\s*'([^'\\\"]{1,80})')*", re.ASCII)
_SPACES = " \t\n\r"
_TEXT = re.compile(r"'([^']*)'")


class Sort(Enum):
    """How a fact is compared."""

    NUMBER = "number"
    TEXT = "text"
    WORDS = "words"  # Several at once; a condition asks for any of some.
    TRUTH = "truth"


# What a rule may ask about. Who pays is known of our own people alone; where it is paid, of our own merchants, and of others' as far
# as their institution says.
FIELDS: Mapping[str, Sort] = {
    "new": Sort.TRUTH,  # Has never paid here.
    "tier": Sort.NUMBER,
    "age_days": Sort.NUMBER,  # Since the registration.
    "segment": Sort.WORDS,
    "home_city": Sort.TEXT,  # Where the payer lives.
    "mcc": Sort.TEXT,
    "city": Sort.TEXT,
    "small": Sort.TRUTH,
    "tag": Sort.WORDS,
    "shop": Sort.TEXT,  # shp_…
    "merchant": Sort.TEXT,  # mer_…
    "amount": Sort.NUMBER,
    "channel": Sort.TEXT,
    "debtor_agent": Sort.TEXT,
    "creditor_agent": Sort.TEXT,
    "weekday": Sort.NUMBER,  # 1 is Monday.
    "hour": Sort.NUMBER,
}
OF_PLACE = frozenset({"city", "small", "tag", "shop", "merchant"})
OF_PERSON = frozenset({"new", "tier", "age_days", "segment", "home_city"})
# What a fact may be, where that is little: a condition that none of it meets is a slip of the pen, and would give nothing for ever.
_ALL_OF: Mapping[str, Sequence[Any]] = {
    "tier": range(1, 4),
    "weekday": range(1, 8),
    "hour": range(24),
    "channel": [channel.code for channel in Channel],
}


class RuleRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One row: when everything in `when` holds, this is given. A row that gives nothing keeps the later ones from it."""

    why: str = ""
    when: dict[str, str] = {}
    gives: bool = True
    off: int = 0  # So much,
    bps: int = 0  # and this part of the amount,
    max: int = 0  # together no more than this; 0: no bound.
    threshold: int = 0  # If at least so much is left to pay.

    def amount_of(self, amount: int) -> int:
        """What it takes off a payment; at least one fen is paid."""
        given = self.off + share_bps(amount, self.bps)
        return max(0, min(given, self.max or given, amount - 1))


class RuleTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of a campaign. No row at all: whatever there is fits, and its source says how much."""

    rows: tuple[RuleRow, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """What any row asks about, in one order."""
        asked = {field for row in self.rows for field in row.when}
        return tuple(field for field in FIELDS if field in asked)

    def check(self) -> None:
        """Refuses RULE_NOT_UNDERSTOOD, naming the row and the field."""
        if len(self.rows) > ROWS_MAX:
            raise Refusal(CampaignReason.RULE_NOT_UNDERSTOOD, rows_max=ROWS_MAX)
        for number, row in enumerate(self.rows, 1):
            for name in ("off", "max", "threshold"):
                if not 0 <= getattr(row, name) <= MINOR_MAX // 2:
                    raise Refusal(CampaignReason.RULE_NOT_UNDERSTOOD, row=number, field=name)
            if not 0 <= row.bps <= BPS:
                raise Refusal(CampaignReason.RULE_NOT_UNDERSTOOD, row=number, field="bps")
            for field, condition in row.when.items():
                if field not in FIELDS or not (_understood(FIELDS[field], condition) and _may_hold(field, condition)):
                    raise Refusal(CampaignReason.RULE_NOT_UNDERSTOOD, row=number, field=field, condition=condition[:80])

    def document(self, name: str) -> dict[str, Any]:
        """The table as the rules engine, and its editor, read it."""
        fields = self.fields
        inputs = [{"id": f"in_{field}", "name": field, "field": field} for field in fields]
        results = ("row", "gives", "off", "bps", "max", "threshold")
        rules = [
            {"_id": f"row{number}", "_description": row.why}
            | {f"in_{field}": _for_engine(field, row.when.get(field, "")) for field in fields}
            | {"out_row": str(number), "out_gives": "true" if row.gives else "false"}
            | {f"out_{each}": str(getattr(row, each)) for each in results[2:]}
            for number, row in enumerate(self.rows, 1)
        ]
        content = {
            "hitPolicy": "first",
            "inputs": inputs,
            "outputs": [{"id": f"out_{each}", "name": each, "field": each} for each in results],
            "rules": rules,
        }
        return {
            "contentType": "application/vnd.gorules.decision",
            "nodes": [
                {"id": "request", "type": "inputNode", "name": "request", "position": {"x": 80, "y": 120}},
                {
                    "id": "table",
                    "type": "decisionTableNode",
                    "name": name,
                    "position": {"x": 360, "y": 120},
                    "content": content,
                },
                {"id": "response", "type": "outputNode", "name": "response", "position": {"x": 640, "y": 120}},
            ],
            "edges": [
                {"id": "e1", "type": "edge", "sourceId": "request", "targetId": "table"},
                {"id": "e2", "type": "edge", "sourceId": "table", "targetId": "response"},
            ],
        }


class Band:
    """What some conditions can tell apart of one fact: two values in one band fit the same rows."""

    __slots__ = ("_bounds", "_sort", "_texts")

    def __init__(self, field: str, conditions: Collection[str]) -> None:
        self._sort = FIELDS[field]
        self._texts = frozenset(text for condition in conditions for text in _TEXT.findall(condition))
        self._bounds: list[int] = []
        if self._sort is Sort.NUMBER:
            self._bounds = sorted({int(each) for condition in conditions for each in _DIGITS.findall(condition)})

    @property
    def samples(self) -> tuple[int, ...]:
        """Of positive numbers, one of each band."""
        return tuple(
            sorted({each for bound in self._bounds or (1,) for each in (bound - 1, bound, bound + 1) if each > 0})
        )

    def of(self, value: Any) -> Any:
        """The band of a value."""
        match self._sort:
            case Sort.NUMBER:  # Below, at or above each bound.
                return bisect_left(self._bounds, value) + bisect_right(self._bounds, value)
            case Sort.TEXT:
                return value if value in self._texts else ""
            case Sort.WORDS:
                return self._texts.intersection(value)
        return value


class Sieve:
    """Which of many rows a fact of one field lets through: those whose condition it meets, and those that do not ask."""

    def __init__(self, field: str, rows: int, conditions: Mapping[str, int]) -> None:
        self._band = Band(field, conditions)
        self._free = rows
        for asking in conditions.values():
            self._free &= ~asking
        self._conditions = [
            (compile_unary_expression(_for_engine(field, condition)), asking)
            for condition, asking in conditions.items()
        ]
        self._passed: dict[Any, int] = {}  # By band.

    def passed(self, value: Any) -> int:
        """The rows, a bit each. Of None, which nobody has said, the engine finds that no condition holds."""
        band = self._band.of(value)
        passed = self._passed.get(band)
        if passed is None:
            if len(self._passed) >= _REMEMBERED_MAX:
                self._passed.clear()
            passed = self._passed[band] = self._asked(value)
        return passed

    @property
    def of_all_bands(self) -> tuple[int, ...]:
        """Of a number that is positive: what passes in each of its bands."""
        return tuple(self.passed(value) for value in self._band.samples)

    def _asked(self, value: Any) -> int:
        passed = self._free
        for condition, asking in self._conditions:
            if condition.evaluate({"$": value}):
                passed |= asking
        return passed


def _understood(sort: Sort, condition: str) -> bool:
    if len(condition) > CONDITION_LENGTH_MAX:
        return False
    match sort:
        case Sort.TRUTH:
            return condition in ("true", "false")
        case Sort.NUMBER:
            return all(_NUMERIC.fullmatch(each.strip(_SPACES)) for each in condition.split(","))
    return _TEXTS.fullmatch(condition.strip(_SPACES)) is not None


def _may_hold(field: str, condition: str) -> bool:
    """Whether anything meets each part of it, as the engine says: nothing is ever in `[22..6)`."""
    sort = FIELDS[field]
    if sort is Sort.NUMBER:
        values = _ALL_OF.get(field)
        return all(_meets(each, values or (0, *Band(field, [each]).samples)) for each in condition.split(","))
    if field in _ALL_OF:
        return all(_meets(f"'{each}'", _ALL_OF[field]) for each in _TEXT.findall(condition))
    return True


def _meets(condition: str, values: Iterable[Any]) -> bool:
    asked = compile_unary_expression(condition)
    return any(asked.evaluate({"$": value}) for value in values)


def _for_engine(field: str, condition: str) -> str:
    """The condition in the engine's language; empty: any value."""
    if condition and FIELDS[field] is Sort.WORDS:
        return f"some($, # in [{condition}])"
    return condition
