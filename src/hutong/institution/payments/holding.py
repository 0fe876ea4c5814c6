"""Who keeps a part of a merchant's payments apart: what is refunded comes from there first."""

from typing import Protocol

from hutong.institution.payments.payment import Outcome
from hutong.institution.payments.refund import Refund


class Holdings(Protocol):
    """Asked for every refund that a merchant makes, within the decisions that begin and end it."""

    def look_up(self, payment_id: int, refund_id: int) -> None:
        """Bring into memory what the others need. May raise `Cold`."""
        ...

    def release(self, refund: Refund) -> None:
        """Let the merchant's account have what the refund is about to take. Repeats: nothing changes."""
        ...

    def concluded(self, refund: Refund, outcome: Outcome) -> None:
        """What was let go for a refund that failed is to be kept apart again."""
        ...


class NoHoldings:
    """Nothing is kept apart."""

    def look_up(self, payment_id: int, refund_id: int) -> None:
        pass

    def release(self, refund: Refund) -> None:
        pass

    def concluded(self, refund: Refund, outcome: Outcome) -> None:
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
