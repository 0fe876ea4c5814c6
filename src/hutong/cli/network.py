"""`hutong up`, `serve`, `demo` and `bench`: networks and nodes in this process."""

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hutong.cli.connection import settings
from hutong.cli.output import AsJson

NetworkFile = Annotated[Path | None, Parameter(name="--network", help="Its description in TOML; default: the demo's.")]


async def up(*, network: NetworkFile = None) -> None:
    """Bring up a whole network in this process; Ctrl-C stops it."""
    from hutong.app import up as app_up
    from hutong.app.network import DEMO_NETWORK, read_network

    await app_up.run(settings(), DEMO_NETWORK if network is None else read_network(network))


async def serve(
    node: Annotated[str, Parameter(help="Which of the network's nodes.")], /, *, network: NetworkFile = None
) -> None:
    """Run one node in this process, as a TOML file describes it."""
    from hutong.app import serve as app_serve

    await app_serve.run(settings(), node, network)


def demo(
    *,
    directory: Annotated[Path | None, Parameter(help="Where pictures and data are left; default: a new one.")] = None,
    keep: Annotated[bool, Parameter(negative="", help="Keep the network's database, too.")] = False,
) -> int:
    """Bring up a network for a tour on real pictures, and check all of it."""
    from hutong.app.demo import tour

    return asyncio.run(tour(settings(), directory, keep_data=keep))


def bench(
    *parts: Annotated[str, Parameter(help="What to measure; default: everything.")], json: AsJson = False
) -> None:
    """Measure this machine."""
    from hutong.app import bench as app_bench

    app_bench.run(parts, as_json=json)
