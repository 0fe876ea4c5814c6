"""An institution whose merchants split what they took, and the merchants' software that asks it to."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec

from hutong.gateways.account import Caller, GatewayAccount, GatewayKind, WechatAccount, WechatFacts, WechatSecrets
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.splits.hold import Hold
from hutong.gateways.splits.hold_service import HoldService
from hutong.gateways.splits.receiver import Receiver
from hutong.gateways.splits.receiver_service import ReceiverService
from hutong.gateways.splits.return_service import ReturnService
from hutong.gateways.splits.split_service import SplitService
from hutong.gateways.transfers.batch_service import BatchService
from hutong.gateways.transfers.transfer_service import TransferService
from hutong.institution import chart
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.merchants.staff_key import Role
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import Refund, RefundOrder
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency
from hutong.scheme.messages import Channel
from tests.institution.payments.neighbours import Asks
from tests.institution.payments.world import POLICIES, Institution, World, now

T = TypeVar("T")
SECRETS = WechatSecrets(api_v3_key="a" * 32, api_v2_key="b" * 32)
PLATE = "https://wei.example/q/"


class Seller(msgspec.Struct, frozen=True):
    """A merchant, as splits ask about it."""

    name: str = "老王面馆"
    legal_name: str = "老王面馆有限公司"
    is_open: bool = True

    def check_open(self) -> None:
        if not self.is_open:
            raise Refusal(MerchantReason.MERCHANT_CLOSED)


class Merchants:
    """Whoever is not named here is open."""

    def __init__(self) -> None:
        self.closed: set[int] = set()

    def merchant(self, merchant_id: int, /) -> Seller:
        return Seller(is_open=merchant_id not in self.closed)


class Sharing(Institution):
    """With splits, wired as life does it."""

    ratio_bps_max = 10_000

    def wire(self) -> None:
        self.merchants = Merchants()
        self.holds = HoldService(self.node, self.ledger, Currency.CNY)
        self.receivers = ReceiverService(self.node, self.neighbours, self.merchants)
        self.splits = SplitService(
            self.node,
            self.ledger,
            Currency.CNY,
            self.holds,
            self.receivers,
            self.neighbours,
            ratio_bps_max=self.ratio_bps_max,
        )
        self.returns = ReturnService(self.node, self.ledger, Currency.CNY, self.splits)
        self.notifications = NotificationService(self.node)
        self.transfers = TransferService(
            self.node,
            self.ledger,
            Currency.CNY,
            POLICIES,
            self.neighbours,
            self.merchants,
            self.neighbours,
            self.notifications,
        )
        self.batches = BatchService(self.node, self.transfers, self.notifications)
        self.payments.refunds.holdings = self.holds
        self.payments.creditor.on_received = self.payments.debtor.on_received = self.received
        parts = (self.holds, self.splits, self.returns, self.transfers, self.batches)
        for part in parts:
            now(part.start())
        for part in parts:
            now(part.resume())

    def received(self, request_id: int, payment: Receipt | Payment) -> None:
        """Every order here is one to be split."""
        net = payment.gross - payment.fee
        self.holds.freeze(request_id, payment.merchant_id, payment.id, payment.gross, net)

    def tick(self) -> None:
        super().tick()
        for part in (self.splits, self.transfers, self.batches):
            part.tick()

    def ask(self, errand: Coroutine[Any, Any, T]) -> T:
        """What a merchant's software asks, answered when that is durable."""

        async def answered() -> T:
            asking = asyncio.ensure_future(errand)
            while not asking.done():
                await asyncio.sleep(0)
                self.journal.seal()
                self.journal.flush()
            return asking.result()

        return asyncio.run(answered())

    def refund(
        self, merchant_id: int, payment_id: int, amount: int, refund_id: int = 0
    ) -> tuple[Refund, Outcome | None]:
        answers: list[tuple[Refund, Outcome | None]] = []
        order = RefundOrder(refund_id=refund_id or self.node.mint.mint(), payment_id=payment_id, amount=amount)
        self.decide(lambda: self.payments.refunds.refund(merchant_id, order, lambda *answer: answers.append(answer)))
        (answer,) = answers
        return answer

    def frozen(self, order_id: int) -> int:
        accounts = self.accounts(chart.frozen_account(order_id))
        return accounts[0].credits_posted - accounts[0].debits_posted if accounts else 0

    def hold(self, order_id: int) -> Hold:
        found = self.holds.holds.get(order_id)
        assert found is not None
        return found


class SharingWorld(World):
    """jing's people pay wei's merchants, who split."""

    institution = Sharing

    def __init__(self, *names: str, **settings: Any) -> None:
        super().__init__(*(names or ("jing", "wei")), **settings)
        self.register("wei", f"url:{PLATE}")

    @property
    def wei(self) -> Sharing:
        found = self["wei"]
        assert isinstance(found, Sharing)
        return found


class Sold(msgspec.Struct, frozen=True):
    """A paid order."""

    order: Asks
    payment: Payment
    merchant_id: int

    @property
    def net(self) -> int:
        return self.payment.gross - self.payment.fee


def sell(world: SharingWorld, merchant_id: int, amount: int, *, on_us: bool, fee_bps: int = 60) -> Sold:
    """An order placed and paid."""
    payer_node = world.wei if on_us else world["jing"]
    payer = payer_node.user(amount + 1_000)
    code = f"{PLATE}{world.wei.node.mint.mint():x}"
    order = world.wei.asks(merchant_id, code=code, kind=Channel.DYNAMIC_CODE.value, amount=amount, fee_bps=fee_bps)
    ((payment, outcome),) = payer_node.pay(payer, payer_node.order(payer_node.quote(payer, code)))
    assert outcome is not None
    assert outcome.completed, outcome
    return Sold(order, payment, merchant_id)


def caller(merchant_id: int, number: str = "1900000001") -> Caller:
    """A merchant's software."""
    row = GatewayAccount(
        id=merchant_id,
        merchant_id=merchant_id,
        shop_id=0,
        role=Role.OWNER.value,
        kind=GatewayKind.WECHATPAY.value,
        number=number,
        number_key=1,
        name="",
        facts=b"",
        sealed=b"",
        state="ACTIVE",
        created_ns=1,
        changed_ns=1,
    )
    account = WechatAccount(row, WechatFacts(appids=(), keys=()), SECRETS)
    return Caller(account, account)


def shop(merchant_id: int) -> Receiver:
    return Receiver(type="MERCHANT_ID", account=f"m{merchant_id}", merchant_id=merchant_id)


def person(user_id: int) -> Receiver:
    return Receiver(type="PERSONAL_OPENID", account=f"o{user_id}", user_id=user_id)
