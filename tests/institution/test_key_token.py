"""Tokens of keys: what is kept of one stays what it was, release after release, and two kinds of keys are never taken for each other."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

import msgspec
import pytest

from hutong.institution.key_token import KeyTokens
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text

PEPPER = b"p" * 32
SECRET = bytes(range(32))
ID = 0x0193_5B8E_7D00 << 80 | 0xABCDEF


class Row(msgspec.Struct, frozen=True):
    id: int = ID
    token_hash: bytes = b""
    rotated_ns: int = 17
    revoked_ns: int = 0
    rotation_id: str = "2026-11"


def test_what_is_kept_of_a_staff_keys_token_is_what_it_always_was() -> None:
    """Every key that was ever issued is found by these: written out once more, as the first release had them."""
    tokens = KeyTokens(PEPPER, "sk", "staff key")
    token = f"{id_text('sk', ID)}_{urlsafe_b64encode(SECRET).rstrip(b'=').decode()}"
    assert tokens.token(ID, SECRET) == token
    kept = hashlib.blake2b(token.encode(), key=PEPPER, digest_size=32, person=b"hutong staff key").digest()
    assert tokens.hashed(token) == kept
    made = hmac.digest(PEPPER, b"staff key secret/" + f"{ID:032x}/17/2026-11".encode(), "sha256")
    assert tokens.derived_secret(Row()) == made


def test_a_token_of_one_kind_of_keys_is_none_of_another() -> None:
    staff, sponsors = KeyTokens(PEPPER, "sk", "staff key"), KeyTokens(PEPPER, "spk", "sponsor")
    assert staff.derived_secret(Row()) != sponsors.derived_secret(Row())
    token = sponsors.token(ID, SECRET)
    assert staff.hashed(token) != sponsors.hashed(token)
    row = Row(token_hash=sponsors.hashed(token))
    assert sponsors.whose(token, {ID: row}.get) is row
    disguised = "sk" + token.removeprefix("spk")
    for wrong in (token, disguised):
        with pytest.raises(Refusal, match="KEY_NOT_ACCEPTED"):
            staff.whose(wrong, {ID: row}.get)


def test_a_secret_is_told_to_nobody_who_prints_what_makes_it() -> None:
    assert "ppp" not in repr(KeyTokens(PEPPER, "sk", "staff key"))
