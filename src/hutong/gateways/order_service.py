"""Orders: placed through a gateway, and paid as every other payment request is."""

import re
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from hutong.codes.plate import PATH
from hutong.gateways.account import Account, Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order import (
    ORDERS,
    Closed,
    GatewayOrder,
    OrderDraft,
    Trade,
    TradeState,
    trade_key,
    trade_number,
)
from hutong.gateways.payer import PayerIds, payer_here, payer_of
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.vouchers.stock import UsedVoucher
from hutong.institution.merchants.merchant import REMARK_LENGTH_MAX
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.request_to_pay import Charge, ChargeState
from hutong.institution.requests.draft import RequestDraft
from hutong.institution.requests.reasons import RequestReason
from hutong.institution.requests.request import PaymentRequest, RequestState
from hutong.kernel.errors import Refusal
from hutong.runtime.journal import durable
from hutong.runtime.shelf import Shelf, decided, warmed
from hutong.scheme.messages import Channel

_ORDER_ID = re.compile("[0-9a-f]{32}")
_NAMES_PAYER = re.compile(rb'openid"|"buyer_id"')  # In an order's facts.
_SEEN_MAX = 100_000
_ATTEMPTS_MAX = 50
_ENDED = (TradeState.CLOSED, TradeState.REVERSED)
# Hears of each order that was paid, in the decision that completes its payment: what else is to happen to the money.
PaidHook = Callable[[GatewayOrder, Receipt | Payment], None]


class OrderService:
    """Everything is scoped to the account that is paid: another's order is unknown (invariant 8)."""

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        notifications: NotificationService,
        payers: PayerIds,
    ) -> None:
        self._institution = institution
        self._node = institution.node
        self._journal = institution.node.journal
        self._requests = institution.requests
        self._payments = institution.payments
        self._accounts = accounts
        self._notifications = notifications
        self.payers = payers
        self.orders = Shelf(ORDERS, self._journal, self._node.store, by=("trade_key",), timed=True)
        self._seen: OrderedDict[int, None] = OrderedDict()
        self.on_paid: list[PaidHook] = []
        self.wall = self._node.clock  # By which merchants' software names instants: see `Gateways.wall`.
        self.pages_at: Callable[[], str] | None = None  # In a network for trying out.
        self.on_look_up: list[Callable[[GatewayOrder], None]] = []  # Brings into memory what `on_paid` needs.
        self.vouchers_of: Callable[[Payment], tuple[UsedVoucher, ...]] = _none  # Which coupons made it cheaper.
        self.looked: Callable[[Trade], Trade] | None = None  # What a sandbox shows instead of an order as it is.

    async def start(self) -> None:
        await self.orders.start()

    # For merchants.

    async def place(self, caller: Caller, draft: OrderDraft) -> Trade:
        """
        Ask to be paid by whoever scans, or is led to, the order's code.

        Refuses:  ORDER_PAID, ORDER_CLOSED, ORDER_REVERSED for a number that has ended; ORDER_DIFFERS; what
                  `RequestService.create` refuses.
        Repeats:  the order as it is.
        """
        return await decided(self._journal, lambda: self.placed(caller, draft))

    def placed(self, caller: Caller, draft: OrderDraft) -> Trade:
        """`place`, within a decision."""
        known = self._newest(caller, draft.out_trade_no)
        if known is not None:
            return self._repeated(caller, draft, self.trade(known))
        request = self._requests.create(caller.key, _asked(caller, draft, Channel.DYNAMIC_CODE, 1))
        return self._put(caller, draft, request, 1)

    async def collect(self, caller: Caller, draft: OrderDraft) -> Trade:
        """
        Ask the holder of `draft.payer_code` to pay, and wait until their side has said something, or a while.

        Refuses:  as `place`, but ORDER_PAID only for other content; a code that failed may be followed by another under the same number.
        Repeats:  the order as it is now, paid, too; asks again while nobody has answered.
        """
        answered = self._journal.promise()

        def answer(_charge: Charge) -> None:
            if not answered.done():
                answered.set_result(None)

        def failed(error: Exception) -> None:
            if not answered.done():
                answered.set_exception(error)

        def charge() -> Trade:
            attempt, known = 1, self._newest(caller, draft.out_trade_no)
            if known is not None:
                trade = self.trade(known)
                if trade.state is not TradeState.FAILED or trade.order.content == draft.digest(caller):
                    repeated = self._repeated(caller, draft, trade)
                    if repeated.state is not TradeState.PAYING:
                        answer_now()
                        return repeated
                    attempt = known.attempt
                else:
                    attempt = known.attempt + 1
            asked = _asked(caller, draft, Channel.PAYMENT_CODE, attempt)
            request = self._institution.tills.charge(caller.key, asked, answer, failed)
            if known is not None and known.id == request.id:
                return self.trade(known)
            if known is not None:
                self._retire(caller, known)
            return self._put(caller, draft, request, attempt)

        def answer_now() -> None:
            if not answered.done():
                answered.set_result(None)

        trade = await decided(self._journal, charge)
        await answered
        trade = await warmed(self._journal, lambda: self.found(caller, out_trade_no=trade.order.out_trade_no))
        if not self.orders.is_durable(trade.order.id):
            await durable(self._journal)  # Else what is answered was let out with the commit that made it so.
        return trade if self.looked is None else self.looked(trade)

    async def find(self, caller: Caller, *, out_trade_no: str = "", trade_no: str = "") -> Trade:
        """By the merchant's number or ours. Refuses ORDER_UNKNOWN."""
        trade = await decided(self._journal, lambda: self.found(caller, out_trade_no=out_trade_no, trade_no=trade_no))
        return trade if self.looked is None else self.looked(trade)

    def found(self, caller: Caller, *, out_trade_no: str = "", trade_no: str = "") -> Trade:
        """`find`, within a decision."""
        order = self._by_trade_no(caller, trade_no) if trade_no else self._newest(caller, out_trade_no)
        if order is None or (out_trade_no and order.out_trade_no != out_trade_no):
            raise Refusal(GatewayReason.ORDER_UNKNOWN, out_trade_no=out_trade_no, trade_no=trade_no)
        return self.trade(order)

    def known(self, caller: Caller, out_trade_no: str) -> Trade | None:
        """The order of this number, if there is one. Within a decision."""
        order = self._newest(caller, out_trade_no)
        return None if order is None else self.trade(order)

    async def close(self, caller: Caller, *, out_trade_no: str = "", trade_no: str = "") -> Trade:
        """
        Take an order back for good.

        Refuses:  ORDER_UNKNOWN; ORDER_PAID; ORDER_PAYING while a payment is under way; ORDER_REVERSED.
        Repeats:  the order, closed.
        """

        def close() -> Trade:
            trade = self.found(caller, out_trade_no=out_trade_no, trade_no=trade_no)
            match trade.state:
                case TradeState.PAID:
                    raise Refusal(GatewayReason.ORDER_PAID)
                case TradeState.REVERSED:
                    raise Refusal(GatewayReason.ORDER_REVERSED)
                case TradeState.CLOSED:
                    return trade
                case _:
                    return self._cancelled(caller, trade, Closed.CLOSED)

        return await decided(self._journal, close)

    async def cancel(self, caller: Caller, *, out_trade_no: str = "", trade_no: str = "") -> Trade:
        """
        The first half of a reversal: nobody can pay the order any more. What was paid stays so: give it back, then `reversed`.

        Refuses:  ORDER_UNKNOWN; ORDER_PAYING while a payment is under way.
        Repeats:  the order as it is.
        """

        def cancel() -> Trade:
            trade = self.found(caller, out_trade_no=out_trade_no, trade_no=trade_no)
            if trade.state in (TradeState.PAID, TradeState.REVERSED):
                return trade
            return self._cancelled(caller, trade, Closed.REVERSED)

        return await decided(self._journal, cancel)

    def reversed(self, trade: Trade) -> Trade:
        """The second half, within a decision: its money went back, or is on its way."""
        order = self.orders.get(trade.order.id)
        assert order is not None
        found = self.trade(order)
        if order.closed != Closed.REVERSED:
            order = msgspec.structs.replace(order, closed=Closed.REVERSED.value)
            self.orders.put(order)
        return msgspec.structs.replace(found, order=order, state=TradeState.REVERSED)

    def code_url(self, trade: Trade) -> str:
        """What the order's QR code says: every wallet of the network reads it."""
        return self._requests.link(trade.request)

    def page_url(self, trade: Trade) -> str:
        """Where a browser opens the order: its code leads there, but where plates lead nowhere, to the node's own pages."""
        code = self.code_url(trade)
        return f"{self.pages_at()}{PATH}{code.rpartition('/')[2]}" if self.pages_at else code

    def code_of_prepay(self, prepay_id: str) -> str:
        """The code of the order that an app or a page names so. Refuses ORDER_UNKNOWN. May raise `Cold`."""
        digits = prepay_id.removeprefix("wx")
        order = self.orders.get(int(digits, 16)) if _ORDER_ID.fullmatch(digits) else None
        if order is None:
            raise Refusal(GatewayReason.ORDER_UNKNOWN, prepay_id=prepay_id)
        return self.code_url(self.trade(order))

    def caller_of(self, order: GatewayOrder) -> Caller:
        """Who placed an order, as things stand now."""
        return Caller(self._accounts.account(order.account_id), self._accounts.account(order.payee_id))

    # The order itself.

    def trade(self, order: GatewayOrder) -> Trade:
        """All that became of an order. May raise `Cold`."""
        request = self._requests.request(order.id)
        charge = None
        if request.channel == Channel.PAYMENT_CODE.value:
            charge = self._payments.charges.charges.get(order.id)
        payment = self.payment_of(order) if order.payment_id else None
        refunded = refunds = 0
        if payment is not None:
            for refund, outcome in self._payments.refunds.of_payment(payment.id):
                if outcome is None or outcome.completed:
                    refunded += refund.gross
                    refunds += 1
        now_ns = self._node.clock.now_ns()
        return Trade(
            order=order,
            request=request,
            state=_state(order, request, charge, now_ns),
            is_final=order.is_final(now_ns),
            payment=payment,
            charge=charge,
            refunded=refunded,
            refunds=refunds,
            was_seen=request.id in self._seen or request.state != RequestState.OPEN,
            vouchers=self.vouchers_of(payment) if isinstance(payment, Payment) and payment.adjuster else (),
        )

    def payment_of(self, order: GatewayOrder) -> Receipt | Payment:
        """The payment of an order that was paid. May raise `Cold`."""
        here = order.payer.startswith("/")
        found: Receipt | Payment | None
        if here:
            found = self._payments.debtor.payments.get(order.payment_id)
        else:
            found = self._payments.creditor.receipts.get(order.payment_id)
        assert found is not None, "an order names its payment when that is written down"
        return found

    def _newest(self, caller: Caller, out_trade_no: str) -> GatewayOrder | None:
        """The order of this number: its last attempt."""
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                request = self._requests.get_by_reference(caller.key, out_trade_no, _door(caller, attempt))
            except Refusal as refusal:
                if refusal.reason is RequestReason.REQUEST_UNKNOWN:
                    return None
                raise
            order = self.orders.get(request.id)
            assert order is not None, "an order is written down with its request"
            if order.closed != Closed.RETRIED:
                return order
        raise Refusal(GatewayReason.ORDER_CLOSED)

    def _by_trade_no(self, caller: Caller, trade_no: str) -> GatewayOrder | None:
        for order in self.orders.find("trade_key", trade_key(trade_no)):
            if order.payee_id == caller.payee.row.id:
                return order
        return None

    def _put(self, caller: Caller, draft: OrderDraft, request: PaymentRequest, attempt: int) -> Trade:
        account: Account = caller.payee
        number = trade_number(account.row, request.id)
        order = GatewayOrder(
            id=request.id,
            account_id=caller.account.row.id,
            payee_id=account.row.id,
            dialect=draft.dialect.value,
            product=draft.product,
            out_trade_no=draft.out_trade_no,
            trade_no=number,
            trade_key=trade_key(number),
            notify_url=draft.notify_url,
            facts=msgspec.json.encode(draft.facts),
            content=draft.digest(caller),
            closed=Closed.NO.value,
            attempt=attempt,
            payment_id=0,
            paid_ns=0,
            payer="",
            created_ns=request.created_ns,
        )
        self.orders.put(order)
        self.orders.all_known("trade_key", order.trade_key)
        state = TradeState.PAYING if draft.payer_code else TradeState.NOT_PAID
        return Trade(order=order, request=request, state=state)

    def _repeated(self, caller: Caller, draft: OrderDraft, trade: Trade) -> Trade:
        if trade.order.content != draft.digest(caller):
            _check_not_ended(trade)
            raise Refusal(GatewayReason.ORDER_DIFFERS, out_trade_no=draft.out_trade_no)
        if not draft.payer_code or trade.state in _ENDED:
            _check_not_ended(trade)
        return trade

    def _retire(self, caller: Caller, order: GatewayOrder) -> None:
        """Its payment code failed, and another comes under the same number: nobody may pay the old one any more."""
        request = self._requests.request(order.id)
        if request.state == RequestState.OPEN:
            self._requests.cancel(caller.key, order.id)
        self.orders.put(msgspec.structs.replace(order, closed=Closed.RETRIED.value))

    def _cancelled(self, caller: Caller, trade: Trade, closed: Closed) -> Trade:
        if trade.request.state == RequestState.CLAIMED:
            raise Refusal(GatewayReason.ORDER_PAYING)
        request = self._requests.cancel(caller.key, trade.request.id)
        order = msgspec.structs.replace(trade.order, closed=closed.value)
        self.orders.put(order)
        state = TradeState.REVERSED if closed is Closed.REVERSED else TradeState.CLOSED
        return msgspec.structs.replace(trade, order=order, request=request, state=state)

    # What the institution tells (`requests.gateway.Gateway`).

    def look_up(self, request: PaymentRequest) -> None:
        """May raise `Cold`."""
        order = self.orders.get(request.id)
        if order is not None:  # None for the caller who is just placing it.
            self._accounts.account(order.payee_id)
            for look_up in self.on_look_up:
                look_up(order)

    def check_payer(self, request: PaymentRequest, payer: str) -> None:
        """
        An order that names its payer by an id of ours is paid by nobody else. May raise `Cold`.

        Refuses:  ORDER_FOR_ANOTHER.
        """
        order = self.orders.get(request.id)
        assert order is not None, "an order is written down with its request"
        if not _NAMES_PAYER.search(order.facts):
            return
        told, payer = order.told, order.signed_as or payer
        for prefix in ("", "sub_"):
            application, openid = told.get(f"{prefix}appid"), told.get(f"{prefix}openid")
            if application and openid and self.payers.is_another(application, openid, payer):
                raise Refusal(GatewayReason.ORDER_FOR_ANOTHER)
        named = self._numbered(told.get("buyer_id", ""))
        if named and payer != named:
            raise Refusal(GatewayReason.ORDER_FOR_ANOTHER)

    def _numbered(self, number: str) -> str:
        """Who of ours is meant by a 2088 number; nobody, where it is none of ours. May raise `Cold`."""
        user_number = self.payers.user_number(number)
        if user_number is None:
            return ""
        try:
            return payer_here(self._institution.people.user_numbered(user_number).id)
        except Refusal:
            return ""

    def seen(self, request: PaymentRequest) -> None:
        """A wallet looks at it. Kept in memory alone: after a restart it is looked at again, or paid."""
        self._seen[request.id] = None
        if len(self._seen) > _SEEN_MAX:
            self._seen.popitem(last=False)

    def received(self, request: PaymentRequest, payment: Receipt | Payment) -> None:
        """The order was paid: it says so, and its merchant is told."""
        order = self.orders.get(request.id)
        assert order is not None, "an order is written down with its request"
        order = msgspec.structs.replace(
            order, payment_id=payment.id, paid_ns=self._node.clock.now_ns(), payer=order.signed_as or payer_of(payment)
        )
        self.orders.put(order)
        self._payments.refunds.none_yet(payment.id)
        if order.notify_url:
            self._notifications.add(order.account_id, order.dialect, News.PAID, order.id, order.notify_url)
        for hook in self.on_paid:
            hook(order, payment)


def _none(_: Payment) -> tuple[UsedVoucher, ...]:
    return ()


def _door(caller: Caller, attempt: int) -> str:
    return caller.door if attempt == 1 else f"{caller.door}#{attempt}"


def _asked(caller: Caller, draft: OrderDraft, channel: Channel, attempt: int) -> RequestDraft:
    return RequestDraft(
        reference=draft.out_trade_no,
        amount=draft.amount,
        channel=channel,
        remark=draft.description[:REMARK_LENGTH_MAX],
        payer_code=draft.payer_code,
        lifetime_s=draft.lifetime_s,
        door=_door(caller, attempt),
    )


def _check_not_ended(trade: Trade) -> None:
    match trade.state:
        case TradeState.PAID:
            raise Refusal(GatewayReason.ORDER_PAID)
        case TradeState.CLOSED:
            raise Refusal(GatewayReason.ORDER_CLOSED)
        case TradeState.REVERSED:
            raise Refusal(GatewayReason.ORDER_REVERSED)


def _state(order: GatewayOrder, request: PaymentRequest, charge: Charge | None, now_ns: int) -> TradeState:
    if order.closed == Closed.REVERSED:
        return TradeState.REVERSED
    match request.state_at(now_ns):
        case RequestState.PAID:
            return TradeState.PAID
        case RequestState.CLAIMED:
            return TradeState.PAYING
        case RequestState.CANCELLED:
            return TradeState.CLOSED
        case RequestState.OPEN if charge is None and request.payer_code:
            return TradeState.PAYING  # It is just being asked.
        case RequestState.OPEN | RequestState.EXPIRED if charge is not None and charge.state == ChargeState.REJECTED:
            return TradeState.FAILED
        case RequestState.OPEN:
            return TradeState.NOT_PAID if charge is None else TradeState.PAYING
        case _:
            return TradeState.CLOSED
