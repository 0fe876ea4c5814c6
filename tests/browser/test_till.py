"""The till in a real browser: a cashier takes payments, hears of them once each, and refunds with a manager's PIN."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from tests.browser.camera import NOTHING
from tests.browser.conftest import BrowserTown
from tests.browser.eyes import DESK, PHONE, OpenBrowser, Visitor, scanned
from tests.network.street import Till, new_id, until

PIN, MANAGERS_PIN = "483915", "702846"
TABLET = {"width": 768, "height": 1024}
_numbers = count(10_000_000)
# Counts what would be heard, and keeps what was spoken and what was announced: that goes by itself after some seconds.
EARS = """
window.rung = 0; window.spoken = []; window.told = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...given) { window.rung += 1; return start.apply(this, given); };
speechSynthesis.speak = (said) => window.spoken.push([said.lang, said.text]);
addEventListener("DOMContentLoaded", () => {
  const news = document.querySelector("[data-news]");
  const hear = (changes) => changes.forEach((each) => each.addedNodes.forEach((node) => window.told.push(node.textContent)));
  if (news) new MutationObserver(hear).observe(news, { childList: true });
});
"""


@dataclass
class Shop:
    """A merchant with one shop, and its staff."""

    till: Till
    shop_id: str
    cashier: str
    manager: str
    sessions: dict[str, str]  # By telephone.

    def plate(self) -> str:
        """What the plate on this shop's counter says."""
        return str(self.till.post("/v1/plates", {"reference": new_id("r"), "shop_id": self.shop_id})["text"])


def shop_at(town: BrowserTown, node: str = "jing") -> Shop:
    till = town.street.till(node)
    profile = {"reference": new_id("r"), "name": "鼓楼店", "city": "北京", "latin_city": "Beijing"}
    shop_id = till.post("/v1/shops", profile)["shop_id"]
    cashier, session = hired(town, till, "CASHIER", "李娜", shop_id, PIN)
    manager, other = hired(town, till, "MANAGER", "张店长", "", MANAGERS_PIN)
    return Shop(till, shop_id, cashier, manager, {cashier: session, manager: other})


def hired(town: BrowserTown, till: Till, role: str, name: str, shop_id: str, pin: str) -> tuple[str, str]:
    """Somebody of the staff, who has chosen a PIN elsewhere; the telephone, and the session there."""
    phone = f"+86139{next(_numbers):08d}"
    till.post("/v1/staff", {"staff_id": new_id("r"), "name": name, "phone": phone, "role": role, "shop_id": shop_id})
    code = one_time_code(town, till.node, phone)
    door = town.street.stranger(till.node)
    begun = door.post("/v1/staff/pin", {"phone": phone, "code": code, "pin": pin, "device_id": new_id("dev")})
    return phone, str(begun["token"])


def one_time_code(town: BrowserTown, node: str, phone: str) -> str:
    return str(town.street.operator(node).get(f"/v1/operator/one-time-codes/{phone}")["code"])


def at_the_till(person: OpenBrowser, shop: Shop, phone: str = "", **browser: object) -> Visitor:
    """Somebody at a till that is connected, in the browser where the PIN was chosen."""
    visitor = person(shop.till.node, **{"language": "en", **browser})
    visitor.context.add_init_script(EARS)
    session = {"name": f"staff-{shop.till.node}", "value": shop.sessions[phone or shop.cashier], "url": shop.till.url}
    visitor.context.add_cookies([session])  # type: ignore[list-item]  # Its own TypedDict, spelled out.
    visitor.go("/till")
    connected(visitor.page)
    return visitor


def sign_in(page: Page, phone: str, pin: str) -> None:
    """On a browser of their own that is new for the number: the code is asked for, too."""
    page.locator("#phone").fill(phone)
    page.locator("[name=pin]").fill(pin)
    page.locator("form[action='/staff/sign-in'] button").click()
    page.locator("[name=code]").fill(page.locator("[data-code]").inner_text())
    page.locator("[name=pin]").fill(pin)
    page.locator("form[action='/staff/sign-in'] button").click()
    page.wait_for_url("**/till")


def connected(page: Page) -> None:
    page.locator("[data-live].on").wait_for()


def type_amount(page: Page, keys: str) -> None:
    for key in keys:
        page.locator(f"[data-key='{key}']").click()
    expect(page.locator("#amount")).to_have_value(keys)


def said(page: Page, text: str) -> None:
    expect(page.locator("[data-step]")).to_have_text(text)


def announced(page: Page, text: str) -> None:
    page.wait_for_function("text => window.told.some((each) => each.includes(text))", arg=text)


def asked_code(till: Till, page: Page) -> str:
    """What the code on the screen says."""
    source = page.locator("[data-code] img").get_attribute("src")
    assert source
    return str(till.get(f"/v1/payment-requests/{source.split('/')[3]}")["code"])


def test_a_code_on_the_screen_is_paid_and_announced_once(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    page = at_the_till(person, shop).page
    type_amount(page, "12.80")
    expect(page.locator("[data-silent]")).to_be_hidden()  # The first touch lets the page sound.
    page.get_by_role("button", name="Show a code").click()
    said(page, "Let the customer scan this code.")
    expect(page.locator("[data-left]")).to_have_text(re.compile("left"))
    payer = town.street.payer("wei", 10_000, pin=True)
    assert payer.pay(asked_code(shop.till, page), 1280)["state"] == "COMPLETED"
    announced(page, "Received ¥12.80")
    said(page, "Paid.")
    assert page.evaluate("window.rung") == 2  # Two notes: once.
    expect(page.locator("[data-latest] li")).to_have_count(1)
    page.get_by_role("button", name="Next customer").click()
    expect(page.locator("#amount")).to_have_value("")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_no_key_moves_while_an_amount_is_typed(
    town: BrowserTown, person: OpenBrowser, viewport: dict[str, int]
) -> None:
    """The first touch lets the page sound, and a no is answered by typing: neither may put another key under the finger."""
    page = at_the_till(person, shop_at(town), viewport=viewport).page
    silent, first = page.locator("[data-silent]"), page.locator("[data-key='1']")
    expect(silent).to_be_visible()
    before = first.bounding_box()
    first.click()
    expect(silent).to_be_hidden()
    assert first.bounding_box() == before
    page.locator("[data-key=back]").click()
    page.locator("button[data-scan]").click()
    expect(page.locator("[data-error]")).to_be_visible()
    before = first.bounding_box()
    first.click()
    expect(page.locator("#amount")).to_have_value("1")
    assert first.bounding_box() == before


def test_what_another_shop_receives_is_not_heard(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    page = at_the_till(person, shop).page
    payer = town.street.payer("jing", 10_000, pin=True)
    payer.pay(shop.till.plate, 111)  # The merchant's, of no shop.
    payer.pay(shop.plate(), 222)
    announced(page, "Received ¥2.22")
    expect(page.locator("[data-latest] li")).to_have_count(1)


def test_a_scanner_that_types_charges_the_customers_code(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    page = at_the_till(person, shop).page
    payer = town.street.payer("wei", 10_000, pin=True)
    page.clock.install()
    page.keyboard.type("7", delay=120)
    page.keyboard.type("5", delay=120)
    expect(page.locator("#amount")).to_have_value("75")
    scanned(page, payer.payment_code())
    said(page, "Paid.")
    announced(page, "Received ¥75.00")


def test_the_pin_is_waited_for_and_a_no_is_said_in_words(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    page = at_the_till(person, shop).page
    payer = town.street.payer("wei", 500_000, pin=True, tier="III")
    charge_by_hand(page, "1500", payer.payment_code())
    said(page, "The customer is asked for the PIN.")
    (waiting,) = payer.get("/v1/requests-to-pay")
    payer.post(f"/v1/requests-to-pay/{waiting['request_to_pay_id']}/decline")
    said(page, "The customer declined. Nothing was paid.")
    page.get_by_role("button", name="Scan again").click()
    expect(page.locator("[data-panel=scan] [data-amount]")).to_have_text("¥1,500.00")


def test_a_charge_that_waits_is_taken_back(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    page = at_the_till(person, shop).page
    payer = town.street.payer("wei", 500_000, pin=True, tier="III")
    charge_by_hand(page, "1500", payer.payment_code())
    said(page, "The customer is asked for the PIN.")
    page.get_by_role("button", name="Take it back").click()
    said(page, "Taken back. Nothing was paid.")
    assert payer.balance == 500_000


def test_a_used_code_is_refused_in_words(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    page = at_the_till(person, shop, language="zh-CN").page
    payer = town.street.payer("wei", 10_000, pin=True)
    code = payer.payment_code()
    shop.till.charge(code, 300)
    charge_by_hand(page, "4", code)
    said(page, "此码已失效，请顾客重新出示。")


def charge_by_hand(page: Page, amount: str, code: str) -> None:
    type_amount(page, amount)
    page.locator("button[data-scan]").click()
    page.locator("#typed").fill(code)
    page.locator("form[data-typed] button").click()


def test_the_camera_reads_the_customers_code(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    payer = town.street.payer("jing", 10_000, pin=True)
    visitor = at_the_till(person, shop, sees=NOTHING)
    page = visitor.page
    type_amount(page, "3.5")
    visitor.looks_at(payer.payment_code())
    page.get_by_role("button", name="Scan the customer's code").click()
    said(page, "Paid.")


def test_a_lost_line_is_shown_and_nothing_is_missed_or_told_twice(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    visitor = at_the_till(person, shop)
    page, plate = visitor.page, shop.plate()
    payer = town.street.payer("jing", 10_000, pin=True)
    payer.pay(plate, 101)
    announced(page, "Received ¥1.01")
    visitor.cut_off()
    expect(page.locator("[data-offline]")).to_be_visible()
    payer.pay(plate, 202)
    payer.pay(plate, 303)
    visitor.back_online()
    announced(page, "Payments while the line was down: 2, ¥5.05")
    expect(page.locator("[data-offline]")).to_be_hidden()
    payer.pay(plate, 404)
    announced(page, "Received ¥4.04")
    amounts = page.locator("[data-latest] b")
    expect(amounts).to_have_text(["¥4.04", "¥3.03", "¥2.02", "¥1.01"])
    page.reload()
    connected(page)
    expect(page.locator("[data-latest] li")).to_have_count(0)


def test_what_came_meanwhile_is_sent_before_the_line_is_said_to_stand(town: BrowserTown, person: OpenBrowser) -> None:
    """So a page tells it together without a guess how long that takes."""
    shop = shop_at(town)
    page, plate = at_the_till(person, shop).page, shop.plate()
    payer = town.street.payer("jing", 10_000, pin=True)
    for amount in (101, 202):
        payer.pay(plate, amount)
    told = str(page.evaluate(_UNTIL_READY))
    assert re.findall("(?m)^event: (.*)$", told) == ["payment.completed", "payment.completed", "ready"]


_UNTIL_READY = """async () => {
  const reader = (await fetch("/till/events?after=0")).body.pipeThrough(new TextDecoderStream()).getReader();
  let told = "";
  while (!told.includes("event: ready")) told += (await reader.read()).value;
  await reader.cancel();
  return told;
}"""


def test_what_is_paid_while_another_page_is_open_is_announced_on_coming_back(
    town: BrowserTown, person: OpenBrowser
) -> None:
    shop = shop_at(town)
    page = at_the_till(person, shop).page
    page.goto("/till/payments")
    town.street.payer("jing", 10_000, pin=True).pay(shop.plate(), 505)
    page.goto("/till")
    announced(page, "Received ¥5.05")


def test_a_code_survives_a_reload(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    page = at_the_till(person, shop).page
    type_amount(page, "6")
    page.get_by_role("button", name="Show a code").click()
    said(page, "Let the customer scan this code.")
    before = str(page.locator("[data-code] img").get_attribute("src"))
    page.reload()
    said(page, "Let the customer scan this code.")
    expect(page.locator("[data-code] img")).to_have_attribute("src", before)


@pytest.mark.parametrize(("language", "spoken"), [("en", "Received 12.8 yuan"), ("zh-CN", "收款12.8元")])
def test_the_voice_speaks_the_readers_language(
    town: BrowserTown, person: OpenBrowser, language: str, spoken: str
) -> None:
    shop = shop_at(town)
    page = at_the_till(person, shop, language=language).page
    page.locator(".more summary").click()
    page.locator("[data-voice]").click()
    town.street.payer("jing", 10_000, pin=True).pay(shop.plate(), 1280)
    announced(page, {"en": "Received ¥12.80", "zh-CN": "¥12.80"}[language])
    assert page.evaluate("window.spoken") == [[language, spoken]]


def test_a_cashier_refunds_with_the_managers_pin_alone(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    page = at_the_till(person, shop).page
    payer = town.street.payer("wei", 10_000, pin=True)
    charge_by_hand(page, "20", payer.payment_code())
    said(page, "Paid.")
    page.get_by_role("link", name="Today", exact=True).click()
    expect(page.locator("[data-gross]")).to_have_text("¥20.00")
    page.locator("main .entry").first.click()
    expect(page.locator("dl.facts")).to_contain_text("李娜")
    page.locator("#amount").fill("5")
    page.locator("#remark").fill("Goods returned")
    page.locator("#pin").fill(PIN)
    page.get_by_role("button", name="Refund").click()
    expect(page.get_by_role("alert")).to_contain_text("PIN")
    expect(page.locator("#amount")).to_have_value("5")
    page.locator("#pin").fill(MANAGERS_PIN)
    page.get_by_role("button", name="Refund").click()
    expect(page.get_by_role("status")).to_contain_text("Refunded")
    page.get_by_role("link", name="To the payment", exact=True).click()
    expect(page.locator("section[aria-labelledby=back]")).to_contain_text("approved by 张店长")
    expect(page.locator("#most")).to_have_text("At most ¥15.00.")
    assert until(lambda: payer.balance, lambda now: now > 8_000) == 8_500


def test_a_manager_refunds_alone_and_never_more_than_is_left(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    payer = town.street.payer("jing", 10_000, pin=True)
    paid = payer.pay(shop.plate(), 900)
    page = at_the_till(person, shop, shop.manager).page
    page.goto(f"/till/payments/{paid['payment_id']}")
    expect(page.locator("#pin")).to_have_count(0)
    page.locator("#amount").fill("9.01")
    page.locator("#remark").fill("Sold out")
    page.get_by_role("button", name="Refund").click()
    page.get_by_role("alert").wait_for()
    page.locator("#amount").fill("9.00")
    page.get_by_role("button", name="Refund").click()
    expect(page.get_by_role("status")).to_contain_text("Refunded")
    page.get_by_role("link", name="To the payment", exact=True).click()
    expect(page.locator("form[aria-labelledby=refund]")).to_have_count(0)


def test_another_merchants_payments_and_requests_do_not_exist(town: BrowserTown, person: OpenBrowser) -> None:
    mine, theirs = shop_at(town), shop_at(town)
    paid = town.street.payer("jing", 10_000, pin=True).pay(theirs.plate(), 900)
    asked = theirs.till.request(500)["request_id"]
    page = at_the_till(person, mine).page
    for path in (
        f"/till/payments/{paid['payment_id']}",
        f"/till/requests/{asked}",
        f"/till/requests/{asked}/code.svg",
        f"/till/refunds/{new_id('rfd')}",
    ):
        answer = page.request.get(path)
        assert answer.status == 404, path
        assert "9.00" not in answer.text()


def test_a_browser_that_runs_no_script_shows_a_code_too(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    visitor = at_the_till(person, shop)
    page = visitor.page
    visitor.watch.forgives = True
    page.route("**/*.js", lambda route: route.abort())
    page.goto("/till")
    page.locator("#amount").fill("8.80")
    page.get_by_role("button", name="Show a code").click()
    page.wait_for_url("**/till/requests/req_*")
    page.locator(".code img").wait_for()
    visitor.looks_right()
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("status")).to_have_text("Taken back. Nothing was paid.")


def test_one_press_signs_sample_staff_in(person: OpenBrowser) -> None:
    for _ in range(2):  # Codes go to a telephone once a minute only; a second browser needs none.
        page = person("jing", language="en").go("/till")
        page.locator("button[data-sample]", has_text="Cashier").first.click()
        page.wait_for_url("**/till")
        connected(page)


def test_who_is_revoked_is_out_of_an_open_till(town: BrowserTown, person: OpenBrowser) -> None:
    shop = shop_at(town)
    page = at_the_till(person, shop).page
    member = next(each for each in shop.till.get("/v1/staff") if each["phone"] == shop.cashier)
    shop.till.post(f"/v1/staff/{member['member_id']}/revoke")
    type_amount(page, "1")
    page.get_by_role("button", name="Show a code").click()
    page.wait_for_url("**/staff/sign-in**")


def test_signing_out_leads_to_the_door(town: BrowserTown, person: OpenBrowser) -> None:
    page = at_the_till(person, shop_at(town)).page
    page.locator(".more summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/staff/sign-in")
    page.goto("/till")
    page.wait_for_url("**/staff/sign-in?next=/till")


def test_a_merchants_owner_is_appointed_and_chooses_a_pin(town: BrowserTown, person: OpenBrowser) -> None:
    till = town.street.till("jing")
    phone = f"+86139{next(_numbers):08d}"
    operator = town.street.operator("jing")
    invited = {"staff_id": "boss", "name": "王老板", "phone": phone}
    operator.post(f"/v1/operator/merchants/{till.merchant_id}/staff", invited)
    page = person("jing", language="en").go("/staff/sign-in")
    page.get_by_role("link", name="Invited").click()
    page.locator("#phone").fill(phone)
    page.get_by_role("button", name="Send the code").click()
    page.locator("[name=code]").fill(page.locator("[data-code]").inner_text())
    page.locator("[name=pin]").fill(PIN)
    page.get_by_role("button", name="Take this PIN").click()
    page.wait_for_url("**/console**")
    page.goto("/till")
    connected(page)


def pages_of(town: BrowserTown) -> Callable[[Visitor], None]:
    """Looks at every page of the till, with something in it."""
    shop = shop_at(town)
    payer = town.street.payer("wei", 100_000, pin=True)
    paid = payer.pay(shop.plate(), 5680)
    refund = shop.till.refund(paid["payment_id"], 1000)
    payer.pay(shop.plate(), 100)

    def walk(visitor: Visitor) -> None:
        page = visitor.page
        visitor.go("/staff/pin")
        visitor.looks_right()
        visitor.go("/till")
        visitor.looks_right()
        sign_in(page, shop.cashier, PIN)
        connected(page)
        visitor.looks_right()
        page.locator(".more summary").click()
        visitor.looks_right()
        page.locator(".more summary").click()
        type_amount(page, "12.80")
        page.locator("button[data-scan]").click()
        page.locator("#typed").wait_for()
        visitor.looks_right()
        page.locator("[data-back]").click()
        page.locator("[data-show]").click()
        page.locator("[data-code] img").wait_for()
        visitor.looks_right()
        for path in (
            "/till/payments",
            f"/till/payments/{paid['payment_id']}",
            f"/till/refunds/{refund['refund_id']}",
            "/till/shop",
            "/staff/choose",
        ):
            visitor.go(path)
            visitor.looks_right()

    return walk


@pytest.mark.parametrize(
    ("viewport", "language", "dark"),
    [(PHONE, "zh-CN", False), (PHONE, "en", True), (TABLET, "zh-CN", True), (DESK, "en", False)],
)
def test_every_page_looks_right(
    town: BrowserTown, person: OpenBrowser, viewport: dict[str, int], language: str, dark: bool
) -> None:
    pages_of(town)(person("jing", viewport=viewport, language=language, dark=dark))
