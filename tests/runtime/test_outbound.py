"""Calling addresses that others named: what may be called, and what an answer may do to us."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hutong.runtime.outbound import Answer, HttpPoster, NotAnswered, is_public

ADDRESSES = {
    True: ["1.1.1.1", "8.8.8.8", "203.119.25.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
    False: [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1"),  # noqa: S104
        *("169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
        *("2002:7f00:1::", "2002:a00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),  # 6to4 and Teredo.
    ],
}


@pytest.mark.parametrize(("public", "address"), [(public, a) for public, found in ADDRESSES.items() for a in found])
def test_an_address_is_public_or_not_whatever_wraps_it(public: bool, address: str) -> None:
    assert is_public(address) is public


@contextlib.asynccontextmanager
async def serving(trusted: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that answers every request with 204; yields its port."""

    running: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(2)
                writer.write(b"HTTP/1.1 204 OK\r\nretry-after: 7\r\n\r\n")
                await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=trusted)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for task in running:
        assert task is not None
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
async def poster() -> AsyncIterator[Callable[..., Awaitable[Answer]]]:
    made: list[HttpPoster] = []

    async def post(url: str, *, private_allowed: bool, trusted: ssl.SSLContext | None = None) -> Answer:
        made.append(HttpPoster(private_allowed=private_allowed, timeout_s=2, trusted=trusted))
        return await made[-1].post(url, {"content-type": "text/plain"}, b"hi")

    yield post
    for poster in made:
        await poster.close()


async def test_a_private_server_is_called_when_that_is_allowed(poster: Callable[..., Awaitable[Answer]]) -> None:
    async with serving() as port:
        assert await poster(f"http://localhost:{port}/", private_allowed=True) == Answer(204, 7)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_spelling_of_our_own_machine_is_called(
    poster: Callable[..., Awaitable[Answer]], scheme: str, host: str
) -> None:
    async with serving() as port:
        with pytest.raises(NotAnswered, match=r"may not be called|gaierror|Name or service"):
            await poster(f"{scheme}://{host}:{port}/", private_allowed=False)


async def test_http_leads_to_nobody_outside(poster: Callable[..., Awaitable[Answer]]) -> None:
    with pytest.raises(NotAnswered, match="may not be called"):
        await poster("http://1.1.1.1/", private_allowed=True)


async def test_a_certificate_is_for_the_name_that_was_called(
    poster: Callable[..., Awaitable[Answer]], tmp_path: Path
) -> None:
    server, client = _certified(tmp_path, "localhost")
    async with serving(server) as port:
        assert (await poster(f"https://localhost:{port}/", private_allowed=True, trusted=client)).status == 204
        with pytest.raises(NotAnswered, match="certificate"):
            await poster(f"https://127.0.0.1:{port}/", private_allowed=True, trusted=client)
        with pytest.raises(NotAnswered, match="certificate"):
            await poster(f"https://localhost:{port}/", private_allowed=True)


async def test_nobody_there_is_not_answered(poster: Callable[..., Awaitable[Answer]]) -> None:
    async with serving() as port:
        pass
    with pytest.raises(NotAnswered):
        await poster(f"http://127.0.0.1:{port}/", private_allowed=True)
    with pytest.raises(NotAnswered):
        await poster("http://no-such-name.invalid/", private_allowed=True)


def _certified(directory: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now.replace(year=2120))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = directory / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cadata=certificate.public_bytes(serialization.Encoding.PEM).decode())
    return server, client
