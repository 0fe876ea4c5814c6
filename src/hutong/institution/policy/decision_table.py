"""A decision table as people read it: conditions and results, row by row; the first row that fits decides."""

from collections.abc import Sequence
from typing import Any

import msgspec


class Column(msgspec.Struct, frozen=True):
    """One condition or result: the field a question or an answer calls it by, and what it means."""

    field: str
    name: str


class Row(msgspec.Struct, frozen=True):
    """One row. A condition is a list of values, any of which fits; an empty one fits whatever is asked."""

    why: str
    conditions: Sequence[Sequence[str]]
    results: Sequence[str]


class DecisionTable(msgspec.Struct, frozen=True):
    """One table of a policy."""

    key: str
    name: str
    inputs: Sequence[Column]
    outputs: Sequence[Column]
    rows: Sequence[Row]


def read_table(key: str, text: str) -> DecisionTable:
    """The decision table in a document of the rules engine: the one that policies have."""
    (node,) = (node for node in msgspec.json.decode(text)["nodes"] if node["type"] == "decisionTableNode")
    content = node["content"]
    inputs, outputs = content["inputs"], content["outputs"]
    assert content["hitPolicy"] == "first", "people are told that the first row decides"
    return DecisionTable(
        key,
        node["name"],
        [Column(each["field"], each["name"]) for each in inputs],
        [Column(each["field"], each["name"]) for each in outputs],
        [_row(rule, inputs, outputs) for rule in content["rules"]],
    )


def _row(rule: dict[str, Any], inputs: Sequence[dict[str, Any]], outputs: Sequence[dict[str, Any]]) -> Row:
    conditions = [[_value(part) for part in rule[each["id"]].split(",") if part.strip()] for each in inputs]
    return Row(rule["_description"], conditions, [_value(rule[each["id"]]) for each in outputs])


def _value(text: str) -> str:
    """A value without the quotes that the engine's language puts around texts."""
    return text.strip().strip("'")
