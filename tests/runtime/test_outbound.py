"""Calling addresses that others named: what may be called, and what an answer may do to us."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hutong.runtime.outbound import Answer, HttpPoster, Names, NotAnswered, is_public

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


class Wire:
    """A server that answers each request with the next of these bytes, and counts; `None` closes without a word."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self.most_at_once = 0
        self._now = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.port = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Wire"]:
        running: set[asyncio.Task[None] | None] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            running.add(asyncio.current_task())
            self.connections += 1
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
            writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()
        for task in running:
            assert task is not None
            task.cancel()
            await asyncio.wait([task])

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        self.requests.append(head + await reader.readexactly(length))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await self.gate.wait()
        self._now -= 1
        answer = self.answers.pop(0) if self.answers else b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        if answer is None:
            return False
        writer.write(answer)
        await writer.drain()
        return b"connection: close" not in answer


OK = b"HTTP/1.1 200 OK\r\n"
BODIES = {
    "a word": (OK + b"content-length: 7\r\n\r\nsuccess", b"success", True),
    "chunks": (OK + b"transfer-encoding: chunked\r\n\r\n3\r\nsuc\r\n4\r\ncess\r\n0\r\n\r\n", b"success", True),
    "until it closes": (OK + b"connection: close\r\n\r\nsuccess", b"success", False),
    "asked to close": (OK + b"connection: close\r\ncontent-length: 7\r\n\r\nsuccess", b"success", False),
    "behind another": (b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + b"content-length: 2\r\n\r\nok", b"ok", True),
    "a page": (OK + b"content-length: 60000\r\n\r\n" + b"x" * 60_000, b"x" * 4096, True),
    "a film": (OK + b"content-length: 90000000\r\n\r\n" + b"x" * 90_000, b"x" * 4096, False),
}


@pytest.mark.parametrize(("wire", "body", "kept"), BODIES.values(), ids=BODIES)
async def test_the_beginning_of_an_answer_is_read_and_the_connection_kept_if_it_may_be(
    wire: bytes, body: bytes, kept: bool
) -> None:
    async with Wire(wire).open() as server:
        poster = HttpPoster(private_allowed=True, timeout_s=2)
        url = f"http://127.0.0.1:{server.port}/hook?a=%2F"
        assert await poster.post(url, {"x-one": "1"}, b"hi") == Answer(200, 0, body)
        assert (await poster.post(url, {}, b"")).status == 200
        assert server.connections == (1 if kept else 2)
        head = f"POST /hook?a=%2F HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\ncontent-length: 2\r\nx-one: 1\r\n\r\nhi"
        assert server.requests[0] == head.encode()
        await poster.close()


async def test_a_kept_connection_that_was_closed_meanwhile_costs_no_answer() -> None:
    async with Wire(OK + b"content-length: 0\r\n\r\n", None).open() as server:
        poster = HttpPoster(private_allowed=True, timeout_s=2)
        url = f"http://127.0.0.1:{server.port}"
        for _ in range(2):  # The second is read, and dropped without a word; it is sent once more.
            assert (await poster.post(url, {}, b"")).status == 200
        assert (server.connections, len(server.requests)) == (2, 3)
        await poster.close()


@pytest.mark.parametrize(
    "said", [None, b"SSH-2.0-OpenSSH_9.2\r\n", OK + b"content-length: 9\r\nconnection: close\r\n\r\nhalf"]
)
async def test_what_is_no_whole_answer_is_none(said: bytes | None) -> None:
    async with Wire(said).open() as server:
        poster = HttpPoster(private_allowed=True, timeout_s=2)
        with pytest.raises(NotAnswered):
            await poster.post(f"http://127.0.0.1:{server.port}/", {}, b"")
        assert len(server.requests) == 1
        await poster.close()


async def test_a_redirect_is_an_answer_and_nothing_else() -> None:
    async with Wire(b"HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n").open() as server:
        poster = HttpPoster(private_allowed=True, timeout_s=2)
        assert (await poster.post(f"http://127.0.0.1:{server.port}/", {}, b"")).status == 302
        assert len(server.requests) == 1
        await poster.close()


async def test_no_more_are_under_way_than_allowed() -> None:
    async with Wire().open() as server:
        server.gate.clear()
        poster = HttpPoster(private_allowed=True, timeout_s=60, connections_max=3)
        posts = [asyncio.create_task(poster.post(f"http://127.0.0.1:{server.port}/", {}, b"")) for _ in range(10)]
        async with asyncio.timeout(60):
            while server.most_at_once < 3:
                await asyncio.sleep(0.002)
        await asyncio.sleep(0.02)
        server.gate.set()
        assert {(await post).status for post in posts} == {200}
        assert (server.most_at_once, server.connections) == (3, 3)
        await poster.close()


async def test_no_header_can_be_smuggled_in() -> None:
    poster = HttpPoster(private_allowed=True)
    for url, headers in (("http://127.0.0.1/", {"a": "b\r\nc: d"}), ("http://127.0.0.1/", {"a": "b\nc: d"})):
        with pytest.raises(NotAnswered, match="line break"):
            await poster.post(url, headers, b"")
    await poster.close()


async def test_a_name_is_asked_for_once_at_a_time_and_remembered_also_that_it_has_no_address() -> None:
    asked: list[str] = []
    gate = threading.Event()

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        gate.wait(60)
        if host == "nowhere":
            raise socket.gaierror("no such name")
        return ["192.0.2.1"]

    names = Names(resolve)
    waiting = [asyncio.create_task(names.addresses("shop", 80)) for _ in range(3)]
    await asyncio.sleep(0.01)
    gate.set()
    assert [await each for each in waiting] == [["192.0.2.1"]] * 3
    assert await names.addresses("shop", 80) == ["192.0.2.1"]
    for _ in range(2):
        with pytest.raises(OSError, match="no such name"):
            await names.addresses("nowhere", 80)
    assert asked == ["shop", "nowhere"]
    names.close()
