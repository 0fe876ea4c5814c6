"""How v2 hides what a refund's notification tells: `req_info`. Specification 8.9."""

import base64
import hashlib

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

_BLOCK_BITS = 128


def hide(plain: bytes, api_key: str) -> str:
    """`plain`, under the key."""
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    encryptor = _cipher(api_key).encryptor()
    text = padder.update(plain) + padder.finalize()
    return base64.b64encode(encryptor.update(text) + encryptor.finalize()).decode()


def _cipher(api_key: str) -> Cipher[ECB]:
    # The key's digest in lower-case hex: 32 characters, and they are the 32 bytes.
    digest = hashlib.md5(api_key.encode(), usedforsecurity=False).hexdigest()
    return Cipher(AES256(digest.encode()), ECB())  # noqa: S305  # The protocol's own choice.
