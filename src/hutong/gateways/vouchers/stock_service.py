"""Stocks of vouchers: made, paid for, paused and ended."""

import asyncio
import hashlib
from itertools import count

import msgspec

from hutong.gateways.account import Account, Caller
from hutong.gateways.vouchers.reasons import VoucherReason
from hutong.gateways.vouchers.set_aside import SetAside
from hutong.gateways.vouchers.stock import (
    CALLBACKS,
    STOCK_DIGITS,
    STOCKS,
    StockDraft,
    StockState,
    VoucherCallback,
    VoucherStock,
    number_key,
    request_key,
)
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Right
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.marketing.campaigns.campaign import Campaign, CampaignDraft, CampaignKind, CampaignState, CampaignTerms
from hutong.marketing.coupons.template import NAME_LENGTH_MAX, CouponTemplate, TemplateState, check_stock
from hutong.marketing.marketing import Marketing
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided

_TERMS = CampaignTerms(holdout_bps=0)  # Who gets a voucher, the merchant says: nobody is held out.


class VoucherStockService:
    """What takes a `Caller` answers to the account whose stock it is (invariant 8). Every stock is in memory."""

    def __init__(self, node: NodeRuntime, merchants: MerchantService, marketing: Marketing) -> None:
        self._node = node
        self._journal = node.journal
        self._merchants = merchants
        self._sponsors = marketing.sponsors
        self._campaigns = marketing.campaigns
        self._templates = marketing.coupons.templates
        self.all = Shelf(STOCKS, node.journal, node.store, by=("number_key", "request_key"))
        self.callbacks = Shelf(CALLBACKS, node.journal, node.store)
        self.money = SetAside(node, self._sponsors, self._campaigns, self.all)

    async def start(self) -> None:
        """Load them; what was on its way when the node stopped goes on, with the same ids."""
        await self.callbacks.load_all()
        await self.all.load_all()
        self.money.resume()

    # What merchants do.

    async def make(self, caller: Caller, draft: StockDraft) -> VoucherStock:
        """
        Write a stock down. Nothing moves before it is started.

        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; the text refusals; COUPON_TERMS_UNSOUND; CAMPAIGN_OVER;
                  VOUCHER_STOCK_DIFFERS.
        Repeats:  the stock as it is.
        """
        _check_manages(caller)
        check_text("stock_name", draft.name, length_max=NAME_LENGTH_MAX)
        check_stock(draft.count)
        draft.terms.check()
        return await decided(self._journal, lambda: self._made(caller, draft))

    def _made(self, caller: Caller, draft: StockDraft) -> VoucherStock:
        key = request_key(caller.account.row.id, draft.number)
        for known in self.all.find("request_key", key):
            if known.content != draft.digest(caller):
                raise Refusal(VoucherReason.VOUCHER_STOCK_DIFFERS, number=draft.number)
            return known
        merchant = self._merchants.merchant(caller.payee.row.merchant_id)
        merchant.check_open()
        id_, now_ns = self._node.mint.mint(), self._node.clock.now_ns()
        number = self._number(id_)
        sponsor = self._sponsors.of_merchant(merchant.id, merchant.name)
        campaign = CampaignDraft(
            id=id_,
            name=draft.name,
            kind=CampaignKind.COUPON,
            sponsors=[(sponsor.id, 1)],
            budget=draft.count * draft.terms.amount_off,
            terms=_TERMS,
            starts_ns=draft.from_ns,
            ends_ns=draft.until_ns,
            merchant_id=merchant.id,
        )
        self._campaigns.draft(campaign)
        self._templates.create(id_, id_, draft.name, draft.terms, draft.count, merchant.id)
        stock = VoucherStock(
            id=id_,
            account_id=caller.account.row.id,
            payee_id=caller.payee.row.id,
            merchant_id=merchant.id,
            dialect=draft.dialect,
            number=number,
            number_key=number_key(number),
            request=draft.number,
            request_key=key,
            facts=msgspec.json.encode(draft.facts),
            content=draft.digest(caller),
            starting=False,
            attempt=0,
            started_ns=0,
            taken_home=0,
            last_home=0,
            created_ns=now_ns,
        )
        self.all.put(stock)
        return stock

    async def begin(self, caller: Caller, number: str) -> VoucherStock:
        """
        Set aside what it may give, and let vouchers be sent as soon as its time comes.

        Moves:    merchant -> its budget -> the stock's campaign; posted.
        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; VOUCHER_STOCK_UNKNOWN; VOUCHER_STOCK_ENDED; VOUCHER_BUDGET_INSUFFICIENT.
        Repeats:  the stock as it is.
        """
        _check_manages(caller)
        answered: asyncio.Future[None] = self._journal.promise()

        def begin() -> None:
            stock = self.stock(caller.payee, number)
            if stock.started_ns:
                answered.set_result(None)
                return
            if self.state(stock) is StockState.ENDED:
                raise Refusal(VoucherReason.VOUCHER_STOCK_ENDED)
            self.money.begin(stock, answered)

        try:
            await decided(self._journal, begin)
        except Refusal:
            answered.cancel()
            raise
        await answered
        return self.stock(caller.payee, number)

    async def pause(self, caller: Caller, number: str) -> VoucherStock:
        """Send none for now. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS; VOUCHER_STOCK_UNKNOWN, _NOT_STARTED, _ENDED. Repeats: the stock."""
        return await self._moved(caller, number, TemplateState.PAUSED)

    async def resume(self, caller: Caller, number: str) -> VoucherStock:
        """Go on with what was paused. Refuses and repeats as `pause`."""
        return await self._moved(caller, number, TemplateState.ACTIVE)

    async def _moved(self, caller: Caller, number: str, state: TemplateState) -> VoucherStock:
        _check_manages(caller)

        def move() -> VoucherStock:
            stock = self.stock(caller.payee, number)
            stock.check_started()
            if self.state(stock) is StockState.ENDED:
                raise Refusal(VoucherReason.VOUCHER_STOCK_ENDED)
            self._templates.move(stock.id, state)
            return stock

        return await decided(self._journal, move)

    async def tell_at(self, account: Account, url: str, *, is_on: bool) -> VoucherCallback:
        """Where this account is told from now on that its vouchers are used. Repeats: the same."""

        def settle() -> VoucherCallback:
            known = self.callbacks.get(account.row.id)
            if known is not None and (known.url, known.is_on) == (url, is_on):
                return known
            callback = VoucherCallback(id=account.row.id, url=url, is_on=is_on, changed_ns=self._node.clock.now_ns())
            self.callbacks.put(callback)
            return callback

        return await decided(self._journal, settle)

    # What others ask.

    def stock(self, account: Account, number: str) -> VoucherStock:
        """One of this account's, or of its merchant's. Refuses VOUCHER_STOCK_UNKNOWN."""
        for stock in self.all.find("number_key", number_key(number)):
            if self.is_of(stock, account):
                return stock
        raise Refusal(VoucherReason.VOUCHER_STOCK_UNKNOWN)

    def stocks(self, account: Account) -> list[VoucherStock]:
        """All of this account's, newest first."""
        return [each for each in reversed(self.all.everything()) if self.is_of(each, account)]

    def is_of(self, stock: VoucherStock, account: Account) -> bool:
        """Whether it is this account's: who made it, or whose merchant pays for it."""
        return account.row.id == stock.account_id or account.row.merchant_id == stock.merchant_id

    def of_template(self, template_id: int) -> VoucherStock | None:
        """The stock of a template; None for those that came by no gateway."""
        return self.all.get(template_id)

    def campaign(self, stock: VoucherStock) -> Campaign:
        return self._campaigns.campaign(stock.id)

    def template(self, stock: VoucherStock) -> CouponTemplate:
        return self._templates.template(stock.id)

    def sent(self, stock: VoucherStock) -> int:
        """How many vouchers of it there are."""
        return self._templates.stock(stock.id).claimed

    def state(self, stock: VoucherStock) -> StockState:
        """How it stands now."""
        campaign = self.campaign(stock)
        if campaign.state == CampaignState.ENDED or self._node.clock.now_ns() >= campaign.ends_ns:
            return StockState.ENDED
        if campaign.state in {CampaignState.DRAFT, CampaignState.FUNDING}:
            return StockState.UNACTIVATED
        return StockState.PAUSED if self.template(stock).state == TemplateState.PAUSED else StockState.RUNNING

    def _number(self, id_: int) -> str:
        """A number nobody has, made of the stock's id, so that a decision that is made again looks for the same."""
        for drawn in count():
            digest = hashlib.blake2b(f"{id_:032x}/{drawn}".encode(), digest_size=16).digest()
            number = f"1{int.from_bytes(digest) % 10 ** (STOCK_DIGITS - 1):0{STOCK_DIGITS - 1}d}"
            if not self.all.find("number_key", number_key(number)):
                return number
        raise AssertionError("there are numbers enough")


def _check_manages(caller: Caller) -> None:
    """Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS: it is about the merchant's money."""
    caller.key.check_right(Right.MANAGE)
    caller.key.check_whole_merchant()
