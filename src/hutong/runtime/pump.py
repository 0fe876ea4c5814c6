"""Bytes passed on between two connections, both ways."""

import asyncio

_PIECE = 65536


async def join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answers: asyncio.StreamReader,
    requests: asyncio.StreamWriter,
) -> None:
    """Pass bytes on both ways, until the side that answers has said its last."""
    try:
        async with asyncio.TaskGroup() as both:
            asking = both.create_task(_copy(reader, requests))
            await _copy(answers, writer)
            asking.cancel()  # Nobody reads what might still be asked.
    except* OSError:
        pass
    finally:
        requests.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All that comes, and that it ends: who asked its last may still wait for the answer."""
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
