"""WeChat Pay v3, wired: every endpoint that is built, behind one envelope."""

from hutong.gateways.account_service import AccountService
from hutong.gateways.order_service import OrderService
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.wechat.v3.certificates import Certificates
from hutong.gateways.wechat.v3.codepay import Codepay
from hutong.gateways.wechat.v3.endpoint import Endpoint
from hutong.gateways.wechat.v3.envelope import Envelope
from hutong.gateways.wechat.v3.orders import Orders
from hutong.gateways.wechat.v3.parties import Parties
from hutong.gateways.wechat.v3.refunds import Refunds
from hutong.gateways.wechat.v3.uploads import Uploads
from hutong.runtime.node import NodeRuntime


def v3_dialect(
    node: NodeRuntime,
    accounts: AccountService,
    platform: PlatformService,
    orders: OrderService,
    refunds: GatewayRefundService,
    *,
    private_urls: bool,
) -> Envelope:
    """The dialect. `private_urls`: whether notifications may go to private networks."""
    parties = Parties(node.journal, accounts)
    built: list[Endpoint] = [
        *Orders(node, parties, orders, private_urls=private_urls).endpoints(),
        *Codepay(parties, orders, refunds).endpoints(),
        *Refunds(node, parties, orders, refunds, private_urls=private_urls).endpoints(),
        *Certificates(platform, node.randomness).endpoints(),
        *Uploads().endpoints(),
    ]
    return Envelope(node, accounts, platform, built)
