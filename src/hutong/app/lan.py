"""`hutong up --lan`: a network for trying out, opened by phones on the local network."""

import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec
import segno

from hutong import __version__
from hutong.app.network import Network, NodeKind
from hutong.app.site import SiteReason
from hutong.kernel.clock import SystemClock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import system_randomness
from hutong.runtime.http_app import make_app
from hutong.runtime.http_server import HttpServer, TlsDoor
from hutong.runtime.local_authority import LocalAuthority, check_local, local_address, local_authority
from hutong.runtime.settings import DEFAULT_PORTS, Settings
from hutong.web.brand import Brand
from hutong.web.page import Pages
from hutong.web.trust import trust_pages

TRUST = "trust"  # The port of the page where phones get the certificate: HUTONG_PORT_TRUST.
_TRUST_PORT = 8099
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Lan:
    """Where phones find this machine, and whom they have to trust."""

    address: str
    authority: LocalAuthority
    door: TlsDoor


def on_this_network(settings: Settings) -> Lan:
    """The address of `HUTONG_HOST`, else the one this machine has on its network. Refuses NO_LOCAL_ADDRESS."""
    clock = SystemClock()
    address = local_address() if settings.host in _LOOPBACK else check_local(settings.host)
    authority = local_authority(settings.data_directory / "lan", address, clock)
    return Lan(address, authority, TlsDoor(address, authority.serving(address, clock)))


def plates_lead_here(network: Network, settings: Settings, address: str) -> Network:
    """The same network, with plates that a phone's plain camera opens."""
    nodes = []
    for spec in network.nodes:
        port = settings.ports.get(spec.node, DEFAULT_PORTS.get(spec.node, 0))
        base = f"https://{address}:{port}" if port and spec.kind is NodeKind.INSTITUTION else spec.plate_base
        nodes.append(msgspec.structs.replace(spec, plate_base=base))
    return Network(nodes=tuple(nodes))


@asynccontextmanager
async def trust_page(settings: Settings, network: Network, lan: Lan, lead_on: str) -> AsyncIterator[str]:
    """Serve the page where phones get the certificate; where it is."""
    spec, randomness = network.switch, system_randomness()
    brand = Brand(spec.node, spec.name, spec.colour)
    pages = Pages(brand, randomness.randbytes(_KEY_BYTES), randomness, ZoneInfo("Asia/Shanghai"))
    handlers = trust_pages(pages, lan.authority.der, lan.authority.fingerprint, lead_on)
    app = make_app(handlers, title=spec.name, version=__version__)
    server = HttpServer(lan.address, settings.ports.get(TRUST, _TRUST_PORT), {}, app)
    try:
        await server.start()
    except OSError as error:
        place = f"{server.host}:{server.port}"
        do = "stop what listens there, or set HUTONG_PORT_TRUST"
        raise Refusal(SiteReason.ADDRESS_NOT_FREE, node=TRUST, address=place, said=error, do=do) from error
    try:
        yield f"http://{server.host}:{server.port}"
    finally:
        await server.stop(0)


def how_phones_come_in(lan: Lan, trust_url: str) -> Iterator[str]:
    """What the terminal says: a QR code of the page, and the fingerprint to compare."""
    drawn = io.StringIO()
    segno.make(trust_url, error="m").terminal(out=drawn, border=2, compact=True)
    yield drawn.getvalue().rstrip("\n")
    yield f"Scan this with a phone on the same network, or open [bold]{trust_url}[/]: trust the certificate, then go on."
    yield f"SHA-256 of its authority: {lan.authority.fingerprint}"
    yield "Everybody on this network can open it and sign in as its sample people."
