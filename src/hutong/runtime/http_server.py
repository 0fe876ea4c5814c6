"""
A node's HTTP server, inside its own event loop: hot endpoints and an ASGI application on one port.

A hot endpoint is a plain function of bytes: no scope, no task, no future, at a third of what raw ASGI costs a
request.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from hutong.kernel.clock import NS_PER_S, Clock, SystemClock
from hutong.runtime.figures import HttpFigures
from hutong.runtime.http import HEADERS_OF_STATUS, JSON, HotHandler, problem
from hutong.runtime.http_connection import CONNECTION, HttpLimits, Listening, NodeProtocol
from hutong.runtime.journal import JournalHalted

_LAST_WORDS_S = 1
_EVENTS = b"text/event-stream"


@dataclass(frozen=True, slots=True)
class TlsDoor:
    """Another address of the machine, on which a server speaks TLS on the same port."""

    host: str
    context: ssl.SSLContext


class HttpServer:
    """
    Listens from `start` to `stop`. Port 0 takes any free one; `port` is then the one it took, also of its `tls_door`.

    `hot` maps (method, exact path) to its handler; everything else is `app`'s. `arriving` is told by the loop before each
    piece of what clients send is looked at.
    """

    def __init__(
        self,
        host: str,
        port: int,
        hot: Mapping[tuple[str, str], HotHandler],
        app: Any,
        *,
        limits: HttpLimits | None = None,
        clock: Clock | None = None,
        figures: HttpFigures | None = None,
        tls_door: TlsDoor | None = None,
        arriving: Callable[[], None] = lambda: None,
    ) -> None:
        self.host = host
        self._tls_door = tls_door
        self.port = port
        self._listeners: list[asyncio.Server] = []
        figures = figures or HttpFigures()
        config = Config(
            _counted(app, figures, self._is_ending),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        config.load()
        self._listening = Listening(
            config=config,
            state=ServerState(),
            hot={(method.encode(), path.encode()): handler for (method, path), handler in hot.items()},
            limits=limits or HttpLimits(),
            emptied=asyncio.Event(),
            figures=figures,
            arriving=arriving,
        )
        self._clock = clock or SystemClock()
        self._lifespan = config.lifespan_class(config)
        self._sweeper: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin to listen; raises OSError when the address is taken."""
        loop = asyncio.get_running_loop()
        await self._lifespan.startup()
        if self._lifespan.should_exit:
            raise RuntimeError("the application did not start")
        try:
            await self._listen(loop, self.host, None)
            if self._tls_door is not None:
                await self._listen(loop, self._tls_door.host, self._tls_door.context)
        except OSError:
            self._close()
            await self._lifespan.shutdown()
            raise
        self._sweep(loop)

    async def _listen(self, loop: asyncio.AbstractEventLoop, host: str, context: ssl.SSLContext | None) -> None:
        listener = await loop.create_server(
            lambda: NodeProtocol(self._listening), host, self.port, backlog=2048, ssl=context
        )
        self._listeners.append(listener)
        self.port = listener.sockets[0].getsockname()[1]

    def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    async def stop(self, drain_s: float = 10) -> None:
        """
        Take no new connections, and let requests under way be answered.

        Who still waits after `drain_s` is told to ask again (NODE_RESTARTING), and cut off.
        """
        if not self._listeners:
            return
        self._listening.draining = True
        self._close()
        for connection in self._connections():
            connection.shutdown()
        if not await self._emptied(drain_s):
            for connection in self._connections():
                connection.give_up()
            await self._cut_off()
            if not await self._emptied(_LAST_WORDS_S):
                for connection in self._connections():
                    connection.transport.abort()
        await self._cut_off()
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self._lifespan.shutdown()

    async def _cut_off(self) -> None:
        """Whatever the application is in the middle of."""
        tasks = list(self._listening.state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _is_ending(self) -> bool:
        return not self._listeners

    async def _emptied(self, within_s: float) -> bool:
        """Wait until the last connection is gone."""
        try:
            async with asyncio.timeout(within_s):
                while self._listening.state.connections:
                    self._listening.emptied.clear()
                    await self._listening.emptied.wait()
        except TimeoutError:
            return False
        return True

    def _connections(self) -> list[NodeProtocol]:
        connections = self._listening.state.connections
        return [connection for connection in connections if isinstance(connection, NodeProtocol)]

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Once a second: what the date is, and who has been too slow. One timer, not one per request."""
        date = formatdate(self._clock.now_ns() // NS_PER_S, usegmt=True).encode()
        self._listening.turn_to(date)
        self._listening.state.default_headers = [(b"date", date)]
        for connection in self._connections():
            connection.expire(loop.time())
        self._sweeper = loop.call_later(self._listening.limits.sweep_s, self._sweep, loop)


def _counted(app: Any, figures: HttpFigures, is_ending: Callable[[], bool]) -> Any:
    """
    The application, with its answers counted by group of routes: the first two parts of a route's own path.

    Who is still in the middle of something when the server ends is cut off, and its client told to ask again: that is no
    failure of ours. Events end there, and a browser comes again for the next; what is half a file must not end as if it were
    whole, so its line breaks.
    """

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        time = asyncio.get_running_loop().time
        began = time()
        answer: Any = None

        async def told(message: Any) -> None:
            nonlocal answer
            if message["type"] == "http.response.start":
                answer = message
                figures.answered(_group(scope), message["status"], int((time() - began) * NS_PER_S))
            await send(message)

        try:
            await app(scope, receive, told)
        except asyncio.CancelledError:
            if not is_ending():
                raise
            if answer is None:
                await _ask_again(told)
            elif any(name == b"content-type" and kind.startswith(_EVENTS) for name, kind in answer.get("headers", ())):
                await send({"type": "http.response.body", "body": b""})
            else:
                scope[CONNECTION].break_off()

    return counted


async def _ask_again(send: Callable[[Any], Awaitable[None]]) -> None:
    status, body = problem(JournalHalted())
    again, in_s = HEADERS_OF_STATUS[status]
    headers = {again: in_s, "content-type": JSON.decode(), "content-length": str(len(body))}
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


def _group(scope: Any) -> str:
    # What no route has (a stranger's guesses) is one group: names that others make up must not fill memory.
    template = scope.get("path_template")
    return "/".join(template.split("/", 3)[:3]) if template else "other"
