"""How commands speak: for people in tables, for scripts in JSON, and one line for every no."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hutong.app.node_client import NodeRefused, NodeSilent
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, currency_of, format_amount

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, and ask nothing.")]
stdout = Console(highlight=False, soft_wrap=True)


def show_json(value: Any) -> None:
    """One JSON value on stdout."""
    stdout.out(msgspec.json.encode(value, enc_hook=str).decode())


def show_facts(title: str, facts: Iterable[tuple[str, str]]) -> None:
    """A few named facts, one a line. What people wrote is shown as it is: a bracket of theirs is no markup of ours."""
    table = Table(
        box=None, show_header=False, pad_edge=False, title=Text(title) if title else None, title_justify="left"
    )
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, fact in facts:
        table.add_row(name, Text(fact))
    stdout.print(table)


def show_rows(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, numbers: Sequence[str] = ()
) -> None:
    """A table; the columns in `numbers` are aligned to the right. A `str` is shown as it is, a `Text` with its colours."""
    table = Table(box=box.SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    stdout.print(table)


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
