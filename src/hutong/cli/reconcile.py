"""`hutong reconcile`: an institution's books against the switch's clearing file, as its operator; always with --node."""

import asyncio
import sys
from contextlib import nullcontext
from typing import Annotated, Any, Self

from cyclopts import Parameter

from hutong.app.node_client import NodeClient
from hutong.cli.connection import NOWHERE, At, operating
from hutong.cli.output import AsJson, count_of, money, show_facts, show_json, show_rows, stdout
from hutong.kernel.clock import NS_PER_MS, instant
from hutong.scheme.clearing_file import window_in_path

_LOOK_S = 0.1
_CASES_SHOWN = 20

WindowId = Annotated[str, Parameter(help="A closed settlement window, as 2026-11-23/2.")]
CaseId = Annotated[str, Parameter(help="A case: dif_…")]


async def run(window: WindowId, /, *, at: At = NOWHERE, json: AsJson = False) -> int:
    """Compare a closed window; leaves with 1 where the books differ."""
    async with operating(at) as client:
        found = await client.post(f"{_path(window)}")
        watching = nullcontext() if json or not stdout.is_terminal else _Bar()
        with watching as bar:
            while found["phase"] != "done":
                if isinstance(bar, _Bar):
                    bar.show(found)
                await asyncio.sleep(_LOOK_S)
                found = await client.get(_path(window))
        cases = await _open_cases(client, window)
    _show(found, cases, as_json=json)
    return int(found["differing"] > 0)


async def show(window: WindowId, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """What came of comparing a window, and its cases."""
    async with operating(at) as client:
        found = await client.get(_path(window))
        cases = await client.get(f"{_path(window)}/cases")
    _show(found, cases, as_json=json)


async def case(case_id: CaseId, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """One case in full."""
    async with operating(at) as client:
        _show_case(await client.get(f"/v1/operator/cases/{case_id}"), as_json=json)


async def correct(case_id: CaseId, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Book what is missing against the suspense account (待查): clearing mirrors the switch again."""
    async with operating(at) as client:
        _show_case(await client.post(f"/v1/operator/cases/{case_id}/correct"), as_json=json)


async def enquire(case_id: CaseId, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Ask the switch again how a pending line stands."""
    async with operating(at) as client:
        _show_case(await client.post(f"/v1/operator/cases/{case_id}/enquire"), as_json=json)


async def settle(
    case_id: CaseId,
    with_: Annotated[str, Parameter(help="usr_…, mer_…, or `differences`: our own gain or loss.")],
    /,
    *,
    at: At = NOWHERE,
    json: AsJson = False,
) -> None:
    """Take a corrected difference out of suspense, with whom it concerns."""
    async with operating(at) as client:
        _show_case(await client.post(f"/v1/operator/cases/{case_id}/settle", {"with": with_}), as_json=json)


async def explain(case_id: CaseId, note: str, /, *, at: At = NOWHERE, json: AsJson = False) -> None:
    """Close a case without moving money, saying why."""
    async with operating(at) as client:
        _show_case(await client.post(f"/v1/operator/cases/{case_id}/explain", {"note": note}), as_json=json)


class _Bar:
    """How far it is: lines of our own towards the number of those the switch sent, or the other way round."""

    def __enter__(self) -> Self:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[lines]}"),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, transient=True)
        self._task = self._progress.add_task("fetching", total=None, lines="")
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, found: dict[str, Any]) -> None:
        here, there = found["lines_here"], found["lines_there"]
        if found["phase"] == "fetching":
            self._progress.update(
                self._task, description="fetching", lines=f"{count_of(here, 'line')} here, {there:,} there", total=None
            )
        else:
            self._progress.update(self._task, description=found["phase"], total=1, completed=0.9)


def _path(window: str) -> str:
    return f"/v1/operator/reconciliations/{window_in_path(window)}"


async def _open_cases(client: NodeClient, window: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = await client.get(f"{_path(window)}/cases", only="OPEN")
    return cases


def _show(found: dict[str, Any], cases: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        show_json({"reconciliation": found, "cases": cases})
        return
    totals = {side: {(each["currency"], each["direction"]): each for each in found[side]} for side in ("here", "there")}
    rows = []
    for currency, direction in sorted(totals["here"].keys() | totals["there"].keys()):
        mine, theirs = (totals[side].get((currency, direction), {"lines": 0, "minor": 0}) for side in ("here", "there"))
        moved = (money(side["minor"], currency) for side in (mine, theirs))
        rows.append((direction, f"{mine['lines']:,}", f"{theirs['lines']:,}", *moved))
    figures = ("lines here", "lines there", "here", "there")
    show_rows(f"Window {found['window']}", ("", *figures), rows, numbers=figures)
    said = "the books agree" if not found["differing"] else f"[bold]{found['differing']:,} differ[/]"
    stdout.print(
        f"{count_of(found['matched'], 'line matches', 'lines match')}, {said}. Compared in {found['took_ms'] / 1000:.1f} s."
    )
    if cases:
        show_rows("", ("case", "state", "what", "line", "here", "there", "proposed"), map(_row, cases[:_CASES_SHOWN]))
    if len(cases) > _CASES_SHOWN:
        stdout.print(f"{len(cases) - _CASES_SHOWN:,} more: --json has them all.")
    sys.stdout.flush()


def _row(case: dict[str, Any]) -> tuple[str, ...]:
    line = f"{case['line_kind']} {case['direction']} {case['originator']} {case['id']}"
    return (
        case["case_id"],
        case["state"],
        case["kind"],
        line,
        _moved(case, "here"),
        _moved(case, "there"),
        f"{case['proposal']} ({case['standing']})",
    )


def _moved(case: dict[str, Any], side: str) -> str:
    return "-" if case[side] is None else money(case[side], case["currency"])


def _show_case(case: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(case)
        return
    way = "debited" if case["correction"] > 0 else "credited"
    show_facts(
        case["case_id"],
        (
            ("state", case["state"]),
            ("window", case["window"]),
            ("line", f"{case['line_kind']} {case['direction']} of {case['originator']}, {case['id']}"),
            ("difference", f"{case['kind']}: here {_moved(case, 'here')}, there {_moved(case, 'there')}"),
            ("here it is", case["standing"]),
            ("proposed", case["proposal"]),
            ("clearing to be", f"{way} by {money(abs(case['correction']), case['currency'])}"),
            ("note", case["note"]),
            (
                "changed",
                f"{instant(case['changed_ms'] * NS_PER_MS):%Y-%m-%d %H:%M:%S} UTC, {case['changed_by'] or 'a run'}",
            ),
        ),
    )
