"""What rules may ask about who pays and who is paid, as the institution knows it."""

from typing import Protocol

import msgspec

from hutong.scheme.messages import MerchantFacts


class PayerFacts(msgspec.Struct, frozen=True):
    """A person of ours."""

    tier: int
    since_ns: int
    segments: frozenset[str] = frozenset()
    home_city: str = ""  # As the operator says; empty: nobody has said.


class PlaceFacts(msgspec.Struct, frozen=True):
    """Where somebody of ours sells."""

    city: str = ""
    merchant: str = ""  # As people see their ids.
    shop: str = ""
    tags: frozenset[str] = frozenset()  # Words of its institution's operator.
    small: bool | None = None  # A small merchant, by its institution's own measure; None: nobody has said, or a person.


SMALL = "small"  # The tag that says so.
NOWHERE = PlaceFacts()  # A person, or a merchant of an institution that says nothing.


def elsewhere(agent: str, said: MerchantFacts) -> PlaceFacts:
    """
    A merchant as another institution says it is. Its ids are that institution's own, so they are told with whose they are:
    none can take another's for its own.
    """
    return PlaceFacts(
        said.city,
        f"{agent}/{said.merchant}",
        f"{agent}/{said.shop}" if said.shop else "",
        frozenset(said.words) | ({SMALL} if said.small else frozenset()),
        said.small,
    )


class Followed(Protocol):
    """Rows that something else follows from."""

    changes: int


class Parties(Protocol):
    """People and merchants. Everything may raise `Cold`."""

    @property
    def followed(self) -> "tuple[Followed, ...]":
        """What an operator says of them, and who sells where: while none of it changes, whatever follows from it stays."""
        ...

    def payer(self, person_id: int) -> PayerFacts: ...

    def place(self, merchant_id: int, shop_id: int) -> PlaceFacts: ...

    def sells_at(self, person_id: int, merchant_id: int) -> bool:
        """Whether this person is one of the merchant's own."""
        ...

    def check_may_receive(self, person_id: int) -> None:
        """Refuses who may not."""
        ...

    async def has_paid(self, person_id: int) -> bool:
        """Whether this person has ever paid anything from the wallet."""
        ...
