"""The ledger browser: accounts by what they are, one account's transfers both ways, one transfer whole, the trial balance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.books.account_name import (
    ACCOUNT_PREFIX,
    TRANSFER_PREFIX,
    BookReason,
    balance_of,
    is_debit_normal,
    owner_text,
    signed,
)
from hutong.institution.books.service import BookService
from hutong.institution.chart import AccountCode
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.receipt import Receipt
from hutong.kernel.errors import KernelReason, Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.ledger.transfer import TIMESTAMP_MAX, Account, AccountFlag
from hutong.ledger.trial_balance import TrialLine
from hutong.web.form import Form
from hutong.web.institution_desk.moment import moment_ns, moment_text
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.institution_desk.wordings import ACCOUNTS, CLASSES, LEG_STATES, LEGS, WHYS
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "ledger"
_PAGE = 50
_NOT_FOUND = {*BookReason, *KernelReason}
_NAMES: Mapping[str, Any] = {
    "account_id": partial(id_text, ACCOUNT_PREFIX),
    "transfer_id": partial(id_text, TRANSFER_PREFIX),
}
_OWNERS = {"usr": "users", "mer": "merchants", "dsp": "recalls/disputes"}


@dataclass(frozen=True, slots=True)
class Card:
    """An account as a list shows it."""

    id: str
    what: str
    owner: str
    owner_path: str
    balance: int
    account: Account


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one class of the chart: assets, liabilities, equity, income, expense."""

    what: str
    lines: Sequence[tuple[str, TrialLine, int]]
    debit: int
    credit: int


def ledger_pages(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    """`/desk/ledger` and everything below it."""
    books = parts.books
    handlers = [_accounts(desk, books), _account(desk, books), _transfer(desk, books), _trial_balance(desk, books)]
    return desk.router(f"{HOME}/ledger", handlers)


def _accounts(desk: Desk, books: BookService) -> ControllerRouterHandler:
    @get()
    async def begin(request: AnyRequest) -> Response[Any]:
        form = Form(dict(request.query_params))
        name, code = form.text("name", length_max=40), form.text("code")
        error = ""
        if name:
            try:
                if name.startswith(f"{TRANSFER_PREFIX}_"):
                    return desk.pages.go(f"{HOME}/ledger/transfers/{name}")
                account = await books.named(name)
                return desk.pages.go(f"{HOME}/ledger/accounts/{id_text(ACCOUNT_PREFIX, account.id)}")
            except Refusal as refusal:
                if refusal.reason not in _NOT_FOUND:
                    raise
                error = desk.pages.words(request).refusal(refusal)
        listed = AccountCode(int(code)) if code in {str(each.value) for each in AccountCode} else None
        before = form.number("before") if form.text("before") else TIMESTAMP_MAX
        found = await books.accounts(listed, before_ns=before, limit=_PAGE) if listed else await books.own_accounts()
        return desk.render(
            request,
            "institution_desk/ledger.html",
            NAV,
            error=error,
            name=name,
            code=code,
            codes=ACCOUNTS,
            cards=[_card(account) for account in found],
            older=found[-1].timestamp if listed and len(found) == _PAGE else None,
        )

    return begin


def _account(desk: Desk, books: BookService) -> ControllerRouterHandler:
    @get("/accounts/{account_id:str}")
    async def account(request: AnyRequest, account_id: FromPath[str]) -> Response[str]:
        id_ = parse_id(ACCOUNT_PREFIX, account_id)
        form = Form(dict(request.query_params))
        at_ns = moment_ns(form, "at", desk.pages.zone)
        before, after = _cursor(form, "before"), _cursor(form, "after")
        page = await books.entries(id_, before=before, after=after, limit=_PAGE)
        then = await books.balance_at(id_, at_ns) if at_ns is not None else None
        found = page.account
        return desk.render(
            request,
            "institution_desk/account.html",
            NAV,
            card=_card(found),
            page=page,
            debit_normal=is_debit_normal(found.code),
            bounded=_bound(found),
            at=moment_text(at_ns, desk.pages.zone),
            at_ns=at_ns,
            then=then,
            then_balance=signed(found.code, then.debits_posted - then.credits_posted) if then else 0,
            whys=WHYS,
            is_first=before is None and after is None,
            **_NAMES,
        )

    return account


def _transfer(desk: Desk, books: BookService) -> ControllerRouterHandler:
    @get("/transfers/{transfer_id:str}")
    async def transfer(request: AnyRequest, transfer_id: FromPath[str]) -> Response[str]:
        movement = await books.movement(parse_id(TRANSFER_PREFIX, transfer_id))
        subject = movement.subject
        payment = 0
        if subject is not None:
            payment = subject.id if isinstance(subject, Payment | Receipt) else subject.payment_id
        return desk.render(
            request,
            "institution_desk/transfer.html",
            NAV,
            movement=movement,
            cards={id_: _card(each) for id_, each in movement.accounts.items()},
            why=WHYS.get(movement.transfer.code, ""),
            legs=LEGS,
            leg_states=LEG_STATES,
            account_names=ACCOUNTS,
            payment=id_text("pay", payment) if payment else "",
            about=f"{movement.transfer.user_data_128:032x}",
            **_NAMES,
        )

    return transfer


def _trial_balance(desk: Desk, books: BookService) -> ControllerRouterHandler:
    @get("/trial-balance")
    async def trial_balance(request: AnyRequest) -> Response[str]:
        form = Form(dict(request.query_params))
        at_ns = moment_ns(form, "at", desk.pages.zone)
        trial = await books.trial_balance(at_ns)
        total = trial.total(books.chart.currency.ledger)
        return desk.render(
            request,
            "institution_desk/trial_balance.html",
            "trial",
            trial=trial,
            groups=_groups(trial.lines),
            total=total,
            at=moment_text(at_ns, desk.pages.zone),
        )

    return trial_balance


def _card(account: Account) -> Card:
    owner = owner_text(account)
    folder = _OWNERS.get(owner.partition("_")[0], "")
    path = f"{HOME}/{folder}/{owner}" if folder else ""
    what = ACCOUNTS[AccountCode(account.code)]
    return Card(id_text(ACCOUNT_PREFIX, account.id), what, owner, path, balance_of(account), account)


def _groups(lines: Sequence[TrialLine]) -> list[Group]:
    groups = []
    for first, what in CLASSES.items():
        own = [line for line in lines if line.code // 1000 == first]
        told = [
            (ACCOUNTS[AccountCode(line.code)], line, signed(line.code, line.debits_posted - line.credits_posted))
            for line in own
        ]
        if told:
            debit, credit = sum(line.debits_posted for line in own), sum(line.credits_posted for line in own)
            groups.append(Group(what, told, debit, credit))
    return groups


def _bound(account: Account) -> str:
    """Which side may not exceed the other; empty: neither."""
    if account.flags & AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS:
        return "debits"
    return "credits" if account.flags & AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS else ""


def _cursor(form: Form, name: str) -> int | None:
    return form.number(name) if form.text(name) else None
