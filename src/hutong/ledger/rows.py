"""
The rows of a ledger: what it decided, in the order it decided it. They are the log, and nothing else is kept.

A transfer's row carries the balances it left behind, on the side it moved: debits of the debit account, credits of
the credit account. So an account's balances at any time are two rows, the last one that debited it and the last
that credited it, and no balance is ever updated anywhere (docs/adr/0013-ledger-recovery.md).
"""

import msgspec

from hutong.ledger.transfer import Account, Transfer
from hutong.runtime.tables import U128, BigInt, Integer, Low128, Table, Uuid

U64 = U128  # PostgreSQL has no unsigned 64 bits: numeric.
U32 = BigInt
Balance = Low128  # 128 bits at a fixed width: numeric costs twice as much to write. `u128(uuid)` shows it in SQL.


class TransferRow(msgspec.Struct, frozen=True, gc=False):
    """A transfer as it was created: its actual amount, its time, and the balances it left."""

    id: Uuid
    debit_account_id: Uuid
    credit_account_id: Uuid
    pending_id: Uuid
    user_data_128: Uuid
    debits_pending: Balance
    debits_posted: Balance
    credits_pending: Balance
    credits_posted: Balance
    timestamp: BigInt
    ledger: U32
    user_data_32: U32
    timeout: U32
    code: Integer
    flags: Integer
    amount: U128
    user_data_64: U64

    def transfer(self) -> Transfer:
        """The transfer as callers see it."""
        return Transfer(
            self.id,
            self.debit_account_id,
            self.credit_account_id,
            self.amount,
            self.ledger,
            self.code,
            self.flags,
            self.pending_id,
            self.user_data_128,
            self.user_data_64,
            self.user_data_32,
            self.timeout,
            self.timestamp,
        )


class AccountRow(msgspec.Struct, frozen=True, gc=False):
    """An account as it was opened; its flag CLOSED may change by closing transfers, its balances by all."""

    id: Uuid
    user_data_128: Uuid
    timestamp: BigInt
    ledger: U32
    user_data_32: U32
    code: Integer
    flags: Integer
    user_data_64: U64

    @staticmethod
    def of(account: Account, timestamp: int) -> "AccountRow":
        return AccountRow(
            account.id,
            account.user_data_128,
            timestamp,
            account.ledger,
            account.user_data_32,
            account.code,
            account.flags,
            account.user_data_64,
        )


class BurnedIdRow(msgspec.Struct, frozen=True, gc=False):
    """A transfer id that got a no which might have been a yes at another time: it is spent."""

    id: Uuid
    timestamp: BigInt
    status: Integer


class ExpiryRow(msgspec.Struct, frozen=True, gc=False):
    """A pending transfer timed out and was released: an event of the log like any other."""

    pending_id: Uuid
    debit_account_id: Uuid
    credit_account_id: Uuid
    debits_pending: Balance
    debits_posted: Balance
    credits_pending: Balance
    credits_posted: Balance
    timestamp: BigInt


class OpenPendingRow(msgspec.Struct, frozen=True, gc=False):
    """A pending transfer that was still open at a checkpoint: most never are."""

    pending_id: Uuid


class CheckpointRow(msgspec.Struct, frozen=True, gc=False):
    """
    From here a restart reads: every pending transfer open at this row's position is listed in `open_pending` at or
    behind `open_pending_position`, perhaps beside some that were resolved since they were listed.
    """

    open_pending_position: BigInt
    timestamp: BigInt


LedgerRow = TransferRow | AccountRow | BurnedIdRow | ExpiryRow

# What kind of movement it is: the amount and the balances are its own, nearly all else is as many others have it.
TRANSFER = Table(
    "transfer", TransferRow, repeated=("ledger", "user_data_32", "timeout", "code", "flags", "user_data_64")
)
ACCOUNT = Table("account", AccountRow)
BURNED_ID = Table("burned_id", BurnedIdRow)
EXPIRY = Table("expiry", ExpiryRow)
OPEN_PENDING = Table("open_pending", OpenPendingRow)
CHECKPOINT = Table("checkpoint", CheckpointRow)
