"""What rules may ask about who pays and who is paid, as the institution knows it."""

from typing import Protocol

import msgspec


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
    tags: frozenset[str] = frozenset()  # "small" among them: a small merchant, by the operator's own measure.


NOWHERE = PlaceFacts()  # A merchant of another institution: a consult does not say.


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
