"""A merchant's software that goes wild is slowed, and nobody else is; it is told so in its own protocol's words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest

from hutong.gateways.account import GatewayKind
from hutong.gateways.wechat.v2 import document
from hutong.kernel.errors import Refusal
from hutong.runtime.http import HttpReason
from hutong.runtime.rate_limit import HotCount, Rate, RateLimited, RateLimits
from tests.gateways.alipay.merchant import Merchant as AlipayMerchant
from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Merchant

V2 = "/pay/orderquery"
LIMITED = "应用调用次数超限"


async def test_an_account_that_calls_too_often_is_refused_by_itself(hall: Hall) -> None:
    accounts = hall.gateways.accounts
    accounts._calls = HotCount(hall.jing.clock, count_max=3)
    other = await hall.account(GatewayKind.WECHATPAY)
    for _ in range(3):
        accounts.count(hall.wechat)
    with pytest.raises(Refusal) as refused:
        accounts.count(hall.wechat)
    assert refused.value.reason is HttpReason.TOO_MANY_REQUESTS
    accounts.count(other)


async def test_an_account_that_calls_too_often_hears_it_in_its_protocols_words(hall: Hall) -> None:
    hall.gateways.accounts._calls = HotCount(hall.jing.clock, count_max=0)
    merchant, alipay = Merchant(hall), AlipayMerchant(hall)
    refused = await merchant.post("/v3/pay/transactions/native", merchant.order())
    assert (refused.status, refused.code) == (429, "FREQUENCY_LIMITED")
    classic = await alipay.ask("alipay.trade.query", {"out_trade_no": "T1"})
    assert (classic["code"], classic["sub_code"]) == ("40005", "isv.app-call-limited")
    rest = await alipay.rest("POST", "/v3/alipay/trade/query", {"out_trade_no": "T1"})
    assert (rest.status_code, rest.json()["code"]) == (429, "app-call-limited")


@asynccontextmanager
async def crowded(hall: Hall) -> AsyncIterator[httpx.AsyncClient]:
    """The institution as an address sees it that has used up what it may ask."""
    limits, door = RateLimits(gateways=Rate(burst=1, per_s=0.01)), hall.gateways.door(_app)
    limited = RateLimited(door, limits, hall.jing.clock, door.refuse)
    transport = httpx.ASGITransport(cast("Any", limited), client=("203.0.113.9", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://jing.example") as client:
        assert (await client.get("/v3/nothing")).status_code == 404
        yield client


async def test_an_address_that_asks_too_often_hears_it_in_its_protocols_words(hall: Hall) -> None:
    async with crowded(hall) as client:
        wechat = await client.get("/v3/certificates", headers={"authorization": "WECHATPAY2-SHA256-RSA2048 x"})
        assert (wechat.status_code, wechat.json()["code"]) == (429, "FREQUENCY_LIMITED")
        assert int(wechat.headers["retry-after"]) == 100
        v2 = await client.post(V2, content=b"<xml></xml>")
        assert (v2.status_code, document.read(v2.content)) == (
            200,
            {"return_code": "FAIL", "return_msg": "频率限制"},
        )
        for query, key in (("?method=alipay.trade.query", "alipay_trade_query_response"), ("", "error_response")):
            classic = await client.post(f"/gateway.do{query}", content=b"x")
            assert classic.status_code == 200, "another status breaks a client"
            assert classic.json() == {
                key: {"code": "40005", "msg": "Call Limited", "sub_code": "isv.app-call-limited", "sub_msg": LIMITED}
            }
        rest = await client.post("/v3/alipay/trade/query", headers={"authorization": "ALIPAY-SHA256withRSA x"})
        assert (rest.status_code, rest.json()) == (429, {"code": "app-call-limited", "message": LIMITED})


async def test_what_is_of_no_protocol_is_refused_as_the_nodes_own_api_refuses(hall: Hall) -> None:
    async with crowded(hall) as client:
        own = await client.get("/pay/nothing-of-the-vendors")
        assert (own.status_code, own.json()["reason"]) == (429, "TOO_MANY_REQUESTS")


async def _app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})
