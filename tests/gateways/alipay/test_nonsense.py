"""Whatever comes, something that a client can read goes back, and nothing moves."""

import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.gateways.wire import WireRequest
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import Hall

pytestmark = pytest.mark.asyncio(loop_scope="module")
FUZZED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
TEXTS = st.text(max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
NAMES = (
    *("out_trade_no", "trade_no", "total_amount", "subject", "auth_code", "scene", "seller_id", "product_code", "body"),
    *("out_request_no", "refund_amount", "refund_reason", "timeout_express", "time_expire", "goods_detail", "buyer_id"),
    *("extend_params", "royalty_parameters", "receiver_list", "trans_in", "bill_type", "bill_date", "settle_no"),
    *(
        "template_id",
        "voucher_id",
        "voucher_type",
        "voucher_valid_period",
        "amount",
        "user_id",
        "out_biz_no",
        "page_num",
        *(
            "crowd_no",
            "camp_status",
            "prize_type",
            "total_money",
            "total_num",
            "send_freqency",
            "coupon_name",
            "prize_msg",
        ),
        *("start_time", "end_time", "page_index", "page_size", "order_price"),
    ),
    *("refund_royalty_parameters", "query_options", "alipay_cert_sn", "app_auth_token", "grant_type", "code"),
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6)


@pytest.fixture
def merchant(hall: Hall) -> Merchant:
    return Merchant(hall)


@pytest.fixture(autouse=True)
def silence(caplog: pytest.LogCaptureFixture) -> Any:
    """Nothing is logged as unexpected."""
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


@FUZZED
@given(
    query=st.binary(max_size=60),
    body=st.binary(max_size=120),
    content_type=st.sampled_from(
        ["", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "multipart/form-data", "text/xml"]
    ),
)
async def test_bytes_that_are_no_request_are_answered(hall: Hall, query: bytes, body: bytes, content_type: str) -> None:
    request = WireRequest(
        method="POST", path="/gateway.do", query=query, headers={"content-type": content_type}, body=body
    )
    dialect = hall.gateways.alipay.route(request)
    assert dialect is not None
    answer = await dialect(request)
    assert (answer.status, answer.content_type) == (200, "text/html;charset=utf-8")
    said = json.loads(answer.body)
    assert said[next(iter(said))]["code"] in {"40001", "40002"}


@FUZZED
@given(
    method=st.sampled_from(["query", "precreate", "pay", "refund", "close", "cancel", "create", "settle"]),
    fields=FIELDS,
)
async def test_a_signed_request_of_any_content_is_answered_in_alipays_words(
    merchant: Merchant, method: str, fields: dict[str, Any]
) -> None:
    name = "alipay.trade.order.settle" if method == "settle" else f"alipay.trade.{method}"
    said = await merchant.ask(name, biz_content=json.dumps(fields))
    assert said["code"] in {"10000", "40002", "40004"}, said
    assert await merchant.hall.merchant_balance() == 0


@FUZZED
@given(data=st.data())
async def test_every_method_stands_any_content(merchant: Merchant, data: st.DataObject) -> None:
    endpoints = merchant.hall.gateways.alipay.endpoints
    endpoint = data.draw(st.sampled_from([each for each in endpoints if not each.page]))
    content = json.dumps(data.draw(FIELDS))
    answer = await merchant.send(merchant.parameters(endpoint.method, biz_content=content))
    (key,) = {*json.loads(answer.text)} - {"sign"}
    assert merchant.verified(answer, key)["code"] != "20000"


@FUZZED
@given(fields=FIELDS)
async def test_a_browser_is_always_shown_a_page(merchant: Merchant, fields: dict[str, Any]) -> None:
    for method in ("alipay.trade.page.pay", "alipay.trade.wap.pay"):
        answer = await merchant.send(merchant.parameters(method, biz_content=json.dumps(fields)))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html;charset=utf-8")
        assert answer.text.startswith("<!doctype html>")


@FUZZED
@given(
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
    header=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80),
    body=st.binary(max_size=80),
)
async def test_a_v3_request_of_nonsense_is_refused(hall: Hall, path: str, header: str, body: bytes) -> None:
    for where in (f"/v3/alipay/{path}", "/v3/alipay/trade/query"):
        request = WireRequest(
            method="POST", path=where, headers={"authorization": f"ALIPAY-SHA256withRSA {header}"}, body=body
        )
        dialect = hall.gateways.alipay.route(request)
        assert dialect is not None
        answer = await dialect(request)
        assert answer.status in {400, 401, 403, 404}
        assert {*json.loads(answer.body)} == {"code", "message"}


@FUZZED
@given(data=st.data())
async def test_every_path_of_v3_stands_any_content(merchant: Merchant, data: st.DataObject) -> None:
    endpoints = [each for each in merchant.hall.gateways.alipay.endpoints if not each.page]
    path = "/v3/" + data.draw(st.sampled_from(endpoints)).method.replace(".", "/")
    answer = await merchant.rest("POST", path, data.draw(FIELDS))
    assert answer.status_code in {200, 400, 401, 403}, answer.text
    if answer.status_code == 200:
        merchant.verified_rest(answer)
