"""Vouchers through Alipay's wire: wechatpay-alipay specification, section 15.4."""

import json
from typing import Any

import pytest

from hutong.institution import chart
from tests.gateways.alipay.conftest import Payer, another
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.alipay.test_orders import letters
from tests.gateways.hall import Hall
from tests.institution.payments.test_http import Phone

pytestmark = pytest.mark.asyncio(loop_scope="module")
CREATE, VOUCHER = "alipay.marketing.cashvoucher.template.create", "alipay.marketing.voucher."
NOW, ENDS = "2026-01-01 08:00:00", "2026-02-01 00:00:00"


def template(number: str = "V1", **more: Any) -> dict[str, Any]:
    return {
        "voucher_type": "FIX_VOUCHER",
        "brand_name": "面馆满20减5",
        "amount": "5.00",
        "floor_amount": "20.00",
        "voucher_quantity": "10",
        "publish_start_time": NOW,
        "publish_end_time": ENDS,
        "voucher_valid_period": '{"type":"ABSOLUTE","start":"2026-01-01 08:00:00","end":"2026-02-01 00:00:00"}',
        "voucher_description": "每单限用一张",
        "out_biz_no": number,
    } | more


async def sold(hall: Hall, merchant: Merchant, person: Phone, number: str, amount: str) -> None:
    order = {"out_trade_no": number, "total_amount": amount, "subject": "面"}
    placed = await merchant.ask("alipay.trade.precreate", order, notify_url="https://shop.example/paid")
    await hall.pay(person, placed["qr_code"])


async def test_a_voucher_is_paid_for_sent_used_and_comes_back(hall: Hall, payer: Payer) -> None:
    phone, merchant = await another(hall)
    person = await payer(100_000)
    poor = await merchant.ask(CREATE, template())
    assert poor["sub_code"] == "BALANCE_IS_NOT_ENOUGH"
    await sold(hall, merchant, person, "F1", "300.00")
    had = int((await phone.get("/v1/merchant/balance"))["balance"])
    made = await merchant.ask(CREATE, template())
    assert (made["code"], await merchant.ask(CREATE, template())) == ("10000", made)
    assert int((await phone.get("/v1/merchant/balance"))["balance"]) == had - 5_000
    stock = made["template_id"]
    (row,) = [each for each in hall.gateways.vouchers.stocks.all.everything() if each.number == stock]

    async def set_aside() -> int:
        (account,) = await hall.jing.ledger.lookup_accounts([chart.campaign_account(row.id)])
        return account.credits_posted - account.debits_posted

    buyer = (await merchant.ask("alipay.trade.query", {"out_trade_no": "F1"}))["buyer_user_id"]
    asked = {"template_id": stock, "user_id": buyer, "out_biz_no": "S1", "amount": "5.00"}
    sent = await merchant.ask(VOUCHER + "send", asked)
    assert (sent["code"], sent["user_id"], await merchant.ask(VOUCHER + "send", asked)) == ("10000", buyer, sent)
    voucher = {"voucher_id": sent["voucher_id"]}
    assert (await merchant.ask(VOUCHER + "query", voucher))["status"] == "ENABLED"

    await sold(hall, merchant, person, "T1", "28.00")
    paid = await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"})
    assert (paid["buyer_pay_amount"], paid["mdiscount_amount"], paid["discount_amount"]) == ("23.00", "5.00", "0.00")
    assert paid["fund_bill_list"] == [
        {"fund_channel": "ALIPAYACCOUNT", "amount": "23.00"},
        {"fund_channel": "MCOUPON", "amount": "5.00"},
    ]
    assert paid["voucher_detail_list"] == [
        {
            "id": sent["voucher_id"],
            "name": "面馆满20减5",
            "type": "ALIPAY_FIX_VOUCHER",
            "amount": "5.00",
            "merchant_contribute": "5.00",
            "other_contribute": "0.00",
            "template_id": stock,
        }
    ]
    (_, letter) = await letters(merchant)
    (told,) = json.loads(letter["voucher_detail_list"])
    assert (told["amount"], told["merchantContribute"], told["templateId"]) == ("5.00", "5.00", stock)
    assert await set_aside() == 4_500
    used = await merchant.ask(VOUCHER + "query", voucher)
    line = {"amount": "5.00", "biz_type": "V_USE", "gmt_create": NOW, "status": "SUCCESS", "trade_no": paid["trade_no"]}
    assert (used["status"], used["available_amount"], used["bill_details"]) == ("USED", "0.00", [line])

    refund = {"out_trade_no": "T1", "refund_amount": "28.00", "out_request_no": "R1"}
    assert (await merchant.ask("alipay.trade.refund", refund))["code"] == "10000"
    assert await set_aside() == 5_000
    bill = await merchant.ask(VOUCHER + "bill.query", voucher)
    assert [each["biz_type"] for each in bill["voucher_bills"]] == ["V_USE", "V_REFUND"]
    detail = await merchant.ask(VOUCHER + "templatedetail.query", {"template_id": stock})
    assert (detail["status"], detail["publish_count"], detail["used_amount"]) == ("S", "1", "0.00")
    listed = await merchant.ask(VOUCHER + "list.query", {"template_id": stock, "user_id": buyer})
    assert [each["status"] for each in listed["vouchers"]] == ["ENABLED"]
    times = {"create_start_time": NOW, "create_end_time": ENDS}
    templates = await merchant.ask(VOUCHER + "templatelist.query", times)
    assert [each["template_id"] for each in templates["voucher_templates"]] == [stock]


@pytest.mark.parametrize(
    ("period", "active", "expired"),
    [
        ('{"type":"ABSOLUTE","start":"2026-01-05 10:00:00","end":"2026-01-06 10:00:00"}', "05 10:00", "06 10:00"),
        ('{"type":"RELATIVE","duration":"90","unit":"MINUTE"}', "01 08:00", "01 09:30"),
        ('{"type":"RELATIVE","duration":"2","unit":"HOUR"}', "01 08:00", "01 10:00"),
        ('{"type":"RELATIVE","duration":1,"unit":"DAY"}', "01 08:00", "02 08:00"),
    ],
)
async def test_a_voucher_is_good_when_its_template_says(
    hall: Hall, payer: Payer, period: str, active: str, expired: str
) -> None:
    """From a start until an end, or for so long from when it was sent, to the second."""
    _, merchant = await another(hall)
    person = await payer(100_000)
    await sold(hall, merchant, person, "F1", "300.00")
    made = await merchant.ask(CREATE, template(voucher_valid_period=period))
    assert made["code"] == "10000", made
    buyer = (await merchant.ask("alipay.trade.query", {"out_trade_no": "F1"}))["buyer_user_id"]
    asked = {"template_id": made["template_id"], "user_id": buyer, "out_biz_no": "S1"}
    sent = await merchant.ask(VOUCHER + "send", asked)
    shown = await merchant.ask(VOUCHER + "query", {"voucher_id": sent["voucher_id"]})
    assert (shown["gmt_active"], shown["gmt_expired"]) == (f"2026-01-{active}:00", f"2026-01-{expired}:00")


@pytest.mark.parametrize(
    "changed",
    [
        {"voucher_type": "CASHLESS_FIX_VOUCHER"},
        {"floor_amount": "5.00"},
        {"voucher_quantity": "0"},
        {"publish_end_time": "2025-12-31 00:00:00"},
        {"publish_start_time": "soon"},
        {"voucher_valid_period": '{"type":"RELATIVE","duration":"x","unit":"DAY"}'},
        {"voucher_valid_period": '{"type":"RELATIVE","duration":"1","unit":"WEEK"}'},
        {"voucher_valid_period": '{"type":"ABSOLUTE","end":"2026-02-01 00:00:00"}'},
        {"voucher_valid_period": '{"type":"ABSOLUTE","start":"2026-02-01 00:00:00","end":"2026-02-01 00:00:00"}'},
        {"voucher_valid_period": '{"type":"ABSOLUTE","start":"2026-01-01 00:00:00","end":"9999-12-31 00:00:00"}'},
    ],
)
async def test_a_template_that_cannot_be_is_refused(merchant: Merchant, changed: dict[str, Any]) -> None:
    assert (await merchant.ask(CREATE, template("V9", **changed)))["sub_code"] == "INVALID_PARAMETER"


async def test_what_is_not_there_is_told_by_name(merchant: Merchant) -> None:
    send = {"template_id": "1", "user_id": "2088102146225135", "out_biz_no": "S9"}
    assert (await merchant.ask(VOUCHER + "send", send))["sub_code"] == "VOUCHER_TEMPLATE_NOT_EXIST"
    assert (await merchant.ask(VOUCHER + "query", {"voucher_id": "1"}))["sub_code"] == "VOUCHER_NOT_EXIST"
    delay = await merchant.ask(VOUCHER + "delay", {"voucher_id": "1"})
    assert (delay["code"], delay["sub_code"]) == ("40006", "isv.insufficient-isv-permissions")
