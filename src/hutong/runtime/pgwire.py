"""
A small PostgreSQL client for one purpose: to commit many rows to many tables in a single round trip.

asyncpg needs a round trip for BEGIN, one per COPY and one for COMMIT. The protocol allows more: one simple query
that holds all statements, which is one transaction by itself, with the data of its COPYs sent right
behind it. The server takes what it does not want any more (after an error) without complaint.

Clause numbers are those of the PostgreSQL manual's chapter "Frontend/Backend Protocol" (version 3.0).
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hutong.runtime.address import Address
from hutong.runtime.scram import ScramClient, ScramFailed

_HEAD = struct.Struct(">ci")
_PROTOCOL_3_0 = 196608
_SSL_REQUEST = struct.pack(">ii", 8, 80877103)
_CONNECT_S = 10
COPY_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # Signature, no flags, no header extension.
_COPY_END = b"d\0\0\0\6\xff\xff"
_COPY_ROWS = 4096  # In a message: the server takes each whole into memory, and none longer than a gigabyte.
_COPY_DONE = b"c\0\0\0\4"
_AUTH_OK, _AUTH_SASL, _AUTH_SASL_CONTINUE, _AUTH_SASL_FINAL = 0, 10, 11, 12


@dataclass(eq=False)
class ServerError(Exception):
    """What the server said instead of doing it; `statements` were complete before it."""

    severity: str
    sqlstate: str
    message: str
    detail: str = ""
    table: str = ""
    constraint: str = ""
    where: str = ""
    statements: int = 0

    def __str__(self) -> str:
        extra = "; ".join(part for part in (self.detail, self.where) if part)
        return f"{self.sqlstate} {self.message}" + (f" ({extra})" if extra else "")


class ConnectionLost(Exception):  # noqa: N818  # It is a fact about the network.
    """The connection ended. What was asked and not answered is of unknown outcome."""


Answer = Callable[[ServerError | ConnectionLost | None], None]


class WireConnection(asyncio.Protocol):
    """
    One connection, one query at a time.

    `commit` is for the journal: it calls back instead of making a future, and nothing can cancel it half way.
    """

    def __init__(self) -> None:
        self.on_lost: Callable[[ConnectionLost], None] = lambda _: None
        self._transport: Any = None
        self._buffer = bytearray()
        self._answer: Answer | None = None
        self._error: ServerError | None = None
        self._statements = 0
        self._rows: list[list[str | None]] = []
        self._handshake: _Handshake | None = None
        self._lost: ConnectionLost | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and self._lost is None

    async def query(self, sql: str) -> list[list[str | None]]:
        """Run statements and return the rows of all of them as text. Raises `ServerError` or `ConnectionLost`."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def answered(error: ServerError | ConnectionLost | None) -> None:
            if done.cancelled():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        self.commit([query_message(sql)], answered)
        try:
            await done
        except asyncio.CancelledError:
            self.abort()  # The answer would be taken for that of the next query.
            raise
        return self._rows

    def commit(self, messages: Iterable[bytes], answer: Answer) -> None:
        """Send a query with the data that belongs to it; `answer` is called once, when the server is ready again."""
        assert self._answer is None, "one query at a time"
        if self._lost is not None:
            raise self._lost
        self._answer = answer
        self._error = None
        self._statements = 0
        self._rows = []
        self._transport.write(b"".join(messages))

    def close(self) -> None:
        """Say goodbye; whatever is in flight is of unknown outcome."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"X\0\0\0\4")
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = ConnectionLost(str(exc or self._error or "the server closed the connection"))
        if self._handshake is not None:
            self._handshake.fail(self._error or self._lost)
        answer, self._answer = self._answer, None
        if answer is not None:
            answer(self._lost)
        self.on_lost(self._lost)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        start, length = 0, len(buffer)
        while length - start >= 5:
            end = start + 1 + int.from_bytes(buffer[start + 1 : start + 5], "big")
            if end > length:
                break
            kind = buffer[start]
            if kind == 0x43:  # C: CommandComplete
                self._statements += 1
            elif kind != 0x47:  # G: CopyInResponse, which we did not wait for.
                self._message(kind, bytes(buffer[start + 5 : end]))
            start = end
        del buffer[:start]

    def _message(self, kind: int, body: bytes) -> None:
        match chr(kind):
            case "Z":  # ReadyForQuery
                self._ready()
            case "E":
                # Of several the first says what happened; the rest follow from it.
                self._error = self._error or _parse_error(body, self._statements)
            case "D":
                self._rows.append(_parse_row(body))
            case "R":
                assert self._handshake is not None
                self._handshake.authenticate(body)
            case _:
                pass  # Notices, parameters, row descriptions: nothing we act on.

    def _ready(self) -> None:
        if self._handshake is not None:
            handshake, self._handshake = self._handshake, None
            handshake.succeed()
            return
        answer, self._answer = self._answer, None
        if answer is not None:
            answer(self._error)

    # Getting in

    async def enter(self, address: Address, parameters: dict[str, str]) -> None:
        """Start up and authenticate on a fresh connection."""
        self._handshake = handshake = _Handshake(address, self._transport.write)
        pairs = {"user": address.user, "database": address.database, "client_encoding": "UTF8", **parameters}
        body = b"".join(f"{name}\0{value}\0".encode() for name, value in pairs.items()) + b"\0"
        self._transport.write(struct.pack(">ii", len(body) + 8, _PROTOCOL_3_0) + body)
        await handshake.done


class _Handshake:
    """From the startup message to the first ReadyForQuery."""

    def __init__(self, address: Address, write: Callable[[bytes], None]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._write = write
        self._scram = ScramClient(address.password)

    def authenticate(self, body: bytes) -> None:
        """Answer one Authentication message; passwords in the clear and MD5 are not spoken."""
        code, rest = int.from_bytes(body[:4], "big"), body[4:]
        try:
            if code == _AUTH_OK:
                self._scram.assert_finished()
            elif code == _AUTH_SASL:
                self._send(self._scram.first(rest.split(b"\0")))
            elif code == _AUTH_SASL_CONTINUE:
                self._send(self._scram.final(rest))
            elif code == _AUTH_SASL_FINAL:
                self._scram.verify(rest)
            else:
                self.fail(ConnectionLost(f"the server asks for authentication {code}; we speak SCRAM-SHA-256 alone"))
        except ScramFailed as error:
            self.fail(ConnectionLost(str(error)))

    def succeed(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def _send(self, body: bytes) -> None:
        self._write(_HEAD.pack(b"p", len(body) + 4) + body)


async def connect(address: Address, parameters: dict[str, str]) -> WireConnection:
    """A connection that is ready. Raises `ServerError`, `ConnectionLost` or `OSError`; within ten seconds."""
    async with asyncio.timeout(_CONNECT_S):
        loop = asyncio.get_running_loop()
        connection = WireConnection()
        context = address.tls_context()
        try:
            if address.socket_path is not None:
                await loop.create_unix_connection(lambda: connection, address.socket_path)
            elif context is None:
                await loop.create_connection(lambda: connection, address.host, address.port)
            else:
                await _connect_tls(connection, address)
            await connection.enter(address, parameters)
        except BaseException:
            if connection.is_open:
                connection.abort()
            raise
    _keep_alive(connection._transport.get_extra_info("socket"))  # noqa: SLF001  # We made it.
    return connection


async def _connect_tls(connection: WireConnection, address: Address) -> None:
    """Ask for TLS (55.2.10), then speak it. Refusing it is the server's right, going on without is not ours."""
    loop = asyncio.get_running_loop()
    plain = await _connected_socket(address)
    try:
        await loop.sock_sendall(plain, _SSL_REQUEST)
        # One byte and no more: what a man in the middle put behind it would pass for the server's (CVE-2021-23222).
        if await loop.sock_recv(plain, 1) != b"S":
            raise ConnectionLost("the server does not speak TLS")  # The socket is to be closed.
        await loop.create_connection(
            lambda: connection, sock=plain, ssl=address.tls_context(), server_hostname=address.host
        )
    except BaseException:
        plain.close()
        raise


async def _connected_socket(address: Address) -> socket.socket:
    """A TCP connection to the first of the host's addresses that answers."""
    loop = asyncio.get_running_loop()
    failure: OSError | None = None
    for family, kind, protocol, _, place in await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM):
        plain = socket.socket(family, kind, protocol)
        plain.setblocking(False)
        try:
            await loop.sock_connect(plain, place)
        except OSError as error:
            plain.close()
            failure = error
        else:
            return plain
    raise failure or OSError(f"{address.host} has no address")


def _keep_alive(sock: Any) -> None:
    """Notice a dead peer within a minute, where the machine lets us say so."""
    if sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)


def query_message(sql: str) -> bytes:
    """A simple query (55.2.3): several statements in one are one transaction, unless they say otherwise."""
    body = sql.encode() + b"\0"
    return _HEAD.pack(b"Q", len(body) + 4) + body


def copy_messages(rows: list[bytes]) -> list[bytes]:
    """The data of one `COPY ... FROM STDIN (FORMAT binary)`, to be sent behind the query that holds it."""
    messages: list[bytes] = []
    for start in range(0, len(rows), _COPY_ROWS):
        piece = rows[start : start + _COPY_ROWS]
        if start == 0:
            piece.insert(0, COPY_BEGIN)
        messages += [_HEAD.pack(b"d", sum(map(len, piece)) + 4), *piece]
    messages += [_COPY_END, _COPY_DONE]
    return messages


def _parse_row(body: bytes) -> list[str | None]:
    row: list[str | None] = []
    offset = 2
    for _ in range(int.from_bytes(body[:2], "big")):
        length = int.from_bytes(body[offset : offset + 4], "big", signed=True)
        offset += 4
        row.append(None if length < 0 else body[offset : offset + length].decode())
        offset += max(length, 0)
    return row


def _parse_error(body: bytes, statements: int) -> ServerError:
    """The fields of an ErrorResponse (55.8): each a letter and a text."""
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return ServerError(
        severity=fields.get(b"V", ""),
        sqlstate=fields.get(b"C", ""),
        message=fields.get(b"M", ""),
        detail=fields.get(b"D", ""),
        table=fields.get(b"t", ""),
        constraint=fields.get(b"n", ""),
        where=fields.get(b"W", ""),
        statements=statements,
    )
