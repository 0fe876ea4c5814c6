"""The ledger browser, on books that real payments wrote."""

import asyncio
from dataclasses import dataclass

import pytest

from hutong.institution import chart
from hutong.institution.books.account_name import (
    ACCOUNT_PREFIX,
    BookReason,
    account_named,
    balance_of,
    is_debit_normal,
    owner_text,
)
from hutong.institution.books.entry import Entry
from hutong.institution.books.movement import LegState
from hutong.institution.books.service import BookService
from hutong.institution.chart import AccountCode, Chart
from hutong.institution.payments.payment import Payment
from hutong.kernel.errors import KernelReason, Refusal
from hutong.kernel.ids import id_text
from hutong.ledger.recipes import Leg
from hutong.ledger.rows import ACCOUNT
from hutong.ledger.transfer import Account
from hutong.ledger.trial_balance import TrialBalance, TrialLine
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import Institution, World


class RowsInMemory:
    """All accounts of a place of the tests' world, one by one."""

    def __init__(self, place: Institution) -> None:
        self._place = place

    async def trial_balance(self, at_ns: int) -> TrialBalance:
        lines = []
        for _, row in self._place.store.rows[ACCOUNT.name]:
            balance = await self._place.ledger.balance_at(row.id, at_ns)
            if balance is not None:
                sides = (balance.debits_pending, balance.debits_posted, balance.credits_pending, balance.credits_posted)
                lines.append(TrialLine(row.ledger, row.code, 1, *sides))
        return TrialBalance(at_ns, lines)

    async def accounts(self, code: int, *, before_ns: int, limit: int) -> list[int]:
        rows = [
            row for _, row in self._place.store.rows[ACCOUNT.name] if row.code == code and row.timestamp < before_ns
        ]
        return [row.id for row in reversed(rows)][:limit]


@dataclass
class Shop:
    jing: Institution
    books: BookService
    payer: Person
    merchant: int

    def pay(self, amount: int) -> Payment:
        quote = self.jing.quote(self.payer, "plate")
        ((payment, _),) = self.jing.pay(self.payer, self.jing.order(quote, amount))
        return payment

    def entries(self, **where: int) -> list[Entry]:
        return asyncio.run(self.books.entries(self.payer.wallet_account, **where)).entries


@pytest.fixture
def shop() -> Shop:
    world = World("jing")
    jing = world["jing"]
    payer, merchant = jing.user(10_000), jing.merchant()
    jing.asks(merchant, code="plate", fee_bps=60)
    books = BookService(jing.node, jing.ledger, jing.chart, jing.payments.statements, RowsInMemory(jing))
    return Shop(jing, books, payer, merchant)


def test_every_line_shows_the_balance_after_it(shop: Shop) -> None:
    for amount in (100, 200, 300):
        shop.pay(amount)
    assert [(each.change, each.balance) for each in shop.entries()] == [
        (-300, 9_400),
        (-200, 9_700),
        (-100, 9_900),
        (10_000, 10_000),
    ]


def test_pages_lead_both_ways_and_meet(shop: Shop) -> None:
    for amount in range(1, 8):
        shop.pay(amount)
    wallet = shop.payer.wallet_account
    everything = [each.transfer.id for each in shop.entries()]
    assert len(everything) == 8
    page = asyncio.run(shop.books.entries(wallet, limit=3))
    assert page.newer is None
    forth, pages = [each.transfer.id for each in page.entries], [page]
    while page.older is not None:
        page = asyncio.run(shop.books.entries(wallet, before=page.older, limit=3))
        pages.append(page)
        forth += [each.transfer.id for each in page.entries]
    assert forth == everything
    back = page
    while back.newer is not None:
        back = asyncio.run(shop.books.entries(wallet, after=back.newer, limit=3))
        assert [each.balance for each in back.entries] == sorted(each.balance for each in back.entries)
    assert back.entries[0].transfer.id == everything[0]


def test_behind_the_last_page_there_is_a_way_back(shop: Shop) -> None:
    shop.pay(1)
    first = shop.entries()[-1].transfer.timestamp
    page = asyncio.run(shop.books.entries(shop.payer.wallet_account, before=first))
    assert (page.entries, page.older) == ([], None)
    assert page.newer is not None
    assert asyncio.run(shop.books.entries(shop.payer.wallet_account, after=page.newer)).entries


def test_a_transfer_is_shown_with_all_that_happened_with_it(shop: Shop) -> None:
    payment = shop.pay(1_000)
    movement = asyncio.run(shop.books.movement(shop.entries()[0].transfer.id))
    assert movement.subject == payment
    assert [(each.leg, each.first.amount, each.state) for each in movement.legs] == [
        (Leg.PRINCIPAL, 1_000, LegState.MOVED),
        (Leg.FEE, 6, LegState.MOVED),
    ]
    assert {account.code for account in movement.accounts.values()} == {2001, 2101, 4001}
    found = asyncio.run(shop.books.movement_about(payment.account, payment.id, payment.created_ns))
    assert found is not None
    assert found.legs == movement.legs
    assert asyncio.run(shop.books.movement_about(payment.account, 4711, payment.created_ns)) is None


def test_what_is_held_and_what_became_of_it_is_told() -> None:
    world = World("jing", "wei")
    world.register("wei", "url:https://wei.example/q/")
    jing, wei = world["jing"], world["wei"]
    payer, merchant = jing.user(10_000), wei.merchant()
    wei.asks(merchant, code="https://wei.example/q/1")
    books = BookService(jing.node, jing.ledger, jing.chart, jing.payments.statements, RowsInMemory(jing))
    quote = jing.quote(payer, "https://wei.example/q/1")
    world.posting = True  # Nothing arrives for now.
    jing.pay(payer, jing.order(quote, 500))
    newest = asyncio.run(books.entries(payer.wallet_account)).entries[0]
    held = asyncio.run(books.movement(newest.transfer.id))
    assert (newest.change, held.legs[0].state) == (0, LegState.HELD)
    world.settle()
    done = asyncio.run(books.movement(held.transfer.id))
    assert done.legs[0].state is LegState.POSTED
    assert done.legs[0].resolution is not None
    changes = [each.change for each in asyncio.run(books.entries(payer.wallet_account)).entries]
    assert changes == [-500, 0, 10_000]  # The post, the hold, the top-up.


def test_a_trial_balance_is_even_now_and_at_any_time(shop: Shop) -> None:
    shop.jing.world.clock.advance(seconds=1)
    before_ns = shop.jing.node.clock.now_ns()
    shop.jing.world.clock.advance(seconds=1)
    shop.pay(1_000)
    earlier, later = asyncio.run(shop.books.trial_balance(before_ns)), asyncio.run(shop.books.trial_balance())
    assert earlier.balances
    assert later.balances
    assert later.total(shop.jing.chart.currency.ledger).debits_posted > earlier.total(1).debits_posted
    at = asyncio.run(shop.books.balance_at(shop.payer.wallet_account, before_ns))
    assert at is not None
    assert at.credits_posted - at.debits_posted == 10_000
    assert asyncio.run(shop.books.balance_at(shop.payer.wallet_account, 1)) is None


def test_accounts_of_a_code_come_newest_first(shop: Shop) -> None:
    other = shop.jing.user()
    found = asyncio.run(shop.books.accounts(AccountCode.WALLET, limit=2))
    assert [account.id for account in found] == [other.wallet_account, shop.payer.wallet_account]
    more = asyncio.run(shop.books.accounts(AccountCode.WALLET, before_ns=found[0].timestamp))
    assert [account.id for account in more] == [shop.payer.wallet_account]
    own = asyncio.run(shop.books.own_accounts())
    assert [account.code for account in own] == sorted(account.code for account in own)
    assert len(own) == len(shop.jing.chart.accounts())


def test_an_account_is_found_by_its_id_by_whose_it_is_and_by_what_it_is_for() -> None:
    own = Chart("jing")
    assert account_named(own, "reserve") == own.reserve
    assert account_named(own, "FEE_INCOME") == own.fee_income
    assert account_named(own, id_text("usr", 9 << 80)) == chart.user_account(9 << 80)
    assert account_named(own, id_text("mer", 9 << 80)) == chart.merchant_account(9 << 80)
    assert account_named(own, id_text("dsp", 9 << 80)) == chart.disputed_account(9 << 80)
    assert account_named(own, id_text(ACCOUNT_PREFIX, 4711)) == 4711


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("wallet", BookReason.ACCOUNT_NAME_MALFORMED),  # A person's: whose is to be said.
        ("", BookReason.ACCOUNT_NAME_MALFORMED),
        ("usr_1", KernelReason.ID_MALFORMED),
        ("pay_00000000000000000000000000", BookReason.ACCOUNT_NAME_MALFORMED),
    ],
)
def test_what_names_no_account_is_refused(name: str, reason: object) -> None:
    with pytest.raises(Refusal) as refused:
        account_named(Chart("jing"), name)
    assert refused.value.reason is reason


def test_what_is_not_in_the_books_is_refused(shop: Shop) -> None:
    for errand, reason in (
        (shop.books.account(4711), BookReason.ACCOUNT_UNKNOWN),
        (shop.books.named(id_text("usr", 4711)), BookReason.ACCOUNT_UNKNOWN),
        (shop.books.movement(4711), BookReason.TRANSFER_UNKNOWN),
    ):
        with pytest.raises(Refusal) as refused:
            asyncio.run(errand)
        assert refused.value.reason is reason


def test_a_balance_is_positive_on_the_side_on_which_its_code_stands() -> None:
    assert [code for code in AccountCode if is_debit_normal(code)] == [1001, 1101, 1901, 1102, 5001, 5901, 5002, 5003]
    reserve = Account(id=1, ledger=156, code=AccountCode.RESERVE, debits_posted=7)
    wallet = Account(id=2, ledger=156, code=AccountCode.WALLET, credits_posted=7, user_data_128=9 << 80)
    assert (balance_of(reserve), balance_of(wallet)) == (7, 7)
    assert (owner_text(reserve), owner_text(wallet)) == ("", id_text("usr", 9 << 80))
