"""Whatever a signed request says, it is answered in the vendor's words, and nothing moves."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Merchant

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEXTS = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    *("out_trade_no", "amount", "description", "notify_url", "appid", "mchid", "sub_mchid", "openid", "transaction_id"),
    *("out_parking_no", "plate_number", "plate_color", "start_time", "parking_name", "free_duration", "parking_info"),
    *("trade_scene", "service_id", "authorization_code", "out_order_no", "risk_fund", "time_range", "total_amount"),
    *("plan_id", "contract_id", "out_contract_code", "out_bill_no", "out_detail_no", "accept_type", "reason"),
    *(
        "stock_id",
        "stock_creator_mchid",
        "out_request_no",
        "stock_use_rule",
        "coupon_use_rule",
        "belong_merchant",
        "limit",
        *("stock_type", "stock_send_rule", "coupon_code", "coupon_code_list", "use_time", "use_request_no", "openid"),
        *("upload_request_no", "payer_merchant", "payee_merchant", "out_subsidy_no", "description"),
    ),
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
async def test_every_endpoint_stands_any_content(shared_hall: Hall, data: st.DataObject) -> None:
    merchant = Merchant(shared_hall)
    endpoint = data.draw(st.sampled_from(shared_hall.gateways.v3.built))
    segment = data.draw(st.sampled_from(["1", "x-1", "%E5", "0" * 40]))
    target = re.sub(r"\{\w+\}", segment, endpoint.path)
    fields: dict[str, Any] = data.draw(FIELDS)
    query = "&".join(f"{name}={value}" for name, value in fields.items() if isinstance(value, int))
    body = json.dumps(fields).encode() if endpoint.method in {"POST", "PUT", "PATCH"} else b""

    answer = await merchant.send(
        endpoint.method,
        f"{target}?{query}",
        body,
        authorization=merchant.authorization(endpoint.method, f"{target}?{query}", body),
        content_type="application/json",
    )

    assert answer.status < 500, (endpoint, answer.body)
    assert answer.status < 300 or answer.code
    assert await shared_hall.merchant_balance() == 0
