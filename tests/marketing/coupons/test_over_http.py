"""Coupons over HTTP and on the wallet's pages, with real campaigns, payments and refunds."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from html import unescape
from typing import Any

import pytest

from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.campaigns.rules import RuleRow, RuleTable
from hutong.marketing.coupons.code import Use
from hutong.runtime.pool import WorkerPool
from tests.institution.payments.test_http import OPERATOR, PIN, Phone
from tests.marketing.coupons.bazaar import FIVE_OFF, Bazaar, Browser

MINE = "/v1/me/coupons"


@pytest.fixture
async def bazaar() -> AsyncIterator[Bazaar]:
    pool = WorkerPool()
    async with AsyncExitStack() as stack:
        stack.callback(pool.close)
        bazaar = Bazaar(pool)
        await bazaar.start(stack)
        yield bazaar


async def _claim(person: Phone, template: dict[str, Any], status: int = 201) -> dict[str, Any]:
    body = {"coupon_id": person.new_id("cpn"), "template_id": template["template_id"]}
    claimed = await person.post(MINE, status, body)
    assert await person.post(MINE, status, body) == claimed
    return dict(claimed)


async def _pay(payer: Phone, plate: str, amount: int, **consult: Any) -> dict[str, Any]:
    quote = await payer.post("/v1/codes/consult", 200, {"code": plate, "amount": amount, **consult})
    body = {"payment_id": payer.new_id("pay"), "quote_id": quote["quote_id"], "amount": amount}
    paid = await payer.post("/v1/payments", 200, body)
    assert paid["paid"] == amount - quote["discount"]
    return dict(paid)


async def _plate(merchant: Phone) -> str:
    return str((await merchant.post("/v1/plates", 201, {"reference": "counter"}))["text"])


async def test_a_coupon_from_its_offer_to_its_refund(bazaar: Bazaar) -> None:
    payer, merchant = await bazaar.user("+8613800138000", 100_000), await bazaar.merchant()
    plate, campaign_id = await _plate(merchant), await bazaar.campaign()
    template = await bazaar.template(campaign_id)
    (offer,) = await payer.get(f"{MINE}/offers")
    assert (offer["template_id"], offer["left"]) == (template["template_id"], 100)
    coupon = await _claim(payer, template)
    assert await payer.get(f"{MINE}/offers") == []
    quote = await payer.post("/v1/codes/consult", 200, {"code": plate, "amount": 3_000})
    assert quote["discount_parts"] == [{"label": "早餐满20减5", "amount": 500}]
    assert quote["explained"] == []
    why = await payer.post("/v1/codes/consult", 200, {"code": plate, "amount": 1_500, "explain": True})
    short = {"label": "早餐满20减5", "source": "coupon", "could_give": 500, "gives": 0, "why": "BELOW_THRESHOLD"}
    assert why["explained"] == [short | {"threshold": 2_000, "missing": 500}]
    none = await payer.post("/v1/codes/consult", 200, {"code": plate, "amount": 3_000, "coupon_ids": []})
    assert none["discount"] == 0
    paid = await _pay(payer, plate, 3_000)
    assert paid["paid"] == 2_500
    (mine,) = await payer.get(MINE)
    assert (mine["state"], mine["payment_id"]) == ("REDEEMED", paid["payment_id"])
    assert bazaar.left(campaign_id) == 999_500
    refund = {"refund_id": merchant.new_id("rfd"), "payment_id": paid["payment_id"], "amount": 1_000}
    await merchant.post("/v1/refunds", 200, refund)
    assert (await payer.get(MINE))[0]["state"] == "REDEEMED"
    await merchant.post("/v1/refunds", 200, refund | {"refund_id": merchant.new_id("rfd"), "amount": 2_000})
    (mine,) = await payer.get(MINE)
    assert (mine["state"], mine["coupon_id"]) == ("AVAILABLE", coupon["coupon_id"])
    assert bazaar.left(campaign_id) == 1_000_000
    assert (await payer.get("/v1/balance"))["balance"] == 100_000
    page = await bazaar.said(
        "GET", f"/v1/operator/coupon-templates/{template['template_id']}/claims", 200, headers=OPERATOR
    )
    (claim,) = page["claims"]
    assert (claim["user_id"], claim["state"], claim["returns"]) == (payer.id, "AVAILABLE", 1)


async def test_what_a_coupon_is_worth_here_or_why_not(bazaar: Bazaar) -> None:
    payer, merchant = await bazaar.user("+8613800138000", 100_000), await bazaar.merchant()
    plate, campaign_id = await _plate(merchant), await bazaar.campaign()
    for terms in ({}, {"threshold": 5_000}):
        await _claim(payer, await bazaar.template(campaign_id, **terms))
    worth = await payer.post(f"{MINE}/worth", 200, {"code": plate, "amount": 3_000})
    told = sorted((each["gives"], each["reason"], each["missing"]) for each in worth)
    assert told == [(0, "COUPON_BELOW_THRESHOLD", 2_000), (500, "", 0)]


async def test_a_coupon_is_worth_nothing_where_its_campaign_does_not_take_the_payment(bazaar: Bazaar) -> None:
    """What is told before is what is given: the campaign's rules decide, and who sells there gets nothing there."""
    payer, merchant = await bazaar.user("+8613800138000", 100_000), await bazaar.merchant()
    plate = await _plate(merchant)
    rules = RuleTable(rows=(RuleRow(when={"mcc": "'7011'"}),))
    await _claim(payer, await bazaar.template(await bazaar.campaign(rules=rules)))
    await _claim(payer, await bazaar.template(await bazaar.campaign()))

    async def worth() -> list[tuple[int, str]]:
        told = await payer.post(f"{MINE}/worth", 200, {"code": plate, "amount": 3_000})
        return sorted((each["gives"], each["reason"]) for each in told)

    asked = {"code": plate, "amount": 3_000}
    assert await worth() == [(0, "COUPON_NOT_HERE"), (500, "")]
    assert (await payer.post("/v1/codes/consult", 200, asked))["discount"] == 500
    member = {"staff_id": merchant.new_id("stf"), "name": "王小明", "phone": "+8613800138000"}
    await bazaar.said("POST", f"/v1/operator/merchants/{merchant.id}/staff", 201, member, headers=OPERATOR)
    assert await worth() == [(0, "COUPON_NOT_HERE"), (0, "COUPON_NOT_HERE")]
    assert (await payer.post("/v1/codes/consult", 200, asked))["discount"] == 0


async def test_a_merchant_makes_codes_of_its_own_coupons_alone(bazaar: Bazaar) -> None:
    payer, merchant = await bazaar.user("+8613800138000", 100_000), await bazaar.merchant()
    await _pay(payer, await _plate(merchant), 10_000)  # It sponsors from what it sold.
    campaign_id = await bazaar.campaign(5_000, merchant_id=parse_id("mer", merchant.id))
    path = "/v1/merchant/coupon-templates"
    body = {
        "template_id": merchant.new_id("ctp"),
        "campaign_id": campaign_id,
        "name": "凭码减5元",
        "terms": FIVE_OFF | {"code": "UNIQUE"},
        "stock": 10,
    }
    made = await merchant.post(path, 201, body)
    assert made["merchant_id"] == merchant.id
    assert await merchant.get(path) == [made]
    batch = {"batch_id": merchant.new_id("ccb"), "count": 3}
    told = await merchant.post(f"{path}/{body['template_id']}/codes", 201, batch)
    assert await merchant.post(f"{path}/{body['template_id']}/codes", 201, batch) == told
    otherwise = await merchant.post(f"{path}/{body['template_id']}/codes", 409, batch | {"count": 4})
    assert (otherwise["reason"], otherwise["facts"]["field"]) == ("COUPON_CODES_OTHERWISE", "count")
    answer = await bazaar.client.get(
        f"{path}/{body['template_id']}/codes/{batch['batch_id']}", headers=merchant.headers
    )
    codes = answer.text.split()
    assert len(codes) == 3
    assert (told["claimed"], told["used"]) == (0, 0)
    claim = {"coupon_id": payer.new_id("cpn"), "code": codes[0].lower()}
    await payer.post(f"{MINE}/by-code", 201, claim)
    used = await payer.post(f"{MINE}/by-code", 422, claim | {"coupon_id": payer.new_id("cpn")})
    assert used["reason"] == "COUPON_CODE_USED"
    again = await merchant.post(f"{path}/{body['template_id']}/codes", 201, batch)
    assert (again["claimed"], again["used"]) == (1, 0)
    wrong = await payer.post(f"{MINE}/by-code", 400, claim | {"code": "0000-0000-0000-0000"})
    assert wrong["reason"] == "COUPON_CODE_WRONG"
    page = await merchant.get(f"{path}/{body['template_id']}/claims?limit=1")
    assert [(each["user_id"], each["by_code"]) for each in page["claims"]] == [("", True)]
    for verb in ("pause", "resume", "end"):
        assert (await merchant.post(f"{path}/{body['template_id']}/{verb}", 200))["claimed"] == 1
    institutions = await bazaar.template(await bazaar.campaign())
    assert (await merchant.get(f"{path}/{institutions['template_id']}", 404))["reason"] == "COUPON_TEMPLATE_UNKNOWN"


async def test_who_makes_codes_does_not_wait_for_the_whole_template_to_be_counted(
    bazaar: Bazaar, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = await bazaar.template(await bazaar.campaign(), code="UNIQUE")
    counted: list[int] = []
    whole = bazaar.marketing.coupon_uses.of_template

    async def noted(template_id: int) -> dict[int, Use]:
        counted.append(template_id)
        return await whole(template_id)

    monkeypatch.setattr(bazaar.marketing.coupon_uses, "of_template", noted)
    path = f"/v1/operator/coupon-templates/{template['template_id']}/codes"
    batch = {"batch_id": id_text("ccb", bazaar.mint.mint()), "count": 3}
    for _ in range(2):
        await bazaar.said("POST", path, 201, batch, headers=OPERATOR)
    assert not counted
    assert len(await bazaar.said("GET", path, 200, headers=OPERATOR)) == 1
    assert counted, "who lists them all asks for it"


async def test_a_coupon_is_given_by_telephone_number(bazaar: Bazaar) -> None:
    giver, receiver = await bazaar.user("+8613800138000"), await bazaar.user("+8613800138001")
    coupon = await _claim(giver, await bazaar.template(await bazaar.campaign(), transferable=True))
    path = f"{MINE}/{coupon['coupon_id']}/give"
    given = await giver.post(path, 200, {"phone": "13800138001"})
    assert await giver.post(path, 200, {"user_id": receiver.id}) == given
    assert given["was_given"]
    assert await giver.get(MINE) == []
    assert [each["coupon_id"] for each in await receiver.get(MINE)] == [coupon["coupon_id"]]
    assert (await receiver.post(path, 422, {"phone": "13800138000"}))["reason"] == "COUPON_GIVEN_ALREADY"


async def test_the_operator_sends_one_and_a_budget_that_is_gone_gives_nothing(bazaar: Bazaar) -> None:
    payer, merchant = await bazaar.user("+8613800138000", 100_000), await bazaar.merchant()
    campaign_id = await bazaar.campaign(budget=700)
    template = await bazaar.template(campaign_id, limits={"per_person": 2})
    path = f"/v1/operator/coupon-templates/{template['template_id']}/send"
    for _ in range(2):
        body = {"coupon_id": payer.new_id("cpn"), "user_id": payer.id}
        sent = await bazaar.said("POST", path, 201, body, headers=OPERATOR)
        assert await bazaar.said("POST", path, 201, body, headers=OPERATOR) == sent
    plate = await _plate(merchant)
    assert [(await _pay(payer, plate, 3_000))["paid"] for _ in range(2)] == [2_500, 3_000]
    assert bazaar.left(campaign_id) == 200
    assert sorted(each["state"] for each in await payer.get(MINE)) == ["AVAILABLE", "REDEEMED"]


async def test_nothing_is_sent_to_a_wallet_that_is_closed_or_frozen_and_no_stock_is_spent(bazaar: Bazaar) -> None:
    payer, template = await bazaar.user("+8613800138000"), await bazaar.template(await bazaar.campaign())
    path = f"/v1/operator/coupon-templates/{template['template_id']}/send"
    body = {"coupon_id": payer.new_id("cpn"), "user_id": payer.id}
    frozen = f"/v1/operator/users/{payer.id}"
    await bazaar.said("POST", f"{frozen}/freeze", 200, {"why": "lost"}, headers=OPERATOR)
    assert (await bazaar.said("POST", path, 422, body, headers=OPERATOR))["reason"] == "USER_FROZEN"
    await bazaar.said("POST", f"{frozen}/unfreeze", 200, {"why": "found"}, headers=OPERATOR)
    sent = await bazaar.said("POST", path, 201, body, headers=OPERATOR)
    await payer.post("/v1/users/me/close", 200, {"pin": PIN})
    assert await bazaar.said("POST", path, 201, body, headers=OPERATOR) == sent, "it was sent before"
    again = body | {"coupon_id": payer.new_id("cpn")}
    assert (await bazaar.said("POST", path, 422, again, headers=OPERATOR))["reason"] == "USER_CLOSED"
    shown = await bazaar.said("GET", path.removesuffix("/send"), 200, headers=OPERATOR)
    assert shown["claimed"] == 1


async def test_offers_and_coupons_on_the_wallets_pages(bazaar: Bazaar) -> None:
    payer, merchant = await bazaar.user("+8613800138000", 100_000), await bazaar.merchant()
    plate = await _plate(merchant)
    campaign_id = await bazaar.campaign()
    await bazaar.template(
        campaign_id,
        transferable=True,
        validity={"days": 7, "weekdays": [1, 5], "hours": [{"from_minute": 360, "until_minute": 1_439}]},
    )
    await bazaar.template(
        campaign_id, kind="PERCENT_OFF", amount_off=0, percent_off_bps=1_250, cap=300, threshold=9_000
    )
    browser = Browser(bazaar, payer)
    assert "You have no coupons." in await browser.see("/wallet/coupons")
    page = await browser.see("/wallet/offers")
    assert "12.5% off, at most ¥3.00" in page
    assert "Mon Fri 06:00–23:59" in page
    forms = re.findall(r'name="id" value="(cpn_\w+)"><input type="hidden" name="template" value="(ctp_\w+)"', page)
    assert len(forms) == 2
    for id_, template in forms:
        claimed = await browser.send(page, "/wallet/offers/claim", id=id_, template=template)
        assert (await browser.send(page, "/wallet/offers/claim", id=id_, template=template)).text == claimed.text
    assert "¥5.00 off" in claimed.text
    assert "If you pay ¥20.00 or more" in claimed.text
    again = await browser.send(page, "/wallet/offers/claim", id=payer.new_id("cpn"), template=forms[0][1])
    assert "You have had as many of these as one may have." in again.text
    wrong = await browser.send(page, "/wallet/offers/code", id=payer.new_id("cpn"), code="hello<b>")
    assert "This code is wrong." in wrong.text
    assert "hello&lt;b&gt;" in wrong.text
    chinese = await Browser(bazaar, payer, "zh-CN").see("/wallet/coupons")
    assert "满¥20.00可用" in chinese
    bazaar.clock.ns += (4 - 3) * 86_400 * 10**9  # The tests' first day is a Thursday.
    payment = f"/wallet/pay/{payer.new_id('pay')}"
    asked = await browser.see(f"{payment}?code={plate}&amount=30")
    assert "早餐满20减5" in asked
    assert "¥25.00" in asked
    choice = await browser.see(f"{payment}/coupons?code={plate}&amount=30")
    assert "¥60.00 short" in choice
    links = [each.replace("&amp;", "&") for each in re.findall(r'href="(/wallet/pay/[^"]+coupon=[^"]+)"', choice)]
    assert len(links) == 2
    with_it, without = [await browser.see(link) for link in links]
    assert "¥25.00" in with_it
    assert "¥25.00" not in without
    done = await browser.send(
        without,
        links[1],
        quote_id=re.findall(r'name="quote_id" value="(\w+)"', without)[0],
        creditor=re.findall(r'name="creditor" value="([^"]+)"', without)[0],
        amount="3000",
        pin=PIN,
    )
    assert done.status_code == 200
    assert bazaar.left(campaign_id) == 1_000_000
    given = await browser.send(page, f"/wallet/coupons/{forms[0][0]}/give", phone="13800138009")
    assert given.status_code == 404


async def test_the_page_says_where_each_coupon_is_good_and_what_became_of_it(bazaar: Bazaar) -> None:
    payer, friend = [await bazaar.user(f"+861380013800{number}", 100_000) for number in range(2)]
    rules = RuleTable(rows=(RuleRow(when={"amount": ">= 100"}),))
    campaign_id, plate = await bazaar.campaign(rules=rules), await _plate(await bazaar.merchant())
    await _claim(payer, await bazaar.template(campaign_id, validity={"days": 1}, stacking={"exclusive": True}))
    assert (await _pay(payer, plate, 3_000))["paid"] == 2_500
    given = await _claim(payer, await bazaar.template(campaign_id, transferable=True))
    await payer.post(f"{MINE}/{given['coupon_id']}/give", 200, {"user_id": friend.id})
    assert "A friend gave it to you. It can't be given on." in _words(
        await Browser(bazaar, friend).see("/wallet/coupons")
    )
    await _pay(friend, plate, 3_000)
    (told,) = await bazaar.marketing.coupon_edge.given_away(parse_id("usr", payer.id))
    assert (told.state, told.payment_id) == ("AVAILABLE", ""), "what becomes of it there is not the giver's to know"
    await _claim(payer, await bazaar.template(campaign_id, validity={"days": 1}))
    bazaar.clock.advance(seconds=2 * 86_400)
    await _claim(payer, await bazaar.template(campaign_id, validity={"days": 3, "waits_days": 1}))
    page = _words(await Browser(bazaar, payer).see("/wallet/coupons"))
    good, past, away = re.split("Used and expired|Given away", page)
    assert "from ¥1.00 on" in good
    assert "Good from" in good
    assert ("Used" in past, past.count("Expired")) == (True, 1)
    assert "You gave it to somebody else." in away
    assert "Given away" not in await Browser(bazaar, friend).see("/wallet/coupons")
    for who in (payer, friend):
        browser = Browser(bazaar, who, "zh-CN")
        for path in ("/wallet/coupons", "/wallet/offers"):
            assert set(re.findall("[A-Za-z]{2,}", _words(await browser.see(path)))) <= {
                "Jing",
                "English",
                "GMT",
                _GROUP,
            }


_GROUP = "X" * 4  # Of a code, as its field shows what one looks like.


def _words(page: str) -> str:
    """What is to be read on a page."""
    return unescape(re.sub(r"<(script|style|head)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL))
