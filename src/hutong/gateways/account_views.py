"""What the API takes and shows of a merchant's accounts at the gateways."""

from typing import Annotated

import msgspec
from msgspec import Meta

from hutong.gateways.account import Account, AccountState, GatewayKind, MerchantKey, Signing, WechatAccount
from hutong.gateways.account_service import AccountDraft
from hutong.gateways.platform import KeyUse, SigningKey
from hutong.gateways.platform_service import PlatformService
from hutong.institution.merchants.staff_key import Role
from hutong.institution.merchants.views import MERCHANT_PREFIX, SHOP_PREFIX, AtMs, MerchantId, ShopId, shop_id_of
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id

ACCOUNT_PREFIX = "gwa"

AccountId = Annotated[
    str,
    Meta(
        description="Your own id for it, minted by you: the same again gets the same account.",
        examples=["gwa_01JD3V7M8Y5ZK2Q4R6T8W0X1A0"],
    ),
]
PublicKey = Annotated[
    str,
    Meta(
        description="The merchant's RSA public key of 2048 bits or more, as PEM. Its private half stays with the merchant.",
        examples=["-----BEGIN PUBLIC KEY-----\nMIIB…\n-----END PUBLIC KEY-----\n"],
    ),
]
Number = Annotated[
    str, Meta(description="What the merchant's software calls itself: mchid, or app_id.", examples=["1612345678"])
]
Pem = Annotated[str, Meta(description="PEM.")]
Partners = Annotated[
    tuple[str, ...],
    Meta(max_length=100, description="The numbers of service providers that may act for it in partner mode."),
]
SignedWith = Annotated[
    Signing, Meta(description="With what the institution signs for this merchant where a request does not say it.")
]


class MakeAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account at a gateway, for software that speaks its vendor's protocol."""

    account_id: AccountId
    kind: GatewayKind
    name: Annotated[str, Meta(description="For yourself, of at most 64 characters.", examples=["web shop"])]
    public_key: PublicKey
    signing: SignedWith = Signing.PUBLIC_KEY
    role: Annotated[Role, Meta(description="What its requests may do, as for a staff key.")] = Role.OWNER
    shop_id: ShopId = ""
    partners: Partners = ()

    def draft(self) -> AccountDraft:
        return AccountDraft(
            account_id=parse_id(ACCOUNT_PREFIX, self.account_id),
            kind=self.kind,
            name=self.name,
            public_key=self.public_key,
            signing=self.signing,
            role=self.role,
            shop_id=shop_id_of(self.shop_id),
            partners=self.partners,
        )


class ChangeAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different; what is not said stays."""

    signing: SignedWith | None = None
    partners: Partners | None = None
    appids: (
        Annotated[
            tuple[Annotated[str, Meta(min_length=1, max_length=32)], ...],
            Meta(min_length=1, max_length=50, description="WeChat Pay's: the applications that may collect with it."),
        ]
        | None
    ) = None
    sharing_url: (
        Annotated[
            str,
            Meta(max_length=255, description="WeChat Pay's: where it is told of what was split; empty: nowhere."),
        ]
        | None
    ) = None


class AddKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to sign with from now on, besides those known; at the Alipay gateway instead of the one known."""

    public_key: PublicKey


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key of the merchant's, in the certificate that the institution made for it."""

    serial: Annotated[
        str, Meta(description="What a request names it by: WeChat Pay's serial_no, Alipay's app_cert_sn.")
    ]
    certificate: Pem


class PlatformView(msgspec.Struct, frozen=True, kw_only=True):
    """What the merchant's software checks the institution's signatures with."""

    root_certificate: Pem
    certificate: Pem
    serial: Annotated[str, Meta(description="The certificate's.")]
    public_key: Annotated[str, Meta(description="PEM; at the Alipay gateway that of the certificate.")]
    public_key_id: Annotated[str, Meta(description="WeChat Pay's PUB_KEY_ID_…; empty at the Alipay gateway.")] = ""


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account as it is now."""

    account_id: AccountId
    kind: GatewayKind
    number: Number
    name: str
    state: AccountState
    merchant_id: MerchantId
    shop_id: ShopId
    role: Role
    signing: SignedWith
    appids: Annotated[tuple[str, ...], Meta(description="At the WeChat Pay gateway.")] = ()
    seller_id: Annotated[str, Meta(description="At the Alipay gateway: 2088 and twelve digits.")] = ""
    keys: tuple[KeyView, ...]
    partners: Partners
    sharing_url: Annotated[str, Meta(description="At the WeChat Pay gateway: where it is told of splits.")] = ""
    created_at_ms: AtMs


class SecretsView(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides know, shown when it is made: it is kept sealed, and shown no more."""

    api_v3_key: Annotated[str, Meta(description="WeChat Pay's APIv3 key.")] = ""
    api_v2_key: Annotated[str, Meta(description="WeChat Pay's API key of version 2.")] = ""
    aes_key: Annotated[str, Meta(description="Alipay's AES key, base64 of 16 bytes.")] = ""


class MadeAccount(msgspec.Struct, frozen=True, kw_only=True):
    """All that a merchant's software is configured with, but its own private key."""

    account: AccountView
    secrets: SecretsView
    platform: PlatformView


def account_view(account: Account) -> AccountView:
    row, facts = account.row, account.facts
    keys: tuple[MerchantKey, ...]
    if isinstance(account, WechatAccount):
        appids, seller_id, keys = account.facts.appids, "", account.facts.keys
        sharing_url = account.facts.sharing_url
    else:
        appids, seller_id, keys, sharing_url = (), account.facts.seller_id, (account.facts.key,), ""
    return AccountView(
        account_id=id_text(ACCOUNT_PREFIX, row.id),
        kind=GatewayKind(row.kind),
        number=row.number,
        name=row.name,
        state=AccountState(row.state),
        merchant_id=id_text(MERCHANT_PREFIX, row.merchant_id),
        shop_id=id_text(SHOP_PREFIX, row.shop_id) if row.shop_id else "",
        role=Role(row.role),
        signing=facts.signing,
        appids=appids,
        seller_id=seller_id,
        keys=tuple(KeyView(serial=key.serial, certificate=key.pem) for key in keys),
        partners=facts.partners,
        sharing_url=sharing_url,
        created_at_ms=row.created_ns // NS_PER_MS,
    )


def secrets_view(account: Account) -> SecretsView:
    if isinstance(account, WechatAccount):
        return SecretsView(api_v3_key=account.secrets.api_v3_key, api_v2_key=account.secrets.api_v2_key)
    return SecretsView(aes_key=account.secrets.aes_key)


def platform_view(kind: GatewayKind, platform: PlatformService) -> PlatformView:
    """What signs now. The institution has keys as soon as it has an account."""
    root = platform.current(KeyUse.AUTHORITY).certificate
    if kind is GatewayKind.WECHATPAY:
        certified, bare = platform.current(KeyUse.WECHATPAY_CERTIFICATE), platform.current(KeyUse.WECHATPAY_PUBLIC_KEY)
        return _platform_view(root, certified, bare.public_pem, bare.serial)
    signs = platform.current(KeyUse.ALIPAY)
    return _platform_view(root, signs, signs.public_pem, "")


def _platform_view(root: str, certified: SigningKey, public_key: str, public_key_id: str) -> PlatformView:
    return PlatformView(
        root_certificate=root,
        certificate=certified.certificate,
        serial=certified.serial,
        public_key=public_key,
        public_key_id=public_key_id,
    )
