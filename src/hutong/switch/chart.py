"""
The switch's chart of accounts.

A **position** account says how far a node may still go: the net debit cap was credited to it when it was granted, and
its debits must not exceed its credits, so no `if` guards the cap. What a node owes net is cap less balance.
"""

from functools import cache

from hutong.kernel.ids import derive
from hutong.kernel.money import Currency
from hutong.ledger.transfer import Account, AccountFlag

CODE_POSITION = 1
CODE_CAPS = 2  # Where granted caps come from: its debit balance is the sum of all caps.
CODE_INCOME = 3  # The scheme's: switch fees.

# Why money moved, in a transfer's `code`.
CODE_CLEARING = 10
CODE_RETURN = 11
CODE_CAP = 12

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


def own_accounts(currency: Currency) -> list[Account]:
    """The switch's own accounts in one currency."""
    return [
        Account(id=caps_account(currency), ledger=currency.ledger, code=CODE_CAPS),
        Account(id=income_account(currency), ledger=currency.ledger, code=CODE_INCOME),
    ]


def position(node_id: str, currency: Currency) -> Account:
    """A node's position account as it is opened: with no cap, it can pay nothing."""
    return Account(
        id=position_account(node_id, currency),
        ledger=currency.ledger,
        code=CODE_POSITION,
        flags=AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS.value,
    )
