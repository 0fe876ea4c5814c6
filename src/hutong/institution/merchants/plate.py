"""
A merchant's static codes: the plates on its walls, ours and foreign ones.

A plate's id is the number its code says (`code_id`), so a scanned plate needs no index to be found.
"""

from enum import StrEnum

import msgspec

from hutong.codes.plate import PlateId, PlateKind
from hutong.institution.merchants.reasons import MerchantReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import PART_BITS, derive, id_text, parse_id
from hutong.runtime.tables import BigInt, Boolean, Text, Uuid

_ID_LETTERS = 26
_BODY_LETTERS = 12
_STATIC_ID_BITS = 5 * _BODY_LETTERS + PART_BITS


class Origin(StrEnum):
    """Who issued the code on the plate."""

    OWN = "OWN"
    FOREIGN = "FOREIGN"  # Another system did; it hangs there already.


class Plate(msgspec.Struct, frozen=True, kw_only=True):
    """
    One version of a plate.

    A foreign plate has the `text` that registered it and the `identity` by which it is recognised; ours has neither:
    its texts follow from its id.
    """

    id: Uuid
    merchant_id: Uuid
    shop_id: Uuid  # 0: the merchant, wherever it hangs.
    reference: Text  # The merchant's own name for it: "table 5".
    origin: Text
    text: Text
    identity: Text
    identity_key: Uuid | None  # Of foreign plates that are up: one identity leads to one plate.
    is_active: Boolean
    replaced_by: Uuid  # 0 if by none.
    created_ns: BigInt
    changed_ns: BigInt
    # Whose lists it is in, in the first version alone: so paging by them meets every plate once.
    listed_merchant: Uuid | None
    listed_shop: Uuid | None

    @property
    def plate_id(self) -> PlateId:
        """What stands on a plate of ours."""
        assert self.origin == Origin.OWN
        return PlateId(PlateKind.MERCHANT, id_text("", self.id >> PART_BITS)[-_BODY_LETTERS:])

    def check_active(self) -> None:
        """Refuses:  CODE_INACTIVE."""
        if not self.is_active:
            raise Refusal(MerchantReason.CODE_INACTIVE)

    def taken_down(self, now_ns: int, replaced_by: int = 0) -> "Plate":
        """The plate, down for good; itself if it is. Its code never comes back, its foreign identity may."""
        if not self.is_active:
            return self
        return msgspec.structs.replace(
            self,
            is_active=False,
            identity_key=None,
            replaced_by=replaced_by,
            changed_ns=now_ns,
            listed_merchant=None,
            listed_shop=None,
        )


def code_id(plate_id: PlateId) -> int:
    """The number a plate's letters say, as an id that has no part: of a plate, a personal code or a request."""
    return parse_id("", "_" + plate_id.body.rjust(_ID_LETTERS, "0")) << PART_BITS


def static_id(merchant_id: int, reference: str, attempt: int) -> int:
    """
    The id of a merchant's plate of this name: 60 bits that nobody can list, for a merchant's id is not told to payers.

    They follow from the name, so a repeated or interrupted decision finds its plate again. Sixty bits may come twice;
    whoever hangs a plate then makes another `attempt`.
    """
    digest = derive(merchant_id, f"plate/{attempt}/{reference}")
    return digest & ((1 << _STATIC_ID_BITS) - 1)
