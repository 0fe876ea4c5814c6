"""A hall for each test, and one for all tests of a file that leave no traces others would see."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.gateways.hall import Hall, opened_hall


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    async with opened_hall() as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_hall() -> AsyncIterator[Hall]:
    """One for all tests of a file that leave no traces others would see."""
    async with opened_hall() as found:
        yield found
