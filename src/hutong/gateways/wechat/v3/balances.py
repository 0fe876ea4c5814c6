"""
What a merchant has.

There is one account for what the vendor calls basic and operating account; of fees there is none: they are taken from each payment.
"""

from datetime import datetime
from datetime import time as time_of_day
from functools import partial
from zoneinfo import ZoneInfo

from hutong.gateways.account import Caller
from hutong.gateways.balance_service import BalanceService
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import param_error
from hutong.gateways.wechat.v3.parties import Parties
from hutong.gateways.wechat.v3.shape import Group, Text, read_query
from hutong.gateways.wire import WireAnswer
from hutong.institution.bills.bill import day_of, read_day
from hutong.kernel.clock import instant_ns
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime

PRODUCT = "balance"
_ZONE = ZoneInfo("Asia/Shanghai")
_OWN, _MERCHANTS = "/v3/merchant/fund", "/v3/ecommerce/fund"
_ACCOUNT_TYPE = Text("账户类型", 32, one_of=("BASIC", "OPERATION", "FEES", "DEPOSIT"))
_QUERY = Group("请求", {"account_type": _ACCOUNT_TYPE})
_DAY_QUERY = Group("请求", {"account_type": _ACCOUNT_TYPE, "date": Text("日期", 10, required=True)})
_EMPTY = ("FEES", "DEPOSIT")


class Balances:
    """Now, and at the end of a day; a merchant's own, or for a service provider its merchants'."""

    def __init__(self, node: NodeRuntime, parties: Parties, balances: BalanceService) -> None:
        self._clock = node.clock
        self._parties = parties
        self._balances = balances

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", f"{_OWN}/balance/{{account_type}}", PRODUCT, partial(self._balance, at_day_end=False)),
            Endpoint("GET", f"{_OWN}/dayendbalance/{{account_type}}", PRODUCT, partial(self._balance, at_day_end=True)),
            Endpoint("GET", f"{_MERCHANTS}/balance/{{sub_mchid}}", PRODUCT, partial(self._balance, at_day_end=False)),
            Endpoint(
                "GET", f"{_MERCHANTS}/enddaybalance/{{sub_mchid}}", PRODUCT, partial(self._balance, at_day_end=True)
            ),
        ]

    async def _balance(self, call: Call, *, at_day_end: bool) -> WireAnswer:
        told = read_query(_DAY_QUERY if at_day_end else _QUERY, {"account_type": "BASIC"} | call.query | call.path)
        sub_mchid = call.path.get("sub_mchid", "")
        caller = await self._parties.for_whom(call, sub_mchid)
        shown = {"sub_mchid": sub_mchid} if sub_mchid else {}
        if at_day_end:
            available, held = await self._at(caller, told["date"]), 0
        else:
            balance = await self._balances.now(caller)
            available, held = balance.available, balance.pending
        if told["account_type"] in _EMPTY:
            available = held = 0
        return ok(shown | {"available_amount": available, "pending_amount": held})

    async def _at(self, caller: Caller, text: str) -> int:
        """Refuses PARAM_ERROR, unless the day is over."""
        try:
            day = read_day("date", text)
        except Refusal:
            day = None
        if day is None or day >= day_of(self._clock.now_ns(), _ZONE):
            raise param_error(
                "/query/date", "out of range", "输入源“/query/date”映射到字段“日期”校验失败，须为今天以前的日期", text
            )
        ends = datetime.combine(day, time_of_day.max, _ZONE)
        return await self._balances.at(caller, instant_ns(ends))
