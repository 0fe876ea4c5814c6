"""What the commands about complaints print, and what they refuse before they ask any node."""

from typing import Any

import pytest

from hutong.cli.complaint import _show
from hutong.cli.main import run

FOUND: dict[str, Any] = {
    "complaint_id": "cpl_01M80ZBDAX3829EENFWEJV5500",
    "state": "PRCG",
    "currency": "CNY",
    "paid": 3_000,
    "asked": 1_000,
    "answer_by_ms": 1_767_225_600_000,
    "turns": [
        {"number": 1, "by": "DBTR", "act": "OPEN", "amount": 1_000, "text": "面是凉的", "at_ms": 1_767_225_600_000},
        {
            "number": 2,
            "by": "CDTR",
            "act": "SAYS",
            "text": "抱歉[/b] [red]",
            "pictures": ["a" * 64],
            "at_ms": 1_767_225_660_000,
        },
    ],
}


def test_a_complaint_is_shown_with_its_history(capsys: pytest.CaptureFixture[str]) -> None:
    _show(FOUND, as_json=False)
    shown = capsys.readouterr().out
    assert "¥10.00" in shown
    assert "2026-01-01 00:00Z" in shown
    assert shown.index("面是凉的") < shown.index("抱歉[/b] [red]"), "what people write is no markup of ours"
    assert "picture" in shown
    assert shown.count("a" * 20) >= 1


@pytest.mark.parametrize("arguments", [["list", "--desk"], ["show", "cpl_1", "--desk"]])
def test_the_desk_says_whose_it_is(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["complaint", *arguments]) == 1
    assert capsys.readouterr().err == "hutong: COMPLAINTS_NODE_NEEDED: say=--node\n"
