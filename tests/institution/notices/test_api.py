"""Notices over HTTP, as a merchant meets them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from hutong.institution.notices.api import notices_api
from hutong.institution.notices.reasons import NoticeReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.runtime.http_app import make_app

MERCHANT, OTHER = 1 << 90, 2 << 90
TOKENS = {"mine": MERCHANT, "others": OTHER}


def _owner_of(token: str) -> int:
    if token not in TOKENS:
        raise Refusal(NoticeReason.WEBHOOK_UNKNOWN)
    return TOKENS[token]


@pytest.fixture
async def client(post: Any) -> AsyncIterator[httpx.AsyncClient]:
    handlers = notices_api(
        post.webhooks._node, post.notices, post.webhooks, post.deliveries, owner_of=_owner_of, merchant_of=_owner_of
    )
    transport = httpx.ASGITransport(cast("Any", make_app(handlers, title="jing", version="1")))
    headers = {"authorization": "Bearer mine"}
    async with httpx.AsyncClient(transport=transport, base_url="http://jing", headers=headers) as client:
        yield client


async def said(client: httpx.AsyncClient, method: str, path: str, status: int, body: Any = None, **more: Any) -> Any:
    response = await client.request(method, path, json=body, **more)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def test_the_feed_goes_on_behind_its_cursor(client: httpx.AsyncClient, post: Any) -> None:
    for number in range(5):
        post.tell(MERCHANT, number)
        post.tell(OTHER, -1)
    seen, cursor = [], 0
    while True:
        page = await said(client, "GET", "/v1/events", 200, params={"after": cursor, "limit": 2})
        if not page["events"]:
            assert page["cursor"] == cursor
            break
        seen += [told["event"]["data"]["number"] for told in page["events"]]
        cursor = page["cursor"]
    assert seen == [0, 1, 2, 3, 4]
    waiting = asyncio.ensure_future(said(client, "GET", "/v1/events", 200, params={"after": cursor, "wait_s": 10}))
    await asyncio.sleep(0.05)
    post.tell(MERCHANT, 5)
    (told,) = (await waiting)["events"]
    assert (told["event"]["type"], told["event"]["data"]) == ("payment.completed", {"number": 5})


@pytest.mark.parametrize(
    "query", ["after=-1", "limit=0", "limit=501", "wait_s=31", "after=x", f"after={2**53 + 1}", f"after={2**63}"]
)
async def test_a_query_out_of_range_is_refused_by_name(client: httpx.AsyncClient, query: str) -> None:
    no = await said(client, "GET", f"/v1/events?{query}", 400)
    assert (no["reason"], no["facts"]["field"]) == ("FIELD_INVALID", query.partition("=")[0])


async def test_an_endpoint_from_making_to_removing(client: httpx.AsyncClient, post: Any, receiver: Any) -> None:
    body = {"id": id_text("whk", 256), "url": receiver.url, "types": ["payment.*"]}
    made = await said(client, "POST", "/v1/webhooks", 201, body)
    assert made == body | {"state": "ACTIVE", "why": ""}
    assert await said(client, "POST", "/v1/webhooks", 201, body) == made
    path = f"/v1/webhooks/{made['id']}"
    first = await said(client, "GET", f"{path}/secret", 200)
    second = await said(client, "POST", f"{path}/rotate", 200)
    assert first["secret"].startswith("whsec_") != (second == first)
    assert (await said(client, "POST", f"{path}/rotate", 409))["reason"] == "WEBHOOK_ROTATING"
    assert (await said(client, "POST", f"{path}/disable", 200))["state"] == "DISABLED"
    post.tell(MERCHANT, 1)
    await asyncio.sleep(0.02)
    assert receiver.calls == []
    assert (await said(client, "POST", f"{path}/enable", 200))["state"] == "ACTIVE"
    async with asyncio.timeout(5):
        while not receiver.calls:
            await asyncio.sleep(0.01)
    assert len(receiver.calls[0].headers["webhook-signature"].split(" ")) == 2
    event_id = receiver.calls[0].headers["webhook-id"]
    again = await said(client, "POST", f"{path}/redeliver", 200, {"event_id": event_id})
    assert (again["outcome"], again["status"], again["event_id"]) == ("REDELIVERED", 200, event_id)
    tried = await said(client, "GET", f"{path}/deliveries", 200, params={"limit": 2})
    assert [each["outcome"] for each in tried["deliveries"]] == ["REDELIVERED", "DELIVERED"]
    older = await said(client, "GET", f"{path}/deliveries", 200, params={"before": tried["before"]})
    assert [each["outcome"] for each in older["deliveries"]] == ["ENABLED"]
    assert older["before"] == 0
    await said(client, "DELETE", path, 204)
    assert (await said(client, "GET", path, 404))["reason"] == "WEBHOOK_UNKNOWN"
    assert await said(client, "GET", "/v1/webhooks", 200) == []


async def test_nobody_meets_what_is_not_theirs(client: httpx.AsyncClient, receiver: Any) -> None:
    await said(client, "POST", "/v1/webhooks", 201, {"id": id_text("whk", 256), "url": receiver.url})
    client.headers["authorization"] = "Bearer others"
    path = f"/v1/webhooks/{id_text('whk', 256)}"
    for method, where in (
        *(("GET", path), ("GET", f"{path}/secret"), ("GET", f"{path}/deliveries"), ("DELETE", path)),
        *(("POST", f"{path}/rotate"), ("POST", f"{path}/enable"), ("POST", f"{path}/disable")),
    ):
        assert (await said(client, method, where, 404))["reason"] == "WEBHOOK_UNKNOWN"
    del client.headers["authorization"]
    for where in ("/v1/events", "/v1/webhooks"):
        assert (await said(client, "GET", where, 401))["reason"] == "TOKEN_MISSING"
