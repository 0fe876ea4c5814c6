"""A place where a merchant sells."""

import msgspec

from hutong.institution.merchants.merchant import (
    CITY_LENGTH_MAX,
    LATIN_CITY_LENGTH_MAX,
    NAME_LENGTH_MAX,
    REFERENCE_LENGTH_MAX,
    latin,
)
from hutong.institution.merchants.reasons import MerchantReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.text import check_text
from hutong.runtime.tables import BigInt, Boolean, Text, Uuid


class ShopProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a shop when it opens."""

    reference: str  # The merchant's own number for it.
    name: str
    city: str
    latin_city: str = ""

    def checked(self) -> "ShopProfile":
        """The profile with its Latin city filled in. Refuses the text refusals and LATIN_NAME_MISSING."""
        check_text("reference", self.reference, length_max=REFERENCE_LENGTH_MAX)
        check_text("name", self.name, length_max=NAME_LENGTH_MAX)
        check_text("city", self.city, length_max=CITY_LENGTH_MAX)
        return msgspec.structs.replace(
            self, latin_city=latin("latin_city", self.latin_city or self.city, LATIN_CITY_LENGTH_MAX)
        )


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a shop."""

    id: Uuid
    merchant_id: Uuid
    reference: Text
    name: Text
    city: Text
    latin_city: Text
    is_open: Boolean
    created_ns: BigInt
    changed_ns: BigInt

    def check_open(self) -> None:
        """Refuses:  SHOP_CLOSED: it takes no new payments."""
        if not self.is_open:
            raise Refusal(MerchantReason.SHOP_CLOSED)

    def closed(self, now_ns: int) -> "Shop":
        """The shop, closed for good; itself if it is."""
        return msgspec.structs.replace(self, is_open=False, changed_ns=now_ns) if self.is_open else self


def shop_id(merchant_id: int, reference: str) -> int:
    """The id of a merchant's shop: it follows from the merchant's own number for it, so a repeat finds it again."""
    return derive(merchant_id, f"shop/{reference}")
