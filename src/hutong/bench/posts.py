"""
Requests that were made beforehand, posted by so many connections: a process of its own, as `load` is.

What a merchant's software signs is signed before the clock runs: here the node is measured. Reads a plan from standard
input as MessagePack; each connection posts its own share, one after the other, until it has none or the time is over.
"""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import uvloop

from hutong.bench.figures import percentile
from hutong.bench.load import Outcome
from hutong.runtime.http_client import HttpAnswer, HttpConnection, HttpFailure

_WARM = b"warm\n"
_OK = (200, 201)


class Post(msgspec.Struct, frozen=True, array_like=True):
    """One request: its path, whole header lines, and its body."""

    path: bytes
    headers: bytes
    body: bytes


class Posts(msgspec.Struct, frozen=True):
    """What is to be posted where. An answer counts whose status is 200 or 201 and that has `good` in it."""

    url: str
    clients: list[list[Post]]
    seconds: float
    warm_s: float
    good: bytes = b""


@dataclass(slots=True)
class _Count:
    completed: int = 0
    others: dict[str, int] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)


class _Client:
    """One connection's share."""

    def __init__(self, posts: Posts, mine: list[Post], count: _Count, warm_at: float) -> None:
        self._connection = HttpConnection(posts.url, timeout_s=30)
        self._posts = posts
        self._left = iter(mine)
        self._count = count
        self._warm_at = warm_at
        self._ends_at = warm_at + posts.seconds
        self._sent_at = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def post(self) -> None:
        post = next(self._left, None)
        self._sent_at = time.perf_counter()
        if post is None or self._sent_at >= self._ends_at:
            self._connection.close()
            self.ended.set_result(None)
            return
        self._connection.send(b"POST", post.path, post.body, self._answered, post.headers)

    def _answered(self, answer: HttpAnswer | HttpFailure) -> None:
        if self._sent_at >= self._warm_at:
            if isinstance(answer, HttpAnswer) and answer.status in _OK and self._posts.good in answer.body:
                self._count.completed += 1
                self._count.latencies_s.append(time.perf_counter() - self._sent_at)
            else:
                said = f"{answer.status} {answer.body[:60]!r}" if isinstance(answer, HttpAnswer) else str(answer)
                self._count.others[said] = self._count.others.get(said, 0) + 1
        self.post()


async def run(posts: Posts, warm: Callable[[], None]) -> Outcome:
    """Carry the plan out; `warm` is called when the warm-up is over."""
    count, warm_at = _Count(), time.perf_counter() + posts.warm_s
    clients = [_Client(posts, mine, count, warm_at) for mine in posts.clients]
    for client in clients:
        client.post()
    await asyncio.sleep(warm_at - time.perf_counter())
    warm()
    cpu_s = time.process_time()
    await asyncio.gather(*(client.ended for client in clients))
    took_s = time.perf_counter() - warm_at
    latencies = sorted(count.latencies_s)
    return Outcome(
        per_s=count.completed / took_s,
        p50_ms=1000 * percentile(latencies, 0.5),
        p99_ms=1000 * percentile(latencies, 0.99),
        completed=count.completed,
        cpu_s=time.process_time() - cpu_s,
        others=count.others,
    )


async def posted(posts: Posts, warm: Callable[[], None]) -> Outcome:
    """Have it carried out by a process of its own."""
    command = (sys.executable, "-m", "hutong.bench.posts")
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(msgspec.msgpack.encode(posts))
        process.stdin.close()
        if await process.stdout.readline() == _WARM:
            warm()
        said = await process.stdout.read()
        if await process.wait():
            raise ChildProcessError("the load ended early; what it said stands above")
        return msgspec.json.decode(said, type=Outcome)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def main() -> None:
    posts = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Posts)

    def warm() -> None:
        sys.stdout.buffer.write(_WARM)
        sys.stdout.buffer.flush()

    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(posts, warm))))


if __name__ == "__main__":
    main()
