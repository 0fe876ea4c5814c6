"""A person agrees on the institution's page; then the merchant takes money by the agreement's number, until it is ended."""

import html
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from hutong.gateways import keys
from hutong.gateways.alipay.beijing import local
from hutong.gateways.alipay.parameters import canonical, encode
from hutong.gateways.order import Dialect
from hutong.kernel.ids import parse_id
from hutong.runtime.shelf import decided, warmed
from tests.gateways.alipay.conftest import Payer
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import Hall, user_id
from tests.institution.payments.test_http import Phone

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLAN = {"personal_product_code": "GENERAL_WITHHOLDING_P", "sign_scene": "INDUSTRY|MOBILE"}
QUERY = "alipay.user.agreement.query"


async def signed(hall: Hall, merchant: Merchant, person: Phone, *, plan: dict[str, Any] = PLAN, **more: str) -> str:
    """As the page leads on to, in the person's wallet."""
    content = plan | {
        "external_agreement_no": "A1",
        "external_logon_id": "小明",
        "access_params": {"channel": "QRCODE"},
    }
    more = {"notify_url": "https://shop.example/told"} | more
    parameters = merchant.parameters("alipay.user.agreement.page.sign", content, **more)
    shown = await merchant.send(parameters)
    assert shown.headers["content-type"] == "text/html;charset=utf-8"
    found = re.search(r"url=\S*/agreements/(agr_\w+)", shown.text)
    assert found is not None, shown.text
    agreements, id_ = hall.gateways.agreements, parse_id("agr", found[1])
    offered = await warmed(hall.jing.node.journal, lambda: agreements.offered(id_))
    token = await person.token(person.new_id("pay").split("_")[0] + found[1][3:], offered.day_max, offered.creditor)
    await decided(hall.jing.node.journal, lambda: agreements.sign(user_id(person), id_, token))
    return f"/agreements/{found[1]}"


def take(number: str, amount: str, agreement_no: str) -> dict[str, Any]:
    return {
        "out_trade_no": number,
        "total_amount": amount,
        "subject": "月费",
        "product_code": "GENERAL_WITHHOLDING",
        "agreement_params": {"agreement_no": agreement_no},
    }


async def news(merchant: Merchant) -> list[dict[str, str]]:
    hall = merchant.hall
    postman = hall.gateways.notifications.postmen[Dialect.ALIPAY]
    found = []
    for row in hall.gateways.notifications.all.everything():
        if row.account_id == merchant.account.row.id:
            plain = await warmed(hall.jing.node.journal, lambda row=row: postman.plain(row))  # type: ignore[misc]
            found.append(dict(parse_qsl(postman.letter(row, plain, hall.jing.clock.now_ns()).body.decode())))
    return found


async def test_an_agreement_is_signed_used_and_ended(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    person = await payer(150_000)
    none = await merchant.ask(QUERY, PLAN | {"external_agreement_no": "A1"})
    assert (none["code"], none["sub_code"]) == ("40004", "USER_AGREEMENT_NOT_EXIST")
    await signed(hall, merchant, person)
    told = await merchant.ask(QUERY, PLAN | {"external_agreement_no": "A1"})
    assert (told["status"], told["sign_scene"], told["external_logon_id"]) == ("NORMAL", "INDUSTRY|MOBILE", "小明")
    number = told["agreement_no"]
    for which in ({"agreement_no": number}, PLAN | {"alipay_user_id": told["principal_id"]}):
        assert (await merchant.ask(QUERY, which))["agreement_no"] == number

    taken = await merchant.ask("alipay.trade.pay", take("P1", "600.00", number))
    assert (taken["code"], taken["buyer_user_id"]) == ("10000", told["principal_id"])
    assert (await merchant.ask("alipay.trade.pay", take("P1", "600.00", number)))["trade_no"] == taken["trade_no"]
    too_much = await merchant.ask("alipay.trade.pay", take("P2", "600.00", number))
    assert (too_much["code"], too_much["sub_code"]) == ("40004", "ACQ.BEYOND_PAY_RESTRICTION")
    nobodys = await merchant.ask("alipay.trade.pay", take("P3", "1.00", "20" + "0" * 30))
    assert nobodys["sub_code"] == "ACQ.AGREEMENT_NOT_EXIST"

    ended = await merchant.ask("alipay.user.agreement.unsign", PLAN | {"external_agreement_no": "A1"})
    assert ended == {"code": "10000", "msg": "Success"}
    assert (await merchant.ask(QUERY, {"agreement_no": number}))["sub_code"] == "USER_AGREEMENT_NOT_EXIST"
    gone = await merchant.ask("alipay.trade.pay", take("P4", "1.00", number))
    assert gone["sub_code"] == "ACQ.AGREEMENT_STATUS_NOT_NORMAL"
    assert (await person.get("/v1/balance"))["balance"] == 90_000
    first, last = await news(merchant)
    assert (first["notify_type"], first["status"], first["agreement_no"]) == ("dut_user_sign", "NORMAL", number)
    assert (last["notify_type"], last["status"]) == ("dut_user_unsign", "UNSIGN")
    assert last["unsign_time"] == last["notify_time"]


async def test_a_page_that_is_asked_for_wrongly_says_so(merchant: Merchant) -> None:
    answer = await merchant.send(merchant.parameters("alipay.user.agreement.page.sign", {}))
    assert "personal_product_code" in answer.text


async def test_a_browser_goes_back_with_what_the_merchant_can_verify(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    path = await signed(hall, merchant, await payer(0), return_url="https://shop.example/back?at=1")
    shown = await hall.http.get(path)
    link = re.search(r'class="open" href="([^"]+)"', shown.text)
    assert link is not None, shown.text
    where = html.unescape(link[1])
    assert f'content="1;url={link[1]}"' in shown.text
    assert where.startswith("https://shop.example/back?at=1&")
    told = dict(parse_qsl(urlsplit(where).query))
    assert (told["method"], told["status"]) == ("alipay.user.agreement.page.sign.return", "NORMAL")
    assert (told["external_agreement_no"], told["app_id"]) == ("A1", merchant.app_id)
    signature = told.pop("sign")
    values = {name: value for name, value in told.items() if name not in {"at", "sign_type"}}
    assert keys.verifies(merchant.platform, signature, canonical(encode(values), without=()))
    number = told["agreement_no"]
    await merchant.ask("alipay.user.agreement.unsign", {"agreement_no": number})
    assert "shop.example" not in (await hall.http.get(path)).text, "it has ended"


async def test_an_agreement_without_a_way_back_shows_that_it_is_signed(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    path = await signed(hall, merchant, await payer(0))
    assert "已签约" in (await hall.http.get(path)).text
    wrong = merchant.parameters("alipay.user.agreement.page.sign", PLAN, return_url="javascript:1")
    assert "return_url" in (await merchant.send(wrong)).text


async def test_a_cyclic_agreement_is_taken_once_a_month(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    person, plan = await payer(10_000), {"personal_product_code": "CYCLE_PAY_AUTH_P", "sign_scene": "INDUSTRY|MOBILE"}
    today = local(hall.jing.clock.now_ns()).date()
    rule = {"period_type": "MONTH", "period": "1", "execute_time": today.isoformat(), "single_amount": "30.00"}
    await signed(hall, merchant, person, plan=plan | {"period_rule_params": rule | {"total_payments": "2"}})
    told = await merchant.ask(QUERY, plan | {"external_agreement_no": "A1"})
    assert (told["next_deduct_time"], told["single_quota"]) == (today.isoformat(), "30.00")
    assert told["external_logon_id"] == "小明"

    number = told["agreement_no"]
    assert (await merchant.ask("alipay.trade.pay", take("C1", "30.00", number)))["code"] == "10000"
    for out_trade_no, amount, sub_code in (
        ("C2", "1.00", "ACQ.CYCLE_PAY_DATE_NOT_MATCH"),
        ("C3", "30.01", "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED"),
    ):
        assert (await merchant.ask("alipay.trade.pay", take(out_trade_no, amount, number)))["sub_code"] == sub_code
    later = await merchant.ask(QUERY, {"agreement_no": number})
    assert later["last_deduct_time"] == today.isoformat()
    assert later["next_deduct_time"] > today.isoformat()
    assert (await person.get("/v1/balance"))["balance"] == 7_000


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"period_type": "YEAR"}, "period_type"),
        ({"period": "0"}, "period"),
        ({"period": "6"}, "period"),
        ({"period": "x"}, "period"),
        ({"execute_time": "soon"}, "execute_time"),
        ({"execute_time": "0001-01-01"}, "execute_time"),
        ({"single_amount": ""}, "single_amount"),
        ({"total_payments": "-1"}, "total_payments"),
    ],
)
async def test_a_rule_that_is_none_is_refused(merchant: Merchant, changes: dict[str, str], name: str) -> None:
    rule = {"period_type": "DAY", "period": "7", "execute_time": "2026-01-01", "single_amount": "1.00"} | changes
    content = {"personal_product_code": "CYCLE_PAY_AUTH_P", "period_rule_params": rule}
    shown = await merchant.send(merchant.parameters("alipay.user.agreement.page.sign", content))
    assert f"period_rule_params.{name}" in shown.text


@pytest.mark.parametrize("period", ["0d", "1y", "d", "1000d"])
async def test_a_period_that_is_none_is_refused(merchant: Merchant, period: str) -> None:
    shown = await merchant.send(
        merchant.parameters("alipay.user.agreement.page.sign", PLAN | {"sign_validity_period": period})
    )
    assert "sign_validity_period" in shown.text


@pytest.mark.parametrize(("period", "days"), [("2d", 2), ("1m", 31)])
async def test_an_agreement_is_over_when_its_time_is(
    hall: Hall, merchant: Merchant, payer: Payer, period: str, days: int
) -> None:
    person, lasting = await payer(10_000), {"sign_validity_period": period}
    ends = local(hall.jing.clock.now_ns() + days * 86_400 * 10**9)
    path = await signed(hall, merchant, person, plan=PLAN | lasting)
    told = await merchant.ask(QUERY, PLAN | {"external_agreement_no": "A1"})
    assert told["invalid_time"] == f"{ends:%Y-%m-%d %H:%M:%S}"
    assert (await merchant.ask("alipay.trade.pay", take(f"L1{period}", "1.00", told["agreement_no"])))[
        "code"
    ] == "10000"
    hall.jing.clock.advance(seconds=days * 86_400)
    over = await merchant.ask("alipay.trade.pay", take(f"L2{period}", "1.00", told["agreement_no"]))
    assert over["sub_code"] == "ACQ.AGREEMENT_INVALID"
    none = await merchant.ask(QUERY, PLAN | {"external_agreement_no": "A1"})
    assert none["sub_code"] == "USER_AGREEMENT_NOT_EXIST"
    assert "已过期" in (await hall.http.get(path)).text
    await signed(hall, merchant, await payer(0))
    renewed = await merchant.ask(QUERY, PLAN | {"external_agreement_no": "A1"})
    assert renewed["status"] == "NORMAL", "the number is free again"
