"""Requests that clients of others really sent: each must be read, and proven, as it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from hutong.gateways import keys
from hutong.gateways.alipay import cipher, parameters
from hutong.gateways.alipay.fields import read_object
from hutong.gateways.alipay.rest import read_authorization, signed_body, signed_text
from hutong.gateways.alipay.signature import root_sn
from hutong.gateways.wire import WireRequest

GOLDEN = Path(__file__).parent / "golden"
SENT: list[dict[str, Any]] = json.loads((GOLDEN / "requests.json").read_text())["requests"]
CLASSIC = [each for each in SENT if each["path"] == "/gateway.do"]
REST = [each for each in SENT if each["path"] != "/gateway.do"]
APPLICATION = keys.public_key((GOLDEN / "application.pem").read_text())
AES_KEY = "aa4BtZ4tspm2wnXLb1ThQA=="


def wire(sent: dict[str, Any]) -> WireRequest:
    return WireRequest(
        method=sent["method"],
        path=sent["path"],
        query=sent["query"].encode(),
        headers=sent["headers"],
        body=sent["body"].encode("latin-1"),
    )


def name(sent: dict[str, Any]) -> str:
    return f"{sent['client'].split()[0]} {sent['method']} {sent['headers'].get('content-type', '')[:19]}"


@pytest.mark.parametrize("sent", CLASSIC, ids=name)
def test_a_clients_classic_request_is_proven(sent: dict[str, Any]) -> None:
    given = parameters.read(wire(sent))
    assert keys.verifies(APPLICATION, given["sign"], given.signed, sha1=given["sign_type"] == "RSA")


@pytest.mark.parametrize("sent", CLASSIC, ids=name)
def test_any_other_content_under_the_same_signature_is_not(sent: dict[str, Any]) -> None:
    given = parameters.read(wire(sent))
    assert not keys.verifies(APPLICATION, given["sign"], given.signed + b" ", sha1=given["sign_type"] == "RSA")
    assert not keys.verifies(APPLICATION, given["sign"][1:], given.signed, sha1=given["sign_type"] == "RSA")


@pytest.mark.parametrize("sent", REST, ids=name)
def test_a_clients_v3_request_is_proven(sent: dict[str, Any]) -> None:
    request = wire(sent)
    header = read_authorization(sent["headers"]["authorization"])
    body, _ = signed_body(request)
    text = signed_text(request, header, body, sent["headers"].get("alipay-app-auth-token", ""))
    assert keys.verifies(APPLICATION, header.signature, text)
    assert not keys.verifies(APPLICATION, header.signature, text + b"\n")


def test_a_gbk_request_and_a_utf8_one_ask_the_same() -> None:
    utf8, gbk = (parameters.read(wire(each)) for each in CLASSIC if "trade.pay" in each["query"])
    assert (utf8.codec, gbk.codec) == ("utf-8", "gbk")
    assert read_object(utf8["biz_content"]) == read_object(gbk["biz_content"])
    assert read_object(gbk["biz_content"])["subject"] == "中文 商品"


def test_files_come_with_a_request_and_are_not_signed() -> None:
    uploads = [
        parameters.read(wire(each)) for each in CLASSIC if "multipart" in each["headers"].get("content-type", "")
    ]
    assert [given["image_type"] for given in uploads] == ["png", "png"]
    for given in uploads:
        assert given.files["image_content"].content.startswith(b"\x89PNG\r\n")
        assert b"image_content" not in given.signed


def test_a_v3_upload_signs_its_data_alone() -> None:
    (upload,) = [wire(each) for each in REST if "multipart" in each["headers"].get("content-type", "")]
    body, files = signed_body(upload)
    assert json.loads(body) == {"image_type": "png", "x": "测"}
    assert files["image_content"].content.startswith(b"\x89PNG")


def test_what_a_client_encrypted_opens() -> None:
    (classic,) = [parameters.read(wire(each)) for each in CLASSIC if "encrypt_type" in each["body"]]
    assert cipher.decrypt(classic["biz_content"], AES_KEY) == b'{"out_trade_no":"N1"}'
    (rest,) = [each for each in REST if each["headers"].get("alipay-encrypt-type")]
    assert cipher.decrypt(rest["body"], AES_KEY) == b'{"out_trade_no":"E1"}'


def test_the_vendors_vector_of_aes() -> None:
    assert cipher.encrypt(b'{"out_trade_no":"T1"}', AES_KEY) == "v9xEJGtFY9vW2Ge//P1+YPAqkjvsnf9Vi3HH1DBqArA="


def test_certificates_have_the_serials_that_clients_compute() -> None:
    assert keys.certificate_sn((GOLDEN / "application.pem").read_text()) == "4fdd852e163eacb7de8df2f6cfa3f088"
    assert keys.certificate_sn((GOLDEN / "platform.pem").read_text()) == "778020edd2c0dcfbd61147e39bfc1428"
    assert root_sn((GOLDEN / "root.pem").read_text()) == "9a4a237c5dc762b092fb87213a9a4c65"
    certified = [parameters.read(wire(each)) for each in CLASSIC if "app_cert_sn" in each["query"]]
    for given in certified:
        assert given["app_cert_sn"] == "4fdd852e163eacb7de8df2f6cfa3f088"
        assert given["alipay_root_cert_sn"] == "9a4a237c5dc762b092fb87213a9a4c65"
    assert len(certified) == 2
