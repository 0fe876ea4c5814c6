"""The merchant's console in a real browser: figures, payments, files, plates, keys; to each role what is its own."""

import io
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
from playwright.sync_api import Page, expect

from hutong.codes.picture import read_picture
from hutong.gateways import keys
from tests.browser.conftest import BrowserTown
from tests.browser.eyes import DESK, PHONE, OpenBrowser
from tests.browser.merchant_house import STAFF_PIN, House, house
from tests.network.street import comes_to, new_id

ALL = (
    "",
    "/payments",
    "/complaints",
    "/bills",
    "/settlement",
    "/withdrawal",
    "/shops",
    "/plates",
    "/campaigns",
    "/staff",
    "/keys",
    "/webhooks",
    "/gateways",
    "/callbacks",
)
FOR = {
    "OWNER": set(ALL),
    "MANAGER": {"", "/payments", "/complaints", "/bills", "/shops", "/plates"},
    "ACCOUNTANT": {"", "/payments", "/complaints", "/bills", "/settlement", "/shops", "/plates"},
    "CASHIER": set(),
}


@pytest.fixture(scope="module")
def merchant(town: BrowserTown) -> House:
    return house(town)


@pytest.fixture
def owner(merchant: House, person: OpenBrowser) -> Page:
    return merchant.enters(person("wei", language="en", viewport=DESK), "OWNER").page


@pytest.mark.parametrize(
    ("viewport", "language", "dark"), [(PHONE, "zh-CN", False), (DESK, "en", True)], ids=["phone", "desk"]
)
def test_every_page_looks_right(
    merchant: House, person: OpenBrowser, viewport: dict[str, int], language: str, dark: bool
) -> None:
    visitor = merchant.enters(person("wei", viewport=viewport, language=language, dark=dark), "OWNER")
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    for path in (*ALL, "/campaigns/new", f"/bills/{today}", f"/payments/{merchant.payments[0]}"):
        visitor.go(f"/console{path}")
        expect(visitor.page.locator("html")).to_have_attribute("lang", language)
        visitor.looks_right()


def test_the_figures_are_those_of_the_account(merchant: House, owner: Page) -> None:
    owner.goto("/console")
    balance = merchant.till.balance
    tile = owner.locator(".tile").filter(has_text="Balance")
    expect(tile).to_contain_text(f"¥{balance // 100}.{balance % 100:02}")
    month = owner.locator(".tile").filter(has_text="This month")
    expect(month).to_contain_text(re.compile(rf"Net\s*¥{balance // 100}\.{balance % 100:02}"))
    owner.get_by_text("As a table").first.click()
    expect(owner.locator("table:visible").first.get_by_role("row")).to_have_count(25)
    owner.goto(f"/console/bills/{datetime.now(ZoneInfo('Asia/Shanghai')).date()}")
    expect(owner.get_by_text("Equal to the ledger, to the fen.")).to_be_visible()


def test_payments_are_found_and_told_with_their_refund(merchant: House, owner: Page) -> None:
    owner.goto("/console/payments")
    expect(owner.locator("tbody tr")).to_have_count(len(merchant.payments))
    owner.get_by_label("Shop").select_option("西单店")
    owner.get_by_label("Amount from").fill("49.99")
    owner.get_by_role("button", name="Find").click()
    expect(owner.locator("tbody tr")).to_have_count(2)
    owner.goto("/console/payments")
    owner.get_by_label("Payer, remark or reference").fill("两碗面")
    owner.get_by_role("button", name="Find").click()
    expect(owner.locator("tbody tr")).to_have_count(1)
    owner.goto("/console/payments?state=REFUNDED")
    owner.locator("tbody a").click()
    told = "Completed.*Refund of ¥3.00 asked for.*¥3.00 given back"
    expect(owner.locator(".steps")).to_contain_text(re.compile(told, re.DOTALL))
    owner.goto("/console/payments?first=2026-02-30")
    expect(owner.get_by_role("alert")).to_contain_text("That is no day.")


def test_a_plate_is_hung_printed_and_taken_down(merchant: House, owner: Page) -> None:
    owner.goto("/console/plates")
    owner.get_by_label("Where it hangs").fill("window")
    owner.get_by_role("button", name="Hang a plate").click()
    entry = owner.locator(".plates > li").filter(has_text="window")
    link = entry.get_by_role("link", name="Print (PDF)").get_attribute("href")
    code = entry.locator("code").inner_text()
    assert read_pdf(owner.request.get(link or "").body()) == {code}
    svg = owner.request.get((link or "").replace(".pdf", ".svg"))
    assert svg.headers["content-type"] == "image/svg+xml"
    assert code in read_pdf(owner.request.get("/console/plates/sheet.pdf").body())
    owner.on("dialog", lambda dialog: dialog.accept())
    entry.get_by_text("Edit").click()
    entry.get_by_role("button", name="Take down").click()
    owner.locator(".plates > li").filter(has_text="window").get_by_text("Taken down").wait_for()
    assert owner.request.get(link or "").status == 422
    assert merchant.till.refused("/v1/plates", {"reference": "window", "shop_id": merchant.shops["前门店"]})


def read_pdf(pdf: bytes) -> set[str]:
    """Every code on the pages."""
    found: set[str] = set()
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            out = io.BytesIO()
            page.render(scale=2).to_pil().save(out, "PNG")
            found |= {*read_picture(out.getvalue())}
    return found


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(merchant: House, owner: Page) -> None:
    owner.goto("/console/keys")
    owner.get_by_label("Name").fill("erp")
    owner.get_by_label("What it may do").select_option("READER")
    owner.get_by_role("button", name="Issue a key").click()
    token = owner.locator("#token").inner_text()
    reader = owner.request.get("/v1/merchant/balance", headers={"authorization": f"Bearer {token}"})
    assert reader.json()["balance"] == merchant.till.balance
    owner.goto("/console/keys")
    assert token not in owner.content()
    owner.on("dialog", lambda dialog: dialog.accept())
    owner.get_by_role("button", name="Revoke erp").click()
    owner.get_by_text("Revoked").wait_for()
    ended = owner.request.get("/v1/merchant/balance", headers={"authorization": f"Bearer {token}"})
    assert ended.json()["reason"] == "KEY_REVOKED"


def test_an_account_at_a_gateway_shows_its_secrets_once_and_ends_when_it_is_removed(owner: Page) -> None:
    owner.goto("/console/gateways")
    owner.get_by_label("Name").fill("web shop")
    owner.get_by_label("Public key").fill(keys.public_pem(keys.new_key().public_key()))
    owner.get_by_role("button", name="Make an account").click()
    secret = owner.locator(".secret").first.inner_text()
    assert len(secret) == 32
    owner.goto("/console/gateways")
    assert secret not in owner.content()
    owner.get_by_label("Name").fill("worse")
    owner.get_by_label("Public key").fill("nothing")
    owner.get_by_role("button", name="Make an account").click()
    owner.get_by_role("alert").wait_for()
    expect(owner.get_by_label("Name")).to_have_value("worse")
    owner.on("dialog", lambda dialog: dialog.accept())
    owner.get_by_role("button", name="Remove web shop").click()
    owner.get_by_text("No account yet.").wait_for()


def test_staff_and_shops_and_webhooks_come_and_go(owner: Page) -> None:
    owner.on("dialog", lambda dialog: dialog.accept())
    owner.goto("/console/shops")
    for label, text in (("Name", "东直门店"), ("Your own shop number", "s9"), ("City", "北京")):
        owner.get_by_label(label, exact=True).fill(text)
    owner.get_by_label("City in Latin letters").fill("Beijing")
    owner.get_by_role("button", name="Open a shop").click()
    owner.get_by_role("button", name="Close 东直门店").click()
    expect(owner.get_by_role("row").filter(has_text="东直门店").get_by_text("Closed")).to_be_visible()
    owner.goto("/console/staff")
    form = owner.locator("form[action='/console/staff']")
    form.get_by_label("Name").fill("小李")
    form.get_by_label("Phone number").fill("13800001234")
    form.get_by_role("button", name="Ask in").click()
    entry = owner.locator(".list > li").filter(has_text="小李")
    entry.get_by_text("Edit").click()
    entry.get_by_label("Role").select_option("MANAGER")
    entry.get_by_role("button", name="Save").click()
    entry.get_by_text("Manager ·").wait_for()
    entry.get_by_text("Edit").click()
    entry.get_by_role("button", name="Let go").click()
    entry.get_by_text("Left").wait_for()
    owner.goto("/console/webhooks")
    owner.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    owner.get_by_role("button", name="Add an endpoint").click()
    owner.get_by_role("button", name="Show the secret").click()
    expect(owner.locator("code.secret")).to_have_text(re.compile("^whsec_"))
    owner.get_by_role("button", name="Remove").click()
    owner.get_by_text("No endpoint yet.").wait_for()


def test_an_owner_withdraws_to_a_bank_with_the_own_pin(merchant: House, owner: Page) -> None:
    street = merchant.town.street
    customer = street.payer("yun")
    account = customer.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})["text"]
    before = merchant.till.balance
    owner.goto("/console/withdrawal")
    owner.get_by_label("Your own name for it").fill("对公账户")
    owner.get_by_label("Code of the account, from the bank").fill(account)
    owner.get_by_role("button", name="Link the account").click()
    withdraw(owner, "111222")
    owner.get_by_role("alert").wait_for()
    assert merchant.till.balance == before
    withdraw(owner, STAFF_PIN)
    owner.get_by_role("cell", name="Completed").wait_for()
    comes_to(lambda: (merchant.till.balance, customer.balance), (before - 2_000, 2_000))
    owner.goto("/console/settlement")
    line = owner.get_by_role("row").filter(has_text="Withdrawal")
    expect(line).to_contain_text("−¥20.00")


def withdraw(page: Page, pin: str) -> None:
    page.get_by_label("Amount").fill("20.00")
    page.get_by_label("Your staff PIN").fill(pin)
    page.get_by_role("button", name="Withdraw", exact=True).click()


@pytest.mark.parametrize("role", list(FOR))
def test_each_role_opens_what_is_its_own(merchant: House, person: OpenBrowser, role: str) -> None:
    page = merchant.enters(person("wei", language="en", viewport=DESK), role).page
    opened = {path for path in ALL if page.goto(f"/console{path}").ok}  # type: ignore[union-attr]
    assert opened == FOR[role]
    if opened:
        page.goto("/console")
        menu = {str(link.get_attribute("href")) for link in page.locator("nav a[href^='/console']").all()}
        assert {path.removeprefix("/console") for path in menu} == opened


def test_nobody_sees_another_merchants_payment(town: BrowserTown, owner: Page) -> None:
    till = town.street.till("wei")
    payment_id = town.street.payer("wei", 1_000).pay(till.plate, 500)["payment_id"]
    answer = owner.goto(f"/console/payments/{payment_id}")
    assert answer is not None
    assert answer.status == 404
    expect(owner.locator("main")).not_to_contain_text("5.00")


def test_who_is_nobody_is_led_to_the_sign_in(person: OpenBrowser) -> None:
    page = person("wei").go("/console/payments")
    expect(page).to_have_url(re.compile(r"/staff/sign-in\?next=/console/payments$"))
