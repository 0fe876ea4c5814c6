"""What takes long and holds no lock of ours (password hashing, reading pictures) runs beside the loop, and bounded."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")


class WorkerPool:
    """A few threads and a short queue: what does not fit is turned away rather than left to pile up."""

    def __init__(self, *, workers: int = 2, waiting_max: int = 64) -> None:
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="hutong-worker")
        self._room = workers + waiting_max
        self._taken = 0

    @property
    def is_full(self) -> bool:
        """Whether the next one must be turned away."""
        return self._taken >= self._room

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Do `work` on a thread. The caller asked `is_full` first."""
        assert not self.is_full
        self._taken += 1
        running = asyncio.get_running_loop().run_in_executor(self._executor, work)
        # Counted until the thread is done with it, also when nobody waits any more.
        running.add_done_callback(self._leave)
        return await asyncio.shield(running)

    def close(self) -> None:
        """Take no more, and let what runs finish."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _leave(self, running: "asyncio.Future[Answer]") -> None:
        self._taken -= 1
        if not running.cancelled():
            running.exception()  # Seen, even if its caller is gone.
