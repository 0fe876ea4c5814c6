"""Merchants' own coupons in people's hands: sent, bound to an order, taken, given back and ended, each once for its number."""

from typing import Any, NamedTuple

from hutong.gateways.account import Account, Caller
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order import Dialect
from hutong.gateways.till_coupons.reasons import TillCouponReason
from hutong.gateways.till_coupons.stock import CODE_DIGITS, CodeMode, StockState, TillStock, digits, request_id
from hutong.gateways.till_coupons.stock_service import TillStockService, check_manages
from hutong.gateways.till_coupons.subsidy_service import SubsidyService
from hutong.institution.merchants.staff_key import Right
from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.coupon import Coupon
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.service import Coupons
from hutong.marketing.coupons.till_code import TillCode, TillState
from hutong.runtime.shelf import warmed


class TillCoupon(NamedTuple):
    """One person's, with all that its merchant is told of it."""

    stock: TillStock
    code: TillCode
    coupon: Coupon


class TillCouponService:
    """What takes a `Caller` or an account answers to whose stock it is (invariant 8)."""

    def __init__(
        self,
        institution: InstitutionNode,
        coupons: Coupons,
        stocks: TillStockService,
        subsidies: SubsidyService,
        notifications: NotificationService,
    ) -> None:
        self._clock = institution.node.clock
        self._journal = institution.node.journal
        self._people = institution.people
        self._coupons = coupons
        self._till = coupons.till
        self._stocks = stocks
        self._subsidies = subsidies
        self._notifications = notifications

    # For merchants.

    async def send(self, caller: Caller, number: str, user_id: int | None, request: str, letters: str) -> str:
        """
        A coupon for a person, who is told; its code.

        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; TILL_PERSON_UNKNOWN, TILL_STOCK_UNKNOWN, TILL_STOCK_OVER, TILL_CODE_NEEDED,
                  TILL_CODE_NOT_ASKED, TILL_REQUEST_DIFFERS; USER_CLOSED, USER_FROZEN; what `TillService.send` does.
        Repeats:  the same code.
        """
        check_manages(caller)
        if user_id is None:
            raise Refusal(TillCouponReason.TILL_PERSON_UNKNOWN)

        def send() -> dict[str, Any]:
            stock = self._stocks.stock(caller.payee, number)
            mode = CodeMode(stock.code_mode)
            if mode is CodeMode.MERCHANT_API and not letters:
                raise Refusal(TillCouponReason.TILL_CODE_NEEDED, field="coupon_code")
            if mode is not CodeMode.MERCHANT_API and letters:
                raise Refusal(TillCouponReason.TILL_CODE_NOT_ASKED, field="coupon_code")
            self._people.user(user_id).may_receive()
            self._check_sending(stock)
            claim_id = request_id(caller, "send", request)
            own = digits(claim_id, "till coupon", CODE_DIGITS) if mode is CodeMode.WECHATPAY_MODE else letters
            sent_by = caller.account.row.id
            code = self._till.send(claim_id, stock.id, user_id, own, sent_by=sent_by, number=request)
            callback = self._stocks.callbacks.get(stock.account_id)
            if callback is not None:
                kind, dialect = News.COUPON_SENT, Dialect.WECHATPAY_V3.value
                self._notifications.add(stock.account_id, dialect, kind, code.id, callback.url)
            return {"code": code.letters}

        answered = await self._stocks.once(caller, "send", request, [number, f"{user_id:x}", letters], send)
        return str(answered["code"])

    def _check_sending(self, stock: TillStock) -> None:
        if self._stocks.state(stock) is StockState.OVER:
            raise Refusal(TillCouponReason.TILL_STOCK_OVER)
        if stock.per_day and self.sent_today(stock) >= stock.per_day:
            raise Refusal(CouponReason.COUPON_LIMIT_REACHED, of="day", limit=stock.per_day)

    async def take(
        self,
        caller: Caller,
        code: TillCode,
        request: str,
        *,
        user_id: int | None,
        order_no: str = "",
        paid_for: str = "",
        said: str = "",
    ) -> dict[str, Any]:
        """
        The merchant takes a coupon: whose it was (`person`, hexadecimal), and `at_ns`. `user_id` of whom it must be, if anybody.

        Refuses:  ROLE_MAY_NOT; TILL_PERSON_DIFFERS, TILL_REQUEST_DIFFERS; what `TillService.take` does.
        Repeats:  the same.
        """
        caller.key.check_right(Right.CHARGE)

        def take() -> dict[str, Any]:
            now = self._till.code(code.template_id, code.letters)
            now.check_sent()
            if user_id is not None and self._till.coupon_of(now).person_id != user_id:
                raise Refusal(TillCouponReason.TILL_PERSON_DIFFERS)
            taken, coupon = self._till.take(now, request, order_no=order_no, paid_for=paid_for or order_no)
            return {"person": f"{coupon.person_id:x}", "at_ns": taken.taken_ns}

        asked = [f"{code.id:x}", f"{user_id or 0:x}", order_no, paid_for, said]
        return await self._stocks.once(caller, "take", request, asked, take)

    async def give_back(self, caller: Caller, stock: TillStock, letters: str, request: str) -> int:
        """
        What was taken is the person's again; when that was.

        Refuses:  ROLE_MAY_NOT; SUBSIDY_PAID; TILL_REQUEST_DIFFERS; what `TillService.give_back` does.
        Repeats:  the same.
        """
        caller.key.check_right(Right.REFUND)

        def give_back() -> dict[str, Any]:
            code = self._till.code(stock.id, letters)
            if self._subsidies.borne(code.id):
                raise Refusal(TillCouponReason.SUBSIDY_PAID)
            return {"at_ns": self._till.give_back(code, request).changed_ns}

        return await self._at(caller, "give back", request, [stock.number, letters], give_back)

    async def void(self, caller: Caller, stock: TillStock, letters: str, request: str, because: str) -> int:
        """
        Nobody can use it any more; when that was.

        Refuses:  ROLE_MAY_NOT, SHOP_NOT_YOURS; TILL_REQUEST_DIFFERS; what `TillService.void` does.
        Repeats:  the same.
        """
        check_manages(caller)

        def void() -> dict[str, Any]:
            return {"at_ns": self._till.void(self._till.code(stock.id, letters), request, because).changed_ns}

        return await self._at(caller, "void", request, [stock.number, letters, because], void)

    async def bind(
        self, caller: Caller, stock: TillStock, letters: str, request: str, order_no: str, *, on: bool
    ) -> int:
        """
        Note what order a coupon is for, or that it is for it no more; when that was.

        Refuses:  ROLE_MAY_NOT; TILL_REQUEST_DIFFERS; what `TillService.bind` and `unbind` do.
        Repeats:  the same.
        """
        caller.key.check_right(Right.CHARGE)

        def bind() -> dict[str, Any]:
            code = self._till.code(stock.id, letters)
            _ = self._till.bind(code, order_no) if on else self._till.unbind(code, order_no)
            return {"at_ns": self._clock.now_ns()}

        return await self._at(caller, f"bind {on}", request, [stock.number, letters, order_no], bind)

    async def _at(self, caller: Caller, verb: str, request: str, content: list[str], act: Any) -> int:
        return int((await self._stocks.once(caller, verb, request, content, act))["at_ns"])

    # What others ask.

    async def read(self, account: Account, letters: str, number: str) -> tuple[TillStock, TillCode]:
        """
        The code that a till read; `number` of its stock, or empty where the code is one of ours.

        Refuses:  TILL_STOCK_UNKNOWN; TILL_STOCK_NEEDED; COUPON_UNKNOWN, for another's just so.
        """

        def read() -> tuple[TillStock, TillCode]:
            if number:
                stock = self._stocks.stock(account, number)
                return stock, self._till.code(stock.id, letters)
            alike = [(own, code) for code in self._till.alike(letters) if (own := self._own(account, code))]
            for own, code in alike:
                if own.code_mode == CodeMode.WECHATPAY_MODE:
                    return own, code
            if alike:
                raise Refusal(TillCouponReason.TILL_STOCK_NEEDED, field="stock_id")
            raise Refusal(CouponReason.COUPON_UNKNOWN)

        return await warmed(self._journal, read)

    async def codes(self, stock: TillStock) -> list[TillCode]:
        """All of a stock, oldest first."""
        return await warmed(self._journal, lambda: self._till.codes(stock.id))

    async def of_person(self, account: Account, user_id: int | None) -> list[TillCoupon]:
        """What a person has or had of this account's stocks, newest first; of a person elsewhere nothing."""
        if user_id is None:
            return []

        def find() -> list[TillCoupon]:
            found = []
            for coupon in self._coupons.redemptions.coupons(user_id):
                code = None if coupon.campaign_id else self._till.of_coupon(coupon.id)
                stock = None if code is None else self._own(account, code)
                if code is not None and stock is not None:
                    found.append(TillCoupon(stock, code, coupon))
            return sorted(found, key=lambda each: (-each.coupon.claimed_ns, each.coupon.id))

        return await warmed(self._journal, find)

    async def find(self, account: Account, user_id: int | None, letters: str) -> TillCoupon:
        """A person's, by its code. Refuses COUPON_UNKNOWN."""
        for each in await self.of_person(account, user_id):
            if each.code.letters == letters:
                return each
        raise Refusal(CouponReason.COUPON_UNKNOWN)

    def told(self, code_id: int) -> TillCoupon:
        """What a piece of news is about. May raise `Cold`."""
        code = self._till.by_id(code_id)
        stock = self._stocks.all.get(code.template_id)
        assert stock is not None
        return TillCoupon(stock, code, self._till.coupon_of(code))

    def letters(self, code_id: int) -> str:
        """How a code that is known to be there reads. May raise `Cold`."""
        return self._till.by_id(code_id).letters

    def state(self, code: TillCode) -> str:
        """The code's state, or EXPIRED. May raise `Cold`."""
        over = code.state == TillState.SENT and self._till.is_over(code)
        return "EXPIRED" if over else code.state

    def sent_today(self, stock: TillStock) -> int:
        """How many were sent since midnight."""
        return self._coupons.claims.claimed_today(stock.id)

    def holder(self, code: TillCode) -> int:
        """Who has it, or had it; 0: nobody. May raise `Cold`."""
        return self._till.coupon_of(code).person_id if code.coupon_id else 0

    def _own(self, account: Account, code: TillCode) -> TillStock | None:
        stock = self._stocks.all.get(code.template_id)
        return stock if stock is not None and self._stocks.is_of(stock, account) else None
