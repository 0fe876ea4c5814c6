"""The institution's desk, as an operator works at it; and a merchant that applies and is taken on."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import BrowserTown
from tests.browser.eyes import DESK, PHONE, OpenBrowser, Visitor
from tests.network.street import Client, Payer, Till, new_id


@dataclass
class Cast:
    """Who the desk looks at."""

    payer: Payer
    till: Till
    payment: str
    application: str


@pytest.fixture(scope="module")
def cast(town: BrowserTown) -> Cast:
    street = town.street
    payer, till = street.payer("jing", 50_000), street.till("jing", 60)
    payment = payer.pay(street.till("wei").plate, 2_560)["payment_id"]
    payer.pay(till.plate, 1_280)
    applied = {
        "application_id": new_id("apl"),
        "legal_name": "北京胡同面馆有限公司",
        "licence": "91110101MA01ABCD2X",
        "name": "胡同面馆",
        "latin_name": "HUTONG NOODLES",
        "city": "北京",
        "latin_city": "BEIJING",
        "mcc": "5812",
        "contact_name": "王小明",
        "contact_phone": "13800138000",
    }
    street.stranger("jing").post("/v1/merchant-applications", applied)
    return Cast(payer, till, payment, str(applied["application_id"]))


def signed_in(visitor: Visitor, token: str) -> Page:
    page = visitor.go("/desk")
    page.locator("#token").fill(token)
    page.locator("form:has(#token) button").click()
    page.wait_for_url("**/desk")
    return page


def second_operator(town: BrowserTown, name: str, role: str = "OPERATOR", node: str = "jing") -> str:
    """Another operator of an institution; the token."""
    first: Client = town.street.operator(node)
    return str(first.put(f"/v1/operators/{name}", {"role": role})["token"])


@pytest.mark.parametrize(
    ("viewport", "language", "dark"), [(DESK, "zh-CN", False), (PHONE, "en", True)], ids=["desk", "phone"]
)
def test_every_page_looks_right(
    town: BrowserTown, person: OpenBrowser, cast: Cast, viewport: dict[str, int], language: str, dark: bool
) -> None:
    visitor = person("jing", viewport=viewport, language=language, dark=dark)
    signed_in(visitor, town.operator_token("jing"))
    for path in (
        "/desk",
        f"/desk/users/{cast.payer.user_id}",
        f"/desk/merchants/{cast.till.merchant_id}",
        f"/desk/applications/{cast.application}",
        f"/desk/payments/{cast.payment}",
        "/desk/recalls",
        "/desk/complaints",
        f"/desk/ledger?name={cast.payer.user_id}",
        "/desk/ledger/trial-balance",
        "/desk/reconciliation",
        "/desk/settlement",
        "/desk/campaigns",
        "/desk/campaigns/new",
        f"/desk/campaigns/traits?id={cast.payer.user_id}",
        f"/desk/campaigns/traits?id={cast.till.merchant_id}",
        "/desk/policies?channel=STATIC&tier=2&verified=1",
    ):
        visitor.go(path)
        visitor.looks_right()


def test_a_stranger_is_led_to_the_sign_in_and_a_viewer_changes_nothing(
    town: BrowserTown, person: OpenBrowser, cast: Cast
) -> None:
    visitor = person("jing", viewport=DESK, language="en")
    for path in ("/desk/users", f"/desk/users/{cast.payer.user_id}", "/desk/ledger", "/desk/audit"):
        assert "/desk/sign-in" in visitor.go(path).url
    page = signed_in(visitor, second_operator(town, "vera", "VIEWER"))
    visitor.go(f"/desk/users/{cast.payer.user_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("王小明")
    expect(page.get_by_role("button", name="Freeze")).to_have_count(0)
    csrf = page.locator("meta[name=csrf]").get_attribute("content")
    sent: dict[str, str | float | bool] = {"csrf": str(csrf), "act": "freeze", "why": "no"}
    answer = page.request.post(f"{town.url('jing')}/desk/users/{cast.payer.user_id}", form=sent)
    assert answer.status == 401 or "OPERATOR_MAY_NOT" in answer.text()
    assert not town.street.operator("jing").get(f"/v1/operator/users/{cast.payer.user_id}")["frozen_by_operator"]


def test_what_rules_may_ask_of_a_person_and_a_merchant_is_said(
    town: BrowserTown, person: OpenBrowser, cast: Cast
) -> None:
    operator = town.street.operator("jing")
    visitor = person("jing", viewport=DESK, language="en")
    page = signed_in(visitor, town.operator_token("jing"))
    visitor.go("/desk/campaigns")
    page.get_by_role("link", name="What rules may ask").click()
    page.get_by_label("Id of a user or merchant").fill(cast.payer.user_id)
    page.get_by_role("button", name="Show").click()
    page.get_by_label("Words, with commas between them").fill("student， driver,")
    page.get_by_label("Lives in").fill("苏州")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Words, with commas between them")).to_have_value("driver, student")
    found = operator.get(f"/v1/operator/users/{cast.payer.user_id}/segments")
    assert found == {"words": ["driver", "student"], "home_city": "苏州"}
    visitor.go(f"/desk/campaigns/traits?id={cast.till.merchant_id}")
    expect(page.get_by_label("Lives in")).to_have_count(0)
    page.get_by_label("Words, with commas between them").fill("small, old-town")
    page.get_by_label("Words that other institutions are told").fill("new-town")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("at most 16 words")
    page.get_by_label("Words, with commas between them").fill("small, old-town")
    page.get_by_label("Words that other institutions are told").fill("old-town")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Words, with commas between them")).to_have_value("old-town, small")
    expect(page.get_by_label("Words that other institutions are told")).to_have_value("old-town")
    found = operator.get(f"/v1/operator/merchants/{cast.till.merchant_id}/tags")
    assert found == {"words": ["old-town", "small"], "shared": ["old-town"]}
    visitor.go(f"/desk/campaigns/traits?id={cast.payer.user_id[:-4]}0000")
    expect(page.get_by_role("alert")).to_be_visible()


def test_a_user_is_found_masked_opened_and_frozen_and_each_look_is_noted(
    town: BrowserTown, person: OpenBrowser, cast: Cast
) -> None:
    payer = town.street.payer("jing", 100)
    visitor = person("jing", viewport=DESK, language="en")
    page = signed_in(visitor, town.operator_token("jing"))
    visitor.go("/desk/users")
    expect(page.locator("tbody")).to_contain_text("*小明")
    expect(page.locator("tbody")).not_to_contain_text("王小明")
    page.get_by_label("Telephone number, user id").fill(payer.user_id)
    page.get_by_role("button", name="Find").click()
    page.locator("tbody a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("王小明")
    page.get_by_label("Reason, kept").fill("reported stolen")
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("main")).to_contain_text("Frozen by us")
    expect(page.locator("main")).to_contain_text("reported stolen (operator)")
    page.get_by_label("Reason, kept").fill("cleared up")
    page.get_by_role("button", name="Unfreeze").click()
    expect(page.locator("main .tag").first).to_have_text("Active")
    visitor.go("/desk/audit")
    looks = page.locator("tbody tr", has_text=payer.user_id)
    expect(looks.nth(3)).to_be_attached()  # Two looks at the whole of a person, and two acts.


def test_a_merchant_applies_and_is_taken_on(town: BrowserTown, person: OpenBrowser) -> None:
    applicant = person("jing", viewport=PHONE, language="en")
    page = applicant.go("/merchants/apply")
    applicant.looks_right()
    told = {
        "legal_name": "北京炸酱面有限公司",
        "licence": "91110101MA01ABCD3Y",
        "name": "炸酱面馆",
        "city": "北京",
        "latin_city": "BEIJING",
        "mcc": "5812",
        "contact_name": "李华",
        "contact_phone": "13900139000",
    }
    for name, value in told.items():
        page.locator(f"#{name}").fill(value)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("alert")).to_contain_text("Latin letters")
    page.locator("#latin_name").fill("NOODLES")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("main")).to_contain_text("We have it")
    address = page.url

    operator = person("jing", viewport=DESK, language="en")
    desk = signed_in(operator, town.operator_token("jing"))
    desk.get_by_role("link", name="Applications").click()
    desk.get_by_role("link", name="炸酱面馆").click()
    desk.get_by_label("Fee, percent").fill("0.38")
    desk.get_by_role("button", name="Approve").click()
    desk.get_by_role("button", name="Invite 李华").click()
    expect(desk.get_by_role("status")).to_contain_text("A code is on its way to 李华")
    desk.get_by_role("link", name="To the merchant").click()
    expect(desk.locator("main")).to_contain_text("0.38 %")
    page.goto(address)
    expect(page.locator("main")).to_contain_text("Welcome")


def test_one_operator_proposes_a_suspension_and_another_does_it(
    town: BrowserTown, person: OpenBrowser, cast: Cast
) -> None:
    till = town.street.till("jing", 60)
    token = second_operator(town, "bo")
    first = person("jing", viewport=DESK, language="en")
    page = signed_in(first, town.operator_token("jing"))
    first.go(f"/desk/merchants/{till.merchant_id}")
    page.get_by_label("Reason").fill("fake trades")
    page.get_by_role("button", name="Suspend").click()
    expect(page.locator("main")).to_contain_text("another operator approves it")
    assert town.street.operator("jing").get(f"/v1/operator/merchants/{till.merchant_id}")["status"] == "ACTIVE"
    address = page.url
    second = person("jing", viewport=DESK, language="en")
    other = signed_in(second, token)
    expect(other.locator("main")).to_contain_text("Approvals to be decided")
    other.goto(address)
    other.get_by_role("button", name="Approve and do it").click()
    expect(other.locator("main .tag").first).to_have_text("Done")
    assert town.street.operator("jing").get(f"/v1/operator/merchants/{till.merchant_id}")["status"] == "SUSPENDED"


def test_the_ledger_leads_from_a_wallet_to_a_payment_and_is_even(
    town: BrowserTown, person: OpenBrowser, cast: Cast
) -> None:
    visitor = person("jing", viewport=DESK, language="en")
    page = signed_in(visitor, town.operator_token("jing"))
    visitor.go("/desk/ledger")
    page.get_by_label("An account or a transfer").fill(cast.payer.user_id)
    page.get_by_role("button", name="Show").click()
    expect(page.locator("main .amount").first).to_have_text("¥461.60")
    page.locator("tbody tr", has_text="Payment to another institution").first.get_by_role("link").first.click()
    expect(page.locator("main")).to_contain_text("Held, then posted")
    page.locator(f"a[href='/desk/payments/{cast.payment}']").click()
    expect(page.locator(".steps")).to_contain_text("Completed")
    visitor.go("/desk/ledger/trial-balance")
    expect(page.locator("main")).to_contain_text("Debits equal credits")
    page.locator("#at").fill("2020-01-01T00:00:00")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("main")).to_contain_text("Debits equal credits")
    expect(page.locator("main")).to_contain_text("2020-01-01")


def test_what_is_asked_back_is_answered(town: BrowserTown, person: OpenBrowser, cast: Cast) -> None:
    till = town.street.till("jing", 60)
    payment = cast.payer.pay(till.plate, 700)["payment_id"]
    visitor = person("jing", viewport=DESK, language="en")
    page = signed_in(visitor, town.operator_token("jing"))
    visitor.go("/desk/recalls")
    page.get_by_label("The payment", exact=True).fill(payment)
    page.get_by_role("button", name="Ask for it back").click()
    expect(page.locator("main")).to_contain_text("The other side decides")
    visitor.go("/desk/recalls")
    visitor.looks_right()
    page.get_by_role("region", name="Asked back of ours").get_by_role("link").first.click()
    visitor.looks_right()
    before = till.balance
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("main .tag").first).to_have_text("Rejected")
    expect(page.locator("main")).to_contain_text("The payee objects")
    assert till.balance >= before
