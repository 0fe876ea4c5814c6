"""Long answers of the database as streams: written by the server, passed on as they come, and never all in memory."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, LiteralString

import asyncpg

from hutong.runtime.database import unavailable_when_gone

_PIECES_WAITING_MAX = 16


async def csv_of(pool: "asyncpg.Pool[Any]", query: LiteralString, *arguments: Any) -> AsyncIterator[bytes]:
    """
    What a query finds as CSV with a header, in pieces, on a connection of its own for as long as it takes.

    A reader that is slow slows the server down; one that goes away ends the query.
    """
    pieces: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(_PIECES_WAITING_MAX)

    async def write() -> None:
        try:
            with unavailable_when_gone():
                async with pool.acquire() as connection, connection.transaction(readonly=True):
                    await connection.execute("SET LOCAL statement_timeout = 0")
                    await connection.copy_from_query(query, *arguments, output=pieces.put, format="csv", header=True)
        except Exception as error:  # noqa: BLE001  # The reader raises it.
            await pieces.put(error)
        else:
            await pieces.put(None)

    writing = asyncio.create_task(write())
    try:
        while (piece := await pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield bytes(piece)  # A bytearray is no answer to who serves it.
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
