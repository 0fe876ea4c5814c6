"""Whatever is posted to any of v2's paths is answered in the vendor's words, and moves nothing."""

import json
import logging
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.gateways.wechat.v2 import document, shape
from hutong.gateways.wechat.v2.endpoint import Endpoint
from hutong.gateways.wechat.v2.errors import Code
from hutong.gateways.wechat.v2.refusals import fault_of
from hutong.gateways.wechat.v2.signature import SignType, sign
from hutong.gateways.wire import WireAnswer, WireRequest
from hutong.kernel.errors import Refusal
from tests.gateways.street import Street
from tests.gateways.wechat.v2.shop import NOTIFY_URL, V2Shop, dialect_of, open_shop
from tests.test_reasons import reasons

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(street: Street) -> V2Shop:
    """With an order that nobody has paid, to be named by some."""
    shop = await open_shop(street)
    await shop.order(ORDERED)
    return shop


@pytest.fixture(autouse=True)
def silence(caplog: pytest.LogCaptureFixture) -> Any:
    """Nothing is logged as unexpected."""
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


async def test_every_no_of_ours_has_a_word_of_the_vendors() -> None:
    for kind in reasons():
        for reason in kind:
            fault = fault_of(Refusal(reason, because="X"))
            assert type(fault.code) is Code, reason
            assert fault.text, reason


ORDERED = "T-1"
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
FUZZED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
MANY = settings(FUZZED, max_examples=300)
LISTED = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.one_of(
    st.text(max_size=30).map(document.sayable),
    st.sampled_from(["1", ORDERED, "-1", "0", "9" * 40, "20261122000000", "20261122", "0" * 18]),
    LISTED.map(lambda listed: document.sayable(json.dumps(listed))),
)


def built(shop: V2Shop) -> list[Endpoint]:
    """What anything is beneath; all the others answer NOAUTH, and one of them with any content is like another."""
    return [each for each in dialect_of(shop.house).endpoints.values() if each.handler is not None]


def asked(shop: V2Shop, data: st.DataObject, endpoint: Endpoint) -> dict[str, str]:
    """Most of what it takes, mostly as it takes it, and something else."""
    fields = {}
    for parameter in endpoint.parameters:
        chance = 20 if parameter.name.startswith("sub_") else 1  # A merchant that is none is the end of it.
        if parameter.required or not data.draw(st.integers(0, chance)):
            fields[parameter.name] = data.draw(_value(parameter))
    if data.draw(st.booleans()):
        fields[data.draw(st.sampled_from([*fields, "sub_mch_id", "offset", "openid"]))] = data.draw(TEXTS)
    own = dict.fromkeys(("mch_id", "mchid", "combine_mch_id"), shop.names["mch_id"])
    own |= dict.fromkeys(("appid", "mch_appid", "wxappid", "combine_appid"), shop.appid)
    fields |= {name: value for name, value in own.items() if name in fields}
    return {"mch_id": own["mch_id"], "nonce_str": "n0nce"} | fields


def _value(parameter: shape.Parameter) -> st.SearchStrategy[str]:
    if parameter.pattern == shape.ANY:
        return TEXTS.map(lambda text: text[: parameter.length_max])
    like = st.from_regex(parameter.pattern, fullmatch=True).map(
        lambda text: document.sayable(text)[: parameter.length_max]
    )
    return like | st.just(ORDERED) if parameter.pattern == shape.OWN_NUMBER else like


@FUZZED
@given(data=st.data(), pieces=st.lists(PIECES, max_size=12))
async def test_whatever_is_posted_is_answered_and_moves_nothing(
    shop: V2Shop, data: st.DataObject, pieces: list[bytes]
) -> None:
    paths = sorted(dialect_of(shop.house).endpoints)
    request = WireRequest(method="POST", path=data.draw(st.sampled_from(paths)), body=b"".join(pieces))
    assert document.read((await answered(shop, request)).body)["return_code"] == "FAIL"


@FUZZED
@given(data=st.data(), query=st.binary(max_size=60), many=st.integers(0, 400))
async def test_whatever_an_address_says_is_answered(shop: V2Shop, data: st.DataObject, query: bytes, many: int) -> None:
    paths = sorted(path for path, each in dialect_of(shop.house).endpoints.items() if each.method == "GET")
    request = WireRequest(method="GET", path=data.draw(st.sampled_from(paths)), query=query + b"&a=1" * many)
    told = document.read((await answered(shop, request)).body)
    assert told["return_code"] == "FAIL"
    assert told["return_msg"] != Code.SYSTEMERROR.text


@pytest.mark.parametrize("unsayable", ["\x00", "a\x01", "\ufffe"])
async def test_an_address_says_no_more_than_a_document_could(shop: V2Shop, unsayable: str) -> None:
    """What no database keeps would stop a node that wrote it down."""
    offered = {"plan_id": "1", "contract_code": unsayable, "request_serial": "1", "notify_url": NOTIFY_URL}
    told = shop.names | offered | {"contract_display_account": "x", "version": "1.0", "timestamp": "1"}
    query = urlencode(told | {"sign": sign(told, shop.key, SignType.MD5)}).encode()
    answer = await answered(shop, WireRequest(method="GET", path="/papay/entrustweb", query=query))
    assert document.read(answer.body)["return_code"] == "FAIL"


@MANY
@given(data=st.data())
async def test_every_endpoint_stands_any_content(shop: V2Shop, data: st.DataObject) -> None:
    endpoint = data.draw(st.sampled_from(built(shop)))
    fields = asked(shop, data, endpoint)
    sign_type = SignType.HMAC_SHA256 if endpoint.is_hmac else SignType.MD5
    whole = fields | ({"sign_type": sign_type.value} if endpoint.is_hmac else {"sign_type": ""})
    whole = {name: value for name, value in whole.items() if value}
    whole["sign"] = sign(whole, shop.key, sign_type)
    if endpoint.method == "GET":
        request = WireRequest(method="GET", path=endpoint.path, query=urlencode(whole).encode())
    else:
        request = WireRequest(method="POST", path=endpoint.path, body=document.write(whole))

    answer = await answered(shop, request)

    if answer.body.startswith(b"<xml>"):
        told = document.read(answer.body)
        words = {told.get("err_code"), told["return_msg"]} if "return_msg" in told else {told.get("err_code")}
        assert not words & {"SYSTEMERROR", Code.SYSTEMERROR.text}, (endpoint.path, told)
        assert told["return_code"] == "FAIL" or told.get("result_code", "SUCCESS") in ("SUCCESS", "FAIL")
    else:
        assert answer.status in (200, 302), endpoint.path
    assert await shop.house.merchant_balance(shop.owner) == 0


async def answered(shop: V2Shop, request: WireRequest) -> WireAnswer:
    """What the dialect says."""
    route = dialect_of(shop.house).route(request)
    assert route is not None
    answer = await route(request)
    assert isinstance(answer, WireAnswer)
    return answer
