"""A deposit is held by payment code or by link, paid out of, and let go."""

from typing import Any
from urllib.parse import parse_qsl

import pytest

from hutong.codes.plate import read_plate
from hutong.gateways.order import Dialect
from hutong.kernel.ids import id_text
from hutong.runtime.shelf import decided, warmed
from tests.gateways.alipay.conftest import Payer
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import Hall, user_id

pytestmark = pytest.mark.asyncio(loop_scope="module")
FREEZE, DETAIL = "alipay.fund.auth.order.freeze", "alipay.fund.auth.operation.detail.query"
DEPOSIT = {
    "out_order_no": "H1",
    "out_request_no": "R1",
    "order_title": "押金",
    "amount": "100.00",
    "product_code": "PREAUTH_PAY",
    "auth_code_type": "bar_code",
}


def pay(number: str, amount: str, auth_no: str, mode: str = "NOT_COMPLETE") -> dict[str, Any]:
    asked = {"out_trade_no": number, "total_amount": amount, "subject": "房费", "product_code": "PREAUTH_PAY"}
    return asked | {"auth_no": auth_no, "auth_confirm_mode": mode}


async def news(merchant: Merchant) -> list[dict[str, str]]:
    hall = merchant.hall
    postman = hall.gateways.notifications.postmen[Dialect.ALIPAY]
    found = []
    for row in hall.gateways.notifications.all.everything():
        if row.account_id == merchant.account.row.id:
            plain = await warmed(hall.jing.node.journal, lambda row=row: postman.plain(row))  # type: ignore[misc]
            found.append(dict(parse_qsl(postman.letter(row, plain, hall.jing.clock.now_ns()).body.decode())))
    return found


async def test_a_deposit_by_payment_code_is_paid_out_of_and_the_rest_goes_back(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    person = await payer(100_000)
    asked = DEPOSIT | {"auth_code": await hall.payment_code(person)}
    held = await merchant.ask(FREEZE, asked, notify_url="https://hotel.example/told")
    assert (held["code"], held["status"], held["amount"], held["out_order_no"]) == ("10000", "SUCCESS", "100.00", "H1")
    assert held["payer_user_id"].startswith("20881")
    assert await merchant.ask(FREEZE, asked, notify_url="https://hotel.example/told") == held
    refused = await merchant.ask(FREEZE, asked | {"amount": "100.01"})
    assert (refused["code"], refused["sub_code"]) == ("40004", "UNIQUE_VIOLATION")
    auth_no = held["auth_no"]

    paid = await merchant.ask("alipay.trade.pay", pay("P1", "30.00", auth_no))
    assert (paid["code"], paid["total_amount"], paid["buyer_user_id"]) == ("10000", "30.00", held["payer_user_id"])
    too_much = await merchant.ask("alipay.trade.pay", pay("P2", "70.01", auth_no))
    assert (too_much["code"], too_much["sub_code"]) == ("40004", "ACQ.AUTH_AMOUNT_NOT_ENOUGH")
    wrong = await merchant.ask("alipay.trade.pay", pay("P3", "1.00", "2026" + "0" * 24))
    assert wrong["sub_code"] == "ACQ.AUTH_NO_ERROR"

    back = {"auth_no": auth_no, "out_request_no": "R2", "amount": "20.00", "remark": "退押金"}
    let_go = await merchant.ask("alipay.fund.auth.order.unfreeze", back)
    assert (let_go["code"], let_go["status"], let_go["out_request_no"]) == ("10000", "SUCCESS", "R2")
    over = await merchant.ask("alipay.fund.auth.order.unfreeze", back | {"out_request_no": "R3", "amount": "50.01"})
    assert over["sub_code"] == "REQUEST_AMOUNT_EXCEED"
    told = await merchant.ask(DETAIL, {"auth_no": auth_no, "operation_id": held["operation_id"]})
    assert (told["order_status"], told["operation_type"]) == ("AUTHORIZED", "FREEZE")
    assert (told["total_freeze_amount"], told["rest_amount"], told["total_pay_amount"]) == ("100.00", "50.00", "30.00")
    part = await merchant.ask(DETAIL, {"out_order_no": "H1", "out_request_no": "R2"})
    assert (part["operation_type"], part["amount"], part["remark"]) == ("UNFREEZE", "20.00", "退押金")

    last = await merchant.ask("alipay.trade.pay", pay("P4", "10.00", auth_no, "COMPLETE"))
    assert last["code"] == "10000"
    over = await merchant.ask("alipay.trade.pay", pay("P5", "1.00", auth_no))
    assert over["sub_code"] == "ACQ.AUTH_ORDER_HAS_FINISHED"
    assert (await merchant.ask(DETAIL, {"auth_no": auth_no, "out_request_no": "R1"}))["order_status"] == "FINISH"
    assert (await person.get("/v1/balance"))["balance"] == 96_000
    assert [each["notify_type"] for each in await news(merchant)] == [
        "fund_auth_freeze",
        "fund_auth_unfreeze",
        "fund_auth_unfreeze",
    ]


async def test_a_deposit_by_link_is_agreed_to_with_the_pin_or_cancelled(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    person = await payer(100_000)
    shown = await merchant.ask("alipay.fund.auth.order.voucher.create", DEPOSIT)
    assert shown["code"] == "10000"
    waiting = await merchant.ask(DETAIL, {"out_order_no": "H1", "out_request_no": "R1"})
    assert (waiting["status"], waiting["order_status"], waiting["rest_amount"]) == ("INIT", "INIT", "0.00")
    preauths, id_ = hall.gateways.preauths, read_plate(shown["code_value"]).id.request_id
    offered = await warmed(hall.jing.node.journal, lambda: preauths.offered(id_))
    token = await person.token(id_text("pay", id_), offered.amount, offered.creditor)
    await decided(hall.jing.node.journal, lambda: preauths.agree(user_id(person), id_, token))
    told = await merchant.ask(DETAIL, {"out_order_no": "H1", "out_request_no": "R1"})
    assert (told["status"], told["order_status"], told["rest_amount"]) == ("SUCCESS", "AUTHORIZED", "100.00")
    undone = await merchant.ask(
        "alipay.fund.auth.operation.cancel", {"out_order_no": "H1", "out_request_no": "R1", "remark": "不住了"}
    )
    assert (undone["code"], undone["action"], undone["auth_no"]) == ("10000", "unfreeze", told["auth_no"])
    assert (await person.get("/v1/balance"))["balance"] == 100_000

    other = DEPOSIT | {"out_order_no": "H2", "out_request_no": "R2"}
    app = await merchant.ask("alipay.fund.auth.order.app.freeze", other)
    assert (app["code"], app["status"]) == ("10000", "INIT")
    undone = await merchant.ask("alipay.fund.auth.operation.cancel", {"auth_no": app["auth_no"], "remark": "x"})
    assert undone["action"] == "close"
    unpaid = await merchant.ask("alipay.trade.pay", pay("P1", "1.00", app["auth_no"]))
    assert unpaid["sub_code"] == "ACQ.AUTH_ORDER_HAS_CLOSE"


async def test_why_nothing_is_held(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    poor = await payer(100)
    for asked, said in (
        ({"auth_code": await hall.payment_code(poor)}, "PAYER_BALANCE_NOT_ENOUGH"),
        ({"auth_code": "1", "amount": "0"}, "ILLEGAL_ARGUMENT"),
        ({"auth_code": "1", "payee_user_id": "2088000000000000"}, "ILLEGAL_ARGUMENT"),
    ):
        refused = await merchant.ask(FREEZE, DEPOSIT | asked)
        assert (refused["code"], refused["sub_code"]) == ("40004", said), asked
    unknown = await merchant.ask(DETAIL, {"auth_no": "2026" + "0" * 24, "operation_id": "1"})
    assert unknown["sub_code"] == "AUTH_ORDER_NOT_EXIST"
