"""
What each request of v3 must say, held to the vendor's catalogue: nothing that is demanded there may be left out here, and nothing more is demanded.

A request begins empty. What it is told to lack it says next, as the catalogue describes it, until it lacks nothing.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from hutong.gateways.wechat.v3.endpoint import Endpoint
from tests.gateways.catalogues.language import Leaf, Listed, Nested, Operation, Shape, catalogue
from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Answer, Merchant

pytestmark = pytest.mark.asyncio(loop_scope="module")
_LACKS = "此字段为必填项"
_STEPS_MAX = 120
# What only some texts fit, by the field's name.
_KNOWN: dict[str, Any] = {
    "currency": "CNY",
    "bill_date": "2026-01-01",
    "date": "2026-01-01",
    "trade_scene": "PARKING",
    "need_query_detail": "true",
    "name": "DEPOSIT",
    "type": "Order_Paid",
    "fixed_normal_coupon": {},
    "coupon_amount": 100,
    "transaction_minimum": 1000,
    "no_cash": True,
}
_TEXTS = (
    "1",
    "T20261122001",
    "https://shop.example/told",
    "2030-01-01T10:00:00+08:00",
    "2030-01-01",
    "20300101100000",
    "20300101",
    "粤B12345",
    "100",
    "a" * 32,
    "0" * 64,
)


class Excuse(NamedTuple):
    """A difference that is none: `+` is demanded here alone, `-` there alone."""

    operation: str  # A pattern of its name.
    difference: str
    why: str


_EITHER = "one of two is demanded, and either will do"
_PROVIDER = "of service providers' merchants alone: whoever is the merchant itself is known by its signature"
_DOCUMENTED = "the vendor's documentation demands it, where the catalogue's source has no list"
_BY_KIND = "what else is said demands it"
OURS = {"GET /v3/marketing/favor/flow-download"}  # Where an answer of ours leads.
EXCUSED = (
    Excuse("POST /v3/pay/(partner/)?transactions/h5", r"\+scene_info/.*", _DOCUMENTED),
    Excuse("POST /v3/pay/partner/transactions/jsapi", "-payer/sp_openid", _EITHER),
    Excuse("POST /v3/refund/domestic/refunds", r"\+transaction_id", _EITHER),
    Excuse("POST /v3/profitsharing/return-orders", r"\+out_order_no", _EITHER),
    Excuse("GET /v3/payscore/serviceorder", r"\+out_order_no", _EITHER),
    Excuse("GET /v3/billdownload/file", "-token", "an address without one is refused as one that leads nowhere"),
    Excuse("(GET|POST) /v3/transfer-detail/electronic-receipts", r"\+out_batch_no", _BY_KIND),
    Excuse("POST /v3/combine-transactions/.*", "-sub_orders/0/sub_mchid", _PROVIDER),
    Excuse("POST /v3/combine-transactions/jsapi", r"\+combine_payer_info/openid", _DOCUMENTED),
    Excuse(
        "POST /v3/combine-transactions/miniprogram", r"-sub_orders/0/individual_auth_id", "of individual traders alone"
    ),
    Excuse("POST /v3/combine-transactions/miniprogram", r"\+notify_url", _DOCUMENTED),
    Excuse("POST /v3/combine-transactions/h5", "-scene_info/device_id", "the vendor's documentation has it optional"),
    Excuse("POST /v3/transfer/batches", "-transfer_detail_list/0/user_name", "from 2,000 yuan on alone"),
    Excuse("POST /v3/transfer/batches", "-transfer_scene_id", "of accounts opened lately alone"),
    Excuse("POST /v3/papay/sign/contracts/pre-entrust-sign", "-device_info.*", "docs/gateways/differences.md"),
    Excuse("POST /v3/payscore/serviceorder/.*/pay", r"\+(appid|service_id)", _DOCUMENTED),
    Excuse("(GET|POST) /v3/vehicle/.*", "-sub_(mchid|appid)", _PROVIDER),
    Excuse("POST /v3/vehicle/transactions/parking", r"\+parking_info.*", _BY_KIND),
    Excuse("POST /v3/marketing/favor/coupon-stocks", r"\+coupon_use_rule/fixed_normal_coupon.*", _BY_KIND),
    Excuse("POST /v3/merchant-service/complaints-v2/.*/response-immediate-service", r"\+message/.*", _DOCUMENTED),
    Excuse("POST /v3/merchant-service/complaints-v2/.*/update-refund-progress", r"\+reject_reason", _BY_KIND),
    Excuse("POST /v3/marketing/busifavor/stocks/.*/couponcodes", r"\+coupon_code_list", _DOCUMENTED),
)


class Probe:
    """One request, as far as it has come."""

    def __init__(self, merchant: Merchant, endpoint: Endpoint, operation: Operation) -> None:
        self._merchant = merchant
        self._endpoint = endpoint
        self._in_query = endpoint.method in {"GET", "DELETE"}
        self.shape = operation.query if self._in_query else operation.request
        self.said: dict[str, Any] = {}
        self.lacked: set[str] = set()
        self._tried: dict[str, int] = {}
        self.end = ""

    async def run(self) -> None:
        for _ in range(_STEPS_MAX):
            answer = await self._ask()
            told = answer.json if answer.status >= 400 and answer.body else {}
            pointer = str(told.get("detail", {}).get("field", ""))
            if told.get("code") != "PARAM_ERROR" or not pointer.startswith(("/body/", "/query/")):
                self.end = f"{answer.status} {told.get('code')} {told.get('message')}"
                return
            name = pointer.partition("/")[2].partition("/")[2]
            if _LACKS in told["message"]:
                self.lacked.add(re.sub(r"/\d+(?=/|$)", "/0", name))
            elif self._tried.get(name, 0) >= len(_TEXTS):
                self.end = f"{name}: {told['message']}"
                return
            self._say(name)
        self.end = "never satisfied"

    async def _ask(self) -> Answer:
        target, method = (
            re.sub(r"\{\w+\}", "1", self._endpoint.path.replace("{account_type}", "BASIC")),
            self._endpoint.method,
        )
        if self._in_query:
            return await self._merchant.call(method, f"{target}?{urlencode(self.said)}" if self.said else target)
        return await self._merchant.call(method, target, self.said)

    def _say(self, name: str) -> None:
        """The field's next value."""
        at: Any = self.said
        shape: Shape | None = self.shape
        *above, last = name.split("/")
        for part in above:
            at = at[int(part)] if part.isdigit() else at[part]
            shape = _within(shape, part)
        shape = _within(shape, last)
        tried = self._tried[name] = self._tried.get(name, -1) + 1
        at[int(last) if last.isdigit() else last] = self._value(last, shape, tried)

    def _value(self, name: str, shape: Shape | None, tried: int) -> Any:
        own = {"appid": self._merchant.appid, "mchid": self._merchant.mchid}
        if tried == 0 and name.rpartition("_")[2] in own and not name.startswith("sub"):
            return own[name.rpartition("_")[2]]
        if tried == 1 and name in _KNOWN:
            return _KNOWN[name]
        match shape:
            case Nested():
                return {}
            case Listed(item):
                return [self._value(name, item, tried)]
            case Leaf(_, one_of) if one_of and tried < len(one_of):
                return one_of[tried]
            case Leaf("i"):
                return (1, 100, 1000)[tried % 3]
            case Leaf("b"):
                return True
        return _TEXTS[tried % len(_TEXTS)]


def _within(shape: Shape | None, part: str) -> Shape | None:
    match shape:
        case Nested(members) if part in members:
            return members[part].shape
        case Listed(item):
            return item
    return None


def demanded(shape: Shape, at: str = "") -> Iterator[str]:
    """What a request must say at least."""
    match shape:
        case Nested(members):
            for name, member in members.items():
                if member.always:
                    yield at + name
                    yield from demanded(member.shape, f"{at}{name}/")
        case Listed(Nested() as item):
            yield from demanded(item, f"{at}0/")


async def test_what_the_vendor_demands_is_demanded_and_nothing_more(shared_hall: Hall) -> None:
    merchant, used = Merchant(shared_hall), set()
    found: dict[str, list[str]] = {}
    operations = {re.sub(r"\{\w+\}", "{}", name): each for name, each in catalogue("wechat-v3").items()}
    for endpoint in shared_hall.gateways.v3.built:
        name = f"{endpoint.method} {endpoint.path}"
        operation = operations.get(re.sub(r"\{\w+\}", "{}", name))
        if operation is None:
            assert name in OURS, name
            continue
        probe = Probe(merchant, endpoint, operation)
        await probe.run()
        wanted = {*demanded(probe.shape)}
        told = [f"+{each}" for each in probe.lacked - wanted] + [f"-{each}" for each in wanted - probe.lacked]
        excuses = [each for each in EXCUSED if re.fullmatch(each.operation, name)]
        for each in told:
            excuse = next((one for one in excuses if re.fullmatch(one.difference, each)), None)
            if excuse is None:
                found.setdefault(name, [probe.end]).append(each)
            used.add(excuse)
    assert found == {}
    assert {*EXCUSED} <= used, "nothing is excused by some of the rows any more"
