"""People and merchants let applications do things, on pages; the applications change the codes for tokens."""

import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from hutong.institution.people.one_time_code import Purpose
from hutong.runtime.shelf import decided
from tests.gateways.alipay.conftest import Payer, another
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import Hall
from tests.institution.payments.test_http import Phone

pytestmark = pytest.mark.asyncio(loop_scope="module")
BACK = "https://isv.example/back?a=1"


def page(path: str, merchant: Merchant, **more: str) -> str:
    return f"{path}?{urlencode({'app_id': merchant.app_id, 'redirect_uri': BACK, 'state': 's 1', **more})}"


def given(answer: httpx.Response) -> dict[str, str]:
    """What the browser brings back to the application."""
    assert answer.status_code == 302
    url = answer.headers["location"]
    assert url.startswith(BACK + "&")
    found = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert (found["a"], found["state"]) == ("1", "s 1")
    return found


def wallet(person: Phone) -> dict[str, str]:
    return {"cookie": "other=1; wallet-jing=" + person.headers["authorization"].removeprefix("Bearer ")}


async def agree(hall: Hall, url: str, headers: dict[str, str], **more: str) -> httpx.Response:
    """Read the page, and press the button."""
    asked = await hall.http.get(url, headers=headers)
    proof = re.search(r'name="proof" value="(\w+)"', asked.text)
    assert (asked.status_code, proof is not None) == (200, True), asked.text
    assert proof is not None
    form = headers | {"content-type": "application/x-www-form-urlencoded"}
    return await hall.http.post(url, content=urlencode({"proof": proof[1], **more}), headers=form)


async def owner(hall: Hall, phone: Phone, telephone: str) -> dict[str, str]:
    """An owner of the merchant who is signed in, as a browser keeps it."""
    staff = hall.jing.institution.staff
    key = await hall.owner(phone)
    await decided(hall.jing.node.journal, lambda: staff.appoint(key.merchant_id, telephone, "李娜", telephone))
    code = hall.jing.telephones.codes[telephone, Purpose.STAFF_PIN]
    _, token = await staff.set_pin(telephone, code, "483915", hall.jing.mint.mint())
    return {"cookie": f"staff-jing={token}"}


async def test_a_person_is_known_again_without_being_asked_and_shows_a_profile_when_they_agree(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    person = await payer(100_000)
    url = page("/oauth2/publicAppAuthorize.htm", merchant, scope="auth_base")
    stranger = await hall.http.get(url)
    assert stranger.headers["location"].startswith("/wallet/sign-in?next=%2Foauth2%2FpublicAppAuthorize.htm")
    back = given(await hall.http.get(url, headers=wallet(person)))
    asked: dict[str, Any] = {"grant_type": "authorization_code", "code": back["auth_code"]}
    token = await merchant.ask("alipay.system.oauth.token", **asked)
    assert (token["user_id"][:5], token["expires_in"]) == ("20881", "1296000")
    refused = merchant.verified(
        await merchant.send(merchant.parameters("alipay.system.oauth.token", **asked)), "error_response"
    )
    assert (refused["code"], refused["sub_code"]) == ("40002", "isv.code-invalid")
    poor = await merchant.ask("alipay.user.info.share", auth_token=token["access_token"])
    assert (poor["code"], poor["sub_code"]) == ("40006", "isv.insufficient-user-permissions")

    # Who pays is whom the application knows.
    shown = await merchant.ask("alipay.trade.precreate", {"out_trade_no": "1", "total_amount": "1", "subject": "面"})
    await hall.pay(person, shown["qr_code"])
    paid = await merchant.ask("alipay.trade.query", {"out_trade_no": "1"})
    assert (paid["buyer_user_id"], paid["buyer_open_id"]) == (token["user_id"], token["open_id"])

    url = page("/oauth2/publicAppAuthorize.htm", merchant, scope="auth_user")
    back = given(await agree(hall, url, wallet(person)))
    rich = await merchant.ask("alipay.system.oauth.token", grant_type="authorization_code", code=back["auth_code"])
    profile = await merchant.ask("alipay.user.info.share", auth_token=rich["access_token"])
    assert (profile["code"], profile["open_id"]) == ("10000", token["open_id"])
    assert profile["nick_name"]
    newer = await merchant.ask(
        "alipay.system.oauth.token", grant_type="refresh_token", refresh_token=rich["refresh_token"]
    )
    assert newer["access_token"] != rich["access_token"]


async def test_no_other_site_agrees_in_a_persons_place(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    person = await payer(0)
    url = page("/oauth2/publicAppAuthorize.htm", merchant, scope="auth_user")
    form = wallet(person) | {"content-type": "application/x-www-form-urlencoded"}
    forged = await hall.http.post(url, content="proof=" + "0" * 32, headers=form)
    assert (forged.status_code, "同意" in forged.text) == (200, True)
    for other in (
        page("/oauth2/publicAppAuthorize.htm", merchant, scope="auth_all"),
        page("/oauth2/publicAppAuthorize.htm", merchant, scope="auth_base", redirect_uri="javascript:alert(1)"),
        page("/oauth2/publicAppAuthorize.htm", merchant, scope="auth_base", app_id="2021"),
    ):
        assert (await hall.http.get(other, headers=wallet(person))).status_code == 400


async def test_a_service_provider_acts_for_a_merchant_that_agreed(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    provider = merchant
    phone, other = await another(hall)
    cookie = await owner(hall, phone, "+8613900139000")
    url = page("/oauth2/appToAppAuth.htm", provider)
    assert (await hall.http.get(url)).headers["location"].startswith("/staff/sign-in?next=")
    back = given(await agree(hall, url, cookie, account=other.app_id))
    assert back["app_id"] == provider.app_id
    asked = {"grant_type": "authorization_code", "code": back["app_auth_code"]}
    token = await provider.ask("alipay.open.auth.token.app", asked)
    assert (token["auth_app_id"], token["user_id"]) == (other.app_id, other.account.facts.seller_id)
    assert (len(token["app_auth_token"]), token["tokens"][0]["app_auth_token"]) == (40, token["app_auth_token"])
    again = await provider.ask("alipay.open.auth.token.app", asked)
    assert again["sub_code"] == "isv.code-invalid"
    state = {"app_auth_token": token["app_auth_token"]}
    assert (await provider.ask("alipay.open.auth.token.app.query", state))["status"] == "valid"

    person = await payer(100_000)
    acting: dict[str, Any] = {"app_auth_token": token["app_auth_token"], "notify_url": "https://isv.example/told"}
    order = {"out_trade_no": "P1", "total_amount": "10.00", "subject": "面"}
    shown = await provider.ask("alipay.trade.precreate", order, **acting)
    assert shown["code"] == "10000"
    await hall.pay(person, shown["qr_code"])
    assert (await other.ask("alipay.trade.query", {"out_trade_no": "P1"}))["trade_status"] == "TRADE_SUCCESS"
    assert (await provider.ask("alipay.trade.query", {"out_trade_no": "P1"}))["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    path, body = "/v3/alipay/trade/refund", b'{"out_trade_no":"P1","refund_amount":"1.00"}'
    headers = provider.authorization("POST", path, body, token=token["app_auth_token"])
    given_back = provider.verified_rest(await hall.http.post(path, content=body, headers=headers))
    assert given_back["refund_fee"] == "1.00"

    stranger = await other.ask("alipay.trade.query", {"out_trade_no": "P1"}, app_auth_token=token["app_auth_token"])
    assert (stranger["code"], stranger["sub_code"]) == ("20001", "aop.invalid-app-auth-token")
    key = await hall.owner(phone)
    accounts = hall.gateways.accounts
    await decided(hall.jing.node.journal, lambda: accounts.settle(key, other.account.row.id, partners=()))
    gone = await provider.ask("alipay.trade.query", {"out_trade_no": "P1"}, **acting)
    assert gone["sub_code"] == "aop.invalid-app-auth-token"
    assert (await provider.ask("alipay.open.auth.token.app.query", state))["status"] == "invalid"
