"""Deliveries: what became of each attempt to tell an endpoint."""

from enum import Enum

import msgspec

from hutong.runtime.tables import BigInt, SmallInt, Text, Uuid


class Outcome(Enum):
    """What became of an attempt, or why a cursor moved without one."""

    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"  # A page of events it did not ask for.
    ENABLED = "ENABLED"  # By the merchant: failures count from nothing again.
    REDELIVERED = "REDELIVERED"  # By hand, out of order; the cursor stays.
    REDELIVERY_FAILED = "REDELIVERY_FAILED"


class WebhookDelivery(msgspec.Struct, frozen=True):
    """How far delivery to an endpoint has come: the newest row is what a restart goes on with."""

    endpoint_id: Uuid
    event_id: Uuid
    outcome: Text
    status: SmallInt  # Of HTTP; 0 without an answer.
    note: Text
    cursor: BigInt  # Everything up to here is delivered or not wanted.
    failures: SmallInt  # Of the event behind the cursor, in a row.
    next_at_ns: BigInt  # When it is tried again.
    at_ns: BigInt
