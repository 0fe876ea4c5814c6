"""
Every movement between a merchant and those whom it gives a part of what it took: see `recipes`, whose rules hold here too.

What is frozen is in an account of its own for each order, which can't be overdrawn: no order's receivers get another's money,
and all of an order's parts together never more than was frozen.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from hutong.ledger.transfer import Transfer, TransferFlag

_LINKED = int(TransferFlag.LINKED)
_PENDING = int(TransferFlag.PENDING)


def freeze(
    transfer_id: int, order_id: int, *, merchant: int, frozen: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    An order that is to be split was paid, or a refund of it failed: this much of it is kept for its receivers.

    Moves:    merchant -> frozen, posted.
    Refuses:  EXCEEDS_CREDITS when the merchant's balance does not cover it any more.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, merchant, frozen, amount, ledger, code, 0, 0, order_id)


def unfreeze(
    transfer_id: int, order_id: int, *, merchant: int, frozen: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    So much of what was frozen is the merchant's own again: the rest that nobody gets, or what a refund needs.

    Moves:    frozen -> merchant, posted.
    Refuses:  EXCEEDS_CREDITS when less is frozen.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, frozen, merchant, amount, ledger, code, 0, 0, order_id)


def share_out(
    about: int, *, source: int, parts: Sequence[tuple[int, int, int]], ledger: int, code: int
) -> list[Transfer]:
    """
    Give parts of a payment to their receivers, all or none. A part is a transfer's id, an account and an amount.

    Moves:    source -> each receiver; posted.
    Refuses:  EXCEEDS_CREDITS when the source does not hold all of it.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    """
    return chained(
        [
            Transfer(transfer_id, source, account, amount, ledger, code, 0, 0, about)
            for transfer_id, account, amount in parts
        ]
    )


def chained(transfers: Sequence[Transfer]) -> list[Transfer]:
    """The same movements as one chain: all of them, or none."""
    return [replace(each, flags=each.flags | _LINKED) for each in transfers[:-1]] + [
        replace(each, flags=each.flags & ~_LINKED) for each in transfers[-1:]
    ]


def hand_on(*, source: int, parts: Sequence[tuple[int, int, int, int]], ledger: int, code: int) -> list[Transfer]:
    """
    A combined payment goes on to the merchants it was taken for, all parts or none. A part is a transfer's id, what it is
    about, an account and an amount.

    Moves:    who took the payment -> each merchant; posted.
    Refuses:  EXCEEDS_CREDITS when the taker's balance does not cover all of it any more.
    Repeats:  EXISTS on the first, LINKED_EVENT_FAILED on the others.
    """
    return chained(
        [
            Transfer(transfer_id, source, account, amount, ledger, code, 0, 0, about)
            for transfer_id, about, account, amount in parts
        ]
    )


def give_back(
    transfer_id: int, about: int, *, receiver: int, merchant: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    A receiver's part goes back, in whole or in part, to whoever split.

    Moves:    receiver -> merchant; posted.
    Refuses:  EXCEEDS_CREDITS when the receiver has spent it.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, receiver, merchant, amount, ledger, code, 0, 0, about)


def send(transfer_id: int, about: int, *, merchant: int, person: int, amount: int, ledger: int, code: int) -> Transfer:
    """
    A merchant sends money to a person.

    Moves:    merchant -> wallet; posted.
    Refuses:  EXCEEDS_CREDITS when the merchant's balance does not cover it.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, merchant, person, amount, ledger, code, 0, 0, about)


def subsidise(
    transfer_id: int, about: int, *, sponsor: int, merchant: int, amount: int, ledger: int, code: int
) -> Transfer:
    """
    A merchant bears, for another that took a coupon, what that was worth; or gets it back, the other way round.

    Moves:    sponsor -> merchant; posted.
    Refuses:  EXCEEDS_CREDITS when the sponsor's balance does not cover it.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, sponsor, merchant, amount, ledger, code, 0, 0, about)


def offer(transfer_id: int, about: int, *, merchant: int, person: int, amount: int, ledger: int, code: int) -> Transfer:
    """
    The same, held until the person says whether to take it: see `recipes.post` and `recipes.void`.

    Moves:    merchant -> wallet; pending, for ever: only the answer, or the lapse of it, ends it.
    Refuses:  EXCEEDS_CREDITS when the merchant's balance does not cover it.
    Repeats:  EXISTS.
    """
    return Transfer(transfer_id, merchant, person, amount, ledger, code, _PENDING, 0, about)
