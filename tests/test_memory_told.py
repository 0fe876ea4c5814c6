"""What a node keeps in memory of its tables is told to operators: every shelf, and what bounds it."""

import ast
import importlib
import re
from pathlib import Path
from typing import Any, NamedTuple

from hutong.runtime.shelf import Shelf
from hutong.runtime.tables import Table

ROOT = Path(__file__).parents[1]
_USUAL = 1_000_000


class Kept(NamedTuple):
    table: str
    rows_max: int
    is_whole: bool  # Read at the start, and looked through whole.


def _value(module: Any, node: ast.expr) -> Any:
    return getattr(module, node.id) if isinstance(node, ast.Name) else ast.literal_eval(node)


def _shelves() -> list[Kept]:
    found = []
    for path in sorted((ROOT / "src" / "hutong").rglob("*.py")):
        text = path.read_text()
        if "Shelf(" not in text:
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT / "src").with_suffix("").parts))
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(node.value, ast.Call):
                continue
            call, target = node.value, node.targets[0] if isinstance(node, ast.Assign) else node.target
            if not isinstance(call.func, ast.Name) or getattr(module, call.func.id, None) is not Shelf:
                continue
            table = _value(module, call.args[0])
            assert isinstance(table, Table), path
            name = target.attr if isinstance(target, ast.Attribute) else ast.unparse(target)
            asked = next((each.value for each in call.keywords if each.arg == "rows_max"), None)
            rows_max = _USUAL if asked is None else _value(module, asked)
            found.append(Kept(table.name, rows_max, f"self.{name}.load_all()" in text))
    return found


def _told() -> dict[str, set[str]]:
    """The tables in each row of the section, by what its first cell says."""
    section = (ROOT / "docs" / "operate.md").read_text().partition("\n## Memory\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    return {
        bound.strip(): set(re.findall(r"`(\w+)`", tables)) for bound, tables in rows[2:]
    }  # Behind the head and its line.


def _bound(kept: Kept) -> str:
    return "all" if kept.is_whole else f"{kept.rows_max:,}"


def test_every_shelf_and_what_bounds_it_is_told_to_operators() -> None:
    shelves = _shelves()
    assert len(shelves) > 100
    wanted: dict[str, set[str]] = {}
    for kept in shelves:
        wanted.setdefault(_bound(kept), set()).add(kept.table)
    assert _told() == wanted
