"""What payments need of their neighbours, and nothing more: people, merchants' requests and notices satisfy these."""

from typing import Any, Protocol

from hutong.scheme.messages import Channel


class Payer(Protocol):
    """A person with a wallet here."""

    @property
    def id(self) -> int: ...
    @property
    def tier(self) -> int: ...
    @property
    def wallet_account(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def masked_name(self) -> str: ...

    def may_pay(self, now_ns: int, /) -> None:
        """Refuses who is frozen or closed."""
        ...

    def may_receive(self, now_ns: int, /) -> None:
        """Refuses who is frozen or closed."""
        ...


class CodeHolder(Protocol):
    """Who showed a payment code."""

    @property
    def user_id(self) -> int: ...
    @property
    def is_to_be_asked(self) -> bool:
        """Whether what was shown is no consent: the payer is asked, however little it is."""
        ...


class Session(Protocol):
    """Who is logged in."""

    @property
    def user_id(self) -> int: ...


class People(Protocol):
    """Users, their sessions, PINs and payment codes. Everything may raise `Cold` before it appends anything."""

    def session(self, token: str) -> Session: ...

    def user(self, user_id: int) -> Payer: ...

    def check_pin_token(  # All that it is bound to.
        self, token: str, user_id: int, payment_id: int, amount: int, creditor: str, now_ns: int
    ) -> None: ...

    def claim_payment_code(self, code: str, charge_id: int, acquirer: str) -> CodeHolder:
        """Verify a code and claim it once; the same charge again gets the same answer."""
        ...


class Payee(Protocol):
    """Who is paid by a payment request, a static code or a personal code, and on what terms."""

    @property
    def account(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def shop_name(self) -> str: ...
    @property
    def merchant_id(self) -> int: ...
    @property
    def user_id(self) -> int: ...
    @property
    def shop_id(self) -> int: ...
    @property
    def mcc(self) -> str: ...
    @property
    def fee_bps(self) -> int: ...
    @property
    def amount(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def channel(self) -> Channel: ...
    @property
    def is_static(self) -> bool: ...
    @property
    def remark(self) -> str: ...
    @property
    def expires_ns(self) -> int: ...


class Resolved(Protocol):
    """A code of ours, recognised."""

    @property
    def request_id(self) -> int: ...
    @property
    def payee(self) -> Payee: ...


class Payable(Protocol):
    """What may be paid, at most once. Everything may raise `Cold` before it appends anything."""

    def request(self, request_id: int, /) -> Any:
        """Refuses what is unknown. Called first of all, so that `release` and `paid` are never cold."""
        ...

    def payee(self, request_or_code_id: int, now_ns: int) -> Payee:
        """Refuses what is unknown, cancelled, expired, paid, or whose payee may not receive."""
        ...

    def claim(self, request_id: int, payment_id: int, now_ns: int, payer: str = "") -> Any:
        """The one payment that may complete the request; refuses another while it is claimed, and whom it is not for."""
        ...

    def release(self, request_id: int, payment_id: int) -> Any: ...

    def paid(self, request_id: int, payment_id: int) -> Any: ...


class Requests(Payable, Protocol):
    """Payment requests and codes of this institution."""

    def resolve(self, code: str, /) -> Resolved | None:
        """What a code of ours stands for; None if it isn't ours; refuses one of ours that can't be paid."""
        ...


class Notices(Protocol):
    """News for merchants and users, appended in the decision that makes them."""

    def tell_merchant(self, merchant_id: int, type_: str, data: dict[str, Any], /) -> None: ...

    def tell_user(self, user_id: int, type_: str, data: dict[str, Any], /) -> None: ...
