"""
The vendors' lists of fields are held to what is here: what is answered, by every story of the other tests; what is asked for, here.
"""

import re
from collections.abc import Iterator

import httpx
import pytest

from hutong.gateways.wechat.v2.dialect import V2Dialect
from tests.gateways.catalogues.conformity import conforms
from tests.gateways.catalogues.errata import ERRATA
from tests.gateways.catalogues.language import Leaf, Listed, Nested, catalogue, differences
from tests.gateways.hall import Hall

REFUND = "/v3/refund/domestic/refunds/R1"
PLANTED = {
    "a field that nobody knows": (lambda told: told | {"colour": "red"}, "/colour is not known"),
    "one that is always there": (lambda told: {**told, "amount": {"refund": 1}}, "/amount/total is missing"),
    "yuan for fen": (lambda told: told | {"create_time": 1.5}, "/create_time is float, not str"),
    "a word of our own": (lambda told: told | {"status": "DONE"}, "/status is DONE, not one of"),
    "the time of Greenwich": (
        lambda told: told | {"create_time": "2026-11-22T08:00:00Z"},
        "/create_time is no moment of Beijing's",
    ),
    "null": (lambda told: told | {"out_refund_no": None}, "/out_refund_no is NoneType, not str"),
}


def test_catalogues_are_read_to_their_leaves() -> None:
    def leaves(shape: object) -> Iterator[Leaf]:
        match shape:
            case Nested(members):
                for member in members.values():
                    yield from leaves(member.shape)
            case Listed(item):
                yield from leaves(item)
            case Leaf():
                yield shape

    for name, least in (("wechat-v3", 1_500), ("wechat-v2", 400), ("alipay", 900)):
        found = [leaf for each in catalogue(name).values() if each.answer for leaf in leaves(each.answer)]
        assert len(found) > least, (name, len(found))
        assert sum(leaf.kind == "" for leaf in found) <= 40, name


def refund() -> dict[str, object]:
    return {
        "refund_id": "5030",
        "out_refund_no": "R1",
        "transaction_id": "42",
        "out_trade_no": "T1",
        "channel": "ORIGINAL",
        "user_received_account": "零钱",
        "create_time": "2026-11-22T16:00:00+08:00",
        "status": "SUCCESS",
        "amount": {
            name: 1
            for name in (
                *("total", "refund", "payer_total", "payer_refund", "settlement_refund", "settlement_total"),
                "discount_refund",
            )
        }
        | {"currency": "CNY"},
    }


def answered(told: object) -> httpx.Response:
    request = httpx.Request("GET", f"https://api.example{REFUND}", headers={"authorization": "WECHATPAY2-SHA256-RSA2048 x"})
    return httpx.Response(200, json=told, request=request)


async def test_an_answer_of_the_vendors_passes() -> None:
    await conforms(answered(refund()))


@pytest.mark.parametrize("planted", PLANTED)
async def test_whatever_is_not_the_vendors_is_found(planted: str) -> None:
    change, found = PLANTED[planted]
    with pytest.raises(AssertionError, match=re.escape(found)):
        await conforms(answered(change(refund())))
