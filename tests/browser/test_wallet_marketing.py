"""What makes payments cheaper, as people meet it in the wallet: offers, coupons, the daily draw, red packets, inviting friends."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, expect

from hutong.kernel.money import Currency, format_amount
from tests.browser.conftest import BrowserTown
from tests.browser.eyes import DESK, PHONE, OpenBrowser, Visitor
from tests.browser.festival import PRICE, Festival, festival
from tests.browser.test_institution_desk import second_operator, signed_in
from tests.marketing.draws.living import Living, comers
from tests.network.street import PIN, Payer, Street, comes_to, new_id, until

VECTORS = Path(__file__).parents[1] / "vectors" / "draws.json"
_DRAWN = "async ([module, asked]) => { const own = await import(module); return Promise.all(asked.map((each) => own.drawn(...each))); }"
_FINDINGS = "async ([module, ...asked]) => (await import(module)).findings(...asked)"
TYPED = format_amount(PRICE, Currency.CNY)


@pytest.fixture(scope="module")
def fair(town: BrowserTown) -> Iterator[Festival]:
    made = festival(town.street, "zhi")  # No sample campaign is of it.
    yield made
    made.end()


def entered(person: OpenBrowser, town: BrowserTown, payer: Payer, language: str = "en") -> Visitor:
    """Somebody's phone, signed in."""
    visitor = person(payer.node, language=language, viewport=PHONE)
    cookie = {"name": f"wallet-{payer.node}", "value": payer.token, "url": town.url(payer.node)}
    visitor.context.add_cookies([cookie])  # type: ignore[list-item]  # Its own TypedDict, spelled out.
    return visitor


def confirming(visitor: Visitor, plate: str) -> Page:
    """The page that asks whether to pay, for what is cheaper at the festival."""
    visitor.go(f"/wallet/scan?code={plate}")
    visitor.page.locator("input[name=amount]").fill(TYPED)
    visitor.page.locator("form button").last.click()
    visitor.page.locator("input[name=pin]").wait_for()
    return visitor.page


def test_a_coupon_is_taken_used_and_given_away(fair: Festival, town: BrowserTown, person: OpenBrowser) -> None:
    payer, friend = town.street.payer("zhi", 50_000, pin=True, tier="II"), town.street.payer("zhi")
    visitor = entered(person, town, payer)
    page = visitor.go("/wallet")
    page.get_by_role("link", name="Coupons").click()
    expect(page.get_by_text("You have no coupons.")).to_be_visible()
    visitor.looks_right()
    page.get_by_role("link", name="Get more coupons").click()
    expect(page.locator("li").filter(has_text="小店立减")).to_contain_text("¥1.00 off")
    expect(page.locator("li").filter(has_text="小店立减")).to_contain_text("¥41.00 – ¥41.99")
    expect(page.locator("li").filter(has_text="天天减")).to_contain_text("By chance, up to ¥30.00 a day")
    page.get_by_label("Coupon code").fill("0000-0000-0000-0000")
    page.get_by_role("button", name="Redeem the code").click()
    expect(page.get_by_role("alert")).to_contain_text("code")
    expect(page.get_by_label("Coupon code")).to_have_value("0000-0000-0000-0000")
    visitor.looks_right()
    for name in fair.templates:
        visitor.go("/wallet/offers")
        page.locator("li").filter(has_text=name).get_by_role("button").click()
        page.wait_for_url("**/wallet/coupons")
    visitor.go("/wallet/offers")
    expect(page.get_by_text("You have all there are right now.")).to_be_visible()
    _paid_with_the_best(visitor, town.street.till("wei").plate)
    visitor.go("/wallet/coupons")
    page.get_by_text("Used and expired").click()
    expect(page.locator("details li").filter(has_text="满20减5")).to_contain_text("Used")
    visitor.looks_right()
    _given_away(fair, town, payer, friend, visitor, person)


def _paid_with_the_best(visitor: Visitor, plate: str) -> None:
    page = confirming(visitor, plate)
    expect(page.locator(".sum")).to_contain_text("满20减5")
    page.get_by_text("Why this discount?").click()
    why = page.locator(".why li")
    expect(why.filter(has_text="小店立减")).to_contain_text("Used.")
    expect(why.filter(has_text="八折券")).to_contain_text("Can't be used with others, and they give")
    expect(why.filter(has_text="满100减20")).to_contain_text("Needs a payment of ¥100.00: ¥58.50 more.")
    visitor.looks_right()
    page.get_by_role("link", name="Choose a coupon").click()
    expect(page.locator("li").filter(has_text="满100减20")).to_contain_text("¥58.50 short")
    visitor.looks_right()
    page.get_by_role("link", name="No coupon").click()
    expect(page.locator(".sum")).not_to_contain_text("满20减5")
    page.get_by_role("link", name="Choose a coupon").click()
    page.get_by_role("link", name="Whatever saves most").click()
    page.locator("input[name=pin]").fill(PIN)
    page.locator("button[data-pay]").click()
    page.wait_for_url("**/wallet/paid/**")
    expect(page.get_by_text("Payment successful")).to_be_visible()
    visitor.looks_right()


def _given_away(  # Everybody who is in it.
    fair: Festival, town: BrowserTown, payer: Payer, friend: Payer, visitor: Visitor, visitor_of: OpenBrowser
) -> None:
    page = visitor.page
    giving = town.street.payer("zhi")
    coupon = {"coupon_id": new_id("cpn"), "template_id": fair.templates["满20减5"]}
    giving.post("/v1/me/coupons", coupon)
    visitor.context.add_cookies([{"name": "wallet-zhi", "value": giving.token, "url": town.url("zhi")}])
    visitor.go("/wallet/coupons")
    page.get_by_text("Give it away").first.click()
    page.get_by_label("Phone number").fill("13000000000")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Give it away").click()
    expect(page.get_by_role("alert")).to_be_visible()
    phone = town.street.operator("zhi").get(f"/v1/operator/users/{friend.user_id}")["phone"]
    page.get_by_text("Give it away").first.click()
    page.get_by_label("Phone number").fill(phone)
    page.get_by_role("button", name="Give it away").click()
    expect(page.get_by_text("You have no coupons.")).to_be_visible()
    page.get_by_text("Given away").click()
    expect(page.locator("details li").filter(has_text="满20减5")).to_contain_text("You gave it to somebody else.")
    visitor.looks_right()
    given = entered(visitor_of, town, friend)
    given.go("/wallet/coupons")
    expect(given.page.locator("li").filter(has_text="满20减5")).to_contain_text("A friend gave it to you.")
    given.looks_right()
    (theirs,) = friend.get("/v1/me/coupons")
    assert theirs["label"] == "满20减5"
    assert payer.get("/v1/me/coupons")


def test_a_draw_is_shown_with_what_is_published_and_checked_in_the_browser(
    fair: Festival, town: BrowserTown, person: OpenBrowser, tmp_path: Path
) -> None:
    payer, till = town.street.payer("zhi", 50_000, pin=True, tier="II"), town.street.till("wei")
    visitor = entered(person, town, payer)
    page = visitor.go("/wallet/offers")
    page.get_by_role("link", name="Today's draw").click()
    expect(page.get_by_text("You have not drawn today.")).to_be_visible()
    page.get_by_text("Why nobody can cheat").click()
    view = town.street.stranger("zhi").get(f"/v1/draws/{fair.campaigns['DRAW']}")
    told = page.locator("details code").first.inner_text()
    assert told in {each["commitment"] for each in view["days"]}
    visitor.looks_right()
    page.get_by_label("Any words; empty: none").fill("开门大吉")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_text("Today's is still:")).to_be_visible()
    confirming(visitor, till.plate)
    page.locator("input[name=pin]").fill(PIN)
    page.locator("button[data-pay]").click()
    page.get_by_role("link", name="What made it cheaper").click()
    expect(page.locator(".sum")).to_contain_text("天天减")
    page.get_by_role("button", name="Check it on this phone").click()
    expect(page.locator(".finding .good")).to_have_count(2)
    expect(page.locator("[data-findings]")).to_contain_text("The seed is not out yet")
    page.get_by_text("Check it elsewhere").click()
    expect(page.get_by_text("hutong draw verify day.json --receipt receipt.json")).to_be_visible()
    visitor.looks_right()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the receipt").click()
    saved.value.save_as(tmp_path / "receipt.json")
    (own,) = payer.get("/v1/me/draws")
    assert json.loads((tmp_path / "receipt.json").read_text(encoding="utf-8")) == own["receipt"]
    _computes_as_everybody(page)
    stranger = entered(person, town, town.street.payer("zhi"))
    stranger.go(f"/wallet/discounts/{own['payment_id']}")
    expect(stranger.page.locator("main")).not_to_contain_text("天天减")


def _computes_as_everybody(page: Page) -> None:
    """The golden vectors, and a day that was lived: honest, and with another seed told than was drawn with."""
    module = page.locator("script[src*='/draw.']").get_attribute("src")
    golden = json.loads(VECTORS.read_text(encoding="utf-8"))
    bands = [dict(zip(("weight", "low", "high"), band, strict=True)) for band in golden["bands"]]
    asked = [(each["seed"], bands, {**each, "campaign": golden["campaign"]}) for each in golden["draws"]]
    wanted = [{"amount": each["amount"], "number": each["number"]} for each in golden["draws"]]
    assert page.evaluate(_DRAWN, [module, asked]) == wanted
    day = Living(20_000)
    people = comers(1, 200)
    day.live(people)
    receipt = msgspec.to_builtins(day.receipt_of(next(who for _, who, _ in people if who in day.used), 50_000))
    receipt |= {"toPay": receipt["to_pay"], "at": receipt["at_ms"]}
    record: Any = msgspec.to_builtins(day.record())
    assert [holds for holds, _ in page.evaluate(_FINDINGS, [module, receipt, record])] == [True] * 7
    whole = receipt["given"]
    (listed,) = (each for each in record["draws"] if each["reference"] == receipt["reference"])
    receipt["given"] = listed["given"] = 1  # As much was drawn as before, and the budget had more.
    assert [holds for holds, _ in page.evaluate(_FINDINGS, [module, receipt, record])] == [True] * 5 + [False, True]
    receipt["given"] = listed["given"] = whole
    for entry in record["log"]["entries"]:
        if entry["kind"] == "reveal":
            entry["text"] = entry["text"].replace(json.loads(entry["text"])["seed"], "11" * 32)
    findings = page.evaluate(_FINDINGS, [module, receipt, record])
    assert [holds for holds, _ in findings][:4] == [False, True, False, False]


def test_a_red_packet_is_filled_opened_elsewhere_and_everybody_sees_who_got_what(
    town: BrowserTown, person: OpenBrowser
) -> None:
    street = town.street
    sender, there, late = street.payer("zhi", 5_000), street.payer("wei"), street.payer("zhi")
    giver = entered(person, town, sender)
    page = giver.go("/wallet/red-packets")
    giver.looks_right()
    page.get_by_role("link", name="Send a red packet").click()
    page.get_by_label("Equal: each gets the amount below").check()
    page.get_by_role("textbox", name="Amount").fill("6")
    page.get_by_label("How many may open it").fill("2")
    page.get_by_label("Greeting").fill("新年好")
    expect(page.locator("[data-whole] b")).to_have_text("¥12.00")
    giver.looks_right()
    page.get_by_role("button", name="Put the money in").click()
    page.get_by_text("Hand it on").wait_for()
    giver.looks_right()
    link = page.locator(".centre p.mono").inner_text()
    _opened_elsewhere(entered(person, town, there), link)
    until(lambda: there.balance, lambda balance: balance == 600)
    page.reload()
    expect(page.locator(".list li")).to_contain_text(["Wei Wallet 微包"])
    taker = entered(person, town, sender)
    taker.go("/wallet/red-packets")
    taker.page.get_by_label("Link of a red packet").fill(link)
    taker.page.get_by_role("button", name="Look at it").click()
    expect(taker.page.get_by_text("Your red packet")).to_be_visible()
    taker.page.get_by_role("button", name="Open it").click()
    taker.page.get_by_text("In your balance").wait_for()
    expect(taker.page.locator(".list li")).to_have_count(2)
    expect(taker.page.locator(".list li").last).to_contain_text("You")
    taker.page.get_by_text("How it was shared").click()
    expect(taker.page.locator("details code")).to_have_count(2)  # The hash, and now the seed.
    expect(taker.page.get_by_text("Luckiest")).to_have_count(0)  # All have the same.
    taker.looks_right()
    nobody = entered(person, town, late)
    nobody.go("/wallet/red-packets")
    nobody.page.get_by_label("Link of a red packet").fill(link)
    nobody.page.get_by_role("button", name="Look at it").click()
    expect(nobody.page.get_by_text("Too late: everything was claimed already.")).to_be_visible()
    nobody.looks_right()


def _opened_elsewhere(visitor: Visitor, link: str) -> None:
    page = visitor.go("/wallet/red-packets")
    page.get_by_label("Link of a red packet").fill(link)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name="新年好")).to_be_visible()
    visitor.looks_right()
    page.get_by_role("button", name="Open it").click()
    expect(page.locator(".cover .amount")).to_have_text("¥6.00")
    page.get_by_role("link", name="My red packets").click()
    expect(page.locator("li").filter(has_text="新年好")).to_contain_text("+¥6.00")
    visitor.looks_right()


def test_a_lucky_packet_that_is_more_than_there_is_says_so_and_keeps_what_was_typed(
    town: BrowserTown, person: OpenBrowser
) -> None:
    visitor = entered(person, town, town.street.payer("zhi", 500), "zh-CN")
    page = visitor.go("/wallet/red-packets/new")
    page.locator("#amount").fill("8.88")
    page.locator("#count").fill("3")
    page.locator("form button.wide").click()
    expect(page.get_by_role("alert")).to_contain_text("余额")
    expect(page.locator("#amount")).to_have_value("8.88")
    expect(page.locator("#count")).to_have_value("3")
    page.locator("#amount").fill("4.50")
    page.locator("form button.wide").click()
    expect(page.locator(".cover")).to_contain_text("我的红包")
    visitor.looks_right()


def test_a_packet_for_one_person_is_addressed_by_telephone_number(town: BrowserTown, person: OpenBrowser) -> None:
    street = town.street
    sender, friend, stranger = street.payer("zhi", 2_000), street.payer("zhi"), street.payer("zhi")
    phone = street.operator("zhi").get(f"/v1/operator/users/{friend.user_id}")["phone"]
    visitor = entered(person, town, sender)
    page = visitor.go("/wallet/red-packets/new")
    page.locator("#amount").fill("5.20")  # How many is left as it is: there is one person.
    page.get_by_text("For one person alone").click()
    page.get_by_label(re.compile("phone number")).fill("13000000000")
    page.locator("form button.wide").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label(re.compile("phone number")).fill(phone)
    page.locator("form button.wide").click()
    expect(page.get_by_text("Your red packet for *小明")).to_be_visible()
    (link,) = (each["link"] for each in sender.get("/v1/me/red-packets?role=sent"))
    visitor.go(f"/wallet/red-packets/open?link={link}")
    page.wait_for_url("**/wallet/red-packets/rpk_*")  # It is not the sender's to open.
    other = entered(person, town, stranger)
    other.go("/wallet/red-packets")
    expect(other.page.get_by_role("link", name="Look at it")).to_have_count(0)
    theirs = entered(person, town, friend)
    theirs.go("/wallet").get_by_role("link", name="A red packet from *小明").click()
    theirs.page.wait_for_url("**/wallet/red-packets")
    theirs.looks_right()
    theirs.page.get_by_role("link", name="Look at it").click()
    theirs.page.get_by_role("button", name="Open it").click()
    expect(theirs.page.locator(".cover .amount")).to_have_text("¥5.20")
    expect(theirs.go("/wallet").get_by_role("link", name="A red packet from")).to_have_count(0)


def test_a_packet_for_one_person_of_another_institution_opens_for_them_alone(
    town: BrowserTown, person: OpenBrowser
) -> None:
    street = town.street
    sender, friend, stranger = street.payer("jing", 2_000), street.payer("wei"), street.payer("wei")
    code = friend.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})["text"]
    visitor = entered(person, town, sender)
    page = visitor.go("/wallet/red-packets/new")
    page.locator("#amount").fill("5.20")
    page.get_by_text("For one person alone").click()
    page.get_by_label(re.compile("code to receive")).fill(code)
    visitor.looks_right()
    page.locator("form button.wide").click()
    expect(page.get_by_text("Your red packet for *小明")).to_be_visible()
    expect(page.get_by_text("Send them this link")).to_contain_text("Wei Wallet")
    visitor.looks_right()
    link = page.locator(".centre p.mono").inner_text()
    other = entered(person, town, stranger)
    other.go(f"/wallet/red-packets/open?link={link}")
    expect(other.page.get_by_text("not for you")).to_be_visible()
    expect(other.page.get_by_role("button", name="Open it")).to_have_count(0)
    other.looks_right()
    theirs = entered(person, town, friend)
    theirs.go(f"/wallet/red-packets/open?link={link}")
    expect(theirs.page.get_by_text("For you alone")).to_be_visible()
    theirs.page.get_by_role("button", name="Open it").click()
    expect(theirs.page.locator(".cover .amount")).to_have_text("¥5.20")
    until(lambda: friend.balance, lambda balance: balance == 520)


def test_who_has_no_wallet_registers_behind_a_packets_link_and_is_back_at_the_packet(
    town: BrowserTown, person: OpenBrowser
) -> None:
    street = town.street
    sender, packet = street.payer("zhi", 1_000), {"kind": "EQUAL", "amount": 800, "count": 1}
    link = sender.post("/v1/me/red-packets", packet | {"packet_id": new_id("rpk")})["link"]
    newcomer = person("zhi", viewport=PHONE)
    page = newcomer.go(f"/q/{link.rpartition('/')[2]}")
    newcomer.looks_right()
    page.locator("a.entry").filter(has_text="支点").click()
    page.get_by_role("link", name="开通钱包").click()
    page.locator("#name").fill("钱小新")
    page.locator("#phone").fill("13755550001")
    page.locator("form button").click()
    page.locator("#code").fill(street.operator("zhi").get("/v1/operator/one-time-codes/+8613755550001")["code"])
    page.locator("form button").click()
    for name in ("pin", "again"):
        page.locator(f"#{name}").fill(PIN)
    page.locator("form button").first.click()
    page.get_by_role("button", name="开").click()
    expect(page.locator(".cover .amount")).to_have_text("¥8.00")
    expect(page.locator(".list li")).to_contain_text("我")
    late = person("zhi", viewport=PHONE)
    late.go(f"/q/{link.rpartition('/')[2]}")
    expect(late.page.get_by_role("heading", name="这个红包无法打开")).to_be_visible()
    expect(late.page.locator("main")).not_to_contain_text("RED_PACKET")
    late.looks_right()


def test_friends_are_invited_rewarded_and_a_refusal_is_appealed(
    fair: Festival, town: BrowserTown, person: OpenBrowser
) -> None:
    street, operator = town.street, town.street.operator("zhi")
    inviter, plate = street.payer("zhi"), street.till("wei").plate
    visitor = entered(person, town, inviter)
    page = visitor.go("/wallet/invite")
    page.get_by_role("button", name="Get my link").click()
    link = page.locator(".mine p.mono").inner_text()
    visitor.looks_right()
    newcomer = person("zhi", language="en", viewport=PHONE)
    newcomer.page.goto(link)
    expect(newcomer.page.get_by_role("heading", name="*小明 invites you")).to_be_visible()
    expect(newcomer.page.locator("main")).to_contain_text("tier II")
    newcomer.looks_right()
    newcomer.page.goto(f"{link}X")
    expect(newcomer.page.get_by_role("heading", name="This invitation leads nowhere")).to_be_visible()
    saver = street.payer("yun")
    first = _friend(street, link, saver)
    expect(page.locator(".mine")).to_contain_text("0 of 2 friends")
    expect(page.locator(".mine")).to_contain_text("The next friend brings ¥8.00.")
    theirs = entered(person, town, first)
    theirs.go("/wallet/invite")
    expect(theirs.page.locator("main")).to_contain_text("*小明 did. Your friend is rewarded when you prove who you are")
    theirs.looks_right()
    page.reload()
    expect(page.locator("li").filter(has_text="Has not paid yet")).to_have_count(1)
    first.pay(plate, 1_000)
    until(lambda: inviter.balance, lambda balance: balance == 800)
    _friend(street, link, saver).pay(plate, 1_000)  # The same account at the bank as the first one's.
    until(lambda: _states(inviter), lambda states: states == ["PAID", "REFUSED"])
    page.reload()
    expect(page.locator(".mine .amount")).to_have_text("¥8.00")
    page.get_by_text("This is wrong").click()
    page.get_by_label(re.compile("Tell us why")).fill("他是我弟弟")
    visitor.looks_right()
    page.get_by_role("button", name="Have it looked at").click()
    expect(page.locator("li").filter(has_text="Looked at again")).to_have_count(1)
    (waiting,) = operator.get(f"/v1/operator/invitations/appeals?campaign_id={fair.campaigns['INVITE']}")
    _granted_at_the_desk(town, person, waiting["referral_id"], fair.campaigns["INVITE"])
    comes_to(lambda: inviter.balance, 1_800)
    page.reload()
    expect(page.locator(".mine .amount")).to_have_text("¥18.00")
    expect(page.locator(".mine")).to_contain_text("All steps are reached")
    expect(page.locator("li").filter(has_text="2 friends in all")).to_contain_text("Reached")
    expect(page.get_by_text("You said: 他是我弟弟")).to_be_visible()
    expect(page.get_by_text("We answered: 一家人")).to_be_visible()
    visitor.looks_right()
    visitor.go("/wallet/bills")
    expect(page.locator(".bills li").filter(has_text="Reward")).to_have_count(2)


def _granted_at_the_desk(town: BrowserTown, person: OpenBrowser, referral_id: str, campaign_id: str) -> None:
    """One operator proposes it, another does it."""
    desk = person("zhi", viewport=DESK, language="en")
    page = signed_in(desk, town.operator_token("zhi"))
    page.goto(f"/desk/campaigns/{campaign_id}")
    why = page.locator("section").filter(has=page.get_by_role("heading", name="Why rewards were refused"))
    expect(why.locator("li")).to_have_text(
        [re.compile(r"does not look like a new person.*1 · ¥10\.00"), "Seen: Same account at a bank1"]
    )
    desk.looks_right()
    page.goto("/desk/invitations")
    desk.looks_right()
    page.locator(f"a[href$='{referral_id}']").click()
    expect(page.locator("main")).to_contain_text("他是我弟弟")
    desk.looks_right()
    page.locator("#reason").fill("一家人")
    page.locator("button[value=grant]").click()
    page.wait_for_url("**/desk/approvals/**")
    other = person("zhi", viewport=DESK)
    signed_in(other, second_operator(town, "appeals", node="zhi"))
    other.page.goto(page.url)
    other.page.locator("button[value=approve]").click()
    expect(other.page.locator("button[value=approve]")).to_have_count(0)


def _friend(street: Street, link: str, saver: Payer) -> Payer:
    payer = street.payer("zhi", 5_000, tier="II", invitation=link)
    street.link_bank(payer, saver)
    return payer


def _states(inviter: Payer) -> list[str]:
    return [friend["state"] for each in inviter.get("/v1/me/invitations")["campaigns"] for friend in each["friends"]]
