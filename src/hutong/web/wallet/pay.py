"""Paying a code: who and how much is asked first, then the PIN; and what became of it, also while that is not known."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import MediaType, Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.institution.payments.api import PaymentEdge
from hutong.institution.payments.bodies import QUOTE_PREFIX, quote_view
from hutong.institution.payments.consult_service import CODE_LENGTH_MAX
from hutong.institution.payments.payment import REMARK_LENGTH_MAX, Order, Outcome, Payment
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.views import PaymentView, payment_view
from hutong.institution.people.user import User
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.kernel.money import MINOR_MAX
from hutong.runtime.shelf import warmed
from hutong.web.form import Form
from hutong.web.language import Words
from hutong.web.page import HEADERS, AnyRequest, Pages
from hutong.web.wallet.coupons import chosen_coupons
from hutong.web.wallet.door import WALLET, signed_in_user, wallet_guard
from hutong.web.wallet.explained import explained

# What another node said no to is told by its own reason.
_TOLD_BECAUSE = (PaymentReason.CODE_NOT_RESOLVED, PaymentReason.REJECTED_BY_NETWORK)


class Paying:
    """What the pages of paying do, for scanned codes and for what tills ask of a payment code."""

    def __init__(self, institution: InstitutionNode, pages: Pages, names: Mapping[str, str]) -> None:
        self.institution = institution
        self.pages = pages
        self.names = names
        self.edge = PaymentEdge(institution.payments, institution.people, institution.tills, institution.counter)
        self._under_way: dict[int, asyncio.Future[None]] = {}

    async def found(self, user: User, payment_id: int) -> tuple[Payment, Outcome | None]:
        """A payment of this payer's. Refuses PAYMENT_UNKNOWN."""
        payment, outcome = await self.institution.payments.statements.payment(payment_id, user.wallet_account)
        if not isinstance(payment, Payment) or payment.user_id != user.id:
            raise Refusal(PaymentReason.PAYMENT_UNKNOWN)
        return payment, outcome

    async def is_begun(self, user: User, payment_id: int) -> bool:
        """Whether this payment was made; one that is just being made is waited for."""
        while (under_way := self._under_way.get(payment_id)) is not None:
            await asyncio.wait([under_way])
        try:
            await self.found(user, payment_id)
        except Refusal:
            return False
        return True

    async def pay(self, user: User, order: Order, creditor: str, pin: str) -> None:
        """
        Pay with the PIN, once, however often this is sent, and however many at a time.

        Refuses:  what the PIN and the payment are refused with before anything is written.
        """
        if await self.is_begun(user, order.payment_id):
            return
        if order.payment_id in self._under_way:  # Of several that found it not begun, one goes on, and the others wait.
            await self.pay(user, order, creditor, pin)
            return
        done = self._under_way[order.payment_id] = self.institution.node.journal.promise()
        try:
            token = await self.institution.people.pin_token(user.id, pin, order.payment_id, order.amount, creditor)
            order = msgspec.structs.replace(order, pin_token=token)
            debtor = self.institution.payments.debtor
            await self.edge.concluded(lambda answer: debtor.pay(user.id, order, answer))
        finally:
            del self._under_way[order.payment_id]
            done.set_result(None)

    async def asked(self, request: AnyRequest, payment_id: str, form: Form | None, no: Refusal | None) -> Response[str]:
        """The page that asks: the amount where the code leaves it open, else whether to pay."""
        user = await signed_in_user(self.institution, request)
        code = request.query_params.get("code", "")[: CODE_LENGTH_MAX + 1]
        amount, odd_amount = _amount_of(request)
        coupon = request.query_params.get("coupon", "")
        try:
            chosen = chosen_coupons(coupon)
            quote = await self.institution.payments.consults.consult(user.id, code, amount, chosen, explain=True)
        except Refusal as refusal:
            return self.pages.render(
                request,
                "wallet/scan.html",
                status=422,
                nav="scan",
                code=code,
                error=told(self.pages.words(request), refusal),
            )
        terms = quote_view(quote)
        shown: dict[str, Any] = {
            "nav": "scan",
            "terms": terms,
            "code": code,
            "payment_id": payment_id,
            "institution_name": self.names.get(terms.creditor_agent, terms.creditor_agent),
        }
        no = no or odd_amount
        if not (terms.amount or amount):
            return self._render(
                request, "wallet/amount.html", no, typed=request.query_params.get("amount", ""), **shown
            )
        balance, _ = await self.institution.payments.statements.balance(user.wallet_account)
        gross = terms.amount or amount
        return self._render(
            request,
            "wallet/confirm.html",
            no,
            gross=gross,
            explained=explained(self.pages.words(request), quote.explained),
            paid=gross - terms.discount - terms.payee_discount,
            query=urlencode({"code": code, "amount": request.query_params.get("amount", ""), "coupon": coupon}),
            balance=balance,
            accounts=await warmed(
                self.institution.node.journal, lambda: self.institution.payments.bank_link.accounts(user.id)
            ),
            remark=form.text("remark") if form is not None else "",
            remark_max=REMARK_LENGTH_MAX,
            **shown,
        )

    def _render(self, request: AnyRequest, template: str, no: Refusal | None, **values: Any) -> Response[str]:
        if no is None:
            return self.pages.render(request, template, **values)
        return self.pages.again(request, template, no, **values)


def pay_pages(institution: InstitutionNode, pages: Pages, paying: Paying) -> list[ControllerRouterHandler]:
    """`/wallet/pay/{payment_id}`, where it is asked; `/wallet/paid/{payment_id}`, where it is told."""

    @get("/wallet/pay/{payment_id:str}")
    async def ask(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        user = await signed_in_user(institution, request)
        if await paying.is_begun(user, parse_id("pay", payment_id)):
            return pages.go(f"/wallet/paid/{payment_id}")
        return await paying.asked(request, payment_id, None, None)

    @post("/wallet/pay/{payment_id:str}", status_code=200)
    async def confirm(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        form = await pages.form(request)
        user = await signed_in_user(institution, request)
        id_ = parse_id("pay", payment_id)
        try:
            await paying.pay(user, _order(form, id_), form.needed("creditor", length_max=200), form.text("pin"))
        except Refusal as refusal:
            return await paying.asked(request, payment_id, form, refusal)
        return pages.go(f"/wallet/paid/{payment_id}")

    @get("/wallet/paid/{payment_id:str}")
    async def result(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        user = await signed_in_user(institution, request)
        payment, outcome = await paying.found(user, parse_id("pay", payment_id))
        view = payment_view(payment, outcome)
        name = paying.names.get(view.creditor_agent, view.creditor_agent)
        why = pages.words(request).reason(view.reason) if view.reason else ""
        return pages.render(request, "wallet/result.html", nav="result", payment=view, institution_name=name, why=why)

    @get("/wallet/paid/{payment_id:str}/state")
    async def state(request: AnyRequest, payment_id: FromPath[str]) -> Response[bytes]:
        user = await signed_in_user(institution, request)
        view: PaymentView = payment_view(*await paying.found(user, parse_id("pay", payment_id)))
        body = msgspec.json.encode({"state": view.state})
        return Response(body, media_type=MediaType.JSON, headers=HEADERS)

    return [pages.router("/", [ask, confirm, result, state], WALLET, [wallet_guard(institution, pages)])]


def told(words: Words, refusal: Refusal) -> str:
    """Why not, as the one said it who knows: the code's owner, where it was its owner who refused."""
    because = refusal.facts.get("because", "")
    return words.reason(str(because)) if because and refusal.reason in _TOLD_BECAUSE else words.refusal(refusal)


def _order(form: Form, payment_id: int) -> Order:
    return Order(
        payment_id=payment_id,
        quote_id=parse_id(QUOTE_PREFIX, form.needed("quote_id", length_max=40)),
        amount=form.number("amount", least=1, most=MINOR_MAX),
        remark=form.text("remark", length_max=4 * REMARK_LENGTH_MAX),
    )


def _amount_of(request: AnyRequest) -> tuple[int, Refusal | None]:
    """What the payer typed, in minor units; 0, and why, for what is no amount."""
    try:
        return Form(dict(request.query_params)).amount("amount"), None
    except Refusal as refusal:
        return 0, refusal
