"""A sponsor that is no merchant, in a browser: its key from the desk, what its money does, yes and no; and a merchant that shares a cost."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from hutong.kernel.ids import IdMint, id_text, seeded_randomness
from tests.browser.conftest import launched
from tests.browser.eyes import DESK, PHONE, Watch, look
from tests.browser.season import MORE, Season, SeasonThread
from tests.institution.payments.test_http import OPERATOR

Opened = Callable[..., Page]
_UP_S = 200
_DAY_MS = 86_400_000
SPONSOR, OTHER = "周末立减", "整单立减"  # By the operator's reference: each paid for one campaign.


@pytest.fixture(scope="module")
def season() -> Iterator[Season]:
    thread = SeasonThread()
    thread.start()
    assert thread.up.wait(_UP_S)
    if thread.failed is not None:
        raise thread.failed
    yield thread.season
    thread.end()


@pytest.fixture(scope="module")
def chromium(season: Season) -> Iterator[Browser]:
    assert season.url
    with sync_playwright() as started, launched(started) as browser:
        yield browser


class Hall:
    """What the institution's operator is asked for, over its API, and people's browsers."""

    def __init__(self, season: Season, browser: Browser, watch: Watch) -> None:
        self.season = season
        self._browser = browser
        self._watch = watch
        self._api = browser.new_context(base_url=season.url, extra_http_headers=OPERATOR)
        self.contexts = [self._api]
        self._mint = IdMint(season.clock, seeded_randomness(season.clock.now_ns() + id(self)))

    def asks(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self._api.request.fetch(path, method=method, data=body)
        assert answer.status == status, answer.text()
        return answer.json()

    def sponsor(self, reference: str) -> str:
        found = self.asks("GET", "/v1/operator/sponsors")
        return next(str(each["sponsor_id"]) for each in found if each.get("reference") == reference)

    def key(self, reference: str) -> str:
        path = f"/v1/operator/sponsors/{self.sponsor(reference)}/keys"
        return str(self.asks("POST", path, {"name": "市政府"}, 201)["token"])

    def draft(self, name: str, *sponsors: dict[str, Any]) -> str:
        body = {
            "campaign_id": id_text("cmp", self._mint.mint()),
            "name": name,
            "sponsors": list(sponsors),
            "budget": 3_000,
            "terms": {"rules": {"rows": [{"when": {"amount": "[50..60]"}, "off": 10}]}},
            "ends_at_ms": self.season.clock.now_ns() // 1_000_000 + 20 * _DAY_MS,
        }
        return str(self.asks("POST", "/v1/operator/campaigns", body, 201)["campaign_id"])

    def opens(self, path: str, *, language: str = "en", viewport: dict[str, int] = DESK) -> Page:
        size = {"width": viewport["width"], "height": viewport["height"]}
        context: BrowserContext = self._browser.new_context(
            base_url=self.season.url,
            locale=language,
            viewport=size,  # type: ignore[arg-type]
        )
        self.contexts.append(context)
        self._watch.over(context)
        sessions = {"desk-jing": self.season.desk_session, "staff-jing": self.season.staff_session}
        context.add_cookies(
            [{"name": name, "value": value, "url": self.season.url} for name, value in sessions.items()]
        )
        page = context.new_page()
        page.goto(path)
        return page

    def signs_in(self, token: str, path: str = "/sponsor", **look: Any) -> Page:
        page = self.opens(path, **look)
        page.locator("#token").fill(token)
        page.get_by_role("button", name=re.compile("^(Sign in|登录)$")).click()
        page.wait_for_url(f"**{path}")
        return page


@pytest.fixture
def hall(season: Season, chromium: Browser) -> Iterator[Hall]:
    watch = Watch()
    hall = Hall(season, chromium, watch)
    yield hall
    for context in hall.contexts:
        context.close()
    assert watch.found == []


def test_a_key_given_out_at_the_desk_is_shown_once_and_signs_its_sponsor_in(hall: Hall) -> None:
    desk = hall.opens("/desk/campaigns")
    desk.locator(f"a[href$='/{hall.sponsor(SPONSOR)}']").click()
    desk.get_by_label("Who holds it").fill("Treasury")
    desk.get_by_role("button", name="Issue a key").click()
    token = desk.locator("code#token")
    expect(token).to_have_text(re.compile(r"^spk_\w{26}_[\w-]{43}$"))
    told = token.inner_text()
    look(desk)
    desk.goto(desk.url.removesuffix("/keys"))
    expect(desk.locator("code#token")).to_have_count(0)
    expect(desk.locator(".list").first).to_contain_text("Treasury")

    page = hall.opens("/sponsor")
    page.locator("#token").fill(told[:-1])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("no key of a sponsor")
    look(page)
    page.locator("#token").fill(told)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("城市消费节")

    desk.once("dialog", lambda dialog: dialog.accept())
    desk.get_by_role("button", name="Revoke Treasury").click()
    expect(desk.locator(".list").first).to_contain_text("Revoked")
    page.reload()
    expect(page.locator("h1")).to_have_text("Sponsors: sign in")


@pytest.mark.parametrize(("language", "viewport"), [("zh-CN", PHONE), ("en", DESK)], ids=["phone", "desk"])
def test_a_sponsor_reads_what_its_money_does_and_what_it_brings(
    hall: Hall, language: str, viewport: dict[str, int]
) -> None:
    token, english = hall.key(SPONSOR), language == "en"
    page = hall.signs_in(token, language=language, viewport=viewport)
    tiles = page.locator(".tile")
    expect(tiles.nth(1)).to_contain_text("¥880.00")
    expect(tiles.nth(2)).to_contain_text("¥120.00")
    look(page)
    page.get_by_role("link", name=SPONSOR).first.click()
    expect(page.locator(".effect").first).to_contain_text("+0.82")
    expect(page.locator(".effects svg.interval")).to_have_count(2)
    told = {
        ("Your part" if english else "您的出资"): "¥1,000.00",
        ("Planned until now" if english else "按计划至今"): "¥333.33",
        ("New payers" if english else "新付款人"): "¥3.00",
        ("of those who paid" if english else "复购"): "100.0 %",
    }
    for name, figure in told.items():
        expect(page.locator(".tile").filter(has_text=name).first).to_contain_text(figure)
    awards = page.locator("section.card").last
    expect(awards.locator("li")).to_have_count(20)
    expect(awards).to_contain_text(re.compile(r"awd_\w{26}"))
    look(page)
    page.get_by_role("link", name="Earlier" if english else "更早的").click()
    expect(page.locator("section.card").last.locator("li")).to_have_count(20)
    page.goto(f"/sponsor/campaigns/{hall.season.campaigns[MORE]}/live")
    expect(page.locator(".effects")).to_have_count(1)
    page.goto("/sponsor/keys")
    look(page)


def test_an_open_page_renews_itself_and_says_when_the_key_is_no_more(hall: Hall) -> None:
    token = hall.key(SPONSOR)
    page = hall.signs_in(token, f"/sponsor/campaigns/{hall.season.campaigns[MORE]}")
    with page.expect_response(re.compile("/live$")) as renewed:
        pass
    assert renewed.value.ok
    keys = f"/v1/operator/sponsors/{hall.sponsor(SPONSOR)}/keys"
    hall.asks("POST", f"{keys}/{token[:30]}/revoke", {})
    expect(page.locator("h1")).to_have_text("Sponsors: sign in")


@pytest.mark.parametrize(("language", "viewport"), [("zh-CN", PHONE), ("en", DESK)], ids=["phone", "desk"])
def test_a_sponsor_is_asked_and_says_yes_and_takes_it_back(hall: Hall, language: str, viewport: dict[str, int]) -> None:
    token, english = hall.key(SPONSOR), language == "en"
    name = f"早餐补贴 {language}"
    id_ = hall.draft(name, {"sponsor_id": hall.sponsor(SPONSOR)}, {"sponsor_id": hall.sponsor(OTHER), "proportion": 2})
    refused = hall.asks("POST", f"/v1/operator/campaigns/{id_}/start", {}, 422)
    assert refused["reason"] == "CAMPAIGN_NOT_AGREED"
    page = hall.signs_in(token, language=language, viewport=viewport)
    page.locator(".note").get_by_role("link", name=name).click()
    expect(page.locator("main")).to_contain_text("¥10.00")
    expect(page.locator("main")).not_to_contain_text("¥20.00")  # What others pay is theirs.
    look(page)
    page.get_by_role("button", name="Agree to these terms" if english else "同意这些条款").click()
    expect(page.get_by_role("button", name="Take it back" if english else "撤销")).to_be_enabled()
    assert hall.asks("GET", f"/v1/operator/campaigns/{id_}").get("waits_for", []) == []
    page.get_by_role("button", name="Take it back" if english else "撤销").click()
    page.get_by_role("button", name="Agree to these terms" if english else "同意这些条款").click()
    expect(page.locator(".tag.good").first).to_be_attached()
    assert hall.asks("POST", f"/v1/operator/campaigns/{id_}/start", {})["state"] == "RUNNING"
    page.reload()
    expect(page.locator(".tile").first).to_contain_text("¥10.00")
    expect(page.locator("button[name=act]")).to_have_count(0)
    hall.asks("POST", f"/v1/operator/campaigns/{id_}/end", {})
    page.goto("/sponsor")
    expect(page.locator("section.card").last.locator("li").first).to_contain_text("+¥10.00")


def test_a_sponsor_renews_its_key_so_that_nobody_else_knows_it(hall: Hall) -> None:
    token = hall.key(OTHER)
    page = hall.signs_in(token, "/sponsor/keys")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Renew 市政府").click()
    renewed = page.locator("code#token")
    expect(renewed).to_have_text(re.compile(r"^spk_"))
    fresh = renewed.inner_text()
    assert fresh != token
    look(page)
    hall.signs_in(fresh)
    late = hall.opens("/sponsor")
    late.locator("#token").fill(token)
    late.get_by_role("button", name="Sign in").click()
    expect(late.get_by_role("alert")).to_contain_text("no key of a sponsor")


@pytest.mark.parametrize(("language", "viewport"), [("zh-CN", PHONE), ("en", DESK)], ids=["phone", "desk"])
def test_a_merchant_that_shares_a_cost_reads_what_it_brings(
    hall: Hall, language: str, viewport: dict[str, int]
) -> None:
    english = language == "en"
    name = f"街坊补贴 {language}"
    id_ = hall.draft(
        name, {"merchant_id": hall.season.merchants.id}, {"sponsor_id": hall.sponsor("新客立减"), "proportion": 2}
    )
    page = hall.opens("/console/campaigns", language=language, viewport=viewport)
    page.get_by_role("button", name=re.compile(name)).click()
    page.get_by_role("link", name=name).click()
    expect(page.locator(".tag.good").first).to_be_attached()
    assert hall.asks("POST", f"/v1/operator/campaigns/{id_}/start", {})["state"] == "RUNNING"
    page.reload()
    expect(page.locator(".tile").filter(has_text="Your part" if english else "您的出资").first).to_contain_text(
        "¥10.00"
    )
    expect(page.locator(".effect")).to_have_count(2)
    look(page)
    hall.asks("POST", f"/v1/operator/campaigns/{id_}/end", {})
