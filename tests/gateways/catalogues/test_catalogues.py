"""
The vendors' lists of fields are held to what is here: what is answered, by every story of the other tests; what is asked for, here.
"""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.gateways.catalogues.conformity import conforms
from tests.gateways.catalogues.errata import ERRATA
from tests.gateways.catalogues.language import Leaf, Listed, Nested, catalogue, differences
from tests.gateways.hall import Hall

REFUND = "/v3/refund/domestic/refunds/R1"
COUNTED = (
    *("total", "refund", "payer_total", "payer_refund", "settlement_refund", "settlement_total"),
    "discount_refund",
)
PLANTED: dict[str, tuple[dict[str, object], str]] = {
    "a field that nobody knows": ({"colour": "red"}, "/colour is not known"),
    "one that is always there": ({"amount": {"refund": 1}}, "/amount/total is missing"),
    "a number for a moment": ({"create_time": 1}, "/create_time is int, not str"),
    "yuan for fen": ({"amount": {"total": "0.01"}}, "/amount/total is str, not int"),
    "the time of Greenwich": ({"create_time": "2026-11-22T08:00:00Z"}, "/create_time is no moment of Beijing's"),
    "null": ({"out_refund_no": None}, "/out_refund_no is NoneType, not str"),
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
        "amount": dict.fromkeys(COUNTED, 1) | {"currency": "CNY"},
    }


def answered(told: object) -> httpx.Response:
    request = httpx.Request(
        "GET", f"https://api.example{REFUND}", headers={"authorization": "WECHATPAY2-SHA256-RSA2048 x"}
    )
    return httpx.Response(200, json=told, request=request)


def test_a_word_of_our_own_is_found() -> None:
    state = catalogue("wechat-v3")["GET /v3/pay/transactions/id/{transaction_id}"].answer
    assert state is not None
    found = [*differences(state.members["trade_state"].shape, "DONE", "/trade_state")]
    assert found == ["/trade_state is DONE, not one of SUCCESS, REFUND, NOTPAY, CLOSED, REVOKED, USERPAYING, PAYERROR"]


async def test_an_answer_of_the_vendors_passes() -> None:
    await conforms(answered(refund()))


@pytest.mark.parametrize("planted", PLANTED)
async def test_whatever_is_not_the_vendors_is_found(planted: str) -> None:
    change, found = PLANTED[planted]
    with pytest.raises(AssertionError, match=re.escape(found)):
        await conforms(answered(refund() | change))


# Fields of v2 that the vendor calls required, and takes one of; and what this side has no use for.
NOT_DEMANDED = {
    "/pay/orderquery": {"transaction_id", "out_trade_no"},
    "/pay/paporderquery": {"transaction_id", "out_trade_no"},
    "/pay/partner/paporderquery": {"transaction_id", "out_trade_no"},
    "/secapi/pay/reverse": {"out_trade_no"},
    "/secapi/pay/refund": {"transaction_id", "out_trade_no"},
    "/secapi/pay/refundv2": {"transaction_id", "out_trade_no"},
    "/pay/refundquery": {"transaction_id", "out_trade_no", "out_refund_no", "refund_id"},
    "/pay/refundqueryv2": {"transaction_id", "out_trade_no", "out_refund_no", "refund_id"},
    "/papay/deletecontract": {"contract_termination_remark"},  # Its handler asks for it, after the contract.
    "/papay/partner/deletecontract": {"contract_termination_remark", "sub_mch_id"},
    "/mmpaymkttransfers/promotion/transfers": {"spbill_create_ip"},
    "/pay/combinedorder": {"scene_info"},
    "/papay/partner/h5entrustweb": {"sub_mch_id"},  # A provider may have an agreement of its own.
}
BY_THE_ENVELOPE = {"mch_id", "nonce_str", "sign", "sign_type"}


async def test_v2_demands_what_the_vendor_demands_and_no_more(hall: Hall) -> None:
    for endpoint in hall.gateways.v2.endpoints.values():
        operation = catalogue("wechat-v2").get(f"{endpoint.method} {endpoint.path}")
        if endpoint.handler is None or operation is None:
            continue
        asked = (operation.query if endpoint.method == "GET" else operation.request).members
        if not any(member.always for member in asked.values()):
            continue  # The source does not say which.
        wanted = {name for name, member in asked.items() if member.always} - BY_THE_ENVELOPE
        demanded = {each.name for each in endpoint.parameters if each.required} - BY_THE_ENVELOPE
        assert demanded <= wanted, (endpoint.path, demanded - wanted)
        assert wanted - demanded == NOT_DEMANDED.get(endpoint.path, set()), endpoint.path
        sign_type = asked.get("sign_type")
        hmac_alone = sign_type is not None and getattr(sign_type.shape, "one_of", ()) == ("HMAC-SHA256",)
        assert endpoint.is_hmac == hmac_alone, endpoint.path
        assert endpoint.has_nonce == ("nonce_str" in asked), endpoint.path


def test_every_erratum_is_of_an_operation_that_is_here() -> None:
    names = [name for each in ("wechat-v3", "wechat-v2", "alipay") for name in catalogue(each)]
    for erratum in ERRATA:
        assert any(re.fullmatch(erratum.operation, name) for name in names), erratum


UNLISTED = {
    "GET /v3/marketing/favor/flow-download": "the file behind an address: the catalogue ends at the address",
    "POST /payitil/report": "reports that nobody reads",
    "alipay.open.app.alipaycert.download": "named by the specification, and not by the SDK's models",
}


async def test_whatever_is_answered_here_is_in_a_catalogue(hall: Hall) -> None:
    gateways = hall.gateways
    built = {_unnamed(f"{each.method} {each.path}") for each in gateways.v3.built}
    built |= {f"{each.method} {each.path}" for each in gateways.v2.endpoints.values() if each.handler is not None}
    built |= {each.method for each in gateways.alipay.endpoints}
    listed = {_unnamed(name) for each in ("wechat-v3", "wechat-v2", "alipay") for name in catalogue(each)}
    assert built - listed == {*UNLISTED}
    assert listed - built == set(), "what is not here needs no list of its fields"


def _unnamed(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)
