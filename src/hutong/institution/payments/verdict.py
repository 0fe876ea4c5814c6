"""What the ledger's answer to one of our chains means; and a decision on one that it holds."""

from collections.abc import Sequence
from functools import partial

from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.ids import PARTS_MAX
from hutong.ledger import recipes, sharing_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.recipes import Leg
from hutong.ledger.transfer import TRANSFER_DONE, Transfer, TransferStatus

_CLOSED = frozenset(
    {
        TransferStatus.DEBIT_ACCOUNT_ALREADY_CLOSED,
        TransferStatus.CREDIT_ACCOUNT_ALREADY_CLOSED,
        TransferStatus.DEBIT_ACCOUNT_NOT_FOUND,
        TransferStatus.CREDIT_ACCOUNT_NOT_FOUND,
    }
)
_DISCOUNTS = frozenset({Leg.PAYER_DISCOUNT, Leg.PAYEE_DISCOUNT})


def refused(
    transfers: Sequence[Transfer],
    statuses: Sequence[TransferStatus],
    short: PaymentReason,
    discount_short: PaymentReason = PaymentReason.DISCOUNT_GONE,
) -> PaymentReason | None:
    """
    Why the ledger refused a chain; None if it took it. `short` is said when the principal isn't covered,
    `discount_short` when a discount isn't.

    A chain taken before answers `exists` first: that is a yes.
    """
    if statuses[0] in TRANSFER_DONE:
        return None
    for transfer, status in zip(transfers, statuses, strict=True):
        match status:
            case TransferStatus.LINKED_EVENT_FAILED:
                continue  # It was innocent: another link of the chain says why.
            case TransferStatus.EXCEEDS_CREDITS:
                return discount_short if transfer.id % PARTS_MAX in _DISCOUNTS else short
            case TransferStatus.ID_ALREADY_FAILED:
                return PaymentReason.REFUSED_EARLIER
            case _ if status in _CLOSED:
                return PaymentReason.ACCOUNT_REFUSED
            case _:
                raise AssertionError(status)  # We built the transfer: any other no is our bug.
    raise AssertionError(statuses)


def post(ledger: LedgerEngine, holds: Sequence[Transfer]) -> None:
    """The decision was yes: what is held moves. Once, however often it is said."""
    already = TransferStatus.PENDING_TRANSFER_ALREADY_POSTED
    ledger.create_transfers(recipes.post(holds), partial(_resolved, already=already))


def void(ledger: LedgerEngine, holds: Sequence[Transfer], *behind: Transfer) -> None:
    """The decision was no: what is held is free, and goes on by what is `behind` it. Once, however often it is said."""
    already = TransferStatus.PENDING_TRANSFER_ALREADY_VOIDED
    voids = recipes.void(holds)
    ledger.create_transfers(
        sharing_recipes.chained([*voids, *behind]) if behind else voids, partial(_resolved, already=already)
    )


def _resolved(statuses: Sequence[TransferStatus], already: TransferStatus) -> None:
    """Make sure that a post or void went as decided. It can't be refused: nobody else resolves our holds."""
    assert statuses[0] in TRANSFER_DONE or statuses[0] is already, statuses
