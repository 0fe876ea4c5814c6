"""The movements of settlement, as transfers: reserves, obligations, losses. `recipes` says how recipes are made."""

from collections.abc import Sequence

import msgspec

from hutong.ledger.recipes import _LINKED, Leg, _chain
from hutong.ledger.transfer import Transfer


def fund(
    base_id: int, *, custody: int, account: int, caps: int, position: int, amount: int, cap: int, ledger: int, code: int
) -> list[Transfer]:
    """
    At the switch: money came into a participant's reserve or contribution, and stands behind so much more cap.

    Moves:    custody -> account; reserve caps -> position.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    """
    legs = [(Leg.PRINCIPAL, custody, account, amount), (Leg.CAP, caps, position, cap)]
    return _chain(base_id, base_id, legs, ledger, code, 0)


def defund(
    base_id: int, *, custody: int, account: int, caps: int, position: int, amount: int, cap: int, ledger: int, code: int
) -> list[Transfer]:
    """
    At the switch: the mirror of `fund`.

    Refuses:  EXCEEDS_CREDITS on the first, when the account does not have it; on the second, when the position
              uses the cap that would go.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    """
    legs = [(Leg.PRINCIPAL, account, custody, amount), (Leg.CAP, position, caps, cap)]
    return _chain(base_id, base_id, legs, ledger, code, 0)


def settle_debit(
    base_id: int, window_id: int, *, reserve: int, position: int, caps: int, amount: int, ledger: int, code: int
) -> list[Transfer]:
    """
    At the switch: a participant pays what it owes net for a window; what it may still pay stays as it was.

    Moves:    reserve -> position; position -> reserve caps.
    Refuses:  EXCEEDS_CREDITS, when the reserve does not cover it.
    Spec:     docs/settlement.md.
    """
    legs = [(Leg.PRINCIPAL, reserve, position, amount), (Leg.CAP, position, caps, amount)]
    return _chain(base_id, window_id, legs, ledger, code, 0)


def settle_credit(
    base_id: int, window_id: int, *, reserve: int, position: int, caps: int, amount: int, ledger: int, code: int
) -> list[Transfer]:
    """
    At the switch: a participant gets what it is owed net for a window, even if it has paid with it already.

    Moves:    reserve caps -> position; position -> reserve.
    Spec:     docs/settlement.md.
    """
    legs = [(Leg.CAP, caps, position, amount), (Leg.PRINCIPAL, position, reserve, amount)]
    return _chain(base_id, window_id, legs, ledger, code, 0)


def bear_loss(
    base_id: int, window_id: int, *, bearer: int, caps: int, defaulter: int, amount: int, ledger: int, code: int
) -> list[Transfer]:
    """
    At the switch: a participant forgoes part of what it is owed, for one that can't pay.

    Moves:    reserve caps -> bearer's position; that -> defaulter's position.
    Spec:     docs/settlement.md, "When a participant can't pay".
    """
    legs = [(Leg.CAP, caps, bearer, amount), (Leg.PRINCIPAL, bearer, defaulter, amount)]
    return _chain(base_id, window_id, legs, ledger, code, 0)


def move(base_id: int, about: int, *, debit: int, credit: int, amount: int, ledger: int, code: int) -> list[Transfer]:
    """One posted transfer between two of a node's own accounts, as a chain of its own."""
    return _chain(base_id, about, [(Leg.PRINCIPAL, debit, credit, amount)], ledger, code, 0)


def linked(chains: Sequence[Sequence[Transfer]]) -> list[Transfer]:
    """Several chains as one: all of it happens, or nothing."""
    transfers = [transfer for chain in chains for transfer in chain]
    return [
        transfer if transfer is transfers[-1] else msgspec.structs.replace(transfer, flags=transfer.flags | _LINKED)
        for transfer in transfers
    ]


def mirror_settlement(
    base_id: int,
    statement_id: int,
    *,
    settlement: int,
    clearing: int,
    losses: int,
    owed: int,
    received: int,
    paid: int,
    loss: int,
    missing: int,
    ledger: int,
    code: int,
) -> list[Transfer]:
    """
    At an institution: a window was settled at the switch, and the clearing account holds nothing of it any more.

    Moves:    clearing -> settlement account, what we paid, or settlement account -> clearing, what we received (an asset
              grows by its debits); losses -> clearing, what we bore for another; clearing -> owed, what others bore for us.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    """
    assert not (received and paid)
    principal = (clearing, settlement, paid) if paid else (settlement, clearing, received)
    legs = [(Leg.PRINCIPAL, *principal), (Leg.LOSS, losses, clearing, loss), (Leg.MISSING, clearing, owed, missing)]
    return _chain(base_id, statement_id, legs, ledger, code, 0)


def mirror_funding(
    base_id: int, *, settlement: int, own_funds: int, amount: int, is_top_up: bool, ledger: int, code: int
) -> list[Transfer]:
    """
    At an institution: we paid money of our own into the settlement account, or took it back.

    Moves:    settlement account -> own funds; or the reverse.
    Repeats:  EXISTS.
    """
    debit, credit = (settlement, own_funds) if is_top_up else (own_funds, settlement)
    return move(base_id, base_id, debit=debit, credit=credit, amount=amount, ledger=ledger, code=code)


def mirror_charge(
    base_id: int, *, settlement: int, expense: int, amount: int, ledger: int, code: int
) -> list[Transfer]:
    """
    At an institution: the scheme took its charge from the settlement account.

    Moves:    expense -> settlement account.
    Repeats:  EXISTS.
    """
    return move(base_id, base_id, debit=expense, credit=settlement, amount=amount, ledger=ledger, code=code)
