"""The books as the operator's API tells them. Amounts are minor units; times are the ledger's, in nanoseconds."""

import msgspec

from hutong.institution.books.account_name import ACCOUNT_PREFIX, TRANSFER_PREFIX, balance_of, owner_text, signed
from hutong.institution.books.entry import EntryPage
from hutong.institution.books.movement import LegState, Movement, MovementLeg
from hutong.institution.chart import AccountCode
from hutong.kernel.ids import id_text
from hutong.ledger.transfer import Account, AccountBalance, Transfer
from hutong.ledger.trial_balance import TrialBalance, TrialLine


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account with its balances. `balance` is posted, positive on the side on which accounts of its code stand."""

    account_id: str
    code: int
    name: str
    owner: str
    balance: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int
    opened_at_ns: int


class BalanceView(msgspec.Struct, frozen=True, kw_only=True):
    """An account's balances at a time; all zero before it was opened."""

    account_id: str
    at_ns: int
    balance: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int


class TransferView(msgspec.Struct, frozen=True, kw_only=True):
    """One debit and one credit."""

    transfer_id: str
    debit_account_id: str
    credit_account_id: str
    amount: int
    code: int
    flags: int
    pending_id: str
    about: str
    at_ns: int


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an account: what the transfer changed of the posted balance, and that balance after it."""

    transfer: TransferView
    change: int
    balance: int


class EntriesView(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. `newer` goes into `after`, `older` into `before`; null: there is no such page."""

    account: AccountView
    entries: list[EntryView]
    newer: int | None
    older: int | None


class LegView(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a movement, and what resolved it."""

    leg: str
    state: LegState
    first: TransferView
    resolution: TransferView | None


class MovementView(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer, and all legs of what happened together with it."""

    transfer: TransferView
    legs: list[LegView]


class TrialLineView(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts of a code together."""

    code: int
    name: str
    accounts: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int
    balance: int


class TrialBalanceView(msgspec.Struct, frozen=True, kw_only=True):
    """What all accounts come to. `balances`: debits equal credits, pending and posted."""

    at_ns: int
    balances: bool
    lines: list[TrialLineView]


def account_view(account: Account) -> AccountView:
    return AccountView(
        account_id=id_text(ACCOUNT_PREFIX, account.id),
        code=account.code,
        name=AccountCode(account.code).name.lower(),
        owner=owner_text(account),
        balance=balance_of(account),
        debits_pending=account.debits_pending,
        debits_posted=account.debits_posted,
        credits_pending=account.credits_pending,
        credits_posted=account.credits_posted,
        opened_at_ns=account.timestamp,
    )


def balance_view(account: Account, at_ns: int, found: AccountBalance | None) -> BalanceView:
    then = found or AccountBalance(at_ns, 0, 0, 0, 0)
    return BalanceView(
        account_id=id_text(ACCOUNT_PREFIX, account.id),
        at_ns=at_ns,
        balance=signed(account.code, then.debits_posted - then.credits_posted),
        debits_pending=then.debits_pending,
        debits_posted=then.debits_posted,
        credits_pending=then.credits_pending,
        credits_posted=then.credits_posted,
    )


def transfer_view(transfer: Transfer) -> TransferView:
    return TransferView(
        transfer_id=id_text(TRANSFER_PREFIX, transfer.id),
        debit_account_id=id_text(ACCOUNT_PREFIX, transfer.debit_account_id),
        credit_account_id=id_text(ACCOUNT_PREFIX, transfer.credit_account_id),
        amount=transfer.amount,
        code=transfer.code,
        flags=transfer.flags,
        pending_id=id_text(TRANSFER_PREFIX, transfer.pending_id) if transfer.pending_id else "",
        about=f"{transfer.user_data_128:032x}" if transfer.user_data_128 else "",
        at_ns=transfer.timestamp,
    )


def entries_view(page: EntryPage) -> EntriesView:
    return EntriesView(
        account=account_view(page.account),
        entries=[
            EntryView(transfer=transfer_view(each.transfer), change=each.change, balance=each.balance)
            for each in page.entries
        ],
        newer=page.newer,
        older=page.older,
    )


def movement_view(movement: Movement) -> MovementView:
    return MovementView(transfer=transfer_view(movement.transfer), legs=[_leg(each) for each in movement.legs])


def trial_balance_view(trial: TrialBalance) -> TrialBalanceView:
    return TrialBalanceView(at_ns=trial.at_ns, balances=trial.balances, lines=[_line(line) for line in trial.lines])


def _leg(leg: MovementLeg) -> LegView:
    return LegView(
        leg=leg.leg.name,
        state=leg.state,
        first=transfer_view(leg.first),
        resolution=transfer_view(leg.resolution) if leg.resolution else None,
    )


def _line(line: TrialLine) -> TrialLineView:
    return TrialLineView(
        code=line.code,
        name=AccountCode(line.code).name.lower(),
        accounts=line.accounts,
        debits_pending=line.debits_pending,
        debits_posted=line.debits_posted,
        credits_pending=line.credits_pending,
        credits_posted=line.credits_posted,
        balance=signed(line.code, line.debits_posted - line.credits_posted),
    )
