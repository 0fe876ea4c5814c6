"""The switch's desk as two operators use it, in a real browser."""

import re

from playwright.sync_api import Page, expect

from hutong.codes.picture import qr_png
from tests.browser.conftest import BrowserTown
from tests.browser.eyes import DESK, PHONE, OpenBrowser, Visitor, comes

JING, WEI = "Jing Pay 京付", "Wei Wallet 微包"


def operator(person: OpenBrowser, name: str, *, language: str = "en", viewport: dict[str, int] = DESK) -> Visitor:
    """Somebody who came in by one press, as the sandbox offers it."""
    visitor = person("switch", language=language, viewport=viewport, dark=language == "en")
    page = visitor.go("/desk")
    page.locator(f'button[name=sample][value="{name}"]').click()
    page.wait_for_url(re.compile(r"/desk$"))
    return visitor


def follow(page: Page, name: str) -> Page:
    page.get_by_role("navigation", name="Menu").get_by_role("link", name=name, exact=False).click()
    return page


def test_two_operators_raise_a_cap_and_neither_could_alone(town: BrowserTown, person: OpenBrowser) -> None:
    one, other = operator(person, "operator"), operator(person, "colleague")
    before = town.street.cap_of("zhi")["cap"]
    page = one.go("/desk/positions/zhi")
    page.get_by_label("Amount, CNY").first.fill("1,234.56")
    page.get_by_label("Reason").first.fill("more before the holidays")
    page.get_by_role("button", name="Propose this").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change the cap of zhi")
    expect(page.get_by_role("button", name="Approve and do it")).to_have_count(0)
    one.looks_right()
    assert town.street.cap_of("zhi")["cap"] == before
    theirs = follow(other.page, "Approvals")
    theirs.get_by_role("link", name="Change the cap of zhi").first.click()
    theirs.get_by_role("button", name="Approve and do it").click()
    expect(theirs.get_by_text("Done", exact=True)).to_be_visible()
    assert town.street.cap_of("zhi")["cap"] == before + 123_456
    log = follow(one.page, "Audit log")
    log.get_by_role("link", name="Check the whole chain").click()
    expect(log.get_by_role("status")).to_contain_text("The chain holds")


def test_the_overview_renews_itself_and_tells_of_a_payment_between_two_institutions(
    town: BrowserTown, person: OpenBrowser
) -> None:
    visitor = operator(person, "operator")
    payer, till = town.street.payer("jing", 10_000), town.street.till("wei")
    assert payer.pay(till.request(4_321)["code"], 4_321)["state"] == "COMPLETED"
    expect(visitor.page.get_by_role("img", name=re.compile("Who pays whom")).last).to_be_visible()
    expect(visitor.page.locator(".sankey.wide title", has_text="Jing Pay")).not_to_have_count(0)
    visitor.looks_right()


def test_a_code_is_tried_from_a_picture(town: BrowserTown, person: OpenBrowser) -> None:
    visitor = operator(person, "operator")
    code = town.street.till("wei").request(880)["code"]
    page = follow(visitor.page, "Try a code")
    page.get_by_label("or a picture of it").set_input_files(
        {"name": "plate.png", "mimeType": "image/png", "buffer": qr_png(code)}
    )
    page.get_by_role("button", name="Whose is it?").click()
    expect(page.get_by_role("heading", name="It is Wei Wallet 微包's")).to_be_visible()
    visitor.looks_right()


def test_a_payments_story_goes_across_the_nodes(town: BrowserTown, person: OpenBrowser) -> None:
    payer, till = town.street.payer("jing", 10_000), town.street.till("wei")
    paid = payer.pay(till.request(777)["code"], 777)
    assert paid["state"] == "COMPLETED"
    visitor = operator(person, "operator")
    steps = visitor.page.locator(".steps li b")
    comes(visitor.page, f"/desk/payments/{paid['payment_id']}", steps.get_by_text("Completed", exact=True), 3)
    told = {" · ".join(text.split(" · ")[:2]) for text in visitor.page.locator(".steps li").all_inner_texts()}
    told = {text.splitlines()[0] for text in told}
    assert {f"Money held · {JING}", "Reserved · Hutong Switch 互通", f"Accepted · {WEI}"} <= told
    assert {f"Completed · {name}" for name in (JING, "Hutong Switch 互通", WEI)} <= told
    expect(steps.first).to_have_text("Money held")
    visitor.looks_right()


def test_the_desk_fits_a_phone_and_speaks_chinese(person: OpenBrowser) -> None:
    visitor = operator(person, "operator", language="zh-CN", viewport=PHONE)
    page = visitor.page
    menu = page.get_by_role("link", name="参与机构", exact=True)
    expect(menu).to_be_hidden()
    page.get_by_text("菜单").first.click()
    menu.click()
    page.get_by_role("link", name="wei", exact=True).click()
    expect(page.get_by_role("heading", name="码规则")).to_be_visible()
    visitor.looks_right()
    page.get_by_text("菜单").first.click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", name="操作员登录")).to_be_visible()
    visitor.looks_right()
