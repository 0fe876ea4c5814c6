"""Bank cards: accounts of one's own at banks; money in by the bank's mandate, money out to the personal code there."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.institution.payments.mandate import BankAccount, TopUpState, withdrawal_creditor
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.request_to_pay import Charge
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.shelf import decided, warmed
from hutong.web.form import Form
from hutong.web.language import phrase
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.door import WALLET, signed_in_user, wallet_guard

_CARD_PREFIX = "bka"
_TOP_UP_PREFIX = "top"
_PAYMENT_PREFIX = "pay"
_CODE_LENGTH_MAX = 512
_TOP_UP_STATES = {
    TopUpState.OPEN: (phrase("Waiting for the bank"), "warn"),
    TopUpState.CLAIMED: (phrase("The bank is paying"), "warn"),
    TopUpState.PAID: (phrase("It is in your wallet"), "good"),
    TopUpState.REJECTED: (phrase("The bank said no"), "bad"),
    TopUpState.EXPIRED: (phrase("The bank did not answer in time: nothing was taken"), "bad"),
}
_UNDECIDED = frozenset({TopUpState.OPEN, TopUpState.CLAIMED})


def cards_pages(institution: InstitutionNode, pages: Pages, names: Mapping[str, str]) -> list[ControllerRouterHandler]:
    """`/wallet/cards` and everything below it. `names` are those of all institutions, by node."""
    guard = wallet_guard(institution, pages)
    cards = _Cards(institution, pages)
    handlers = [*_list(cards, names), *_money_in(cards), *_money_out(cards)]
    return [pages.router("/", handlers, WALLET, [guard])]


@dataclass(frozen=True, slots=True)
class _Cards:
    """What the handlers do together."""

    institution: InstitutionNode
    pages: Pages

    async def all(self, request: AnyRequest) -> list[tuple[str, BankAccount]]:
        link = self.institution.payments.bank_link
        found = await warmed(self.institution.node.journal, lambda: link.accounts(request.auth.user_id))
        return [(id_text(_CARD_PREFIX, account.id), account) for account in found]

    async def one(self, request: AnyRequest, card_id: str) -> BankAccount:
        """Refuses BANK_ACCOUNT_UNKNOWN, also for what was unlinked."""
        for id_, account in await self.all(request):
            if id_ == card_id:
                return account
        raise Refusal(PaymentReason.BANK_ACCOUNT_UNKNOWN)

    async def balance(self, request: AnyRequest) -> int:
        user = await signed_in_user(self.institution, request)
        return (await self.institution.payments.statements.balance(user.wallet_account))[0]

    def new_id(self, prefix: str) -> str:
        """An id for what a form will do: sent twice, it does it once."""
        return id_text(prefix, self.institution.node.mint.mint())

    async def top_up(self, request: AnyRequest, account: BankAccount, form: Form) -> None:
        """Ask the bank, and wait a little for what it says."""
        journal, link = self.institution.node.journal, self.institution.payments.bank_link
        top_up_id, amount = parse_id(_TOP_UP_PREFIX, form.needed("id")), form.amount("amount")
        answered = journal.promise()

        def answer(_charge: Charge) -> None:
            if not answered.done():
                answered.set_result(None)

        await decided(journal, lambda: link.top_up(request.auth.user_id, top_up_id, account.id, amount, answer))
        await answered

    async def withdraw(self, request: AnyRequest, account: BankAccount, form: Form) -> None:
        """Pay to the bank, and wait a little for what becomes of it."""
        payment_id, amount = parse_id(_PAYMENT_PREFIX, form.needed("id")), form.amount("amount")
        user_id, link = request.auth.user_id, self.institution.payments.bank_link
        token = await self.institution.people.pin_token(
            user_id, form.text("pin", length_max=12), payment_id, amount, withdrawal_creditor(account.id)
        )
        answered = self.institution.node.journal.promise()

        def answer(_payment: Payment, _outcome: Outcome | None) -> None:
            if not answered.done():
                answered.set_result(None)

        await link.withdraw(user_id, payment_id, account.id, amount, token, answer)
        await answered


def _list(cards: _Cards, names: Mapping[str, str]) -> list[ControllerRouterHandler]:
    pages, journal = cards.pages, cards.institution.node.journal
    link = cards.institution.payments.bank_link

    @get("/wallet/cards")
    async def show(request: AnyRequest) -> Response[str]:
        return pages.render(request, "wallet/cards.html", nav="cards", cards=await cards.all(request), names=names)

    @get("/wallet/cards/new")
    async def ask(request: AnyRequest) -> Response[str]:
        id_ = cards.new_id(_CARD_PREFIX)
        return pages.render(request, "wallet/card_new.html", nav="cards", id=id_, name="", mandate="", code="")

    @post("/wallet/cards", status_code=200)
    async def add(request: AnyRequest) -> Response[Any]:
        form = await pages.form(request)
        sent = {name: form.text(name, length_max=_CODE_LENGTH_MAX) for name in ("id", "name", "mandate", "code")}
        try:
            id_ = parse_id(_CARD_PREFIX, sent["id"])
            texts = {name: sent[name] for name in ("name", "mandate", "code")}
            await decided(journal, lambda: link.link(request.auth.user_id, id_, **texts))
        except Refusal as refusal:
            return pages.again(request, "wallet/card_new.html", refusal, nav="cards", **sent)
        return pages.go("/wallet/cards")

    @post("/wallet/cards/{card_id:str}/unlink", status_code=200)
    async def unlink(request: AnyRequest, card_id: FromPath[str]) -> Response[Any]:
        await pages.form(request)
        account = await cards.one(request, card_id)
        await decided(journal, lambda: link.unlink(request.auth.user_id, account.id))
        return pages.go("/wallet/cards")

    return [show, ask, add, unlink]


def _money_in(cards: _Cards) -> list[ControllerRouterHandler]:
    pages, node = cards.pages, cards.institution.node
    link = cards.institution.payments.bank_link

    @get("/wallet/cards/{card_id:str}/top-up")
    async def ask(request: AnyRequest, card_id: FromPath[str]) -> Response[str]:
        card = await cards.one(request, card_id)
        id_ = cards.new_id(_TOP_UP_PREFIX)
        return pages.render(request, "wallet/top_up.html", nav="cards", card_id=card_id, card=card, id=id_, amount="")

    @post("/wallet/cards/{card_id:str}/top-up", status_code=200)
    async def do(request: AnyRequest, card_id: FromPath[str]) -> Response[Any]:
        form = await pages.form(request)
        card = await cards.one(request, card_id)
        id_, amount = form.text("id"), form.text("amount", length_max=24)
        try:
            await cards.top_up(request, card, form)
        except Refusal as refusal:
            values = {"card_id": card_id, "card": card, "id": id_, "amount": amount}
            return pages.again(request, "wallet/top_up.html", refusal, nav="cards", **values)
        return pages.go(f"/wallet/cards/top-ups/{id_}")

    @get("/wallet/cards/top-ups/{top_up_id:str}")
    async def result(request: AnyRequest, top_up_id: FromPath[str]) -> Response[str]:
        id_ = parse_id(_TOP_UP_PREFIX, top_up_id)
        top_up = await warmed(node.journal, lambda: link.found(request.auth.user_id, id_))
        state = top_up.state_at(node.clock.now_ns())
        text, tone = _TOP_UP_STATES[state]
        return pages.render(
            request,
            "wallet/top_up_result.html",
            nav="cards",
            top_up=top_up,
            text=text,
            tone=tone,
            undecided=state in _UNDECIDED,
            why=pages.words(request).reason(top_up.reason) if top_up.reason else "",
        )

    return [ask, do, result]


def _money_out(cards: _Cards) -> list[ControllerRouterHandler]:
    pages = cards.pages

    @get("/wallet/cards/{card_id:str}/withdraw")
    async def ask(request: AnyRequest, card_id: FromPath[str]) -> Response[str]:
        card, balance = await cards.one(request, card_id), await cards.balance(request)
        page = partial(pages.render, request, "wallet/withdraw.html", nav="cards", balance=balance)
        return page(card_id=card_id, card=card, id=cards.new_id(_PAYMENT_PREFIX), amount="")

    @post("/wallet/cards/{card_id:str}/withdraw", status_code=200)
    async def do(request: AnyRequest, card_id: FromPath[str]) -> Response[Any]:
        form = await pages.form(request)
        card = await cards.one(request, card_id)
        id_, amount = form.text("id"), form.text("amount", length_max=24)
        try:
            await cards.withdraw(request, card, form)
        except Refusal as refusal:
            values = {"card_id": card_id, "card": card, "id": id_, "amount": amount}
            balance = await cards.balance(request)
            return pages.again(request, "wallet/withdraw.html", refusal, nav="cards", balance=balance, **values)
        return pages.go(f"/wallet/bills/{id_}")

    return [ask, do]
