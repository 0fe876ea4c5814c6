"""
The switch's chart of accounts.

A **position** account says how far a node may still go: the net debit cap was credited to it when it was granted, and
its debits must not exceed its credits, so no `if` guards the cap. What a node owes net is cap less balance. Its **reserve**
is its settlement account: net obligations are paid from it, and policy derives a cap from it.
"""

from functools import cache

from hutong.kernel.ids import derive
from hutong.kernel.money import Currency
from hutong.ledger.transfer import Account, AccountFlag

CODE_POSITION = 1
CODE_CAPS = 2  # Where granted caps come from: its debit balance is the sum of all caps.
CODE_INCOME = 3  # The scheme's: switch fees.
CODE_RESERVE = 4  # A participant's settlement account: what it prefunded. And the scheme's own.
CODE_RESERVE_CAPS = 5  # Where the caps that reserves stand behind come from: its debit balance is this node's.
CODE_CONTRIBUTION = 6  # What a participant put into the guarantee fund.
CODE_CUSTODY = 7  # The money behind reserves and contributions, at the settlement bank: debit balance.

# Why money moved, in a transfer's `code`.
CODE_CLEARING = 10
CODE_RETURN = 11
CODE_CAP = 12
CODE_SETTLEMENT = 13
CODE_FUNDING = 14  # Money came into a reserve or contribution, or left it.
CODE_RESERVE_CAP = 15
CODE_LOSS = 16  # Borne for a participant that could not pay.
CODE_CHARGE = 17  # The scheme's charge by invoice.

# Node-owned accounts are no thing of a moment: their ids derive from a fixed parent, and so are the same for ever.
_CHART = 1 << 80


@cache
def position_account(node_id: str, currency: Currency) -> int:
    """The position of a participant's node."""
    return derive(_CHART, f"position/{node_id}/{currency.alpha}")


@cache
def caps_account(currency: Currency) -> int:
    """The contra account of all caps."""
    return derive(_CHART, f"caps/{currency.alpha}")


@cache
def income_account(currency: Currency) -> int:
    """The scheme's income."""
    return derive(_CHART, f"income/{currency.alpha}")


@cache
def reserve_account(node_id: str, currency: Currency) -> int:
    """The settlement account of a participant's node, or of the scheme itself."""
    return derive(_CHART, f"reserve/{node_id}/{currency.alpha}")


@cache
def reserve_caps_account(node_id: str, currency: Currency) -> int:
    """The contra account of the cap that a node's reserve stands behind."""
    return derive(_CHART, f"reserve-caps/{node_id}/{currency.alpha}")


@cache
def contribution_account(node_id: str, currency: Currency) -> int:
    """A node's contribution to the guarantee fund."""
    return derive(_CHART, f"contribution/{node_id}/{currency.alpha}")


@cache
def custody_account(currency: Currency) -> int:
    """The money behind all reserves and contributions."""
    return derive(_CHART, f"custody/{currency.alpha}")


def own_accounts(switch: str, currency: Currency) -> list[Account]:
    """The switch's own accounts in one currency."""
    return [
        Account(id=caps_account(currency), ledger=currency.ledger, code=CODE_CAPS),
        Account(id=income_account(currency), ledger=currency.ledger, code=CODE_INCOME),
        Account(id=custody_account(currency), ledger=currency.ledger, code=CODE_CUSTODY),
        _held(reserve_account(switch, currency), CODE_RESERVE, currency),
    ]


def accounts_of(node_id: str, currency: Currency) -> list[Account]:
    """A node's accounts as they are opened: with no cap and no reserve, it can pay nothing."""
    return [
        position(node_id, currency),
        _held(reserve_account(node_id, currency), CODE_RESERVE, currency),
        _held(contribution_account(node_id, currency), CODE_CONTRIBUTION, currency),
        Account(id=reserve_caps_account(node_id, currency), ledger=currency.ledger, code=CODE_RESERVE_CAPS),
    ]


def position(node_id: str, currency: Currency) -> Account:
    """A node's position account as it is opened."""
    return _held(position_account(node_id, currency), CODE_POSITION, currency)


def _held(account_id: int, code: int, currency: Currency) -> Account:
    """One that can't be overdrawn."""
    flags = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS.value
    return Account(id=account_id, ledger=currency.ledger, code=code, flags=flags)
