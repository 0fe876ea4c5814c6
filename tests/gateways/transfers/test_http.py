"""A person sees, takes and declines over HTTP what merchants send."""

from typing import Any, cast

import httpx

from hutong.gateways.order import Dialect
from hutong.gateways.transfers.transfer import TransferDraft
from hutong.kernel.ids import parse_id
from hutong.runtime.http_app import make_app
from tests.gateways.hall import Hall, order, user_id
from tests.institution.payments.test_http import Phone


async def test_a_person_takes_one_transfer_and_declines_another(hall: Hall) -> None:
    payer = await hall.jing.user("+8613800138000", 100_000)
    courier = await hall.jing.user("+8613800138001")
    caller, gateways = hall.caller(), hall.gateways
    trade = await gateways.orders.place(caller, order(amount=10_000))
    await hall.pay(payer, gateways.orders.code_url(trade))
    balance = await hall.merchant_balance()
    transfers = gateways.sharing.transfers
    openid = gateways.orders.payers.openid(hall.wechat.facts.appids[0], f"/{user_id(courier):032x}")
    known = gateways.orders.payers.person(hall.wechat.facts.appids[0], openid)
    assert known == user_id(courier)
    for number, amount in (("T1", 300), ("T2", 200)):
        await transfers.send(
            caller,
            TransferDraft(
                number=number,
                user_id=known,
                payee=openid,
                amount=amount,
                confirmed=True,
                remark="十月佣金",
                dialect=Dialect.WECHATPAY_V3,
            ),
        )
    app = make_app(hall.gateways.people_api(), title="jing", version="1")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(cast("Any", app)), base_url="http://jing", timeout=5
    ) as client:
        await _two_answers(client, courier, payer)
    assert (await courier.get("/v1/balance"))["balance"] == 300
    assert await hall.merchant_balance() == balance - 300
    (line, *_) = (await courier.get("/v1/statement"))["lines"]
    assert (line["kind"], line["amount"]) == ("TRANSFER", 300)


async def _two_answers(client: httpx.AsyncClient, courier: Phone, payer: Phone) -> None:
    async def said(method: str, path: str, status: int, who: Phone) -> Any:
        answer = await client.request(method, f"/v1/transfers{path}", headers=who.headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    first, second = await said("GET", "", 200, courier)
    assert (first["amount"], first["state"], first["remark"]) == (300, "WAITING", "十月佣金")
    assert await said("GET", "", 200, payer) == []
    assert (await said("POST", f"/{first['transfer_id']}/take", 404, payer))["reason"] == "TRANSFER_UNKNOWN"
    for _ in range(2):
        assert (await said("POST", f"/{first['transfer_id']}/take", 200, courier))["state"] == "SUCCESS"
    for _ in range(2):
        declined = await said("POST", f"/{second['transfer_id']}/decline", 200, courier)
        assert (declined["state"], declined["reason"]) == ("FAILED", "TRANSFER_DECLINED")
    assert (await said("POST", f"/{second['transfer_id']}/take", 422, courier))["reason"] == "TRANSFER_ENDED"
    assert await said("GET", f"/{first['transfer_id']}", 200, courier) == first | {"state": "SUCCESS"}
    assert await said("GET", "", 200, courier) == []
    assert parse_id("ptr", first["transfer_id"])
