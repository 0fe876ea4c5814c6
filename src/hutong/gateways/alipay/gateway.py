"""The Alipay gateway of one institution, wired."""

from hutong.gateways.account_service import AccountService
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.alipay import bills, cashier, catalogue, classic, consent, rest
from hutong.gateways.alipay.acquiring import Acquiring
from hutong.gateways.alipay.authorisations import Authorisations
from hutong.gateways.alipay.bills import Bills
from hutong.gateways.alipay.cashier import Cashier
from hutong.gateways.alipay.certificates import Certificates
from hutong.gateways.alipay.classic import ClassicDialect
from hutong.gateways.alipay.complaining import Complaining
from hutong.gateways.alipay.consent import Consent
from hutong.gateways.alipay.deducting import Deducting
from hutong.gateways.alipay.grant_service import GrantService
from hutong.gateways.alipay.holding import Holding
from hutong.gateways.alipay.identities import Identities
from hutong.gateways.alipay.order_news import OrderNews
from hutong.gateways.alipay.pages import always_a_page
from hutong.gateways.alipay.parking import Parking
from hutong.gateways.alipay.postman import AlipayPostman, Writer
from hutong.gateways.alipay.refunding import Refunding
from hutong.gateways.alipay.rest import RestDialect
from hutong.gateways.alipay.royalties import Royalties
from hutong.gateways.alipay.sending import Sending
from hutong.gateways.alipay.service import AlipayService
from hutong.gateways.alipay.vouchers import Vouchers
from hutong.gateways.complaints.complaint_service import ComplaintsService
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order import Dialect
from hutong.gateways.order_service import OrderService
from hutong.gateways.parking.parking_service import ParkingService
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.preauth.preauth_service import PreauthService
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.sharing import Sharing
from hutong.gateways.signers import Signers
from hutong.gateways.vouchers.vouchers import Vouchers as Capability
from hutong.gateways.wire import Dialect as Answering
from hutong.gateways.wire import WireRequest
from hutong.institution.node import InstitutionNode
from hutong.kernel.clock import Clock

# The other vendor has `/v3/`, too; what begins so is Alipay's.
_OURS = tuple(f"{rest.PREFIX}{group}/" for group in ("alipay", "ant", "zoloz", "zhima", "koubei", "mybank"))


class AlipayGateway:
    """Its endpoints are all that is built: `endpoints` is what coverage is told from."""

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        platform: PlatformService,
        orders: OrderService,
        refunds: GatewayRefundService,
        notifications: NotificationService,
        sharing: Sharing,
        agreements: AgreementService,
        preauths: PreauthService,
        parking: ParkingService,
        vouchers: Capability,
        complaints: ComplaintsService,
        signers: Signers,
        wall: Clock,
    ) -> None:
        node = institution.node
        identities = Identities(institution, accounts, orders.payers)
        self._cashier = Cashier(institution, platform, orders)
        royalties = Royalties(node, orders, sharing, identities)
        self._bills = Bills(institution, accounts, sharing.bills)
        grants = GrantService(node)
        self._consent = Consent(institution, accounts, grants)
        sending = Sending(node, sharing.transfers, sharing.balances, identities)
        holding = Holding(institution, accounts, preauths, identities, orders.payers)
        self.deducting = deducting = Deducting(node, platform, agreements, identities, orders.payers)
        complaining = Complaining(accounts, complaints)
        products = (
            sending,
            deducting,
            holding,
            Authorisations(institution, accounts, grants, orders.payers, identities),
            self._bills,
            royalties,
            Acquiring(institution, orders, refunds, identities, deducting, holding),
            Refunding(node, orders, refunds, identities, royalties),
            self._cashier,
            Certificates(platform),
            Parking(node, parking, identities),
            Vouchers(node, vouchers, identities, orders.payers),
            complaining,
        )
        self.endpoints = [endpoint for product in products for endpoint in product.endpoints()]
        self.service = AlipayService(
            institution, accounts, platform, notifications, grants, self.endpoints, signers, wall
        )
        pages = {each.method for each in self.endpoints if each.page}  # A browser comes by the classic dialect alone.
        known = catalogue.methods() | {each.method for each in self.endpoints}
        paths = {catalogue.rest_path(method): method for method in known - pages}
        self._classic = ClassicDialect(self.service, node.randomness)
        self._rest = RestDialect(self.service, paths, node.randomness, wall)
        news = OrderNews(orders, refunds, identities)
        writers: dict[str, Writer] = {
            News.PAID: news.paid,
            News.FAILED: news.paid,
            News.REFUND: news.refunded,
            News.TRANSFER: sending.ended,
            News.PREAUTH_HELD: holding.held,
            News.PREAUTH_LET_GO: holding.let_go,
            News.AGREEMENT_SIGNED: deducting.signed,
            News.AGREEMENT_ENDED: deducting.ended,
            News.COMPLAINT: complaining.changed,
        }
        notifications.postmen[Dialect.ALIPAY.value] = AlipayPostman(platform, writers)

    def route(self, request: WireRequest) -> Answering | None:
        """Whose request it is: by its path, and where the vendors share one, by how it is proven."""
        path = request.path
        if path == classic.PATH:
            return self._classic
        if path.startswith(rest.PREFIX):
            scheme = request.headers.get("authorization", "")
            if scheme.startswith(rest.SCHEME) or (path.startswith(_OURS) and not scheme.startswith("WECHATPAY2-")):
                return self._rest
        if path.startswith(cashier.PATH):
            return always_a_page(self._cashier)
        if path.startswith(bills.PATH):
            return always_a_page(self._bills)
        if path in consent.PATHS:
            return always_a_page(self._consent)
        return None
