"""Who is held to the scheme: our own nodes in processes of their own, the tiny participant, and broken copies of it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from hutong.app.network import DEMO_NETWORK, Network, NodeKind, NodeSpec
from hutong.app.processes import NodeProcess, free_ports, prepare
from hutong.conformance.adapters import HutongInstitution, HutongSwitch
from hutong.conformance.case import Result, Side, Verdict
from hutong.conformance.hook import CrashHook, Hook, HttpHook
from hutong.conformance.identity import fresh_identity
from hutong.conformance.run import Subject
from hutong.conformance.wire import Peer
from hutong.runtime.address import Address

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    (port,) = free_ports(1)
    return port


@contextmanager
def institution(directory: Path, address: Address, *, crash: bool) -> Iterator[Subject]:
    """Jing, whose switch is the kit."""
    identity, port = fresh_identity(), free_port()
    keys = tuple(f"{key.key_id}:{key.public_hex}" for key in identity.keys("switch")[:2])
    kit = NodeSpec(node="switch", kind=NodeKind.SWITCH, name="Kit", url=f"http://127.0.0.1:{port}", public_keys=keys)
    nodes = prepare(
        directory, Network(nodes=(kit, DEMO_NETWORK.node("jing"))), address, elsewhere=frozenset({"switch"})
    )
    with running(nodes["jing"]) as node:
        hook = HutongInstitution(node.url, node.operator_token)
        yield Subject(Side.PARTICIPANT, peer_of(node), identity, with_crash(hook, node, crash=crash), port=port)


@contextmanager
def switch(directory: Path, address: Address, *, crash: bool) -> Iterator[Subject]:
    """Our switch, whose participants are the kit."""
    nodes = prepare(directory, Network(nodes=(DEMO_NETWORK.node("switch"),)), address)
    with running(nodes["switch"]) as node:
        hook = HutongSwitch(node.url, node.operator_token)
        yield Subject(Side.SWITCH, peer_of(node), fresh_identity(), with_crash(hook, node, crash=crash))


@contextmanager
def running(node: NodeProcess) -> Iterator[NodeProcess]:
    node.start()
    try:
        node.until_ready()
        yield node
    finally:
        node.stop()


def peer_of(node: NodeProcess) -> Peer:
    keys = [key.secret().public() for key in node.secrets.signing_keys]
    return Peer(node.spec.node, node.url, {key.key_id: key.public_key for key in keys})


def with_crash(hook: Hook, node: NodeProcess, *, crash: bool) -> Hook:
    def again() -> None:
        node.kill()
        node.start()
        node.until_ready()

    return CrashHook(hook, again) if crash else hook


@dataclass
class Tiny:
    """The tiny participant in a process, with its wallet or without; `changes` break it."""

    directory: Path
    switch_node: str
    switch_url: str
    switch_keys: list[str]
    changes: dict[str, str] = field(default_factory=dict)
    wallet: bool = True
    port: int = field(default_factory=free_port)
    key: str = ""

    def __enter__(self) -> Self:
        examples = self.directory / "examples"
        shutil.copytree(ROOT / "examples", examples, ignore=shutil.ignore_patterns("__pycache__"))
        (self.directory / "docs" / "scheme").mkdir(parents=True)
        shutil.copy(ROOT / "docs" / "scheme" / "messages.json", self.directory / "docs" / "scheme")
        sources = {name: (examples / name).read_text() for name in ("tiny_participant.py", "tiny_wallet.py")}
        for said, otherwise in self.changes.items():
            (name,) = (name for name, source in sources.items() if said in source)
            sources[name] = sources[name].replace(said, otherwise)
        for name, source in sources.items():
            (examples / name).write_text(source)
        self._settle_at(self.switch_node, self.switch_url, self.switch_keys)
        self.start()
        return self

    def move_to(self, node: str, url: str, keys: list[str]) -> None:
        """Start it again before another switch."""
        self._settle_at(node, url, keys)
        self.start()

    def _settle_at(self, node: str, url: str, keys: list[str]) -> None:
        told = {
            "node": "tiny",
            "listen": f"127.0.0.1:{self.port}",
            "database": str(self.directory / "tiny.sqlite"),
            "base": "https://tiny.example",
            "wallet": self.wallet,
            "switch": {"node": node, "url": url, "keys": keys},
        }
        (self.directory / "tiny.json").write_text(json.dumps(told))

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self) -> None:
        command = [sys.executable, str(self.directory / "examples" / "tiny_hook.py"), str(self.directory / "tiny.json")]
        with (self.directory / "tiny.log").open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        self.key = self.process.stdout.readline().split()[-1]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def crash(self) -> None:
        self.end()
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def tiny(directory: Path, changes: dict[str, str] | None = None, *, wallet: bool = True) -> Iterator[Subject]:
    """The tiny participant, whose switch is the kit."""
    with tiny_before_kit(directory, changes, wallet=wallet) as (subject, _):
        yield subject


@contextmanager
def tiny_before_kit(
    directory: Path, changes: dict[str, str] | None = None, *, wallet: bool = True
) -> Iterator[tuple[Subject, Tiny]]:
    """The tiny participant, whose switch is the kit, and the process it is."""
    directory.mkdir()
    identity, port = fresh_identity(), free_port()
    keys = [f"{key.key_id}:{key.public_hex}" for key in identity.keys("switch")[:2]]
    with Tiny(directory, "switch", f"http://127.0.0.1:{port}", keys, changes or {}, wallet) as started:
        key_id, _, public = started.key.partition(":")
        peer = Peer("tiny", started.url, {key_id: bytes.fromhex(public)})
        hook = CrashHook(HttpHook(f"{started.url}/hook"), started.crash)
        yield Subject(Side.PARTICIPANT, peer, identity, hook, port=port), started


def failures(results: list[Result]) -> list[str]:
    """What a test prints."""
    return [f"{each.case.id}: {each.why}" for each in results if each.verdict is Verdict.FAILED]


def skipped(results: list[Result]) -> set[str]:
    return {each.case.id for each in results if each.verdict is Verdict.SKIPPED}
