"""What red packets need of their neighbours, and nothing more: the people service satisfies it."""

from collections.abc import Mapping
from typing import Protocol

from hutong.institution.payments.ports import Payer


class People(Protocol):
    """Users and their PINs. Everything may raise `Cold` before it appends anything."""

    def user(self, user_id: int, /) -> Payer: ...

    def own_code(self, user_id: int, /) -> str:
        """A code by which this person is paid any amount; one is made for who has none."""
        ...

    def own_codes(self, user_id: int, /) -> Mapping[int, str]:
        """All such codes, by their ids: what another institution, which scanned one, calls this person."""
        ...

    def check_pin_token(  # All that it is bound to.
        self, token: str, user_id: int, payment_id: int, amount: int, creditor: str, now_ns: int
    ) -> None: ...
