"""One institution as one node: its services, wired, what it does with messages, and its timer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher

from hutong.institution import chart
from hutong.institution.chart import Chart
from hutong.institution.complaints.service import ComplaintDesk
from hutong.institution.erasure.retained_identity import shipped_retention
from hutong.institution.erasure.service import ErasureService
from hutong.institution.holds.service import HoldDesk
from hutong.institution.merchants.application_service import ApplicationService
from hutong.institution.merchants.plate_service import PlateService
from hutong.institution.merchants.repository import MerchantRepository
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.site import Site
from hutong.institution.merchants.staff_service import StaffService
from hutong.institution.notices.delivery_service import DeliveryService
from hutong.institution.notices.repository import NoticeRepository
from hutong.institution.notices.service import Notices
from hutong.institution.notices.webhook_service import WebhookService
from hutong.institution.payments.cashier import Cashier
from hutong.institution.payments.counter_service import CounterService
from hutong.institution.payments.service import PaymentService
from hutong.institution.payments.till_service import TillService
from hutong.institution.payments.withdrawal_service import WithdrawalService
from hutong.institution.people.one_time_code_service import CodeSender
from hutong.institution.people.service import PeopleService
from hutong.institution.people.settings import PeopleSettings
from hutong.institution.people.user import User
from hutong.institution.policy.policy import shipped_policies
from hutong.institution.recalls.service import RecallDesk
from hutong.institution.requests.repository import RequestRepository
from hutong.institution.requests.request import RequestLimits
from hutong.institution.requests.service import RequestService
from hutong.institution.sealing import SealingKeys
from hutong.institution.settlement.safeguarding_proof_service import SafeguardingProofService
from hutong.institution.settlement.service import SettlementService
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import AccountStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.outbound import Poster
from hutong.runtime.pool import WorkerPool
from hutong.scheme.clearing_file import ClearingFiles
from hutong.scheme.messages import AnyMessage

HeldOf = Callable[[int], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstitutionSettings:
    """What differs between two institutions."""

    people: PeopleSettings
    merchant_pepper: bytes
    webhooks_private: bool = False  # Whether endpoints may be in private networks: on a laptop, yes.
    policies: str = "cn"
    zone: str = "Asia/Shanghai"
    switch: str = "switch"


class InstitutionNode:
    """Everything of an institution behind its transport and its API."""

    clearing_files: ClearingFiles | None = None  # Of the switch; wired with the transport.
    held_of: HeldOf | None = None  # What merchants hold of a person's money: see `gateways.preauth`.

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        settings: InstitutionSettings,
        *,
        sender: CodeSender,
        pool: WorkerPool,
        poster: Poster,
        cashier: Cashier | None = None,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self.node = node
        self.ledger, self.pool, self.chart = ledger, pool, Chart(node.node_id)
        self._notice_repository = NoticeRepository(node.journal, node.store)
        self._merchant_repository = MerchantRepository(node)
        self._request_repository = RequestRepository(node)
        self.notices = Notices(node, self._notice_repository)
        self.sealing = sealing = SealingKeys(settings.people.sealing_keys, node.randomness)
        self.webhooks = WebhookService(
            node, self._notice_repository, sealing, private_allowed=settings.webhooks_private
        )
        self.webhooks_private = settings.webhooks_private
        self.deliveries = DeliveryService(node, self._notice_repository, self.notices, self.webhooks, poster)
        self.people = PeopleService(
            node,
            settings.people,
            self.notices,
            sender=sender,
            pool=pool,
            open_wallet=self._open_wallet,
            hasher=hasher,
        )
        self.erasure = ErasureService(
            node, self.people, self.notices, self.people.operators.audit, sealing, shipped_retention()
        )
        kept, pepper = self._merchant_repository, settings.merchant_pepper
        self.merchants = MerchantService(node, kept, ledger, pepper=pepper)
        self.applications = ApplicationService(node, self.merchants)
        self.staff = StaffService(node, kept, self.merchants, self.people, self.notices, pepper=pepper)
        self.plates = PlateService(node, kept, self.merchants, Site(node.node_id, settings.people.plate_base))
        self.requests = RequestService(
            node, self._request_repository, self.merchants, self.plates, self.people, RequestLimits()
        )
        self.policies = policies = shipped_policies(settings.policies, ZoneInfo(settings.zone))
        self.payments = PaymentService(
            node,
            ledger,
            self.chart,
            policies,
            self.people,
            self.requests,
            self.notices,
            cashier,
            switch=settings.switch,
            code_prefix=settings.people.payment_code_prefix,
            mandate_key=settings.people.token_key,
        )
        self.withdrawals = WithdrawalService(node, self.payments, self.merchants, policies)
        self.recalls = RecallDesk(self.payments, policies, self.notices)
        self.complaints = ComplaintDesk(self.payments, policies, self.notices)
        self.holds = HoldDesk(self.payments, policies, self.people, self.notices, self.plates.site.base)
        self.settlement = SettlementService(node, ledger, self.chart, settings.switch)
        self.proofs = SafeguardingProofService(node, ledger, self.chart)
        self.payments.on_statement = self.settlement.told
        self.payments.creditor.on_received = self.payments.debtor.on_received = self.requests.received
        self.on_started: list[Callable[[], Awaitable[None]]] = []  # As `on_tick`: once, when payments go on.
        self.on_tick: list[Callable[[], None]] = []  # Who is built upon an institution, and goes by its time.
        self.tills = TillService(node, self.requests, self.payments.charges)
        self.counter = CounterService(node, self.staff, self.requests, self.tills, self.payments.refunds)

    async def start(self, stack: AsyncExitStack) -> None:
        """Load what the node knows, take up what is undecided, and begin to deliver; ends when `stack` closes."""
        await self.people.start()
        await self._merchant_repository.start()
        await self.merchants.start()
        await self._request_repository.start()
        await self.recalls.load()
        await self.complaints.load()
        await self.holds.load()
        await self.withdrawals.start()
        await self.payments.start()
        self.recalls.resume()
        self.complaints.resume()
        await self.holds.resume()
        await self.settlement.start()
        await self.proofs.start()
        for begin in self.on_started:
            await begin()
        await self.deliveries.start()
        delivering = asyncio.create_task(self.deliveries.run())
        stack.push_async_callback(_cancelled, delivering)

    def receive(self, sender: str, messages: Sequence[AnyMessage]) -> None:
        """Decide on each message of a batch from the switch."""
        self.payments.receive(sender, messages)

    def tick(self) -> None:
        """What time alone brings about."""
        self.payments.tick()
        self.recalls.tick()
        self.complaints.tick()
        self.holds.tick()
        self.proofs.tick()
        for tick in self.on_tick:
            tick()

    async def balance_of(self, user: User) -> int:
        """Everything on a user's account, pending credits, what is disputed and what merchants hold included."""
        (account,) = await self.ledger.lookup_accounts([user.wallet_account])
        disputed = self.recalls.disputes.held_of(user.id)
        on_account = account.credits_posted + account.credits_pending - account.debits_posted
        held = await self.held_of(user.id) if self.held_of is not None else 0
        return on_account + disputed + held + await self.holds.holds.held_of(user.id)

    def _open_wallet(self, user: User) -> None:
        self.ledger.create_accounts([chart.wallet(user.id)], _opened)


def _opened(statuses: list[AccountStatus]) -> None:
    assert statuses[0] in {AccountStatus.CREATED, AccountStatus.EXISTS}, statuses


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
