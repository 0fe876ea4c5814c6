"""The same stories where the payer's wallet is another institution's: nothing in the merchant's software is different."""

from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from hutong.gateways.account import AlipayAccount, GatewayKind
from hutong.gateways.account_service import AccountDraft
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import MERCHANT_KEY, MERCHANT_PUBLIC
from tests.gateways.street import Street

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def merchant(street: Street) -> Merchant:
    """Who sells at wei."""
    house = street.wei
    draft = AccountDraft(
        account_id=house.node.mint.mint(), kind=GatewayKind.ALIPAY, name="till", public_key=MERCHANT_PUBLIC
    )
    account = await house.gateways.accounts.make(await house.merchant(), draft)
    assert isinstance(account, AlipayAccount)
    hall: Any = SimpleNamespace(gateways=house.gateways, merchant_key=MERCHANT_KEY, http=house.client, jing=house.world)
    return Merchant(hall, account)


async def test_a_code_is_paid_elsewhere_and_given_back(street: Street, merchant: Merchant) -> None:
    person = await street.jing.person()
    order = {"out_trade_no": "T1", "total_amount": "12.80", "subject": "两碗面"}
    shown = await merchant.ask("alipay.trade.precreate", order, notify_url="https://shop.example/told")
    await person.pay(shown["qr_code"])
    paid = await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"})
    assert (paid["trade_status"], paid["buyer_pay_amount"]) == ("TRADE_SUCCESS", "12.80")
    assert paid["buyer_user_id"].startswith("20880")
    part = {"out_trade_no": "T1", "refund_amount": "2.80", "out_request_no": "R1"}
    given = await merchant.ask("alipay.trade.refund", part)
    assert (given["code"], given["fund_change"], given["refund_fee"]) == ("10000", "Y", "2.80")
    assert (await merchant.ask("alipay.trade.refund", part))["fund_change"] == "N"
    done = await merchant.ask("alipay.trade.fastpay.refund.query", {"out_trade_no": "T1", "out_request_no": "R1"})
    assert (done["refund_status"], done["refund_amount"]) == ("REFUND_SUCCESS", "2.80")
    assert await person.balance() == 1_000_000 - 1_000


async def test_a_payment_code_waits_for_the_pin_elsewhere(street: Street, merchant: Merchant) -> None:
    person = await street.jing.person()
    asked = {"out_trade_no": "P1", "total_amount": "1500.00", "subject": "面", "scene": "bar_code"}
    pending = await merchant.ask("alipay.trade.pay", asked | {"auth_code": await person.payment_code()})
    assert (pending["code"], pending["out_trade_no"]) == ("10003", "P1")
    await person.approve()
    assert (await merchant.ask("alipay.trade.query", {"out_trade_no": "P1"}))["trade_status"] == "TRADE_SUCCESS"
    undone = await merchant.ask("alipay.trade.cancel", {"out_trade_no": "P1"})
    assert (undone["action"], undone["retry_flag"]) == ("refund", "N")
    assert await person.balance() == 1_000_000

    street.clock.advance(seconds=60)
    asked["out_trade_no"] = "P2"
    await merchant.ask("alipay.trade.pay", asked | {"auth_code": await person.payment_code()})
    await person.decline()
    refused = await merchant.ask("alipay.trade.query", {"out_trade_no": "P2"})
    assert refused["trade_status"] == "TRADE_CLOSED"
    nobody = asked | {"out_trade_no": "P3", "auth_code": "990000000000000000"}
    assert (await merchant.ask("alipay.trade.pay", nobody))["sub_code"] == "ACQ.PAYMENT_AUTH_CODE_INVALID"


async def test_money_is_sent_to_people_of_the_institution_alone(street: Street, merchant: Merchant) -> None:
    person = await street.jing.person()
    shown = await merchant.ask("alipay.trade.precreate", {"out_trade_no": "T9", "total_amount": "50", "subject": "面"})
    await person.pay(shown["qr_code"])
    paid = await merchant.ask("alipay.trade.query", {"out_trade_no": "T9"})
    for kind, name in (("ALIPAY_USER_ID", "buyer_user_id"), ("ALIPAY_OPEN_ID", "buyer_open_id")):
        asked = {
            "out_biz_no": f"S{kind}",
            "trans_amount": "1.00",
            "product_code": "TRANS_ACCOUNT_NO_PWD",
            "payee_info": {"identity": paid[name], "identity_type": kind},
        }
        assert (await merchant.ask("alipay.fund.trans.uni.transfer", asked))["sub_code"] == "PAYEE_NOT_EXIST"
