"""
Two files of lines compared: a full join, done by DuckDB, which reads a million lines of CSV in a fraction of a second.

Nothing here knows where the files come from; it runs on a thread of its own, and DuckDB leaves Python's lock alone.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hutong.institution.reconciliation.difference import Difference, Line
from hutong.institution.reconciliation.reasons import ReconciliationReason
from hutong.kernel.errors import Refusal
from hutong.scheme.clearing_file import COLUMNS

if TYPE_CHECKING:
    import duckdb

DIFFERENCES_MAX = 10_000  # Told one by one; how many there are beyond that is counted.
_MEMORY = "1GB"  # Beyond it DuckDB writes to the folder it works in.


class SideTotals(msgspec.Struct, frozen=True):
    """One side's lines in one currency and direction: how many, and what they moved."""

    currency: str
    direction: str
    lines: int
    minor: int


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What came of comparing: counts of lines, each side's totals, and the differences, the first of them in full."""

    lines_here: int
    lines_there: int
    matched: int
    differing: int
    here: list[SideTotals]
    there: list[SideTotals]
    differences: list[Difference]


def compare(own_lines: Path, own_moves: Path, clearing_file: Path, window: str, folder: Path) -> Comparison:
    """
    Compare our books with the switch's file of a window.

    `own_lines` has kind, originator, id, direction, currency, code; `own_moves` has code, id and what each posted transfer
    debits (negative: credits) our clearing account with. A line without a move has moved nothing.

    Refuses:  CLEARING_FILE_MALFORMED: not the columns of the contract, a field of the wrong type, another window's line,
              or the same line twice.
    """
    import duckdb  # A tenth of a second: for who reconciles, not for every start of a node.

    with duckdb.connect() as database:
        database.execute(f"SET memory_limit = '{_MEMORY}'; SET temp_directory = '{folder}'; SET threads = 2")
        database.execute("SET preserve_insertion_order = false")
        _read_there(database, clearing_file, window)
        database.execute(_MOVES, [str(own_moves)])
        database.execute(_HERE, [str(own_lines)])
        database.execute(_JOIN)
        return _compared(database)


def _read_there(database: "duckdb.DuckDBPyConnection", clearing_file: Path, window: str) -> None:
    import duckdb

    try:
        with clearing_file.open() as file:
            header = file.readline().rstrip("\n")
        if header != ",".join(COLUMNS):
            raise Refusal(ReconciliationReason.CLEARING_FILE_MALFORMED, problem=f"columns: {header[:200]}")
        database.execute(_RAW, [str(clearing_file), _RAW_COLUMNS])
    except (duckdb.Error, UnicodeDecodeError) as error:
        problem = str(error).partition("\n")[0][:200]
        raise Refusal(ReconciliationReason.CLEARING_FILE_MALFORMED, problem=problem) from error
    _check(database, _OTHER_WINDOW, [window], "a line of window")
    _check(database, _NOT_WELL_FORMED, [], "the line of")
    database.execute(_THERE)
    _check(database, _TWICE, [], "two lines of")


def _check(database: "duckdb.DuckDBPyConnection", query: str, arguments: list[str], problem: str) -> None:
    if found := database.execute(query, arguments).fetchone():
        raise Refusal(ReconciliationReason.CLEARING_FILE_MALFORMED, problem=f"{problem} {found[0]}")


# In memory, and of each line only what is compared: half the time goes into reading text.
_RAW_COLUMNS = dict.fromkeys(COLUMNS, "VARCHAR")  # A number would be rounded where it has a fraction.
_RAW = """
CREATE TABLE raw AS SELECT "window", kind, originator, id, direction, currency, cleared
FROM read_csv(?, header = true, auto_detect = false, columns = ?)"""
_OTHER_WINDOW = 'SELECT "window" FROM raw WHERE "window" IS DISTINCT FROM ? LIMIT 1'
_NOT_WELL_FORMED = """
SELECT id FROM raw
WHERE NOT regexp_full_match(coalesce(cleared, ''), '[0-9]{1,18}') OR coalesce(direction, '') NOT IN ('DEBIT', 'CREDIT')
    OR coalesce(kind, '') NOT IN ('PAYMENT', 'RETURN')
    OR NOT regexp_full_match(coalesce(id, ''), '[0-9a-f]{32}') OR coalesce(originator, '') = '' OR coalesce(currency, '') = ''
LIMIT 1"""
_THERE = """
CREATE TABLE there AS SELECT kind, originator, id::UUID AS id, direction, currency, cleared::BIGINT AS cleared FROM raw;
DROP TABLE raw"""
_TWICE = "SELECT id FROM there GROUP BY kind, originator, id, direction HAVING count(*) > 1 LIMIT 1"

_MOVES = """
CREATE TABLE moves AS
SELECT code, id, sum(debit)::BIGINT AS debit
FROM read_csv(?, header = true, auto_detect = false, columns = {'code': 'BIGINT', 'id': 'UUID', 'debit': 'BIGINT'})
GROUP BY ALL"""
_HERE = """
CREATE TABLE here AS
SELECT DISTINCT kind, originator, id, direction, currency,
    coalesce(CASE direction WHEN 'CREDIT' THEN debit ELSE -debit END, 0) AS cleared
FROM read_csv(?, header = true, auto_detect = false, columns = {
    'kind': 'VARCHAR', 'originator': 'VARCHAR', 'id': 'UUID', 'direction': 'VARCHAR', 'currency': 'VARCHAR',
    'code': 'BIGINT'})
LEFT JOIN moves USING (code, id)"""
_JOIN = """
CREATE TABLE joined AS
SELECT
    coalesce(h.kind, t.kind) AS kind,
    coalesce(h.originator, t.originator) AS originator,
    coalesce(h.id, t.id) AS id,
    coalesce(h.direction, t.direction) AS direction,
    coalesce(t.currency, h.currency) AS currency,
    h.cleared AS here,
    t.cleared AS there
FROM here AS h
FULL JOIN there AS t
ON h.id = t.id AND h.kind = t.kind AND h.originator = t.originator AND h.direction = t.direction
    AND h.currency = t.currency"""


def _compared(database: "duckdb.DuckDBPyConnection") -> Comparison:
    counted = database.execute(
        "SELECT count(here), count(there), count(*) FILTER (WHERE here = there),"
        " count(*) FILTER (WHERE here IS DISTINCT FROM there) FROM joined"
    ).fetchone()
    assert counted is not None
    differing = database.execute(
        "SELECT kind, originator, id, direction, currency, here, there FROM joined"
        " WHERE here IS DISTINCT FROM there ORDER BY id, kind, originator, direction LIMIT ?",
        [DIFFERENCES_MAX],
    ).fetchall()
    return Comparison(
        lines_here=counted[0],
        lines_there=counted[1],
        matched=counted[2],
        differing=counted[3],
        here=_totals(database, "here"),
        there=_totals(database, "there"),
        differences=[
            Difference(line=Line(kind, originator, id_.hex, direction), currency=currency, here=here, there=there)
            for kind, originator, id_, direction, currency, here, there in differing
        ],
    )


def _totals(database: "duckdb.DuckDBPyConnection", side: str) -> list[SideTotals]:
    rows = database.execute(
        f"SELECT currency, direction, count(*), sum(cleared)::BIGINT FROM {side} GROUP BY ALL ORDER BY ALL"  # noqa: S608  # Ours.
    ).fetchall()
    return [SideTotals(*row) for row in rows]
