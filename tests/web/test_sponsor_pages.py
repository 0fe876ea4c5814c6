"""Who holds a sponsor's key, in a browser: the session stands for the key, ends with it, and opens that sponsor's pages alone."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, cast

import httpx
import pytest

from hutong.marketing.campaigns.sponsor_session import SPONSOR_SESSIONS
from hutong.operators.session import IDLE_S, LIFE_S
from hutong.runtime.http_app import make_app
from hutong.runtime.pool import WorkerPool
from hutong.web.sponsor.pages import sponsor_pages
from tests.institution.payments.test_http import Jing
from tests.marketing.campaigns.test_api import operator
from tests.marketing.campaigns.test_sponsor_keys import Hall, drafted, hall
from tests.web.test_page import make_pages

_CSRF = re.compile(r'name="csrf" value="(\w+)"')
_SECRET = re.compile(r'id="token">(\w[\w-]+)<')


class Browser:
    """One browser, with its cookies."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def opens(self, path: str, status: int = 200) -> str:
        answer = await self.client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == status, answer.text
        return answer.text if status != 303 else answer.headers["location"]

    async def sends(self, page: str, path: str, status: int, **fields: str) -> str:
        """A form of a page that it opened."""
        found = _CSRF.search(await self.opens(page))
        assert found is not None
        data = {"csrf": found[1], **fields}
        answer = await self.client.post(path, data=data, headers={"accept": "text/html"})
        assert answer.status_code == status, answer.text
        return answer.text if status != 303 else answer.headers["location"]

    async def signs_in(self, token: str, status: int = 303) -> str:
        return await self.sends("/sponsor/sign-in", "/sponsor/sign-in", status, token=token)


@pytest.fixture
async def jing() -> AsyncIterator[Jing]:
    pool = WorkerPool()
    async with AsyncExitStack() as stack:
        stack.callback(pool.close)
        jing = Jing(pool)
        await jing.start(stack)
        yield jing


@pytest.fixture
async def browser(jing: Jing) -> AsyncIterator[Browser]:
    app = make_app(sponsor_pages(jing.marketing, make_pages()), title="jing", version="1")
    transport = httpx.ASGITransport(cast("Any", app))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://jing", headers={"accept-language": "en"}
    ) as client:
        yield Browser(client)


async def city_of(jing: Jing) -> tuple[Hall, dict[str, Any]]:
    city = await hall(jing, "city")
    return city, await city.issue()


async def test_a_sponsor_signs_in_with_its_key_and_the_browser_keeps_none_of_it(jing: Jing, browser: Browser) -> None:
    city, told = await city_of(jing)
    assert (await browser.opens("/sponsor", 303)).startswith("/sponsor/sign-in?next=")
    wrong = (
        told["key"]["key_id"],
        f"{told['token'][:-1]}{'A' if told['token'][-1] != 'A' else 'B'}",
        "op_a-long-token",
    )
    for token in wrong:
        assert "no key of a sponsor" in await browser.signs_in(token, 401)
    assert await browser.signs_in(told["token"]) == "/sponsor"
    assert "消费节 city" in await browser.opens("/sponsor")
    secret = told["token"].rpartition("_")[2]
    assert secret not in str(list(browser.client.cookies.items()))
    rows = await jing.node.store.scan(SPONSOR_SESSIONS)
    assert rows
    for value in browser.client.cookies.values():
        assert value not in str(rows)
    assert city.id


async def test_a_session_ends_with_its_key_by_itself_and_when_its_holder_signs_out(
    jing: Jing, browser: Browser
) -> None:
    city, told = await city_of(jing)
    other = await city.issue()
    for seconds in (IDLE_S, LIFE_S):
        await browser.signs_in(told["token"])
        await browser.opens("/sponsor")
        jing.clock.advance(seconds=seconds)
        assert await browser.opens("/sponsor", 303)
    await browser.signs_in(told["token"])
    for _ in range(3):
        jing.clock.advance(seconds=IDLE_S - 120)
        await browser.opens("/sponsor")
    cookies = dict(browser.client.cookies)
    assert await browser.sends("/sponsor", "/sponsor/sign-out", 303) == "/sponsor/sign-in"
    browser.client.cookies.update(cookies)
    assert await browser.opens("/sponsor", 303), "a cookie that somebody kept opens nothing afterwards"
    browser.client.cookies.clear()
    await browser.signs_in(told["token"])
    await browser.opens("/sponsor")
    await operator(jing, "POST", f"/sponsors/{city.id}/keys/{told['key']['key_id']}/revoke", {})
    assert await browser.opens("/sponsor", 303)
    assert "revoked" in await browser.signs_in(told["token"], 401)
    await browser.signs_in(other["token"])
    await browser.opens("/sponsor")


async def test_an_open_page_alone_keeps_nobody_signed_in(jing: Jing, browser: Browser) -> None:
    city, told = await city_of(jing)
    id_ = await drafted(jing, (city, 1))
    await browser.signs_in(told["token"])
    for _ in range(IDLE_S // 600):
        await browser.opens(f"/sponsor/campaigns/{id_}/live")
        jing.clock.advance(seconds=600)
    assert await browser.opens(f"/sponsor/campaigns/{id_}/live", 303)


async def test_a_renewed_key_is_shown_once_and_what_was_signed_in_with_it_is_over(jing: Jing, browser: Browser) -> None:
    _, told = await city_of(jing)
    await browser.signs_in(told["token"])
    jing.clock.advance(seconds=1)
    path = f"/sponsor/keys/{told['key']['key_id']}"
    page = await browser.sends("/sponsor/keys", path, 200, act="rotate", rotation_id="once")
    found = _SECRET.search(page)
    assert found is not None
    assert await browser.opens("/sponsor/keys", 303)
    await browser.signs_in(told["token"], 401)
    await browser.signs_in(found[1])
    assert found[1] not in await browser.opens("/sponsor/keys")
    assert await browser.sends("/sponsor/keys", path, 303, act="revoke") == "/sponsor/keys"
    assert await browser.opens("/sponsor/keys", 303)


async def test_a_sponsor_opens_what_it_pays_for_and_nothing_else(jing: Jing, browser: Browser) -> None:
    city, told = await city_of(jing)
    brand = await hall(jing, "brand")
    others_key = await brand.issue()
    shop = await jing.merchant()
    own, others = await drafted(jing, (city, 1), (brand, 1)), await drafted(jing, (brand, 1))
    await browser.signs_in(told["token"])
    shown = await browser.opens(f"/sponsor/campaigns/{own}") + await browser.opens("/sponsor")
    assert "消费节 brand" not in shown
    assert "¥5.00" in shown
    assert others not in shown
    for path in ("", "/live"):
        await browser.opens(f"/sponsor/campaigns/{others}{path}", 404)
    for act in ("agree", "decline"):
        await browser.sends("/sponsor", f"/sponsor/campaigns/{others}", 404, act=act, version="1")
    theirs = f"/sponsor/keys/{others_key['key']['key_id']}"
    for act in ("rotate", "revoke"):
        await browser.sends("/sponsor/keys", theirs, 404, act=act, rotation_id="r")
    await browser.client.post(f"/sponsor/campaigns/{own}", data={"act": "agree", "version": "1"})
    assert (await city.says("GET", f"/campaigns/{own}"))["agreed"] is False, "a form of another site's says nothing"
    for token in (told["token"], shop.headers["authorization"].removeprefix("Bearer ")):
        browser.client.cookies.clear()
        browser.client.cookies.set("sponsor-jing", token)
        assert await browser.opens("/sponsor", 303), "a key is none of a session"


async def test_a_sponsor_says_yes_and_no_on_the_page_to_the_terms_that_stand_there(
    jing: Jing, browser: Browser
) -> None:
    city, told = await city_of(jing)
    id_ = await drafted(jing, (city, 1))
    await browser.signs_in(told["token"])
    path = f"/sponsor/campaigns/{id_}"
    assert path in await browser.opens("/sponsor")
    for act, agreed in (("agree", True), ("agree", True), ("decline", False), ("agree", True)):
        assert await browser.sends(path, path, 303, act=act, version="1") == path
        assert (await city.says("GET", f"/campaigns/{id_}"))["agreed"] is agreed
    assert "Nobody" not in await browser.sends(path, path, 409, act="agree", version="2")
    await browser.sends(path, path, 400, act="start", version="1")
    assert (await operator(jing, "POST", f"/campaigns/{id_}/start"))["state"] == "RUNNING"
    assert 'name="act"' not in await browser.opens(path)
