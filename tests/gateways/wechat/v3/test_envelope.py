"""The envelope: who is let in, in which order it is checked, what is signed back. Specification, sections 1.2, 1.3, 1.5."""

import base64
import hashlib
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.gateways.account import GatewayKind, Signing, WechatAccount
from hutong.gateways.gateways import Gateways
from hutong.gateways.platform import KeyUse
from hutong.gateways.wechat.v3.endpoint import catalogue
from hutong.gateways.wire import BODY_MAX, WireRequest
from hutong.kernel.clock import ManualClock
from hutong.runtime.shelf import decided
from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import HEADERS, Merchant
from tests.institution.complaints.drawn import png

CERTIFICATES = "/v3/certificates"
NATIVE = "/v3/pay/transactions/native"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def hall(shared_hall: Hall) -> Hall:
    """No test here has money move, and each that settles something does so for an account of its own."""
    return shared_hall


async def certified(hall: Hall) -> Merchant:
    """A merchant whom the platform signs for with its certificate."""
    account = await signing(hall, Signing.CERTIFICATE)
    return Merchant(hall, account)


async def signing(hall: Hall, mode: Signing) -> WechatAccount:
    key, made = await hall.owner(), await hall.account(GatewayKind.WECHATPAY)
    accounts = hall.gateways.accounts
    changed = await decided(hall.jing.node.journal, lambda: accounts.settle(key, made.row.id, signing=mode))
    assert isinstance(changed, WechatAccount)
    return changed


async def test_an_unknown_path_and_method_answer_nothing_before_anything_is_checked(hall: Hall) -> None:
    merchant = Merchant(hall)
    for method, path, status in (("GET", "/v3/nothing", 404), ("DELETE", NATIVE, 405)):
        answer = await merchant.send(method, path)
        assert (answer.status, answer.body) == (status, b"")


async def test_what_is_wrong_is_said_in_the_vendors_order(hall: Hall) -> None:
    merchant = Merchant(hall)
    now = merchant.authorization("GET", CERTIFICATES, b"")
    late = merchant.authorization("GET", CERTIFICATES, b"", timestamp="1700000000", text="unsigned")
    wrong = merchant.authorization("GET", CERTIFICATES, b"", text="unsigned")
    stranger = merchant.authorization("GET", CERTIFICATES, b"", mchid="1600000000")
    serial = merchant.authorization("GET", CERTIFICATES, b"", serial_no="00")
    format_text = "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"
    serial_text = "商户证书序列号有误。请使用签名私钥匹配的证书序列号"
    skew_text = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"
    table: list[tuple[dict[str, Any], int, str, str]] = [
        ({}, 401, "SIGN_ERROR", format_text),
        ({"authorization": late}, 401, "SIGN_ERROR", skew_text),
        ({"authorization": stranger}, 401, "SIGN_ERROR", serial_text),
        ({"authorization": serial}, 401, "SIGN_ERROR", serial_text),
        ({"authorization": wrong, "accept": ""}, 401, "SIGN_ERROR", "错误的签名，验签失败"),
        ({"authorization": now, "accept": ""}, 400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent"),
        ({"authorization": now, "user_agent": ""}, 400, "INVALID_REQUEST", "Http头缺少Accept或User-Agent"),
        ({"authorization": now, "wechatpay_serial": "00"}, 400, "PARAM_ERROR", "Wechatpay-Serial有误，请检查后再试"),
    ]
    for headers, status, code, message in table:
        answer = await merchant.send("GET", CERTIFICATES, **headers)
        assert (answer.status, answer.code, answer.json["message"]) == (status, code, message), headers
        assert answer.headers["request-id"].startswith("08")
        assert "wechatpay-signature" not in answer.headers


async def test_payment_paths_do_not_insist_on_headers(hall: Hall) -> None:
    merchant = Merchant(hall)
    target = f"/v3/pay/transactions/out-trade-no/T20261122001?mchid={merchant.mchid}"
    authorization = merchant.authorization("GET", target, b"")

    answer = await merchant.send("GET", target, authorization=authorization, accept="", user_agent="")

    assert (answer.status, answer.code) == (404, "ORDER_NOT_EXIST")


async def test_a_body_changed_on_its_way_is_not_what_was_signed(hall: Hall) -> None:
    merchant = Merchant(hall)
    authorization = merchant.authorization("POST", NATIVE, b"{}")

    answer = await merchant.send("POST", NATIVE, b"{ }", authorization=authorization)

    assert (answer.status, answer.code) == (401, "SIGN_ERROR")
    assert answer.json["detail"]["sign_information"]["sign_message_length"] == len(
        f"POST\n{NATIVE}\n1767225600\n593BEC0C930BF1AFEB40B4A08C8FB242\n{{ }}\n"
    )


@pytest.mark.parametrize("mode", list(Signing))
async def test_an_answer_is_signed_with_the_key_that_is_asked_for_or_configured(hall: Hall, mode: Signing) -> None:
    account = await signing(hall, mode)
    platform = hall.gateways.platform
    certificate = platform.current(KeyUse.WECHATPAY_CERTIFICATE).serial
    public_key = platform.current(KeyUse.WECHATPAY_PUBLIC_KEY).serial
    assert public_key.startswith("PUB_KEY_ID_")
    configured = certificate if mode is Signing.CERTIFICATE else public_key

    for number, (asked, expected) in enumerate(
        (("", configured), (certificate, certificate), (public_key, public_key))
    ):
        merchant = Merchant(hall, account, serial=asked)
        answer = await merchant.post(NATIVE, merchant.order(f"T2026112200{number}"))
        assert (answer.status, answer.headers["wechatpay-serial"]) == (200, expected)


async def test_certificates_are_sealed_for_the_merchant_and_listed_while_they_rotate(hall: Hall) -> None:
    merchant = await certified(hall)
    platform = hall.gateways.platform
    for count in (1, 2):
        answer = await merchant.get(CERTIFICATES)
        listed = answer.json["data"]
        assert len(listed) == count
        for told, key in zip(listed, platform.listed(KeyUse.WECHATPAY_CERTIFICATE), strict=True):
            sealed = told["encrypt_certificate"]
            assert (sealed["algorithm"], sealed["associated_data"]) == ("AEAD_AES_256_GCM", "certificate")
            assert len(sealed["nonce"]) == 12
            plain = AESGCM(merchant.account.secrets.api_v3_key.encode()).decrypt(
                sealed["nonce"].encode(), base64.b64decode(sealed["ciphertext"]), b"certificate"
            )
            certificate = x509.load_pem_x509_certificate(plain)
            assert told["serial_no"] == key.serial == f"{certificate.serial_number:X}"
            assert len(told["serial_no"]) == 40
            assert told["effective_time"].endswith("+08:00")
        assert answer.headers["wechatpay-serial"] == listed[-1]["serial_no"], "it is signed with the new one"
        await platform.renew(KeyUse.WECHATPAY_CERTIFICATE)
    assert (await merchant.get(f"{CERTIFICATES}?algorithm_type=SM2")).json == {"data": []}
    assert (await merchant.get(f"{CERTIFICATES}?algorithm_type=DSA")).code == "PARAM_ERROR"


async def test_who_has_the_public_key_has_no_certificates(hall: Hall) -> None:
    answer = await Merchant(hall).get(CERTIFICATES)

    assert (answer.status, answer.code) == (404, "RESOURCE_NOT_EXISTS")


async def test_what_is_not_built_is_not_enabled(hall: Hall) -> None:
    merchant = Merchant(hall)
    for endpoint in catalogue()[::80]:
        path = endpoint.path.replace("{", "").replace("}", "")
        answer = await merchant.call(endpoint.method, path, {} if endpoint.method == "POST" else None)
        assert answer.status not in {404, 405, 500}, path
    card = await merchant.get("/v3/marketing/membercard-activity/activities/1")
    assert (card.status, card.code) == (403, "NO_AUTH")


async def test_the_other_vendors_v3_is_left_alone(hall: Hall) -> None:
    answer = await Merchant(hall).send("POST", "/v3/alipay/trade/query", authorization="ALIPAY-SHA256withRSA app_id=1")

    assert "wechatpay" not in " ".join(answer.headers)
    assert b"SIGN_ERROR" not in answer.body


async def test_a_client_without_a_boundary_uploads(hall: Hall) -> None:
    merchant = Merchant(hall)
    content = png()
    meta = f'{{"filename":"a.png","sha256":"{hashlib.sha256(content).hexdigest()}"}}'.encode()
    parts = (b'name="meta"\r\nContent-Type: application/json', meta), (b'name="file"; filename="a.png"', content)
    body = b"".join(
        b"--b1\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + part + b"\r\n" for head, part in parts
    )
    for path, field in (
        ("/v3/merchant/media/upload", "media_id"),
        ("/v3/marketing/favor/media/image-upload", "media_url"),
    ):
        for boundary in ("", "; boundary=b1"):
            answer = await merchant.send(
                "POST",
                path,
                body + b"--b1--\r\n",
                authorization=merchant.authorization("POST", path, meta),
                content_type=f"multipart/form-data{boundary}",
            )
            assert (answer.status, list(answer.json)) == (200, [field])
            merchant.verify(answer.headers, answer.body)
    wrong = await merchant.send(
        "POST",
        "/v3/merchant/media/upload",
        body.replace(b"IHDR", b"IHXX") + b"--b1--\r\n",
        authorization=merchant.authorization("POST", "/v3/merchant/media/upload", meta),
        content_type="multipart/form-data",
    )
    assert (wrong.status, wrong.code) == (400, "PARAM_ERROR")


HEADER_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "BREW"]),
    path=st.sampled_from([*(endpoint.path for endpoint in catalogue()[::40]), NATIVE, CERTIFICATES, "/v3/%00", "/v3//"]),
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=30),
    body=st.binary(max_size=60),
    signed=st.booleans(),
    headers=st.dictionaries(st.sampled_from(["authorization", "content_type", "wechatpay_serial", "accept"]), HEADER_TEXT),
)  # fmt: skip
async def test_no_request_breaks_it_or_moves_money(
    hall: Hall, method: str, path: str, query: str, body: bytes, headers: dict[str, str], *, signed: bool
) -> None:
    merchant = Merchant(hall)
    target = f"{path}?{query}" if query else path
    if signed:
        headers = {"content_type": "application/json", "authorization": merchant.authorization(method, target, body)}
    balance = await hall.merchant_balance()

    answer = await merchant.send(method, target, body, **(HEADERS | headers))

    assert 400 <= answer.status < 500
    assert answer.status in {404, 405} or answer.code
    assert await hall.merchant_balance() == balance


async def test_a_body_beyond_all_measure_is_not_read(hall: Hall) -> None:
    answer = await Merchant(hall).send("POST", NATIVE, b"x" * (BODY_MAX + 1))

    assert (answer.status, answer.body) == (413, b"")


async def test_what_is_signed_is_dated_by_the_callers_clock_though_a_sandbox_puts_its_own_forward(hall: Hall) -> None:
    merchant, institution = Merchant(hall), hall.jing.institution
    wall = ManualClock(hall.jing.clock.now_ns())
    ahead = Gateways(institution, hall.jing.marketing, name="Jing Pay", payer_key=b"k" * 32, wall=wall)
    await ahead.start()
    authorization = merchant.authorization("GET", CERTIFICATES, b"")
    hall.jing.clock.advance(seconds=86_400)
    request = WireRequest(method="GET", path=CERTIFICATES, headers=HEADERS | {"authorization": authorization})

    answer = await ahead.v3.answer(request)

    assert answer.status == 404, "it was let in: a day ahead its signature would be too old"
