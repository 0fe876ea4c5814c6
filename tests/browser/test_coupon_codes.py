"""Codes of coupons: a sponsor's operator and a corner shop make them and hand them out, and people type them into their wallets."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import BrowserTown
from tests.browser.eyes import DESK, PHONE, OpenBrowser
from tests.browser.festival import Festival
from tests.browser.merchant_house import House, house
from tests.browser.test_institution_desk import second_operator, signed_in
from tests.browser.test_wallet_marketing import entered
from tests.network.street import new_id

LETTERS = re.compile(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}")


@pytest.fixture(scope="module")
def merchant(town: BrowserTown) -> House:
    return house(town)


@pytest.fixture(scope="module")
def campaign(town: BrowserTown) -> str:
    """Of jing's operator, for coupons."""
    desk = town.street.operator("jing")
    sponsor = {"reference": new_id("ref"), "kind": "OUTSIDE", "name": "书店联盟"}
    made = Festival(desk, desk.post("/v1/operator/sponsors", sponsor)["sponsor_id"])
    desk.post(f"/v1/operator/sponsors/{made.sponsor}/deposits", {"deposit_id": new_id("dep"), "amount": 50_000})
    return made.runs("COUPON", "读书月")


def downloaded(page: Page, folder: Path) -> list[str]:
    """The codes of the only batch that is still to be had."""
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download as CSV").click()
    coming.value.save_as(folder / coming.value.suggested_filename)
    head, *codes = (folder / coming.value.suggested_filename).read_text().split()
    assert head == "code"
    assert coming.value.suggested_filename.endswith(".csv")
    return codes


def test_an_operator_hands_out_codes_once_and_sees_which_were_used(
    campaign: str, town: BrowserTown, person: OpenBrowser, tmp_path: Path
) -> None:
    desk = person("jing", viewport=DESK, language="en")
    page = signed_in(desk, town.operator_token("jing"))
    desk.go(f"/desk/campaigns/{campaign}")
    page.get_by_text("New coupon").click()
    page.get_by_label("Its name, as people see it").fill("新书减八元")
    page.get_by_label("Amount off").fill("8")
    expect(page.get_by_label("Per cent")).to_be_hidden()
    page.get_by_label("From what price on").fill("30")
    page.get_by_label("How it is claimed").select_option("UNIQUE")
    page.get_by_role("button", name="Make the coupon").click()
    expect(page.get_by_text("No codes yet.")).to_be_visible()
    desk.looks_right()
    page.get_by_label("How many codes").fill("0")
    page.get_by_role("button", name="Make codes").click()
    expect(page.get_by_role("alert")).to_contain_text("How many codes: A whole number from 1 to 1,048,576")
    page.get_by_label("How many codes").fill("3")
    page.get_by_role("button", name="Make codes").click()
    codes = downloaded(page, tmp_path)
    assert len(set(codes)) == 3
    assert all(LETTERS.fullmatch(code) for code in codes)
    row = page.get_by_role("row").filter(has_text="Downloaded")
    expect(row).to_contain_text("by operator")
    desk.looks_right()
    _used_in_a_wallet(codes, town, person)
    page.reload()
    for index, count in ((1, "3"), (2, "1"), (3, "1")):
        expect(row.get_by_role("cell").nth(index)).to_have_text(count)
    viewer = person("jing", viewport=PHONE, language="zh-CN")
    shown = signed_in(viewer, second_operator(town, "coupon-viewer", "VIEWER"))
    viewer.go(page.url.removeprefix(town.url("jing")))
    expect(shown.get_by_text("已下载").or_(shown.get_by_text("下载", exact=False)).first).to_be_visible()
    expect(shown.get_by_role("button", name="生成券码")).to_have_count(0)
    viewer.looks_right()


def _used_in_a_wallet(codes: list[str], town: BrowserTown, person: OpenBrowser) -> None:
    payer = town.street.payer("jing", 50_000)
    visitor = entered(person, town, payer, "zh-CN")
    page = visitor.go("/wallet/offers")
    page.get_by_label("券码").fill(codes[0].lower().replace("-", " "))
    page.get_by_role("button", name="兑换").click()
    page.wait_for_url("**/wallet/coupons")
    expect(page.locator("li").filter(has_text="新书减八元")).to_be_visible()
    visitor.looks_right()
    visitor.go("/wallet/offers")
    page.get_by_label("券码").fill(codes[0])
    page.get_by_role("button", name="兑换").click()
    expect(page.get_by_role("alert")).to_have_text("这个券码已被使用。")
    assert payer.pay(town.street.till("wei").plate, 3_000)["paid"] == 2_200


def test_a_page_that_stood_open_does_not_give_the_codes_again(
    campaign: str, town: BrowserTown, person: OpenBrowser, tmp_path: Path
) -> None:
    desk = town.street.operator("jing")
    coupon = {
        "template_id": new_id("ctp"),
        "campaign_id": campaign,
        "name": "老书减一元",
        "terms": {"kind": "AMOUNT_OFF", "amount_off": 100, "validity": {"days": 5}, "code": "UNIQUE"},
        "stock": 10,
    }
    path = f"/v1/operator/coupon-templates/{desk.post('/v1/operator/coupon-templates', coupon)['template_id']}"
    batch = desk.post(f"{path}/codes", {"batch_id": new_id("ccb"), "count": 2})
    assert (batch["claimed"], batch["used"]) == (0, 0)
    here = f"/desk/campaigns/{campaign}/coupons/{coupon['template_id']}"
    pages = []
    for _ in range(2):
        visitor = person("jing", viewport=DESK, language="en")
        pages.append(signed_in(visitor, town.operator_token("jing")))
        visitor.go(here)
    assert len(downloaded(pages[0], tmp_path)) == 2
    pages[1].get_by_role("button", name="Download as CSV").click()
    expect(pages[1].get_by_role("alert")).to_contain_text("downloaded already")
    payer = town.street.payer("jing")
    code = desk.ask("GET", f"{path}/codes/{batch['batch_id']}").text.split()[1]
    payer.post("/v1/me/coupons/by-code", {"coupon_id": new_id("cpn"), "code": code})
    (found,) = desk.get(f"{path}/codes")
    assert (found["claimed"], found["used"]) == (1, 0)


def test_a_corner_shop_hands_out_coupons_with_codes(merchant: House, person: OpenBrowser, tmp_path: Path) -> None:
    visitor = merchant.enters(person("wei", viewport=PHONE, language="en"), "OWNER")
    page = visitor.go("/console/campaigns/new")
    expect(page.get_by_label("How many coupons")).to_be_hidden()
    page.get_by_label("How customers get it").select_option("UNIQUE")
    for label, text in (
        ("Its name, as customers see it", "老街坊券"),
        ("Amount off", "3"),
        ("From what price on", "10"),
        ("How many coupons", "5"),
        ("In all", "15"),
    ):
        page.get_by_label(label, exact=True).fill(text)
    visitor.looks_right()
    page.get_by_role("button", name="Start the campaign").click()
    page.get_by_text("Running").wait_for()
    visitor.looks_right()
    page.get_by_role("link", name="老街坊券").click()
    page.get_by_label("How many codes").fill("5")
    page.get_by_role("button", name="Make codes").click()
    codes = downloaded(page, tmp_path)
    assert len(codes) == 5
    expect(page.get_by_role("row").filter(has_text="Downloaded")).to_be_visible()
    visitor.looks_right()
    street = merchant.town.street
    payers = (street.payer("wei", 10_000) for _ in range(50))
    answers = ((payer, payer.ask("POST", "/v1/me/coupons/by-code", _claim(codes[0]))) for payer in payers)
    payer = next(payer for payer, answer in answers if answer.status_code == 201)  # One person in twenty is held out.
    assert payer.pay(merchant.till.plate, 1_500)["paid"] == 1_200
    assert payer.pay(street.till("wei").plate, 1_500)["paid"] == 1_500
    page.reload()
    expect(page.locator(".tile").filter(has_text="Paid with")).to_contain_text("1")
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused").wait_for()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="End").click()
    page.get_by_text("Ended").wait_for()
    expect(page.get_by_role("button", name="Make codes")).to_have_count(0)


def _claim(code: str) -> dict[str, str]:
    return {"coupon_id": new_id("cpn"), "code": code}
