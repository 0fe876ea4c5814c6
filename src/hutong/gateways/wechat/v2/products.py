"""All of v2, wired: what the gateways' composition needs of it."""

from hutong.gateways.account_service import AccountService
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.order_service import OrderService
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.sharing import Sharing
from hutong.gateways.vouchers.vouchers import Vouchers
from hutong.gateways.wechat.v2 import tools
from hutong.gateways.wechat.v2.bills import Bills
from hutong.gateways.wechat.v2.catalogue import not_enabled
from hutong.gateways.wechat.v2.combined import Combined
from hutong.gateways.wechat.v2.coupons import Coupons
from hutong.gateways.wechat.v2.dialect import V2Dialect
from hutong.gateways.wechat.v2.endpoint import Endpoint
from hutong.gateways.wechat.v2.orders import Orders
from hutong.gateways.wechat.v2.papay import Papay
from hutong.gateways.wechat.v2.refunds import Refunds
from hutong.gateways.wechat.v2.splits import Splits
from hutong.gateways.wechat.v2.transfers import Transfers
from hutong.institution.people.service import PeopleService
from hutong.runtime.node import NodeRuntime


def v2_dialect(
    node: NodeRuntime,
    accounts: AccountService,
    orders: OrderService,
    refunds: GatewayRefundService,
    sharing: Sharing,
    agreements: AgreementService,
    vouchers: Vouchers,
    people: PeopleService,
    *,
    sandbox: bool,
    private_urls: bool,
) -> V2Dialect:
    """The dialect, with every endpoint that the vendor has. `private_urls`: whether news may go to private networks."""
    ordering = Orders(orders, refunds)
    built: tuple[Endpoint, ...] = (
        *ordering.endpoints(),
        *Bills(sharing.bills, node.clock).endpoints(),
        *Refunds(orders, refunds, sharing, node.journal).endpoints(),
        *Splits(accounts, orders, sharing, node.journal).endpoints(),
        *Papay(agreements, orders, ordering).endpoints(),
        *Transfers(sharing.transfers, orders.payers).endpoints(),
        *Coupons(vouchers, orders.payers, node.journal).endpoints(),
        *Combined(accounts, orders, sharing.combined, ordering, node.journal).endpoints(),
        *tools.endpoints(orders.payers, people, node.journal),
    )
    paths = {each.path for each in built}
    rest = tuple(each for each in not_enabled() if each.path not in paths)
    return V2Dialect(
        (*built, *rest), node.journal, accounts, node.randomness, sandbox=sandbox, private_urls=private_urls
    )
