"""What a merchant's tills and back offices call us with, and what each may do."""

from enum import Enum, StrEnum

import msgspec

from hutong.institution.merchants.reasons import MerchantReason
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Bytes, Text, Uuid

SESSION_PREFIX = "stf_"  # How the token of a member of staff begins, who acts as a key does: see `staff`.


class Right(Enum):
    """What an act asks of whoever does it."""

    READ = "read"
    CHARGE = "charge"  # Ask to be paid, and take that back.
    REFUND = "refund"
    BOOKS = "books"  # Bills, fees, settlement, and what goes to the merchant's bank.
    MANAGE = "manage"  # Shops, staff, keys, plates.


class Role(StrEnum):
    """What a key, or a member of staff, is to the merchant."""

    OWNER = "OWNER"
    MANAGER = "MANAGER"
    CASHIER = "CASHIER"
    ACCOUNTANT = "ACCOUNTANT"
    READER = "READER"


RIGHTS = {
    Role.OWNER: frozenset(Right),
    Role.MANAGER: frozenset({Right.READ, Right.CHARGE, Right.REFUND}),
    Role.CASHIER: frozenset({Right.READ, Right.CHARGE}),  # Refunding is how a till gets robbed by its own staff.
    Role.ACCOUNTANT: frozenset({Right.READ, Right.BOOKS}),
    Role.READER: frozenset({Right.READ}),
}


class StaffKey(msgspec.Struct, frozen=True, kw_only=True):
    """
    One version of a staff key: whose it is and what it may do. The token itself is nowhere kept.

    `shop_id` 0 is the whole merchant; else the key sees and does nothing outside that shop.
    """

    id: Uuid
    merchant_id: Uuid
    shop_id: Uuid
    role: Text
    name: Text
    token_hash: Bytes
    created_ns: BigInt
    rotated_ns: BigInt
    revoked_ns: BigInt  # 0 while it is good.
    rotation_id: Text = ""  # The caller's own id of the last rotation, if it had one.

    @property
    def is_member(self) -> bool:
        """Whether this is the authority of a member of staff, who signed in, and no key: it has no token of its own."""
        return not self.token_hash

    def has_right(self, right: Right) -> bool:
        """Whether its role may."""
        return right in RIGHTS[Role(self.role)]

    def check_right(self, right: Right) -> None:
        """Refuses:  ROLE_MAY_NOT."""
        if not self.has_right(right):
            raise Refusal(MerchantReason.ROLE_MAY_NOT, role=str(self.role), right=right.value)

    def check_whole_merchant(self) -> None:
        """Refuses:  SHOP_NOT_YOURS, to a key of one shop: this concerns them all."""
        if self.shop_id:
            raise Refusal(MerchantReason.SHOP_NOT_YOURS)

    def sees(self, merchant_id: int, shop_id: int) -> bool:
        """Whether a thing of this merchant and shop exists for this key (invariant 8)."""
        return merchant_id == self.merchant_id and self.shop_id in (0, shop_id)

    def shop_for(self, shop_id: int) -> int:
        """The shop an act of this key belongs to: the one it names, or the key's own. Refuses SHOP_NOT_YOURS."""
        if self.shop_id and shop_id not in (0, self.shop_id):
            raise Refusal(MerchantReason.SHOP_NOT_YOURS)
        return shop_id or self.shop_id
