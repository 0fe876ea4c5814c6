"""
A file of secrets, sealed: worth nothing to who copies the disk without the key, which is kept somewhere else.

Envelope encryption: the content is under a key of the file's own (AES-256-GCM), that key under the operator's. So the
operator's key changes without touching the content. The operator's is 32 bytes as 64 hexadecimal digits, or a passphrase, from
which scrypt makes one. The file says how it is sealed, and neither part opens in the place of another node's or of the other.
"""

import hashlib
import string
from base64 import b64decode, b64encode

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import Randomness

PASSPHRASE_LENGTH_MIN = 16
_KEY_BYTES, _NONCE_BYTES, _SALT_BYTES = 32, 12, 16
_HEX_LENGTH = 2 * _KEY_BYTES
_SCRYPT_LOG_N, _SCRYPT_R, _SCRYPT_P = 15, 8, 1  # 32 MiB and about a tenth of a second: once a start.
_SCRYPT_MEMORY = 64 << 20


class SealReason(Reason):
    """Why a sealed file stays closed."""

    SECRETS_KEY_MISSING = Kind.NOT_ALLOWED, "NARR"
    SECRETS_KEY_WRONG = Kind.NOT_ALLOWED, "NARR"
    SECRETS_KEY_WEAK = Kind.INVALID, "NARR"
    SECRETS_UNREADABLE = Kind.INVALID, "NARR"


class SealedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="sealed", tag="1"):
    """What is on the disk."""

    node: str
    scrypt_log_n: int  # 0: the operator's key is used as it is.
    salt: str
    key: str  # The file's own, under the operator's.
    content: str  # Under the file's own.


def seal(content: bytes, node_id: str, key: str, randomness: Randomness) -> bytes:
    """The sealed file's bytes. Refuses SECRETS_KEY_WEAK."""
    log_n = 0 if _is_raw(key) else _SCRYPT_LOG_N
    salt, own = randomness.randbytes(_SALT_BYTES), randomness.randbytes(_KEY_BYTES)
    sealed = SealedFile(
        node=node_id,
        scrypt_log_n=log_n,
        salt=_text(salt),
        key=_text(_encrypt(_stretched(key, salt, log_n), own, f"{node_id}/key", randomness)),
        content=_text(_encrypt(own, content, f"{node_id}/content", randomness)),
    )
    return msgspec.json.format(msgspec.json.encode(sealed), indent=2)


def is_sealed(data: bytes) -> bool:
    """Whether a file of secrets is a sealed one."""
    try:
        return "sealed" in msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return False


def unseal(data: bytes, node_id: str, key: str) -> bytes:
    """The content. Refuses SECRETS_UNREADABLE, SECRETS_KEY_MISSING, SECRETS_KEY_WRONG."""
    try:
        sealed = msgspec.json.decode(data, type=SealedFile)
        salt, wrapped, content = b64decode(sealed.salt), b64decode(sealed.key), b64decode(sealed.content)
    except ValueError as error:  # msgspec's own are ValueErrors, too.
        raise Refusal(SealReason.SECRETS_UNREADABLE, node=node_id, said=str(error)) from None
    if not key:
        say = "HUTONG_SECRETS_KEY, HUTONG_SECRETS_KEY_FILE, or a systemd credential"
        raise Refusal(SealReason.SECRETS_KEY_MISSING, node=node_id, say=say)
    if sealed.scrypt_log_n not in {0, _SCRYPT_LOG_N}:
        raise Refusal(SealReason.SECRETS_UNREADABLE, node=node_id, said="of another version")
    own = _decrypt(_stretched(key, salt, sealed.scrypt_log_n), wrapped, f"{node_id}/key")
    return _decrypt(own, content, f"{node_id}/content")


def _is_raw(key: str) -> bool:
    return len(key) == _HEX_LENGTH and set(key) <= set(string.hexdigits)


def _stretched(key: str, salt: bytes, log_n: int) -> bytes:
    if _is_raw(key) and not log_n:
        return bytes.fromhex(key)
    if len(key) < PASSPHRASE_LENGTH_MIN:
        expected = f"64 hexadecimal digits, or a passphrase of {PASSPHRASE_LENGTH_MIN} characters or more"
        raise Refusal(SealReason.SECRETS_KEY_WEAK, expected=expected)
    return hashlib.scrypt(
        key.encode(),
        salt=salt,
        n=1 << _SCRYPT_LOG_N,
        r=_SCRYPT_R,
        p=_SCRYPT_P,
        maxmem=_SCRYPT_MEMORY,
        dklen=_KEY_BYTES,
    )


def _encrypt(key: bytes, secret: bytes, label: str, randomness: Randomness) -> bytes:
    nonce = randomness.randbytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, label.encode())


def _decrypt(key: bytes, sealed: bytes, label: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], label.encode())
    except (InvalidTag, ValueError):
        raise Refusal(SealReason.SECRETS_KEY_WRONG, what=label) from None


def _text(data: bytes) -> str:
    return b64encode(data).decode()
