"""The institution's books follow its settlement account: once each, in order, and the clearing account is empty behind it."""

from typing import Any

from hutong.institution.chart import Chart
from hutong.institution.settlement.safeguarding_proof_service import SafeguardingProofService
from hutong.institution.settlement.service import SettlementService
from hutong.kernel.clock import NS_PER_MS, ManualClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.ledger import recipes
from hutong.ledger.engines.postgres import JournaledLedger
from hutong.ledger.memory_repository import MemoryLedgerRepository
from hutong.ledger.transfer import Account
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.tables import MemoryStore
from hutong.scheme.messages import AccountStatement, EntryKind, StatementRequest, id_hex


class Books:
    """An institution's ledger and its settlement, and what it says to the switch."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.mint = IdMint(self.clock, seeded_randomness(4))
        self.store = MemoryStore()
        self.said: list[Any] = []

    async def boot(self) -> None:
        position = max((rows[-1][0] for rows in self.store.rows.values() if rows), default=0)
        self.journal = MemoryJournal(self.store, position=position, immediate=True)
        self.journal.post = lambda _, messages: self.said.extend(messages)
        node = NodeRuntime("jing", self.clock, seeded_randomness(1), self.mint, self.journal, self.store, run_now)
        self.ledger = JournaledLedger(self.clock, self.journal, MemoryLedgerRepository(self.store), run_now)
        await self.ledger.start()
        self.chart = Chart("jing")
        self.chart.open(self.ledger)
        self.settlement = SettlementService(node, self.ledger, self.chart, "switch")
        self.proofs = SafeguardingProofService(node, self.ledger, self.chart)
        await self.settlement.start()
        await self.proofs.start()
        self.journal.seal()

    def tell(self, message: AccountStatement) -> int:
        """The number it asks for then; 0 when it says nothing."""
        self.said.clear()
        self.settlement.told(message)
        self.journal.seal()
        (request,) = self.said or [None]
        assert request is None or isinstance(request, StatementRequest)
        return request.number if request else 0

    def entry(self, number: int, kind: EntryKind, opening: int, moved: int, **more: Any) -> AccountStatement:
        return AccountStatement(
            statement_id=id_hex(self.mint.mint()),
            number=number,
            kind=kind,
            currency="CNY",
            amount=abs(moved),
            is_credit=moved >= 0,
            opening=opening,
            closing=opening + moved,
            booked_at_ms=self.clock.now_ns() // NS_PER_MS,
            **more,
        )

    def clear(self, amount: int) -> None:
        """Payments put this on the clearing account: what the network owes us, or below zero what we owe it."""
        sides = (
            (self.chart.clearing, self.chart.fee_income) if amount > 0 else (self.chart.fee_income, self.chart.clearing)
        )
        transfer = recipes.top_up(
            self.mint.mint(), reserve=sides[0], account=sides[1], amount=abs(amount), ledger=156, code=99
        )
        self.ledger.create_transfers([transfer], lambda _: None)
        self.journal.seal()

    async def debit(self, account: int) -> int:
        (found,) = await self.ledger.lookup_accounts([account])
        return found.debits_posted - found.credits_posted

    async def figures(self) -> tuple[int, ...]:
        chart = self.chart
        accounts = (chart.settlement, chart.clearing, chart.own_funds, chart.settlement_loss, chart.owed_to_network)
        return tuple([await self.debit(account) for account in accounts])


async def books() -> Books:
    found = Books()
    await found.boot()
    return found


async def test_a_window_we_owe_for_empties_the_clearing_account() -> None:
    jing = await books()
    assert jing.tell(jing.entry(1, EntryKind.TOP_UP, 0, 1_000)) == 2
    jing.clear(-300)
    assert jing.tell(jing.entry(2, EntryKind.WINDOW, 1_000, -300, credits=200, debits=500)) == 3
    assert await jing.figures() == (700, 0, -1_000, 0, 0)
    assert jing.tell(jing.entry(3, EntryKind.WITHDRAWAL, 700, -100)) == 4
    assert jing.tell(jing.entry(4, EntryKind.CHARGE, 600, -50)) == 5
    assert await jing.figures() == (550, 0, -900, 0, 0)
    assert await jing.debit(jing.chart.scheme_charges) == 50


async def test_what_we_bear_for_others_is_our_loss_and_what_they_bear_for_us_is_our_debt() -> None:
    jing = await books()
    jing.clear(700)
    jing.tell(jing.entry(1, EntryKind.WINDOW, 0, 560, credits=700, loss=140))
    assert await jing.figures() == (560, 0, 0, 140, 0)
    jing.clear(-1_000)
    jing.tell(jing.entry(2, EntryKind.WINDOW, 560, -560, debits=1_000, missing=440))
    assert await jing.figures() == (0, 0, 0, 140, -440)


async def test_entries_are_booked_once_and_in_their_order() -> None:
    jing = await books()
    first, second = jing.entry(1, EntryKind.TOP_UP, 0, 10), jing.entry(2, EntryKind.TOP_UP, 10, 5)
    assert jing.tell(second) == 1  # Too early: it says what it misses.
    assert [jing.tell(each) for each in (first, first, second, first, second)] == [2, 2, 3, 3, 3]
    await jing.boot()
    assert jing.tell(second) == 3
    assert await jing.figures() == (15, 0, -15, 0, 0)


async def test_an_entry_that_does_not_follow_from_the_last_is_neither_booked_nor_acknowledged() -> None:
    jing = await books()
    jing.tell(jing.entry(1, EntryKind.TOP_UP, 0, 10))
    assert jing.tell(jing.entry(2, EntryKind.TOP_UP, 11, 5)) == 0
    assert await jing.figures() == (10, 0, -10, 0, 0)


async def test_a_crash_between_the_entry_and_its_transfers_is_made_good_by_the_next_start() -> None:
    jing = await books()
    jing.tell(jing.entry(1, EntryKind.TOP_UP, 0, 10))
    jing.store.rows["transfer"].clear()
    jing.store._indexes.clear()
    await jing.boot()
    assert await jing.figures() == (10, 0, -10, 0, 0)


async def test_the_proof_holds_until_a_loss_eats_customers_money() -> None:
    jing = await books()
    wallet = jing.chart.reserve  # Customers' money came in: seen from the institution's own accounts alone.
    other = jing.mint.mint()
    jing.ledger.create_accounts([Account(id=other, ledger=156, code=2001)], lambda _: None)
    transfer = recipes.top_up(jing.mint.mint(), reserve=wallet, account=other, amount=500, ledger=156, code=30)
    jing.ledger.create_transfers([transfer], lambda _: None)
    jing.tell(jing.entry(1, EntryKind.TOP_UP, 0, 1_000))
    proof = await jing.proofs.take()
    assert (proof.customers_minor, proof.covered_minor, proof.holds) == (500, 500, True)
    jing.tell(jing.entry(2, EntryKind.WINDOW, 1_000, 0, loss=1))
    proof = await jing.proofs.take()
    assert (proof.customers_minor, proof.covered_minor, proof.holds) == (500, 499, False)
    assert [each.day for each in jing.proofs.proofs()] == ["2026-01-01"]
    jing.clock.advance(seconds=86_400)
    jing.proofs.tick()
    assert [each.day for each in jing.proofs.proofs()] == ["2026-01-01", "2026-01-02"]
