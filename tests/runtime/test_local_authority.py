"""The authority of a laptop's own: what it vouches for, and that nobody else gets its key."""

import ssl
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509

from hutong.kernel.clock import ManualClock, SystemClock, instant
from hutong.kernel.errors import Refusal
from hutong.runtime.http_server import HttpServer, TlsDoor
from hutong.runtime.local_authority import LocalAuthority, check_local, local_authority


async def _app(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["scheme"].encode()})


def _trusting(authority: LocalAuthority) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.pem.decode())


async def test_a_server_speaks_tls_on_the_network_and_in_the_clear_on_the_machine(tmp_path: Path) -> None:
    authority = local_authority(tmp_path / "lan", "127.0.0.2", SystemClock())
    door = TlsDoor("127.0.0.2", authority.serving("127.0.0.2", SystemClock()))
    server = HttpServer("127.0.0.1", 0, {}, _app, tls_door=door)
    await server.start()
    try:
        async with httpx.AsyncClient(verify=_trusting(authority), trust_env=False) as client:
            for url in (f"https://127.0.0.2:{server.port}", f"http://127.0.0.1:{server.port}"):
                assert (await client.get(url)).text == url.partition(":")[0]
        async with httpx.AsyncClient(trust_env=False) as stranger:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await stranger.get(f"https://127.0.0.2:{server.port}")
    finally:
        await server.stop(0)


async def test_nobody_is_deceived_about_another_address(tmp_path: Path) -> None:
    """Its key got out: what it signs for an address of the wide world, those who trust it refuse all the same."""
    authority = local_authority(tmp_path, "192.168.1.2", SystemClock())
    server = HttpServer(
        "127.0.0.1", 0, {}, _app, tls_door=TlsDoor("127.0.0.3", authority.serving("8.8.8.8", SystemClock()))
    )
    await server.start()
    try:
        trusting = _trusting(authority)
        trusting.check_hostname = False
        async with httpx.AsyncClient(verify=trusting, trust_env=False) as client:
            with pytest.raises(httpx.ConnectError, match="permitted subtree violation"):
                await client.get(f"https://127.0.0.3:{server.port}")
    finally:
        await server.stop(0)


def test_it_is_made_once_and_its_key_is_nobody_elses(tmp_path: Path) -> None:
    directory, clock = tmp_path / "lan", SystemClock()
    made = local_authority(directory, "192.168.1.2", clock)
    made.serving("192.168.1.2", clock)
    assert local_authority(directory, "192.168.7.7", clock).fingerprint == made.fingerprint
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o600}
    assert made.der == x509.load_pem_x509_certificate(made.pem).public_bytes(_der())


def test_another_is_made_when_it_can_not_vouch_any_more(tmp_path: Path) -> None:
    clock = ManualClock()
    made = local_authority(tmp_path, "192.168.1.2", clock)
    # A network that is numbered otherwise: that one address is added.
    other = local_authority(tmp_path, "192.0.2.2", clock)
    assert other.fingerprint != made.fingerprint
    assert local_authority(tmp_path, "192.0.2.2", clock).fingerprint == other.fingerprint
    clock.advance(seconds=int((other.certificate.not_valid_after_utc - instant(clock.now_ns())).total_seconds()))
    later = local_authority(tmp_path, "192.0.2.2", clock)
    assert later.certificate.not_valid_after_utc - instant(clock.now_ns()) > timedelta(days=3000)


@pytest.mark.parametrize("address", ["127.0.0.1", "8.8.8.8", "::", "", "example.org"])
def test_what_all_the_world_or_nobody_reaches_is_refused(address: str) -> None:
    with pytest.raises(Refusal, match="NO_LOCAL_ADDRESS"):
        check_local(address)
    assert check_local("192.168.1.2") == "192.168.1.2"


def _der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER
