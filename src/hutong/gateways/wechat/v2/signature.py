"""How v2 signs: the fields in order, and the key at the end. Specification 8.2."""

import hashlib
import hmac
from enum import StrEnum

from hutong.gateways.wechat.v2.document import Fields

_SHA256_HEX_LENGTH = 64


class SignType(StrEnum):
    """With what."""

    MD5 = "MD5"
    HMAC_SHA256 = "HMAC-SHA256"


def text_to_sign(fields: Fields) -> str:
    """All but `sign` and what is empty, in the order of their names' bytes."""
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name != "sign" and fields[name])


def sign(fields: Fields, key: str, sign_type: SignType) -> str:
    """Upper-case hex, as `sign` stands in a document."""
    text = f"{text_to_sign(fields)}&key={key}".encode()
    if sign_type is SignType.HMAC_SHA256:
        return hmac.new(key.encode(), text, hashlib.sha256).hexdigest().upper()
    return hashlib.md5(text, usedforsecurity=False).hexdigest().upper()  # The protocol's own choice.


def said_type(fields: Fields) -> SignType | None:
    """
    With what the document says that it is signed; None for what there isn't.

    Where it doesn't say, the length tells: products that take HMAC-SHA256 alone are often called without a word of it.
    """
    said = fields.get("sign_type")
    if not said:
        return SignType.HMAC_SHA256 if len(fields.get("sign", "")) == _SHA256_HEX_LENGTH else SignType.MD5
    return next((each for each in SignType if each == said), None)


def is_signed(fields: Fields, key: str, sign_type: SignType) -> bool:
    """Whether `sign` is this key's."""
    return hmac.compare_digest(sign(fields, key, sign_type).encode(), fields.get("sign", "").encode())


def sandbox_key(api_key: str) -> str:
    """The key that a merchant signs with below `/sandboxnew/`. Made from its own, so that nothing need be kept."""
    return hmac.new(api_key.encode(), b"sandbox_signkey", hashlib.sha256).hexdigest()[:32]
