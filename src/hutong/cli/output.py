"""How commands speak: for people in tables, for scripts in JSON, and one line for every no."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hutong.app.node_client import NodeRefused, NodeSilent
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, currency_of, format_amount

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, and ask nothing.")]
stdout = Console(highlight=False, soft_wrap=True)
_BETWEEN = 2
_LEAST = 10  # Of a column whose words may be folded, unless it has less to say.
_ID = re.compile(r"(?=[A-Za-z_]*[0-9])[0-9A-Za-z_]{16,}")  # An id, a key's digits, or a code; alone, or in a link.


def show_json(value: Any) -> None:
    """One JSON value on stdout."""
    stdout.out(msgspec.json.encode(value, enc_hook=str).decode())


def show_facts(title: str, facts: Iterable[tuple[str, str]]) -> None:
    """A few named facts, one a line. What people wrote is shown as it is: a bracket of theirs is no markup of ours."""
    told = [(name, Text(fact)) for name, fact in facts]
    names = max((cell_len(name) for name, _ in told), default=0)
    if any(_whole(fact) + names + _BETWEEN > stdout.width for _, fact in told):
        _show_records(title, [told])
        return
    table = Table(
        box=None, show_header=False, pad_edge=False, title=Text(title) if title else None, title_justify="left"
    )
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, fact in told:
        table.add_row(name, fact)
    stdout.print(table)


def show_rows(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, numbers: Sequence[str] = ()
) -> None:
    """
    A table; the columns in `numbers` are aligned to the right. A `str` is shown as it is, a `Text` with its colours.

    Ids and figures are never broken, so that they can be copied: where the terminal is too narrow for that, each row is its own few lines.
    """
    cells = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    widths = _widths(columns, cells, numbers, stdout.width)
    if widths is None:
        _show_records(title, [list(zip(columns, row, strict=True)) for row in cells])
        return
    table = Table(box=box.SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold", width=width)
    for row in cells:
        table.add_row(*row)
    stdout.print(table)


def _widths(
    columns: Sequence[str], cells: Sequence[Sequence[Text]], numbers: Sequence[str], width: int
) -> list[int] | None:
    """What each column gets; None: it would break what has to stay whole."""
    widest, least = [], []
    for at, column in enumerate(columns):
        own = [row[at] for row in cells]
        natural = max([cell_len(column), *(cell_len(line) for cell in own for line in cell.plain.splitlines())])
        whole = natural if column in numbers else max([_longest(column), *map(_whole, own)])
        widest.append(natural)
        least.append(max(whole, min(natural, _LEAST)))
    left = (
        width - (_BETWEEN + 1) * len(columns) - 1
    )  # Of each column a blank on either side; between two, and at the edges, one.
    if sum(least) > left:
        return None
    for _ in range(sum(widest) - left):
        spare = [wide - narrow for wide, narrow in zip(widest, least, strict=True)]
        at = max(range(len(columns)), key=lambda each: (spare[each] > 0, widest[each]))
        widest[at] -= 1
    return widest


def _whole(cell: Text) -> int:
    """How long the longest of its words is that has to stay whole."""
    return max((cell_len(word) for word in cell.plain.split() if _ID.search(word)), default=0)


def _longest(words: str) -> int:
    return max((cell_len(word) for word in words.split()), default=0)


def _show_records(title: str, records: Sequence[Sequence[tuple[str, Text]]]) -> None:
    """Each of them on lines of its own, which the terminal wraps and nobody breaks."""
    if title:
        stdout.print(Text(title, "italic"))
    for number, record in enumerate(records):
        if number:
            stdout.print()
        names = max(cell_len(name) for name, _ in record)
        for name, fact in record:
            if fact.plain:
                padded = name + " " * (names - cell_len(name) + _BETWEEN)
                stdout.print(Text.assemble((padded, "dim"), fact))


def count_of(number: int, one: str, many: str = "") -> str:
    """`1 line`, `2 lines`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def money(minor: int, currency: str = "CNY") -> str:
    """An amount as people read it; below zero with its sign."""
    found = currency_of(currency)
    sign = "-" if minor < 0 else ""
    symbol = "¥" if found is Currency.CNY else f"{currency} "
    return f"{sign}{symbol}{format_amount(abs(minor), found)}"


def said_no(error: Exception, *, as_json: bool) -> str | None:
    """The one line for stderr, or None when it is no answer but a mistake of ours."""
    told: Mapping[str, Any]
    match error:
        case NodeRefused():
            reason, told = error.reason, error.facts
        case Refusal():
            reason, told = error.reason.name, error.facts
        case NodeSilent():
            reason, told = "NODE_SILENT", {"why": str(error)}
        case OSError():
            # The machine's no, in its words: a port that is taken, a directory that may not be written.
            reason, told = "MACHINE_REFUSED", {"said": str(error)}
        case _ if type(error).__name__ == "DatabaseUnavailable":  # By name: its module loads the database's driver.
            reason, told = "DATABASE_UNAVAILABLE", {"said": str(error)}
        case _:
            return None
    if as_json:
        return msgspec.json.encode({"reason": reason, "facts": told}, enc_hook=str).decode()
    # What others wrote may hold anything; here it stays on one line and moves no cursor.
    facts = "".join(
        each if each.isprintable() else " " for each in ", ".join(f"{name}={value}" for name, value in told.items())
    )
    return f"hutong: {reason}: {facts}" if facts else f"hutong: {reason}"
