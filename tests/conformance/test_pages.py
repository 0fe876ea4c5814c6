"""The kit and its pages say the same: quotations, the list of cases, the tables of messages."""

import json
import os
import re
from pathlib import Path

import pytest

from hutong.conformance.case import CASES, Case, Side
from hutong.conformance.messages import FIELDS, described
from hutong.conformance.run import chosen

SCHEME = Path(__file__).parents[2] / "docs" / "scheme"
LIST = "## The cases\n"


def _plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_quotes_a_sentence_of_its_page(case: Case) -> None:
    assert case.title
    assert case.proves in _plain((SCHEME / case.page).read_text())


def listed() -> str:
    """The end of conformance.md."""
    lines = [LIST]
    for side in Side:
        cases = chosen(side)
        lines += [f"### {side.value.capitalize()}: {len(cases)}", "| case | what must be so | page | needs |"]
        lines.append("| --- | --- | --- | --- |")
        for case in cases:
            title = case.title.replace("|", "\\|")
            needs = ", ".join(case.needs) + (" (slow)" if case.slow else "")
            lines.append(f"| {case.id} | {title} | [{case.page}]({case.page}) | {needs} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def test_the_page_lists_the_cases() -> None:
    """`WRITE_CASES=1` writes the list again."""
    page = SCHEME / "conformance.md"
    head = page.read_text().partition(LIST)[0]
    if os.environ.get("WRITE_CASES"):
        page.write_text(head + listed())
    assert page.read_text() == head + listed()


def _tables() -> dict[str, dict[str, tuple[str, bool]]]:
    """The tables of messages.md: by message, each field's type and whether it must be there."""
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    for section in re.split(r"^## ", (SCHEME / "messages.md").read_text(), flags=re.MULTILINE)[1:]:
        rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (must|may)[^|]*\|", section, flags=re.MULTILINE)
        fields = {name: (type_.replace("`", ""), need == "must") for name, type_, need in rows}
        found[section.partition("\n")[0]] = fields
    return found


def test_the_kit_knows_the_fields_of_the_page() -> None:
    tables = _tables()
    assert {name: tables[name] for name in FIELDS} == FIELDS
    assert tables.keys() == FIELDS.keys(), "a message has no cases yet"


def test_machines_read_the_same_tables() -> None:
    assert json.loads((SCHEME / "messages.json").read_text()) == described()
