"""Who gives the money, and where it is."""

from enum import StrEnum

import msgspec

from hutong.kernel.ids import derive
from hutong.kernel.text import check_text
from hutong.runtime.tables import BigInt, Table, Text, Uuid

SPONSOR_PREFIX = "spn"
REFERENCE_LENGTH_MAX = 64
NAME_LENGTH_MAX = 50


class SponsorKind(StrEnum):
    INSTITUTION = "INSTITUTION"
    MERCHANT = "MERCHANT"
    SERVICE_PROVIDER = "SERVICE_PROVIDER"
    SWITCH = "SWITCH"
    OUTSIDE = "OUTSIDE"  # A city, a chamber of commerce, a brand.


class SponsorProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a sponsor."""

    reference: str  # The operator's own number for it.
    kind: SponsorKind
    name: str  # As payers may see it.

    def checked(self) -> "SponsorProfile":
        """Refuses the text refusals, naming the field."""
        check_text("reference", self.reference, length_max=REFERENCE_LENGTH_MAX)
        check_text("name", self.name, length_max=NAME_LENGTH_MAX)
        return self


class Sponsor(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a sponsor. Its budget is the ledger account of its id (`chart.budget_account`)."""

    id: Uuid
    kind: Text
    reference: Text
    name: Text
    merchant_id: Uuid  # Whose sales pay for it; 0: it pays in from outside.
    created_ns: BigInt

    @property
    def who(self) -> int:
        """Who answers for its money, and under whose id it is kept that they agreed: the merchant, or itself."""
        return self.merchant_id or self.id


SPONSORS = Table("sponsors", Sponsor)


def sponsor_id(node_id: str, reference: str) -> int:
    """The id of the operator's sponsor of a reference: a repeat finds it again."""
    return derive(1 << 80, f"{node_id}/sponsor/{reference}")


def merchant_sponsor_id(merchant_id: int) -> int:
    """The id of a merchant as a sponsor."""
    return derive(merchant_id, "sponsor")
