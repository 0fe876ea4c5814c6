"""While sample people move in, merchants' software is told to come again in its own protocol's words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest

from hutong.app.moving_in import MovingIn
from hutong.gateways.wechat.v2 import document
from tests.gateways.hall import Hall

_BUSY = "系统繁忙"
_SDK_OF_JAVA = {"accept": "text/xml,text/javascript,text/html"}
_BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@asynccontextmanager
async def starting(hall: Hall, *, moved: bool = False) -> AsyncIterator[httpx.AsyncClient]:
    """The institution, with people still moving in, or behind that."""
    door = hall.gateways.door(_app)
    app = MovingIn(lambda: not moved).app(door, door.turn_away)
    transport = httpx.ASGITransport(cast("Any", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://jing.example") as client:
        yield client


@pytest.mark.parametrize("headers", [{}, _SDK_OF_JAVA], ids=["plain", "java"])
async def test_who_comes_too_early_hears_it_in_its_protocols_words(hall: Hall, headers: dict[str, str]) -> None:
    async with starting(hall) as client:
        signed = headers | {"authorization": "WECHATPAY2-SHA256-RSA2048 x"}
        wechat = await client.get("/v3/certificates", headers=signed)
        assert (wechat.status_code, wechat.headers["retry-after"]) == (503, "1")
        assert wechat.json() == {"code": "SERVICE_UNAVAILABLE", "message": "服务暂不可用，请稍后再试"}
        v2 = await client.post("/pay/orderquery", content=b"<xml></xml>", headers=headers)
        assert (v2.status_code, document.read(v2.content)) == (
            200,
            {"return_code": "FAIL", "return_msg": "系统繁忙，请稍后再试"},
        )
        for query, key in (("?method=alipay.trade.query", "alipay_trade_query_response"), ("", "error_response")):
            classic = await client.post(f"/gateway.do{query}", content=b"x", headers=headers)
            assert classic.status_code == 200, "another status breaks a client"
            told = {"code": "20000", "msg": "Service Currently Unavailable", "sub_code": "isp.unknow-error"}
            assert classic.json() == {key: told | {"sub_msg": _BUSY}}
        signed = headers | {"authorization": "ALIPAY-SHA256withRSA x"}
        rest = await client.post("/v3/alipay/trade/query", headers=signed)
        assert (rest.status_code, rest.headers["retry-after"]) == (503, "1")
        assert rest.json() == {"code": "unknow-error", "message": _BUSY}


async def test_a_browser_on_its_way_to_pay_gets_the_page_that_opens_by_itself(hall: Hall) -> None:
    async with starting(hall) as client:
        page = await client.get("/gateway.do?method=alipay.trade.page.pay", headers=_BROWSER)
        assert (page.status_code, page.headers["retry-after"]) == (503, "1")
        assert "正在启动" in page.text


async def test_what_is_of_no_protocol_is_told_as_the_nodes_own_api_tells(hall: Hall) -> None:
    async with starting(hall) as client:
        own = await client.get("/v1/balance")
        assert (own.status_code, own.json()["reason"], own.headers["retry-after"]) == (503, "NODE_STARTING", "1")


async def test_once_they_have_moved_in_everything_is_read(hall: Hall) -> None:
    async with starting(hall, moved=True) as client:
        v2 = await client.post("/pay/orderquery", content=b"<xml></xml>")
        assert document.read(v2.content)["return_msg"] != "系统繁忙，请稍后再试"
        assert (await client.get("/v1/balance")).status_code == 404


async def _app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})
