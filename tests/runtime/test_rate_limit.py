"""Limits: who asks too often is told how long to wait, truly, and nobody else is slowed."""

from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import get, post

from hutong.kernel.clock import NS_PER_S, ManualClock
from hutong.kernel.errors import KernelReason, Refusal
from hutong.runtime.http import HttpReason, retry_after_s
from hutong.runtime.http_app import make_app
from hutong.runtime.rate_limit import (
    HotCount,
    Rate,
    RateLimited,
    RateLimits,
    TokenBuckets,
    caller_address,
    read_networks,
)

LIMITS = RateLimits(
    token=Rate(3, 1),
    address=Rate(3, 1),
    doors=Rate(2, 0.1),
    pins=Rate(1, 0.5),
    gateways=Rate(7, 1),
    strangers=Rate(2, 0.5),
    trusted=read_networks(["127.0.0.1", "10.0.0.0/8"]),
)
FAR = "203.0.113.9"


@get("/v1/things", sync_to_thread=False)
def things() -> list[int]:
    return [1]


@get("/v1/closed", sync_to_thread=False)
def closed() -> None:
    raise Refusal(HttpReason.TOKEN_MISSING)


@post("/v1/sessions", sync_to_thread=False)
def sessions() -> None: ...


@post("/v1/pin/tokens", sync_to_thread=False)
def pin() -> None: ...


class Caller:
    """Calls a limited application from anywhere."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        app = make_app([things, closed, sessions, pin], title="things", version="1")
        self.app = RateLimited(cast("Any", app), LIMITS, self.clock)

    async def call(
        self, path: str = "/v1/things", *, method: str = "GET", peer: str = FAR, token: str = "", forwarded: str = ""
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= {"x-forwarded-for": forwarded} if forwarded else {}
        transport = httpx.ASGITransport(cast("Any", self.app), client=(peer, 4000))
        async with httpx.AsyncClient(transport=transport, base_url="http://jing") as client:
            return await client.request(method, path, headers=headers)

    async def until_limited(self, **options: Any) -> tuple[int, int]:
        """How many were let through, and how long to wait then."""
        for count in range(50):
            response = await self.call(**options)
            if response.status_code == 429:
                assert response.json()["reason"] == "TOO_MANY_REQUESTS"
                assert response.json()["facts"]["retry_after_s"] == int(response.headers["retry-after"])
                return count, int(response.headers["retry-after"])
        raise AssertionError("never limited")


@pytest.fixture
def caller() -> Caller:
    return Caller()


async def test_each_token_has_a_bucket_of_its_own(caller: Caller) -> None:
    assert await caller.until_limited(token="a") == (3, 1)
    assert await caller.until_limited(token="b") == (3, 1)
    assert await caller.until_limited() == (3, 1)


async def test_retry_after_is_true(caller: Caller) -> None:
    """A moment before it is refused still; at it, let through."""
    door = {"path": "/v1/sessions", "method": "POST"}
    count, wait_s = await caller.until_limited(**door)
    assert (count, wait_s) == (2, 10)
    caller.clock.advance(seconds=wait_s - 1)
    assert (await caller.call(**door)).status_code == 429
    caller.clock.advance(seconds=1)
    assert (await caller.call(**door)).status_code == 201


async def test_where_a_pin_is_typed_a_token_is_slower(caller: Caller) -> None:
    assert await caller.until_limited(path="/v1/pin/tokens", method="POST", token="a") == (1, 2)
    assert (await caller.call(token="a")).status_code == 200


async def test_who_tries_tokens_is_slowed_by_address_whatever_the_token(caller: Caller) -> None:
    for number in range(2):
        assert (await caller.call("/v1/closed", token=f"guess{number}")).status_code == 401
    assert (await caller.call("/v1/closed", token="another")).status_code == 429
    assert (await caller.call("/v1/closed", token="another", peer="203.0.113.10")).status_code == 401


async def test_a_merchants_server_that_signs_each_call_has_one_bucket_by_address(caller: Caller) -> None:
    assert await caller.until_limited(path="/gateway.do") == (7, 1)
    assert (await caller.call("/v3/certificates", token="signed anew")).status_code == 429
    assert (await caller.call()).status_code == 200


async def test_who_is_on_this_machine_is_not_limited(caller: Caller) -> None:
    for _ in range(20):
        assert (await caller.call(peer="127.0.0.1")).status_code == 200


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        (FAR, "", FAR),
        (FAR, "198.51.100.1", FAR),  # A stranger says so: not believed.
        ("127.0.0.1", "", None),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # What the client wrote before the proxy did.
        ("127.0.0.1", "198.51.100.1, 10.0.0.7", "198.51.100.1"),  # Two proxies of ours.
        ("127.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.7", "198.51.100.1"),
        ("127.0.0.1", "127.0.0.1, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "nonsense", "?"),
        ("127.0.0.1", ", ,", None),
        ("::ffff:203.0.113.9", "", FAR),
        ("::ffff:127.0.0.1", "", None),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "", "fe80::/64"),
        ("::1", "", None),
    ],
)
def test_whose_address_counts(peer: str, forwarded: str, counted: str | None) -> None:
    assert caller_address(peer, forwarded.encode(), LIMITS) == counted


@given(st.lists(st.integers(0, 3 * NS_PER_S), min_size=1, max_size=60))
def test_a_bucket_lets_through_its_burst_and_its_rate_and_no_more(pauses: list[int]) -> None:
    """Also: who waits as long as told is let through."""
    buckets = TokenBuckets(Rate(burst=4, per_s=2))
    now = start = 10**18
    taken = 0
    for pause in pauses:
        now += pause
        wait = buckets.take("k", now)
        taken += wait == 0
        assert taken <= 4 + 2 * (now - start) // NS_PER_S + 1
        if wait:
            assert buckets.wait_ns("k", now + wait - 1) == 1
            assert buckets.wait_ns("k", now + wait) == 0


def test_memory_is_bounded_and_full_buckets_are_forgotten_first() -> None:
    buckets = TokenBuckets(Rate(burst=1, per_s=1), keys_max=100)
    for key in range(100):
        buckets.take(key, 0)
    buckets.take("later", 2 * NS_PER_S)
    assert len(buckets) == 1
    for key in range(1000):
        buckets.take(key, 2 * NS_PER_S)
    assert len(buckets) <= 101


def test_a_payer_who_goes_wild_is_stopped_and_nobody_else() -> None:
    clock = ManualClock()
    count = HotCount(clock, count_max=5, period_s=4)
    clock.advance(seconds=1)
    for _ in range(5):
        count.check(1)
    with pytest.raises(Refusal) as refused:
        count.check(1)
    assert (refused.value.reason, refused.value.facts) == (HttpReason.TOO_MANY_REQUESTS, {"retry_after_s": 3})
    count.check(2)
    clock.advance(seconds=3)
    for _ in range(5):
        count.check(1)


def test_counts_that_took_days_stop_nobody() -> None:
    clock = ManualClock()
    count = HotCount(clock, count_max=3, period_s=4, keys_max=10)
    for number in range(50):
        clock.advance(seconds=10)
        count.check(1)
        count.check(100 + number)


def test_what_is_no_limit_says_nothing_of_coming_again() -> None:
    assert retry_after_s(Refusal(KernelReason.CURRENCY_UNKNOWN, retry_after_s=5)) == 0
    assert retry_after_s(Refusal(HttpReason.TOO_MANY_REQUESTS)) == 1
    assert retry_after_s(ValueError()) == 0
