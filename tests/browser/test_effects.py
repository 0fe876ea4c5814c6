"""What campaigns brought, where enough people paid for something to be said: intervals, charts and their words, in both languages."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import launched
from tests.browser.eyes import DESK, PHONE, Watch, look
from tests.browser.season import DAYS, LESS, MORE, SAME, Season, SeasonThread

Opened = Callable[..., Page]
_UP_S = 200


@pytest.fixture(scope="module")
def season() -> Iterator[Season]:
    thread = SeasonThread()
    thread.start()
    assert thread.up.wait(_UP_S)
    if thread.failed is not None:
        raise thread.failed
    yield thread.season
    thread.end()


@pytest.fixture(scope="module")
def chromium(season: Season) -> Iterator[Browser]:
    assert season.url
    with sync_playwright() as started, launched(started) as browser:
        yield browser


@pytest.fixture
def opened(season: Season, chromium: Browser) -> Iterator[Opened]:
    """A page of the desk, or of the shop's console."""
    watch, contexts = Watch(), []

    def open_(path: str, *, language: str, viewport: dict[str, int]) -> Page:
        size = {"width": viewport["width"], "height": viewport["height"]}
        context = chromium.new_context(base_url=season.url, locale=language, viewport=size)  # type: ignore[arg-type]
        contexts.append(context)
        watch.over(context)
        realm, session = ("staff", season.staff_session) if "/console" in path else ("desk", season.desk_session)
        context.add_cookies([{"name": f"{realm}-jing", "value": session, "url": season.url}])
        page = context.new_page()
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert watch.found == []


_SAID = {
    (MORE, "en"): (r"\+0\.8\d, most likely; between \+0\.\d\d and \+0\.\d\d", "good"),
    (MORE, "zh-CN"): (r"最可能 \+0\.8\d；在 \+0\.\d\d 与 \+0\.\d\d 之间", "good"),
    (LESS, "en"): (r"−0\.82, most likely; between −0\.\d\d and −0\.\d\d", "bad"),
    (LESS, "zh-CN"): (r"最可能 −0\.82；在 −0\.\d\d 与 −0\.\d\d 之间", "bad"),
    (SAME, "en"): (r"No difference beyond chance: between −0\.\d\d and \+0\.\d\d", ""),
    (SAME, "zh-CN"): (r"看不出超出偶然的差别：在 −0\.\d\d 与 \+0\.\d\d 之间", ""),
}


@pytest.mark.parametrize(("base", "language"), list(_SAID), ids=[f"{base}-{language}" for base, language in _SAID])
def test_a_sponsor_reads_what_a_campaign_brought(base: int, language: str, season: Season, opened: Opened) -> None:
    viewport = DESK if language == "en" else PHONE
    page = opened(f"/desk/campaigns/{season.campaigns[base]}", language=language, viewport=viewport)
    payments = page.locator(".effect").first
    words, tag = _SAID[base, language]
    expect(payments).to_contain_text(re.compile(words))
    expect(payments.locator(f".tag.{tag}")).to_have_count(1) if tag else expect(payments.locator(".tag")).to_have_count(
        0
    )
    amount = page.locator(".effect").nth(1)
    expect(amount).to_contain_text(re.compile(r"¥\d\d\.\d\d"))
    expect(page.locator(f".effects svg.interval.{tag}" if tag else ".effects svg.interval")).to_have_count(2)
    chart = page.locator("figure.figure").last
    expect(chart.locator("svg:visible rect.bar")).to_have_count(DAYS)
    expect(chart.locator("svg:visible text").nth(DAYS // 2 - 1)).to_be_attached()
    chart.locator("summary").click()
    expect(chart.locator("tbody tr")).to_have_count(DAYS)
    look(page)


@pytest.mark.parametrize(
    ("language", "viewport", "words"),
    [
        ("zh-CN", DESK, r"最可能 \+0\.63；在 \+0\.\d\d 与 \+0\.\d\d 之间"),
        ("en", PHONE, r"\+0\.63, most likely; between \+0\.\d\d and \+0\.\d\d"),
    ],
)
def test_a_shop_reads_what_its_own_campaign_brought(
    language: str, viewport: dict[str, int], words: str, season: Season, opened: Opened
) -> None:
    page = opened(f"/console/campaigns/{season.own}", language=language, viewport=viewport)
    expect(page.locator(".effect").first).to_contain_text(re.compile(words))
    expect(page.locator(".effects svg.interval")).to_have_count(2)
    expect(page.locator("figure.figure svg:visible rect.bar")).to_have_count(DAYS)
    look(page)


def test_figures_of_a_sponsor_are_on_the_page(season: Season, opened: Opened) -> None:
    page = opened(f"/desk/campaigns/{season.campaigns[MORE]}", language="en", viewport=DESK)
    tile = {name: page.locator(".tile").filter(has_text=name).first for name in ("New payers", "Came back", "Given")}
    expect(tile["New payers"]).to_contain_text("40")
    expect(tile["New payers"]).to_contain_text("¥3.00 each")
    expect(tile["Came back"]).to_contain_text("100.0 %")
    expect(tile["Given"]).to_contain_text("¥120.00")
