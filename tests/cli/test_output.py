"""What commands print for people to read."""

import ast
import io
from itertools import combinations
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from hutong.cli import output
from hutong.cli.output import count_of, show_facts, show_rows

IDS = [f"{prefix}_01JD9ZQ4X8{number:016d}" for number, prefix in enumerate(("cmp", "mer", "awd", "usr", "pay"))]
SAID = [
    "面馆小店的早餐立减活动" * 2,
    "running",
    "¥1,234.56",
    "a longer note that is folded between its words",
    "2026-11-23 08:00:00",
]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A terminal of 80 columns."""
    screen = io.StringIO()
    console = Console(file=screen, width=80, highlight=False, soft_wrap=True)
    monkeypatch.setattr(output, "stdout", console)
    return screen


@pytest.mark.parametrize("width", range(1, 10))
def test_an_id_stands_whole_on_its_line_so_that_it_can_be_copied(narrow: io.StringIO, width: int) -> None:
    """Whichever columns have ids, at the beginning of a cell, at its end, or alone."""
    for count in range(min(width, 4) + 1):
        for at in combinations(range(width), count):
            ids = dict(zip(at, IDS, strict=False))
            cells = [ids.get(column, SAID[column % len(SAID)]) for column in range(width)]
            told = [f"{cell} v2" if column in ids and column % 2 else cell for column, cell in enumerate(cells)]
            narrow.seek(0)
            narrow.truncate()
            columns = [f"column {number}" for number in range(width)]
            show_rows("", columns, [cells, [Text(cell) for cell in told]], numbers=columns[2:3])
            lines = narrow.getvalue().splitlines()
            for id_ in ids.values():
                assert sum(id_ in line for line in lines) == 2, (at, lines)
            if width > 2:
                assert "¥1,234.56" in narrow.getvalue() or 2 in ids
            assert all(cell_len(line) <= 80 for line in lines), (at, lines)


def test_what_is_too_long_for_any_line_is_left_to_the_terminal(narrow: io.StringIO) -> None:
    key, link = "0123456789abcdef" * 6, "https://wei.example/q/" + "x1" * 40
    show_rows("keys", ("key", "fingerprint"), [("a", key)])
    show_facts("one", [("key", key), ("link", link), ("note", SAID[3] * 3)])
    assert narrow.getvalue().count(key) == 2
    assert link in narrow.getvalue()
    assert "keys" in narrow.getvalue()


def test_a_table_that_has_room_is_a_table(narrow: io.StringIO) -> None:
    show_rows("", ("id", "name", "state"), [(IDS[0], "面馆", "running"), (IDS[1], "", "ended")])
    header, rule, one, other = (line.strip() for line in narrow.getvalue().splitlines() if line.strip())
    assert header.split() == ["id", "name", "state"]
    assert set(rule) == {"─"}
    assert one.split() == [IDS[0], "面馆", "running"]
    assert other.split() == [IDS[1], "ended"]


def test_every_table_of_a_command_is_one_of_these() -> None:
    for path in Path(output.__file__).parent.glob("*.py"):
        imported = {
            node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        }
        assert "rich.table" not in imported or path.name == "output.py", path.name


def test_one_line_and_two_lines() -> None:
    said = [count_of(1, "line"), count_of(0, "line"), count_of(2_000, "line"), count_of(1, "entry", "entries")]
    assert said == ["1 line", "0 lines", "2,000 lines", "1 entry"]
    assert count_of(3, "entry", "entries") == "3 entries"


def test_what_people_wrote_is_shown_as_they_wrote_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A name in brackets would else vanish from the screen, and half a mark would end the command."""
    show_facts("[shop]", [("name", "面馆 [red]老张[/b]")])
    show_rows("", ("", "name"), [(Text("ok", "green"), "[bold]Noodles[/]")])
    shown = capsys.readouterr().out
    assert "[shop]" in shown
    assert "面馆 [red]老张[/b]" in shown
    assert "[bold]Noodles[/]" in shown
    assert "ok" in shown
