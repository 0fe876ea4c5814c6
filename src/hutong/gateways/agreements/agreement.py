"""
One agreement: what a merchant may take of a person, so much a day.

    OFFERED -> SIGNED -> ENDED        OFFERED, SIGNED -> LAPSED, when its time is over
"""

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from hutong.gateways.agreements.period import FACT as PERIOD_RULE
from hutong.gateways.agreements.period import PeriodRule
from hutong.gateways.agreements.reasons import AgreementReason
from hutong.gateways.agreements.schedule import FACT as SCHEDULE
from hutong.gateways.agreements.schedule import Schedule
from hutong.gateways.facts import read_facts
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.runtime.tables import BigInt, Bytes, Table, Text, Uuid

AGREEMENT_PREFIX = "agr"
_UNTIL = "valid_until_ns"  # In its own facts.
OFFERED_FACT = "agreement_offered"  # In the facts of an order: who pays it is asked to sign this agreement.
DAY_MAX_DEFAULT = 1_000_00  # What may be taken in a day, where the merchant doesn't say.
DAY_MAX_MAX = 50_000_00
OFFER_LIFE_S = 2 * 3600


class AgreementState(StrEnum):
    OFFERED = "OFFERED"
    SIGNED = "SIGNED"
    ENDED = "ENDED"
    LAPSED = "LAPSED"  # Never kept: what `state_at` says of what is over by itself.


class EndedBy(StrEnum):
    """Who ended it."""

    NOBODY = ""
    MERCHANT = "MERCHANT"
    PERSON = "PERSON"


class AgreementDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant offers. `content` is what may not differ when the number comes again."""

    number: str  # The merchant's own.
    dialect: str
    plan: str = ""  # What the vendor calls the kind of agreement: plan_id, or product and scene.
    shown: str = ""  # Whose account at the merchant it is, as the person knows it.
    day_max: int = DAY_MAX_DEFAULT
    rule: PeriodRule | None = None
    schedule: Schedule | None = None
    until_ns: int = 0  # When it is over by itself; 0: never.
    notify_url: str = ""
    facts: dict[str, Any] = {}
    content: bytes = b""

    @property
    def kept(self) -> bytes:
        """The facts, as a row keeps them."""
        rule = {} if self.rule is None else {PERIOD_RULE: self.rule}
        schedule = {} if self.schedule is None else {SCHEDULE: self.schedule}
        until = {_UNTIL: self.until_ns} if self.until_ns else {}
        return msgspec.json.encode(self.facts | rule | schedule | until)

    def digest(self) -> bytes:
        """What is kept of the content."""
        terms = b"".join(msgspec.json.encode(each) for each in (self.rule, self.schedule) if each is not None)
        return hashlib.blake2b(f"{self.plan}/{self.day_max}/".encode() + terms + self.content, digest_size=16).digest()


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an agreement."""

    id: Uuid
    account_id: Uuid  # Who offered it.
    payee_id: Uuid  # The account that takes: another, where a service provider offered it.
    dialect: Text
    plan: Text
    number: Text
    number_key: Uuid
    contract_no: Text  # The vendor's number.
    contract_key: Uuid
    shown: Text
    day_max: BigInt
    notify_url: Text
    facts: Bytes  # JSON: what is to be given back as it came.
    content: Bytes
    state: Text
    user_id: Uuid  # Who signed, of ours; 0: nobody, or somebody elsewhere.
    payer: Text  # As an order's: whom the merchant knows by an openid.
    mandate: Text  # What money is taken under; empty until it is signed, and when it has ended.
    mandate_id: Uuid
    created_ns: BigInt
    expires_ns: BigInt  # Until when it can be signed.
    signed_ns: BigInt
    ended_ns: BigInt
    ended_by: Text

    @property
    def told(self) -> dict[str, Any]:
        """The facts, read."""
        return read_facts(self.facts)

    @property
    def rule(self) -> PeriodRule | None:
        """How often something may be taken, where that was agreed to."""
        told = self.told.get(PERIOD_RULE)
        return None if told is None else msgspec.convert(told, PeriodRule)

    @property
    def schedule(self) -> Schedule | None:
        """The one day on which something is taken, where that was agreed to."""
        told = self.told.get(SCHEDULE) if SCHEDULE.encode() in self.facts else None
        return None if told is None else msgspec.convert(told, Schedule)

    @property
    def about(self) -> str:
        """What it is for, as the person reads it."""
        schedule = self.schedule
        return self.shown if schedule is None else f"{self.shown} {schedule.shown}"

    @property
    def until_ns(self) -> int:
        """When it is over by itself; 0: never."""
        return int(self.told.get(_UNTIL, 0)) if _UNTIL.encode() in self.facts else 0

    @property
    def creditor(self) -> str:
        """What the PIN token of its consent is bound to, beside its id and `day_max`."""
        return id_text(AGREEMENT_PREFIX, self.id)

    def state_at(self, now_ns: int) -> AgreementState:
        """How it stands: the kept state, or LAPSED."""
        if self.state == AgreementState.ENDED:
            return AgreementState.ENDED
        until_ns = self.expires_ns if self.state == AgreementState.OFFERED else self.until_ns
        return AgreementState.LAPSED if 0 < until_ns <= now_ns else AgreementState(self.state)

    def check_open(self, now_ns: int) -> None:
        """Refuses AGREEMENT_SIGNED, AGREEMENT_ENDED, AGREEMENT_LAPSED: it can't be signed, or not any more."""
        match self.state_at(now_ns):
            case AgreementState.SIGNED:
                raise Refusal(AgreementReason.AGREEMENT_SIGNED)
            case AgreementState.ENDED:
                raise Refusal(AgreementReason.AGREEMENT_ENDED)
            case AgreementState.LAPSED:
                raise Refusal(AgreementReason.AGREEMENT_LAPSED)

    def check_in_force(self, now_ns: int) -> None:
        """Refuses AGREEMENT_ENDED, AGREEMENT_NOT_SIGNED, AGREEMENT_LAPSED: nothing may be taken."""
        self.check_can_end()
        if self.state == AgreementState.ENDED:
            raise Refusal(AgreementReason.AGREEMENT_ENDED)
        if self.state_at(now_ns) is AgreementState.LAPSED:
            raise Refusal(AgreementReason.AGREEMENT_LAPSED)

    def check_can_end(self) -> None:
        """Refuses AGREEMENT_NOT_SIGNED. One that is over by itself can be ended, too: so nobody wonders whether it is."""
        if self.state == AgreementState.OFFERED:
            raise Refusal(AgreementReason.AGREEMENT_NOT_SIGNED)

    def signed(self, *, user_id: int, payer: str, mandate: str, mandate_id: int, now_ns: int) -> "Agreement":
        """Somebody said yes, under this mandate."""
        return msgspec.structs.replace(
            self,
            state=AgreementState.SIGNED.value,
            user_id=user_id,
            payer=payer,
            mandate=mandate,
            mandate_id=mandate_id,
            signed_ns=now_ns,
        )

    def scheduled(self, schedule: Schedule) -> "Agreement":
        """The merchant has said how much it will take."""
        return msgspec.structs.replace(self, facts=msgspec.json.encode(self.told | {SCHEDULE: schedule}))

    def ended(self, by: EndedBy, now_ns: int) -> "Agreement":
        """Nothing more is taken. What it was taken under is forgotten."""
        return msgspec.structs.replace(
            self, state=AgreementState.ENDED.value, mandate="", ended_ns=now_ns, ended_by=by.value
        )


AGREEMENTS = Table("gateway_agreements", Agreement)


def number_key(payee_id: int, plan: str, number: str) -> int:
    """By what an agreement is found: the merchant's number of it, within its kind."""
    return _key(f"{payee_id:032x}/{plan}/{number}")


def contract_number(agreement_id: int) -> str:
    """The vendor's number of an agreement: 32 digits."""
    drawn = hashlib.blake2b(agreement_id.to_bytes(16, "big"), digest_size=16, person=b"hutong contract").digest()
    return f"20{int.from_bytes(drawn) % 10**30:030d}"


def contract_key(contract_no: str) -> int:
    """By what it is found by the vendor's number."""
    return _key(contract_no)


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16, person=b"hutong agreement").digest())
