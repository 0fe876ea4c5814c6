"""Signing answers: RSA takes longer than all the rest of a request, and holds no lock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from hutong.runtime.pool import WorkerPool

Signed = TypeVar("Signed")


class Signers:
    """While other requests wait for the loop, a signature is made beside it; alone, it is sooner made here."""

    def __init__(self) -> None:
        self._pool = WorkerPool(workers=1)
        self._under_way = 0

    @contextmanager
    def request(self) -> Iterator[None]:
        """A request is under way."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def run(self, sign: Callable[[], Signed]) -> Signed:
        """What `sign` makes."""
        alone = self._under_way <= 1 or self._pool.is_full
        return sign() if alone else await self._pool.run(sign)

    def close(self) -> None:
        """Sign no more beside the loop."""
        self._pool.close()
