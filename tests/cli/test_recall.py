"""How a trace is drawn, and what the commands about recalls refuse before they ask any node."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from hutong.cli.main import run
from hutong.cli.recall import _dot, _mermaid, _tree

MULE, FRIEND = "wei:16135cdd9df9e8d4", "zhi:333f8271b2834691"
TRACE: dict[str, Any] = {
    "payment_id": "pay_01M80ZBDAX3829EENFWEJV5500",
    "amount": 10_000,
    "currency": "CNY",
    "holder": MULE,
    "whole": True,
    "hops": [
        {"source": MULE, "target": FRIEND, "kind": "PAYMENT", "amount": 6_500, "payment_id": "pay_1", "agent": "zhi"},
        {"source": MULE, "kind": "KEPT", "amount": 3_500},
        {"source": FRIEND, "target": MULE, "kind": "PAYMENT", "amount": 500, "payment_id": "pay_2", "agent": "wei"},
        {"source": FRIEND, "kind": "PAYMENT", "amount": 1_000, "payment_id": "pay_3", "agent": "yun"},
        {"source": FRIEND, "kind": "PAIDOUT", "amount": 5_000},
    ],
    "people": {MULE: 'usr_1 "[bold]'},
}


def test_a_tree_opens_everybody_once_and_shows_all_of_every_line() -> None:
    console = Console(width=200, record=True, file=StringIO())
    console.print(_tree(TRACE))
    assert console.export_text().splitlines() == [
        f'pay_01M80ZBDAX3829EENFWEJV5500  ¥100.00 to {MULE} (usr_1 "[bold])',
        f"├── ¥65.00 paid on to {FRIEND}  pay_1",
        f'│   ├── ¥5.00 paid on to {MULE} (usr_1 "[bold])  pay_2',
        "│   ├── ¥10.00 paid on to somebody at yun  pay_3",
        "│   └── ¥50.00 left the network",
        "└── ¥35.00 still there",
    ]


def test_graphs_name_every_edge_and_no_name_breaks_out_of_its_quotes() -> None:
    dot, mermaid = _dot(TRACE), _mermaid(TRACE)
    assert dot[0] == "digraph trace {"
    assert f'  "{MULE} (usr_1 ?[bold])" -> "{FRIEND}" [label="¥65.00"];' in dot
    assert f'  "{FRIEND}" -> "yun:?" [label="¥10.00"];' in dot
    assert mermaid[0] == "flowchart LR"
    assert f'  n0["{MULE} (usr_1 ?[bold])"]' in mermaid
    assert "  n0 -->|¥65.00| n1" in mermaid
    assert len(mermaid) == 1 + 5 + len(TRACE["hops"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["recall", "answer", "dsp_1", "--node", "wei"], "hutong: ANSWER_NEEDS_ONE_OF: say=--accept or --reject CODE"),
        (["recall", "answer", "dsp_1", "--decline"], "hutong: ANSWER_NEEDS_ONE_OF: say=--accept or --reject CODE"),
        (["recall", "answer", "rcl_1", "--reject", "CUST"], "hutong: ANSWER_NEEDS_ONE_OF: say=--accept or --decline"),
        (["recall", "answer", "rcl_1", "--accept"], "hutong: NODE_NEEDED: say=--node"),
        (["recall", "list", "--desk"], "hutong: NODE_NEEDED: say=--node"),
        (["trace", "pay_1"], "hutong: ORIGINATOR_NEEDED: say=--originator, or --node of an institution"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 1
    assert capsys.readouterr().err == said + "\n"
