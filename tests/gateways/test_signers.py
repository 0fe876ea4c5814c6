"""While a signature is made, the loop goes on with other requests: at every dialect that signs with RSA."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from msgspec.structs import replace

from hutong.gateways.signers import Signers
from tests.gateways.alipay.merchant import Merchant as AlipayMerchant
from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Merchant as WechatMerchant

PATIENCE_S = 20


class Pause:
    """What signs begins, and goes on when it is let."""

    def __init__(self) -> None:
        self.begun, self.let = threading.Event(), threading.Event()


class SlowKey:
    """A private key that signs when it is let, not before."""

    def __init__(self, key: RSAPrivateKey, pause: Pause) -> None:
        self.key, self.pause = key, pause

    def sign(self, *arguments: Any) -> bytes:
        self.pause.begun.set()
        assert self.pause.let.wait(PATIENCE_S), "the loop was held: nobody could let it"
        return self.key.sign(*arguments)


def slow(hall: Hall) -> Pause:
    """Every key that the institution signs with is slow."""
    pause = Pause()
    for listed in hall.gateways.platform._open.values():
        for at, key in enumerate(listed):
            listed[at] = replace(key, private=cast("RSAPrivateKey", SlowKey(key.private, pause)))
    return pause


async def by_gateway_do(hall: Hall) -> bool:
    merchant = AlipayMerchant(hall)
    return bool((await merchant.send(merchant.parameters("alipay.trade.query", {"out_trade_no": "T404"}))).content)


async def by_rest(hall: Hall) -> bool:
    answer = await AlipayMerchant(hall).rest("GET", "/v3/alipay/fund/account/query?account_type=ACCTRANS_ACCOUNT")
    return answer.status_code == 200


async def by_wechat(hall: Hall) -> bool:
    merchant = WechatMerchant(hall)
    return (await merchant.post("/v3/pay/transactions/native", merchant.order())).status == 200


@pytest.mark.parametrize("ask", [by_gateway_do, by_rest, by_wechat])
async def test_the_loop_goes_on_while_an_answer_is_signed(
    hall: Hall, ask: Callable[[Hall], Coroutine[None, None, bool]]
) -> None:
    pause = slow(hall)
    with hall.gateways.signers.request():  # Somebody else's, who waits for the loop.
        asking = asyncio.create_task(ask(hall))
        while not (pause.begun.is_set() or asking.done()):
            await asyncio.sleep(0)
        pause.let.set()
        assert await asking
        assert pause.begun.is_set()
    hall.gateways.signers.close()


async def test_who_is_alone_is_signed_for_at_once() -> None:
    signers = Signers()
    try:
        with signers.request():
            assert await signers.run(threading.get_ident) == threading.get_ident()
            with signers.request():
                assert await signers.run(threading.get_ident) != threading.get_ident()
    finally:
        signers.close()
