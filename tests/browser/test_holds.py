"""Deposits that are held by the payment code on a phone: what needs the PIN is asked there, as for a payment."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import BrowserTown
from tests.browser.eyes import OpenBrowser, Visitor, live_code
from tests.browser.hotel import Hotel, hotel
from tests.browser.test_wallet_marketing import entered
from tests.network.street import PIN, Payer


@pytest.fixture(scope="module")
def inn(town: BrowserTown) -> Hotel:
    return hotel(town.street, "jing")


def guest(person: OpenBrowser, town: BrowserTown, node: str, language: str = "en") -> tuple[Payer, Visitor, str]:
    """Somebody who shows a payment code, and the code."""
    payer = town.street.payer(node, 200_000, pin=True, tier="II")
    visitor = entered(person, town, payer, language)
    return payer, visitor, live_code(visitor.go("/wallet/code"))


def asked(page: Page) -> None:
    expect(page.get_by_role("heading", name="Let this be held?")).to_be_visible()
    expect(page.locator("dialog[data-ask]")).to_contain_text("胡同面馆 · 押金")
    expect(page.locator("dialog [data-amount]")).to_have_text("¥1,200.00")


@pytest.mark.parametrize("node", ["jing", "wei"])
def test_a_deposit_above_what_needs_no_pin_is_asked_where_the_code_is_shown(
    inn: Hotel, town: BrowserTown, person: OpenBrowser, node: str
) -> None:
    payer, visitor, code = guest(person, town, node)
    page = visitor.page
    inn.freeze(code, "1200.00")
    asked(page)
    visitor.looks_right()
    page.reload()  # Whoever comes late is asked, too.
    asked(page)
    page.locator("#pin").fill("111222")
    page.get_by_role("button", name="Agree").click()
    expect(page.locator("dialog [role=alert]")).to_contain_text("The PIN is wrong")
    page.locator("#pin").fill(PIN)
    page.get_by_role("button", name="Agree").click()
    page.wait_for_url("**/wallet/agreements/*")
    expect(page.get_by_text("You agreed")).to_be_visible()
    assert payer.get("/v1/balance")["balance"] == 80_000
    page.goto("/wallet/code")
    page.locator("[data-code]").wait_for()
    expect(page.locator("dialog[data-ask]")).to_be_hidden()


def test_a_small_deposit_is_held_at_once_and_a_large_one_may_be_declined(
    inn: Hotel, town: BrowserTown, person: OpenBrowser
) -> None:
    _, visitor, code = guest(person, town, "jing", "zh-CN")
    assert inn.freeze(code, "3.00") == "SUCCESS"
    expect(visitor.page.locator("dialog[data-done]")).to_contain_text("胡同面馆已冻结您的余额¥3.00")
    visitor.looks_right()
    payer, visitor, code = guest(person, town, "jing")
    assert inn.freeze(code, "1200.00") == "INIT"
    asked(visitor.page)
    visitor.page.get_by_role("button", name="Decline").click()
    expect(visitor.page.locator("dialog[data-ask]")).to_be_hidden()
    assert [each["state"] for each in payer.get("/v1/preauths")] == ["CLOSED"]
    assert payer.get("/v1/balance")["balance"] == 200_000
