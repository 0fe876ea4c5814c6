"""A merchant's software that goes wild is slowed, and nobody else is."""

import pytest

from hutong.gateways.account import GatewayKind
from hutong.kernel.errors import Refusal
from hutong.runtime.http import HttpReason
from hutong.runtime.rate_limit import HotCount
from tests.gateways.hall import Hall


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
