"""Who is paid by a code or a request, and on what terms: what the payer is shown, and what a payment is made from."""

from enum import Enum
from typing import Protocol

import msgspec

from hutong.codes.plate import PlateId
from hutong.scheme.messages import Channel

PERSONS_MCC = "0000"  # Of people, who have none.


class PayeeKind(Enum):
    MERCHANT = "MERCHANT"
    PERSON = "PERSON"


class Payee(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The creditor of one request, plate or personal code, as things stand."""

    request_id: int  # What a pacs.008 must name: the request's id, or the code's.
    account: int
    kind: PayeeKind
    merchant_id: int = 0
    user_id: int = 0
    shop_id: int = 0
    name: str
    shop_name: str = ""
    mcc: str = PERSONS_MCC
    fee_bps: int = 0
    fee_version: int = 0  # Of the merchant's fee; 0 for people, who pay none.
    amount: int = 0  # 0: the payer says how much.
    currency: str
    channel: Channel
    is_static: bool  # Each payment gets a request of its own.
    remark: str = ""
    expires_ns: int = 0  # 0: never.

    is_gift = False  # Red packets are: see `web.landing`.


class Resolved(msgspec.Struct, frozen=True, gc=False):
    """A code of this institution, recognised."""

    request_id: int
    payee: Payee


class PersonalCode(Protocol):
    """A plate that a person is paid by."""

    @property
    def id(self) -> int: ...
    @property
    def user_id(self) -> int: ...
    @property
    def amount(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def remark(self) -> str: ...
    @property
    def active(self) -> bool: ...


class Person(Protocol):
    """Whoever has a wallet here."""

    @property
    def id(self) -> int: ...
    @property
    def masked_name(self) -> str: ...
    @property
    def wallet_account(self) -> int: ...

    def may_receive(self, now_ns: int, /) -> None:
        """Refuses who is frozen or closed."""
        ...


class People(Protocol):
    """What requests ask of the people service. Everything may raise `Cold`, and refuses what it doesn't know."""

    def personal_code(self, code_id: int, /) -> PersonalCode: ...

    def personal_code_on(self, plate: PlateId, /) -> PersonalCode: ...

    def user(self, user_id: int, /) -> Person: ...
