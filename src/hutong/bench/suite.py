"""`hutong bench`: which parts there are, what is printed, and what each figure is beside."""

import gc
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec
import structlog
import uvloop

from hutong.app.up import GC_THRESHOLDS
from hutong.bench import (
    codes,
    coupons,
    echo,
    gateway,
    growth,
    ledger,
    marketing,
    packets,
    payments,
    reconciliation,
    settlement,
    storm,
    telling,
)
from hutong.bench.figures import Figures, Progress, machine_facts
from hutong.bench.scratch import Scratch, scratch_server
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.database import Database

if TYPE_CHECKING:
    from rich.table import Table


class BenchReason(Reason):
    """Why nothing was measured."""

    PART_UNKNOWN = Kind.INVALID, "NARR"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured, and how long each loop runs: the whole takes some minutes."""

    clients: tuple[int, ...] = (64, 256)
    ledger_s: float = 4.0
    payments_s: float = 6.0
    echo_s: float = 4.0
    codes_s: float = 1.0
    growth_s: float = 5.0
    past_transfers: int = growth.OLD_TRANSFERS
    past_accounts: int = growth.OLD_ACCOUNTS
    reconciled_lines: int = reconciliation.LINES
    settlement_s: float = 10.0
    past_payments: int = settlement.PAST_PAYMENTS
    gateway_s: float = 6.0
    coupons_s: float = 8.0
    gateway_phones: int = 250  # A node lets no more register at once.
    claimants: int = 248  # With the sender, as many as a node lets register at once.
    packets: int = 160
    packets_warm_s: float = 1.0
    marketing_s: float = 3.0
    marketing_rounds: int = 9


async def _growth(scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    await growth.measure(
        scratch,
        figures,
        clients=max(extent.clients),
        seconds=extent.growth_s,
        accounts=extent.past_accounts,
        transfers=extent.past_transfers,
        progress=progress,
    )


async def _ledger(scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    await ledger.measure(scratch, figures, seconds=extent.ledger_s, progress=progress)


async def _payments(scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    clients, seconds = extent.clients, extent.payments_s
    await payments.measure(scratch, figures, clients=clients, seconds=seconds, progress=progress)


async def _processes(scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    clients, seconds = extent.clients, extent.payments_s
    await payments.measure_processes(scratch, figures, clients=clients, seconds=seconds, progress=progress)


async def _storm(scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    await storm.measure(scratch, figures, clients=extent.clients, seconds=extent.payments_s, progress=progress)


async def _echo(_scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    await echo.measure(figures, seconds=extent.echo_s, progress=progress)


async def _settlement(scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    await settlement.measure(
        scratch, figures, seconds=extent.settlement_s, past=extent.past_payments, progress=progress
    )


async def _codes(_scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    codes.measure(figures, seconds=extent.codes_s, progress=progress)


async def _reconciliation(scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    await reconciliation.measure(scratch, figures, lines=extent.reconciled_lines, progress=progress)


async def _gateway(scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    await telling.measure(scratch, figures, seconds=extent.gateway_s, progress=progress)
    await gateway.measure(scratch, figures, seconds=extent.gateway_s, phones=extent.gateway_phones, progress=progress)


async def _packets(scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    await packets.measure(
        scratch,
        figures,
        claimants=extent.claimants,
        packets=extent.packets,
        clients=max(extent.clients),
        warm_s=extent.packets_warm_s,
        progress=progress,
    )


async def _coupons(scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    await coupons.measure(scratch, figures, seconds=extent.coupons_s, progress=progress)


async def _marketing(scratch: Scratch, figures: Figures, extent: Extent, progress: Progress) -> None:
    clients, seconds = min(extent.clients), extent.marketing_s
    rounds = extent.marketing_rounds
    await marketing.measure(scratch, figures, clients=clients, seconds=seconds, rounds=rounds, progress=progress)


PARTS = {
    "echo": _echo,
    "ledger": _ledger,
    "payments": _payments,
    "processes": _processes,
    "codes": _codes,
    "reconciliation": _reconciliation,
    "growth": _growth,
    "storm": _storm,
    "settlement": _settlement,
    "gateway": _gateway,
    "packets": _packets,
    "coupons": _coupons,
    "marketing": _marketing,
}
# Writing a past of millions takes as long as all the rest, and storms are no everyday's: measured when asked for.
_ASKED_FOR = {"coupons", "gateway", "growth", "marketing", "packets", "reconciliation", "settlement", "storm"}
DEFAULT = tuple(part for part in PARTS if part not in _ASKED_FOR)

CPU = "_cpu_us"
# What a figure is to reach on two cores.
AT_LEAST = {
    "ledger_c256_per_s": 40_000,
    "ledger_b8000_per_s": 60_000,
    "pay_onus_c256_per_s": 10_000,
    "pay_interop_c256_per_s": 5_000,
    "pay_interop_processes_c256_per_s": 4_000,
    "storm_enquiries_to_calm": 0.9,
    "storm_consults_to_calm": 0.9,
    "storm_replays_to_calm": 0.9,
    "storm_forgeries_to_calm": 0.9,
    "growth_wide_to_young": 0.8,
    "growth_old_to_young": 0.8,
    "growth_wide_pay_onus_to_young": 0.8,
    "growth_old_pay_onus_to_young": 0.8,
    "told_most_per_s": 500,
    "gateway_order_per_s": 400,
    "gateway_code_per_s": 300,
    "packet_claims_per_s": 5_000,
    "marketing_onus_with_to_without": 0.85,
    "marketing_interop_with_to_without": 0.85,
}
AT_MOST = {
    "pay_onus_c256_p99_ms": 100,
    "pay_interop_c256_p99_ms": 100,
    "pay_interop_processes_c256_p99_ms": 100,
    "reconcile_1m_s": 5,
    "growth_old_start_s": 5,
    "settle_close_s": 10,
    "growth_old_network_start_s": 5,
    "gateway_order_p99_ms": 100,
    "gateway_code_p99_ms": 100,
    "coupon_claim_c1000_p99_ms": 50,
    "marketing_decision_new_us": 1000,
    "marketing_decision_known_us": 1000,
}
# What a figure is a share of, where both were measured.
COMPARED = {
    "gateway_order_per_s": "native_order_per_s",
    "gateway_code_per_s": "native_code_per_s",
    "marketing_onus_with_per_s": "marketing_onus_without_per_s",
    "marketing_interop_with_per_s": "marketing_interop_without_per_s",
    "ledger_c256_per_s": "copy_b8000_per_s",
    "ledger_b8000_per_s": "copy_b8000_per_s",
    "ledger_hot_b8000_per_s": "ledger_b8000_per_s",
    "pay_onus_c256_per_s": "echo_c256_per_s",
    "pay_interop_c256_per_s": "pay_onus_c256_per_s",
    "pay_interop_fees_c256_per_s": "pay_interop_c256_per_s",
    "pay_interop_processes_c256_per_s": "pay_interop_c256_per_s",
    "growth_wide_c256_per_s": "growth_young_c256_per_s",
    "growth_old_c256_per_s": "growth_young_c256_per_s",
    "settle_while_closing_per_s": "settle_without_per_s",
    "settle_with_per_s": "settle_without_per_s",
    "settle_rounds_with_per_s": "settle_rounds_without_per_s",
    "settle_rounds_with_p50_ms": "settle_rounds_without_p50_ms",
    "settle_rounds_with_p99_ms": "settle_rounds_without_p99_ms",
}


def run(parts: Iterable[str], *, as_json: bool, pg_bin: Path | None = None) -> None:
    """Measure these parts, or the usual ones, and print it. Refuses PART_UNKNOWN."""
    from rich.console import Console

    console = Console(highlight=False)
    with _Bar() as progress:
        facts, figures = measure(tuple(parts) or DEFAULT, Extent(), progress, pg_bin=pg_bin)
    if as_json:
        console.out(msgspec.json.format(msgspec.json.encode(facts | figures.values)).decode())
    else:
        console.print(*_tables(facts, figures), sep="\n")


def measure(
    parts: Sequence[str], extent: Extent, progress: Progress, *, pg_bin: Path | None = None
) -> tuple[dict[str, str | int], Figures]:
    """What was measured on, and what was measured. A server of its own is started, and ended."""
    for part in parts:
        if part not in PARTS:
            raise Refusal(BenchReason.PART_UNKNOWN, part=part, known=", ".join(PARTS))
    figures = Figures()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    progress("starting PostgreSQL")
    with scratch_server(pg_bin) as scratch:
        facts = machine_facts() | {"postgresql": uvloop.run(_server_version(scratch))}
        for part in parts:
            gc.set_threshold(*GC_THRESHOLDS)
            uvloop.run(PARTS[part](scratch, figures, extent, progress))
            gc.unfreeze()
    return facts, figures


async def _server_version(scratch: Scratch) -> str:
    connection = await Database(scratch.address, "public").connect()
    try:
        version: str = await connection.fetchval("SHOW server_version")
        return version.split(maxsplit=1)[0]
    finally:
        await connection.close()


class _Bar:
    """
    What is measured now, on standard error: what is printed on standard output stays clean. A line for everything that begins,
    and on a terminal a bar where a part says how far it is.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

        console = Console(stderr=True, highlight=False)
        columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, said: str, done: int = 0, of: int = 0, /) -> None:
        self._bar.update(self._task, completed=done, total=of or None)
        if said:
            self._bar.console.print(said, style="dim")


def _tables(facts: dict[str, str | int], figures: Figures) -> "Iterable[Table]":
    from rich.table import Table

    table = Table("figure", title=", ".join(f"{name} {fact}" for name, fact in facts.items()), title_justify="left")
    for column in ("measured", "target", "share of"):
        table.add_column(column, justify="right")
    cpu: dict[str, dict[str, float]] = {}
    for name, value in figures.values.items():
        loop, _, part = name.removesuffix(CPU).rpartition("_")
        if name.endswith(CPU):
            cpu.setdefault(loop, {})[part] = value
        else:
            table.add_row(name, f"{value:,.10g}", _target(name, value), _share(name, value, figures))
    yield table
    for loop, parts in cpu.items():
        table = Table(*parts, title=f"{loop}: processor time, microseconds each", title_justify="left")
        table.add_row(*(f"{value:,.0f}" for value in parts.values()))
        yield table


def _target(name: str, value: float) -> str:
    if name in AT_LEAST:
        return f"{'[green]' if value >= AT_LEAST[name] else '[red]'}>= {AT_LEAST[name]:,}[/]"
    if name in AT_MOST:
        return f"{'[green]' if value <= AT_MOST[name] else '[red]'}<= {AT_MOST[name]:,}[/]"
    return ""


def _share(name: str, value: float, figures: Figures) -> str:
    compared = figures.values.get(COMPARED.get(name, ""))
    return f"{value / compared:.2f} of {COMPARED[name]}" if compared else ""
