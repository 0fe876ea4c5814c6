"""
One authorisation, and what was done to it.

    OFFERED -> HOLDING -> HELD -> ENDED        OFFERED -> CLOSED (cancelled, or its time over)        HOLDING -> FAILED
"""

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.facts import read_facts
from hutong.gateways.preauth.reasons import PreauthReason
from hutong.institution.chart import held_account
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S, instant
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.kernel.money import Currency
from hutong.runtime.tables import BigInt, Bytes, Integer, Table, Text, Uuid

PREAUTH_PREFIX = "pra"
OFFER_LIFE_S = 15 * 60
_ZONE_OFFSET_NS = 8 * NS_PER_HOUR  # Both vendors' numbers begin with the day in Beijing.


class PreauthState(StrEnum):
    OFFERED = "OFFERED"
    HOLDING = "HOLDING"  # The person has agreed, and the ledger is asked.
    HELD = "HELD"
    ENDED = "ENDED"  # Everything was taken, or let go.
    CLOSED = "CLOSED"  # Nobody agreed.
    FAILED = "FAILED"  # The balance did not cover it.


class PreauthDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant wants to hold. `content` is what may not differ when the number comes again."""

    number: str  # The merchant's own, of the authorisation.
    request_number: str  # And of this operation.
    dialect: str
    amount: int
    title: str
    notify_url: str = ""
    lifetime_s: int = OFFER_LIFE_S
    facts: dict[str, Any] = {}
    content: bytes = b""

    def digest(self) -> bytes:
        """What is kept of the content."""
        told = f"{self.request_number}/{self.amount}/".encode() + self.content
        return hashlib.blake2b(told, digest_size=16).digest()


class Preauth(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an authorisation."""

    id: Uuid
    account_id: Uuid  # Who asked for it.
    payee_id: Uuid  # The account that takes.
    dialect: Text
    number: Text
    number_key: Uuid
    auth_no: Text  # The vendor's number.
    auth_key: Uuid
    title: Text
    amount: BigInt
    notify_url: Text
    facts: Bytes  # JSON: what is to be given back as it came.
    content: Bytes
    state: Text
    reason: Text
    user_id: Uuid  # Who is asked, or has agreed; 0 while that is whoever has the link, and of a person elsewhere.
    due_day: Integer  # The day, since 1970, on which what is left goes back; 0 before anybody agreed, and at the end.
    created_ns: BigInt
    expires_ns: BigInt  # Until when it can be agreed to.
    held_ns: BigInt
    ended_ns: BigInt
    debtor_agent: Text = ""  # Where it is held; empty: here.
    payer: Text = ""  # Who agreed there: see `payer`.

    @property
    def told(self) -> dict[str, Any]:
        """The facts, read."""
        return read_facts(self.facts)

    @property
    def creditor(self) -> str:
        """What the PIN token of its consent is bound to, beside its id and amount."""
        return id_text(PREAUTH_PREFIX, self.id)

    def account(self, currency: Currency) -> int:
        """Where it is held."""
        return held_account(self.id, currency)

    def state_at(self, now_ns: int) -> PreauthState:
        """How it stands: the kept state, or CLOSED for an offer whose time is over."""
        is_over = self.state == PreauthState.OFFERED and self.expires_ns <= now_ns
        return PreauthState.CLOSED if is_over else PreauthState(self.state)

    def check_open(self, now_ns: int) -> None:
        """Refuses PREAUTH_NOT_OPEN: nobody can agree to it, or not any more."""
        state = self.state_at(now_ns)
        if state is not PreauthState.OFFERED:
            raise Refusal(PreauthReason.PREAUTH_NOT_OPEN, state=state.value)

    def check_held(self) -> None:
        """Refuses PREAUTH_NOT_HELD."""
        if self.state != PreauthState.HELD:
            raise Refusal(PreauthReason.PREAUTH_NOT_HELD, state=str(self.state))


class PreauthOperation(msgspec.Struct, frozen=True, kw_only=True):
    """One version of what was done: money that was let go. The hold itself is the authorisation's own row."""

    id: Uuid
    preauth_id: Uuid
    payee_id: Uuid
    number: Text
    number_key: Uuid
    operation_no: Text
    amount: BigInt
    remark: Text
    state: Text  # WANTED, DONE, REFUSED.
    created_ns: BigInt


class OperationState(StrEnum):
    WANTED = "WANTED"
    DONE = "DONE"
    REFUSED = "REFUSED"


class PreauthTake(msgspec.Struct, frozen=True, kw_only=True):
    """That an order was paid out of what is held elsewhere. Its id is the order's."""

    id: Uuid
    preauth_id: Uuid
    amount: BigInt


class Standing(msgspec.Struct, frozen=True):
    """An authorisation with its money, at one moment."""

    preauth: Preauth
    left: int  # What is still held.
    let_go: int

    @property
    def taken(self) -> int:
        """What the merchant was paid of it."""
        return self.preauth.amount - self.left - self.let_go if self.preauth.held_ns else 0


PREAUTHS = Table("gateway_preauths", Preauth)
PREAUTH_OPERATIONS = Table("gateway_preauth_operations", PreauthOperation)
PREAUTH_TAKES = Table("gateway_preauth_takes", PreauthTake)


def new_preauth(caller: Caller, draft: PreauthDraft, id_: int, auth_no: str, now_ns: int) -> Preauth:
    """What nobody has agreed to yet."""
    return Preauth(
        id=id_,
        account_id=caller.account.row.id,
        payee_id=caller.payee.row.id,
        dialect=draft.dialect,
        number=draft.number,
        number_key=number_key(caller.payee.row.id, draft.number),
        auth_no=auth_no,
        auth_key=auth_key(auth_no),
        title=draft.title,
        amount=draft.amount,
        notify_url=draft.notify_url,
        facts=msgspec.json.encode(draft.facts | {"request_number": draft.request_number}),
        content=draft.digest(),
        state=PreauthState.OFFERED.value,
        reason="",
        user_id=0,
        due_day=0,
        created_ns=now_ns,
        expires_ns=now_ns + draft.lifetime_s * NS_PER_S,
        held_ns=0,
        ended_ns=0,
    )


def new_operation(  # All that it is.
    preauth: Preauth,
    id_: int,
    operation_no: str,
    number: str,
    amount: int,
    now_ns: int,
    *,
    remark: str = "",
    state: OperationState = OperationState.WANTED,
) -> PreauthOperation:
    """Money that is to go back, or that went back by itself."""
    return PreauthOperation(
        id=id_,
        preauth_id=preauth.id,
        payee_id=preauth.payee_id,
        number=number,
        number_key=operation_key(preauth.id, number),
        operation_no=operation_no,
        amount=amount,
        remark=remark,
        state=state.value,
        created_ns=now_ns,
    )


def number_key(payee_id: int, number: str) -> int:
    """By what an authorisation is found: the merchant's number of it."""
    return _key(f"{payee_id:032x}/{number}")


def operation_key(preauth_id: int, number: str) -> int:
    """By what an operation is found: its number, within its authorisation."""
    return _key(f"{preauth_id:032x}/operation/{number}")


def auth_number(now_ns: int, id_: int) -> str:
    """The vendor's number of an authorisation, or of an operation: the day in Beijing, and twenty digits."""
    day = f"{instant(now_ns + _ZONE_OFFSET_NS):%Y%m%d}"
    drawn = hashlib.blake2b(id_.to_bytes(16, "big"), digest_size=16, person=b"hutong preauth").digest()
    return f"{day}{int.from_bytes(drawn) % 10**20:020d}"


def auth_key(auth_no: str) -> int:
    """By what it is found by the vendor's number."""
    return _key(auth_no)


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16, person=b"hutong preauths").digest())
