"""What the institution signs with at its gateways: the other half of what a merchant is given."""

from enum import StrEnum

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from hutong.runtime.tables import BigInt, Bytes, Table, Text, Uuid


class KeyUse(StrEnum):
    """What a key is for."""

    AUTHORITY = "AUTHORITY"  # Issues the certificates of the others, and merchants'.
    WECHATPAY_CERTIFICATE = "WECHATPAY_CERTIFICATE"
    WECHATPAY_PUBLIC_KEY = "WECHATPAY_PUBLIC_KEY"
    ALIPAY = "ALIPAY"


class PlatformKey(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a key. The newest that is not retired signs; those retired stay listed for those who still know them."""

    id: Uuid
    use: Text
    serial: Text  # Forty hexadecimal digits, or `PUB_KEY_ID_` and digits.
    certificate: Text  # PEM.
    sealed: Bytes  # The private key.
    valid_from_ns: BigInt
    retired_ns: BigInt  # 0: in use.


class SigningKey(msgspec.Struct, frozen=True):
    """A platform key, open."""

    row: PlatformKey
    private: RSAPrivateKey
    public_pem: str

    @property
    def serial(self) -> str:
        return self.row.serial

    @property
    def certificate(self) -> str:
        return self.row.certificate

    def __repr__(self) -> str:
        return f"SigningKey({self.row.serial})"


PLATFORM_KEYS = Table("gateway_platform_keys", PlatformKey)


def seal_label(key_id: int) -> str:
    """Under which a private key is sealed: it opens nowhere else."""
    return f"gateway platform key {key_id:032x}"
