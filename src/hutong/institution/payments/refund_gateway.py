"""Who else keeps something of a refund: the gateway it came through."""

from typing import Protocol

from hutong.institution.payments.payment import Outcome
from hutong.institution.payments.refund import Refund


class RefundGateway(Protocol):
    """Hears of its refunds within the decisions that conclude them."""

    def look_up(self, refund: Refund) -> None:
        """Bring into memory what `concluded` needs. May raise `Cold`."""
        ...

    def begun(self, refund: Refund, /) -> None:
        """The refund was written down, and no money has moved yet."""
        ...

    def concluded(self, refund: Refund, outcome: Outcome, /) -> None:
        """The refund was completed, or rejected."""
        ...


class NoRefundGateway:
    """Where there is none, no refund names one."""

    def look_up(self, refund: Refund) -> None:
        raise AssertionError(refund.door)

    def begun(self, refund: Refund) -> None:
        raise AssertionError(refund.door)

    def concluded(self, refund: Refund, outcome: Outcome) -> None:
        raise AssertionError(refund.door, outcome)
