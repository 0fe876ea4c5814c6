"""
What a merchant is told by callback, as the vendor's protocol has it.

A notification is written once, in the decision that makes the news; each try to tell it leaves a row of its own, and the
newest of these says how it stands.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from hutong.kernel.clock import NS_PER_S
from hutong.runtime.tables import BigInt, Bytes, Integer, Table, Text, Uuid

ID_PREFIX = "ntf"
ANSWER_KEPT_MAX = 1024  # What of an answer is kept, to be shown.
_LATE_S = 600  # What the tries themselves may take, beyond the waits between them.


class News(StrEnum):
    """What is told."""

    PAID = "PAID"
    REFUND = "REFUND"
    CLOSED = "CLOSED"
    FAILED = "FAILED"  # What was to be taken under an agreement was not.
    AGREEMENT_SIGNED = "AGREEMENT_SIGNED"
    AGREEMENT_ENDED = "AGREEMENT_ENDED"
    PREAUTH_HELD = "PREAUTH_HELD"
    PREAUTH_LET_GO = "PREAUTH_LET_GO"  # Its subject is the operation.
    TRANSFER = "TRANSFER"  # Of one to a person: how it ended.
    TRANSFER_BATCH = "TRANSFER_BATCH"
    SERVICE_PAID = "SERVICE_PAID"  # What was lent or done first was paid for.
    SHARED = "SHARED"  # A part of a split has arrived.
    PARKING_CHANGED = "PARKING_CHANGED"  # Whether what a car owes can be taken.
    COUPON_SENT = "COUPON_SENT"  # One that its merchant takes at the till; its subject is the code.
    VOUCHER_USED = "VOUCHER_USED"  # Its subject is the flow.
    COMPLAINT = "COMPLAINT"  # Its subject is the turn.


class NotificationState(StrEnum):
    """How it stands."""

    WAITING = "WAITING"
    TAKEN = "TAKEN"
    GIVEN_UP = "GIVEN_UP"


class Cause(StrEnum):
    """Why it was tried."""

    SCHEDULE = "SCHEDULE"
    HAND = "HAND"  # Somebody asked for it.
    DUPLICATE = "DUPLICATE"  # A sandbox was told to send it twice.
    PROBE = "PROBE"  # A sandbox was told to sign it wrongly: whoever takes it does not look.


class GatewayNotification(msgspec.Struct, frozen=True, kw_only=True):
    """Something one account is to be told."""

    id: Uuid
    account_id: Uuid
    dialect: Text
    kind: Text
    subject_id: Uuid  # Of the order, or of the refund.
    url: Text
    at_ns: BigInt

    @property
    def place(self) -> str:
        """Where it goes, without what may differ for each."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"


class GatewayTry(msgspec.Struct, frozen=True, kw_only=True):
    """One try, and how the notification stands behind it."""

    notification_id: Uuid
    cause: Text
    state: Text
    tries: Integer  # Of the schedule's, so far.
    next_at_ns: BigInt  # 0: none is due.
    status: Integer  # Of HTTP; 0 without an answer.
    note: Text  # Why there was none.
    answer: Bytes  # How it began.
    plain: Bytes  # What was told, before it was signed and encrypted: of the first try alone.
    headers: Bytes  # What was sent, as JSON; empty where that is not kept.
    body: Bytes
    took_ns: BigInt
    at_ns: BigInt


class GatewayMark(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which notifications were open, at a place in the journal: a part of them.

    A start reads these and what came later, and not the table's past.
    """

    mark: BigInt
    ids: Bytes  # 16 bytes each.


class Letter(msgspec.Struct, frozen=True):
    """What is posted."""

    headers: Mapping[str, str]
    body: bytes


class Postman(Protocol):
    """One dialect's way of telling."""

    @property
    def schedule_s(self) -> tuple[int, ...]:
        """How long to wait before each further try; of kinds that are tried more or less often, the longest."""
        ...

    def waits_s(self, plain: bytes) -> tuple[int, ...]:
        """The same, of what is told."""
        ...

    @property
    def timeout_s(self) -> float:
        """How long the merchant has to answer."""
        ...

    def plain(self, notification: GatewayNotification) -> bytes:
        """What is told: made once, the same at each try. May raise `Cold`."""
        ...

    def letter(self, notification: GatewayNotification, plain: bytes, now_ns: int) -> Letter:
        """
        Signed, and encrypted, for this try. May raise `Cold`.

        It is called on a thread, since signing takes longer than all the rest: it reads, and changes nothing.
        """
        ...

    def taken(self, status: int, body: bytes) -> bool:
        """Whether this answer means that it has arrived. `body` is how it began."""
        ...


def next_try_ns(waits_s: Sequence[int], tries: int, now_ns: int) -> int:
    """When to try again behind so many tries; 0: no more."""
    return now_ns + waits_s[tries - 1] * NS_PER_S if tries <= len(waits_s) else 0


def ends_ns(notification: GatewayNotification, schedule_s: Sequence[int]) -> int:
    """When its time is over: one that had no turn by then is not tried while its receiver is silent."""
    return notification.at_ns + (sum(schedule_s) + _LATE_S) * NS_PER_S


NOTIFICATIONS = Table("gateway_notifications", GatewayNotification)
TRIES = Table("gateway_tries", GatewayTry)
MARKS = Table("gateway_marks", GatewayMark)
