"""A hall that opens at once: its platform's keys are made once for all tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from hutong.gateways import keys
from hutong.runtime.pool import WorkerPool
from tests.gateways.hall import Hall

_KEYS: list[Any] = []


class KeepingPool(WorkerPool):
    """Hands the same keys out to every hall, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._handed = 0

    async def run(self, work: Callable[..., Any], *args: Any) -> Any:
        if work is not keys.new_key:
            return await super().run(work, *args)
        if self._handed == len(_KEYS):
            _KEYS.append(keys.new_key())
        self._handed += 1
        return _KEYS[self._handed - 1]


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    async with AsyncExitStack() as stack:
        yield await _opened(stack)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_hall() -> AsyncIterator[Hall]:
    """One for all tests of a file that leave no traces others would see."""
    async with AsyncExitStack() as stack:
        yield await _opened(stack)


async def _opened(stack: AsyncExitStack) -> Hall:
    pool = KeepingPool()
    stack.callback(pool.close)
    found = Hall(pool)
    await found.open(stack)
    return found
