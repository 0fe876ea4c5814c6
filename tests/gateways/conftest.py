"""What all tests of gateways share."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.gateways.hall import Hall, KeepingPool, opened_hall
from tests.gateways.street import Street


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    async with opened_hall() as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def street() -> AsyncIterator[Street]:
    """Two institutions. Tests that use it say `pytestmark = pytest.mark.asyncio(loop_scope="module")`."""
    pool = KeepingPool()
    async with AsyncExitStack() as stack:
        stack.callback(pool.close)
        street = Street(pool)
        await street.start(stack)
        yield street
