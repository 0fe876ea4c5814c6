"""`hutong bill`: a merchant's day in sums, and as CSV files."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hutong.app.node_client import NodeClient
from hutong.cli.connection import MERCHANT, NOWHERE, At, connected
from hutong.cli.output import AsJson, count_of, money, show_facts, show_json, stdout

Out = Annotated[Path | None, Parameter(help="Write it to this file, as CSV.")]


async def bill(
    day: Annotated[str, Parameter(help="As 2026-11-23.")],
    /,
    *,
    trades: Out = None,
    funds: Out = None,
    at: At = NOWHERE,
    json: AsJson = False,
) -> int:
    """A day's bills: what was sold and given back (--trades), every movement (--funds). Leaves with 1 if they disagree."""
    _, client = connected(at, MERCHANT)
    async with client:
        totals = await client.get(f"/v1/merchant/bills/{day}")
        for name, file in (("trades", trades), ("funds", funds)):
            if file is not None:
                lines = totals["lines"] if name == "funds" else totals["payments"] + totals["refunds"]
                await _write(client, f"/v1/merchant/bills/{day}/{name}.csv", file, lines, quiet=json)
    if json:
        show_json(totals)
        return int(not totals["agrees"])
    currency = totals["currency"]
    show_facts(
        f"{day}{'' if totals['complete'] else ', so far'}",
        (
            ("before", money(totals["opening"], currency)),
            (
                "payments",
                f"{totals['payments']:,}: {money(totals['gross'], currency)}, fees {money(totals['fees'], currency)}",
            ),
            (
                "refunds",
                f"{totals['refunds']:,}: {money(totals['refunded'], currency)}, fees {money(totals['fees_back'], currency)}",
            ),
            ("of these, net", money(totals["net"], currency)),
            ("other movements", money(totals["other"], currency)),
            ("behind", money(totals["closing"], currency)),
        ),
    )
    said = "equal to the ledger" if totals["agrees"] else "[bold]NOT EQUAL TO THE LEDGER[/]"
    stdout.print(f"{count_of(totals['lines'], 'movement')}, {said}.")
    return int(not totals["agrees"])


async def _write(client: NodeClient, path: str, file: Path, lines: int, *, quiet: bool) -> None:
    from rich.progress import Progress

    with Progress(transient=True) if not quiet and stdout.is_terminal else nullcontext() as progress:
        task = progress.add_task(file.name, total=lines + 1) if progress else None
        with file.open("wb") as out:
            async for piece in client.download(path):
                out.write(piece)
                if progress and task is not None:
                    progress.advance(task, piece.count(b"\n"))
    if not quiet:
        stdout.print(f"{file}: {count_of(lines, 'line')}")
