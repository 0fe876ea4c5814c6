"""The feed: whoever asks with the last cursor misses nothing and sees nothing twice."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.institution.notices.event import is_event_type, make_event
from hutong.institution.notices.service import WAITING_PER_OWNER_MAX
from hutong.kernel.clock import instant_ns

MERCHANT, OTHER = 1 << 90, 2 << 90


def _numbers(page: Any) -> list[int]:
    return [json.loads(event.body)["data"]["number"] for _, event in page.events]


async def test_an_event_is_told_as_standard_webhooks_lays_it_out(post: Any) -> None:
    post.tell(MERCHANT, 7)
    page = await post.notices.feed(MERCHANT, 0, limit=10)
    ((cursor, event),) = page.events
    told = json.loads(event.body)
    assert told.pop("id").startswith("evt_")
    assert told == {"type": "payment.completed", "timestamp": "2026-01-01T00:00:00.000Z", "data": {"number": 7}}
    assert page.cursor == cursor


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_timestamp_is_the_instant_in_utc_to_the_millisecond(at: datetime) -> None:
    told = json.loads(make_event(256, MERCHANT, "a.b", {}, instant_ns(at)).body)["timestamp"]
    assert told == at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_an_owner_sees_its_own_events_alone(post: Any) -> None:
    for number in range(6):
        post.tell((MERCHANT, OTHER)[number % 2], number)
    assert _numbers(await post.notices.feed(MERCHANT, 0, limit=10)) == [0, 2, 4]
    assert _numbers(await post.notices.feed(OTHER, 0, limit=10)) == [1, 3, 5]
    assert _numbers(await post.notices.feed(MERCHANT + 1, 0, limit=10)) == []


async def test_what_is_not_durable_is_not_told(post: Any) -> None:
    post.journal._immediate = False
    post.tell(MERCHANT, 1)
    assert _numbers(await post.notices.feed(MERCHANT, 0, limit=10)) == []
    post.journal.flush()
    assert _numbers(await post.notices.feed(MERCHANT, 0, limit=10)) == [1]
    post.tell(MERCHANT, 2)
    await post.restart()
    post.tell(MERCHANT, 3)
    assert _numbers(await post.notices.feed(MERCHANT, 0, limit=10)) == [1, 3]


async def test_readers_miss_nothing_while_events_come_and_commits_lag(post: Any) -> None:
    post.journal._immediate = False
    total, readers = 400, 4

    async def write() -> None:
        for number in range(total):
            post.tell(MERCHANT, number)
            post.tell(OTHER, -1)
            if number % 7 == 0:
                post.journal.flush()
            if number % 3 == 0:
                await asyncio.sleep(0)
        post.journal.flush()

    async def read(limit: int) -> list[int]:
        seen: list[int] = []
        cursor = 0
        while len(seen) < total:
            page = await post.notices.feed(MERCHANT, cursor, limit=limit, wait_s=5)
            assert page.cursor > cursor, "something came, or we waited in vain"
            cursor = page.cursor
            seen += _numbers(page)
        return seen

    *all_seen, _ = await asyncio.gather(*(read(limit) for limit in range(1, readers + 1)), write())
    assert all_seen == [list(range(total))] * readers
    assert post.notices._waiting == {}
    assert post.notices._waiting_count == 0


async def test_waiting_ends_empty_handed_at_its_time(post: Any) -> None:
    before = asyncio.get_running_loop().time()
    page = await post.notices.feed(MERCHANT, 0, limit=10, wait_s=1)
    assert (page.events, page.cursor) == ([], 0)
    assert asyncio.get_running_loop().time() - before > 0.9  # And not at the test's own time, which is minutes.


async def test_too_many_who_wait_are_answered_at_once(post: Any) -> None:
    many = WAITING_PER_OWNER_MAX + 1
    waiting = [asyncio.ensure_future(post.notices.feed(MERCHANT, 0, limit=1, wait_s=30)) for _ in range(many)]
    done, _ = await asyncio.wait(waiting, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    post.tell(MERCHANT, 1)
    pages = await asyncio.gather(*waiting)
    assert sorted(len(page.events) for page in pages) == [0] + [1] * WAITING_PER_OWNER_MAX


async def test_whoever_waits_is_let_go_when_the_node_ends(post: Any) -> None:
    waiting = asyncio.ensure_future(post.notices.feed(MERCHANT, 0, limit=1, wait_s=30))
    await asyncio.wait([waiting], timeout=0.05)
    post.notices.close()
    assert (await asyncio.wait_for(waiting, 1)).events == []
    assert (await asyncio.wait_for(post.notices.feed(MERCHANT, 0, limit=1, wait_s=30), 1)).events == []
    assert post.notices._waiting == {}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("payment.completed", True),
        ("pin.changed", True),
        ("a.b.c_d", True),
        ("payment", False),
        ("Payment.completed", False),
        ("payment.", False),
        (".completed", False),
        ("payment completed.x", False),
        ("a." + "b" * 63, False),
    ],
)
def test_a_type_is_hierarchical(text: str, fits: bool) -> None:
    assert is_event_type(text) is fits
