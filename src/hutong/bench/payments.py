"""
Payments over HTTP, closed loop: each client pays, waits until it is completed and durable everywhere, pays again.

A payment is of one fen, so that no payer reaches a day's limit: the fees round to nothing, and each ledger makes one
transfer (two where it is held first). With every fee (`pay_interop_fees`) each makes twice as many.

On us (payer and payee of one institution) and across (debtor, switch, creditor: three ledgers), all nodes in one
process; then across again with a process per node and signed HTTP between them. Processor time is told for each
payment: of the nodes' process by part, of the database's processes, of the load itself.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.processes import NodeProcess, running_processes
from hutong.app.up import RunningNetwork, running_network, schema_of
from hutong.bench.closed_loop import Outcome
from hutong.bench.figures import Cpu, Figures
from hutong.bench.load import Payer, Plan, under_load
from hutong.bench.sampler import Sampler
from hutong.bench.scratch import Scratch
from hutong.bench.stage import WITH_FEES, Place, Stage, begin_fees, set_stage
from hutong.runtime.database import Database
from hutong.runtime.settings import Settings

_WARM_S = 1.0
_DEBTOR, _CREDITOR = "jing", "wei"
_NODES = Network(nodes=tuple(spec for spec in DEMO_NETWORK.nodes if spec.node in {"switch", _DEBTOR, _CREDITOR}))


async def measure(
    scratch: Scratch, figures: Figures, *, clients: Sequence[int], seconds: float, progress: Callable[[str], None]
) -> None:
    """On us and across institutions, all nodes in this process."""
    progress("payments: bringing up a network")
    settings = Settings(data_directory=scratch.directory / "network", ports={})
    async with running_network(settings, _NODES, scratch.address) as network:
        stage = await set_stage(_place(network, _DEBTOR), _place(network, _CREDITOR), max(clients))
        for way, plate in (("onus", stage.plate_here), ("interop", stage.plate_there)):
            for count in clients:
                progress(f"payments: {way}, {count} clients")
                payers = await stage.payers(plate, count)
                await _load(scratch, figures, f"pay_{way}_c{count}", payers, seconds)
        count = max(clients)
        progress(f"payments: interop with every fee, {count} clients")
        await begin_fees(_place(network, _NODES.switch.node))
        payers = await stage.payers(stage.plate_there, count)
        await _load(scratch, figures, f"pay_interop_fees_c{count}", payers, seconds, amount=WITH_FEES)
    await _drop(scratch)


async def measure_processes(
    scratch: Scratch, figures: Figures, *, clients: Sequence[int], seconds: float, progress: Callable[[str], None]
) -> None:
    """Across institutions, a process per node."""
    progress("processes: starting the nodes")
    directory = Path(tempfile.mkdtemp(dir=scratch.directory))
    with running_processes(directory, _NODES, scratch.address) as nodes:
        payers_at, payees_at = (Place(nodes[name].url, nodes[name].operator_token) for name in (_DEBTOR, _CREDITOR))
        stage = await set_stage(payers_at, payees_at, max(clients))
        for count in clients:
            progress(f"processes: interop, {count} clients")
            await _load_processes(scratch, figures, nodes, stage, count, seconds)
    await _drop(scratch)


async def _load(
    scratch: Scratch, figures: Figures, name: str, payers: list[Payer], seconds: float, *, amount: int = 1
) -> None:
    outcome, cpu_us = await observed(scratch, Plan(payers, seconds, _WARM_S, amount=amount), name)
    _note(figures, name, outcome)
    for part, us in cpu_us.items():
        figures.note(f"{name}_{part}_cpu_us", us)


async def observed(scratch: Scratch, plan: Plan, name: str) -> tuple[Outcome, dict[str, float]]:
    """One closed loop with this process and the database under observation: what came, and each one's microseconds by part."""
    sampler = Sampler()
    before = Cpu((scratch.postmaster_pid,))

    def warm() -> None:
        nonlocal before
        before = before.look()
        sampler.start()

    try:
        outcome = await under_load(plan, warm)
    finally:
        sampler.stop()
    after = before.look()
    if not outcome.completed:
        raise RuntimeError(f"{name}: nothing was paid: {outcome.others}")
    python_us = 1e6 * (after.own_s - before.own_s) / outcome.completed
    cpu_us = {"nodes": python_us}
    cpu_us |= {part: share * python_us for part, share in sampler.shares().items()}
    cpu_us["database"] = 1e6 * (after.others_s - before.others_s) / outcome.completed
    cpu_us["load"] = 1e6 * outcome.cpu_s / outcome.completed
    return outcome, cpu_us


async def _load_processes(
    scratch: Scratch, figures: Figures, nodes: dict[str, NodeProcess], stage: Stage, count: int, seconds: float
) -> None:
    watched = {name: Cpu((node.process.pid,)) for name, node in nodes.items() if node.process is not None}
    watched["database"] = Cpu((scratch.postmaster_pid,))
    payers = await stage.payers(stage.plate_there, count)

    def warm() -> None:
        for who, cpu in watched.items():
            watched[who] = cpu.look()

    name = f"pay_interop_processes_c{count}"
    outcome = await under_load(Plan(payers, seconds, _WARM_S), warm)
    _note(figures, name, outcome)
    for who, before in watched.items():
        after = before.look()
        figures.note(f"{name}_{who}_cpu_us", 1e6 * (after.others_s - before.others_s) / outcome.completed)
    figures.note(f"{name}_load_cpu_us", 1e6 * outcome.cpu_s / outcome.completed)


async def _drop(scratch: Scratch) -> None:
    """Make room for another network of the same nodes."""
    for spec in _NODES.nodes:
        await Database(scratch.address, schema_of(spec.node)).drop()


def _note(figures: Figures, name: str, outcome: Outcome) -> None:
    if not outcome.completed:
        raise RuntimeError(f"{name}: nothing was paid: {outcome.others}")
    figures.note(f"{name}_per_s", outcome.per_s)
    figures.note(f"{name}_p50_ms", outcome.p50_ms)
    figures.note(f"{name}_p99_ms", outcome.p99_ms)
    figures.note(f"{name}_not_completed", sum(outcome.others.values()))


def _place(network: RunningNetwork, node_id: str) -> Place:
    node = network[node_id]
    return Place(node.url, node.operator_token)
