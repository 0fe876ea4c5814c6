"""Stocks of merchants' own coupons: made, changed, and their numbers answered again."""

from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
from msgspec.structs import replace

from hutong.gateways.account import Account, Caller, acting_for
from hutong.gateways.account_service import AccountService
from hutong.gateways.till_coupons.reasons import TillCouponReason
from hutong.gateways.till_coupons.stock import (
    CALLBACKS,
    REQUESTS,
    STOCK_DIGITS,
    STOCKS,
    CodeMode,
    StockState,
    TillRequest,
    TillStock,
    TillStockDraft,
    digest,
    digits,
    number_key,
    request_id,
)
from hutong.gateways.vouchers.stock import VoucherCallback
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Right
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.marketing.coupons.service import Coupons
from hutong.marketing.coupons.template import NAME_LENGTH_MAX, CouponTemplate, TemplateState, check_stock
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided


class TillStockService:
    """Answers to the account whose stock it is (invariant 8): who made it, or whose merchant it is of."""

    def __init__(
        self, node: NodeRuntime, accounts: AccountService, merchants: MerchantService, coupons: Coupons
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._accounts = accounts
        self._merchants = merchants
        self._templates = coupons.templates
        self._till = coupons.till
        self.all = Shelf(STOCKS, node.journal, node.store, by=("number_key",))
        self.callbacks = Shelf(CALLBACKS, node.journal, node.store)
        self._requests = Shelf(REQUESTS, node.journal, node.store)

    async def start(self) -> None:
        """Load stocks and addresses; requests are looked at when their numbers come again."""
        await self.all.load_all()
        await self.callbacks.load_all()

    # What merchants do.

    async def make(self, caller: Caller, draft: TillStockDraft) -> TillStock:
        """
        A stock, of which coupons can be sent at once.

        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; the text refusals; COUPON_TERMS_UNSOUND; TILL_REQUEST_DIFFERS; the merchant's
                  own refusals.
        Repeats:  the stock as it is.
        """
        check_manages(caller)
        check_text("stock_name", draft.name, length_max=NAME_LENGTH_MAX)
        check_stock(draft.count)
        draft.terms.check(at_till=True)
        content = msgspec.to_builtins(draft), caller.payee.row.number

        def make() -> dict[str, Any]:
            merchant = self._merchants.merchant(caller.payee.row.merchant_id)
            merchant.check_open()
            id_, now_ns = self._node.mint.mint(), self._node.clock.now_ns()
            number = self._number(id_)
            self._templates.create_for_till(id_, merchant.id, draft.name, draft.terms, draft.count)
            stock = TillStock(
                id=id_,
                account_id=caller.account.row.id,
                payee_id=caller.payee.row.id,
                merchant_id=merchant.id,
                number=number,
                number_key=number_key(number),
                code_mode=draft.code_mode.value,
                per_day=draft.per_day,
                subsidised=draft.subsidised,
                facts=msgspec.json.encode(draft.facts),
                created_ns=now_ns,
                changed_ns=now_ns,
            )
            self.all.put(stock)
            return {"stock": stock.number}

        answered = await self.once(caller, "make", draft.number, content, make)
        return self.stock(caller.payee, answered["stock"])

    async def change(
        self, caller: Caller, number: str, request: str, name: str | None, facts: dict[str, Any]
    ) -> TillStock:
        """
        Show a stock otherwise: what it gives was promised, and stays. `facts` are merged, group by group.

        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; TILL_STOCK_UNKNOWN, TILL_STOCK_OVER, TILL_REQUEST_DIFFERS; the text refusals.
        Repeats:  nothing changes.
        """
        check_manages(caller)

        def change() -> dict[str, Any]:
            stock = self.stock(caller.payee, number)
            if self.state(stock) is StockState.OVER:
                raise Refusal(TillCouponReason.TILL_STOCK_OVER)
            if name is not None:
                self._templates.rename(stock.id, name)
            told = stock.told
            for field, value in facts.items():
                known = told.get(field)
                told[field] = known | value if isinstance(known, dict) and isinstance(value, dict) else value
            self.all.put(replace(stock, facts=msgspec.json.encode(told), changed_ns=self._node.clock.now_ns()))
            return {}

        await self.once(caller, "change", request, [number, name, facts], change)
        return self.stock(caller.payee, number)

    async def limit(
        self, caller: Caller, number: str, request: str, *, total: tuple[int, int] | None, day: tuple[int, int] | None
    ) -> TillStock:
        """
        Let another number of coupons be sent, in all or a day; each is what there is, as the caller knows it, and what is to be.

        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; TILL_STOCK_UNKNOWN, _OVER, _CHANGED; TILL_REQUEST_DIFFERS;
                  COUPON_TERMS_UNSOUND, COUPON_STOCK_BELOW_CLAIMED.
        Repeats:  nothing changes.
        """
        check_manages(caller)

        def limit() -> dict[str, Any]:
            stock = self.stock(caller.payee, number)
            template = self._templates.template(stock.id)
            if self.state(stock) is StockState.OVER:
                raise Refusal(TillCouponReason.TILL_STOCK_OVER)
            if (total is not None and total[0] != template.stock) or (day is not None and day[0] != stock.per_day):
                raise Refusal(TillCouponReason.TILL_STOCK_CHANGED)
            if total is not None:
                template = self._templates.restock(stock.id, total[1])
            if day is not None:
                stock = replace(stock, per_day=day[1], changed_ns=self._node.clock.now_ns())
                self.all.put(stock)
            return {"max_coupons": template.stock, "max_coupons_by_day": stock.per_day}

        await self.once(caller, "limit", request, [number, total, day], limit)
        return self.stock(caller.payee, number)

    async def load(self, caller: Caller, number: str, request: str, letters: list[str]) -> dict[str, Any]:
        """
        Bring codes: which are `new`, which were `there` before, and `at_ns`.

        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; TILL_STOCK_UNKNOWN, _OVER; TILL_CODES_NOT_LOADED; TILL_REQUEST_DIFFERS;
                  COUPON_CODES_TOO_MANY.
        Repeats:  the same.
        """
        check_manages(caller)

        def load() -> dict[str, Any]:
            stock = self.stock(caller.payee, number)
            if stock.code_mode != CodeMode.MERCHANT_UPLOAD:
                raise Refusal(TillCouponReason.TILL_CODES_NOT_LOADED)
            if self.state(stock) is StockState.OVER:
                raise Refusal(TillCouponReason.TILL_STOCK_OVER)
            new, there = self._till.load(stock.id, letters)
            return {"new": new, "there": there, "at_ns": self._node.clock.now_ns()}

        return await self.once(caller, "load", request, [number, letters], load)

    async def delete(self, caller: Caller, number: str, request: str, letters: str) -> int:
        """
        Drop a code that nobody has; when that was.

        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; TILL_STOCK_UNKNOWN; COUPON_UNKNOWN; COUPON_SPENT; TILL_REQUEST_DIFFERS.
        Repeats:  the same.
        """
        check_manages(caller)

        def delete() -> dict[str, Any]:
            code = self._till.delete(self.stock(caller.payee, number).id, letters)
            return {"at_ns": code.changed_ns}

        return int((await self.once(caller, "delete", request, [number, letters], delete))["at_ns"])

    async def tell_at(self, account: Account, url: str) -> VoucherCallback:
        """Where this account is told from now on that its coupons were sent. Repeats: the same."""

        def settle() -> VoucherCallback:
            known = self.callbacks.get(account.row.id)
            if known is not None and known.url == url:
                return known
            callback = VoucherCallback(id=account.row.id, url=url, is_on=True, changed_ns=self._node.clock.now_ns())
            self.callbacks.put(callback)
            return callback

        return await decided(self._journal, settle)

    # What others ask.

    async def once(
        self, caller: Caller, verb: str, number: str, content: Any, act: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """
        Act once under a number, and answer what was answered then whenever it comes again.

        Refuses:  TILL_REQUEST_DIFFERS for another content; what `act` refuses, which keeps nothing of the number.
        """
        key, asked = request_id(caller, verb, number), digest(content)

        def decide() -> dict[str, Any]:
            known = self._requests.get(key)
            if known is not None:
                if known.content != asked:
                    raise Refusal(TillCouponReason.TILL_REQUEST_DIFFERS, number=number)
                answered: dict[str, Any] = msgspec.json.decode(known.answer)
                return answered
            answer = act()
            self._requests.put(
                TillRequest(
                    id=key,
                    account_id=caller.account.row.id,
                    content=asked,
                    answer=msgspec.json.encode(answer),
                    at_ns=self._node.clock.now_ns(),
                )
            )
            return answer

        return await decided(self._journal, decide)

    def stock(self, account: Account, number: str) -> TillStock:
        """One of this account's, or of its merchant's. Refuses TILL_STOCK_UNKNOWN."""
        for stock in self.all.find("number_key", number_key(number)):
            if self.is_of(stock, account):
                return stock
        raise Refusal(TillCouponReason.TILL_STOCK_UNKNOWN)

    def caller(self, account: Account, stock: TillStock) -> Caller:
        """An account that acts for whose stock it is. Refuses PARTNER_NOT_ALLOWED where it may not any more."""
        payee = self._accounts.account(stock.payee_id)
        if account.row.merchant_id == stock.merchant_id:
            return Caller(account, account)
        return acting_for(account, payee)

    def is_of(self, stock: TillStock, account: Account) -> bool:
        """Whether it is this account's: who made it, or whose merchant takes its coupons."""
        return account.row.id == stock.account_id or account.row.merchant_id == stock.merchant_id

    def template(self, stock: TillStock) -> CouponTemplate:
        return self._templates.template(stock.id)

    def sent(self, stock: TillStock) -> int:
        """How many coupons of it there are."""
        return self._templates.stock(stock.id).claimed

    def state(self, stock: TillStock) -> StockState:
        """How it stands now."""
        template = self.template(stock)
        if template.state == TemplateState.ENDED or template.told.validity.is_over(self._node.clock.now_ns()):
            return StockState.OVER
        return StockState.PAUSED if template.state == TemplateState.PAUSED else StockState.RUNNING

    def _number(self, id_: int) -> str:
        for drawn in count():
            number = digits(id_, f"till stock/{drawn}", STOCK_DIGITS)
            if not self.all.find("number_key", number_key(number)):
                return number
        raise AssertionError("there are numbers enough")


def check_manages(caller: Caller) -> None:
    """Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS: it is about the merchant's prices."""
    caller.key.check_right(Right.MANAGE)
    caller.key.check_whole_merchant()
