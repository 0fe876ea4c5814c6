"""The creditor of a trade, and whether it may be paid now."""

import hashlib
from enum import StrEnum

import msgspec

from hutong.institution.merchants.mcc import mcc_group
from hutong.institution.merchants.reasons import MerchantReason
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.runtime.tables import BigInt, Text, Uuid

REFERENCE_LENGTH_MAX = 64
LEGAL_NAME_LENGTH_MAX = 128
NAME_LENGTH_MAX = 25  # EMVCo 64.01, in characters of any script.
CITY_LENGTH_MAX = 15  # EMVCo 64.02.
REMARK_LENGTH_MAX = 128
LATIN_NAME_LENGTH_MAX = 25  # EMVCo 59.
LATIN_CITY_LENGTH_MAX = 15  # EMVCo 60.


class MerchantStatus(StrEnum):
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"  # Takes no new payments; refunds and reading go on.
    CLOSED = "CLOSED"  # For good.


class MerchantProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a merchant when it is taken on."""

    reference: str  # The operator's own number for it.
    legal_name: str
    name: str
    latin_name: str = ""
    city: str
    latin_city: str = ""
    mcc: str
    currency: str = "CNY"

    def checked(self) -> "MerchantProfile":
        """
        The profile with its Latin names filled in, fit to be kept.

        Refuses:  the text refusals, naming the field; LATIN_NAME_MISSING; MCC_MALFORMED, MCC_UNKNOWN.
        """
        check_text("reference", self.reference, length_max=REFERENCE_LENGTH_MAX)
        check_text("legal_name", self.legal_name, length_max=LEGAL_NAME_LENGTH_MAX)
        check_text("name", self.name, length_max=NAME_LENGTH_MAX)
        check_text("city", self.city, length_max=CITY_LENGTH_MAX)
        mcc_group(self.mcc)
        return msgspec.structs.replace(
            self,
            latin_name=latin("latin_name", self.latin_name or self.name, LATIN_NAME_LENGTH_MAX),
            latin_city=latin("latin_city", self.latin_city or self.city, LATIN_CITY_LENGTH_MAX),
        )


class Merchant(msgspec.Struct, frozen=True, kw_only=True):
    """
    One version of a merchant.

    `name` is what payers are shown, in any script; `latin_name` and `latin_city` are what an EMVCo payload can say.
    """

    id: Uuid
    reference: Text
    legal_name: Text
    name: Text
    latin_name: Text
    city: Text
    latin_city: Text
    mcc: Text
    currency: Text
    status: Text
    created_ns: BigInt
    changed_ns: BigInt

    def check_open(self) -> None:
        """Refuses:  MERCHANT_SUSPENDED, MERCHANT_CLOSED: it takes no new payments."""
        if self.status == MerchantStatus.SUSPENDED:
            raise Refusal(MerchantReason.MERCHANT_SUSPENDED)
        if self.status == MerchantStatus.CLOSED:
            raise Refusal(MerchantReason.MERCHANT_CLOSED)

    def moved_to(self, status: MerchantStatus, now_ns: int) -> "Merchant":
        """The merchant in `status`; itself if it is there already. Refuses MERCHANT_CLOSED: that is for good."""
        if self.status == status:
            return self
        if self.status == MerchantStatus.CLOSED:
            raise Refusal(MerchantReason.MERCHANT_CLOSED)
        return msgspec.structs.replace(self, status=status, changed_ns=now_ns)


def latin(field: str, text: str, length_max: int) -> str:
    """`text` as an EMVCo payload may say it. Refuses LATIN_NAME_MISSING if it is in another script or too long."""
    if not text.isascii() or len(text) > length_max:
        raise Refusal(MerchantReason.LATIN_NAME_MISSING, field=field, length_max=length_max)
    return check_text(field, text, length_max=length_max)


def check_same(reference: str, known: msgspec.Struct, wanted: msgspec.Struct) -> None:
    """
    Whether the `wanted` content is what came under this reference before.

    Refuses:  REFERENCE_REUSED, naming the first field that differs.
    """
    for field in wanted.__struct_fields__:
        if getattr(known, field) != getattr(wanted, field):
            raise Refusal(MerchantReason.REFERENCE_REUSED, field=field, reference=reference)


def reference_key(merchant_id: int, reference: str) -> int:
    """What finds a thing by its owner and the owner's reference: the reference alone is nobody's."""
    text = f"{merchant_id:032x}/{reference}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")
