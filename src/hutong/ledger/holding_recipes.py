"""
Every movement of what a person lets a merchant hold: see `recipes`, whose rules hold here too.

Each authorisation has an account of its own, which can't be overdrawn: what is taken under it is never another's, nor more.
"""

from hutong.ledger.transfer import Transfer


def hold_back(
    transfer_id: int, preauth_id: int, *, wallet: int, held: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    A person lets a merchant hold so much; or, in one chain with the end of a payment that was to take it, so much is held again.

    Moves:    wallet -> held, posted.
    Refuses:  EXCEEDS_CREDITS when the balance does not cover it.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, wallet, held, amount, ledger, code, 0, 0, preauth_id)


def let_go(
    transfer_id: int, preauth_id: int, *, held: int, wallet: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    So much is the person's own again; or, in one chain with the payment that takes it, the merchant's.

    Moves:    held -> wallet, posted.
    Refuses:  EXCEEDS_CREDITS when less is held.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, held, wallet, amount, ledger, code, 0, 0, preauth_id)
