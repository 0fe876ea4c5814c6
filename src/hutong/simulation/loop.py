"""Virtual time: one queue of events in one thread, and as much of asyncio as the nodes' own coroutines need."""

import asyncio
import heapq
from asyncio import events
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from hutong.kernel.clock import NS_PER_S, ManualClock

T = TypeVar("T")
Step = Callable[[], None]


class Stopped(Exception):  # noqa: N818  # It is what a run was looking for.
    """The run found something, and ends here."""


class _HandleRun:
    """A step of asyncio's: it may have been cancelled meanwhile."""

    __slots__ = ("_handle",)

    def __init__(self, handle: asyncio.Handle) -> None:
        self._handle = handle

    def __call__(self) -> None:
        if not self._handle.cancelled():
            self._handle._run()


class VirtualLoop(asyncio.AbstractEventLoop):
    """
    Runs what is due in order of its time, and of two at one time the one asked for first; time jumps between events.

    Nothing here waits, reads a clock or draws chance, so the same calls give the same run.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.events = 0
        self.stopped = False  # Something was found: whatever comes now is of a world that is wrong already.
        self.failed: Callable[[str], None] = _raise
        self.after_each: Step = _nothing
        self._queue: list[tuple[int, int, Step]] = []
        self._asked = 0
        self._tasks: dict[asyncio.Task[Any], None] = {}

    # The simulation.

    def at(self, due_ns: int, run: Step) -> None:
        """Run `run` at a time; now, if that is past."""
        self._asked += 1
        heapq.heappush(self._queue, (max(due_ns, self.clock.ns), self._asked, run))

    def after(self, wait_ns: int, run: Step) -> None:
        self._asked += 1
        heapq.heappush(self._queue, (self.clock.ns + wait_ns, self._asked, run))

    def run_until(self, until_ns: int, done: Callable[[], bool] | None = None) -> None:
        """Run what is due by then, or until `done`; the time is then `until_ns`, or that of the last event."""
        queue, clock = self._queue, self.clock
        events._set_running_loop(self)
        try:
            while queue and queue[0][0] <= until_ns and not self.stopped:
                clock.ns, _, run = heapq.heappop(queue)
                self.events += 1
                run()
                self.after_each()
                if done is not None and done():
                    return
        finally:
            events._set_running_loop(None)
        if not self.stopped:
            clock.ns = max(clock.ns, until_ns)

    def run(self, errand: Coroutine[Any, Any, T], within_ns: int) -> T:
        """The result of an errand, which must end within a time; raises `Stopped`."""
        task = self.create_task(errand)
        self.run_until(self.clock.ns + within_ns, task.done)
        if self.stopped and not task.done():
            raise Stopped
        assert task.done(), f"{errand} waits for ever"
        return task.result()

    def wait(self, wait_ns: int) -> "asyncio.Future[None]":
        """A future that is done after a time."""
        done = self.create_future()
        self.after(wait_ns, lambda: None if done.done() else done.set_result(None))
        return done

    def close(self) -> None:
        """Forget what was to come, and end the coroutines that waited for it."""
        for task in self._tasks:
            task.cancel()
        events._set_running_loop(self)
        try:
            while self._tasks and self._queue:
                run = heapq.heappop(self._queue)[2]
                if isinstance(run, _HandleRun):
                    run()
        finally:
            events._set_running_loop(None)
            self._queue.clear()

    # What asyncio's futures, tasks and timeouts ask of a loop.

    def time(self) -> float:
        return self.clock.ns / NS_PER_S

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self.at(self.clock.ns, _HandleRun(handle))
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self.at(int(when * NS_PER_S), _HandleRun(timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass  # It is skipped when its time comes.

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None
    ) -> "asyncio.Task[T]":
        task: asyncio.Task[T] = asyncio.Task(coro, loop=self, name=name or "errand", context=context)
        self._tasks[task] = None
        task.add_done_callback(self._task_ended)
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.failed(f"{context.get('message')}: {context.get('exception')!r}")

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.default_exception_handler(context)

    def _task_ended(self, task: "asyncio.Task[Any]") -> None:
        del self._tasks[task]


def _nothing() -> None:
    pass


def _raise(said: str) -> None:
    raise AssertionError(said)
