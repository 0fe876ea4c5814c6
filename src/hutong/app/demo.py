"""
The tour of a whole network, on real input: every step is done through the nodes' own APIs, and checked.

It ends well only if all of it is true. What it leaves are the pictures: plates as they are printed, the photograph a
plate was read from, the codes that phones and tills showed.
"""

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import structlog
from rich.console import Console
from rich.markup import escape

from hutong.app import demo_steps
from hutong.app.demo_discount import pay_less
from hutong.app.network import DEMO_NETWORK
from hutong.app.node_client import NodeRefused, NodeSilent
from hutong.app.tour import NotTrue, Tour
from hutong.app.up import database_server, running_network
from hutong.runtime.address import Address
from hutong.runtime.settings import Settings

FAILED = 1


def run(settings: Settings, directory: Path | None) -> int:
    """The whole demo; its exit code. Pictures and the nodes' log stay in `directory`, by default a new one."""
    import uvloop

    console = Console(highlight=False, soft_wrap=True)
    data = _new_directory()
    place = _new_directory() if directory is None else directory
    pictures = place / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    # Any free ports: the demo runs beside a network that is up.
    own = replace(settings, data_directory=data / "network", ports={})
    started = time.monotonic()
    console.print("[bold]Hutong 互通: every wallet scans every code.[/] A tour of a whole network on this machine.")
    try:
        with _quiet(place / "network.log"), database_server(own) as address:
            checked = uvloop.run(_tour(own, address, pictures, console))
    except (NotTrue, NodeRefused, NodeSilent) as error:
        console.print(f"\n[bold red]✗ Not true:[/] {escape(str(error))}\n  See {place / 'network.log'}")
        return FAILED
    finally:
        shutil.rmtree(data, ignore_errors=True)
    took = time.monotonic() - started
    console.print(f"\n[bold green]All {checked} claims were checked and are true[/], in {took:.0f} seconds.")
    console.print(f"The pictures are in {pictures}")
    return 0


def _new_directory() -> Path:
    # By name and open to pass: PostgreSQL runs under an account of its own when we are root.
    directory = Path(tempfile.mkdtemp(prefix="hutong-demo-", dir="/tmp"))
    directory.chmod(0o711)
    return directory


@contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """Let the nodes log into a file: the terminal is the tour's."""
    with log.open("a", encoding="utf-8") as file:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(file))
        handler = logging.StreamHandler(file)
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)
            structlog.reset_defaults()


async def _tour(settings: Settings, address: Address, pictures: Path, console: Console) -> int:
    """Every step in order; how many claims were checked."""
    async with running_network(settings, DEMO_NETWORK, address) as network:
        tour = Tour(network, pictures, console)
        try:
            demo_steps.show_network(tour)
            cast = await demo_steps.gather(tour)
            await demo_steps.top_up(tour, cast)
            payment = await demo_steps.pay_plate(tour, cast)
            await demo_steps.pay_dynamic_code(tour, cast)
            await demo_steps.charge_payment_code(tour, cast)
            await demo_steps.pay_person(tour, cast)
            await demo_steps.pay_foreign_codes(tour, cast)
            await pay_less(tour, cast.li, cast.tea)
            await demo_steps.refund(tour, cast, payment)
            await demo_steps.audit(tour)
            await demo_steps.settle(tour)
            await demo_steps.audit(tour, again=True)
        finally:
            await tour.close()
    return tour.checked
