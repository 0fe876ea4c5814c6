"""Where a node listens: its place on a machine, and its place in the network."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from hutong.app.code_gateway import GatewaySettings
from hutong.app.host import Machine
from hutong.app.logs import logged_ends
from hutong.app.moving_in import MovingIn
from hutong.app.network import NodeSpec
from hutong.app.outbox import ShownCodes
from hutong.app.sandbox_clock import SandboxClock
from hutong.app.secrets import NodeSecrets
from hutong.app.traces import Tracing
from hutong.kernel.errors import Kind, Reason
from hutong.runtime.figures import Trace
from hutong.runtime.http import HotHandler
from hutong.runtime.http_server import TlsDoor
from hutong.runtime.rate_limit import RateLimits, read_networks
from hutong.runtime.settings import Settings
from hutong.scheme.clearing_file import ClearingFiles
from hutong.scheme.http_transport import Link
from hutong.scheme.transport import Post, Receive
from hutong.switch.settlement.api import Verify
from hutong.web.sandbox import Sandbox

Hot = Mapping[tuple[str, str], HotHandler]


class SiteReason(Reason):
    """Why a node can't be where it is to be."""

    ADDRESS_NOT_FREE = Kind.CONFLICT, "NARR"


@dataclass(frozen=True, slots=True)
class Connection:
    """
    A node's place in the network: how it posts, and what it listens to besides its API.

    `begin` is called when the node has loaded what it knows, before it listens to anybody.
    """

    post: Post
    hot: Hot = field(default_factory=dict)
    begin: Callable[[], None] = lambda: None
    links: Mapping[str, Link] = field(default_factory=dict)
    keyless: Callable[[], Sequence[str]] = tuple  # Peers of whom no key is valid now.
    verify: Verify | None = None  # Who signed a request that is no envelope; nobody, in one process.
    files: ClearingFiles | None = None  # Where an institution gets its clearing files from.


# Puts a node into the network for as long as the stack is open.
Connect = Callable[[Machine, Receive, AsyncExitStack], Connection]


@dataclass(slots=True)
class Site:
    """Where a node listens, and what became of it: filled in while it lives."""

    spec: NodeSpec
    secrets: NodeSecrets
    host: str
    port: int
    limits: RateLimits = field(default_factory=RateLimits)
    gateway: GatewaySettings | None = None  # Takes one-time codes to telephones; without one they are shown.
    tracing: Tracing | None = None
    moving_in: MovingIn | None = None  # In one for trying out: who comes in while sample people are being made.
    two_person: bool = False  # What takes two operators is refused to one.
    logs_ends: bool = False  # Each payment that ends leaves a line in the log.
    codes: ShownCodes = field(default_factory=ShownCodes)
    sandbox: Sandbox | None = None  # What pages of a network for trying out may show; None in production.
    clock: SandboxClock | None = None  # What puts time forward in a network for trying out.
    lan: TlsDoor | None = None  # Where others on the local network find it, in one for trying out.
    neighbours: "Callable[[], Sequence[Site]]" = tuple  # The network's nodes in this process, in one for trying out.
    node: Any = None  # The living SwitchNode or InstitutionNode.

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://{self.host}:{self.port}"

    @property
    def shown_url(self) -> str:
        """Where its pages are for whoever is to open them."""
        return self.url if self.lan is None else f"https://{self.lan.host}:{self.port}"

    @property
    def is_wallet(self) -> bool:
        """Whether people pay with it."""
        return bool(self.spec.app_link)

    def told_of(self, kind: str) -> tuple[Trace, ...]:
        """Who hears of each thing of a kind that ended."""
        told = (logged_ends(kind),) if self.logs_ends else ()
        return told if self.tracing is None else (*told, self.tracing.of(kind))


def rate_limits(settings: Settings) -> RateLimits:
    """What callers of a node may ask, behind the proxies of the settings."""
    return RateLimits(trusted=read_networks(settings.trusted_proxies))
