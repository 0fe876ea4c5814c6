"""`hutong up`: a network for trying out, with people in it, and what to open first."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack
from dataclasses import replace

import structlog
from rich.console import Console
from rich.table import Table

from hutong.app.lan import Lan, how_phones_come_in, on_this_network, plates_lead_here, trust_page
from hutong.app.logs import configure_logs
from hutong.app.moving_in import MovingIn
from hutong.app.network import Network
from hutong.app.node_client import NodeRefused, NodeSilent
from hutong.app.put_clock import PutClock
from hutong.app.sample_life import (
    DAYS,
    Neighbourhood,
    has_no_past,
    show_samples,
    take_samples,
    were_made,
)
from hutong.app.samples import LI
from hutong.app.sandbox_clock import SandboxClock
from hutong.app.up import RunningNetwork, Trial, database_server, interruption, running_network, schema_of
from hutong.kernel.errors import Refusal
from hutong.runtime.address import Address
from hutong.runtime.database import Database
from hutong.runtime.settings import Settings

log = structlog.get_logger()


# What else is up for as long as the network is, and says so.
Beside = Callable[[Console], AbstractAsyncContextManager[None]]


def run(settings: Settings, network: Network, *, samples: bool, lan: bool, beside: Beside | None = None) -> None:
    """The network stays up, and says where, until it is interrupted."""
    import uvloop

    console = Console()
    configure_logs(level=settings.log_level or "warning", form=settings.log_format)
    found = on_this_network(settings) if lan else None
    if found is not None:
        network = plates_lead_here(network, settings, found.address)
        settings = replace(settings, host="127.0.0.1")  # The same port in the clear is this machine's alone.
    with ExitStack() as stack:
        with console.status("Starting PostgreSQL"):
            address = stack.enter_context(database_server(settings))
        uvloop.run(_stay_up(settings, network, address, console, found, samples=samples, beside=beside))
        console.print("The database is stopping.")
    console.print(f"Down. The data stays in [bold]{settings.data_directory}[/].", highlight=False)


async def _stay_up(
    settings: Settings,
    network: Network,
    address: Address,
    console: Console,
    lan: Lan | None,
    *,
    samples: bool,
    beside: Beside | None,
) -> None:
    ahead = SandboxClock(settings.data_directory)
    clock = PutClock(ahead)
    trial = Trial(clock, ahead, None if lan is None else lan.door, MovingIn(lambda: clock.behind_ns > 0))
    if samples and await has_no_past(Database(address, schema_of(network.switch.node))):
        clock.put_back(DAYS)
    async with AsyncExitStack() as stack:
        with console.status("Starting the nodes"):
            running = await stack.enter_async_context(running_network(settings, network, address, trial))
        interrupted = interruption()
        lived = samples and take_samples(running) and await _let_live(running, clock, console, interrupted)
        if not interrupted.is_set():
            clock.put_right()
            for line in _what_to_open(running, lived=lived):
                console.print(line, highlight=False)
            if lan is not None:
                first = running[network.switch.node].site.shown_url
                trust_url = await stack.enter_async_context(trust_page(settings, network, lan, first))
                for line in how_phones_come_in(lan, trust_url):
                    console.print(line, highlight=False)
            if beside is not None:
                await stack.enter_async_context(beside(console))
        await interrupted.wait()
        console.print("\nFinishing what is under way.")


async def _let_live(running: RunningNetwork, clock: PutClock, console: Console, interrupted: asyncio.Event) -> bool:
    """Make the samples where they are not there yet; without them the network is as good."""
    try:
        if not await were_made(running):
            with console.status("Sample people move in") as status:
                lived = await Neighbourhood(running, clock, interrupted).live(status.update)
            if not lived:
                return False
    except (NodeRefused, NodeSilent, Refusal) as error:
        log.warning("samples_not_made", error=str(error))
        return False
    show_samples(running)
    return True


def _what_to_open(running: RunningNetwork, *, lived: bool) -> Iterator[str | Table]:
    table = Table(title="Hutong 互通: every wallet scans every code", title_justify="left")
    for heading in ("node", "name", "address"):
        table.add_column(heading)
    for node in running.nodes.values():
        table.add_row(node.node_id, node.site.spec.name, node.site.shown_url)
    yield table
    first = next(iter(running.nodes.values()))
    yield f"Open [bold]{first.site.shown_url}[/] in a browser: it shows the way."
    if lived:
        wallet = running[LI.node].site.shown_url
        yield f"Sample people live here: [bold]{wallet}/wallet[/], {LI.name}, {LI.phone}, PIN {LI.pin}."
    yield "Each address serves its REST API below /v1, and interactive pages of it at /docs."
    yield f"Data and logs: [bold]{running.directory}[/]; operator tokens: {running.directory}/secrets/<node>.json"
    yield "Try: [bold]hutong register --node jing[/], [bold]hutong --help[/]. Ctrl-C stops the network; the data stays."
