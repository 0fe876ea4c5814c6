"""
Two engines, one history: they answer alike after every step, and after a crash at any of them.

The oracle is the reference engine fed with what the journaled one decided, when it decided it; at a crash the
oracle is made anew from the calls that had become durable. The repository is slow: a look-up returns when the test
says so, and meanwhile more calls come.
"""

import types
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, TypeVar

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hutong.kernel.clock import NS_PER_S, ManualClock
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.engines.postgres import JournaledLedger
from hutong.ledger.engines.reference import ReferenceLedger
from hutong.ledger.memory_repository import MemoryLedgerRepository
from hutong.ledger.transfer import AMOUNT_MAX, Account, AccountFlag, AccountQuery, Transfer
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.tables import MemoryStore

Answer = TypeVar("Answer")

ACCOUNT_IDS = range(1, 7)
# Ids of a few milliseconds, so that some are newer than all that was let go of and some are not.
TRANSFER_IDS = [(ms << 80) | tail for ms in range(1, 16) for tail in range(1, 4)]
LEDGERS = st.sampled_from([1, 1, 1, 1, 2])
CODES = st.sampled_from([1, 1, 1, 2])
AMOUNTS = st.one_of(st.integers(0, 5), st.sampled_from([10, 100, AMOUNT_MAX - 3, AMOUNT_MAX]))
USER_DATA = st.sampled_from([0, 0, 0, 7])
ANY_ACCOUNT = st.sampled_from([*ACCOUNT_IDS, *ACCOUNT_IDS, 0, 99])
ANY_TRANSFER = st.sampled_from(TRANSFER_IDS)
MOVING_FLAGS = st.sampled_from([0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 16, 32, 48, 18, 17, 66, 130, 194, 67, 64])
RESOLVING_FLAGS = st.sampled_from([4, 4, 4, 8, 8, 5, 5, 9, 9, 12, 6])

ACCOUNTS = st.builds(
    Account,
    id=st.sampled_from([*ACCOUNT_IDS, 0]),
    ledger=LEDGERS,
    code=CODES,
    flags=st.sampled_from([0, 0, 0, 1, 2, 3, 4, 8, 8, 10, 32, 6]),
    user_data_64=USER_DATA,
)
MOVES = st.builds(
    Transfer,
    id=ANY_TRANSFER,
    debit_account_id=ANY_ACCOUNT,
    credit_account_id=ANY_ACCOUNT,
    amount=AMOUNTS,
    ledger=LEDGERS,
    code=CODES,
    flags=MOVING_FLAGS,
    user_data_128=USER_DATA,
    timeout=st.sampled_from([0, 0, 0, 1, 2]),
)
RESOLUTIONS = st.builds(
    Transfer,
    id=ANY_TRANSFER,
    debit_account_id=st.sampled_from([0, 0, 0, 1]),
    credit_account_id=st.sampled_from([0, 0, 0, 2]),
    amount=st.sampled_from([AMOUNT_MAX, AMOUNT_MAX, 0, 0, 1, 2]),
    ledger=st.sampled_from([0, 0, 1]),
    code=st.sampled_from([0, 0, 1]),
    flags=RESOLVING_FLAGS,
    pending_id=ANY_TRANSFER,
    user_data_128=USER_DATA,
)
# What mostly succeeds, so that there is something to repeat, resolve and take back.
GOOD_MOVES = st.builds(
    Transfer,
    id=ANY_TRANSFER,
    debit_account_id=st.sampled_from(ACCOUNT_IDS),
    credit_account_id=st.sampled_from(ACCOUNT_IDS),
    amount=st.integers(0, 5),
    ledger=st.just(1),
    code=st.just(1),
    flags=st.sampled_from([0, 1, 2, 2, 2, 3, 66, 130, 67, 131]),
    timeout=st.sampled_from([0, 0, 0, 1, 1]),
)
BATCHES = st.lists(st.one_of(MOVES, GOOD_MOVES, GOOD_MOVES, RESOLUTIONS, RESOLUTIONS), min_size=1, max_size=6)
QUERIES = st.builds(
    AccountQuery,
    account_id=st.sampled_from(ACCOUNT_IDS),
    debits=st.booleans(),
    credits=st.booleans(),
    code=st.sampled_from([0, 0, 1, 2]),
    limit=st.integers(1, 5),
    reversed=st.booleans(),
)


@types.coroutine
def pause() -> Generator[None, None, None]:
    """Let the rest of the world go on."""
    yield


class SlowRepository(MemoryLedgerRepository):
    """Every look-up of the engine takes a while."""

    async def accounts(self, ids: Any) -> Any:
        await pause()
        return await super().accounts(ids)

    async def transfers(self, ids: Any) -> Any:
        await pause()
        return await super().transfers(ids)

    async def resolutions(self, pending_ids: Any) -> Any:
        await pause()
        return await super().resolutions(pending_ids)


def now(answer: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a look-up to its end."""
    try:
        while True:
            answer.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]


def expire(ledger: LedgerEngine) -> None:
    ledger.expire()


class LedgerConformance(RuleBasedStateMachine):
    """The journaled engine, which crashes, against the reference, which does not."""

    @initialize(
        transfers_max=st.sampled_from([1, 3, 10, 1000]),
        accounts_max=st.sampled_from([1, 3, 1000]),
        checkpoint_rows=st.sampled_from([1, 2, 7, 1000]),
    )
    def begin(self, **limits: int) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.limits = limits
        self.calls: list[tuple[int, Callable[[LedgerEngine], None]]] = []  # Decided calls, with their time.
        self.durable = 0  # How many of them.
        self.asked = self.last_answered = 0
        self.reference = ReferenceLedger(self.clock)
        self.errands: list[Coroutine[Any, Any, None]] = []
        self.start()
        opening = [
            Account(id=i, ledger=1, code=1, flags=int(AccountFlag.HISTORY) if i < 3 else 0) for i in (1, 2, 3, 4)
        ]
        self.create_accounts(opening)

    def start(self) -> None:
        newest = max((rows[-1][0] for rows in self.store.rows.values() if rows), default=0)
        self.journal = MemoryJournal(self.store, position=newest)
        self.ours = JournaledLedger(
            self.clock, self.journal, SlowRepository(self.store), self.errands.append, **self.limits
        )
        now(self.ours.start())

    def decided(self, call: Callable[[LedgerEngine], None]) -> None:
        """Let the reference do what the engine has just done."""
        call(self.reference)
        self.calls.append((self.clock.ns, call))

    def ask_ledger(self, create: str, events: list[Any]) -> None:
        self.clock.advance(ns=1000)
        self.asked += 1
        getattr(self.ours, create)(events, partial(self.answered, self.asked, create, events))

    def answered(self, number: int, create: str, events: list[Any], ours: list[Any]) -> None:
        assert number > self.last_answered, "calls are answered in their order"
        self.last_answered = number
        theirs: list[Any] = []
        self.decided(lambda ledger: getattr(ledger, create)(events, theirs.extend))
        assert ours == theirs

    @rule(accounts=st.lists(ACCOUNTS, min_size=1, max_size=3))
    def create_accounts(self, accounts: list[Account]) -> None:
        self.ask_ledger("create_accounts", accounts)

    @rule(transfers=BATCHES)
    def create_transfers(self, transfers: list[Transfer]) -> None:
        self.ask_ledger("create_transfers", transfers)

    @rule(pick=st.integers(0, 9), flags=st.sampled_from([4, 8]), ids=st.lists(ANY_TRANSFER, min_size=3, max_size=3))
    def resolve_what_is_open(self, pick: int, flags: int, ids: list[int]) -> None:
        self.resolve(pick, flags, ids, chained=False, failing=False)

    @rule(
        pick=st.integers(0, 9),
        flags=st.sampled_from([4, 8]),
        ids=st.lists(ANY_TRANSFER, min_size=3, max_size=3),
        failing=st.booleans(),
    )
    def resolve_in_a_chain(self, pick: int, flags: int, ids: list[int], failing: bool) -> None:
        self.resolve(pick, flags, ids, chained=True, failing=failing)

    def resolve(self, pick: int, flags: int, ids: list[int], *, chained: bool, failing: bool) -> None:
        """Post or void what is open, perhaps with more behind it that may break the chain."""
        pendings = sorted(self.reference.books.open)
        if not pendings:
            return
        batch = [
            Transfer(
                id_, 0, 0, AMOUNT_MAX if flags == 4 else 0, 0, 0, flags | chained, pendings[(pick + i) % len(pendings)]
            )
            for i, id_ in enumerate(ids[:2])
        ]
        if chained:
            batch.append(Transfer(ids[2], 1, 2, 1, 1, 0 if failing else 1, 66))
        self.create_transfers(batch)

    @rule(steps=st.integers(1, 4))
    def look_ups_return(self, steps: int) -> None:
        for _ in range(steps):
            if self.errands:
                self.clock.advance(ns=1000)
                try:
                    self.errands[0].send(None)
                except StopIteration:
                    del self.errands[0]

    @rule(seconds=st.integers(0, 2))
    def time_passes(self, seconds: int) -> None:
        self.all_look_ups_return()
        self.clock.advance(seconds=seconds, ns=1000)
        self.ours.expire()
        self.all_look_ups_return(moving=False)
        self.decided(expire)

    @rule()
    def flush(self) -> None:
        self.journal.flush()
        self.durable = len(self.calls)

    @rule()
    def crash(self) -> None:
        self.journal.crash()
        for errand in self.errands:
            errand.close()
        self.errands.clear()
        del self.calls[self.durable :]
        clock = ManualClock(0)
        self.reference = ReferenceLedger(clock)
        for ns, call in self.calls:
            clock.ns = ns
            call(self.reference)
        self.reference._clock = self.clock
        self.clock.advance(ns=1000)
        self.start()

    @rule()
    def flush_and_crash(self) -> None:
        self.all_look_ups_return()
        self.flush()
        self.crash()

    @rule(query=QUERIES, back=st.integers(0, 20_000))
    def ask(self, query: AccountQuery, back: int) -> None:
        self.flush()
        ours, reference = self.ours, self.reference
        assert now(ours.account_transfers(query)) == now(reference.account_transfers(query))
        assert now(ours.account_balances(query)) == now(reference.account_balances(query))
        at = self.clock.ns - back
        assert now(ours.balance_at(query.account_id, at)) == now(reference.balance_at(query.account_id, at))

    @rule()
    def the_rows_carry_the_balances_they_left(self) -> None:
        """Invariant 10, without the engine: the last row of each side against the fold over all amounts."""
        self.all_look_ups_return()
        self.flush()
        stored = {found.row.id: found for found in now(MemoryLedgerRepository(self.store).accounts(ACCOUNT_IDS))}
        for account in now(self.reference.lookup_accounts(ACCOUNT_IDS)):
            found = stored[account.id]
            folded = now(self.reference.balance_at(account.id, self.clock.ns + NS_PER_S))
            assert folded is not None
            assert (folded.debits_pending, folded.debits_posted) == (account.debits_pending, account.debits_posted)
            assert (folded.credits_pending, folded.credits_posted) == (account.credits_pending, account.credits_posted)
            assert found.debits_pending == account.debits_pending
            assert found.debits_posted == account.debits_posted
            assert found.credits_pending == account.credits_pending
            assert found.credits_posted == account.credits_posted

    @invariant()
    def they_hold_the_same(self) -> None:
        if not hasattr(self, "ours"):
            return
        # As they are: `lookup_accounts` would wait for what is still to be decided.
        accounts = now(self.ours._look_up(ACCOUNT_IDS))
        assert accounts == now(self.reference.lookup_accounts(ACCOUNT_IDS))
        assert now(self.ours.lookup_transfers(TRANSFER_IDS)) == now(self.reference.lookup_transfers(TRANSFER_IDS))
        pendings = now(self.ours.pending_transfers())
        assert pendings == now(self.reference.pending_transfers())
        for ledger in (1, 2):
            members = [account for account in accounts if account.ledger == ledger]
            assert sum(a.debits_pending for a in members) == sum(a.credits_pending for a in members)
            assert sum(a.debits_posted for a in members) == sum(a.credits_posted for a in members)
            assert sum(a.debits_pending for a in members) == sum(p.amount for p in pendings if p.ledger == ledger)

    @invariant()
    def memory_is_bounded(self) -> None:
        if hasattr(self, "ours") and self.journal.quiet and not self.errands:
            books = self.ours._books
            assert len(books.accounts) <= max(self.limits["accounts_max"], 1) + len(ACCOUNT_IDS)

    def all_look_ups_return(self, *, moving: bool = True) -> None:
        while self.errands:
            if moving:
                self.clock.advance(ns=1000)
            try:
                self.errands[0].send(None)
            except StopIteration:
                del self.errands[0]

    def teardown(self) -> None:
        for errand in self.errands:
            errand.close()


TestLedgerConformance = LedgerConformance.TestCase
# Not shrunk: that takes minutes here, and the blob a failure prints replays it.
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
TestLedgerConformance.settings = settings(max_examples=100, stateful_step_count=50, deadline=None, phases=PHASES)
