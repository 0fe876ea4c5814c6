"""The Authorization header and the text it signs: wechatpay-alipay specification, sections 1.1, 1.2 and 20."""

import msgspec
import pytest

from hutong.gateways.wechat.v3 import authorization
from hutong.gateways.wechat.v3.authorization import Authorization, canonical_text, canonical_texts, mismatch, parse
from hutong.gateways.wechat.v3.errors import Fault
from hutong.gateways.wire import WireRequest

HEADER = 'WECHATPAY2-SHA256-RSA2048 mchid="1900000109",nonce_str="abc",timestamp="1700000000",serial_no="0A1B",signature="c2ln"'
READ = Authorization(mchid="1900000109", serial_no="0A1B", timestamp="1700000000", nonce_str="abc", signature="c2ln")


def test_a_header_is_read_in_any_order() -> None:
    scheme, _, rest = HEADER.partition(" ")
    backwards = f"{scheme} {','.join(reversed(rest.split(',')))}"

    assert parse(HEADER, "/v3/certificates") == READ
    assert parse(backwards, "/v3/certificates") == READ


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer token",
        "WECHATPAY2-SHA256-RSA2048",
        HEADER.replace("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3"),
        HEADER.replace("WECHATPAY2-SHA256-RSA2048 ", "WECHATPAY2-SHA256-RSA2048"),
        HEADER.replace('mchid="1900000109",', ""),
        HEADER.replace('nonce_str="abc"', "nonce_str=abc"),
        HEADER.replace('nonce_str="abc"', 'nonce_str=""'),
        HEADER.replace('nonce_str="abc"', 'nonce_str="abc",nonce_str="abd"'),
        HEADER.replace('"1700000000"', '"yesterday"'),
        HEADER.replace('",', '";'),
        HEADER.replace('",', '", '),
        HEADER + ',more="1"',
        HEADER + "," * authorization.HEADER_LENGTH_MAX,
    ],
)
def test_a_malformed_header_is_a_sign_error(header: str) -> None:
    with pytest.raises(Fault) as fault:
        parse(header, "/v3/certificates")

    assert (fault.value.code.name, fault.value.status) == ("SIGN_ERROR", 401)
    assert fault.value.text == "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"


def test_payment_paths_say_less_of_a_malformed_header() -> None:
    with pytest.raises(Fault) as fault:
        parse("", "/v3/pay/transactions/native")

    assert fault.value.text == "签名错误，请检查后再试"


@pytest.mark.parametrize(
    ("now_s", "accepted"), [(1_700_000_300, True), (1_699_999_700, True), (1_700_000_301, False), (0, False)]
)
def test_a_signature_is_good_for_five_minutes_either_way(now_s: int, *, accepted: bool) -> None:
    if accepted:
        authorization.check_time(READ, now_s)
    else:
        with pytest.raises(Fault, match="不得超过5分钟"):
            authorization.check_time(READ, now_s)


def test_the_text_to_sign_is_the_specifications() -> None:
    text = canonical_text("GET", b"/v3/certificates", READ, b"")

    assert text == b"GET\n/v3/certificates\n1700000000\nabc\n\n"
    assert (len(text), text.count(b"\n")) == (37, 5)


def test_the_target_is_signed_as_it_was_sent() -> None:
    request = WireRequest(method="GET", path="/v3/a", query=b"?&x=&y=1&", headers={})

    (text,) = canonical_texts(request, READ, b"", lenient=False)

    assert text.split(b"\n")[1] == b"/v3/a??&x=&y=1&"


def test_a_lenient_account_may_spell_the_text_as_clients_in_the_field_do() -> None:
    request = WireRequest(
        method="GET", path="/v3/billdownload/file", query=b"plate=%E7%B2%A4B", headers={"host": "api.example"}
    )

    texts = list(canonical_texts(request, READ, b"", lenient=True))

    assert [text.split(b"\n")[1] for text in texts] == [
        b"/v3/billdownload/file?plate=%E7%B2%A4B",
        "/v3/billdownload/file?plate=粤B".encode(),
        b"https://api.example/v3/billdownload/file?plate=%E7%B2%A4B",
        b"http://api.example/v3/billdownload/file?plate=%E7%B2%A4B",
        b"/v3/billdownload/file?plate=%E7%B2%A4B",
    ]
    assert texts[-1].endswith(b"\nabc\n")
    assert list(canonical_texts(request, READ, b"", lenient=False)) == texts[:1]


def test_a_question_mark_with_nothing_behind_it_may_have_been_signed() -> None:
    request = WireRequest(method="POST", path="/v3/a", headers={})

    texts = list(canonical_texts(request, READ, b"{}", lenient=True))

    assert [text.split(b"\n")[1] for text in texts] == [b"/v3/a", b"/v3/a?"]


def test_a_mismatch_shows_what_should_have_been_signed() -> None:
    request = WireRequest(method="POST", path="/v3/transfer/batches", headers={})

    body = msgspec.json.decode(mismatch(request, READ, b"").answer().body)

    assert body == {
        "code": "SIGN_ERROR",
        "message": "错误的签名，验签失败",
        "detail": {
            "detail": {"issue": "sign not match"},
            "field": "signature",
            "location": "authorization",
            "sign_information": {
                "method": "POST",
                "url": "/v3/transfer/batches",
                "sign_message_length": 42,
                "truncated_sign_message": "POST\n/v3/transfer/batches\n1700000000\nabc\n\n",
            },
        },
    }
