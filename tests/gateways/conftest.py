"""What all tests of gateways share."""

from collections.abc import AsyncIterator

import pytest

from tests.gateways.hall import Hall, opened_hall


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    async with opened_hall() as found:
        yield found
