"""What a node tells systemd, where that started it: that it serves, that its event loop answers, that it is stopping."""

import asyncio
import os
import socket
from contextlib import suppress

_EACH_S = 5


def tell(state: str) -> None:
    """`sd_notify(3)`: one datagram to the socket of the environment; nobody is told where there is none."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as told, suppress(OSError):
        told.sendto(state.encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)


async def tell_while_alive() -> None:
    """Say `WATCHDOG=1` for as long as the event loop answers. A node that waits for its database is alive, too."""
    while True:
        tell("WATCHDOG=1")
        await asyncio.sleep(_EACH_S)
