"""
Requests that were made beforehand, posted by so many connections: a process of its own, as `load` is.

What a merchant's software signs is signed before the clock runs: here the node is measured. Reads a plan from standard
input as MessagePack; each connection posts its own share, one after the other, until it has none or the time is over.
"""

import asyncio
import sys
import time
from collections.abc import Callable

import msgspec

from hutong.bench.closed_loop import Count, Outcome, carry_out, in_own_process
from hutong.runtime.http_client import HttpAnswer, HttpConnection, HttpFailure

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


class _Client:
    """One connection's share."""

    def __init__(self, posts: Posts, mine: list[Post], count: Count, warm_at: float) -> None:
        self._connection = HttpConnection(posts.url, timeout_s=30)
        self._posts = posts
        self._left = iter(mine)
        self._count = count
        self._warm_at = warm_at
        self._ends_at = warm_at + posts.seconds
        self._sent_at = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self) -> None:
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
        self.send()


async def posted(posts: Posts, warm: Callable[[], None]) -> Outcome:
    """Have it carried out by a process of its own."""
    return await in_own_process("hutong.bench.posts", msgspec.msgpack.encode(posts), warm)


def main() -> None:
    posts = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Posts)
    carry_out(lambda count, warm_at: [_Client(posts, mine, count, warm_at) for mine in posts.clients], posts.warm_s)


if __name__ == "__main__":
    main()
