"""Encryption: wechatpay-alipay specification, sections 1.4, 1.6 and 20."""

import base64

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hutong.gateways import keys
from hutong.gateways.wechat.v3 import cipher

KEY = "0123456789abcdef0123456789abcdef"
SEALED = "XB6ONgaa5pELdBrpk5k0nfz4UFU0kI1JFTTL8Dt4"


def test_a_resource_is_sealed_as_the_vendors_clients_open_it() -> None:
    assert cipher.seal(KEY, '{"a":"测试"}'.encode(), nonce="a1b2c3d4e5f6", associated_data="transaction") == SEALED


@pytest.mark.parametrize(("nonce", "associated"), [(b"a1b2c3d4e5f7", b"transaction"), (b"a1b2c3d4e5f6", b"refund")])
def test_a_resource_opens_with_its_own_nonce_and_data_alone(nonce: bytes, associated: bytes) -> None:
    sealed = base64.b64decode(SEALED)

    assert AESGCM(KEY.encode()).decrypt(b"a1b2c3d4e5f6", sealed, b"transaction") == '{"a":"测试"}'.encode()
    with pytest.raises(InvalidTag):
        AESGCM(KEY.encode()).decrypt(nonce, sealed, associated)


def test_a_field_comes_back_to_the_holder_of_the_key_alone() -> None:
    key, other = keys.new_key(), keys.new_key()
    field = cipher.encrypt_field(key.public_key(), "张三")

    assert cipher.decrypt_field(key, field) == "张三"
    assert cipher.decrypt_field(other, field) is None
    assert cipher.decrypt_field(key, field[:-4]) is None
    assert cipher.decrypt_field(key, "张三") is None
