"""`make screenshots`: the main pages as they are, in the network of the samples, into docs/pictures. No test by its name."""

import io
import re
from pathlib import Path
from typing import Protocol

import pytest
from PIL import Image
from playwright.sync_api import Page

from hutong.app.sample_offers import OWN, SMALL_SHOPS
from hutong.app.samples import HAN, LI, NOODLES
from tests.browser.camera import NOTHING
from tests.browser.conftest import BrowserTown
from tests.browser.eyes import DESK, OpenBrowser
from tests.browser.test_stories import till_of, type_amount, wallet_of

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SIZE_MAX = 200_000
_COLOURS = 128
_PHONE = {"width": 360, "height": 740}
_WIDTHS = {"": _PHONE, "-desktop": DESK}


@pytest.fixture(params=["zh-CN", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Take(Protocol):
    """Takes a page as it is; `whole`: down to its end."""

    def __call__(self, page: Page, name: str, *, whole: bool = False) -> None: ...


@pytest.fixture
def take(language: str) -> Take:
    def taken(page: Page, name: str, *, whole: bool = False) -> None:
        size = page.viewport_size
        assert size is not None
        if whole:  # As on a screen so tall: what is fixed to its foot would stand in the middle of a page.
            height = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": size["width"], "height": max(height, size["height"])})
        page.wait_for_timeout(400)
        shot = page.screenshot(animations="disabled")
        page.set_viewport_size(size)
        out = io.BytesIO()
        with Image.open(io.BytesIO(shot)) as picture:
            # Pages are flat: a palette shows them as they are, at a third of the size.
            picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        assert len(out.getvalue()) < SIZE_MAX, (name, len(out.getvalue()))
        (PICTURES / f"{name}.{language}.png").write_bytes(out.getvalue())

    return taken


def test_first_page(person: OpenBrowser, language: str, take: Take) -> None:
    take(person("switch", language=language, viewport=DESK).go("/"), "first-page")
    take(person("switch", language=language, viewport=_PHONE).go("/"), "first-page-phone")


def test_wallet(town: BrowserTown, person: OpenBrowser, language: str, take: Take) -> None:
    page = wallet_of(person, LI, language).page
    take(page, "wallet-home")
    take(_at(page, "/wallet/bills"), "wallet-bills")
    take(_at(page, "/wallet/code"), "wallet-code")
    take(_at(page, "/wallet/receive"), "wallet-receive")
    page.goto(f"/wallet/scan?code={town.plates[NOODLES.key]}")
    page.locator("input[name=amount]").fill("28")
    take(page, "wallet-amount")
    page.locator("form button").last.click()
    page.locator("input[name=pin]").wait_for()
    take(page, "wallet-confirm")
    page.locator("input[name=pin]").fill(LI.pin)
    page.locator("button[data-pay]").click()
    page.wait_for_url("**/wallet/paid/**")
    take(page, "wallet-paid")
    take(_at(page, "/wallet/limits"), "wallet-limits")


def test_scan(person: OpenBrowser, language: str, take: Take) -> None:
    page = wallet_of(person, HAN, language, sees=NOTHING).page
    take(_at(page, "/wallet/scan"), "wallet-scan")


def test_till(town: BrowserTown, person: OpenBrowser, language: str, take: Take) -> None:
    page = till_of(person, NOODLES.staff[0], language).page
    type_amount(page, "12.8")
    take(page, "till")
    page.get_by_role("button", name=re.compile("Show a code|出示收款码")).click()
    page.locator("[data-code] img").wait_for()
    take(page, "till-code")
    take(_at(page, "/till/payments"), "till-today")


def test_console(person: OpenBrowser, language: str, take: Take) -> None:
    visitor = person(NOODLES.node, language=language, viewport=DESK)
    page = visitor.go("/console")
    page.locator(f"[data-sample='{NOODLES.staff[2].phone}']").click()
    page.wait_for_url("**/console**")
    take(page, "console")
    for name in ("payments", "plates", "staff"):
        take(_at(page, f"/console/{name}"), f"console-{name}")


@pytest.mark.parametrize("width", _WIDTHS)
def test_wallet_marketing(person: OpenBrowser, language: str, take: Take, width: str) -> None:
    visitor = person(LI.node, language=language, viewport=_WIDTHS[width])
    page = visitor.go("/wallet")
    page.locator("form[action='/wallet/sign-in/sample']").filter(has_text=LI.phone).get_by_role("button").click()
    page.wait_for_url("**/wallet")
    for name in ("offers", "coupons", "red-packets", "invite", "draws"):
        take(_at(page, f"/wallet/{name}"), f"wallet-{name}{width}", whole=True)
    page.goto("/wallet/red-packets")
    page.locator("a[href*='/wallet/red-packets/rpk_']").first.click()
    page.wait_for_url("**/wallet/red-packets/rpk_*")
    take(page, f"wallet-red-packet{width}", whole=True)


@pytest.mark.parametrize("width", _WIDTHS)
def test_campaigns(person: OpenBrowser, language: str, take: Take, width: str) -> None:
    """A shop's own and what it may join, as its owner sees it; a sponsor's, as the institution does."""
    page = person(NOODLES.node, language=language, viewport=_WIDTHS[width]).go("/console")
    page.locator(f"[data-sample='{NOODLES.staff[2].phone}']").click()
    page.wait_for_url("**/console**")
    take(_at(page, "/console/campaigns"), f"console-campaigns{width}", whole=True)
    page.get_by_role("link", name=OWN.name).first.click()
    page.wait_for_url("**/console/campaigns/cmp_*")
    take(page, f"console-campaign{width}", whole=True)
    page = person(SMALL_SHOPS.node, language=language, viewport=_WIDTHS[width]).go("/desk")
    page.locator("button[name=sample]").first.click()
    page.wait_for_url("**/desk")
    take(_at(page, "/desk/campaigns"), f"institution-desk-campaigns{width}", whole=True)
    page.get_by_role("link", name=SMALL_SHOPS.name).first.click()
    page.wait_for_url("**/desk/campaigns/cmp_*")
    take(page, f"institution-desk-campaign{width}", whole=True)


@pytest.mark.parametrize(
    ("node", "name", "paths"),
    [
        ("switch", "switch-desk", ("", "participants", "positions", "windows")),
        ("wei", "institution-desk", ("", "users", "merchants", "ledger")),
    ],
)
def test_desks(
    town: BrowserTown, person: OpenBrowser, language: str, take: Take, node: str, name: str, paths: tuple[str, ...]
) -> None:
    page = person(node, language=language, viewport=DESK).go("/desk")
    page.locator("button[name=sample]").first.click()
    page.wait_for_url("**/desk")
    for path in paths:
        take(_at(page, f"/desk/{path}".rstrip("/")), f"{name}-{path}".rstrip("-"))


def _at(page: Page, path: str) -> Page:
    answer = page.goto(path)
    assert answer is not None
    assert answer.ok, path
    return page
