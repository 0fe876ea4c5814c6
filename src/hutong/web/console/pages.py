"""All pages of the console, each for the roles it is for."""

from litestar.types import ControllerRouterHandler

from hutong.institution.bills.service import BillService
from hutong.institution.merchants.staff_key import Right
from hutong.institution.node import InstitutionNode
from hutong.marketing.marketing import Marketing
from hutong.runtime.pool import WorkerPool
from hutong.web.console.bills import bill_pages
from hutong.web.console.callbacks import Callbacks, callback_pages
from hutong.web.console.campaigns import campaign_live, campaign_pages
from hutong.web.console.complaints import complaint_pages
from hutong.web.console.gateways import GatewayAccounts, gateway_pages
from hutong.web.console.keys import key_pages
from hutong.web.console.overview import overview_pages
from hutong.web.console.payments import payment_pages
from hutong.web.console.place import BOOKS, OWNER, Console
from hutong.web.console.plates import plate_changes, plate_pages
from hutong.web.console.settlement import settlement_pages
from hutong.web.console.shops import shop_changes, shop_pages
from hutong.web.console.staff import staff_console_pages
from hutong.web.console.webhooks import webhook_pages
from hutong.web.console.withdrawal import withdrawal_pages
from hutong.web.page import Pages


def console_pages(
    institution: InstitutionNode,
    pages: Pages,
    bills: BillService,
    pool: WorkerPool,
    gateways: GatewayAccounts,
    callbacks: Callbacks | None = None,
    marketing: Marketing | None = None,
) -> list[ControllerRouterHandler]:
    """`/console...`."""
    console = Console(institution, pages, bills, pool, callbacks is not None, marketing is not None)
    # What only an owner may do of these the services refuse to others; the list and the form share an address.
    for_all = (
        overview_pages,
        payment_pages,
        complaint_pages,
        bill_pages,
        shop_pages,
        shop_changes,
        plate_pages,
        plate_changes,
    )
    for_owners = (withdrawal_pages, staff_console_pages, key_pages, webhook_pages)
    owners = [*(handler for of in for_owners for handler in of(console)), *gateway_pages(console, gateways)]
    if callbacks is not None:
        owners += callback_pages(console, callbacks)
    watched: list[ControllerRouterHandler] = []
    if marketing is not None:
        owners += campaign_pages(console, marketing)
        watched = campaign_live(console, marketing)
    return [
        console.router([handler for of in for_all for handler in of(console)]),
        console.router(settlement_pages(console), BOOKS, Right.BOOKS),
        console.router(owners, OWNER, Right.MANAGE),
        console.router(watched, OWNER, Right.MANAGE, is_act=False),
    ]
