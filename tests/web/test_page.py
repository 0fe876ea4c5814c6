"""What every page rests on: who may send a form, where a link may lead, how a no is shown, what the browser is told."""

import re
from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Response, get, post
from litestar.testing import AsyncTestClient

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import seeded_randomness
from hutong.runtime.http import HttpReason
from hutong.runtime.http_app import make_app
from hutong.web.brand import Brand, contrast_percent
from hutong.web.form import Form, FormReason
from hutong.web.front import INSTITUTION_DOORS, front_pages
from hutong.web.page import AnyRequest, Pages, Realm, guarded, own_path

ROOM = Realm("room", "/room/sign-in")
HTML = {"accept": "text/html"}
Browser = AsyncTestClient[Any]


def make_pages() -> Pages:
    return Pages(Brand("jing", "Jing Pay 京付", "#c8102e"), bytes(32), seeded_randomness(1), ZoneInfo("Asia/Shanghai"))


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    pages = make_pages()

    async def known(request: AnyRequest) -> str:
        return pages.token(request, ROOM)

    @get("/sign-in")
    async def door(request: AnyRequest) -> Response[str]:
        return pages.render(request, "kit/refused.html", text="", reason="")

    @post("/sign-in")
    async def enter(request: AnyRequest) -> Response[None]:
        form = await pages.form(request)
        return pages.signed_in(request, ROOM, form.needed("name"), 60, own_path(form.text("next"), "/room"))

    @get("/", guards=[guarded(known)])
    async def room(request: AnyRequest) -> Response[str]:
        return pages.render(request, "kit/refused.html", text=request.auth, reason="")

    @get("/refuses")
    async def refuses() -> None:
        raise Refusal(HttpReason.FIELD_INVALID, field="amount", problem="odd")

    router = pages.router("/room", [door, enter, room, refuses], ROOM)
    app = make_app([router, *front_pages(pages, INSTITUTION_DOORS)], title="t", version="1")
    async with AsyncTestClient(app) as client:
        yield client


async def token_of(browser: Browser) -> str:
    page = await browser.get("/room/sign-in")
    found = re.search(r'<meta name="csrf" content="(\w+)">', page.text)
    assert found is not None
    return found[1]


async def test_a_page_runs_nothing_of_others_and_is_kept_by_nobody(browser: Browser) -> None:
    page = await browser.get("/")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"<style|<script(?![^>]*src=)|\sstyle=|\son\w+=", page.text)


async def test_a_form_is_taken_from_a_page_of_ours_alone(browser: Browser) -> None:
    token = await token_of(browser)
    sent = {"name": "me", "csrf": token}
    for fields, headers in (
        ({"name": "me"}, {}),
        ({"name": "me", "csrf": "0" * 32}, {}),
        (sent, {"sec-fetch-site": "cross-site"}),
        (sent, {"sec-fetch-site": "same-site"}),
        (sent, {"cookie": "visit-jing=" + "0" * 32}),
    ):
        answer = await browser.post("/room/sign-in", data=fields, headers=HTML | headers, follow_redirects=False)
        assert answer.status_code == 403, (fields, headers)
        assert FormReason.FORM_EXPIRED.name in answer.text
    answer = await browser.post("/room/sign-in", data=sent, headers=HTML, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/room")


async def test_who_is_not_known_is_led_to_the_door_and_back(browser: Browser) -> None:
    answer = await browser.get("/room?a=1", headers=HTML, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/room/sign-in?next=/room%3Fa%3D1")
    script = await browser.get("/room", headers={"accept": "application/json"})
    assert (script.status_code, script.json()["reason"]) == (401, "TOKEN_MISSING")
    token = await token_of(browser)
    fields = {"name": "me", "csrf": token, "next": "/room?a=1"}
    answer = await browser.post("/room/sign-in", data=fields, headers=HTML)
    assert "me" in answer.text
    assert await token_of(browser) != token, "who signs in has another visit: what was known before is worth nothing"


async def test_cookies_are_out_of_scripts_reach_and_of_one_node(browser: Browser) -> None:
    token = await token_of(browser)
    answer = await browser.post("/room/sign-in", data={"name": "me", "csrf": token}, follow_redirects=False)
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {"visit-jing", "room-jing"}
    assert all("httponly" in cookie.lower() and "samesite=lax" in cookie.lower() for cookie in cookies)
    assert not any("secure" in cookie.lower() for cookie in cookies)
    behind = {"x-forwarded-proto": "https"}
    answer = await browser.get("/", headers=behind | {"cookie": ""})
    assert all("secure" in cookie.lower() for cookie in answer.headers.get_list("set-cookie"))


async def test_a_no_is_a_sentence_to_people_and_json_to_scripts(browser: Browser) -> None:
    page = await browser.get("/room/refuses", headers=HTML | {"accept-language": "en"})
    assert page.status_code == 400
    assert "One of the fields holds what we can&#39;t take." in page.text
    script = await browser.get("/room/refuses", headers={"accept": "application/json"})
    assert (script.status_code, script.json()["facts"]["field"]) == (400, "amount")


async def test_the_reader_chooses_the_language(browser: Browser) -> None:
    assert '<html lang="zh-CN">' in (await browser.get("/", headers={"accept-language": "zh"})).text
    answer = await browser.get("/language/en", params={"next": "//evil.example/"}, follow_redirects=False)
    assert answer.headers["location"] == "/"
    assert '<html lang="en">' in (await browser.get("/", headers={"accept-language": "zh"})).text
    assert (await browser.get("/language/fr")).status_code == 404


async def test_assets_are_named_by_their_content(browser: Browser) -> None:
    page = await browser.get("/")
    (address,) = re.findall(r'href="(/static/\w+/kit.css)"', page.text)
    assert "immutable" in (await browser.get(address)).headers["cache-control"]
    old = await browser.get("/static/0123456789abcdef/kit.css")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-store")
    for path in ("/static/x/none.css", "/static/x/..%2fpage.py", "/static/x/page.py"):
        assert (await browser.get(path)).status_code == 404, path


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("/wallet?code=1", "/wallet?code=1"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\nset-cookie: x", "/"),
        ("/\t/evil.example", "/"),
    ],
)
def test_a_link_leads_on_within_the_node(path: str, leads: str) -> None:
    assert own_path(path, "/") == leads


def test_a_field_is_read_or_refused_by_its_name() -> None:
    form = Form({"amount": "1,280.50", "yuan": "¥12.8", "none": "", "count": "7", "odd": "1e3", "nul": "a\0b"})
    assert (form.amount("amount"), form.amount("yuan"), form.amount("none")) == (128_050, 1_280, 0)
    assert form.number("count") == 7
    for ask in (lambda: form.number("odd"), lambda: form.text("nul"), lambda: form.needed("none")):
        with pytest.raises(Refusal):
            ask()
    with pytest.raises(Refusal):
        form.number("count", most=6)


async def test_a_dictionarys_own_names_come_before_its_methods() -> None:
    template = make_pages()._templates.from_string("{{ row.keys }} {{ row.items }} {{ row.count }}")
    assert template.render(row={"keys": 3, "items": 4, "count": 5}) == "3 4 5"


@given(st.integers(0, 0xFFFFFF))
def test_any_colour_can_be_read_on_light_and_on_dark_ground(colour: int) -> None:
    css = Brand("n", "N", f"#{colour:06x}").css
    pairs = re.findall(r"--brand:#(\w{6});--on-brand:#(\w{6})", css)
    assert len(pairs) == 2
    for (brand, on), grounds in zip(pairs, ((255, 255, 255), (27, 27, 31)), strict=True):
        shown, text = (tuple(bytes.fromhex(each)) for each in (brand, on))
        assert contrast_percent(shown, grounds) >= 450  # type: ignore[arg-type]
        assert contrast_percent(shown, text) >= 450  # type: ignore[arg-type]
