"""A movement: the transfers that happened together, each leg with what resolved it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from hutong.institution.payments.statement import Subject
from hutong.kernel.ids import PARTS_MAX
from hutong.ledger.recipes import POST, VOID, Leg
from hutong.ledger.transfer import Account, Transfer, TransferFlag

_LEG_MASK = 0x3F
_MOVES_NOTHING = TransferFlag.PENDING | TransferFlag.VOID_PENDING


class LegState(StrEnum):
    MOVED = "MOVED"  # At once.
    HELD = "HELD"  # Nobody has decided yet.
    POSTED = "POSTED"
    VOIDED = "VOIDED"


class MovementLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg: as it was held or moved, and what resolved it, if it was held."""

    first: Transfer
    resolution: Transfer | None

    @property
    def leg(self) -> Leg:
        return Leg(self.first.id & _LEG_MASK)

    @property
    def state(self) -> LegState:
        if not self.first.flags & TransferFlag.PENDING:
            return LegState.MOVED
        if self.resolution is None:
            return LegState.HELD
        return LegState.POSTED if self.resolution.flags & TransferFlag.POST_PENDING else LegState.VOIDED


@dataclass(frozen=True, slots=True)
class Movement:
    """A transfer in its place: all legs of what happened together, and what it was for."""

    transfer: Transfer
    legs: list[MovementLeg]
    accounts: dict[int, Account]
    subject: Subject


def ids_beside(transfer_id: int) -> list[int]:
    """Every id a transfer of the same movement may have: the recipes number the legs, their posts and their voids."""
    base = transfer_id // PARTS_MAX * PARTS_MAX
    return [base + leg + step for leg in Leg for step in (0, POST, VOID)]


def legs_of(transfers: Sequence[Transfer]) -> list[MovementLeg]:
    """The legs of one movement, in their order."""
    resolutions = {each.pending_id: each for each in transfers if each.pending_id}
    firsts = sorted((each for each in transfers if not each.pending_id), key=lambda each: each.id)
    return [MovementLeg(first=each, resolution=resolutions.get(each.id)) for each in firsts]


def posted_debit(transfer: Transfer, account_id: int) -> int:
    """By how much a transfer changed the posted balance of one of its accounts, as a debit."""
    if transfer.flags & _MOVES_NOTHING:
        return 0
    return transfer.amount if transfer.debit_account_id == account_id else -transfer.amount
