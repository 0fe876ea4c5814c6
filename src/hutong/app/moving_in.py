"""
The door of a network for trying out while its sample people move in.

They live their week on a clock that is put back: who came in meanwhile would live in it, and be told that ids are from the
future. So they alone come in, and everybody else is told that the node is starting, and when to come again.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hutong.kernel.ids import system_randomness
from hutong.runtime.http import HEADERS_OF_STATUS, JSON, HotHandler, HotRequest, NodeStarting, problem
from hutong.web.assets import asset_path
from hutong.web.page import HEADERS

_KEY = "hutong-moving-in"
_KEY_BYTES = 16
# What a browser's address bar takes, and no merchant's software says: that of Java takes `text/html` by itself.
_PAGES = b"application/xhtml+xml"
# Of a scope and `send`: whether the answer was given, in the caller's own protocol.
Words = Callable[[Any, Any], Awaitable[bool]]
_OPEN = ("/health/", "/static/")  # Whether it is ready yet, and what its page looks like, anybody may see.
_PAGE = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="1">
<title>正在启动 · Starting</title>
<link rel="stylesheet" href="{style}">
</head>
<body class="phone">
<main>
<h1>正在启动</h1>
<p>示例用户正在搬进来。再过几秒，这一页会自动打开。</p>
<h2 lang="en">Starting</h2>
<p lang="en">Sample people are moving in. This page opens by itself in a few seconds.</p>
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class MovingIn:
    """While `lasts`, only who shows `headers` comes in: a key that nobody else knows."""

    lasts: Callable[[], bool]
    headers: Mapping[str, str] = field(default_factory=lambda: {_KEY: system_randomness().randbytes(_KEY_BYTES).hex()})

    def hot(self, handlers: Mapping[tuple[str, str], HotHandler]) -> dict[tuple[str, str], HotHandler]:
        """Hot endpoints behind this door."""
        return {where: self._guarded(handler) for where, handler in handlers.items()}

    def _guarded(self, handler: HotHandler) -> HotHandler:
        def guarded(request: HotRequest) -> None:
            if self._is_shut(request.headers.get(_KEY.encode(), b"")):
                request.refuse(NodeStarting())
            else:
                handler(request)

        return guarded

    def app(self, inner: Any, words: Words | None = None) -> Any:
        """An ASGI application behind this door; `words` are those of the protocols that are spoken there, before its own."""

        async def guarded(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http" or scope["path"].startswith(_OPEN):
                await inner(scope, receive, send)
                return
            headers = dict(scope["headers"])
            if not self._is_shut(headers.get(_KEY.encode(), b"")):
                await inner(scope, receive, send)
                return
            accepted = headers.get(b"accept", b"")
            if words is None or _PAGES in accepted or not await words(scope, send):
                await _refuse(b"text/html" in accepted, send)

        return guarded

    def _is_shut(self, key: bytes) -> bool:
        return self.lasts() and not hmac.compare_digest(key, self.headers[_KEY].encode())


async def _refuse(is_browser: bool, send: Any) -> None:  # noqa: FBT001  # One of two bodies.
    status, body = problem(NodeStarting())
    again, in_s = HEADERS_OF_STATUS[status]
    headers = {again: in_s, "content-type": JSON.decode()}
    if is_browser:
        body = _PAGE.format(style=asset_path("kit.css")).encode()
        headers |= HEADERS | {"content-type": "text/html; charset=utf-8"}
    headers["content-length"] = str(len(body))
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
