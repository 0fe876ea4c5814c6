"""What the tests of notices share."""

from collections.abc import AsyncIterator

import pytest

from tests.institution.notices.post_office import Post, Receiver


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    post = Post()
    await post.start()
    yield post
    await post.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()
