"""`hutong simulate`: a whole network in virtual time, under every fault, from a seed."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from cyclopts import Parameter

from hutong.cli.output import AsJson, count_of, show_facts, show_json, show_rows, stdout
from hutong.kernel.errors import Kind, Reason, Refusal

if TYPE_CHECKING:
    from hutong.simulation.campaign import Tally
    from hutong.simulation.run import Result

FOUND = 1


class SimulateReason(Reason):
    """Why nothing was simulated."""

    SEEDS_MALFORMED = Kind.INVALID, "NARR"
    PLANT_UNKNOWN = Kind.INVALID, "NARR"


def simulate(
    *,
    seed: Annotated[int | None, Parameter(help="The one run to make; the same number is the same run.")] = None,
    seeds: Annotated[str, Parameter(help="Many runs: from A to B (`1..200`), or from A on (`1..`).")] = "1..20",
    hours: Annotated[float, Parameter(help="Of virtual time under faults, in each run.")] = 0.25,
    plant: Annotated[str, Parameter(help="A bug to plant, to see it found; `list` names them.")] = "",
    marketing: Annotated[
        bool, Parameter(help="Campaigns, coupons, daily draws, red packets and invitations take part.")
    ] = True,
    minutes: Annotated[float, Parameter(help="Begin no other run after so long.")] = 10_000,
    processes: Annotated[int, Parameter(help="How many runs at a time.")] = 1,
    trace: Annotated[Path | None, Parameter(help="Write every event of the run of `--seed` here.")] = None,
    json: AsJson = False,
) -> int:
    """Live through everything that can go wrong, and say what came of it; leaves with 1 if anything was found."""
    from hutong.simulation.campaign import campaign
    from hutong.simulation.plants import PLANTS

    if plant == "list":
        show_rows(
            "Bugs to plant", ("name", "what it does"), [(name, _first(run.__doc__)) for name, run in PLANTS.items()]
        )
        return 0
    if plant and plant not in PLANTS:
        raise Refusal(SimulateReason.PLANT_UNKNOWN, plant=plant, known=", ".join(PLANTS))
    if seed is not None:
        return _one(_Run(hours, plant, marketing=marketing), seed, trace, as_json=json)
    chosen, total = _seeds(seeds)
    with _Bar(total, shown=not json) as bar:
        tally = campaign(
            chosen,
            hours=hours,
            plant=plant,
            marketing=marketing,
            processes=processes,
            within_s=minutes * 60,
            progress=bar.show,
        )
    if json:
        show_json(tally)
    else:
        _show(tally)
        for result in tally.violations:
            _show_wrong(result, _Run(hours, plant, marketing=marketing))
    return FOUND if tally.violations else 0


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run is, beside its seed."""

    hours: float
    plant: str
    marketing: bool

    def __str__(self) -> str:
        planted = f" --plant {self.plant}" if self.plant else ""
        return f"--hours {self.hours:g}{planted}{'' if self.marketing else ' --no-marketing'}"


def _one(how: _Run, seed: int, trace: Path | None, *, as_json: bool) -> int:
    from hutong.simulation.run import simulate as run

    told = partial(run, seed, hours=how.hours, plant=how.plant, marketing=how.marketing)
    if trace is None:
        result = told()
    else:
        with trace.open("w", encoding="utf-8") as file:
            result = told(trace=file)
    if as_json:
        show_json(result)
    else:
        facts = [(name, str(getattr(result, name))) for name in ("seed", "digest", "events", "payments", "completed")]
        facts += [(name, str(getattr(result, name))) for name in ("refunds", "transfers", "restarts", "virtual_s")]
        given = ("awards", "coupons", "red_packets", "shares", "friends") if how.marketing else ()
        facts += [(name.replace("_", " "), str(getattr(result, name))) for name in given]
        show_facts("", facts)
        show_rows("Faults", ("kind", "times"), [(kind, str(times)) for kind, times in result.faults.items()])
        _show_wrong(result, how)
    return FOUND if result.wrong else 0


def _seeds(text: str) -> tuple[Iterable[int], int | None]:
    first, dots, last = text.partition("..")
    if not first.isdigit() or (last and not last.isdigit()) or not dots:
        raise Refusal(SimulateReason.SEEDS_MALFORMED, seeds=text, wanted="A..B")
    if not last:
        return count(int(first)), None
    return range(int(first), int(last) + 1), int(last) - int(first) + 1


def _show(tally: "Tally") -> None:
    show_facts(
        "",
        [
            ("runs", f"{tally.seeds:,}"),
            ("payments", f"{tally.payments:,}, of which completed {tally.completed:,}"),
            ("refunds", f"{tally.refunds:,}"),
            *_given(tally),
            ("transfers", f"{tally.transfers:,}"),
            ("crashes and restarts", f"{tally.restarts:,}"),
            ("virtual time", f"{tally.virtual_s / 3600:,.1f} h"),
            ("simulated", f"{tally.payments_per_s:,} payments/s, {tally.events:,} events in {tally.elapsed_s:,.0f} s"),
            ("violations", str(len(tally.violations))),
        ],
    )
    rows = [(kind, f"{times:,}", f"{tally.schedules[kind]:,}") for kind, times in sorted(tally.faults.items())]
    show_rows("Faults", ("kind", "times", "in runs"), rows, numbers=("times", "in runs"))


def _given(tally: "Tally") -> list[tuple[str, str]]:
    """What marketing did, if it took part."""
    if not tally.awards and not tally.red_packets:
        return []
    return [
        ("awards", f"{tally.awards:,}, coupons claimed {tally.coupons:,}"),
        ("red packets", f"{tally.red_packets:,}, shares claimed {tally.shares:,}"),
        ("friends brought", f"{tally.friends:,}"),
    ]


def _show_wrong(result: "Result", how: _Run) -> None:
    for said in result.wrong:
        stdout.print(said, markup=False)
    if result.wrong:
        again = f"hutong simulate --seed {result.seed} {how} --trace trace.txt"
        stdout.print(f"found at event {result.at_event:,}; to see it again: {again}", markup=False)


def _first(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]


class _Bar:
    """The progress of many runs, on a terminal."""

    def __init__(self, total: int | None, *, shown: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._progress = Progress(*columns, console=stdout, transient=True, disable=not (shown and sys.stdout.isatty()))
        self._task = self._progress.add_task("", total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, tally: "Tally") -> None:
        given = (
            f", {count_of(tally.awards, 'award')}, {count_of(tally.shares, 'share')} of red packets"
            if tally.awards
            else ""
        )
        said = f"{count_of(tally.payments, 'payment')}{given}, {tally.payments_per_s:,}/s"
        self._progress.update(self._task, completed=tally.seeds, description=said)
