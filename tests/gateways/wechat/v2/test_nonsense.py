"""Whatever is posted is answered in the vendor's words, and moves nothing."""

import asyncio

import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.gateways.wechat.v2 import document
from hutong.gateways.wechat.v2.errors import Code
from hutong.gateways.wechat.v2.refusals import fault_of
from hutong.gateways.wire import WireAnswer, WireRequest
from hutong.kernel.errors import Refusal
from tests.gateways.street import Street
from tests.gateways.wechat.v2.shop import ORDER, V2Shop, dialect_of, open_shop
from tests.test_reasons import reasons


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(street: Street) -> V2Shop:
    return await open_shop(street)


def test_every_no_of_ours_has_a_word_of_the_vendors() -> None:
    for kind in reasons():
        for reason in kind:
            fault = fault_of(Refusal(reason, because="X"))
            assert type(fault.code) is Code, reason
            assert fault.text, reason


PIECES = st.sampled_from(
    [
        b"<xml>",
        b"</xml>",
        b"<mch_id>",
        b"</mch_id>",
        b"<![CDATA[",
        b"]]>",
        b"<!DOCTYPE x>",
        b"&lt;",
        b"1",
        b"\xff",
        b"<",
    ]
)
PATHS = st.sampled_from(
    [
        *("/pay/unifiedorder", "/pay/micropay", "/secapi/pay/refund", "/pay/orderquery", "/payitil/report"),
        *("/pay/combinedorder", "/pay/querycombinedorder", "/pay/closecombinedorder"),
        *("/mmpaymkttransfers/send_coupon", "/mmpaymkttransfers/query_coupon_stock"),
        "/mmpaymkttransfers/querycouponsinfo",
    ]
)


@settings(max_examples=100)
@given(st.lists(PIECES, max_size=12), PATHS)
def test_whatever_is_posted_is_answered_and_moves_nothing(shop: V2Shop, pieces: list[bytes], path: str) -> None:
    told = answered(shop, WireRequest(method="POST", path=path, body=b"".join(pieces)))
    assert told["return_code"] == "FAIL"


NAMES = st.sampled_from(
    [
        *ORDER,
        "auth_code",
        "out_refund_no",
        "refund_fee",
        "transaction_id",
        "time_expire",
        "sub_mch_id",
        "sign_type",
        "offset",
        *("combine_appid", "combine_mch_id", "combine_out_trade_no", "sub_order_list", "combine_openid"),
        *("coupon_stock_id", "openid_count", "partner_trade_no", "openid", "coupon_id", "stock_id"),
    ]
)
TEXTS = st.text(max_size=30).map(document.sayable) | st.sampled_from(
    ["1", "T-1", "-1", "0", "9" * 40, "20261122000000"]
)


@settings(max_examples=100)
@given(st.dictionaries(NAMES, TEXTS, max_size=6), PATHS)
def test_whatever_is_signed_is_answered_in_the_vendors_words(shop: V2Shop, fields: dict[str, str], path: str) -> None:
    told = answered(shop, WireRequest(method="POST", path=path, body=shop.body(fields)))
    words = {told.get("err_code"), told["return_msg"]}
    assert not words & {"SYSTEMERROR", Code.SYSTEMERROR.text}, told
    assert told["return_code"] == "FAIL" or told["result_code"] in ("SUCCESS", "FAIL")


def answered(shop: V2Shop, request: WireRequest) -> dict[str, str]:
    """What the dialect says; nothing here waits for anybody."""
    dialect = dialect_of(shop.house)
    route = dialect.route(request)
    assert route is not None

    async def answer() -> WireAnswer:
        return await route(request)

    return document.read(asyncio.run(answer()).body)
