"""What the vendor says of fields that are not as they must be: wechatpay-alipay specification, section 2."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.gateways.wechat.v3.errors import Fault
from hutong.gateways.wechat.v3.order_shapes import order_shape
from hutong.gateways.wechat.v3.shape import Flag, Group, Many, Number, Text, read_body, read_query

SHAPE = Group(
    "请求",
    {
        "appid": Text("公众账号ID", 4, required=True),
        "no": Text("商户订单号", 32, length_min=6, pattern=r"[0-9A-Za-z_\-|*]+"),
        "kind": Text("类型", one_of=("A", "B")),
        "amount": Group("订单金额", {"total": Number("总金额", required=True, minimum=1, maximum=9)}),
        "share": Flag("是否分账"),
        "list": Many("列表", Text("项", 2), 2),
    },
)


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ("{}", "/body/appid", "输入源“/body/appid”映射到字段“公众账号ID”必填性规则校验失败，此字段为必填项"),
        ('{"appid":null}', "/body/appid", "输入源“/body/appid”映射到字段“公众账号ID”必填性规则校验失败，此字段为必填项"),
        ('{"appid":""}', "/body/appid", "输入源“/body/appid”映射到字段“公众账号ID”必填性规则校验失败，此字段为必填项"),
        ('{"appid":7}', "/body/appid", "无法将 JSON 输入源“/body/appid”映射到目标字段“公众账号ID”中，此字段需要一个合法的字符串"),
        ('{"appid":"12345"}', "/body/appid", "输入源“/body/appid”映射到值字段“公众账号ID”字符串规则校验失败，字符数 5，大于最大值 4"),
        ('{"appid":"1\\u0000"}', "/body/appid", "输入源“/body/appid”映射到值字段“公众账号ID”字符串规则校验失败，含有不可见字符"),
        ('{"appid":"1","no":"12"}', "/body/no", "输入源“/body/no”映射到值字段“商户订单号”字符串规则校验失败，字符数 2，小于最小值 6"),
        ('{"appid":"1","kind":"C"}', "/body/kind", "输入源“/body/kind”映射到值字段“类型”字符串规则校验失败，值不在枚举范围内"),
        ('{"appid":"1","amount":{}}', "/body/amount/total", "输入源“/body/amount/total”映射到字段“总金额”必填性规则校验失败，此字段为必填项"),
        ('{"appid":"1","amount":{"total":0}}', "/body/amount/total", "输入源“/body/amount/total”映射到数值字段“总金额”规则校验失败，值低于最小值 1"),
        ('{"appid":"1","amount":{"total":10}}', "/body/amount/total", "输入源“/body/amount/total”映射到数值字段“总金额”规则校验失败，值高于最大值 9"),
        ('{"appid":"1","amount":{"total":1.5}}', "/body/amount/total", "无法将 JSON 输入源“/body/amount/total”映射到目标字段“总金额”中，此字段需要一个合法的 64 位有符号整数"),
        ('{"appid":"1","amount":{"total":true}}', "/body/amount/total", "无法将 JSON 输入源“/body/amount/total”映射到目标字段“总金额”中，此字段需要一个合法的 64 位有符号整数"),
        ('{"appid":"1","amount":{"total":99999999999999999999}}', "/body/amount/total", "无法将 JSON 输入源“/body/amount/total”映射到目标字段“总金额”中，此字段需要一个合法的 64 位有符号整数"),
        ('{"appid":"1","amount":[]}', "/body/amount", "无法将 JSON 输入源“/body/amount”映射到目标字段“订单金额”中，此字段需要一个合法的对象"),
        ('{"appid":"1","share":1}', "/body/share", "无法将 JSON 输入源“/body/share”映射到目标字段“是否分账”中，此字段需要一个合法的布尔值"),
        ('{"appid":"1","list":["1","123"]}', "/body/list/1", "输入源“/body/list/1”映射到值字段“项”字符串规则校验失败，字符数 3，大于最大值 2"),
        ('{"appid":"1","list":["1","2","3"]}', "/body/list", "输入源“/body/list”映射到数组字段“列表”规则校验失败，元素个数 3，大于最大值 2"),
        ("[]", "/body", "无法将 JSON 输入源“/body”映射到目标字段“请求”中，此字段需要一个合法的对象"),
    ],
)  # fmt: skip
def test_a_fault_names_the_pointer_the_label_and_the_rule(body: str, field: str, message: str) -> None:
    with pytest.raises(Fault) as fault:
        read_body(SHAPE, body.encode())

    told = msgspec.json.decode(fault.value.answer().body)
    assert (told["code"], fault.value.status) == ("PARAM_ERROR", 400)
    assert (told["detail"]["field"], told["detail"]["location"], told["message"]) == (field, "body", message)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"appid":"\\ud800"}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Fault, match="PARAM_ERROR"):
        read_body(SHAPE, body)


def test_limits_can_be_reached_and_what_nobody_knows_is_let_pass() -> None:
    body = {
        "appid": "1234",
        "no": "12345|",
        "amount": {"total": 9},
        "list": ["1", "2"],
        "later": {"x": None},
        "kind": None,
    }

    assert read_body(SHAPE, msgspec.json.encode(body)) == body


def test_a_query_has_numbers_and_flags_spelled_out() -> None:
    shape = Group("请求", {"limit": Number("条数", maximum=10), "detail": Flag("详情"), "name": Text("名")})

    assert read_query(shape, {"limit": "5", "detail": "true", "name": "a", "x": ""}) == {
        "limit": 5,
        "detail": True,
        "name": "a",
    }
    with pytest.raises(Fault) as fault:
        read_query(shape, {"limit": "x"})
    assert fault.value.detail is not None
    assert (fault.value.detail["field"], fault.value.detail["location"]) == ("/query/limit", "query")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["appid", "amount", "total", "payer", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_what_is_no_order_is_refused_by_name(value: object) -> None:
    with pytest.raises(Fault, match="PARAM_ERROR"):
        read_body(order_shape("jsapi", partner=False), msgspec.json.encode(value))
