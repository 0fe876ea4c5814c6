"""What both vendors' protocols do with a merchant's money beyond taking and refunding it, wired."""

from hutong.gateways.order_service import OrderService
from hutong.gateways.splits.hold_service import HoldService
from hutong.gateways.splits.receiver_service import ReceiverService
from hutong.gateways.splits.return_service import ReturnService
from hutong.gateways.splits.split_service import SplitService
from hutong.institution.node import InstitutionNode


class Sharing:
    """Capabilities without a protocol: a dialect names things, finds who is meant, and asks these."""

    def __init__(self, institution: InstitutionNode, orders: OrderService) -> None:
        node, ledger, currency = institution.node, institution.ledger, institution.chart.currency
        self.holds = HoldService(node, ledger, currency)
        self.receivers = ReceiverService(node, institution.people, institution.merchants)
        self.splits = SplitService(node, ledger, currency, self.holds, self.receivers, institution.notices)
        self.split_returns = ReturnService(node, ledger, currency, self.splits)
        orders.on_paid.append(self.holds.paid)
        institution.payments.refunds.holdings = self.holds
        institution.on_tick.append(self.splits.tick)

    async def start(self) -> None:
        """Before the institution starts: load what they know, and take up what a crash left half done."""
        parts = (self.holds, self.splits, self.split_returns)
        for part in parts:
            await part.start()
        for part in parts:  # In this order: a split moves what was frozen.
            await part.resume()
