"""Inviting in a browser: the link and its page, registering by it, the friends and an appeal; and the desk's answer."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, cast

import httpx
import pytest

from hutong.institution.people.one_time_code import Purpose
from hutong.marketing.campaigns.campaign import CampaignKind
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import decided
from hutong.web.form import FormReason
from tests.institution.payments.test_http import Phone
from tests.marketing.coupons.bazaar import Bazaar, Browser

STEPS = [{"friends": 1, "total": 800}, {"friends": 2, "total": 1_800}]


@pytest.fixture
async def bazaar() -> AsyncIterator[Bazaar]:
    async with AsyncExitStack() as stack:
        pool = WorkerPool()
        stack.callback(pool.close)
        bazaar = Bazaar(pool)
        await bazaar.start(stack)
        yield bazaar


async def registers(bazaar: Bazaar, code: str, phone: str) -> Phone:
    """Somebody opens the link in a browser and registers there."""
    transport = httpx.ASGITransport(cast("Any", bazaar.app))
    async with httpx.AsyncClient(transport=transport, base_url="http://jing") as client:
        landing = await client.get(f"/i/{code}", headers={"accept-language": "en"})
        assert landing.status_code == 200
        assert "*小明 invites you" in landing.text
        page = (await client.get("/wallet/register")).text
        for path, fields in (
            ("/wallet/register", {"name": "李小红", "phone": phone}),
            ("/wallet/register/code", {"name": "李小红", "phone": phone}),
        ):
            hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
            sent = {"code": bazaar.telephones.codes[phone, Purpose.SIGN_IN]} if path.endswith("code") else {}
            answer = await client.post(path, data=hidden | fields | sent)
            page = answer.text
        assert answer.status_code == 303, page
        token = client.cookies["wallet-jing"]
    me = await bazaar.said("GET", "/v1/users/me", 200, headers={"authorization": f"Bearer {token}"})
    return Phone(bazaar, me["id"], {"authorization": f"Bearer {token}"})


async def test_a_link_is_shown_as_a_picture_and_leads_a_friend_in(bazaar: Bazaar) -> None:
    await bazaar.campaign(kind=CampaignKind.INVITE, more={"steps": STEPS})
    me = await bazaar.user("+8613800138000")
    browser = Browser(bazaar, me)
    page = await browser.see("/wallet/invite")
    assert "Get my link" in page
    (campaign,) = re.findall(r'name="campaign" value="(cmp_\w+)"', page)
    page = (await browser.send(page, "/wallet/invite", campaign=campaign)).text
    (code,) = re.findall(r"https://jing.example/i/(\w{10})</p>", page)
    assert "<svg" in page
    friend = await registers(bazaar, code, "+8613800138001")
    page = await browser.see("/wallet/invite")
    assert "*小红" in page
    assert "Has not paid yet" in page
    assert "李" not in page
    assert "*小明 did." in await Browser(bazaar, friend).see("/wallet/invite")
    assert "邀请好友" in await Browser(bazaar, me, "zh-CN").see("/wallet/invite")
    other = await bazaar.user("+8613800138002")
    theirs = Browser(bazaar, other)
    again = await theirs.send(await theirs.see("/wallet/invite"), "/wallet/invite/accept", code="nonsense")
    assert again.status_code == 404
    assert "Nobody has this invitation code" in again.text
    assert 'value="nonsense"' in again.text
    await theirs.send(again.text, "/wallet/invite/accept", code=code)
    assert "*小明 did." in await theirs.see("/wallet/invite")


async def test_a_link_that_leads_nowhere_says_so_and_keeps_nobody_from_registering(bazaar: Bazaar) -> None:
    transport = httpx.ASGITransport(cast("Any", bazaar.app))
    async with httpx.AsyncClient(transport=transport, base_url="http://jing") as client:
        landing = await client.get("/i/0000000000", headers={"accept-language": "en"})
        assert landing.status_code == 404
        assert "This invitation leads nowhere" in landing.text
        assert "/wallet/register" in landing.text


async def test_a_form_of_another_site_invites_nobody(bazaar: Bazaar) -> None:
    await bazaar.campaign(kind=CampaignKind.INVITE, more={"steps": STEPS})
    me = await bazaar.user("+8613800138000")
    browser = Browser(bazaar, me)
    await browser.see("/wallet/invite")
    answer = await browser.client.post("/wallet/invite/accept", data={"csrf": "made up", "code": "x"})
    assert answer.status_code == 403 or FormReason.FORM_EXPIRED.name in answer.text


async def test_a_refused_friend_is_appealed_on_the_page_and_answered_at_the_desk(bazaar: Bazaar) -> None:
    more = {"steps": STEPS, "hold_hours": 0, "refuse_at": 1, "weights": {"SHARED_FUNDING": 1}}
    await bazaar.campaign(kind=CampaignKind.INVITE, more=more)
    me = await bazaar.user("+8613800138000")
    browser, inviting = Browser(bazaar, me), bazaar.marketing.invitations
    (campaign,) = (await me.get("/v1/me/invitations"))["campaigns"]
    code = (await me.post("/v1/me/invitations", 200, {"campaign_id": campaign["campaign_id"]}))["code"]
    friend = await registers(bazaar, code, "+8613800138001")
    referral_id = (await me.get("/v1/me/invitations"))["campaigns"][0]["friends"][0]["referral_id"]
    found = next(iter(inviting.register.referrals.everything()))
    refused = found.refused(
        FormReason.FORM_EXPIRED, bazaar.clock.now_ns(), 1, '[{"name":"RING","weight":1,"facts":{"way":["a"]}}]'
    )
    await decided(bazaar.node.journal, lambda: inviting.register.put(refused))
    page = await browser.see("/wallet/invite")
    assert "This is wrong" in page
    path = f"/wallet/invite/{referral_id}/appeal"
    page = (await browser.send(page, path, words="她是我同事")).text
    assert "Looked at again" in page
    strangers = Browser(bazaar, friend)
    refused_theirs = await strangers.send(await strangers.see("/wallet/invite"), path, words="x")
    assert refused_theirs.status_code == 404

    operators = bazaar.institution.people.operators
    _, token = await decided(bazaar.node.journal, lambda: operators.sessions.begin("op_a-long-token"))
    browser.client.cookies.set("desk-jing", token)
    listed = await browser.see("/desk/invitations")
    assert "Appeals to be answered" in listed
    assert referral_id[-8:] in listed
    one = await browser.see(f"/desk/invitations/{referral_id}")
    assert "她是我同事" in one
    assert "A ring back to the inviter" in one
    fields = {"approval": re.findall(r'name="approval" value="(\w+)"', one)[0], "reason": "对不起", "act": "grant"}
    await browser.client.post(
        f"/desk/invitations/{referral_id}",
        data=fields | {"csrf": re.findall(r'name="csrf" value="(\w+)"', one)[0]},
        follow_redirects=False,
    )
    assert (await me.get("/v1/balance"))["balance"] == 800
    page = await browser.see("/wallet/invite")
    assert "Paid to you" in page
    assert "对不起" in page
