"""What happens between institutions, in the browsers of everybody concerned: payers and tills, in both languages."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hutong.app.samples import HAN, LI, NOODLES, Hand, Resident
from hutong.app.scene import photograph
from hutong.codes.picture import qr_png
from tests.browser.conftest import BrowserTown
from tests.browser.eyes import DESK, OpenBrowser, Visitor, comes, live_code, scanned

TABLET = {"width": 768, "height": 1024}
CASHIER, MANAGER, OWNER, _ = NOODLES.staff


@dataclass(frozen=True)
class Said:
    """What a reader of one language reads."""

    onward: str
    paid: str


SAID = {
    "en": Said("Next", "Payment successful"),
    "zh-CN": Said("下一步", "付款成功"),
}


def wallet_of(person: OpenBrowser, who: Resident, language: str, *, sees: str = "") -> Visitor:
    """Signed in by one press, as a newcomer would."""
    visitor = person(who.node, language=language, sees=sees)
    visitor.page.emulate_media(reduced_motion="reduce")
    page = visitor.go("/wallet")
    page.locator("form[action='/wallet/sign-in/sample']").filter(has_text=who.phone).get_by_role("button").click()
    page.wait_for_url("**/wallet")
    return visitor


def till_of(person: OpenBrowser, who: Hand, language: str) -> Visitor:
    visitor = person(NOODLES.node, language=language, viewport=TABLET)
    page = visitor.go("/till")
    page.locator(f"[data-sample='{who.phone}']").click()
    page.wait_for_url("**/till**")
    if "/shop" in page.url:
        page.get_by_role("button", name=NOODLES.shop).click()
    page.locator("[data-live].on").wait_for()
    return visitor


def type_amount(page: Page, keys: str) -> None:
    for key in keys:
        page.locator(f"[data-key='{key}']").click()


def give_pin(page: Page, pin: str) -> None:
    page.locator("input[name=pin]").fill(pin)
    page.locator("button[data-pay]").click()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_payer_of_jing_scans_weis_plate_from_a_picture_and_weis_till_announces_it(
    town: BrowserTown, person: OpenBrowser, tmp_path: Path, language: str
) -> None:
    said = SAID[language]
    till = till_of(person, CASHIER, language)
    wallet = wallet_of(person, LI, language)
    picture = tmp_path / "plate.jpg"
    picture.write_bytes(photograph(qr_png(town.plates[NOODLES.key]), 7))
    page = wallet.go("/wallet/scan")
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_role("heading", name=NOODLES.name).wait_for()
    page.locator("input[name=amount]").fill("12.80")
    page.get_by_role("button", name=said.onward, exact=True).click()
    give_pin(page, LI.pin)
    page.get_by_role("heading", name=said.paid).wait_for()
    expect(till.page.locator("[data-news] .received").first).to_contain_text("¥12.80")
    wallet.looks_right()
    till.looks_right()


def test_a_wrong_pin_moves_nothing_and_the_right_one_pays_the_code_on_the_tills_screen(person: OpenBrowser) -> None:
    till = till_of(person, CASHIER, "en").page
    type_amount(till, "20.5")
    till.get_by_role("button", name="Show a code").click()
    picture = till.locator("[data-code] img").screenshot()
    wallet = wallet_of(person, HAN, "en").go("/wallet/scan")
    # What the one screen shows is what the other phone's picture has.
    file = {"name": "screen.png", "mimeType": "image/png", "buffer": picture}
    wallet.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    wallet.get_by_role("heading", name=NOODLES.name).wait_for()
    give_pin(wallet, "000111")
    wallet.get_by_role("alert").first.wait_for()
    expect(till.locator("[data-news] .received")).to_have_count(0)
    give_pin(wallet, HAN.pin)
    wallet.get_by_role("heading", name="Payment successful").wait_for()
    expect(till.locator("[data-news] .received").first).to_contain_text("¥20.50")


def test_a_payment_code_on_one_screen_is_scanned_by_the_other_and_a_manager_refunds_it(person: OpenBrowser) -> None:
    till = till_of(person, MANAGER, "en").page
    type_amount(till, "33")
    till.clock.install()
    wallet = wallet_of(person, LI, "en").go("/wallet/code")
    live_code(wallet)
    digits = "".join(letter for letter in wallet.locator("[data-digits]").inner_text() if letter.isdigit())
    assert len(digits) == 18
    scanned(till, digits)
    expect(till.locator("[data-news] .received").first).to_contain_text("¥33.00")
    wallet.locator("dialog[data-done]").get_by_text("33.00").wait_for()
    till.goto("/till/payments")
    till.locator("main .entry").first.click()
    till.locator("#amount").fill("3")
    till.locator("#remark").fill("Sold out")
    till.get_by_role("button", name="Refund").click()
    expect(till.get_by_role("status")).to_contain_text("Refunded")
    comes(wallet, "/wallet/bills", wallet.locator(".bills li").filter(has_text="+¥3.00").first)
    wallet.get_by_text(NOODLES.name).first.click()
    expect(wallet.locator("main")).to_contain_text("¥3.00")


def test_a_till_that_was_cut_off_announces_what_came_meanwhile(town: BrowserTown, person: OpenBrowser) -> None:
    till = till_of(person, OWNER, "en")
    payer = town.street.payer("jing", 10_000, pin=True)
    before = till.page.locator("[data-news] .received").count()
    till.cut_off()
    payer.pay(town.plates[NOODLES.key], 777)
    till.back_online()
    expect(till.page.locator("[data-news] .received").filter(has_text="¥7.77")).to_have_count(1)
    assert before == 0


def test_a_newcomer_is_led_from_the_first_page_to_a_wallet_and_a_till(person: OpenBrowser) -> None:
    first = person("switch", language="en", viewport=DESK)
    page = first.go("/")
    page.get_by_role("heading", name="Pay in one minute").wait_for()
    for name, path in (("Till of", "/staff/sign-in"), ("Wallet of", "/wallet/sign-in")):
        with first.context.expect_page() as opened:
            page.get_by_role("link", name=name).first.click()
        opened.value.wait_for_url(f"**{path}**")
        opened.value.locator("form button").first.wait_for()


def test_a_plate_opened_by_a_plain_camera_leads_to_a_wallet_of_this_network(
    town: BrowserTown, person: OpenBrowser
) -> None:
    wallet = wallet_of(person, LI, "en")
    path = town.plates[NOODLES.key].partition("/q/")[2]
    page = wallet.page
    page.goto(f"{town.url('wei')}/q/{path}")
    page.get_by_role("link", name="Jing Pay").click()
    page.get_by_role("heading", name=NOODLES.name).wait_for()
    assert page.url.startswith(town.url("jing"))
