"""A user: who has a wallet here, how well we know that person, and what is stopped."""

from enum import Enum, IntEnum
from typing import Self

import msgspec

from hutong.institution.chart import user_account
from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import minted_ms
from hutong.runtime.tables import BigInt, Boolean, SmallInt, Text, Uuid

NAME_LENGTH_MAX = 70
_FUTURE_MAX_MS = 60_000


class Tier(IntEnum):
    """Real-name tiers of payment accounts (I, II, III 类): the higher, the more may be paid from balance."""

    I = 1  # noqa: E741  # Its name in the rules.
    II = 2
    III = 3


class Evidence(Enum):
    """
    How we know who somebody is: independent outside sources that confirmed it, or our own eyes.

    The rules for payment accounts of institutions that are no banks ask one source for tier I, three for II,
    five for III; meeting the person counts for any tier.
    """

    PHONE = "PHONE", Tier.I  # A one-time code: the operator of the telephone network registered the person.
    SOURCES_3 = "SOURCES_3", Tier.II
    SOURCES_5 = "SOURCES_5", Tier.III
    FACE_TO_FACE = "FACE_TO_FACE", Tier.III

    proves: Tier

    def __new__(cls, name: str, proves: Tier) -> Self:
        row = object.__new__(cls)
        row._value_ = name
        row.proves = proves
        return row


class User(msgspec.Struct, frozen=True):
    """One version of a user. A closed user's telephone number is free again."""

    id: Uuid
    number: BigInt  # What the handle in a payment code stands for; never used twice.
    phone: Text  # E.164.
    name: Text
    tier: SmallInt
    evidence: Text
    registration_id: Text  # The caller's own, so that a retry is known.
    changed_ns: BigInt
    frozen_by_operator: Boolean = False
    frozen_by_user: Boolean = False
    closed: Boolean = False
    why: Text = ""  # Of the last freeze, unfreeze or raise, and who did it.

    @property
    def wallet_account(self) -> int:
        """The user's account on the ledger."""
        return user_account(self.id)

    @property
    def masked_name(self) -> str:
        """How a payee sees the payer: the family name's place is a star, `*小明`."""
        return "*" + self.name[1:] if len(self.name) > 1 else self.name

    def may_pay(self, _now_ns: int = 0) -> None:
        """Refuses USER_CLOSED, and USER_FROZEN whoever froze."""
        self.may_receive()
        if self.frozen_by_user:
            raise Refusal(PeopleReason.USER_FROZEN, by="user")

    def may_receive(self, _now_ns: int = 0) -> None:
        """Refuses USER_CLOSED, and USER_FROZEN by the operator: who froze their own wallet may still be paid."""
        self.is_open()
        if self.frozen_by_operator:
            raise Refusal(PeopleReason.USER_FROZEN, by="operator")

    def is_open(self) -> None:
        """Refuses USER_CLOSED."""
        if self.closed:
            raise Refusal(PeopleReason.USER_CLOSED)

    def raised_to(self, tier: Tier, evidence: Evidence, name: str) -> "User":
        """
        Known better now, under the name the evidence gives.

        Refuses:  USER_CLOSED; TIER_NOT_RAISED to a lower tier; TIER_EVIDENCE_INSUFFICIENT.
        Repeats:  the same evidence for the same tier changes nothing.
        """
        self.is_open()
        if tier < self.tier:
            raise Refusal(PeopleReason.TIER_NOT_RAISED, tier=self.tier)
        if evidence.proves < tier:
            raise Refusal(PeopleReason.TIER_EVIDENCE_INSUFFICIENT, proves=int(evidence.proves), tier=int(tier))
        return msgspec.structs.replace(self, tier=int(tier), evidence=evidence.value, name=name)


def checked_id(field: str, id_: int, now_ns: int) -> int:
    """An id the caller minted; refuses ID_FROM_THE_FUTURE: such an id would hide those minted meanwhile."""
    if minted_ms(id_) > now_ns // 1_000_000 + _FUTURE_MAX_MS:
        raise Refusal(PeopleReason.ID_FROM_THE_FUTURE, field=field)
    return id_
