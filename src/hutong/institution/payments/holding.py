"""Who keeps a part of a merchant's payments apart: what is refunded comes from there first."""

from typing import Protocol

from hutong.institution.payments.payment import Outcome
from hutong.institution.payments.refund import Refund


class Holdings(Protocol):
    """Asked for every refund that a merchant makes, and for recalls, within the decisions that begin and end them."""

    def look_up(self, payment_id: int, refund_id: int) -> None:
        """Bring into memory what the others need. May raise `Cold`."""
        ...

    def release(self, refund: Refund) -> None:
        """Let the merchant's account have what the refund is about to take. Repeats: nothing changes."""
        ...

    def concluded(self, refund: Refund, outcome: Outcome) -> None:
        """What was let go for a refund that failed is to be kept apart again."""
        ...

    def set_aside(self, payment_id: int, merchant_id: int, id_: int, amount: int) -> None:
        """
        A payment is recalled: let the merchant's account have so much of what is kept apart of it, to be set aside there.

        `id_` is what it is for, in place of a refund's. Repeats: nothing changes.
        """
        ...


class NoHoldings:
    """Nothing is kept apart."""

    def look_up(self, payment_id: int, refund_id: int) -> None:
        pass

    def release(self, refund: Refund) -> None:
        pass

    def concluded(self, refund: Refund, outcome: Outcome) -> None:
        pass

    def set_aside(self, payment_id: int, merchant_id: int, id_: int, amount: int) -> None:
        pass


class AllHoldings:
    """Several that are asked one after the other."""

    def __init__(self, *all_: Holdings) -> None:
        self._all = all_

    def look_up(self, payment_id: int, refund_id: int) -> None:
        for each in self._all:
            each.look_up(payment_id, refund_id)

    def release(self, refund: Refund) -> None:
        for each in self._all:
            each.release(refund)

    def concluded(self, refund: Refund, outcome: Outcome) -> None:
        for each in self._all:
            each.concluded(refund, outcome)

    def set_aside(self, payment_id: int, merchant_id: int, id_: int, amount: int) -> None:
        for each in self._all:
            each.set_aside(payment_id, merchant_id, id_, amount)
