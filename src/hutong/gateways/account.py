"""
A merchant's account at a gateway: the number its software calls itself by, and the keys that prove it.

It is another key of the same merchant: what it may do its role says, as for a staff key.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from hutong.gateways.reasons import GatewayReason
from hutong.institution.merchants.merchant import reference_key
from hutong.institution.merchants.staff_key import StaffKey
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Bytes, Table, Text, Uuid


class GatewayKind(StrEnum):
    """Whose protocol it is."""

    WECHATPAY = "wechatpay"
    ALIPAY = "alipay"


class AccountState(StrEnum):
    ACTIVE = "ACTIVE"
    REMOVED = "REMOVED"  # For good: its number comes to nobody else.


class Signing(StrEnum):
    """With what the platform signs for this merchant."""

    CERTIFICATE = "CERTIFICATE"
    PUBLIC_KEY = "PUBLIC_KEY"


class MerchantKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key of the merchant's, and the serial its requests name it by."""

    serial: str
    pem: str  # A certificate, or a bare public key.


class WechatFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is public of an account at the WeChat Pay gateway."""

    appids: tuple[str, ...]
    keys: tuple[MerchantKey, ...]
    signing: Signing = Signing.PUBLIC_KEY
    partners: tuple[str, ...] = ()  # The numbers of service providers that may act for it.
    sharing_url: str = ""  # Where it wants to be told of what was split: no request says it.
    lenient: bool = True  # Whether texts to sign may be spelled as some clients do.


class WechatSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides know."""

    api_v3_key: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z]{32}$")]
    api_v2_key: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z]{32}$")]

    def __repr__(self) -> str:
        return "WechatSecrets(...)"


class AlipayFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is public of an account at the Alipay gateway."""

    seller_id: str  # 2088 and twelve digits.
    key: MerchantKey  # In certificate mode its serial is the application certificate's SN.
    signing: Signing = Signing.PUBLIC_KEY
    partners: tuple[str, ...] = ()


class AlipaySecrets(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides know."""

    aes_key: str  # Base64 of 16 bytes.

    def __repr__(self) -> str:
        return "AlipaySecrets(...)"


class GatewayAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an account."""

    id: Uuid
    merchant_id: Uuid
    shop_id: Uuid  # 0: the whole merchant.
    role: Text
    kind: Text
    number: Text  # The mchid, or the app_id.
    number_key: Uuid
    name: Text
    facts: Bytes  # JSON.
    sealed: Bytes  # The secrets, as JSON.
    state: Text
    created_ns: BigInt
    changed_ns: BigInt

    @property
    def door(self) -> str:
        """The name of the door that its requests come through."""
        return f"{self.kind}:{self.number}"

    @property
    def seal_label(self) -> str:
        """Under which its secrets are sealed: they open nowhere else."""
        return f"gateway account {self.id:032x}"


class WechatAccount(msgspec.Struct, frozen=True):
    """An account at the WeChat Pay gateway, open."""

    row: GatewayAccount
    facts: WechatFacts
    secrets: WechatSecrets

    @property
    def authority(self) -> StaffKey:
        return authority(self.row)

    def key(self, serial: str) -> MerchantKey | None:
        """The merchant's key of this serial, if it has one."""
        return next((each for each in self.facts.keys if each.serial == serial), None)


class AlipayAccount(msgspec.Struct, frozen=True):
    """An account at the Alipay gateway, open."""

    row: GatewayAccount
    facts: AlipayFacts
    secrets: AlipaySecrets

    @property
    def authority(self) -> StaffKey:
        return authority(self.row)


Account = WechatAccount | AlipayAccount


class Caller(msgspec.Struct, frozen=True):
    """Who calls, and for whom: the same, but where a service provider acts for a merchant of its own."""

    account: Account
    payee: Account

    @property
    def key(self) -> StaffKey:
        """By what right: the payee's."""
        return self.payee.authority

    @property
    def door(self) -> str:
        return self.payee.row.door


SELLERS = "2"  # Behind the first four digits: no person's number goes on so.
ACCOUNTS = Table("gateway_accounts", GatewayAccount)


def authority(account: GatewayAccount) -> StaffKey:
    """What the merchant's software may do with it, as a key of the merchant's that has no token of its own."""
    return StaffKey(
        id=account.id,
        merchant_id=account.merchant_id,
        shop_id=account.shop_id,
        role=account.role,
        name=account.name,
        token_hash=b"",
        created_ns=account.created_ns,
        rotated_ns=0,
        revoked_ns=0 if account.state == AccountState.ACTIVE else account.changed_ns,
    )


def number_key(kind: GatewayKind, number: str) -> int:
    """By what an account is found: its number, at this gateway."""
    return reference_key(0, f"{kind.value}/{number}")


def seller_number(app_id: str) -> str:
    """The seller's number at the Alipay gateway: 2088, and what the application's number has behind its own four."""
    return f"2088{app_id[4:]}"


def sellers_app_id(seller_id: str) -> str:
    """The reverse; empty for what is the number of no seller."""
    return f"2021{seller_id[4:]}" if seller_id.startswith(f"2088{SELLERS}") and len(seller_id) == 16 else ""


def acting_for(provider: Account, merchant: Account) -> Caller:
    """A service provider that acts for a merchant. Refuses PARTNER_NOT_ALLOWED, unless the merchant has said so."""
    if provider.row.number not in merchant.facts.partners:
        raise Refusal(GatewayReason.PARTNER_NOT_ALLOWED, number=merchant.row.number)
    return Caller(provider, merchant)
