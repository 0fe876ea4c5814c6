"""
Corrections as transfers: the part of the recipes that is about mistakes, and not about payments.

As in `recipes`: which accounts move and nothing else, the same each time it is built.
"""

from hutong.ledger.transfer import Transfer


def book_difference(
    transfer_id: int,
    about: int,
    *,
    clearing: int,
    suspense: int,
    clearing_debit: int,
    corrects: int,
    ledger: int,
    code: int,
) -> Transfer:
    """
    What reconciliation found missing is booked, and waits in suspense until it is known whose it is.

    `clearing_debit` is what clearing is to be debited with, negative to credit it; `corrects` the code of the movement
    that should have been there, and `about` its id.

    Moves:    suspense -> clearing, or the reverse; posted.
    Repeats:  EXISTS.
    """
    debit, credit = (clearing, suspense) if clearing_debit > 0 else (suspense, clearing)
    return Transfer(
        transfer_id, debit, credit, abs(clearing_debit), ledger, code, user_data_128=about, user_data_32=corrects
    )


def settle_difference(
    transfer_id: int, about: int, *, suspense: int, account: int, suspense_debit: int, ledger: int, code: int
) -> Transfer:
    """
    Take a booked difference out of suspense: `account` gets what suspense owed, or gives what it was owed.

    Moves:    suspense -> account where `suspense_debit` is positive, else the reverse; posted.
    Refuses:  EXCEEDS_CREDITS when the account is to give and its balance does not cover it.
    Repeats:  EXISTS.
    """
    debit, credit = (suspense, account) if suspense_debit > 0 else (account, suspense)
    return Transfer(transfer_id, debit, credit, abs(suspense_debit), ledger, code, user_data_128=about)
