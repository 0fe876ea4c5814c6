"""Signatures and `req_info`, to the byte."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from hutong.gateways.wechat.v2 import req_info
from hutong.gateways.wechat.v2.signature import SignType, is_signed, said_type, sandbox_key, sign, text_to_sign

GOLDEN = json.loads((Path(__file__).parent / "golden/vectors.json").read_text())
SIGN = GOLDEN["sign"]


@pytest.mark.parametrize("sign_type", SignType)
def test_a_signature_is_the_vectors(sign_type: SignType) -> None:
    assert text_to_sign(SIGN["fields"]) == SIGN["text"]
    assert sign(SIGN["fields"], SIGN["key"], sign_type) == SIGN[sign_type.value]


@pytest.mark.parametrize("sign_type", SignType)
def test_what_is_empty_and_the_signature_itself_are_not_signed(sign_type: SignType) -> None:
    fields = SIGN["fields"] | {"attach": "", "sign": SIGN[sign_type.value]}
    assert is_signed(fields, SIGN["key"], sign_type)


@pytest.mark.parametrize("sign_type", SignType)
@pytest.mark.parametrize("name", SIGN["fields"])
def test_each_field_is_signed(sign_type: SignType, name: str) -> None:
    fields = SIGN["fields"] | {"sign": SIGN[sign_type.value], name: "other"}
    assert not is_signed(fields, SIGN["key"], sign_type)
    assert not is_signed(SIGN["fields"] | {"sign": ""}, SIGN["key"], sign_type)


def test_an_added_field_is_signed_too() -> None:
    assert not is_signed(SIGN["fields"] | {"sign": SIGN["MD5"], "attach": "x"}, SIGN["key"], SignType.MD5)


@pytest.mark.parametrize(
    ("fields", "sign_type"),
    [
        ({}, SignType.MD5),
        ({"sign_type": ""}, SignType.MD5),
        ({"sign_type": "MD5", "sign": "A" * 64}, SignType.MD5),
        ({"sign_type": "HMAC-SHA256"}, SignType.HMAC_SHA256),
        ({"sign": "A" * 64}, SignType.HMAC_SHA256),
        ({"sign_type": "RSA"}, None),
    ],
)
def test_with_what_a_document_says_it_is_signed(fields: dict[str, str], sign_type: SignType | None) -> None:
    assert said_type(fields) is sign_type


def test_what_a_refunds_notification_tells_is_hidden_as_in_the_vector() -> None:
    vector = GOLDEN["req_info"]
    assert req_info.hide(vector["plain"].encode(), vector["key"]) == vector["hidden"]


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 500])
def test_what_is_hidden_is_shown_to_who_has_the_key(length: int) -> None:
    key, plain = SIGN["key"], b"x" * length
    cipher = Cipher(AES256(hashlib.md5(key.encode()).hexdigest().encode()), ECB()).decryptor()  # noqa: S324, S305
    shown = cipher.update(base64.b64decode(req_info.hide(plain, key))) + cipher.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    assert unpadder.update(shown) + unpadder.finalize() == plain


def test_the_sandboxes_key_is_another_of_the_same_length() -> None:
    assert len(sandbox_key(SIGN["key"])) == len(SIGN["key"])
    assert sandbox_key(SIGN["key"]) != SIGN["key"]
