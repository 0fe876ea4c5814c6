"""What the API takes and shows of merchants, their shops, keys and plates."""

from typing import Annotated

import msgspec
from msgspec import Meta

from hutong.institution.merchants.fee import Fee
from hutong.institution.merchants.merchant import Merchant, MerchantProfile, MerchantStatus
from hutong.institution.merchants.plate import Origin, Plate
from hutong.institution.merchants.shop import Shop, ShopProfile
from hutong.institution.merchants.staff_key import Role, StaffKey
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id

MERCHANT_PREFIX, SHOP_PREFIX, KEY_PREFIX, PLATE_PREFIX = "mer", "shp", "key", "plt"

Reference = Annotated[
    str,
    Meta(
        description="Your own name for it, of at most 64 characters. The same reference with the same content gets the "
        "same answer, with other content REFERENCE_REUSED: so it is safe to ask again.",
        examples=["M-10086"],
    ),
]
MerchantId = Annotated[str, Meta(examples=["mer_01JD3V7M8Y5ZK2Q4R6T8W0X1A0"])]
ShopId = Annotated[
    str, Meta(description="Empty: the merchant, no shop in particular.", examples=["shp_01JD3V7M8Y5ZK2Q4R6T8W0X1A0"])
]
KeyId = Annotated[str, Meta(examples=["key_01JD3V7M8Y5ZK2Q4R6T8W0X1A0"])]
PlateId = Annotated[str, Meta(examples=["plt_0000000000000H2M9Q7C4T6V80"])]
Name = Annotated[
    str, Meta(description="What payers are shown, in any script, of at most 25 characters.", examples=["胡同面馆"])
]
City = Annotated[str, Meta(examples=["北京"])]
LatinCity = Annotated[
    str, Meta(description="The city as an EMVCo payload can say it: ASCII, at most 15. Default: the city.")
]
FeeBps = Annotated[
    int, Meta(description="Of every payment, in basis points: 60 is 0.6 %. From 0 to 1000.", examples=[60])
]
AtMs = Annotated[int, Meta(description="Milliseconds since 1970 UTC.", examples=[1767225600000])]
Token = Annotated[
    str,
    Meta(
        description="Nowhere kept: `Authorization: Bearer sk_…`. Empty when it is too late to show it again.",
        examples=["sk_01JD…_x7Q…"],
    ),
]
CallersKeyId = Annotated[
    str,
    Meta(
        description="Your own id of the key: the same again is the same key, within ten minutes with its token. "
        "Empty: another key each time.",
        examples=["till-1"],
    ),
]


class OnboardMerchant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merchant to be taken on."""

    reference: Reference
    legal_name: Annotated[str, Meta(examples=["北京胡同面馆有限公司"])]
    name: Name
    latin_name: Annotated[
        str, Meta(description="The name as an EMVCo payload can say it: ASCII, at most 25. Default: the name.")
    ] = ""
    city: City
    latin_city: LatinCity = ""
    mcc: Annotated[str, Meta(description="Merchant category code, ISO 18245.", examples=["5812"])]
    currency: Annotated[str, Meta(description="ISO 4217.", examples=["CNY"])] = "CNY"
    fee_bps: FeeBps

    def profile(self) -> MerchantProfile:
        told = msgspec.structs.asdict(self)
        del told["fee_bps"]
        return MerchantProfile(**told)


class MerchantView(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant as it is now."""

    merchant_id: MerchantId
    reference: str
    legal_name: str
    name: str
    latin_name: str
    city: str
    latin_city: str
    mcc: str
    currency: str
    status: MerchantStatus
    fee_bps: FeeBps
    fee_version: int
    created_at_ms: AtMs


class ChangeFee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fee, from an instant on. The fee decided last counts from its instant on, and replaces what still waits."""

    version: Annotated[
        int, Meta(description="The next version: one more than the newest. The same again gets the same answer.")
    ]
    fee_bps: FeeBps
    applies_from_ms: (
        Annotated[
            int, Meta(ge=0, le=(2**63 - 1) // NS_PER_MS, description="Milliseconds since 1970 UTC. Default: at once.")
        ]
        | None
    ) = None


class FeeView(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a merchant's fee."""

    version: int
    fee_bps: int
    applies_from_ms: AtMs
    decided_at_ms: AtMs


class OpenShop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place where the merchant sells."""

    reference: Reference
    name: Name
    city: City
    latin_city: LatinCity = ""

    def profile(self) -> ShopProfile:
        return ShopProfile(**msgspec.structs.asdict(self))


class ShopView(msgspec.Struct, frozen=True, kw_only=True):
    """A shop as it is now."""

    shop_id: ShopId
    reference: str
    name: str
    city: str
    latin_city: str
    is_open: bool
    created_at_ms: AtMs


class IssueKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key for a till or a colleague."""

    name: Annotated[str, Meta(examples=["till 1"])]
    role: Annotated[Role, Meta(description="OWNER may everything; CASHIER may charge and not refund; READER may look.")]
    shop_id: ShopId = ""
    key_id: CallersKeyId = ""


class IssueOwnerKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merchant's first key, or the one that replaces what got lost."""

    name: Annotated[str, Meta(examples=["head office"])]
    key_id: CallersKeyId = ""


class RotateKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new token for a key."""

    rotation_id: Annotated[
        str,
        Meta(
            description="Your own id of this rotation: the same again within ten minutes shows the same token again. "
            "Empty: another token each time.",
            examples=["2026-11"],
        ),
    ] = ""


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A staff key as it is now, without its token."""

    key_id: KeyId
    name: str
    role: Role
    shop_id: ShopId
    is_good: bool
    created_at_ms: AtMs
    rotated_at_ms: AtMs


class IssuedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key and its token, which is kept nowhere: a repeat later than ten minutes shows the key and no token."""

    key: KeyView
    token: Token


class HangPlate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A static code for a wall or a table."""

    reference: Reference
    shop_id: ShopId = ""


class RegisterForeignPlate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code that another system issued, that hangs at the merchant's already and is the merchant's own."""

    reference: Reference
    text: Annotated[
        str,
        Meta(
            description="What a scanner reads off it: a link or an EMVCo payload; or the identity alone, as "
            "`KHQR/name@bank`, `VietQR/970416/109257678859`, `UPI/name@bank`.",
            examples=["https://qr.old-wallet.example/bax0123456"],
        ),
    ]
    shop_id: ShopId = ""


class ReplacePlate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new plate in the place of an old one."""

    reference: Reference


class PlateView(msgspec.Struct, frozen=True, kw_only=True):
    """A plate as it is now."""

    plate_id: PlateId
    reference: str
    shop_id: ShopId
    origin: Origin
    is_active: bool
    text: Annotated[str, Meta(description="What its QR code says.", examples=["https://jing.example/q/MH2M9Q7C4T6V8K"])]
    emvco: Annotated[str, Meta(description="The same code as an EMVCo payload; empty for a foreign plate.")]
    identity: Annotated[str, Meta(description="What a foreign plate is recognised by.")]
    replaced_by: Annotated[str, Meta(description="The plate that hangs in its place, if any.")]
    created_at_ms: AtMs


class PlatePage(msgspec.Struct, frozen=True, kw_only=True):
    """Plates, newest first."""

    plates: list[PlateView]
    next_cursor: Annotated[str | None, Meta(description="What to ask the next page with; null at the end.")]


def merchant_view(merchant: Merchant, fee: Fee) -> MerchantView:
    return MerchantView(
        merchant_id=id_text(MERCHANT_PREFIX, merchant.id),
        reference=merchant.reference,
        legal_name=merchant.legal_name,
        name=merchant.name,
        latin_name=merchant.latin_name,
        city=merchant.city,
        latin_city=merchant.latin_city,
        mcc=merchant.mcc,
        currency=merchant.currency,
        status=MerchantStatus(merchant.status),
        fee_bps=fee.fee_bps,
        fee_version=fee.version,
        created_at_ms=merchant.created_ns // NS_PER_MS,
    )


def fee_view(fee: Fee) -> FeeView:
    return FeeView(
        version=fee.version,
        fee_bps=fee.fee_bps,
        applies_from_ms=fee.applies_from_ns // NS_PER_MS,
        decided_at_ms=fee.decided_ns // NS_PER_MS,
    )


def shop_view(shop: Shop) -> ShopView:
    return ShopView(
        shop_id=id_text(SHOP_PREFIX, shop.id),
        reference=shop.reference,
        name=shop.name,
        city=shop.city,
        latin_city=shop.latin_city,
        is_open=shop.is_open,
        created_at_ms=shop.created_ns // NS_PER_MS,
    )


def key_view(key: StaffKey) -> KeyView:
    return KeyView(
        key_id=id_text(KEY_PREFIX, key.id),
        name=key.name,
        role=Role(key.role),
        shop_id=shop_text(key.shop_id),
        is_good=not key.revoked_ns,
        created_at_ms=key.created_ns // NS_PER_MS,
        rotated_at_ms=key.rotated_ns // NS_PER_MS,
    )


def plate_view(plate: Plate, texts: tuple[str, str]) -> PlateView:
    text, emvco = texts
    return PlateView(
        plate_id=id_text(PLATE_PREFIX, plate.id),
        reference=plate.reference,
        shop_id=shop_text(plate.shop_id),
        origin=Origin(plate.origin),
        is_active=plate.is_active,
        text=text,
        emvco=emvco,
        identity=plate.identity,
        replaced_by=id_text(PLATE_PREFIX, plate.replaced_by) if plate.replaced_by else "",
        created_at_ms=plate.created_ns // NS_PER_MS,
    )


def shop_text(shop_id: int) -> str:
    """How people see a shop's id; nothing for no shop in particular."""
    return id_text(SHOP_PREFIX, shop_id) if shop_id else ""


def shop_id_of(text: str) -> int:
    """The shop's id in `text`, 0 for nothing. Refuses what is no shop's id."""
    return parse_id(SHOP_PREFIX, text) if text else 0
