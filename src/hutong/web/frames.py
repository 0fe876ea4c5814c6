"""What a camera sees where the browser finds no codes by itself: frames, read beside the loop and kept nowhere."""

from functools import partial

from hutong.codes.picture import read_frame
from hutong.kernel.errors import Refusal
from hutong.runtime.http import HttpReason
from hutong.runtime.pool import WorkerPool
from hutong.web.page import AnyRequest, Pages

_BYTES_MAX = 1 << 20


class FrameReader:
    """Reads one frame of everybody who watches at a time, however many are sent, and none while there is no room."""

    def __init__(self, pages: Pages, pool: WorkerPool) -> None:
        self._pages = pages
        self._pool = pool
        self._watching: set[int] = set()

    async def code_in(self, request: AnyRequest, watcher: int) -> str:
        """The code in the frame that the request is; empty: none. Refuses BODY_TOO_LARGE, and a sender that is no page of ours."""
        self._pages.check_sender(request)
        frame = await request.body()
        if len(frame) > _BYTES_MAX:
            raise Refusal(HttpReason.BODY_TOO_LARGE, bytes_max=_BYTES_MAX)
        if watcher in self._watching or self._pool.is_full:
            return ""
        self._watching.add(watcher)
        try:
            seen = await self._pool.run(partial(read_frame, frame))
        finally:
            self._watching.discard(watcher)
        return seen[0] if seen else ""
