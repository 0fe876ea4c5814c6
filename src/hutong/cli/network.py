"""`hutong up`, `serve`, `demo` and `bench`: networks and nodes in this process."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hutong.cli.connection import settings
from hutong.cli.output import AsJson, show_json, stdout

NetworkFile = Annotated[Path | None, Parameter(help="The network's description in TOML; default: the demo's.")]


def up(
    *,
    network: NetworkFile = None,
    samples: Annotated[bool, Parameter(help="Let sample people and shops live in it, with their last week.")] = True,
    lan: Annotated[
        bool,
        Parameter(negative="", help="Let phones on the local network open it, over TLS of an authority of its own."),
    ] = False,
) -> None:
    """Bring up a whole network in this process; Ctrl-C stops it."""
    from hutong.app import trial
    from hutong.app.network import DEMO_NETWORK, read_network

    trial.run(settings(), DEMO_NETWORK if network is None else read_network(network), samples=samples, lan=lan)


def serve(
    node: Annotated[str, Parameter(help="Which of the network's nodes.")],
    /,
    *,
    network: Annotated[Path, Parameter(help="The network's description in TOML.")],
    take_over: Annotated[
        bool, Parameter(negative="", help="Take the node's database over from a paused process.")
    ] = False,
) -> None:
    """Run one node in this process, as a TOML file describes it."""
    from hutong.app import serve as app_serve

    app_serve.run(settings(), node, network, take_over=take_over)


def keys(
    node: Annotated[str, Parameter(help="Which node.")],
    /,
    *,
    new: Annotated[bool, Parameter(negative="", help="Make one more, to change to.")] = False,
    starts_in: Annotated[int, Parameter(help="In how many seconds the new key begins to sign.")] = 3600,
    fingerprints: Annotated[
        bool, Parameter(negative="", help="Print what is read to the scheme's operator over another channel.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Print a node's public keys, as a network's description names them; make its secrets if there are none."""
    from hutong.app.secrets import add_signing_key, node_secrets
    from hutong.app.serve import public_keys
    from hutong.kernel.clock import NS_PER_S, SystemClock
    from hutong.kernel.ids import system_randomness

    ours, randomness = settings(), system_randomness()
    directory = ours.data_directory
    if new:
        starts_ns = SystemClock().now_ns() + starts_in * NS_PER_S
        found = public_keys(add_signing_key(directory, node, randomness, starts_ns, ours.secrets_key))
    else:
        found = public_keys(node_secrets(directory, node, randomness, ours.secrets_key))
    if fingerprints:
        from hutong.switch.lifecycle.key import fingerprint

        read = [(key_id, fingerprint(bytes.fromhex(public))) for key_id, _, public in (k.partition(":") for k in found)]
        found = [f"{key_id}  {shown}" for key_id, shown in read]
    if json:
        show_json(found)
        return
    for key in found:
        stdout.print(key, highlight=False, soft_wrap=True)


def demo(
    *,
    directory: Annotated[
        Path | None, Parameter(help="Where its pictures and the nodes' log are left; default: a new one.")
    ] = None,
) -> int:
    """Bring up a network for a tour on real pictures, and check all of it."""
    from hutong.app import demo as app_demo

    return app_demo.run(settings(), directory)


def bench(
    *parts: Annotated[str, Parameter(help="What to measure; default: everything.")], json: AsJson = False
) -> None:
    """Measure this machine."""
    from hutong.bench import suite

    suite.run(parts, as_json=json, pg_bin=settings().pg_bin)
