"""WeChat Pay v3, wired: every endpoint that is built, behind one envelope."""

from hutong.gateways.account_service import AccountService
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.complaints.complaint_service import ComplaintsService
from hutong.gateways.order_service import OrderService
from hutong.gateways.parking.parking_service import ParkingService
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.services.service_order_service import ServiceOrderService
from hutong.gateways.sharing import Sharing
from hutong.gateways.signers import Signers
from hutong.gateways.till_coupons.till_coupons import TillCoupons
from hutong.gateways.transfers.receipt_service import ReceiptService
from hutong.gateways.vouchers.vouchers import Vouchers
from hutong.gateways.wechat.v3.balances import Balances
from hutong.gateways.wechat.v3.bills import Bills
from hutong.gateways.wechat.v3.busifavor import Busifavor
from hutong.gateways.wechat.v3.busifavor_subsidy import BusifavorSubsidies
from hutong.gateways.wechat.v3.busifavor_view import BusifavorView
from hutong.gateways.wechat.v3.certificates import Certificates
from hutong.gateways.wechat.v3.codepay import Codepay
from hutong.gateways.wechat.v3.combine import Combine
from hutong.gateways.wechat.v3.complaints import Complaints
from hutong.gateways.wechat.v3.endpoint import Endpoint
from hutong.gateways.wechat.v3.envelope import Envelope
from hutong.gateways.wechat.v3.favor import Favor
from hutong.gateways.wechat.v3.favor_flow import FavorFlow
from hutong.gateways.wechat.v3.favor_view import FavorView
from hutong.gateways.wechat.v3.older_complaints import OlderComplaints
from hutong.gateways.wechat.v3.orders import Orders
from hutong.gateways.wechat.v3.papay import Papay
from hutong.gateways.wechat.v3.parking import Parking
from hutong.gateways.wechat.v3.parties import Parties
from hutong.gateways.wechat.v3.payscore import Payscore
from hutong.gateways.wechat.v3.permissions import Permissions
from hutong.gateways.wechat.v3.profit_sharing import ProfitSharing
from hutong.gateways.wechat.v3.receipts import Receipts
from hutong.gateways.wechat.v3.refunds import Refunds
from hutong.gateways.wechat.v3.sensitive import Sensitive
from hutong.gateways.wechat.v3.transfers import Transfers
from hutong.gateways.wechat.v3.uploads import Uploads
from hutong.institution.node import InstitutionNode
from hutong.kernel.clock import Clock


def v3_dialect(
    institution: InstitutionNode,
    accounts: AccountService,
    platform: PlatformService,
    orders: OrderService,
    refunds: GatewayRefundService,
    sharing: Sharing,
    agreements: AgreementService,
    services: ServiceOrderService,
    parking: ParkingService,
    vouchers: Vouchers,
    complaints: ComplaintsService,
    till_coupons: TillCoupons,
    receipts: ReceiptService,
    signers: Signers,
    wall: Clock,
) -> Envelope:
    """The dialect."""
    node, private_urls = institution.node, institution.webhooks_private
    parties, sensitive = Parties(node.journal, accounts), Sensitive(platform)
    stocks, held = vouchers.stocks, vouchers.held
    view, own_view = FavorView(accounts, vouchers), BusifavorView(accounts, orders.payers, till_coupons)
    bills = Bills(node, parties, accounts, sharing.bills, institution.sealing)
    permissions = Permissions(agreements, orders.payers, private_urls=private_urls)
    built: list[Endpoint] = [
        *Orders(node, parties, orders, private_urls=private_urls).endpoints(),
        *Codepay(parties, orders, refunds).endpoints(),
        *Refunds(node, parties, orders, refunds, sharing, private_urls=private_urls).endpoints(),
        *Certificates(platform, node.randomness).endpoints(),
        *Uploads(complaints).endpoints(),
        *ProfitSharing(node.journal, parties, accounts, orders, sharing, sensitive).endpoints(),
        *bills.endpoints(),
        *Receipts(sharing, receipts, bills).endpoints(),
        *Balances(node, parties, sharing.balances).endpoints(),
        *Combine(node, parties, orders, sharing.combined, private_urls=private_urls).endpoints(),
        *Transfers(sharing, orders.payers, sensitive, private_urls=private_urls).endpoints(),
        *Papay(agreements, parties, orders.payers, private_urls=private_urls).endpoints(),
        *permissions.endpoints(),
        *Payscore(services, agreements, permissions, orders.payers, private_urls=private_urls).endpoints(),
        *Parking(parties, parking, orders, private_urls=private_urls).endpoints(),
        *Favor(
            node.journal, node.clock, parties, orders.payers, stocks, held, view, private_urls=private_urls
        ).endpoints(),
        *FavorFlow(institution, vouchers).endpoints(),
        *Complaints(parties, complaints, orders.payers).endpoints(),
        *OlderComplaints(parties, complaints).endpoints(),
        *Busifavor(
            node.journal, node.clock, parties, orders.payers, till_coupons, own_view, private_urls=private_urls
        ).endpoints(),
        *BusifavorSubsidies(node.journal, parties, accounts, till_coupons, own_view).endpoints(),
    ]
    return Envelope(node, accounts, platform, built, signers, wall)
