"""A complaint as three people see it: the payer in the wallet, the merchant in the console, the operator at the desk."""

from io import BytesIO

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import BrowserTown
from tests.browser.eyes import DESK, PHONE, OpenBrowser, comes
from tests.browser.merchant_house import House, house
from tests.browser.test_institution_desk import signed_in
from tests.browser.test_wallet_people import come_in, holds


def drawn(width: int, height: int, kind: str, *, side: int = 0, noisy: bool = False) -> bytes:
    """A bowl on a table; with `side` it says which way up it was held, and noisy it is a photograph's size."""
    picture = (
        Image.effect_noise((width, height), 90).convert("RGB")
        if noisy
        else Image.new("RGB", (width, height), "#d8c9a8")
    )
    pen = ImageDraw.Draw(picture)
    pen.ellipse((width // 5, height // 3, 4 * width // 5, 5 * height // 6), fill="#b0472f", outline="white", width=6)
    out, exif = BytesIO(), Image.Exif()
    if side:
        exif[0x0112] = side
    picture.save(out, kind, **({"exif": exif, "quality": 95} if kind == "JPEG" else {}))
    return out.getvalue()


PHOTO = drawn(640, 480, "PNG")
TALL = drawn(2_400, 1_800, "JPEG", side=6, noisy=True)
SLIP = drawn(320, 500, "JPEG")


@pytest.fixture(scope="module")
def merchant(town: BrowserTown) -> House:
    return house(town)


def steps_become(page: Page, path: str, count: int) -> list[str]:
    """The history, once it has so many turns; each on its first line."""
    comes(page, path, page.locator(".steps li"), count)
    return [each.splitlines()[0] for each in page.locator(".steps li").all_inner_texts()]


def chosen(name: str, content: bytes) -> FilePayload:
    """A file as somebody chooses it; its name says nothing."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def pictures_come(page: Page, path: str, count: int) -> list[int]:
    """How wide the pictures on a page of a complaint are, once all have come and are drawn."""
    shots = page.locator(".shots img")
    comes(page, path, shots, count)
    for each in shots.all():
        each.scroll_into_view_if_needed()
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=each.element_handle())
    return [each.evaluate("image => image.naturalWidth") for each in shots.all()]


def complains(page: Page, payment_id: str) -> str:
    """The payer complains, having asked for more than was paid at first; the page of the complaint."""
    page.goto(f"/wallet/bills/{payment_id}")
    page.get_by_role("link", name="Complain to the merchant").click()
    page.get_by_label("What happened").fill("面是凉的\n少一份小菜")
    page.get_by_label("How much you want back").fill("40")
    page.get_by_label("Pictures").set_input_files([chosen("../1.png", PHOTO), chosen("面.jpg", TALL)])
    page.get_by_role("button", name="Send the complaint").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_text("Pictures already chosen: 2")).to_be_visible()
    page.get_by_label("How much you want back").fill("10")
    page.get_by_label("A telephone number").fill("13800138000")
    page.get_by_role("button", name="Send the complaint").click()
    page.wait_for_url("**/wallet/complaints/grv_*")
    return "/wallet" + page.url.partition("/wallet")[2]


def refunds(page: Page) -> str:
    """The merchant answers with a refund; the page of the complaint."""
    page.locator("tbody a").first.click()
    expect(page.get_by_text("少一份小菜")).to_be_visible()
    expect(page.get_by_text("13800138000")).to_be_visible()
    expect(page.get_by_role("button", name="It is done: complete")).to_have_count(0)
    page.get_by_label("Your answer").fill("抱歉，退您小菜钱")
    page.get_by_label("Pictures").set_input_files(chosen("slip", SLIP))
    page.get_by_label("Amount to refund now").fill("10")
    page.get_by_role("button", name="Agree to a refund").click()
    theirs = "/console" + page.url.partition("/console")[2]
    assert steps_become(page, theirs, 3)[2] == "¥10.00 was refunded"
    return theirs


def takes_up(page: Page) -> None:
    """The operator looks after it, and says so."""
    page.locator("tbody a").first.click()
    page.get_by_role("button", name="I look after it").click()
    page.get_by_label("In the institution's name").fill("我们会跟进")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("我们会跟进")).to_be_visible()


def test_a_payer_elsewhere_complains_and_is_given_money_back(
    town: BrowserTown, person: OpenBrowser, merchant: House
) -> None:
    payer = town.street.payer("jing", 20_000, pin=True)
    paid = payer.pay(merchant.till.plate, 3_000)
    wallet = person("jing", language="en", viewport=PHONE)
    come_in(town, wallet.page, payer)
    page = wallet.page
    mine = complains(page, paid["payment_id"])
    assert steps_become(page, mine, 1) == ["The payer complained"]
    assert pictures_come(page, mine, 2) == [640, 1_500]  # The second was too big, and lay on its side.
    wallet.looks_right()

    shop = merchant.enters(person("wei", language="en", viewport=DESK), "OWNER")
    console = shop.go("/console/complaints")
    shop.looks_right()
    theirs = refunds(console)
    assert pictures_come(console, theirs, 3) == [640, 1_500, 320]
    shop.looks_right()
    assert pictures_come(page, mine, 3) == [640, 1_500, 320]
    wallet.looks_right()
    with page.expect_popup() as opened:
        page.locator(".shots a").first.click()
    expect(opened.value.locator("img")).to_be_visible()
    assert opened.value.evaluate("document.contentType") == "image/png"
    opened.value.close()

    desk = person("wei", language="en", viewport=DESK)
    signed_in(desk, town.operator_token("wei"))
    operator = desk.go("/desk/complaints")
    desk.looks_right()
    takes_up(operator)
    assert pictures_come(operator, "/desk" + operator.url.partition("/desk")[2], 3) == [640, 1_500, 320]
    desk.looks_right()

    console.goto(theirs)
    console.get_by_role("button", name="It is done: complete").click()
    expect(console.get_by_text("Complaint closed")).to_be_visible()
    assert steps_become(page, mine, 5) == [
        "The payer complained",
        "The merchant agreed to a refund",
        "¥10.00 was refunded",
        "The merchant's institution wrote",
        "The merchant completed it",
    ]
    page.get_by_label("Your answer").fill("汤也要")
    page.get_by_role("button", name="It is not solved: continue").click()
    steps_become(page, mine, 6)
    page.get_by_role("button", name="Withdraw the complaint").click()
    assert steps_become(page, mine, 7)[-1] == "The payer withdrew the complaint"
    expect(page.get_by_label("Your answer")).to_have_count(0)
    holds(page, "¥180.00")
    page.goto("/wallet/bills")
    page.get_by_role("link", name="Complaints").click()
    expect(page.get_by_text("Complaint closed")).to_be_visible()
    wallet.looks_right()


def test_pages_of_a_complaint_in_chinese_and_of_nobody_elses(
    town: BrowserTown, person: OpenBrowser, merchant: House
) -> None:
    payer, other = town.street.payer("wei", 20_000, pin=True), town.street.payer("wei", 0, pin=True)
    paid = payer.pay(merchant.till.plate, 1_500)
    wallet = person("wei", language="zh-CN", viewport=PHONE, dark=True)
    come_in(town, wallet.page, payer)
    page = wallet.go(f"/wallet/complaints/new?payment={paid['payment_id']}")
    page.get_by_label("未提供商品或服务").check()
    page.locator("#text").fill("没送到")
    page.get_by_role("button", name="提交投诉").click()
    page.wait_for_url("**/wallet/complaints/grv_*")
    mine = page.url.removeprefix(town.url("wei"))
    assert steps_become(page, mine, 1) == ["付款人发起投诉"]
    wallet.looks_right()
    stranger = person("wei", language="zh-CN").page
    come_in(town, stranger, other)
    stranger.goto(mine)
    assert "没送到" not in stranger.content()
    page.goto(mine)
    page.get_by_label("图片").set_input_files(chosen("收据.png", SLIP))
    page.get_by_label("您的答复").fill("看")
    page.get_by_role("button", name="发送").click()
    assert pictures_come(page, mine, 1) == [320]
    wallet.looks_right()
    link = str(page.locator(".shots a").get_attribute("href"))
    refused = stranger.goto(link)
    assert refused is not None
    assert refused.headers["content-type"].startswith("text/html")
    page.get_by_label("图片").set_input_files(chosen("网页.png", b"<html>"))
    page.get_by_label("您的答复").fill("这个呢")
    page.get_by_role("button", name="发送").click()
    expect(page.get_by_role("alert")).to_contain_text("无法识别图片")
    wallet.looks_right()
