"""TLS by name, in front of servers in the clear."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hutong.kernel.clock import SystemClock
from hutong.runtime.local_authority import named_authority
from hutong.runtime.tls_front import Behind, TlsFront

NAMES = ("pay.shop.example", "api.shop.example")


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say who one is, then what comes; end when the other side does."""
    port = writer.get_extra_info("sockname")[1]
    writer.write(f"{port}\n".encode())
    while piece := await reader.read(1000):
        writer.write(piece)
        await writer.drain()
    writer.close()


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[tuple[TlsFront, ssl.SSLContext]]:
    clock = SystemClock()
    authority = named_authority(tmp_path / "authority", ["shop.example"], "for tests only", clock)
    servers = [await asyncio.start_server(echo, "127.0.0.1", 0) for _ in NAMES]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    behind = {name: Behind("127.0.0.1", port) for name, port in zip(NAMES, ports, strict=True)}
    behind["gone.shop.example"] = Behind("127.0.0.1", 1)
    front = TlsFront("127.0.0.1", 0, behind, authority.serving_names([*behind], clock))
    await front.start()
    yield front, ssl.create_default_context(cadata=authority.pem.decode())
    await front.stop()
    for server in servers:
        server.close()


async def call(front: tuple[TlsFront, ssl.SSLContext], name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", front[0].port, ssl=front[1], server_hostname=name)


@pytest.mark.parametrize("name", NAMES)
async def test_the_name_says_which_server_answers(front: tuple[TlsFront, ssl.SSLContext], name: str) -> None:
    reader, writer = await call(front, name)
    assert int(await reader.readline()) == front[0].behind[name].port
    for _ in range(3):  # A connection that is kept alive.
        writer.write(b"x" * 200_000)
        assert await reader.readexactly(200_000) == b"x" * 200_000
    writer.close()


async def test_a_name_nobody_has_is_seen_by_the_certificate_and_cut_off(front: tuple[TlsFront, ssl.SSLContext]) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await call(front, "else.shop.example")
    front[1].check_hostname = False
    reader, writer = await call(front, "else.shop.example")
    assert await reader.read() == b""
    writer.close()


async def test_a_server_that_is_gone_is_said(front: tuple[TlsFront, ssl.SSLContext]) -> None:
    reader, writer = await call(front, "gone.shop.example")
    assert (await reader.read()).startswith(b"HTTP/1.1 502 ")
    writer.close()


async def test_the_authority_vouches_for_its_own_names_alone(tmp_path: Path) -> None:
    clock = SystemClock()
    authority = named_authority(tmp_path, ["shop.example"], "for tests only", clock)
    again = named_authority(tmp_path, ["shop.example"], "for tests only", clock)
    assert again.fingerprint == authority.fingerprint
    other = TlsFront(
        "127.0.0.1", 0, {"bank.example": Behind("127.0.0.1", 1)}, authority.serving_names(["bank.example"], clock)
    )
    await other.start()
    try:
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
            await call((other, ssl.create_default_context(cadata=authority.pem.decode())), "bank.example")
    finally:
        await other.stop()


async def test_a_connection_that_is_open_when_it_stops_is_no_error(front: tuple[TlsFront, ssl.SSLContext]) -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    reader, writer = await call(front, NAMES[0])
    await reader.readline()
    await front[0].stop()
    writer.close()
    await asyncio.sleep(0)
    assert reported == []
