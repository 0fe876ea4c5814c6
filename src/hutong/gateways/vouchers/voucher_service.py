"""Vouchers in people's hands: sent, looked at, used, and what a refund brought back."""

import msgspec

from hutong.gateways.account import Account, Caller
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.vouchers.reasons import VoucherReason
from hutong.gateways.vouchers.stock import (
    FLOWS,
    FlowKind,
    StockState,
    UsedVoucher,
    VoucherFlow,
    VoucherStock,
    voucher_number,
)
from hutong.gateways.vouchers.stock_service import VoucherStockService
from hutong.institution.merchants.staff_key import Right
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.payment import Payment
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.marketing.campaigns.award import Award
from hutong.marketing.campaigns.subsidy_service import BenefitSource
from hutong.marketing.coupons.coupon import Coupon
from hutong.marketing.coupons.redemption_service import SOURCE
from hutong.marketing.marketing import Marketing
from hutong.runtime.shelf import Shelf, decided, warmed

_PAGE = 1_000


class Voucher(msgspec.Struct, frozen=True):
    """One person's, with all that its merchant is told of it."""

    stock: VoucherStock
    coupon: Coupon
    flows: list[VoucherFlow]  # Oldest first.

    @property
    def used(self) -> VoucherFlow | None:
        """The last time it was used."""
        return next((each for each in reversed(self.flows) if each.kind == FlowKind.USED), None)


class VoucherService:
    """
    It stands between payments and the coupons they are made cheaper with, and writes down what is used of a stock.

    What takes a `Caller` or an account answers to whose stock it is (invariant 8).
    """

    def __init__(
        self,
        institution: InstitutionNode,
        marketing: Marketing,
        stocks: VoucherStockService,
        notifications: NotificationService,
    ) -> None:
        self._node = institution.node
        self._journal = institution.node.journal
        self._people = institution.people
        self._payments = institution.payments
        self._stocks = stocks
        self._notifications = notifications
        self._coupons = marketing.coupons
        self._awards = marketing.awards
        self.flows = Shelf(FLOWS, self._journal, self._node.store, by=("coupon_id",), timed=True)
        marketing.subsidies.sources[SOURCE] = Watched(marketing.subsidies.sources[SOURCE], self)

    async def start(self) -> None:
        await self.flows.start()

    # For merchants.

    async def send(self, caller: Caller, number: str, user_id: int | None, request: str) -> Voucher:
        """
        A voucher of a stock for a person, who is told.

        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; VOUCHER_PERSON_UNKNOWN; VOUCHER_STOCK_UNKNOWN, _NOT_STARTED, _ENDED;
                  USER_CLOSED, USER_FROZEN; what `ClaimService.send` does.
        Repeats:  the voucher; COUPON_CLAIM_OTHERWISE for another person or stock under the same number.
        """
        caller.key.check_right(Right.MANAGE)
        caller.key.check_whole_merchant()
        if user_id is None:
            raise Refusal(VoucherReason.VOUCHER_PERSON_UNKNOWN)
        return await decided(self._journal, lambda: self._sent(caller, number, user_id, request))

    def _sent(self, caller: Caller, number: str, user_id: int, request: str) -> Voucher:
        stock = self._stocks.stock(caller.payee, number)
        claim_id = derive(caller.account.row.id, f"voucher/{request}")
        if self._coupons.redemptions.known(claim_id) is not None:
            coupon = self._coupons.claims.send(claim_id, stock.id, user_id, stock.merchant_id)
            return self._voucher(stock, coupon)
        self._people.user(user_id).may_receive()
        stock.check_started()
        if self._stocks.state(stock) is StockState.ENDED:
            raise Refusal(VoucherReason.VOUCHER_STOCK_ENDED)
        return Voucher(stock, self._coupons.claims.send(claim_id, stock.id, user_id, stock.merchant_id), [])

    async def of_person(self, account: Account, user_id: int | None) -> list[Voucher]:
        """What a person has or had of this account's stocks, newest first; of a person elsewhere nothing."""
        if user_id is None:
            return []
        return await warmed(self._journal, lambda: self._of_person(account, user_id))

    def _of_person(self, account: Account, user_id: int) -> list[Voucher]:
        found = []
        for coupon in sorted(self._coupons.redemptions.coupons(user_id), key=lambda each: -each.id):
            stock = self._stocks.of_template(coupon.template_id)
            if stock is not None and self._stocks.is_of(stock, account):
                found.append(self._voucher(stock, coupon))
        return sorted(found, key=lambda each: (-each.coupon.claimed_ns, each.coupon.id))

    async def find(self, account: Account, user_id: int | None, number: str) -> Voucher:
        """A person's, by the vendor's number. Refuses VOUCHER_UNKNOWN."""
        for voucher in await self.of_person(account, user_id):
            if voucher_number(voucher.coupon.id) == number:
                return voucher
        raise Refusal(VoucherReason.VOUCHER_UNKNOWN)

    async def by_id(self, account: Account, coupon_id: int) -> Voucher:
        """One of this account's stocks. Refuses VOUCHER_UNKNOWN."""

        def find() -> Voucher:
            coupon = self._coupons.redemptions.known(coupon_id)
            stock = None if coupon is None else self._stocks.of_template(coupon.template_id)
            if coupon is None or stock is None or not self._stocks.is_of(stock, account):
                raise Refusal(VoucherReason.VOUCHER_UNKNOWN)
            return self._voucher(stock, coupon)

        return await warmed(self._journal, find)

    async def flows_of(
        self, stock: VoucherStock, kind: FlowKind, from_ns: int = 0, until_ns: int = 1 << 62
    ) -> list[VoucherFlow]:
        """What was used of a stock, or came back, oldest first."""
        found: list[VoucherFlow] = []
        after = 0
        while True:
            rows = await self._node.store.page(FLOWS, "stock_id", stock.id, after=after, limit=_PAGE)
            found += [row for _, row in rows if row.kind == kind and from_ns <= row.at_ns < until_ns]
            if len(rows) < _PAGE:
                return found
            after = rows[-1][0]

    def voucher_of(self, flow_id: int) -> Voucher:
        """The voucher of a flow, as it was behind it. May raise `Cold`."""
        flow = self.flows.get(flow_id)
        assert flow is not None, "news of a voucher come after it was used"
        stock, coupon = self._stocks.of_template(flow.stock_id), self._coupons.redemptions.known(flow.coupon_id)
        assert stock is not None
        assert coupon is not None
        return Voucher(stock, coupon, [flow])

    def _voucher(self, stock: VoucherStock, coupon: Coupon) -> Voucher:
        return Voucher(stock, coupon, self.flows.find("coupon_id", coupon.id))

    # What payments are told.

    def used_for(self, payment: Payment) -> tuple[UsedVoucher, ...]:
        """The coupons that made a payment cheaper. May raise `Cold`."""
        found = []
        for award in self._awards.of_payment(payment.id):
            if award.source == SOURCE:
                template = self._coupons.templates.template(int(award.told["template"], 16))
                stock = self._stocks.of_template(template.id)
                number = stock.number if stock is not None else ""
                found.append(
                    UsedVoucher(coupon_id=award.source_id, name=template.name, amount=award.amount, stock=number)
                )
        return tuple(found)

    def note(self, award: Award, kind: FlowKind, amount: int) -> None:
        """A voucher was used, or some of it came back: written down, and told to whoever asked to hear of it."""
        stock = self._stocks.of_template(award.campaign_id)
        if stock is None:
            return
        flow = VoucherFlow(
            id=self._node.mint.mint(),
            stock_id=stock.id,
            coupon_id=award.source_id,
            payment_id=award.payment_id,
            kind=kind.value,
            amount=amount,
            at_ns=self._node.clock.now_ns(),
        )
        self.flows.put(flow)
        callback = self._stocks.callbacks.get(stock.account_id)
        if kind is FlowKind.USED and callback is not None and callback.is_on:
            self._notifications.add(stock.account_id, stock.dialect, News.VOUCHER_USED, flow.id, callback.url)


class Watched:
    """Coupons as a source of benefits, with somebody who writes down what becomes of those of stocks."""

    def __init__(self, coupons: BenefitSource, vouchers: VoucherService) -> None:
        self._coupons = coupons
        self._vouchers = vouchers
        self.benefits = coupons.benefits
        self.look_up = coupons.look_up
        self.reserved = coupons.reserved
        self.released = coupons.released

    def committed(self, award: Award) -> None:
        self._coupons.committed(award)
        self._vouchers.note(award, FlowKind.USED, award.amount)

    def returned(self, award: Award, amount: int, left: int) -> None:
        self._coupons.returned(award, amount, left)
        self._vouchers.note(award, FlowKind.RETURNED, amount)
