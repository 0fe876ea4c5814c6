"""Paying and being paid in the wallet's pages, as people do: in a real browser, against the running network."""

import base64
import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import segno
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from hutong.codes.payment_code import STEP_NS, PaymentCodeGenerator
from hutong.codes.picture import qr_png, read_picture
from hutong.kernel.clock import NS_PER_MS
from tests.browser.conftest import BrowserTown
from tests.browser.eyes import DESK, OpenBrowser, Visitor, live_code, shown_code
from tests.network.street import PIN, Payer, Till, comes_to, draft_campaign, new_id

FUNDS = 5000_00
VECTORS = Path(__file__).parents[1] / "vectors" / "payment_code.json"


def signed_in(person: OpenBrowser, payer: Payer, **how: Any) -> Visitor:
    """The payer's wallet, open in a browser: it has the session of the payer's phone."""
    visitor = person(payer.node, **how)
    cookie = {"name": f"wallet-{payer.node}", "value": payer.token, "url": payer.url}
    visitor.context.add_cookies([cookie])  # type: ignore[list-item]
    visitor.page.emulate_media(reduced_motion="reduce")
    return visitor


@pytest.fixture
def payer(town: BrowserTown) -> Payer:
    return town.street.payer("jing", FUNDS, pin=True)


@pytest.fixture
def till(town: BrowserTown) -> Till:
    return town.street.till("wei")


def module(page: Page, name: str, call: str) -> Any:
    """What a function of one of our modules says, in the browser that will run it."""
    path = page.locator("link[href*='kit.css']").get_attribute("href")
    assert path is not None
    return page.evaluate(f"import('{path.replace('kit.css', name)}').then(({{{call.partition('(')[0]}}}) => {call})")


# What the browser draws and computes by itself.


def test_a_qr_symbol_is_drawn_as_the_standard_says(person: OpenBrowser) -> None:
    page = person("jing").go("/")
    for mask in range(8):
        drawn = module(page, "qr.js", f"qr('312345678901234567', {mask})")
        ours = segno.make("312345678901234567", version=1, error="q", mask=mask, boost_error=False, micro=False)
        assert [[int(dark) for dark in row] for row in drawn] == [list(row) for row in ours.matrix]
    for text in ("0", "00", "314", "312345678901234567", "9" * 27):
        rows = module(page, "qr.js", f"qr('{text}')")
        line = b"".join(bytes([255] * 4 + [0 if dark else 255 for dark in row] + [255] * 4) for row in rows)
        edge = bytes([255] * 29 * 4)
        picture = Image.frombytes("L", (29, 29), edge + line + edge).resize((290, 290), Image.Resampling.NEAREST)
        assert [found.text for found in zxingcpp.read_barcodes(picture)] == [text]


def test_a_bar_code_is_read_as_what_it_says(person: OpenBrowser) -> None:
    page = person("jing").go("/")
    for tens in range(10):
        text = "".join(f"{tens}{ones}" for ones in range(10))
        row: list[int] = []
        for at, width in enumerate(module(page, "code128.js", f"code128('{text}')")):
            row += [255 if at % 2 else 0] * width
        line = bytes([255] * 20 + row + [255] * 20)
        picture = Image.frombytes("L", (len(line), 1), line).resize((3 * len(line), 60), Image.Resampling.NEAREST)
        (found,) = zxingcpp.read_barcodes(picture)
        assert (found.format, found.text) == (zxingcpp.BarcodeFormat.Code128, text)


def test_a_browser_makes_the_payment_codes_that_the_institution_reads(person: OpenBrowser) -> None:
    page = person("jing").go("/")
    vectors = json.loads(VECTORS.read_text())["vectors"]
    for vector in vectors:
        seed, head = bytes.fromhex(vector["seed"]), vector["code"][:11]
        for now_ns in (vector["now_ns"], vector["now_ns"] + 7 * STEP_NS, 2**32 * STEP_NS):
            at_ms = now_ns // NS_PER_MS
            key = f"await importSeed('{base64.b64encode(seed).decode()}')"
            path = page.locator("link[href*='kit.css']").get_attribute("href")
            assert path is not None
            made = page.evaluate(
                f"import('{path.replace('kit.css', 'payment-code.js')}')"
                f".then(async ({{importSeed, paymentCode}}) => paymentCode({key}, '{head}', {at_ms}))"
            )
            assert made == PaymentCodeGenerator(head, seed).generate(now_ns)


# Scanning and paying.


def pay(page: Page, pin: str = PIN) -> None:
    page.get_by_label("Your PIN").fill(pin)
    page.locator("button[data-pay]").click()


def test_a_plate_is_paid_from_a_picture_typed_on_the_keys(
    person: OpenBrowser, payer: Payer, till: Till, tmp_path: Path
) -> None:
    visitor = signed_in(person, payer, language="en")
    page = visitor.go("/wallet/scan")
    visitor.looks_right()
    picture = tmp_path / "plate.png"
    picture.write_bytes(qr_png(till.plate))
    page.get_by_label("A picture of the code").set_input_files(picture)
    page.get_by_role("heading", name="胡同面馆").wait_for()
    expect(page.get_by_text("At Wei Wallet 微包")).to_be_visible()
    visitor.looks_right()
    for key in ["1", "2", ".", "8", "5", "Erase", "0"]:
        page.get_by_role("button", name=key, exact=True).click()
    page.get_by_role("button", name="Next").click()
    expect(page.locator("button[data-pay]")).to_be_disabled()
    visitor.looks_right()
    for key in PIN:
        page.get_by_role("button", name=key, exact=True).click()
    page.get_by_role("button", name="Pay ¥12.80").click()
    page.get_by_role("heading", name="Payment successful").wait_for()
    expect(page.get_by_text("¥12.80").first).to_be_visible()
    visitor.looks_right()
    assert payer.balance == FUNDS - 1280
    assert PIN not in page.url
    page.reload()
    page.get_by_role("heading", name="Payment successful").wait_for()
    assert payer.balance == FUNDS - 1280


def test_what_the_shop_takes_off_a_plate_is_shown_before_it_is_paid(
    person: OpenBrowser, town: BrowserTown, payer: Payer, till: Till
) -> None:
    town.street.own_campaign(till, {"rows": [{"off": 150, "when": {"amount": ">= 1000"}}]})
    visitor = signed_in(person, payer, language="en")
    page = visitor.go(f"/wallet/scan?code={till.plate}")
    page.get_by_text("The shop takes something off").wait_for()
    visitor.looks_right()
    page.get_by_label("Amount (yuan)").fill("12.80")
    page.get_by_role("button", name="Next").click()
    page.get_by_text("The shop's discount").wait_for()
    visitor.looks_right()
    pay(page)
    page.get_by_role("heading", name="Payment successful").wait_for()
    assert payer.balance == FUNDS - 1130


def test_a_pin_typed_before_the_page_has_all_its_parts_stays_and_is_gone_on_coming_back(
    person: OpenBrowser, payer: Payer, till: Till
) -> None:
    page = signed_in(person, payer, language="en").go(f"/wallet/scan?code={till.request(2850)['code']}")
    pin, button = page.get_by_label("Your PIN"), page.locator("button[data-pay]")
    pin.fill(PIN)
    for is_back, typed in ((False, PIN), (True, "")):
        page.evaluate("persisted => dispatchEvent(new PageTransitionEvent('pageshow', {persisted}))", is_back)
        expect(pin).to_have_value(typed)
        expect(button).to_be_disabled() if is_back else expect(button).to_be_enabled()


def test_a_wrong_pin_is_said_and_the_right_one_pays_then(person: OpenBrowser, payer: Payer, till: Till) -> None:
    code = till.request(2850)["code"]
    page = signed_in(person, payer, language="en").go("/wallet/scan")
    page.get_by_label("Or what the code says").fill(code)
    page.get_by_role("button", name="Go on").click()
    pay(page, "111222")
    page.get_by_role("alert").get_by_text("The PIN is wrong").wait_for()
    pay(page)
    page.get_by_role("heading", name="Payment successful").wait_for()
    assert payer.balance == FUNDS - 2850


def test_what_is_sent_twice_is_paid_once(person: OpenBrowser, payer: Payer, till: Till) -> None:
    page = signed_in(person, payer, language="en").go(f"/wallet/scan?code={till.plate}")
    asked = page.url
    page.get_by_label("Amount (yuan)").fill("7")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Your PIN").fill(PIN)
    # An impatient finger, past the script that would hold it back.
    statuses = page.evaluate(
        """async () => {
          const form = document.querySelector("form[method=post]");
          const send = () => fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
          return (await Promise.all([send(), send(), send()])).map((answer) => answer.url.includes("/wallet/paid/"));
        }"""
    )
    assert statuses == [True, True, True]
    assert payer.balance == FUNDS - 700
    page.goto(asked)  # The page that asked leads to what became of it.
    page.get_by_role("heading", name="Payment successful").wait_for()


def test_what_the_wallet_does_not_hold_is_not_asked_for(person: OpenBrowser, payer: Payer, till: Till) -> None:
    code = till.request(FUNDS + 1)["code"]
    visitor = signed_in(person, payer, language="en", dark=True)
    page = visitor.go(f"/wallet/scan?code={code}")
    page.get_by_text("There is not enough in the wallet.").wait_for()
    expect(page.get_by_label("Your PIN")).to_have_count(0)
    visitor.looks_right()


def test_what_cannot_be_paid_says_why_in_the_readers_language(person: OpenBrowser, payer: Payer, till: Till) -> None:
    page = signed_in(person, payer).go("/wallet/scan")

    def scan(text: str) -> Page:
        page.locator("#code").fill(text)
        page.get_by_role("button", name="继续").click()
        return page

    scan("no code at all").get_by_text("这不是可以付款的码").wait_for()
    scan(payer.payment_code()).get_by_text("这是付款码，只能由收银台扫描").wait_for()
    scan("https://wei.hutong.example/q/M0000000000000").get_by_role("alert").wait_for()
    paid = till.request(100)
    payer.pay(paid["code"], 100)
    scan(paid["code"]).get_by_text("这笔款已经付过了").wait_for()


def test_a_camera_finds_the_code_by_itself(person: OpenBrowser, payer: Payer, till: Till) -> None:
    visitor = signed_in(person, payer, language="en", sees=till.plate)
    page = visitor.go("/wallet/scan")
    page.get_by_role("heading", name="How much?").wait_for()


def test_a_payment_not_known_yet_changes_by_itself(person: OpenBrowser, payer: Payer, till: Till) -> None:
    """The page is shown as while nobody knows; what it asks for is the real answer."""
    order = payer.order(payer.quote(till.plate, 500), 500)
    payer.post("/v1/payments", order)
    page = signed_in(person, payer, language="en").page
    path = f"/wallet/paid/{order['payment_id']}"
    answers = iter(["PENDING", "PENDING"])

    def not_known_at_first(route: Any) -> None:
        state = next(answers, None)
        route.continue_() if state is None else route.fulfill(json={"state": state})

    page.route(f"**{path}/state", not_known_at_first)
    page.route(f"**{path}", lambda route: route.fulfill(body=PENDING % path, content_type="text/html"), times=1)
    page.goto(path)
    page.get_by_role("heading", name="Payment successful").wait_for()


PENDING = """<!doctype html><meta name="csrf" content=""><p data-pending="%s/state">Not known yet</p>
<link rel="stylesheet" href="/static/0/kit.css"><script type="module" src="/static/0/pay.js"></script>"""


def test_who_is_signed_out_comes_back_to_the_code(person: OpenBrowser, town: BrowserTown, till: Till) -> None:
    page = person("jing", language="en").go(f"/wallet/scan?code={till.plate}")
    assert page.url.startswith(f"{town.url('jing')}/wallet/sign-in?next=")
    expect(page.locator("input[name=next]").first).to_have_value(f"/wallet/scan?code={till.plate}")


# The payment code.


def test_a_till_reads_the_payment_code_off_the_screen_and_is_paid(
    person: OpenBrowser, payer: Payer, till: Till
) -> None:
    visitor = signed_in(person, payer, language="en")
    page = visitor.go("/wallet/code")
    code = live_code(page)
    visitor.looks_right()
    assert read_picture(page.locator("[data-code]").screenshot()) == (code,)
    bars = Image.open(io.BytesIO(page.locator("[data-bars]").screenshot()))
    assert [found.text for found in zxingcpp.read_barcodes(bars)] == [code]
    assert till.charge(code, 1280)["state"] == "PAID"
    page.locator("dialog[data-done]").get_by_text("Paid ¥12.80 to 胡同面馆").wait_for()
    comes_to(lambda: payer.balance, FUNDS - 1280)


def test_a_charge_that_needs_the_pin_asks_for_it_live(person: OpenBrowser, town: BrowserTown, till: Till) -> None:
    payer = town.street.payer("jing", FUNDS, pin=True, tier="III")
    visitor = signed_in(person, payer, language="en")
    page = visitor.go("/wallet/code")
    code = live_code(page)
    assert till.charge(code, 1500_00)["state"] == "WAITING"
    asked = page.get_by_role("dialog", name="Pay this?")
    asked.get_by_text("¥1,500.00").wait_for()
    visitor.looks_right()
    asked.get_by_label("Your PIN").fill("111222")
    asked.get_by_role("button", name="Pay", exact=True).click()
    asked.get_by_role("alert").get_by_text("The PIN is wrong").wait_for()
    asked.get_by_label("Your PIN").fill(PIN)
    asked.get_by_role("button", name="Pay", exact=True).click()
    page.get_by_role("heading", name="Payment successful").wait_for()
    comes_to(lambda: payer.balance, FUNDS - 1500_00)


def test_what_the_shop_takes_off_a_scanned_code_is_shown_before_the_pin(
    person: OpenBrowser, town: BrowserTown, till: Till
) -> None:
    town.street.own_campaign(till, {"rows": [{"off": 1500, "when": {"amount": ">= 1000"}}]})
    for language, note, name in (
        ("en", "¥15.00 off ¥1,500.00: The shop's discount", "Pay this?"),
        ("zh-CN", "原价¥1,500.00，优惠¥15.00：商家优惠", "确认付款？"),
    ):
        payer = town.street.payer("jing", FUNDS, pin=True, tier="III")
        visitor = signed_in(person, payer, language=language)
        page = visitor.go("/wallet/code")
        body = {"reference": new_id("r"), "amount": 1500_00, "way": "PAYMENT_CODE", "payer_code": live_code(page)}
        assert till.post("/v1/charges", body)["state"] == "WAITING"
        asked = page.locator("dialog[data-ask]")
        asked.get_by_role("heading", name=name).wait_for()
        asked.get_by_text(note).wait_for()
        asked.get_by_text("¥1,485.00").wait_for()
        visitor.looks_right()
        page.reload()  # Who opens the page later is asked in the same words.
        asked.get_by_text(note).wait_for()
        if language == "en":
            asked.get_by_role("button", name="No, I don't pay this").click()
            comes_to(partial(_state, till, body), "REJECTED")
    asked.locator("input").first.fill(PIN)
    asked.locator("[data-yes]").click()
    page.wait_for_url("**/wallet/paid/**")
    comes_to(lambda: payer.balance, FUNDS - 1485_00)


def test_a_price_that_is_another_by_the_time_of_the_pin_is_asked_for_anew(
    person: OpenBrowser, town: BrowserTown, till: Till
) -> None:
    desk = town.street.operator("jing")
    sponsor = desk.post("/v1/operator/sponsors", {"reference": new_id("ref"), "kind": "OUTSIDE", "name": "消费节"})
    path = f"/v1/operator/sponsors/{sponsor['sponsor_id']}/deposits"
    desk.post(path, {"deposit_id": new_id("dep"), "amount": 5_000})
    terms = {"rules": {"rows": [{"off": 300, "when": {"merchant": f"'wei/{till.merchant_id}'"}}]}, "holdout_bps": 0}
    paid_by = [{"sponsor_id": sponsor["sponsor_id"]}]
    body = draft_campaign(kind="DISCOUNT", side="PAYER", sponsors=paid_by, terms=terms, budget=5_000)
    campaign = f"/v1/operator/campaigns/{desk.post('/v1/operator/campaigns', body)['campaign_id']}"
    desk.post(f"{campaign}/start")
    try:
        payer = town.street.payer("jing", FUNDS, pin=True, tier="III")
        visitor = signed_in(person, payer, language="en")
        page = visitor.go("/wallet/code")
        assert till.charge(live_code(page), 1500_00)["state"] == "WAITING"
        asked = page.locator("dialog[data-ask]")
        asked.get_by_text("¥3.00 off ¥1,500.00: 立减").wait_for()
        expect(asked.locator("[data-amount]")).to_have_text("¥1,497.00")
    finally:
        desk.post(f"{campaign}/end")
    asked.get_by_label("Your PIN").fill(PIN)
    asked.get_by_role("button", name="Pay", exact=True).click()
    asked.get_by_role("alert").get_by_text("The discount is no longer there").wait_for()
    expect(asked.locator("[data-amount]")).to_have_text("¥1,500.00")
    visitor.looks_right()
    asked.get_by_label("Your PIN").fill(PIN)
    asked.get_by_role("button", name="Pay", exact=True).click()
    page.wait_for_url("**/wallet/paid/**")
    comes_to(lambda: payer.balance, FUNDS - 1500_00)


def _state(till: Till, charge: dict[str, Any]) -> str:
    return str(till.post("/v1/charges", charge)["state"])


def test_a_charge_is_declined_and_the_till_hears_it(person: OpenBrowser, town: BrowserTown, till: Till) -> None:
    payer = town.street.payer("jing", FUNDS, pin=True, tier="III")
    page = signed_in(person, payer, language="en").go("/wallet/code")
    body = {"reference": new_id("r"), "amount": 1500_00, "way": "PAYMENT_CODE", "payer_code": shown_code(page)}
    assert till.post("/v1/charges", body)["state"] == "WAITING"
    page.get_by_role("button", name="No, I don't pay this").click()
    page.get_by_role("dialog", name="Pay this?").wait_for(state="hidden")
    comes_to(lambda: till.post("/v1/charges", body)["reason"], "DECLINED_BY_PAYER")
    assert payer.balance == FUNDS


def test_without_a_network_the_code_is_made_and_renewed_all_the_same(
    person: OpenBrowser, payer: Payer, till: Till
) -> None:
    visitor = signed_in(person, payer, language="en")
    page = visitor.go("/wallet/code")
    first = shown_code(page)
    page.wait_for_function("caches.match('/wallet/code')")
    visitor.cut_off()
    page.clock.install()
    page.goto("/wallet/code")
    page.get_by_text("No connection: the code works all the same").wait_for()
    assert shown_code(page)[:11] == first[:11]
    page.clock.fast_forward(60_000)
    page.wait_for_function("before => document.querySelector('[data-code]').dataset.shows !== before", arg=first)
    visitor.back_online()


def test_who_signs_out_leaves_nothing_to_make_codes_from(person: OpenBrowser, payer: Payer) -> None:
    visitor = signed_in(person, payer, language="en")
    page = visitor.go("/wallet/code")
    shown_code(page)
    page.wait_for_function("caches.match('/wallet/code')")
    page.goto("/wallet/sign-in")
    page.wait_for_function("caches.match('/wallet/code').then((kept) => !kept)")
    page.wait_for_function("indexedDB.databases().then((all) => all.length === 0)")


# Being paid.


def test_money_is_announced_as_it_arrives(person: OpenBrowser, town: BrowserTown, payer: Payer) -> None:
    visitor = signed_in(person, payer, language="en", viewport=DESK)
    page = visitor.go("/wallet/receive")
    page.get_by_label("Amount (yuan), if it is fixed").fill("33.50")
    page.get_by_label("Note").fill("AA 火锅")
    with page.expect_response("**/wallet/news"):  # From then on it is heard.
        page.get_by_role("button", name="Make the code").click()
    page.locator(".mine").get_by_text("¥33.50").wait_for()
    visitor.looks_right()
    text = str(page.locator("[data-shown]").get_attribute("data-shown"))
    assert read_picture(page.locator(".mine .code").screenshot()) == (text,)
    other = town.street.payer("zhi", FUNDS)
    assert other.quote(text)["amount"] == 3350
    assert other.pay(text, 3350)["state"] == "COMPLETED"
    page.get_by_text("Received ¥33.50 from *小明").wait_for()
    visitor.looks_right()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the picture").click()
    assert read_picture(Path(saved.value.path()).read_bytes()) == (text,)


def test_a_code_that_was_deactivated_is_paid_no_more(person: OpenBrowser, town: BrowserTown, payer: Payer) -> None:
    page = signed_in(person, payer, language="en").go("/wallet/receive")
    text = str(page.locator("[data-shown]").get_attribute("data-shown"))
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Deactivate Any amount").click()
    page.get_by_text("You have no code now").wait_for()
    refused = town.street.payer("zhi").refused("/v1/codes/consult", {"code": text, "amount": 100})
    assert refused["reason"] == "CODE_NOT_RESOLVED"


def test_nobody_sees_or_ends_what_is_anothers(person: OpenBrowser, town: BrowserTown, payer: Payer, till: Till) -> None:
    order = payer.order(payer.quote(till.plate, 500), 500)
    payer.post("/v1/payments", order)
    other = town.street.payer("jing", pin=True)
    page = signed_in(person, other, language="en").page
    for path in (f"/wallet/paid/{order['payment_id']}", f"/wallet/paid/{order['payment_id']}/state"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 404


# Behind a plate.


def test_any_phones_camera_leads_to_a_choice_of_wallets(person: OpenBrowser, till: Till) -> None:
    visitor = person("wei", language="en")
    page = visitor.go(till.plate.partition("wei.hutong.example")[2])
    page.get_by_role("heading", name="Pay 胡同面馆").wait_for()
    expect(page.get_by_role("link", name="Jing Pay 京付")).to_be_visible()
    visitor.looks_right()


def test_the_wallet_can_be_installed(person: OpenBrowser, town: BrowserTown) -> None:
    page = person("jing", language="en").go("/wallet/sign-in")
    manifest = page.request.get("/wallet/manifest.webmanifest").json()
    assert manifest["start_url"] == "/wallet"
    for icon in manifest["icons"]:
        with Image.open(io.BytesIO(page.request.get(icon["src"]).body())) as picture:
            assert icon["sizes"] == f"{picture.width}x{picture.height}"
