"""
Payments over HTTP: for payers, for whoever holds a merchant's staff key, and for the institution's operator.

`POST /v1/payments` itself is answered by `hot`; it stands here to be described.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeVar

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from hutong.institution import chart
from hutong.institution.door_api import Doors
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.payments.allowance import Allowances
from hutong.institution.payments.bodies import (
    BANK_ACCOUNT_PREFIX,
    MANDATE_PREFIX,
    PAY_IN_PREFIX,
    QUOTE_PREFIX,
    REFUND_PREFIX,
    TO_PAY_PREFIX,
    TOP_UP_PREFIX,
    ApproveBody,
    BalanceView,
    BankAccountView,
    ChargeView,
    ConsultBody,
    LinkBody,
    MandateBody,
    MandateView,
    PaidIn,
    PayInBody,
    QuoteView,
    RefundBody,
    ToPayView,
    TopUpBody,
    TopUpView,
    WithdrawalBody,
    bank_account_view,
    charge_view,
    mandate_view,
    quote_view,
    to_pay_view,
    top_up_view,
)
from hutong.institution.payments.counter_service import CounterService
from hutong.institution.payments.hot_api import PayBody, rejected
from hutong.institution.payments.mandate import TopUp
from hutong.institution.payments.oversight_api import Oversight
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import RefundOrder, return_id_of
from hutong.institution.payments.request_to_pay import Charge
from hutong.institution.payments.service import PaymentService
from hutong.institution.payments.statement import StatementPage
from hutong.institution.payments.till_service import TillService
from hutong.institution.payments.views import (
    PaymentPage,
    PaymentView,
    ReceiptPage,
    ReceiptView,
    RefundView,
    payment_view,
    receipt_view,
    received_view,
    refund_view,
)
from hutong.institution.people.device import Session
from hutong.institution.people.service import PeopleService
from hutong.institution.people.user import Tier
from hutong.institution.requests.views import CreateRequest
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.runtime.http import Problem
from hutong.runtime.shelf import decided, warmed

Answer = TypeVar("Answer")

Cursor = Annotated[int | None, QueryParameter(ge=1, le=2**63 - 1, description="The `next_cursor` of the page before.")]
AtMs = Annotated[int | None, QueryParameter(ge=0, le=(2**63 - 1) // NS_PER_MS, description="Since 1970 UTC.")]
Limit = Annotated[int, QueryParameter(ge=1, le=200, description="How many at most.")]

_ASK_LATER = "Undecided as yet: ask for it later, or send the same again."
_UNDECIDED = {202: ResponseSpec(PaymentView, generate_examples=False, description=_ASK_LATER)}
_REFUND_UNDECIDED = {202: ResponseSpec(RefundView, generate_examples=False, description=_ASK_LATER)}


@dataclass(frozen=True, slots=True)
class PaymentEdge:
    """What the handlers need."""

    payments: PaymentService
    people: PeopleService
    tills: TillService
    counter: CounterService

    async def decided(self, decide: Callable[[], Answer]) -> Answer:
        """Decide, and answer when that is durable."""
        return await decided(self.payments.node.journal, decide)

    async def concluded(
        self, decide: Callable[[Callable[[Any, Outcome | None], None]], None]
    ) -> tuple[Any, Outcome | None]:
        """Decide, and wait for the conclusion, or to hear that it is still undecided."""
        answered = self.payments.node.journal.promise()

        def answer(row: Any, outcome: Outcome | None) -> None:
            if not answered.done():  # Who waited may have gone.
                answered.set_result((row, outcome))

        await warmed(self.payments.node.journal, lambda: decide(answer))
        self.payments.node.journal.seal()
        concluded: tuple[Any, Outcome | None] = await answered
        return concluded

    async def approved(
        self, user_id: int, to_pay_id: int, pin_token: str, quote_id: str = ""
    ) -> tuple[Any, Outcome | None]:
        """As `concluded`, of what a till asked for; where its discount is gone nobody is left waiting."""
        to_pays = self.payments.to_pays
        shown = parse_id(QUOTE_PREFIX, quote_id) if quote_id else 0
        try:
            return await self.concluded(
                lambda answer: to_pays.approve(user_id, to_pay_id, pin_token, answer, quote_id=shown)
            )
        except Refusal as refusal:
            if refusal.reason is PaymentReason.DISCOUNT_GONE and refusal.facts.get("side") == "payee":
                await self.decided(partial(to_pays.end, user_id, to_pay_id, refusal))
            raise

    def top_up(self, top_up: TopUp) -> TopUpView:
        return top_up_view(top_up, self.payments.node.clock.now_ns())

    async def wallet(self, session: Session) -> int:
        """The account of who asks."""
        user = await warmed(self.payments.node.journal, lambda: self.people.user(session.user_id))
        return user.wallet_account

    async def balance(self, account_id: int, at_ms: int | None) -> BalanceView:
        currency = self.payments.chart.currency.alpha
        if at_ms is not None:
            balance = await self.payments.statements.balance_at(account_id, at_ms * NS_PER_MS)
            return BalanceView(balance=balance, held=0, currency=currency, at_ms=at_ms)
        balance, held = await self.payments.statements.balance(account_id)
        return BalanceView(balance=balance, held=held, currency=currency)


Edge = NamedDependency[SkipValidation[PaymentEdge]]
Signed = NamedDependency[SkipValidation[Session]]
Key = NamedDependency[SkipValidation[StaffKey]]
OperatorName = NamedDependency[SkipValidation[str]]


def _response(view: Answer, outcome: Outcome | None, **facts: str) -> Response[Any]:
    """200 completed, 202 undecided as yet, 422 rejected by name."""
    if outcome is None:
        return Response(view, status_code=202)
    if outcome.completed:
        return Response(view, status_code=200)
    problem: Problem = rejected(outcome, **facts)
    return Response(problem, status_code=422)


class Paying(Controller):
    """What a payer does."""

    tags = ("Payments",)

    @post("/codes/consult", status_code=200)
    async def consult(self, edge: Edge, session: Signed, data: JSONBody[ConsultBody]) -> QuoteView:
        """Whom does this code pay, and how much? Shown to the payer; paid by its `quote_id`."""
        consult = edge.payments.consults.consult
        return quote_view(await consult(session.user_id, data.code, data.amount, data.chosen, explain=data.explain))

    @post("/payments", status_code=200, responses=_UNDECIDED)
    async def pay(self, edge: Edge, session: Signed, data: JSONBody[PayBody]) -> Response[PaymentView]:
        """
        Pay a quote. 200: completed. 202: undecided as yet; ask for the payment later, or send the same again.

        422: rejected, by name. The same id with the same content gets the same answer; other content is a conflict.
        """
        order = data.order()
        payment, outcome = await edge.concluded(lambda answer: edge.payments.debtor.pay(session.user_id, order, answer))
        return _response(payment_view(payment, outcome), outcome, payment_id=data.payment_id)

    @get("/payments")
    async def list_payments(self, edge: Edge, session: Signed, cursor: Cursor = None, limit: Limit = 50) -> PaymentPage:
        """My payments, sent and received, newest first, undecided ones too."""
        account = await edge.wallet(session)
        found, more = await edge.payments.statements.payments(account, before=cursor, limit=limit)
        views = [_view(payment, outcome, account) for payment, outcome in found]
        return PaymentPage(payments=views, next_cursor=more)

    @get("/payments/{payment_id:str}")
    async def payment(self, edge: Edge, session: Signed, payment_id: FromPath[str]) -> PaymentView | ReceiptView:
        """One payment, and its state now."""
        account = await edge.wallet(session)
        found, outcome = await edge.payments.statements.payment(parse_id("pay", payment_id), account)
        return _view(found, outcome, account)

    @get("/requests-to-pay")
    async def waiting(self, edge: Edge, session: Signed) -> list[ToPayView]:
        """What waits for my yes or no: a till scanned my payment code, and the PIN is needed."""
        return [to_pay_view(row) for row in await edge.payments.to_pays.waiting(session.user_id)]

    @post("/requests-to-pay/{to_pay_id:str}/quote", status_code=200)
    async def priced(self, edge: Edge, session: Signed, to_pay_id: FromPath[str]) -> QuoteView:
        """What it costs now, with what either side takes off: to be shown before the yes, which then names it."""
        id_ = parse_id(TO_PAY_PREFIX, to_pay_id)
        quote = await warmed(edge.payments.node.journal, lambda: edge.payments.to_pays.quote(session.user_id, id_))
        return quote_view(quote)

    @post("/requests-to-pay/{to_pay_id:str}/approve", status_code=200, responses=_UNDECIDED)
    async def approve(
        self, edge: Edge, session: Signed, to_pay_id: FromPath[str], data: JSONBody[ApproveBody]
    ) -> Response[PaymentView]:
        """Say yes: pay it."""
        id_ = parse_id(TO_PAY_PREFIX, to_pay_id)
        payment, outcome = await edge.approved(session.user_id, id_, data.pin_token, data.quote_id)
        view = payment_view(payment, outcome)
        return _response(view, outcome, payment_id=view.payment_id)

    @post("/requests-to-pay/{to_pay_id:str}/decline", status_code=200)
    async def decline(self, edge: Edge, session: Signed, to_pay_id: FromPath[str]) -> ToPayView:
        """Say no: nothing was held, and the till is told."""
        id_ = parse_id(TO_PAY_PREFIX, to_pay_id)
        return to_pay_view(await edge.decided(lambda: edge.payments.to_pays.decline(session.user_id, id_)))

    @get("/balance")
    async def balance(self, edge: Edge, session: Signed, at_ms: AtMs = None) -> BalanceView:
        """My balance, now or at a time."""
        return await edge.balance(await edge.wallet(session), at_ms)

    @get("/limits")
    async def limits(self, edge: Edge, session: Signed) -> Allowances:
        """My limits by the policy in force: what is used of each today and this year, and what another tier would allow."""
        usages = edge.payments.debtor.usages
        return await edge.decided(lambda: usages.allowances(edge.people.user(session.user_id), map(int, Tier)))

    @get("/statement")
    async def statement(self, edge: Edge, session: Signed, cursor: Cursor = None, limit: Limit = 50) -> StatementPage:
        """What came and went, newest first."""
        account = await edge.wallet(session)
        return await edge.payments.statements.statement(account, before=cursor, limit=limit)


class Banking(Controller):
    """Between a wallet and a bank."""

    tags = ("Bank accounts",)

    @post("/bank-accounts")
    async def link(self, edge: Edge, session: Signed, data: JSONBody[LinkBody]) -> BankAccountView:
        """Link an account of one's own at a bank."""
        id_ = parse_id(BANK_ACCOUNT_PREFIX, data.bank_account_id)
        link = edge.payments.bank_link
        return bank_account_view(
            await edge.decided(
                lambda: link.link(session.user_id, id_, name=data.name, mandate=data.mandate, code=data.code)
            )
        )

    @get("/bank-accounts")
    async def accounts(self, edge: Edge, session: Signed) -> list[BankAccountView]:
        """My linked accounts."""
        found = await edge.decided(lambda: edge.payments.bank_link.accounts(session.user_id))
        return [bank_account_view(account) for account in found]

    @delete("/bank-accounts/{bank_account_id:str}", status_code=200)
    async def unlink(self, edge: Edge, session: Signed, bank_account_id: FromPath[str]) -> BankAccountView:
        """Forget a linked account."""
        id_ = parse_id(BANK_ACCOUNT_PREFIX, bank_account_id)
        return bank_account_view(await edge.decided(lambda: edge.payments.bank_link.unlink(session.user_id, id_)))

    @post("/top-ups", status_code=200)
    async def top_up(self, edge: Edge, session: Signed, data: JSONBody[TopUpBody]) -> TopUpView:
        """Money in (充值). OPEN: the bank has not answered yet; ask later, or send the same again."""
        id_, account_id = parse_id(TOP_UP_PREFIX, data.top_up_id), parse_id(BANK_ACCOUNT_PREFIX, data.bank_account_id)
        link = edge.payments.bank_link
        answered = edge.payments.node.journal.promise()

        def answer(_charge: Charge) -> None:
            if not answered.done():
                answered.set_result(None)

        await edge.decided(lambda: link.top_up(session.user_id, id_, account_id, data.amount, answer))
        await answered
        return edge.top_up(await edge.decided(lambda: link.found(session.user_id, id_)))

    @get("/top-ups/{top_up_id:str}")
    async def show_top_up(self, edge: Edge, session: Signed, top_up_id: FromPath[str]) -> TopUpView:
        """One top-up, and its state now."""
        id_ = parse_id(TOP_UP_PREFIX, top_up_id)
        return edge.top_up(await edge.decided(lambda: edge.payments.bank_link.found(session.user_id, id_)))

    @post("/withdrawals", status_code=200, responses=_UNDECIDED)
    async def withdraw(self, edge: Edge, session: Signed, data: JSONBody[WithdrawalBody]) -> Response[PaymentView]:
        """Money out (提现): a payment to the linked account."""
        payment_id, account_id = parse_id("pay", data.payment_id), parse_id(BANK_ACCOUNT_PREFIX, data.bank_account_id)
        answered = edge.payments.node.journal.promise()

        def answer(payment: Payment, outcome: Outcome | None) -> None:
            if not answered.done():
                answered.set_result((payment, outcome))

        link = edge.payments.bank_link
        await link.withdraw(session.user_id, payment_id, account_id, data.amount, data.pin_token, answer)
        payment, outcome = await answered
        return _response(payment_view(payment, outcome), outcome, payment_id=data.payment_id)

    @post("/mandates")
    async def grant(self, edge: Edge, session: Signed, data: JSONBody[MandateBody]) -> MandateView:
        """At a bank: let a wallet elsewhere take money, so much a day. The `text` is shown to this call and its repeats."""
        mandates = edge.payments.mandates
        mandate, text = await edge.decided(
            lambda: mandates.grant(session.user_id, data.grantee, data.daily_max, data.name, data.grant_id)
        )
        return mandate_view(mandate, text)

    @get("/mandates")
    async def mandates(self, edge: Edge, session: Signed) -> list[MandateView]:
        """The mandates I granted."""
        found = await edge.decided(lambda: edge.payments.mandates.mandates(session.user_id))
        return [mandate_view(mandate) for mandate in found]

    @delete("/mandates/{mandate_id:str}", status_code=200)
    async def revoke(self, edge: Edge, session: Signed, mandate_id: FromPath[str]) -> MandateView:
        """Nothing more is taken under it."""
        id_ = parse_id(MANDATE_PREFIX, mandate_id)
        return mandate_view(await edge.decided(lambda: edge.payments.mandates.revoke(session.user_id, id_)))


class Selling(Controller):
    """What a merchant does with money."""

    tags = ("Merchants: payments and refunds",)

    @post("/charges", status_code=200)
    async def charge(self, edge: Edge, key: Key, data: JSONBody[CreateRequest]) -> ChargeView:
        """
        Charge the payment code scanned off a payer's phone, and wait for what the payer's side says.

        WAITING: the payer is asked for the PIN. ASKED: no answer yet; send the same again.
        """
        answered = edge.payments.node.journal.promise()

        def answer(charge: Charge) -> None:
            if not answered.done():
                answered.set_result(charge)

        draft = data.draft()

        def failed(error: Exception) -> None:
            if not answered.done():
                answered.set_exception(error)

        await edge.decided(lambda: edge.tills.charge(key, draft, answer, failed))
        return charge_view(await answered)

    @get("/charges/{request_id:str}")
    async def show_charge(self, edge: Edge, key: Key, request_id: FromPath[str]) -> ChargeView:
        """How a charge stands."""
        id_ = parse_id("req", request_id)
        charges = edge.payments.charges
        return charge_view(await edge.decided(lambda: charges.charge(key.merchant_id, key.shop_id, id_)))

    @post("/refunds", status_code=200, responses=_REFUND_UNDECIDED)
    async def refund(self, edge: Edge, key: Key, data: JSONBody[RefundBody]) -> Response[RefundView]:
        """
        Give back part or all of a payment. 200: completed. 202: undecided as yet; send the same again. 422: rejected.

        Discounts, fees and shares come back pro rata, to the fen.
        """
        key.check_right(Right.REFUND)
        order = RefundOrder(
            refund_id=parse_id(REFUND_PREFIX, data.refund_id),
            payment_id=parse_id("pay", data.payment_id),
            amount=data.amount,
            remark=data.remark,
            shop_id=key.shop_id,
        )
        if key.is_member:  # Who gave money back is kept with it.
            refund, outcome = await edge.counter.refund(key, order)
        else:
            refund, outcome = await edge.concluded(
                lambda answer: edge.payments.refunds.refund(key.merchant_id, order, answer)
            )
        return _response(refund_view(refund, outcome), outcome, refund_id=data.refund_id)

    @get("/refunds/{refund_id:str}")
    async def show_refund(self, edge: Edge, key: Key, refund_id: FromPath[str]) -> RefundView:
        """One refund, and its state now."""
        id_ = return_id_of(key.merchant_id, parse_id(REFUND_PREFIX, refund_id))
        refund, outcome = await edge.decided(lambda: edge.payments.refunds.found(id_, key.shop_id))
        return refund_view(refund, outcome)

    @get("/merchant/payments")
    async def received(self, edge: Edge, key: Key, cursor: Cursor = None, limit: Limit = 50) -> ReceiptPage:
        """Payments received, newest first."""
        account = chart.merchant_account(key.merchant_id, edge.payments.chart.currency)
        found, more = await edge.payments.statements.payments(account, before=cursor, limit=limit)
        seen = [(each, outcome) for each, outcome in found if key.sees(each.merchant_id, each.shop_id)]
        return ReceiptPage(payments=[_received(each, outcome) for each, outcome in seen], next_cursor=more)

    @get("/merchant/payments/{payment_id:str}")
    async def show_received(self, edge: Edge, key: Key, payment_id: FromPath[str]) -> ReceiptView:
        """One payment received."""
        account = chart.merchant_account(key.merchant_id, edge.payments.chart.currency)
        found, outcome = await edge.payments.statements.payment(parse_id("pay", payment_id), account)
        if not key.sees(found.merchant_id, found.shop_id):
            raise Refusal(PaymentReason.PAYMENT_UNKNOWN)
        return _received(found, outcome)

    @get("/merchant/balance")
    async def merchant_balance(self, edge: Edge, key: Key, at_ms: AtMs = None) -> BalanceView:
        """The merchant's balance, now or at a time."""
        key.check_whole_merchant()
        return await edge.balance(chart.merchant_account(key.merchant_id, edge.payments.chart.currency), at_ms)

    @get("/merchant/statement")
    async def merchant_statement(self, edge: Edge, key: Key, cursor: Cursor = None, limit: Limit = 50) -> StatementPage:
        """What came and went, newest first."""
        key.check_whole_merchant()
        account = chart.merchant_account(key.merchant_id, edge.payments.chart.currency)
        return await edge.payments.statements.statement(account, before=cursor, limit=limit)


class Operating(Controller):
    """What the institution's operator does with money."""

    path = "/operator"
    tags = ("Operator: money",)

    @post("/pay-ins", status_code=200)
    async def pay_in(self, edge: Edge, operator: OperatorName, data: JSONBody[PayInBody]) -> PaidIn:  # noqa: ARG002
        """Credit a user with money that came into the reserve (备付金) from outside. The same id again changes nothing."""
        id_, user_id = parse_id(PAY_IN_PREFIX, data.pay_in_id), parse_id("usr", data.user_id)
        answered = edge.payments.node.journal.promise()

        def answer(field: str) -> None:
            if not answered.done():
                answered.set_result(field)

        await edge.decided(lambda: edge.payments.pay_in(id_, user_id, data.amount, answer))
        if field := await answered:
            raise Refusal(PaymentReason.ID_TAKEN, field=field)
        return PaidIn(pay_in_id=data.pay_in_id, amount=data.amount)


def payment_api(
    payments: PaymentService, people: PeopleService, tills: TillService, counter: CounterService, doors: Doors
) -> list[ControllerRouterHandler]:
    """The handlers for `make_app`."""
    edge = PaymentEdge(payments, people, tills, counter)
    return [
        doors.people.router("/v1", [Paying, Banking], edge=edge),
        doors.keys.router("/v1", [Selling], edge=edge),
        doors.operators.router("/v1", [Operating, Oversight], edge=edge, payments=payments),
    ]


def _view(found: Payment | Receipt, outcome: Outcome | None, account_id: int) -> PaymentView | ReceiptView:
    if isinstance(found, Payment) and found.account == account_id:
        return payment_view(found, outcome)
    return _received(found, outcome)


def _received(found: Payment | Receipt, outcome: Outcome | None) -> ReceiptView:
    return receipt_view(found, outcome) if isinstance(found, Receipt) else received_view(found, outcome)
