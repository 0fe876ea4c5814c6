"""An agreement that is scanned with a wallet of another institution: looked at, said yes to, and nothing else to do."""

import pytest

from hutong.gateways.agreements.agreement import OFFER_LIFE_S, AgreementState
from hutong.gateways.order import TradeState
from hutong.gateways.payer import payer_of
from hutong.runtime.shelf import decided
from hutong.scheme.messages import CodeConsult, id_hex
from tests.gateways.agreements.test_agreements import found, news, offer, take, taker
from tests.gateways.street import Street

pytestmark = pytest.mark.asyncio(loop_scope="module")
LOOK, SIGN = "/v1/agreements/elsewhere/look", "/v1/agreements/elsewhere/sign"


async def test_who_scans_it_elsewhere_reads_what_is_asked_and_signs_with_the_pin(street: Street) -> None:
    house, caller, person = street.wei, await taker(street.wei), await street.jing.person()
    offered = await offer(house, caller)
    link = house.gateways.agreements.link(offered)
    told = await person.said("POST", LOOK, {"link": link})
    assert (told["institution"], told["merchant_name"], told["account_shown"], told["day_max"]) == (
        "wei",
        "胡同面馆",
        "王小明",
        10_000,
    )
    assert (await found(house, caller)).state == AgreementState.OFFERED, "looking changes nothing"

    assert (await person.sign_elsewhere(link))["day_max"] == 10_000
    agreement = await found(house, caller)
    assert agreement.state == AgreementState.SIGNED
    (mandate,) = await person.said("GET", "/v1/mandates")
    assert (mandate["grantee"], mandate["daily_max"], mandate["name"]) == ("wei", 10_000, "胡同面馆")
    paid = await take(house, caller, agreement, "T-1", 6_000)
    assert paid.state is TradeState.PAID
    assert paid.payment is not None
    assert payer_of(paid.payment) == agreement.payer, "merchants know who signed and who pays by one id"
    assert (await take(house, caller, agreement, "T-2", 4_001)).state is TradeState.FAILED
    assert await person.balance() == 1_000_000 - 6_000
    await person.said("DELETE", f"/v1/mandates/{mandate['mandate_id']}")
    assert (await take(house, caller, agreement, "T-3", 1)).state is TradeState.FAILED
    assert news(house, caller)[0] == "AGREEMENT_SIGNED"


async def test_an_answer_that_was_lost_is_asked_for_again(street: Street) -> None:
    house, caller, person = street.wei, await taker(street.wei), await street.jing.person()
    link = house.gateways.agreements.link(await offer(house, caller))
    signed = await person.sign_elsewhere(link)
    again = await person.said("POST", SIGN, {"link": link, "pin_token": "pin_" + "A" * 40})
    assert again == signed, "what the PIN was given for is granted already"
    assert len(await person.said("GET", "/v1/mandates")) == 1
    assert news(house, caller) == ["AGREEMENT_SIGNED"]


async def test_who_comes_second_or_too_late_grants_nothing(street: Street) -> None:
    house, caller = street.wei, await taker(street.wei)
    first, second = await street.jing.person(), await street.jing.person()
    link = house.gateways.agreements.link(await offer(house, caller))
    told = await second.said("POST", LOOK, {"link": link})
    await first.sign_elsewhere(link)
    with pytest.raises(AssertionError, match="AGREEMENT_SIGNED"):
        await second.said("POST", LOOK, {"link": link})
    other = house.gateways.agreements.link(await offer(house, caller, "A-2"))
    wrong = {"link": other, "pin_token": "pin_" + "A" * 40}
    with pytest.raises(AssertionError, match="PIN_TOKEN"):
        await second.said("POST", SIGN, wrong)
    street.clock.advance(seconds=OFFER_LIFE_S)
    with pytest.raises(AssertionError, match="AGREEMENT_LAPSED"):
        await second.said("POST", LOOK, {"link": other})
    assert await second.said("GET", "/v1/mandates") == []
    assert told["creditor"] in link


async def test_what_was_granted_for_an_offer_that_lapsed_meanwhile_is_revoked(street: Street) -> None:
    house, caller, person = street.wei, await taker(street.wei), await street.jing.person()
    offered = await offer(house, caller)
    link = house.gateways.agreements.link(offered)
    # As if the answer to the mandate had been lost on the way there: granted, and never signed.
    asked = {"grantee": "wei", "daily_max": 10_000, "name": "胡同面馆", "grant_id": offered.creditor}
    granted = await person.said("POST", "/v1/mandates", asked)
    street.clock.advance(seconds=OFFER_LIFE_S)
    with pytest.raises(AssertionError, match="AGREEMENT_LAPSED"):
        await person.said("POST", SIGN, {"link": link, "pin_token": "pin_" + "A" * 40})
    listed = await person.said("GET", "/v1/mandates")
    assert [each["mandate_id"] for each in listed if not each["revoked"]] == [], granted


async def test_nobody_signs_with_a_mandate_of_a_third_institution(street: Street) -> None:
    house, caller, person = street.wei, await taker(street.wei), await street.wei.person()
    link = house.gateways.agreements.link(await offer(house, caller))
    granted = await person.said("POST", "/v1/mandates", {"grantee": "wei", "daily_max": 10_000, "name": ""})
    reader = await street.jing.person()
    with pytest.raises(AssertionError, match="MANDATE_OF_ANOTHER"):
        await reader.said("POST", "/v1/codes/consult", {"code": f"{link}?mandate={granted['text']}&for={'0' * 32}"})
    with pytest.raises(AssertionError, match="MANDATE_MALFORMED"):
        await reader.said("POST", "/v1/codes/consult", {"code": f"{link}?mandate=mandate:jing:x&for={'0' * 32}"})
    with pytest.raises(AssertionError, match="CODE_NOT_RESOLVED"):
        await reader.said("POST", "/v1/codes/consult", {"code": f"{link}?mandate=x"})
    with pytest.raises(AssertionError, match="CODE_IS_AGREEMENT"):
        await reader.said("POST", "/v1/codes/consult", {"code": link})
    for nowhere in ("https://wei.example/agreements/agr_0", "https://nobody.example/agreements/" + link[-30:], "x"):
        with pytest.raises(AssertionError, match=r"AGREEMENT_UNKNOWN|CODE_NOT_RESOLVED"):
            await reader.said("POST", LOOK, {"link": nowhere})
    assert (await found(house, caller)).state == AgreementState.OFFERED


async def test_a_plate_is_agreed_for_at_a_car_park_with_any_wallet(street: Street) -> None:
    house, person = street.wei, await street.jing.person()
    assert "车牌号" in (await house.client.get("/parking")).text
    wrong = await house.client.post("/parking", data={"plate_number": "12345", "plate_color": "BLUE"})
    assert (wrong.status_code, "PLATE_MALFORMED" in wrong.text) == (400, True)
    sent = await house.client.post("/parking", data={"plate_number": "粤B·12345", "plate_color": "BLUE"})
    assert sent.status_code == 303
    page = await house.client.get(sent.headers["location"])
    assert "粤B12345" in page.text
    assert "<svg" in page.text
    await person.sign_elsewhere(f"https://wei.example{sent.headers['location']}")
    assert "已签约" in (await house.client.get(sent.headers["location"])).text


async def test_it_is_signed_though_the_merchant_is_in_no_memory(street: Street) -> None:
    """Who signed, and whose answer a crash ate, asks a node that was started anew."""
    house, caller = street.wei, await taker(street.wei)
    link = house.gateways.agreements.link(await offer(house, caller))
    consult = CodeConsult(
        consult_id=id_hex(house.institution.node.mint.mint()),
        code=f"{link}?mandate=mandate:jing:{'a' * 32}&for={'b' * 32}",
        debtor_agent="jing",
        currency="CNY",
    )
    house.institution.merchants._all.merchants.forget([caller.payee.row.merchant_id])
    await decided(house.institution.node.journal, lambda: house.gateways.crossing.consulted(consult))
    assert (await found(house, caller)).state == AgreementState.SIGNED
