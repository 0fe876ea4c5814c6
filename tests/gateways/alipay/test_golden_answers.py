"""What is answered and told, to the byte: each was read and verified by the clients that it names when it was written down."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from hutong.gateways import keys
from hutong.gateways.alipay import cipher
from hutong.gateways.alipay.answer import compose, object_text, response_key
from hutong.gateways.alipay.parameters import canonical, encode

GOLDEN = Path(__file__).parent / "golden"
ANSWERS: list[dict[str, Any]] = json.loads((GOLDEN / "answers.json").read_text())["answers"]
TOLD: list[dict[str, Any]] = json.loads((GOLDEN / "answers.json").read_text())["told"]
KEY: RSAPrivateKey = keys.private_key((GOLDEN / "platform-key.pem").read_bytes())


def answered(asked: dict[str, Any]) -> bytes:
    text = object_text(asked["fields"])
    if asked.get("aes_key"):
        text = f'"{cipher.encrypt(text.encode(), asked["aes_key"])}"'
    by = keys.sign_sha1 if asked["sign_type"] == "RSA" else keys.sign
    certificate_sn = asked.get("alipay_cert_sn", "")
    key = response_key(asked["method"])
    return compose(key, text, asked["charset"], lambda data: by(KEY, data), certificate_sn=certificate_sn)


def letter(asked: dict[str, Any]) -> bytes:
    values, codec = asked["values"], asked["charset"]
    by = keys.sign_sha1 if asked["sign_type"] == "RSA" else keys.sign
    sign = by(KEY, canonical(encode(values, codec), without=(b"sign", b"sign_type")))
    return urlencode(values | {"sign_type": asked["sign_type"], "sign": sign}, encoding=codec).encode()


@pytest.mark.parametrize("asked", ANSWERS, ids=lambda asked: asked["what"])
def test_an_answer_is_written_as_clients_read_it(asked: dict[str, Any]) -> None:
    assert answered(asked).decode("latin-1") == asked["body"]


@pytest.mark.parametrize("asked", TOLD, ids=lambda asked: asked["what"])
def test_a_callback_is_written_as_clients_read_it(asked: dict[str, Any]) -> None:
    assert letter(asked).decode("latin-1") == asked["body"]
