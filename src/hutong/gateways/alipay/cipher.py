"""AES as Alipay uses it: CBC, PKCS#7, an initialisation vector of sixteen zero bytes, base64 all around."""

import base64
from binascii import Error as Base64Error

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from hutong.gateways.alipay.errors import AlipayError

ALGORITHM = "AES"
_IV = bytes(16)
_PADDING = PKCS7(AES.block_size)


def encrypt(plain: bytes, key: str) -> str:
    """The ciphertext in base64, under a key in base64."""
    padder = _PADDING.padder()
    encryptor = _cipher(key).encryptor()
    data = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    return base64.b64encode(data).decode()


def decrypt(text: str, key: str) -> bytes:
    """The plaintext of a base64 ciphertext. Refuses isv.invalid-encrypt, and says no more of why."""
    decryptor = _cipher(key).decryptor()
    unpadder = _PADDING.unpadder()
    try:
        data = decryptor.update(base64.b64decode(text, validate=True)) + decryptor.finalize()
        return unpadder.update(data) + unpadder.finalize()
    except (Base64Error, ValueError):
        raise AlipayError("isv.invalid-encrypt") from None


def looks_encrypted(text: str) -> bool:
    """Whether this is what `encrypt` makes, and no JSON: whole blocks in base64."""
    if not text or text.lstrip().startswith(("{", "[")):
        return False
    try:
        return len(base64.b64decode(text, validate=True)) % (AES.block_size // 8) == 0
    except (Base64Error, ValueError):
        return False


def _cipher(key: str) -> Cipher[CBC]:
    if not key:
        raise AlipayError("isv.decryption-error-not-valid-encrypt-key")
    return Cipher(AES(base64.b64decode(key)), CBC(_IV))
