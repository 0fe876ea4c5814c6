"""The street that the gateways' tests stand in: one for all tests of a file, each with merchants and payers of its own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio

from hutong.runtime.pool import WorkerPool
from tests.gateways.street import Street


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def street() -> AsyncIterator[Street]:
    """Tests that use it say `pytestmark = pytest.mark.asyncio(loop_scope="module")`."""
    pool = WorkerPool()
    async with AsyncExitStack() as stack:
        stack.callback(pool.close)
        street = Street(pool)
        await street.start(stack)
        yield street
