"""Subsidies: ACCEPTED (the row) -> SUCCESS | FAIL (the ledger's answer); a crash between is mended by moving it again."""

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from hutong.gateways.account import Account, Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.order import Trade, TradeState
from hutong.gateways.order_service import OrderService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.refund_service import GatewayRefundService
from hutong.gateways.till_coupons.reasons import TillCouponReason
from hutong.gateways.till_coupons.stock import TillStock, digits
from hutong.gateways.till_coupons.stock_service import TillStockService, check_manages
from hutong.gateways.till_coupons.subsidy import (
    DESCRIPTION_LENGTH_MAX,
    SUBSIDIES,
    SUBSIDY_DIGITS,
    SubsidyDraft,
    SubsidyState,
    TillSubsidy,
    subsidy_number_key,
    subsidy_request_key,
)
from hutong.institution import chart
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.payment import Why, check_amount
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.text import check_text
from hutong.ledger import sharing_recipes
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.marketing.coupons.template import CouponKind
from hutong.marketing.coupons.till_code import TillCode, TillState
from hutong.marketing.coupons.till_service import TillService
from hutong.runtime.shelf import UNFINISHED_WITHIN, Shelf, decided, warmed


class SubsidyService:
    """
    Money goes only from an account that its own merchant's software, or one it let act for it, calls for.

    Of a coupon no more is ever subsidised than it was worth, less what came back.
    """

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        orders: OrderService,
        refunds: GatewayRefundService,
        stocks: TillStockService,
        till: TillService,
    ) -> None:
        self._node = institution.node
        self._journal = institution.node.journal
        self._ledger = institution.ledger
        self._currency = institution.chart.currency
        self._accounts = accounts
        self._orders = orders
        self._refunds = refunds
        self._stocks = stocks
        self._till = till
        by = ("code_id", "number_key", "request_key")
        self.all = Shelf(SUBSIDIES, self._journal, self._node.store, by=by, timed=True)
        institution.on_started.append(self.resume)

    async def start(self) -> None:
        await self.all.start()

    async def resume(self) -> None:
        """After a restart: what was written down, and maybe not moved."""
        for subsidy in await self.all.load_since(max(0, self._journal.position - UNFINISHED_WITHIN)):
            if subsidy.state == SubsidyState.ACCEPTED:
                self._move(subsidy)
        self._journal.seal()

    async def pay(self, caller: Caller, stock: TillStock, payee: Account, draft: SubsidyDraft) -> TillSubsidy:
        """
        Bear what a coupon was worth, for the merchant that took it. `caller` acts for whoever pays.

        Moves:    payer -> payee.
        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; the text refusals; AMOUNT_NOT_POSITIVE; COUPON_UNKNOWN; SUBSIDY_FORBIDDEN,
                  SUBSIDY_OF_UNTAKEN, SUBSIDY_ORDER_DIFFERS, SUBSIDY_EXCEEDS_COUPON; TILL_REQUEST_DIFFERS. That the payer's
                  balance does not cover it is a subsidy that failed.
        Repeats:  the subsidy as it is.
        """
        self._check(caller, draft)

        def pay() -> TillSubsidy:
            code = self._till.code(stock.id, draft.letters)
            key = subsidy_request_key(caller.account.row.id, draft.number, is_back=False)
            known = self._known(key, draft, code, caller.payee.row.id, payee.row.id)
            if known is not None:
                return known
            if not stock.subsidised:
                raise Refusal(TillCouponReason.SUBSIDY_FORBIDDEN)
            if code.state != TillState.TAKEN:
                raise Refusal(TillCouponReason.SUBSIDY_OF_UNTAKEN)
            paid = self._paid(payee, draft.trade_no)
            is_own = caller.payee.row.merchant_id == payee.row.merchant_id
            if is_own or code.paid_for not in {"", draft.trade_no, paid.order.out_trade_no}:
                raise Refusal(TillCouponReason.SUBSIDY_ORDER_DIFFERS)
            terms = self._stocks.template(stock).told
            worth = terms.amount_off if terms.kind is CouponKind.AMOUNT_OFF else paid.amount
            if self.borne(code.id) + draft.amount > worth:
                raise Refusal(TillCouponReason.SUBSIDY_EXCEEDS_COUPON, field="amount")
            return self._begin(stock, code, draft, key, caller, (caller.payee, payee), of_id=0)

        return await decided(self._journal, pay)

    async def give_back(self, caller: Caller, stock: TillStock, payer: Account, draft: SubsidyDraft) -> TillSubsidy:
        """
        What was subsidised goes back to who bore it, with a refund of what the coupon was taken for. `caller` acts for
        whoever received it.

        Moves:    payee -> payer.
        Refuses:  as `pay`; SUBSIDY_UNKNOWN; REFUND_UNKNOWN; SUBSIDY_EXCEEDS_COUPON where more was not subsidised.
        Repeats:  what came back, as it is.
        """
        self._check(caller, draft)
        try:
            refund = await self._refunds.find(caller, refund_no=draft.refund_no)
        except Refusal as refusal:
            if refusal.reason is GatewayReason.REFUND_UNKNOWN:
                raise Refusal(TillCouponReason.SUBSIDY_ORDER_DIFFERS) from None
            raise

        def give_back() -> TillSubsidy:
            code = self._till.code(stock.id, draft.letters)
            key = subsidy_request_key(caller.account.row.id, draft.number, is_back=True)
            known = self._known(key, draft, code, payer.row.id, caller.payee.row.id)
            if known is not None:
                return known
            paid = [
                each
                for each in self._of(code.id)
                if not each.of_id
                and (each.trade_no, each.payer_id, each.payee_id) == (draft.trade_no, payer.row.id, caller.payee.row.id)
            ]
            if not paid:
                raise Refusal(TillCouponReason.SUBSIDY_UNKNOWN)
            if self._paid(caller.payee, draft.trade_no).order.id != refund.row.order_id:
                raise Refusal(TillCouponReason.SUBSIDY_ORDER_DIFFERS)
            if draft.amount > self._left(paid, code.id):
                raise Refusal(TillCouponReason.SUBSIDY_EXCEEDS_COUPON, field="amount")
            parties = payer, caller.payee
            return self._begin(stock, code, draft, key, caller, parties, of_id=paid[0].id)

        return await decided(self._journal, give_back)

    # What others ask.

    def borne(self, code_id: int) -> int:
        """What is subsidised of a coupon, or is being, less what came back. May raise `Cold`."""
        found = self._of(code_id)
        back = sum(each.amount for each in found if each.of_id and each.state == SubsidyState.SUCCESS)
        return sum(each.amount for each in found if not each.of_id) - back

    def _left(self, paid: Sequence[TillSubsidy], code_id: int) -> int:
        """What of these has arrived, and neither came back nor is on its way back."""
        ids = {each.id for each in paid}
        back = sum(each.amount for each in self._of(code_id) if each.of_id in ids)
        return sum(each.amount for each in paid if each.state == SubsidyState.SUCCESS) - back

    async def find(self, account: Account, number: str, *, is_back: bool) -> TillSubsidy:
        """By our number. Refuses SUBSIDY_UNKNOWN, for others' just so."""

        def find() -> TillSubsidy:
            for each in self.all.find("number_key", subsidy_number_key(number)):
                if bool(each.of_id) == is_back and self._is_of(each, account):
                    return each
            raise Refusal(TillCouponReason.SUBSIDY_UNKNOWN)

        return await warmed(self._journal, find)

    def paid(self, subsidy_id: int) -> TillSubsidy:
        """The subsidy that something came back of. May raise `Cold`."""
        found = self.all.get(subsidy_id)
        assert found is not None
        return found

    async def of_coupon(self, account: Account, stock: TillStock, letters: str) -> list[TillSubsidy]:
        """What was subsidised of a coupon, oldest first, failed tries too. Refuses COUPON_UNKNOWN."""

        def find() -> list[TillSubsidy]:
            found = self.all.find("code_id", self._till.code(stock.id, letters).id)
            return [each for each in found if not each.of_id and self._is_of(each, account)]

        return await warmed(self._journal, find)

    def _is_of(self, subsidy: TillSubsidy, account: Account) -> bool:
        return account.row.id in {subsidy.account_id, subsidy.payer_id, subsidy.payee_id}

    def _of(self, code_id: int) -> list[TillSubsidy]:
        return [each for each in self.all.find("code_id", code_id) if each.state != SubsidyState.FAIL]

    def _check(self, caller: Caller, draft: SubsidyDraft) -> None:
        check_manages(caller)
        check_text("description", draft.description, length_max=DESCRIPTION_LENGTH_MAX)
        check_amount(draft.amount)

    def _paid(self, payee: Account, trade_no: str) -> Trade:
        """The payment that a coupon was taken for. Refuses SUBSIDY_ORDER_DIFFERS."""
        try:
            trade = self._orders.found(Caller(payee, payee), trade_no=trade_no)
        except Refusal as refusal:
            if refusal.reason is GatewayReason.ORDER_UNKNOWN:
                raise Refusal(TillCouponReason.SUBSIDY_ORDER_DIFFERS) from None
            raise
        if trade.state is not TradeState.PAID:
            raise Refusal(TillCouponReason.SUBSIDY_ORDER_DIFFERS)
        return trade

    def _known(self, key: int, draft: SubsidyDraft, code: TillCode, payer_id: int, payee_id: int) -> TillSubsidy | None:
        for known in self.all.find("request_key", key):
            if not known.same_as(draft, code.id, payer_id, payee_id):
                raise Refusal(TillCouponReason.TILL_REQUEST_DIFFERS, number=draft.number)
            return known
        return None

    # The money.

    def _begin(
        self,
        stock: TillStock,
        code: TillCode,
        draft: SubsidyDraft,
        key: int,
        caller: Caller,
        parties: tuple[Account, Account],
        *,
        of_id: int,
    ) -> TillSubsidy:
        id_ = self._node.mint.mint()
        number = digits(id_, "subsidy", SUBSIDY_DIGITS)
        payer, payee = parties
        subsidy = TillSubsidy(
            id=id_,
            stock_id=stock.id,
            code_id=code.id,
            of_id=of_id,
            account_id=caller.account.row.id,
            number=number,
            number_key=subsidy_number_key(number),
            request=draft.number,
            request_key=key,
            trade_no=draft.trade_no,
            refund_no=draft.refund_no,
            payer_id=payer.row.id,
            payee_id=payee.row.id,
            amount=draft.amount,
            description=draft.description,
            state=SubsidyState.ACCEPTED.value,
            reason="",
            created_ns=self._node.clock.now_ns(),
            ended_ns=0,
        )
        self.all.put(subsidy)
        self._move(subsidy)
        newest = self.all.get(id_)
        assert newest is not None
        return newest

    def _move(self, subsidy: TillSubsidy) -> None:
        payer, payee = (
            chart.merchant_account(self._accounts.account(id_).row.merchant_id, self._currency)
            for id_ in (subsidy.payer_id, subsidy.payee_id)
        )
        source, target = (payee, payer) if subsidy.of_id else (payer, payee)
        transfer = sharing_recipes.subsidise(
            derive(subsidy.id, "subsidy"),
            subsidy.id,
            sponsor=source,
            merchant=target,
            amount=subsidy.amount,
            ledger=self._currency.ledger,
            code=Why.SUBSIDY_RETURNED if subsidy.of_id else Why.SUBSIDISED,
        )
        self._ledger.create_transfers([transfer], partial(self._moved, subsidy.id))

    def _moved(self, subsidy_id: int, statuses: list[TransferStatus]) -> None:
        subsidy = self.all.get(subsidy_id)
        assert subsidy is not None
        if subsidy.state != SubsidyState.ACCEPTED:
            return
        done = statuses[0] in TRANSFER_DONE
        state = SubsidyState.SUCCESS if done else SubsidyState.FAIL
        reason = "" if done else "NOT_ENOUGH"
        self.all.put(replace(subsidy, state=state.value, reason=reason, ended_ns=self._node.clock.now_ns()))
