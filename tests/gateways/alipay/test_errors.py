"""Each error of the gateway itself, by its cause, in both dialects; every answer is verified as a client would."""

import json
from typing import Any

import pytest

from hutong.gateways.account import AlipayAccount, GatewayKind, Signing
from hutong.gateways.alipay import cipher
from hutong.gateways.alipay.catalogue import methods
from hutong.gateways.alipay.errors import SUB_CODES, TITLES, AlipayError
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import Hall

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUERY = "alipay.trade.query"
# What is changed of a good query, and what is said. A name ending in `!` is changed after signing.
CLASSIC = [
    ({"app_id": ""}, "40001", "isv.missing-app-id"),
    ({"app_id": "2021000000000000"}, "40002", "isv.invalid-app-id"),
    ({"sign_type": ""}, "40001", "isv.missing-signature-type"),
    ({"sign_type": "MD5"}, "40002", "isv.invalid-signature-type"),
    ({"timestamp": ""}, "40001", "isv.missing-timestamp"),
    ({"timestamp": "yesterday"}, "40002", "isv.invalid-timestamp"),
    ({"version": ""}, "40001", "isv.missing-version"),
    ({"version": "2.0"}, "40002", "isv.invalid-version"),
    ({"charset": "latin-1"}, "40002", "isv.invalid-charset"),
    ({"format": "XML"}, "40002", "isv.invalid-format"),
    ({"sign": "="}, "40002", "isv.invalid-signature"),
    ({"sign!": ""}, "40001", "isv.missing-signature"),
    ({"sign!": "AAAA"}, "40002", "isv.invalid-signature"),
    ({"biz_content!": '{"out_trade_no":"T2"}'}, "40002", "isv.invalid-signature"),
    ({"sign_type!": "RSA"}, "40002", "isv.invalid-signature"),
    ({"app_cert_sn": "0" * 32}, "40002", "isv.invalid-app-cert-sn"),
    ({"app_auth_token": "202601BB0"}, "20001", "aop.invalid-app-auth-token"),
    ({"encrypt_type": "DES"}, "40002", "isv.invalid-encrypt-type"),
    ({"encrypt_type": "AES"}, "40002", "isv.invalid-encrypt"),
    ({"biz_content": "{"}, "40002", "isv.illegal-json"),
    ({"biz_content": "[1]"}, "40002", "isv.illegal-json"),
    ({"biz_content": '{"a":NaN}'}, "40002", "isv.illegal-json"),
    ({"biz_content": "[" * 5000}, "40002", "isv.illegal-json"),
    ({"biz_content": "{}"}, "40004", "ACQ.INVALID_PARAMETER"),
    ({"biz_content": '{"out_trade_no":{}}'}, "40004", "ACQ.INVALID_PARAMETER"),
    ({"biz_content": '{"out_trade_no":"\\u0000"}'}, "40004", "ACQ.INVALID_PARAMETER"),
    ({"biz_content": '{"out_trade_no":"\\ud800"}'}, "40004", "ACQ.INVALID_PARAMETER"),
    ({"biz_content": '{"out_trade_no":"T404"}'}, "40004", "ACQ.TRADE_NOT_EXIST"),
]


@pytest.fixture
def merchant(hall: Hall) -> Merchant:
    """The hall's own: more accounts than these tests would need a merchant may not have."""
    return Merchant(hall)


def changed(values: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    late = {name[:-1]: value for name, value in changes.items() if name.endswith("!")}
    return {name: value for name, value in (values | late).items() if value}


def key(method: str) -> str:
    return method.replace(".", "_") + "_response"


@pytest.mark.parametrize(("changes", "code", "sub_code"), CLASSIC, ids=[f"{c[2]} {next(iter(c[0]))}" for c in CLASSIC])
async def test_a_classic_error_comes_from_its_cause(
    merchant: Merchant, changes: dict[str, str], code: str, sub_code: str
) -> None:
    early = {name: value for name, value in changes.items() if not name.endswith("!")}
    values = merchant.parameters(QUERY, {"out_trade_no": "T1"}, **early)
    answer = await merchant.send(changed(values, changes))
    assert answer.headers["content-type"] == "text/html;charset=utf-8"
    said = merchant.verified(answer, key(QUERY), sha1=changes.get("sign_type!") == "RSA")
    assert (said["code"], said["msg"], said["sub_code"]) == (code, TITLES[code], sub_code)
    assert said["sub_msg"]


@pytest.mark.parametrize(
    ("method", "response", "code", "sub_code"),
    [
        ("", "error_response", "40001", "isv.missing-method"),
        ("alipay.trade.nothing", "alipay_trade_nothing_response", "40002", "isv.invalid-method"),
        ('alipay"<x>', "error_response", "40002", "isv.invalid-method"),
        ("a" * 129, "error_response", "40002", "isv.invalid-method"),
        (
            "alipay.marketing.card.open",
            "alipay_marketing_card_open_response",
            "40006",
            "isv.insufficient-isv-permissions",
        ),
    ],
)
async def test_a_method_is_known_enabled_or_neither(
    merchant: Merchant, method: str, response: str, code: str, sub_code: str
) -> None:
    said = merchant.verified(await merchant.send(merchant.parameters(method, {})), response)
    assert (said["code"], said["sub_code"]) == (code, sub_code)


async def test_no_method_of_the_vendors_is_a_stranger_here(hall: Hall, merchant: Merchant) -> None:
    """Whatever is not built says so; checked where it is decided, since signing seven hundred requests takes long."""
    assert len(methods()) > 700
    for method in methods():
        assert hall.gateways.alipay.service.endpoint(method).method == method


async def test_a_bad_signature_is_told_what_was_verified_and_opens_no_tag_in_a_browser(merchant: Merchant) -> None:
    values = merchant.parameters(QUERY, {"out_trade_no": '<script>"sign":"}{'}) | {"sign": "AAAA"}
    answer = await merchant.send(values)
    assert b"<script" not in answer.content
    said = merchant.verified(answer, key(QUERY))
    assert said["sub_msg"].startswith(
        "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：app_id="
    )
    assert "&amp;sign_type=RSA2&amp;timestamp=" in said["sub_msg"]
    # One client counts braces without regard to strings.
    assert answer.text.count("{") == answer.text.count("}") == 2


async def test_answers_are_signed_as_the_client_signs_and_in_its_charset(merchant: Merchant) -> None:
    content = {"out_trade_no": "G1", "total_amount": "1.00", "subject": "面"}
    old = await merchant.ask("alipay.trade.precreate", content, sign_type="RSA")
    assert old["code"] == "10000"
    gbk = await merchant.ask("alipay.trade.create", content | {"out_trade_no": "G2", "buyer_id": "2"}, charset="gbk")
    assert gbk["code"] == "10000"
    answer = await merchant.send(merchant.parameters(QUERY, {"out_trade_no": "G2"}, charset="gbk"))
    assert answer.headers["content-type"] == "text/html;charset=gbk"
    assert merchant.verified(answer, key(QUERY), codec="gbk")["subject"] == "面"
    sparse = await merchant.ask(
        "alipay.trade.create", content | {"out_trade_no": "G3", "buyer_id": "2", "subject": "🍜"}
    )
    assert sparse["code"] == "10000"
    answer = await merchant.send(merchant.parameters(QUERY, {"out_trade_no": "G3"}, charset="gbk"))
    assert b"\\ud83c\\udf5c" in answer.content
    assert merchant.verified(answer, key(QUERY), codec="gbk")["subject"] == "🍜"


async def test_what_comes_encrypted_is_answered_encrypted(merchant: Merchant) -> None:
    content = cipher.encrypt(b'{"out_trade_no":"T404"}', merchant.aes_key)
    values = merchant.parameters(QUERY, biz_content=content, encrypt_type="AES")
    answer = await merchant.send(values)
    assert answer.text.startswith('{"alipay_trade_query_response":"')
    assert merchant.verified(answer, key(QUERY))["sub_code"] == "ACQ.TRADE_NOT_EXIST"


async def test_in_certificate_mode_both_sides_name_their_certificates(hall: Hall) -> None:
    account = await hall.account(GatewayKind.ALIPAY, signing=Signing.CERTIFICATE)
    assert isinstance(account, AlipayAccount)
    merchant = Merchant(hall, account)
    bare = await merchant.ask(QUERY, {"out_trade_no": "T1"})
    assert (bare["code"], bare["sub_code"]) == ("40001", "isv.missing-app-cert-sn")
    values = merchant.parameters(QUERY, {"out_trade_no": "T1"}, app_cert_sn=account.facts.key.serial)
    answer = await merchant.send(values)
    assert merchant.verified(answer, key(QUERY))["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    serial = json.loads(answer.text)["alipay_cert_sn"]
    more = {"app_cert_sn": account.facts.key.serial}
    found = await merchant.ask("alipay.open.app.alipaycert.download", {"alipay_cert_sn": serial}, **more)
    assert found["code"] == "10000"
    none = await merchant.ask("alipay.open.app.alipaycert.download", {"alipay_cert_sn": "0" * 32}, **more)
    assert none["code"] == "40002"


@pytest.mark.parametrize(
    ("method", "path", "text", "body", "status", "code"),
    [
        ("POST", "/v3/alipay/trade/nothing", "", {}, 404, "invalid-method"),
        ("POST", "/v3/alipay/marketing/card/open", "", {}, 403, "insufficient-isv-permissions"),
        ("POST", "/v3/alipay/trade/query", "nonce=1,timestamp=1", {}, 401, "missing-app-id"),
        ("POST", "/v3/alipay/trade/query", "app_id=2021,nonce=1,timestamp=1", {}, 401, "invalid-app-id"),
        ("POST", "/v3/alipay/trade/query", "app_id={app},nonce=1", {}, 401, "missing-timestamp"),
        ("POST", "/v3/alipay/trade/query", "app_id={app},nonce=1,timestamp=1", {}, 401, "invalid-timestamp"),
        ("POST", "/v3/alipay/trade/query", "app_id={app},nonce=1,timestamp=x", {}, 401, "invalid-timestamp"),
        ("POST", "/v3/alipay/trade/query", "app_id={app},timestamp={now}", {}, 400, "invalid-parameter"),
        ("POST", "/v3/alipay/trade/query", "", {}, 400, "ACQ.INVALID_PARAMETER"),
        ("POST", "/v3/alipay/trade/query", "", {"out_trade_no": "T404"}, 400, "ACQ.TRADE_NOT_EXIST"),
        ("GET", "/v3/alipay/trade/query?out_trade_no=T404", "", None, 400, "ACQ.TRADE_NOT_EXIST"),
        ("POST", "/v3/alipay/trade/page/pay", "", {}, 404, "invalid-method"),
    ],
)
async def test_a_v3_error_comes_from_its_cause(
    merchant: Merchant, method: str, path: str, text: str, body: dict[str, Any] | None, status: int, code: str
) -> None:
    now_ms = merchant.hall.jing.clock.now_ns() // 1_000_000
    text = text.format(app=merchant.app_id, now=now_ms) if text else ""
    content = b"" if body is None else json.dumps(body).encode()
    answer = await merchant.hall.http.request(
        method, path, content=content, headers=merchant.authorization(method, path, content, text=text)
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert {*answer.json()} == {"code", "message"}
    assert "alipay-signature" not in answer.headers


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        ("", 401, "missing-timestamp"),
        ("ALIPAY-SHA256withRSA app_id=1,nonce=1,timestamp=1", 401, "missing-signature"),
        ("ALIPAY-MD5 app_id=1,nonce=1,timestamp=1,sign=A", 400, "invalid-signature-type"),
    ],
)
async def test_a_v3_request_without_proof_is_refused(merchant: Merchant, header: str, status: int, code: str) -> None:
    answer = await merchant.hall.http.post("/v3/alipay/trade/query", content=b"{}", headers={"authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_v3_signature_covers_every_part(merchant: Merchant) -> None:
    path, content = "/v3/alipay/trade/query", b'{"out_trade_no":"T1"}'
    good = merchant.authorization("POST", path, content)
    post = merchant.hall.http.post
    assert (await post(path, content=content, headers=good)).json()["code"] == "ACQ.TRADE_NOT_EXIST"
    other = {"authorization": good["authorization"].replace("nonce=n-1", "nonce=n-2")}
    token = {**good, "alipay-app-auth-token": "t"}
    for answer in (
        await post(path, content=content + b" ", headers=good),
        await post(path + "?a=1", content=content, headers=good),
        await merchant.hall.http.put(path, content=content, headers=good),
        await post(path, content=content, headers=other),
        await post(path, content=content, headers=token),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid-signature")


async def test_every_sub_code_has_a_title_and_a_status() -> None:
    for sub_code, (code, words) in SUB_CODES.items():
        error = AlipayError(sub_code)
        assert TITLES[code]
        assert words
        assert error.status in {400, 401, 403, 404, 429, 500}
        assert "." not in error.bare_code or error.bare_code.startswith("ACQ.")
