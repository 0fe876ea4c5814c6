"""The wallet as people use it: coming in, what happened to their money, their bank, their devices, their limits."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hutong.kernel.money import Currency, format_amount
from hutong.web.language import words
from hutong.web.sandbox import SamplePerson
from tests.browser.conftest import BrowserTown
from tests.browser.eyes import DESK, PHONE, OpenBrowser, Visitor, comes
from tests.network.street import PIN, Payer, decided, new_id, until

NEW_PIN = "759204"
YUAN = words("en").money


def holds(page: Page, amount: str) -> None:
    """What is in the wallet comes to this."""
    comes(page, "/wallet", page.locator(".hero .amount").filter(has_text=re.compile(f"^{re.escape(amount)}$")))


def code_on(page: Page) -> str:
    """What is texted, as the page of a network for trying out shows it."""
    return page.locator("small b.num").inner_text()


def come_in(town: BrowserTown, page: Page, payer: Payer) -> None:
    """One of the sample people, with one press. Their phone's session may end with it."""
    phone = town.street.operator(payer.node).get(f"/v1/operator/users/{payer.user_id}")["phone"]
    sandbox: Any = town.sandbox(payer.node)
    sandbox.sample_people.append(SamplePerson("王小明", phone, PIN))
    page.goto("/wallet")
    page.locator(f"form:has(input[value='{phone}']) button").click()
    page.wait_for_url("**/wallet")


def register(page: Page, phone: str, name: str = "李雷") -> None:
    page.goto("/wallet/register")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Phone number").fill(phone)
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Code from the text message").fill(code_on(page))
    page.get_by_role("button", name="Open a wallet").click()
    page.get_by_label("New PIN", exact=True).fill(PIN)
    page.get_by_label("New PIN again").fill(PIN)
    page.get_by_role("button", name="Choose a PIN").click()
    page.wait_for_url("**/wallet")


def give_phone(page: Page, phone: str) -> None:
    page.goto("/wallet/sign-in")
    page.get_by_label("Phone number").fill(phone)
    page.get_by_role("button", name="Next").click()


def test_a_newcomer_opens_a_wallet_and_comes_back_by_the_pin_alone(town: BrowserTown, person: OpenBrowser) -> None:
    newcomer = person("jing", language="en")
    page = newcomer.go("/wallet")
    expect(page).to_have_url(re.compile("/wallet/sign-in"))
    register(page, "13911110001")
    holds(page, "¥0.00")
    newcomer.looks_right()
    page.goto("/wallet/settings")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/wallet/sign-in")
    give_phone(page, "13911110001")
    expect(page.get_by_label("PIN")).to_be_visible()
    expect(page.get_by_label("Code from the text message")).to_have_count(0)
    page.get_by_label("PIN").fill(NEW_PIN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("The PIN is wrong: 4 tries are left.")
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/wallet")
    assert town.sandbox("jing").one_time_code("+8613911110001")


def test_a_new_browser_needs_the_phone_and_tells_nobody_who_has_a_wallet(person: OpenBrowser) -> None:
    stranger = person("jing", language="en")
    page = stranger.page
    give_phone(page, "13911110002")
    code = page.get_by_label("Code from the text message")
    expect(code).to_be_visible()
    page.wait_for_load_state()
    asked = page.locator("main").inner_text().replace("13911110002", "")
    code.fill("000000" if code_on(page) != "000000" else "000001")
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("The code is wrong: 4 tries are left.")
    stranger.looks_right()
    owner = person("jing", language="en").page
    register(owner, "13911110003")
    give_phone(page, "13911110003")
    # The code for registering was sent a moment ago, and the page says so: nothing else tells the two apart.
    expect(page.get_by_role("alert")).to_contain_text("A code was sent just now")
    page.wait_for_load_state()
    known = re.sub(r"[0-9]{6}", "", page.locator("main").inner_text().replace("13911110003", ""))
    assert re.sub(r"[0-9]{6}", "", asked).split() == known.partition("another.")[2].split()


def test_a_device_is_signed_out_from_another(town: BrowserTown, person: OpenBrowser) -> None:
    payer = town.street.payer("jing", pin=True)
    page = person("jing", language="en").page
    come_in(town, page, payer)
    first = person("jing", language="en").page
    phone = page.context.cookies()
    assert all(cookie["httpOnly"] for cookie in phone if cookie["name"] != "language")
    first.context.add_cookies([{**cookie} for cookie in phone])  # type: ignore[typeddict-item]
    holds(first, "¥0.00")
    page.goto("/wallet/devices")
    expect(page.get_by_text("This device")).to_be_visible()
    page.goto("/wallet/settings")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/wallet/sign-in")
    first.goto("/wallet/bills")
    expect(first).to_have_url(re.compile(r"/wallet/sign-in\?next=/wallet/bills"))


def test_bills_are_found_and_a_month_equals_the_statement(town: BrowserTown, person: OpenBrowser) -> None:
    payer, till = town.street.payer("jing", 50_000, pin=True, tier="II"), town.street.till("wei")
    paid = [payer.pay(till.plate, amount) for amount in (1_280, 2_399, 777)]
    assert decided(lambda: till.refund(paid[1]["payment_id"], 399))["state"] == "COMPLETED"
    lines = until(lambda: payer.get("/v1/statement")["lines"], lambda lines: len(lines) == 5)
    sums = {way: sum(line["amount"] for line in lines if line["direction"] == way) for way in ("IN", "OUT")}
    visitor = person("jing", language="en")
    page = visitor.page
    come_in(town, page, payer)
    expect(page.locator(".bills li")).to_have_count(5)
    page.goto("/wallet/bills")
    page.get_by_label("Name, note or amount").fill("12.8")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".bills .sum")).to_have_text(["−¥12.80"])
    page.get_by_label("Name, note or amount").fill("胡同")
    page.get_by_label("Kind").select_option(label="Refund")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".bills .sum")).to_have_text(["+¥3.99"])
    visitor.looks_right()
    page.locator(".bills a").click()
    expect(page.locator(".amount")).to_have_text("−¥23.99")
    expect(page.locator(".steps li b")).to_have_text(
        [
            "Confirmed by the payer",
            "Money held, order sent to the network",
            "Completed",
            "A refund of ¥3.99 is on its way",
            "Refunded: ¥3.99",
        ]
    )
    expect(page.locator(".steps time")).to_have_count(5)
    visitor.looks_right()
    page.goto("/wallet/bills/months/now")
    expect(page.locator(".sums dd")).to_have_text([YUAN(sums["OUT"]), YUAN(sums["IN"]), "¥3.99"])
    visitor.looks_right()


def _made_up_is_not_confirmed(visitor: Visitor) -> None:
    """A mandate that no bank gave is linked, and stands there as what it is."""
    page = visitor.page
    page.goto("/wallet/cards/new")
    page.get_by_label("What you call it").fill("Made up")
    page.get_by_label("Mandate").fill(f"mandate:yun:{7:032x}")
    page.get_by_role("button", name="Link").click()
    page.goto("/wallet/cards")
    expect(page.get_by_text("The bank has not confirmed this account yet.")).to_have_count(1)
    visitor.looks_right()
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("section").filter(has_text="Made up").get_by_role("button", name="Unlink").click()
    expect(page.get_by_text("Made up")).to_have_count(0)


def test_money_comes_from_the_bank_and_goes_back(town: BrowserTown, person: OpenBrowser) -> None:
    customer = town.street.payer("yun", 80_000, pin=True)
    code = customer.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "currency": "CNY", "remark": ""})
    payer = town.street.payer("jing", pin=True)
    at_bank, visitor = person("yun", language="en").page, person("jing", language="en")
    page = visitor.page
    come_in(town, at_bank, customer)
    at_bank.goto("/wallet/mandates")
    at_bank.get_by_label("The wallet's institution").select_option("jing")
    at_bank.get_by_label("At most in a day").fill("500")
    at_bank.get_by_role("button", name="Grant").click()
    mandate = at_bank.locator(".note.mono").inner_text()
    come_in(town, page, payer)
    page.goto("/wallet/cards/new")
    page.get_by_label("What you call it").fill("My bank")
    page.get_by_label("Mandate").fill("mandate:yun:nonsense")
    page.get_by_role("button", name="Link").click()
    expect(page.get_by_role("alert")).to_contain_text("This is no mandate")
    page.get_by_label("Mandate").fill(mandate)
    page.get_by_label("Your personal code at the bank").fill(code["text"])
    page.get_by_role("button", name="Link").click()
    page.get_by_role("link", name="Top up").click()
    page.get_by_label("Amount").fill("300.50")
    page.get_by_role("button", name="Top up").click()
    expect(page.get_by_text("It is in your wallet")).to_be_visible()
    visitor.looks_right()
    holds(page, "¥300.50")
    page.goto("/wallet/cards")
    expect(page.get_by_text("The bank has not confirmed this account yet.")).to_have_count(0)
    _made_up_is_not_confirmed(visitor)
    page.goto("/wallet/cards")
    page.get_by_role("link", name="Withdraw").click()
    page.get_by_label("Amount").fill("100")
    page.get_by_label("PIN").fill(NEW_PIN)
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("alert")).to_contain_text("The PIN is wrong")
    expect(page.get_by_label("Amount")).to_have_value("100")
    page.get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator(".tag").first).to_have_text("Completed")
    holds(page, "¥200.50")
    holds(at_bank, f"¥{format_amount(80_000 - 30_050 + 10_000, Currency.CNY)}")
    page.goto("/wallet/cards")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Unlink").click()
    expect(page.get_by_text("No bank card is linked yet.")).to_be_visible()


def test_who_stops_the_wallet_lets_it_go_on_by_the_pin_and_changes_that(town: BrowserTown, person: OpenBrowser) -> None:
    payer = town.street.payer("jing", pin=True)
    visitor = person("jing", language="en")
    page = visitor.page
    come_in(town, page, payer)
    page.goto("/wallet/settings")
    page.get_by_role("button", name="Stop paying").click()
    expect(page.get_by_role("heading", name="Stopped")).to_be_visible()
    visitor.looks_right()
    page.goto("/wallet")
    expect(page.get_by_text("You have stopped paying from this wallet.")).to_be_visible()
    page.goto("/wallet/settings")
    page.locator("form[action$=unfreeze]").get_by_label("PIN").fill(PIN)
    page.get_by_role("button", name="Let it pay again").click()
    expect(page.get_by_role("button", name="Stop paying")).to_be_visible()
    page.goto("/wallet/pin")
    page.get_by_label("PIN until now").fill(PIN)
    page.get_by_label("New PIN", exact=True).fill(NEW_PIN)
    page.get_by_label("New PIN again").fill("759205")
    page.get_by_role("button", name="Change the PIN").click()
    expect(page.get_by_role("alert")).to_have_text("The two PINs are not the same. Type them once more.")
    for label, pin in (("PIN until now", PIN), ("New PIN again", NEW_PIN)):
        page.get_by_label(label).fill(pin)
    page.get_by_label("New PIN", exact=True).fill(NEW_PIN)
    page.get_by_role("button", name="Change the PIN").click()
    expect(page.get_by_role("status")).to_have_text("The PIN was changed.")


PATHS = (
    "",
    "/bills",
    "/bills/months/now",
    "/cards",
    "/cards/new",
    "/mandates",
    "/limits",
    "/settings",
    "/devices",
    "/pin",
)


@pytest.mark.parametrize(("viewport", "language", "dark"), [(PHONE, "zh-CN", True), (DESK, "en", False)])
def test_every_page_looks_right(
    town: BrowserTown, person: OpenBrowser, viewport: dict[str, int], language: str, dark: bool
) -> None:
    payer = town.street.payer("jing", 50_000, pin=True)
    payer.pay(town.street.till("wei").plate, 1_280)
    visitor = person("jing", viewport=viewport, language=language, dark=dark)
    come_in(town, visitor.page, payer)
    for path in PATHS:
        page = visitor.go(f"/wallet{path}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        visitor.looks_right()


def test_nobody_sees_or_moves_what_is_anothers(town: BrowserTown, person: OpenBrowser) -> None:
    payer, other = town.street.payer("jing", 5_000, pin=True), town.street.payer("jing", pin=True)
    payment = payer.pay(town.street.till("wei").plate, 1_280)["payment_id"]
    mandate = payer.post("/v1/mandates", {"grantee": "wei", "daily_max": 100})
    account = {"bank_account_id": new_id("bka"), "name": "b", "mandate": mandate["text"]}
    card = payer.post("/v1/bank-accounts", account)["bank_account_id"]
    page = person("jing", language="en").page
    come_in(town, page, other)
    token = page.locator("meta[name=csrf]").get_attribute("content") or ""

    def status(send: Callable[..., Any], path: str, **sent: Any) -> int:
        return int(send(f"/wallet{path}", **sent).status)

    for path in (f"/bills/{payment}", "/bills/pay_nonsense", f"/cards/{card}/top-up", f"/cards/{card}/withdraw"):
        assert status(page.request.get, path) == 404, path
    for path in (f"/devices/{payer.device_id}/lost", f"/devices/{payer.device_id}/sign-out", f"/cards/{card}/unlink"):
        assert status(page.request.post, path, form={"csrf": token}) == 404, path
        assert status(page.request.post, path, form={"csrf": "0" * 32}) == 403, path
    revoke = f"/mandates/{mandate['mandate_id']}/revoke"
    assert status(page.request.post, revoke, form={"csrf": token}) == 404
    assert payer.get("/v1/users/me")["phone"], "whose devices these are is signed in as before"
