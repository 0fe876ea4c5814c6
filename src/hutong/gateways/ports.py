"""Whom splits and transfers live beside: the institution's people, merchants and notices satisfy these."""

from typing import Any, Protocol


class Person(Protocol):
    """Who has a wallet here."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def wallet_account(self) -> int: ...

    def may_receive(self, now_ns: int, /) -> None:
        """Refuses who is frozen or closed."""
        ...


class People(Protocol):
    def user(self, user_id: int, /) -> Person:
        """Refuses who is unknown. May raise `Cold`."""
        ...


class Merchant(Protocol):
    """Who sells here."""

    @property
    def name(self) -> str: ...
    @property
    def legal_name(self) -> str: ...

    def check_open(self) -> None:
        """Refuses who is suspended or closed."""
        ...


class Merchants(Protocol):
    def merchant(self, merchant_id: int, /) -> Merchant:
        """Refuses who is unknown. May raise `Cold`."""
        ...


class Notices(Protocol):
    def tell_merchant(self, merchant_id: int, type_: str, data: dict[str, Any], /) -> None: ...

    def tell_user(self, user_id: int, type_: str, data: dict[str, Any], /) -> None: ...
