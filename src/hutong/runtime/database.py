"""
One node's schema on a PostgreSQL server, through asyncpg: for reading, for migrations and for consoles.

What a node decides is not written here: that goes through its journal.
"""

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg

from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.address import Address
from hutong.runtime.leadership import Leadership
from hutong.runtime.tables import pack_numeric

CONNECT_S = 10
STATEMENT_S = 30
_NOT_THERE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,  # Its connection broke while it was still sending.
)
_CLOSED = re.compile(r"\b(?:closed|closing|released back)\b")
_NUMERIC_HEAD = struct.Struct(">HhHH")
_NUMERIC_POSITIVE, _NUMERIC_NEGATIVE = 0x0000, 0x4000
_JSONB_VERSION = b"\x01"


# The server is there and says no, to whoever asks or to what is asked for: trying again does not help.
_REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,  # And a wrong password, which is one of these.
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)


class _Reading(asyncpg.Connection):  # type: ignore[misc]  # It comes without types.
    """
    A pool's connection, given back as it is.

    Whoever borrows one sets nothing beyond a transaction of its own, so nothing needs to be reset: by default each
    look-up would cost a second round trip for that.
    """

    __slots__ = ()

    def get_reset_query(self) -> str:
        return ""


class DatabaseReason(Reason):
    """Why a server that can be reached is of no use as it is addressed."""

    DATABASE_REFUSED = Kind.NOT_ALLOWED, "NARR"


class DatabaseUnavailable(Exception):  # noqa: N818  # It is a state of the world; nothing was sent.
    """The database can't be reached, is still starting or has no time; whoever asked may ask again."""


@contextmanager
def unavailable_when_gone() -> Iterator[None]:
    """Say `DatabaseUnavailable` for every way in which a server can be gone."""
    try:
        yield
    except _NOT_THERE as error:
        raise DatabaseUnavailable(f"the database can't be reached: {error}") from error
    except asyncpg.InterfaceError as error:
        # So the driver says, too, that it was used wrongly: only its words tell the two apart.
        if _CLOSED.search(str(error)) is None:
            raise
        raise DatabaseUnavailable(f"the connection has ended: {error}") from error
    except asyncpg.QueryCanceledError as error:
        raise DatabaseUnavailable(f"the database took too long: {error}") from error


@dataclass(frozen=True, slots=True)
class Database:
    """Where a node's tables are. Unqualified names in its SQL mean this schema and no other."""

    address: Address
    schema: str

    def __post_init__(self) -> None:
        # Then it needs no quoting anywhere, and a node's name shows nothing funny in a log.
        assert self.schema.isidentifier()
        assert self.schema.isascii()
        assert self.schema == self.schema.lower()

    async def connect(self, *, statement_s: int = STATEMENT_S) -> "asyncpg.Connection[Any]":
        """
        A connection of its own, for who holds locks or runs long; raises `DatabaseUnavailable`.

        A `statement_s` of 0 is no limit.

        Refuses:  DATABASE_REFUSED, in the server's words.
        """
        with self._reached():
            connection = await asyncpg.connect(**self._options(statement_s))
            await teach_types(connection)
            return connection

    async def open_pool(self, *, size_max: int = 8, lead: Leadership | None = None) -> "asyncpg.Pool[Any]":
        """
        Connections for reading; raises `DatabaseUnavailable`. Refuses DATABASE_REFUSED.

        Who decides on what it reads says under which `lead`: then nothing is read that a later writer wrote.
        """

        async def prepare(connection: "asyncpg.Connection[Any]") -> None:
            await teach_types(connection)
            if lead is not None:
                try:
                    await connection.execute(lead.reading)
                except asyncpg.DivisionByZeroError as error:
                    raise DatabaseUnavailable(f"epoch {lead.epoch} is over: another writer has taken over") from error

        with self._reached():
            return await asyncpg.create_pool(
                min_size=1,
                max_size=size_max,
                init=prepare,
                connection_class=_Reading,
                **self._options(STATEMENT_S),
            )

    async def create(self) -> None:
        """Make the schema, empty. Repeats: nothing. Refuses DATABASE_REFUSED, where this user may not."""
        connection = await self.connect()
        try:
            # Two starters at once could both find it missing; the lock goes with the transaction.
            with self._reached():
                async with connection.transaction():
                    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", self.schema)
                    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self.schema}")
        finally:
            await connection.close()

    async def drop(self) -> None:
        """Remove the schema and everything in it: for tests and for `hutong demo`'s throw-away network."""
        connection = await self.connect()
        try:
            await connection.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")
        finally:
            await connection.close()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Say where the server is that is gone, or that says no."""
        address = self.address
        try:
            with unavailable_when_gone():
                yield
        except DatabaseUnavailable as error:
            raise DatabaseUnavailable(f"{address.host}:{address.port}: {error}") from error
        except _REFUSED as error:
            place = f"{address.host}:{address.port}"
            raise Refusal(DatabaseReason.DATABASE_REFUSED, at=place, said=str(error)) from error

    def _options(self, statement_s: int) -> dict[str, Any]:
        address = self.address
        return {
            "host": address.host,
            "port": address.port,
            "user": address.user,
            "password": address.password or None,
            "database": address.database,
            "ssl": address.tls_context() or False,
            "timeout": CONNECT_S,
            "server_settings": {
                "search_path": self.schema,
                "application_name": f"hutong {self.schema}",
                "statement_timeout": f"{statement_s}s",
                "timezone": "UTC",
            },
        }


async def teach_types(connection: "asyncpg.Connection[Any]") -> None:
    """Ids and whole numbers are ints in Python, and JSON stays the bytes it was."""
    for name, encode, decode in (
        ("uuid", _encode_uuid, _decode_uuid),
        ("numeric", encode_numeric, decode_numeric),
        ("jsonb", _encode_jsonb, _decode_jsonb),
    ):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=encode, decoder=decode, format="binary")


def encode_numeric(value: int) -> bytes:
    """An integer as PostgreSQL's binary `numeric`, without its length."""
    packed = pack_numeric(abs(value))[4:]
    if value >= 0:
        return packed
    return packed[:4] + _NUMERIC_NEGATIVE.to_bytes(2, "big") + packed[6:]


def decode_numeric(data: bytes) -> int | Decimal:
    """PostgreSQL's binary `numeric`: an int where it is whole, a `Decimal` where it has a fraction, `NaN` included."""
    count, weight, sign, _scale = _NUMERIC_HEAD.unpack_from(data)
    digits = struct.unpack_from(f">{count}H", data, _NUMERIC_HEAD.size)
    if sign not in {_NUMERIC_POSITIVE, _NUMERIC_NEGATIVE}:
        return Decimal("NaN")
    value = 0
    for digit in digits:
        value = value * 10_000 + digit
    value = -value if sign == _NUMERIC_NEGATIVE else value
    exponent = weight + 1 - count
    if exponent >= 0:
        return value * int(10_000**exponent)
    return Decimal(value).scaleb(4 * exponent)


def _encode_uuid(value: int) -> bytes:
    return value.to_bytes(16, "big")


def _decode_uuid(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _encode_jsonb(value: bytes) -> bytes:
    return _JSONB_VERSION + value


def _decode_jsonb(data: bytes) -> bytes:
    return bytes(data[1:])
