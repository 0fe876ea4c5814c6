"""News as it happens, to an open page: an owner's feed as server-sent events."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import msgspec
from litestar.response import Stream

from hutong.institution.notices.event import Event
from hutong.institution.notices.service import Notices
from hutong.kernel.errors import Refusal
from hutong.web.page import HEADERS, AnyRequest

_PAGE = 100
_BEAT_S = 15  # Proxies close what says nothing for longer; and so often it is asked whether the reader still may.
_RETRY_MS = 2000

# What a page is told of an event: None keeps it quiet.
Shown = Callable[[Event], Mapping[str, Any] | None]


def feed_events(
    request: AnyRequest,
    notices: Notices,
    owner_id: int,
    shown: Shown,
    still: Callable[[], Awaitable[Any]],
    after: int | None = None,
) -> Stream:
    """
    The owner's events from now on, or from behind `after`; a browser that was cut off goes on where it was (`last-event-id`).

    `ready` comes behind what had happened already: what a page hears before it came meanwhile, what it hears after it is news.
    `still` is asked before each wait; when it refuses, the stream ends.
    """
    newest = notices.newest()  # Before a byte of the answer: whoever sees it begin hears all that happens from then on.

    async def told() -> AsyncIterator[str]:
        yield f"retry: {_RETRY_MS}\n\n"
        last = request.headers.get("last-event-id", "")
        begin = newest if after is None else min(after, newest)
        at = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else begin
        is_ready = False
        while not notices.closed:
            try:
                await still()
            except Refusal:
                yield "event: signed-out\ndata: {}\n\n"
                return
            page = await notices.feed(owner_id, at, limit=_PAGE, wait_s=_BEAT_S if is_ready else 0)
            for position, event in page.events:
                data = shown(event)
                if data is not None:
                    yield f"id: {position}\nevent: {event.type}\ndata: {msgspec.json.encode(data).decode()}\n\n"
            at = page.cursor
            if not page.events and not is_ready:
                is_ready = True
                yield f"id: {at}\nevent: ready\ndata: {{}}\n\n"  # The page knows where it stands, and can come back to here.
            elif not page.events:
                yield f"id: {at}\nevent: beat\ndata: {{}}\n\n"  # A page tells by it a line that is dead.
                if not page.waited:
                    return  # Too many wait already: the browser comes again by itself.

    headers = HEADERS | {"x-accel-buffering": "no"}
    return Stream(told(), media_type="text/event-stream", headers=headers)
