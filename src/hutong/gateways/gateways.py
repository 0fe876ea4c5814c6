"""All gateways of one institution, wired."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from litestar import Router
from litestar.types import ControllerRouterHandler

from hutong.gateways.account_api import AccountEdge, account_routes
from hutong.gateways.account_service import AccountService
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.agreements.api import agreements_api
from hutong.gateways.agreements.crossing_service import CrossingService
from hutong.gateways.agreements.page import SigningPage, Wallets
from hutong.gateways.alipay.errors import SUB_CODES
from hutong.gateways.alipay.gateway import AlipayGateway
from hutong.gateways.alipay.refusals import REFUSALS
from hutong.gateways.cash_campaigns.cash_service import CashService
from hutong.gateways.complaints.api import complaint_watch_routes
from hutong.gateways.complaints.complaint_service import ComplaintsService
from hutong.gateways.consents import Consents
from hutong.gateways.notification_api import notification_routes
from hutong.gateways.notification_desk import NotificationDesk
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.notification_worker import NotificationWorker
from hutong.gateways.order import Dialect
from hutong.gateways.order_service import OrderService
from hutong.gateways.parking.api import parking_api
from hutong.gateways.parking.page import ParkingPage
from hutong.gateways.parking.parking_service import ParkingService
from hutong.gateways.payer import PayerIds
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.preauth.api import preauth_api
from hutong.gateways.preauth.page import HoldingPage
from hutong.gateways.preauth.preauth_service import PreauthService
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.sandbox.api import fault_routes
from hutong.gateways.sandbox.faults import FaultService
from hutong.gateways.services.service_order_service import ServiceOrderService
from hutong.gateways.sharing import Sharing
from hutong.gateways.signers import Signers
from hutong.gateways.till_coupons.till_coupons import TillCoupons
from hutong.gateways.transfers.api import transfer_routes
from hutong.gateways.transfers.receipt_service import ReceiptService
from hutong.gateways.turned_away import Away, turned_away
from hutong.gateways.vouchers.vouchers import Vouchers
from hutong.gateways.wechat.v2.dialect import V2Dialect
from hutong.gateways.wechat.v2.errors import Code as V2Code
from hutong.gateways.wechat.v2.postman import V2Postman
from hutong.gateways.wechat.v2.products import v2_dialect
from hutong.gateways.wechat.v3 import papay
from hutong.gateways.wechat.v3.envelope import Envelope
from hutong.gateways.wechat.v3.errors import Code as V3Code
from hutong.gateways.wechat.v3.postman import V3Postman
from hutong.gateways.wechat.v3.products import v3_dialect
from hutong.gateways.wire import Door, Route, WireAnswer, WireRequest
from hutong.institution.node import InstitutionNode
from hutong.kernel.clock import Clock
from hutong.marketing.marketing import Marketing
from hutong.operators.guard import Guard
from hutong.runtime.outbound import Poster


class Gateways:
    """
    Built upon an institution and its marketing; `start` behind the latter's and before the institution starts, so that it
    hears of everything.
    """

    def __init__(
        self,
        institution: InstitutionNode,
        marketing: Marketing,
        *,
        name: str,
        payer_key: bytes,
        sandbox: bool = False,
        wall: Clock | None = None,
    ) -> None:
        node = institution.node
        self.institution = institution
        self.wallets: Wallets = lambda _code: ()  # Of the network, where it is known which there are.
        # What is signed says when: by the clock of whoever reads it, which a sandbox leaves behind when it puts its own forward.
        self.wall = wall or node.clock
        self.platform = PlatformService(node, institution.sealing, institution.pool, name)
        self.accounts = AccountService(node, institution.merchants, institution.sealing, self.platform)
        self.accounts.private_urls = institution.webhooks_private
        self.account_edge = AccountEdge(node.journal, self.accounts, self.platform, institution.merchants)
        self.notifications = NotificationService(node)
        self.orders = OrderService(institution, self.accounts, self.notifications, PayerIds(payer_key))
        self.refunds = GatewayRefundService(institution, self.orders, self.notifications)
        self.sharing = Sharing(institution, self.accounts, self.orders, self.refunds, self.notifications)
        self.agreements = AgreementService(institution, self.accounts, self.orders, self.notifications)
        self.crossing = CrossingService(institution, self.agreements)
        self.services = ServiceOrderService(node, self.accounts, self.agreements, self.orders, self.notifications)
        self.parking = ParkingService(
            institution, self.accounts, self.agreements, self.orders, self.notifications, parking_name(name)
        )
        self.complaints = ComplaintsService(institution, self.accounts, self.orders, self.notifications)
        self._build_upon(marketing)
        self.preauths = PreauthService(institution, self.accounts, self.orders, self.notifications)
        self.consents = Consents(node.clock, self.agreements, self.crossing, self.preauths, institution.holds.holds)
        self.signers = Signers()
        self.v3 = v3 = self._v3(name)
        self.alipay = AlipayGateway(
            institution,
            self.accounts,
            self.platform,
            self.orders,
            self.refunds,
            self.notifications,
            self.sharing,
            self.agreements,
            self.preauths,
            self.parking,
            self.vouchers,
            self.cash,
            self.complaints,
            self.signers,
            self.wall,
        )
        self.v2 = v2 = self._v2(sandbox=sandbox)
        self._hire_postmen()
        self.routes: list[Route] = [
            self.alipay.route,
            v3.route,
            v2.route,
            self.complaints.links.route,
            *self._pages(name),
        ]
        self.faults = self._faults() if sandbox else None
        self._listen(institution)

    def _build_upon(self, marketing: Marketing) -> None:
        """What merchants give people."""
        institution = self.institution
        self.vouchers = Vouchers(institution, marketing, self.accounts, self.orders, self.notifications)
        self.till_coupons = TillCoupons(
            institution, marketing, self.accounts, self.orders, self.refunds, self.notifications
        )
        self.cash = CashService(institution, marketing)

    def _v3(self, name: str) -> Envelope:
        return v3_dialect(
            self.institution,
            self.accounts,
            self.platform,
            self.orders,
            self.refunds,
            self.sharing,
            self.agreements,
            self.services,
            self.parking,
            self.vouchers,
            self.complaints,
            self.till_coupons,
            ReceiptService(self.institution, self.sharing.batches, name),
            self.signers,
            self.wall,
        )

    def _v2(self, *, sandbox: bool) -> V2Dialect:
        return v2_dialect(
            self.institution.node,
            self.accounts,
            self.orders,
            self.refunds,
            self.sharing,
            self.agreements,
            self.vouchers,
            self.institution.people,
            sandbox=sandbox,
            private_urls=self.institution.webhooks_private,
        )

    def _listen(self, institution: InstitutionNode) -> None:
        """Hear of every request and refund that came through here."""
        self.orders.wall = self.wall
        institution.held_of = self.preauths.held_of
        institution.requests.gateway = self.orders
        institution.payments.refunds.gateway = self.refunds

    def _pages(self, name: str) -> list[Route]:
        """What is shown to whoever has a link."""
        node = self.institution.node
        ways_back = {Dialect.ALIPAY.value: self.alipay.deducting.way_back, Dialect.WECHATPAY_V3.value: papay.way_back}
        return [
            HoldingPage(node, self.preauths, self.institution.plates.site, name).route,
            SigningPage(node, self.agreements, ways_back, self._wallets_on).route,
            ParkingPage(self.parking, parking_name(name)).route,
        ]

    def _wallets_on(self, code: str) -> Sequence[tuple[str, str]]:
        """The network's wallets are told of behind the building of this."""
        return self.wallets(code)

    def _hire_postmen(self) -> None:
        """WeChat Pay's two; Alipay's comes with its gateway."""
        randomness = self.institution.node.randomness
        self.notifications.postmen[Dialect.WECHATPAY_V3] = V3Postman(
            self.accounts,
            self.platform,
            self.orders,
            self.refunds,
            self.sharing,
            self.agreements,
            self.services,
            self.parking,
            self.vouchers,
            self.complaints,
            self.till_coupons,
            randomness,
        )
        self.notifications.postmen[Dialect.WECHATPAY_V2] = V2Postman(
            self.accounts, self.orders, self.refunds, self.agreements, self.sharing, randomness
        )

    def _faults(self) -> FaultService:
        """Where things go wrong on purpose."""
        faults = FaultService(
            {code.name for code in V3Code}
            | {code.name for code in V2Code}
            | SUB_CODES.keys()
            | {sub_code for sub_code, _ in REFUSALS.values()}
        )
        self.sharing.transfers.daily_max = faults.transfer_daily_max
        self.v3.around = self.v2.around = self.alipay.service.around = faults.around
        self.orders.looked = faults.looked
        return faults

    async def start(self) -> None:
        """Load what it knows."""
        await self.platform.start()
        await self.orders.start()
        await self.refunds.start()
        await self.notifications.start()
        await self.sharing.start()
        await self.agreements.start()
        await self.services.start()
        await self.parking.start()
        await self.vouchers.start()
        await self.cash.start()
        await self.complaints.start()
        await self.till_coupons.start()
        await self.preauths.start()

    def people_api(self) -> list[ControllerRouterHandler]:
        """What people do with what gateways ask of them."""
        institution = self.institution
        node, people = institution.node, institution.people
        return [
            *agreements_api(node, people, self.agreements, self.crossing),
            parking_api(node, people, self.agreements, self.parking),
            preauth_api(node, people, self.preauths),
            transfer_routes(node, people, institution.merchants, self.sharing.transfers),
        ]

    def begin(self, stack: AsyncExitStack, poster: Poster) -> NotificationWorker:
        """Tell merchants what they are to be told, until `stack` closes."""
        worker = NotificationWorker(
            self.institution.node,
            self.notifications,
            poster,
            letters_kept=self.faults is not None,
            tampering=self.faults,
            wall=self.wall,
        )
        stack.callback(self.signers.close)
        telling = asyncio.create_task(worker.run())
        stack.push_async_callback(_cancelled, telling)
        return worker

    def desk(self, worker: NotificationWorker) -> NotificationDesk:
        """Where people look at what was told."""
        node = self.institution.node
        return NotificationDesk(node, self.accounts, self.notifications, self.orders, self.refunds, worker)

    def routes_beside(self, desk: NotificationDesk, operator_only: Guard) -> list[Router]:
        """What the node's own API has of it: accounts, and what was told; where things may go wrong on purpose, that too."""
        node, merchants = self.institution.node, self.institution.merchants
        routes = account_routes(node, self.account_edge, operator_only)
        routes.append(complaint_watch_routes(node, merchants, self.complaints))
        routes += notification_routes(node, desk, merchants, operator_only)
        if self.faults is not None:
            routes += fault_routes(node, desk, self.faults, merchants, operator_only)
        return routes

    def door(self, app: Any) -> Door:
        """What stands in front of the node's own application."""

        def words(request: WireRequest, why: Away) -> WireAnswer | None:
            return turned_away(request, why, is_v2=self.v2.route(request) is not None)

        return Door(self.routes, app, partial(words, why=Away.TOO_OFTEN), partial(words, why=Away.STARTING))


def parking_name(name: str) -> str:
    """Who people agree with for a plate, at the institution of this name."""
    return f"{name} 停车 Parking"


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
