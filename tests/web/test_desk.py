"""The operators' desk as a browser meets it: the way in, roles, what takes two people, the way out."""

import re
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx
import pytest

from hutong.operators.operator import Role
from hutong.operators.service import Operators
from hutong.operators.session import IDLE_S
from hutong.runtime.http_app import make_app
from hutong.runtime.shelf import decided
from hutong.switch.api import FIRST_OPERATOR, switch_api
from hutong.web.brand import Brand
from hutong.web.page import Pages
from hutong.web.site import switch_pages
from tests.switch.world import World

TOKEN = "op_secret"
_CSRF = re.compile(r'name="csrf" content="(\w+)"')
_APPROVAL = re.compile(r"/desk/approvals/(apr_\w+)")


class Browser:
    """One person's: cookies of its own, and forms sent as the page's own."""

    def __init__(self, app: Any) -> None:
        transport = httpx.ASGITransport(cast("Any", app))
        headers = {"accept-language": "en", "accept": "text/html"}
        self.client = httpx.AsyncClient(transport=transport, base_url="http://switch", headers=headers)

    async def open(self, path: str, status: int = 200) -> str:
        answer = await self.client.get(path, follow_redirects=True)
        assert answer.status_code == status, answer.text
        return answer.text

    async def send(self, page: str, path: str, status: int = 200, **fields: str) -> str:
        found = _CSRF.search(await self.open(page))
        assert found
        answer = await self.client.post(path, data={"csrf": found[1], **fields}, follow_redirects=True)
        assert answer.status_code == status, answer.text
        return answer.text


class Office:
    """A switch with its pages."""

    def __init__(self, world: World, *, two_person: bool = True) -> None:
        self.world = world
        switch = world.switch
        self.operators = Operators(switch.node, switch.audit, {FIRST_OPERATOR: TOKEN}, two_person=two_person)
        pages = Pages(
            Brand("switch", "City switch", "#3a4a5e"), b"k" * 32, switch.node.randomness, ZoneInfo("Asia/Shanghai")
        )
        handlers = [*switch_api(switch, self.operators), *switch_pages(switch, self.operators, pages, tuple)]
        self.app = make_app(handlers, title="Switch", version="1")

    async def token(self, name: str, role: Role) -> str:
        return (await decided(self.world.switch.node.journal, lambda: self.operators.appoint(name, role, "test")))[1]

    async def browser(self, name: str, role: Role = Role.OPERATOR) -> Browser:
        """Somebody who is signed in."""
        browser = Browser(self.app)
        token = await self.token(name, role)
        assert name in await browser.send("/desk/sign-in", "/desk/sign-in", token=token)
        return browser


@pytest.fixture
async def office() -> Office:
    world = World()
    await world.boot()
    world.admit("jing", "wei")
    return Office(world)


async def test_a_new_node_asks_for_its_first_operator_and_shows_the_token_once(office: Office) -> None:
    browser = Browser(office.app)
    assert "The first operator" in await browser.open("/desk")
    refused = await browser.send("/desk", "/desk/first", 401, token="op_guessed", name="li")
    assert "no operator" in refused
    shown = await browser.send("/desk", "/desk/first", token=TOKEN, name="li")
    found = re.search(r"op_[0-9a-f]{64}", shown)
    assert found
    assert "The first operator" not in await browser.open("/desk/sign-in")
    assert "Overview" in await browser.send("/desk/sign-in", "/desk/sign-in", token=found[0])
    assert found[0] not in repr(browser.client.cookies)
    assert "been named" in await browser.send("/desk/sign-in", "/desk/first", 422, token=TOKEN, name="wang")


async def test_a_session_leads_in_and_its_end_leads_out(office: Office) -> None:
    browser = await office.browser("li")
    assert "Overview" in await browser.open("/desk")
    office.world.clock.advance(seconds=IDLE_S)
    assert "Sign in" in await browser.open("/desk")
    other = await office.browser("wang")
    await other.send("/desk", "/desk/sign-out")
    assert "Sign in" in await other.open("/desk")
    assert (await other.client.get("/desk", headers={"accept": "application/json"})).status_code == 401


async def test_who_came_for_a_page_gets_there(office: Office) -> None:
    token = await office.token("li", Role.VIEWER)
    browser = Browser(office.app)
    door = await browser.open("/desk/audit?before=7")
    assert 'name="next" value="/desk/audit?before=7"' in door
    elsewhere = await browser.send("/desk/sign-in", "/desk/sign-in", token=token, next="//evil.example/")
    assert "Overview" in elsewhere


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.OPERATOR, 403), (Role.ADMIN, 200)])
async def test_only_an_admin_names_operators(office: Office, role: Role, status: int) -> None:
    browser = await office.browser("li", role)
    page = await browser.open("/desk/operators")
    assert ("Name an operator" in page) is (role is Role.ADMIN)
    answer = await browser.send("/desk", "/desk/operators", status, name="zhao", role="VIEWER")
    assert bool(re.search(r"op_[0-9a-f]{64}", answer)) is (role is Role.ADMIN)


async def test_what_is_done_at_the_desk_is_in_the_log_without_secrets(office: Office) -> None:
    browser = await office.browser("li", Role.ADMIN)
    await browser.send("/desk", "/desk/operators", name="zhao", role="VIEWER")
    entries = await office.operators.audit.entries(0, 100)
    said = [(each.actor, each.action, each.outcome) for each in entries]
    assert ("li", "POST /desk/sign-in", "DONE") in said
    assert ("li", "POST /desk/operators", "DONE") in said
    assert not any("csrf" in each.facts or "op_" in each.facts for each in entries)
    assert "The chain holds" in await browser.open("/desk/audit/check")


@pytest.mark.parametrize(
    "path", ["/desk/approvals", "/desk/operators", "/desk/sign-in", "/desk/sign-out", "/desk/first"]
)
async def test_no_other_site_sends_a_form(office: Office, path: str) -> None:
    browser = await office.browser("li", Role.ADMIN)
    answer = await browser.client.post(path, data={"name": "eve", "role": "ADMIN"})
    assert answer.status_code in {403, 405}
    assert office.operators.everybody()[-1].name != "eve"
