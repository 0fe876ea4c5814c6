"""What both vendors' protocols do with a merchant's money beyond taking and refunding it, wired."""

from hutong.gateways.account_service import AccountService
from hutong.gateways.balance_service import BalanceService
from hutong.gateways.bills.bill_service import GatewayBillService
from hutong.gateways.combined.combined_service import CombinedService
from hutong.gateways.combined.part_refund_service import PartRefundService
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order_service import OrderService
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.splits.hold_service import HoldService
from hutong.gateways.splits.receiver_service import ReceiverService
from hutong.gateways.splits.return_service import ReturnService
from hutong.gateways.splits.split_news import SplitNews
from hutong.gateways.splits.split_service import SplitService
from hutong.gateways.transfers.batch_service import BatchService
from hutong.gateways.transfers.transfer_service import TransferService
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.holding import AllHoldings


class Sharing:
    """Capabilities without a protocol: a dialect names things, finds who is meant, and asks these."""

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        orders: OrderService,
        refunds: GatewayRefundService,
        notifications: NotificationService,
    ) -> None:
        node, ledger, currency = institution.node, institution.ledger, institution.chart.currency
        self.holds = HoldService(node, ledger, currency)
        self.receivers = ReceiverService(node, institution.people, institution.merchants)
        self.splits = SplitService(node, ledger, currency, self.holds, self.receivers, institution.notices)
        self.split_news = SplitNews(node, notifications)
        self.splits.on_shared = self.split_news.shared
        self.split_returns = ReturnService(node, ledger, currency, self.splits)
        self.balances = BalanceService(node, ledger, currency, self.holds)
        self.transfers = TransferService(
            node,
            ledger,
            currency,
            institution.policies,
            institution.people,
            institution.merchants,
            institution.notices,
            notifications,
        )
        self.batches = BatchService(node, self.transfers, notifications)
        self.combined = CombinedService(node, ledger, currency, orders, institution.merchants, self.holds)
        self.part_refunds = PartRefundService(
            node,
            ledger,
            currency,
            accounts,
            orders,
            self.combined,
            self.holds,
            refunds,
            institution.payments.refunds,
        )
        self.bills = GatewayBillService(
            institution, accounts, orders, refunds, self.splits, self.combined, self.part_refunds
        )
        orders.on_paid += [self.holds.paid, self.combined.paid]
        orders.on_look_up.append(self.combined.look_up)
        institution.payments.refunds.holdings = AllHoldings(self.part_refunds, self.holds)
        institution.on_tick += [self.splits.tick, self.transfers.tick, self.batches.tick, self.combined.tick]

    async def start(self) -> None:
        """Before the institution starts: load what they know, and take up what a crash left half done."""
        parts = (
            self.holds,
            self.splits,
            self.split_returns,
            self.transfers,
            self.batches,
            self.combined,
            self.part_refunds,
        )
        await self.split_news.start()
        for part in parts:
            await part.start()
        for part in parts:  # In this order: each goes on upon what those before it have mended.
            await part.resume()
