"""Comparing two sides, against a plain comparison in Python over everything hypothesis thinks of."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.institution.reconciliation.comparison import Comparison, compare
from hutong.institution.reconciliation.difference import Difference, DifferenceKind, Line
from hutong.institution.reconciliation.reasons import ReconciliationReason
from hutong.kernel.errors import Refusal
from hutong.scheme.clearing_file import COLUMNS

WINDOW = "2026-11-23/2"
LINES = st.builds(
    Line,
    kind=st.sampled_from(["PAYMENT", "RETURN"]),
    originator=st.sampled_from(["jing", "wei", "a,b"]),
    id=st.integers(0, 5).map(lambda number: f"{number:032x}"),
    direction=st.sampled_from(["DEBIT", "CREDIT"]),
)
CODES = {
    (kind, direction, originator): number
    for number, (kind, direction, originator) in enumerate(
        product(("PAYMENT", "RETURN"), ("DEBIT", "CREDIT"), ("jing", "wei", "a,b")), start=10
    )
}
SIDES = st.dictionaries(LINES, st.integers(0, 3), max_size=20)


def run(folder: Path, here: dict[Line, int], there: dict[Line, int]) -> Comparison:
    folder.mkdir(exist_ok=True)
    (folder / "compare.duckdb").unlink(missing_ok=True)
    lines, moves, cleared = folder / "lines.csv", folder / "moves.csv", folder / "cleared.csv"
    lines.write_text(
        "kind,originator,id,direction,currency,code\n"
        + "".join(
            f'{line.kind},"{line.originator}",{line.id},{line.direction},CNY,{key(line).partition(",")[0]}\n'
            for line in here
        )
    )
    moves.write_text(
        "code,id,debit\n"
        + "".join(
            # In two parts, as a payment with a fee moves.
            f"{key(line)},{sign * (minor - 1)}\n{key(line)},{sign}\n"
            for line, minor in here.items()
            for sign in [1 if line.direction == "CREDIT" else -1]
            if minor
        )
        + f"11,{77:032x},77\n"
    )
    cleared.write_text(",".join(COLUMNS) + "\n" + "".join(cleared_line(line, minor) for line, minor in there.items()))
    return compare(lines, moves, cleared, WINDOW, folder)


def key(line: Line) -> str:
    """Code and id of the movement: here every originator has its own code, as an id is one movement's of a code."""
    return f"{CODES[line.kind, line.direction, line.originator]},{line.id}"


def cleared_line(line: Line, minor: int | str, *, window: str = WINDOW) -> str:
    return (
        f'{window},{line.kind},"{line.originator}",{line.id},,jing,wei,CNY,{minor},{minor},0,0,{line.direction},'
        f"{minor},1764000000000\n"
    )


@settings(max_examples=40, deadline=None)
@given(here=SIDES, there=SIDES)
def test_every_line_is_matched_or_a_difference(
    here: dict[Line, int], there: dict[Line, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = run(tmp_path_factory.mktemp("compare"), here, there)
    expected = {
        line: Difference(line=line, currency="CNY", here=here.get(line), there=there.get(line))
        for line in here.keys() | there.keys()
        if here.get(line) != there.get(line)
    }
    assert {each.line: each for each in found.differences} == expected
    assert (found.lines_here, found.lines_there, found.differing) == (len(here), len(there), len(expected))
    assert found.matched + found.differing == len(here.keys() | there.keys())
    for totals, side in ((found.here, here), (found.there, there)):
        assert {each.direction: (each.lines, each.minor) for each in totals} == {
            direction: (len(minors), sum(minors))
            for direction in ("CREDIT", "DEBIT")
            if (minors := [minor for line, minor in side.items() if line.direction == direction])
        }


GOOD = Line("PAYMENT", "jing", f"{1:032x}", "DEBIT")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "window,kind\n",
        ",".join(COLUMNS) + "\n" + cleared_line(GOOD, "1.5"),
        ",".join(COLUMNS) + "\n" + cleared_line(GOOD, "-1"),
        ",".join(COLUMNS) + "\n" + cleared_line(GOOD, 2**63),
        ",".join(COLUMNS) + "\n" + cleared_line(GOOD, 1)[:40],
        ",".join(COLUMNS) + "\n" + cleared_line(GOOD, 1, window="2026-11-23/1"),
        ",".join(COLUMNS) + "\n" + cleared_line(GOOD, 1) + cleared_line(GOOD, 2),
        ",".join(COLUMNS) + "\n" + cleared_line(Line("PAYMENT", "jing", "0' OR 1=1", "DEBIT"), 1),
        ",".join(COLUMNS) + "\n" + cleared_line(Line("PAYMENT", "jing", f"{1:032x}", "SIDEWAYS"), 1),
        ",".join(COLUMNS) + "\n\x00\xff" + cleared_line(GOOD, 1),
    ],
)
def test_a_file_that_breaks_its_contract_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "lines.csv").write_text("kind,originator,id,direction,currency,code\n")
    (tmp_path / "moves.csv").write_text("code,id,debit\n")
    (tmp_path / "cleared.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(Refusal) as refused:
        compare(tmp_path / "lines.csv", tmp_path / "moves.csv", tmp_path / "cleared.csv", WINDOW, tmp_path)
    assert refused.value.reason is ReconciliationReason.CLEARING_FILE_MALFORMED


@pytest.mark.parametrize(
    ("direction", "here", "there", "debit"),
    [("CREDIT", None, 5, 5), ("CREDIT", 5, None, -5), ("DEBIT", None, 5, -5), ("DEBIT", 7, 5, 2), ("CREDIT", 7, 5, -2)],
)
def test_a_difference_says_what_clearing_lacks(direction: str, here: int | None, there: int | None, debit: int) -> None:
    line = Line("PAYMENT", "jing", f"{1:032x}", direction)
    difference = Difference(line=line, currency="CNY", here=here, there=there)
    assert difference.clearing_debit == debit
    assert (difference.kind is DifferenceKind.AMOUNT_DIFFERS) == (here is not None and there is not None)
