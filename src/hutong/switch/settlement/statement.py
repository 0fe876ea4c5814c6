"""A participant's settlement account, entry by entry, each with the balance before and behind it."""

import msgspec

from hutong.runtime.tables import BigInt, Text, Uuid


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """
    One entry of the settlement account of a node in a currency. `number` counts them without a gap.

    Of a window: `credit_minor` and `debit_minor` are what the node was owed and owed gross; `moved_minor` is what its
    reserve got (below zero: paid); where the two differ it bore `loss_minor`, or could not pay `missing_minor`.
    """

    account: Text  # `node/currency`.
    id: Uuid
    number: BigInt
    node_id: Text
    currency: Text
    kind: Text
    window: Text
    settles_on: Text
    credit_minor: BigInt
    debit_minor: BigInt
    moved_minor: BigInt
    loss_minor: BigInt
    missing_minor: BigInt
    opening_minor: BigInt
    closing_minor: BigInt
    booked_ns: BigInt


class Told(msgspec.Struct, frozen=True):
    """Up to which entry a node has said that it knows its account."""

    account: Text
    number: BigInt


def account_name(node_id: str, currency: str) -> str:
    return f"{node_id}/{currency}"
