"""Things go wrong as they were asked to, for whom they were asked, and nowhere but in a sandbox."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hutong.gateways.sandbox.faults import Faults, FaultService
from tests.gateways.alipay.merchant import Merchant as AlipayMerchant
from tests.gateways.merchant_server import OPERATOR, TellingHall, telling_hall
from tests.gateways.test_notification_desk import paid
from tests.gateways.wechat.v3.client import Merchant

PHONE = "+8613800138000"
NATIVE = "/v3/pay/transactions/native"
CODEPAY = "/v3/pay/transactions/codepay"


@pytest.fixture
async def telling() -> AsyncIterator[TellingHall]:
    async with telling_hall(sandbox=True) as found:
        yield found


async def ask(telling: TellingHall, **faults: Any) -> None:
    await telling.ask("PUT", f"/v1/sandbox/gateway-faults/{telling.hall.wechat.row.number}", 200, faults)


async def test_production_has_none_of_this() -> None:
    async with telling_hall() as telling:
        path = f"/v1/sandbox/gateway-faults/{telling.hall.wechat.row.number}"
        await telling.ask("PUT", path, 404, {"system_error": 1})
        assert telling.hall.gateways.faults is None
        await paid(telling)
        await telling.calls(1)
        (made,) = (await telling.hall.gateways.notifications.page(telling.hall.wechat.row.id, before=None, limit=1))[0][
            1
        ].tries
        assert (made.headers, made.body) == (b"", b""), "letters are kept in a sandbox alone"


async def test_system_errors_are_counted_down_and_do_nothing(telling: TellingHall) -> None:
    merchant = Merchant(telling.hall)
    await ask(telling, system_error=2, only="native")
    for _ in range(2):
        failed = await merchant.post(NATIVE, merchant.order())
        assert (failed.status, failed.code) == (500, "SYSTEM_ERROR")
    query = f"/v3/pay/transactions/out-trade-no/T20261122001?mchid={merchant.mchid}"
    assert (await merchant.get(query)).status == 404
    assert (await merchant.post(NATIVE, merchant.order())).status == 200
    left = await telling.ask("GET", f"/v1/sandbox/gateway-faults/{merchant.mchid}")
    assert left["system_error"] == 0


async def test_what_was_done_may_say_that_it_failed(telling: TellingHall) -> None:
    merchant = Merchant(telling.hall)
    await ask(telling, system_error_done=1)
    failed = await merchant.post(NATIVE, merchant.order())
    assert (failed.status, failed.code) == (500, "SYSTEM_ERROR")
    query = f"/v3/pay/transactions/out-trade-no/T20261122001?mchid={merchant.mchid}"
    assert (await merchant.get(query)).json["trade_state"] == "NOTPAY"


async def test_alipay_says_it_in_its_own_words(telling: TellingHall) -> None:
    merchant = AlipayMerchant(telling.hall)
    path = f"/v1/operator/sandbox/gateway-faults/{merchant.app_id}"
    await telling.ask("PUT", path, 200, {"system_error": 1, "only": "precreate"}, who=OPERATOR)
    content = {"out_trade_no": "A1", "total_amount": "12.80", "subject": "两碗面"}
    said = await merchant.ask("alipay.trade.precreate", content)
    assert (said["code"], said["sub_code"]) == ("20000", "ACQ.SYSTEM_ERROR")
    assert (await merchant.ask("alipay.trade.precreate", content))["code"] == "10000"


async def test_a_payer_types_a_password_for_so_many_looks(telling: TellingHall) -> None:
    merchant, payer = Merchant(telling.hall), await telling.hall.jing.user(PHONE, 100_000)
    await ask(telling, user_paying=3)
    code = await telling.hall.payment_code(payer)
    body = merchant.order(payer={"auth_code": code}, scene_info={"store_info": {"id": "1"}})
    said = await merchant.post(CODEPAY, body | {"notify_url": ""})
    assert (said.status, said.json) == (202, {"trade_state": "USERPAYING"})
    query = f"/v3/pay/transactions/out-trade-no/T20261122001?mchid={merchant.mchid}"
    states = [(await merchant.get(query)).json["trade_state"] for _ in range(3)]
    assert states == ["USERPAYING", "USERPAYING", "SUCCESS"]


async def test_an_answer_comes_too_late_and_the_work_is_done() -> None:
    faults, done = FaultService(()), []

    async def work() -> int:
        done.append(1)
        return 7

    faults.set(1, Faults(time_out=1, time_out_s=1))
    answer = asyncio.create_task(faults.around(1, "/v3/x", work))
    await asyncio.sleep(0.05)
    assert (done, answer.done()) == ([1], False)
    assert await faults.around(1, "/v3/x", work) == 7, "one, and no more"
    assert await answer == 7


async def test_callbacks_come_late_twice_and_behind_one_that_is_signed_wrongly(telling: TellingHall) -> None:
    await ask(telling, callback_late_s=60, callback_copies=1, callback_probe=True)
    telling.receiver.answers.append("401")
    await paid(telling)
    await asyncio.sleep(0.05)
    assert telling.receiver.calls == []
    telling.later(60)
    calls = await telling.calls(3)
    signatures = [call.headers["wechatpay-signature"] for call in calls]
    assert [each.startswith("wechatpay/signtest/") for each in signatures] == [True, False, False]
    (found,) = (await telling.ask("GET", f"/v1/gateway-notifications?number={telling.hall.wechat.row.number}"))[
        "notifications"
    ]
    assert [(each["cause"], each["status"]) for each in found["tries"]] == [
        ("PROBE", 401),
        ("SCHEDULE", 200),
        ("DUPLICATE", 200),
    ]


async def test_faults_are_their_accounts_own(telling: TellingHall) -> None:
    await ask(telling, system_error=5)
    merchant = AlipayMerchant(telling.hall)
    content = {"out_trade_no": "A1", "total_amount": "12.80", "subject": "两碗面"}
    assert (await merchant.ask("alipay.trade.precreate", content))["code"] == "10000"
    other = await telling.stranger()
    path = f"/v1/sandbox/gateway-faults/{telling.hall.wechat.row.number}"
    await telling.ask("PUT", path, 404, {"system_error": 0}, who=other)


async def test_a_code_of_the_vendors_is_answered_as_often_as_it_was_asked_for(telling: TellingHall) -> None:
    merchant = Merchant(telling.hall)
    await ask(telling, refuse="BANK_ERROR", refuse_times=2, only="native")
    for _ in range(2):
        failed = await merchant.post(NATIVE, merchant.order())
        assert (failed.status, failed.code) == (500, "BANK_ERROR")
    assert (await merchant.post(NATIVE, merchant.order())).status == 200, "nothing was done before"
    path = f"/v1/sandbox/gateway-faults/{telling.hall.wechat.row.number}"
    wrong = await telling.ask("PUT", path, 400, {"refuse": "BANK_EROR", "refuse_times": 1})
    assert wrong["reason"] == "FAULT_CODE_UNKNOWN"
