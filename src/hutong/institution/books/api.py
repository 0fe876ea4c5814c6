"""The books over HTTP, for the institution's operators. It only reads."""

from typing import Annotated

from litestar import Controller, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, SkipValidation

from hutong.institution.books.account_name import TRANSFER_PREFIX
from hutong.institution.books.service import PAGE_MAX, BookService
from hutong.institution.books.views import (
    AccountView,
    BalanceView,
    EntriesView,
    MovementView,
    TrialBalanceView,
    account_view,
    balance_view,
    entries_view,
    movement_view,
    trial_balance_view,
)
from hutong.institution.door_api import Door
from hutong.kernel.ids import parse_id
from hutong.ledger.transfer import TIMESTAMP_MAX
from hutong.operators.guard import Guard

Books = NamedDependency[SkipValidation[BookService]]
AtNs = Annotated[
    int | None, QueryParameter(ge=0, le=TIMESTAMP_MAX, description="Nanoseconds since 1970; default: now.")
]
Cursor = Annotated[int | None, QueryParameter(ge=0, le=TIMESTAMP_MAX, description="As the page beside it says.")]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many at most.")]


class BookController(Controller):
    """
    Accounts, transfers, balances at any time, and the trial balance.

    An account is named by its id (`acc_…`), by whose it is (`usr_…`, `mer_…`, `dsp_…`), or as in the chart: `reserve`.
    """

    path = "/v1/operator/books"
    tags = ("Operator: books",)

    @get("/accounts/{name:str}")
    async def account(self, books: Books, name: FromPath[str]) -> AccountView:
        """One account. Refuses ACCOUNT_NAME_MALFORMED, ACCOUNT_UNKNOWN."""
        return account_view(await books.named(name))

    @get("/accounts/{name:str}/entries")
    async def entries(
        self,
        books: Books,
        name: FromPath[str],
        before: Cursor = None,
        after: Cursor = None,
        limit: Limit = 50,
    ) -> EntriesView:
        """Its transfers, newest first, each with the balance after it; older ones `before`, newer ones `after` a cursor."""
        account = await books.named(name)
        return entries_view(await books.entries(account.id, before=before, after=after, limit=limit))

    @get("/accounts/{name:str}/balance")
    async def balance(self, books: Books, name: FromPath[str], at_ns: AtNs = None) -> BalanceView:
        """Its balances at a time, inclusive."""
        account = await books.named(name)
        then_ns = books.node.clock.now_ns() if at_ns is None else at_ns
        return balance_view(account, then_ns, await books.balance_at(account.id, then_ns))

    @get("/transfers/{transfer_id:str}")
    async def transfer(self, books: Books, transfer_id: FromPath[str]) -> MovementView:
        """One transfer, and all that happened together with it. Refuses TRANSFER_UNKNOWN."""
        return movement_view(await books.movement(parse_id(TRANSFER_PREFIX, transfer_id)))

    @get("/trial-balance")
    async def trial_balance(self, books: Books, at_ns: AtNs = None) -> TrialBalanceView:
        """What all accounts of each code come to, now or at a time."""
        return trial_balance_view(await books.trial_balance(at_ns))


def books_api(books: BookService, operator_only: Guard) -> Router:
    """The handlers for `make_app`."""
    return Door("operator", operator_only).router("/", [BookController], books=books)
