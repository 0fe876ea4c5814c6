"""What is encrypted: resources with the merchant's APIv3 key (AES-256-GCM), single fields with RSA (OAEP, SHA-1)."""

import base64
import binascii

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ALGORITHM = "AEAD_AES_256_GCM"
NONCE_LENGTH = 12
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303  # The vendor's; OAEP needs no more.


def seal(api_v3_key: str, plain: bytes, *, nonce: str, associated_data: str) -> str:
    """Base64 of the ciphertext and its 16-byte tag. The twelve characters of the nonce are the initial vector."""
    sealed = AESGCM(api_v3_key.encode()).encrypt(nonce.encode(), plain, associated_data.encode())
    return base64.b64encode(sealed).decode()


def encrypt_field(key: RSAPublicKey, text: str) -> str:
    """A sensitive field for the holder of `key`, in base64."""
    return base64.b64encode(key.encrypt(text.encode(), _OAEP)).decode()


def decrypt_field(key: RSAPrivateKey, field: str) -> str | None:
    """A sensitive field that was encrypted to `key`; None if it was not."""
    try:
        return key.decrypt(base64.b64decode(field, validate=True), _OAEP).decode()
    except (binascii.Error, ValueError):
        return None
