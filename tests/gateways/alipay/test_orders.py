"""Merchants' stories, told in Alipay's words."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

import pytest

from hutong.gateways import keys
from hutong.gateways.account import AlipayAccount, Caller, GatewayKind
from hutong.gateways.alipay.beijing import local
from hutong.gateways.alipay.parameters import canonical, encode
from hutong.gateways.notification import GatewayNotification, News
from hutong.gateways.order import Dialect
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S, ManualClock
from hutong.runtime.shelf import warmed
from tests.gateways.alipay.conftest import Payer
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import Hall, user_id

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOODLES = {"out_trade_no": "T1", "total_amount": "12.80", "subject": "两碗面 {大}"}


def told(answer: Mapping[str, object], *names: str) -> tuple[object, ...]:
    return tuple(answer.get(name) for name in names)


def news(merchant: Merchant) -> list[GatewayNotification]:
    found = merchant.hall.gateways.notifications.all.everything()
    return [row for row in found if row.account_id == merchant.account.row.id]


async def letters(merchant: Merchant) -> list[dict[str, str]]:
    """What the merchant is told by callback: each letter's parameters, once their signature was verified."""
    hall = merchant.hall
    postman = hall.gateways.notifications.postmen[Dialect.ALIPAY]
    found = []
    for row in news(merchant):
        plain = await warmed(hall.jing.node.journal, lambda row=row: postman.plain(row))  # type: ignore[misc]
        letter = postman.letter(row, plain, hall.jing.clock.now_ns())
        values = dict(parse_qsl(letter.body.decode(), strict_parsing=True))
        text = canonical(encode(values), without=(b"sign", b"sign_type"))
        assert keys.verifies(merchant.platform, values["sign"], text)
        found.append(values)
    return found


async def test_a_code_is_shown_scanned_paid_queried_and_given_back_in_parts(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    person = await payer(100_000)
    shown = await merchant.ask("alipay.trade.precreate", NOODLES, notify_url="https://shop.example/told")
    assert told(shown, "code", "msg", "out_trade_no") == ("10000", "Success", "T1")
    unseen = await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"})
    assert told(unseen, "code", "sub_code", "out_trade_no", "receipt_amount") == (
        "40004",
        "ACQ.TRADE_NOT_EXIST",
        "T1",
        "0.00",
    )
    assert (await merchant.ask("alipay.trade.precreate", NOODLES))["qr_code"] == shown["qr_code"]

    await person.post("/v1/codes/consult", 200, {"code": shown["qr_code"]})
    waiting = await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"})
    assert told(waiting, "code", "trade_status", "buyer_user_id") == ("10000", "WAIT_BUYER_PAY", None)
    await hall.pay(person, shown["qr_code"])

    paid = await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"})
    assert told(paid, "trade_status", "total_amount", "receipt_amount", "buyer_pay_amount", "subject") == (
        "TRADE_SUCCESS",
        "12.80",
        "12.80",
        "12.80",
        "两碗面 {大}",
    )
    assert paid["fund_bill_list"] == [{"fund_channel": "ALIPAYACCOUNT", "amount": "12.80"}]
    assert len(str(paid["trade_no"])) == 28
    assert str(paid["buyer_user_id"]).startswith("2088")
    assert (await merchant.ask("alipay.trade.query", {"trade_no": paid["trade_no"]})) == paid
    again = await merchant.ask("alipay.trade.precreate", NOODLES)
    assert told(again, "code", "sub_code") == ("40004", "ACQ.TRADE_HAS_SUCCESS")

    part = {"out_trade_no": "T1", "refund_amount": "2.80", "out_request_no": "R1", "refund_reason": "少一碗"}
    first = await merchant.ask("alipay.trade.refund", part)
    assert told(first, "code", "fund_change", "refund_fee", "send_back_fee") == ("10000", "Y", "2.80", "2.80")
    assert told(await merchant.ask("alipay.trade.refund", part), "fund_change", "refund_fee") == ("N", "2.80")
    hall.jing.clock.advance(seconds=1)
    other = await merchant.ask("alipay.trade.refund", part | {"refund_amount": "2.81"})
    assert told(other, "code", "sub_code") == ("40004", "ACQ.DISCORDANT_REPEAT_REQUEST")
    over = await merchant.ask("alipay.trade.refund", {"out_trade_no": "T1", "refund_amount": "10.01"})
    assert told(over, "code", "sub_code") == ("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
    rest = await merchant.ask("alipay.trade.refund", {"trade_no": paid["trade_no"], "refund_amount": 10})
    assert told(rest, "fund_change", "refund_fee", "send_back_fee") == ("Y", "12.80", "10.00")
    query = {"out_trade_no": "T1", "out_request_no": "R1"}
    done = await merchant.ask("alipay.trade.fastpay.refund.query", query)
    assert told(done, "refund_status", "refund_amount", "total_amount", "refund_reason") == (
        "REFUND_SUCCESS",
        "2.80",
        "12.80",
        "少一碗",
    )
    none = await merchant.ask("alipay.trade.fastpay.refund.query", query | {"out_request_no": "R9"})
    assert told(none, "code", "refund_status") == ("10000", None)
    closed = await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"})
    assert closed["trade_status"] == "TRADE_CLOSED"
    assert (await person.get("/v1/balance"))["balance"] == 100_000

    told_later = await letters(merchant)
    assert [told(each, "trade_status", "out_biz_no", "refund_fee", "notify_type") for each in told_later] == [
        ("TRADE_SUCCESS", None, None, "trade_status_sync"),
        ("TRADE_SUCCESS", "R1", "2.80", "trade_status_sync"),
        ("TRADE_CLOSED", "T1", "12.80", "trade_status_sync"),
    ]


async def test_what_a_callback_says(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    person = await payer(100_000)
    more = {"body": "面", "passback_params": "a%3D1"}
    shown = await merchant.ask("alipay.trade.precreate", NOODLES | more, notify_url="https://shop.example/told")
    await hall.pay(person, shown["qr_code"])
    (row,) = news(merchant)
    assert (row.kind, row.dialect, row.url) == (News.PAID, "alipay", "https://shop.example/told")
    (letter,) = await letters(merchant)
    assert told(letter, "trade_status", "out_trade_no", "app_id", "seller_id", "body", "passback_params") == (
        "TRADE_SUCCESS",
        "T1",
        merchant.app_id,
        merchant.account.facts.seller_id,
        "面",
        "a%3D1",
    )
    assert letter["fund_bill_list"] == '[{"amount":"12.80","fundChannel":"ALIPAYACCOUNT"}]'
    assert letter["buyer_id"] == (await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"}))["buyer_user_id"]
    assert "refund_fee" not in letter
    postman = hall.gateways.notifications.postmen[Dialect.ALIPAY]
    assert [postman.taken(200, body) for body in (b"success", b"SUCCESS", b" success", b"fail", b"")] == [True] + [
        False
    ] * 4
    assert sum(postman.schedule_s) == 25 * 3600 - 36 * 60


async def test_a_payment_code_pays_at_once_or_asks_its_holder_and_is_cancelled(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    person = await payer(200_000)
    code = await hall.payment_code(person)
    asked = NOODLES | {"scene": "bar_code", "auth_code": code}
    paid = await merchant.ask("alipay.trade.pay", asked)
    assert told(paid, "code", "msg", "total_amount", "receipt_amount") == ("10000", "Success", "12.80", "12.80")
    assert paid["gmt_payment"]
    assert (await merchant.ask("alipay.trade.pay", asked))["trade_no"] == paid["trade_no"]
    other = await merchant.ask("alipay.trade.pay", asked | {"auth_code": "310000000000000000"})
    assert other["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"
    back = await merchant.ask("alipay.trade.cancel", {"out_trade_no": "T1"})
    assert told(back, "code", "retry_flag", "action", "trade_no") == ("10000", "N", "refund", paid["trade_no"])
    assert (await merchant.ask("alipay.trade.cancel", {"out_trade_no": "T1"})) == back
    assert (await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"}))["trade_status"] == "TRADE_CLOSED"
    assert (await person.get("/v1/balance"))["balance"] == 200_000

    hall.jing.clock.advance(seconds=60)
    dear = asked | {"out_trade_no": "T2", "total_amount": "1500.00", "auth_code": await hall.payment_code(person)}
    pending = await merchant.ask("alipay.trade.pay", dear)
    assert told(pending, "code", "msg", "out_trade_no", "gmt_payment") == (
        "10003",
        "order success pay inprocess",
        "T2",
        None,
    )
    assert (await merchant.ask("alipay.trade.query", {"out_trade_no": "T2"}))["trade_status"] == "WAIT_BUYER_PAY"
    stopped = await merchant.ask("alipay.trade.cancel", {"out_trade_no": "T2"})
    assert told(stopped, "code", "retry_flag", "action") == ("10000", "N", "close")
    assert (await merchant.ask("alipay.trade.query", {"out_trade_no": "T2"}))["trade_status"] == "TRADE_CLOSED"


async def test_why_a_payment_code_does_not_pay(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    person = await payer(100)
    asked = NOODLES | {"scene": "bar_code", "auth_code": "310000000000000000"}
    nobody = await merchant.ask("alipay.trade.pay", asked)
    assert told(nobody, "code", "sub_code", "buyer_pay_amount", "out_trade_no") == (
        "40004",
        "ACQ.PAYMENT_AUTH_CODE_INVALID",
        "0.00",
        "T1",
    )
    poor = await merchant.ask("alipay.trade.pay", asked | {"auth_code": await hall.payment_code(person)})
    assert poor["sub_code"] == "ACQ.BUYER_BALANCE_NOT_ENOUGH"
    face = await merchant.ask("alipay.trade.pay", asked | {"scene": "security_code", "auth_code": "fp" + "x" * 33})
    assert face["sub_code"] == "ACQ.PAYMENT_AUTH_CODE_INVALID"


async def test_what_is_closed_and_what_is_not(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    person = await payer(100_000)
    shown = await merchant.ask("alipay.trade.precreate", NOODLES)
    unseen = await merchant.ask("alipay.trade.close", {"out_trade_no": "T1"})
    assert unseen["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    await person.post("/v1/codes/consult", 200, {"code": shown["qr_code"]})
    closed = await merchant.ask("alipay.trade.close", {"out_trade_no": "T1"})
    assert told(closed, "code", "out_trade_no") == ("10000", "T1")
    await person.post("/v1/codes/consult", 422, {"code": shown["qr_code"]})
    for method in ("alipay.trade.close", "alipay.trade.refund"):
        again = await merchant.ask(method, {"out_trade_no": "T1", "refund_amount": "1.00"})
        assert again["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    ended = await merchant.ask("alipay.trade.precreate", NOODLES)
    assert ended["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
    unknown = await merchant.ask("alipay.trade.cancel", {"out_trade_no": "T404"})
    assert told(unknown, "code", "retry_flag", "action") == ("10000", "N", None)
    made = await merchant.ask("alipay.trade.create", NOODLES | {"out_trade_no": "T2", "buyer_id": "2088000000000000"})
    assert told(await merchant.ask("alipay.trade.query", {"trade_no": made["trade_no"]}), "trade_status") == (
        "WAIT_BUYER_PAY",
    )
    assert (await merchant.ask("alipay.trade.close", {"trade_no": made["trade_no"]}))["code"] == "10000"


async def test_an_order_waits_for_who_showed_the_code_and_for_nobody_else(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    first, second = await payer(200_000), await payer(200_000)
    dear = NOODLES | {"scene": "bar_code", "total_amount": "1500.00"}
    shown = {"auth_code": await hall.payment_code(first)}
    assert (await merchant.ask("alipay.trade.pay", dear | shown))["code"] == "10003"
    other = await merchant.ask("alipay.trade.pay", dear | {"auth_code": await hall.payment_code(second)})
    assert told(other, "code", "sub_code") == ("40004", "ACQ.TRADE_BUYER_NOT_MATCH")
    changed = await merchant.ask("alipay.trade.pay", dear | shown | {"total_amount": "1500.01"})
    assert changed["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
    waiting = await merchant.ask("alipay.trade.query", {"out_trade_no": dear["out_trade_no"]})
    assert waiting["trade_status"] == "WAIT_BUYER_PAY"


async def test_the_same_number_with_other_content_is_refused(merchant: Merchant) -> None:
    await merchant.ask("alipay.trade.precreate", NOODLES)
    for other in ({"total_amount": "12.81"}, {"subject": "三碗面"}):
        refused = await merchant.ask("alipay.trade.precreate", NOODLES | other)
        assert told(refused, "code", "sub_code") == ("40004", "ACQ.CONTEXT_INCONSISTENT")


async def test_merchants_see_their_own_orders_alone(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    person = await payer(100_000)
    shown = await merchant.ask("alipay.trade.precreate", NOODLES)
    await hall.pay(person, shown["qr_code"])
    paid = await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"})
    account = await hall.account(GatewayKind.ALIPAY)
    assert isinstance(account, AlipayAccount)
    other = Merchant(hall, account)
    for which in ({"out_trade_no": "T1"}, {"trade_no": paid["trade_no"]}):
        for method in ("alipay.trade.query", "alipay.trade.close", "alipay.trade.refund"):
            refused = await other.ask(method, {**which, "refund_amount": "1.00"})
            assert refused["sub_code"] == "ACQ.TRADE_NOT_EXIST"


async def test_what_the_balance_did_not_cover_is_tried_again_under_its_number(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    person = await payer(100_000)
    for number in ("T1", "T2"):
        shown = await merchant.ask("alipay.trade.precreate", NOODLES | {"out_trade_no": number, "total_amount": "50"})
        await hall.pay(person, shown["qr_code"])
    balance = await hall.merchant_balance()
    number = (await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"}))["buyer_user_id"]
    sent = {
        "out_biz_no": "S1",
        "trans_amount": f"{(balance - 1_000) // 100}.{balance % 100:02d}",
        "product_code": "TRANS_ACCOUNT_NO_PWD",
        "payee_info": {"identity": number, "identity_type": "ALIPAY_USER_ID", "name": "王小明"},
    }
    assert (await merchant.ask("alipay.fund.trans.uni.transfer", sent))["code"] == "10000"
    refund = {"out_trade_no": "T1", "refund_amount": "50.00", "out_request_no": "R1"}
    for _ in range(2):
        poor = await merchant.ask("alipay.trade.refund", refund)
        assert (poor["code"], poor["sub_code"]) == ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH")
        poor = await merchant.ask("alipay.trade.cancel", {"out_trade_no": "T2"})
        assert (poor["code"], poor["sub_code"]) == ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH")
    query = {"out_trade_no": "T1", "out_request_no": "R1"}
    assert "refund_status" not in await merchant.ask("alipay.trade.fastpay.refund.query", query)
    shown = await merchant.ask("alipay.trade.precreate", NOODLES | {"out_trade_no": "T3", "total_amount": "99"})
    await hall.pay(await payer(1_000_000), shown["qr_code"])
    rich = await merchant.ask("alipay.trade.refund", refund)
    assert (rich["fund_change"], rich["refund_fee"]) == ("Y", "50.00")
    assert (await merchant.ask("alipay.trade.fastpay.refund.query", query))["refund_status"] == "REFUND_SUCCESS"
    assert (await merchant.ask("alipay.trade.refund", refund))["fund_change"] == "N"


async def test_an_instant_is_the_clients_where_the_networks_clock_was_put_forward(
    hall: Hall, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = ManualClock(hall.jing.clock.now_ns() - 24 * NS_PER_HOUR)
    monkeypatch.setattr(hall.gateways.alipay.service, "wall", behind)
    until = f"{local(behind.now_ns() + 600 * NS_PER_S):%Y-%m-%d %H:%M:%S}"
    placed = await merchant.ask("alipay.trade.precreate", NOODLES | {"out_trade_no": "T_wall", "time_expire": until})
    assert placed["code"] == "10000", placed


async def test_a_trade_made_for_somebody_is_paid_by_nobody_else(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    named, other = await payer(10_000), await payer(10_000)
    payers = hall.gateways.orders.payers
    openid = payers.openid(merchant.app_id, f"/{user_id(named):032x}")
    content = {"out_trade_no": "N1", "total_amount": "10.00", "subject": "面", "product_code": "JSAPI_PAY"}
    made = await merchant.ask("alipay.trade.create", content | {"buyer_open_id": openid})
    another = await merchant.ask("alipay.trade.create", content | {"buyer_open_id": "o" * 28})
    trade = await hall.gateways.orders.find(Caller(merchant.account, merchant.account), out_trade_no="N1")
    code = hall.gateways.orders.code_url(trade)

    quote = await other.post("/v1/codes/consult", 200, {"code": code})
    payment_id = other.new_id("pay")
    token = await other.token(payment_id, quote["amount"], quote["creditor"])
    said = await other.post(
        "/v1/payments", 422, {"payment_id": payment_id, "quote_id": quote["quote_id"], "pin_token": token}
    )
    await hall.pay(named, code)

    assert (made["code"], another["sub_code"]) == ("10000", "ACQ.CONTEXT_INCONSISTENT")
    assert said["reason"] == "ORDER_FOR_ANOTHER"
    told = await merchant.ask("alipay.trade.query", {"out_trade_no": "N1"})
    assert (told["trade_status"], told["buyer_open_id"]) == ("TRADE_SUCCESS", openid)


async def test_a_trade_is_finished_a_year_after_its_payment(merchant: Merchant, payer: Payer) -> None:
    hall, person = merchant.hall, await payer(10_000)
    content = {"out_trade_no": "Y1", "total_amount": "10.00", "subject": "面"}
    await hall.pay(person, (await merchant.ask("alipay.trade.precreate", content))["qr_code"])
    refund = {"out_trade_no": "Y1", "refund_amount": "1.00", "out_request_no": "R1"}
    assert (await merchant.ask("alipay.trade.refund", refund))["fund_change"] == "Y"

    hall.jing.clock.advance(seconds=365 * 86_400 + 1)

    assert (await merchant.ask("alipay.trade.query", {"out_trade_no": "Y1"}))["trade_status"] == "TRADE_FINISHED"
    assert (await merchant.ask("alipay.trade.refund", refund))["fund_change"] == "N", "a repetition"
    more = await merchant.ask("alipay.trade.refund", refund | {"out_request_no": "R2"})
    assert (more["code"], more["sub_code"]) == ("40004", "ACQ.TRADE_HAS_FINISHED")


async def test_who_cannot_buy_is_told_apart(merchant: Merchant) -> None:
    seller_id = merchant.account.facts.seller_id
    for number, buyer_id, sub_code in (
        ("B1", seller_id, "ACQ.BUYER_SELLER_EQUAL"),
        ("B2", "2088100000000000", "ACQ.BUYER_NOT_EXIST"),
    ):
        refused = await merchant.ask("alipay.trade.create", NOODLES | {"out_trade_no": number, "buyer_id": buyer_id})
        assert refused["sub_code"] == sub_code
    elsewhere = await merchant.ask(
        "alipay.trade.create", NOODLES | {"out_trade_no": "B3", "buyer_id": "2088000000000000"}
    )
    assert elsewhere["code"] == "10000"
