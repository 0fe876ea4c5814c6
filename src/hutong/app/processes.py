"""A network with a process per node on this machine: keys made, description written, nodes started and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from hutong.app.network import Network, NodeSpec
from hutong.app.secrets import NodeSecrets, node_secrets
from hutong.app.serve import public_keys
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import system_randomness
from hutong.runtime.address import Address
from hutong.runtime.tls_trust import trusted_at

_READY_S = 200
_STOP_S = 30
_PORT_MIN, _PORT_BITS = 20_000, 13
_TRIES = 100


class ProcessReason(Reason):
    """Why a network of processes did not come up."""

    NODE_DID_NOT_START = Kind.REFUSED, "NARR"


@dataclass(slots=True)
class NodeProcess:
    """One node in a process of its own."""

    spec: NodeSpec
    secrets: NodeSecrets
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return self.spec.url

    @property
    def operator_token(self) -> str:
        return self.secrets.operator_token

    def start(self) -> None:
        """Start it (again); `until_ready` waits."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def until_ready(self) -> None:
        """Wait until it serves. Refuses NODE_DID_NOT_START, with the end of its log."""
        ends_at = time.monotonic() + _READY_S
        with httpx.Client(timeout=1, trust_env=False, verify=trusted_at(self.url)) as client:
            while time.monotonic() < ends_at and self.process is not None and self.process.poll() is None:
                try:
                    if client.get(f"{self.url}/health/ready").status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                time.sleep(0.05)
        tail = self.log.read_text(errors="replace")[-1500:]
        raise Refusal(ProcessReason.NODE_DID_NOT_START, node=self.spec.node, log=tail)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def running_processes(directory: Path, network: Network, address: Address) -> Iterator[dict[str, NodeProcess]]:
    """Every node of the network in a process, on free ports of the loopback; ended with the context."""
    nodes = prepare(directory, network, address)
    try:
        for node in nodes.values():
            node.start()
        for node in nodes.values():
            node.until_ready()
        yield nodes
    finally:
        for node in reversed(nodes.values()):
            node.stop()


def prepare(
    directory: Path, network: Network, address: Address, *, elsewhere: frozenset[str] = frozenset()
) -> dict[str, NodeProcess]:
    """Make keys, choose ports and write the description; nodes `elsewhere` are somebody else's, with address and keys."""
    ours = [spec for spec in network.nodes if spec.node not in elsewhere]
    secrets = {spec.node: node_secrets(directory, spec.node, system_randomness()) for spec in ours}
    ports = dict(zip(secrets, free_ports(len(secrets)), strict=True))
    described = Network(
        nodes=tuple(
            msgspec.structs.replace(
                spec,
                url=f"http://127.0.0.1:{ports[spec.node]}",
                public_keys=tuple(public_keys(secrets[spec.node])),
            )
            if spec.node in secrets
            else spec
            for spec in network.nodes
        )
    )
    path = directory / "network.toml"
    path.write_text(toml_of(described), encoding="utf-8")
    nodes = {}
    for spec in (described.node(node) for node in secrets):
        environment = {
            **os.environ,
            "HUTONG_DATA_DIRECTORY": str(directory),
            "HUTONG_DATABASE_URL": address.url,
            "HUTONG_SHOW_CODES": "true",
            "HUTONG_TWO_PERSON": "false",  # Whoever starts them is alone.
            f"HUTONG_PORT_{spec.node.upper()}": str(ports[spec.node]),
        }
        command = [sys.executable, "-m", "hutong", "serve", spec.node, "--network", str(path)]
        log = directory / f"{spec.node}.log"
        nodes[spec.node] = NodeProcess(spec, secrets[spec.node], command, environment, log)
    return nodes


def toml_of(network: Network) -> str:
    """The description as TOML; JSON's strings, numbers and lists are TOML's, too."""
    lines: list[str] = []
    for spec in network.nodes:
        lines.append("[[nodes]]")
        lines += [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in msgspec.to_builtins(spec).items()]
    return "\n".join(lines) + "\n"


def free_ports(count: int) -> list[int]:
    """
    Ports nobody has, for nodes that take them later, and again when they come back.

    They are below those that the kernel lends to whoever connects (from 32768 on, where Linux is as it comes): of a port that
    it had found itself, a connection of somebody else's may have become the owner by then.
    """
    chance, found = system_randomness(), set[int]()
    for _ in range(_TRIES * count):
        if len(found) == count:
            break
        port = _PORT_MIN + chance.getrandbits(_PORT_BITS)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            found.add(port)
    assert len(found) == count, "no port is free"
    return [*found]
