"""A trial balance on a real PostgreSQL: at any moment the sum of every account's balances, and always even."""

import asyncio
import random

from hutong.ledger.repository import PgAllAccounts
from hutong.ledger.transfer import Account, Transfer
from hutong.ledger.trial_balance import TrialBalance, TrialLine
from hutong.runtime.database import Database
from tests.ledger.worlds import PostgresWorld, ask

ACCOUNTS = range(1, 9)
CODES = {id_: 1001 if id_ < 3 else 2001 for id_ in ACCOUNTS}
HUGE = 2**70


def test_at_any_moment_it_is_the_sum_of_every_account(database: Database) -> None:
    asyncio.run(_scenario(database))


async def _scenario(database: Database) -> None:
    world = await PostgresWorld(database).start()
    pool = await database.open_pool(size_max=1)
    try:
        await ask(world, [Account(id=id_, ledger=1, code=code) for id_, code in CODES.items()])
        chance, moments = random.Random(5), [world.clock.ns]  # A seed, so that it replays.
        pendings: list[int] = []
        for number in range(1, 80):
            world.clock.advance(seconds=1)
            if pendings and number < 79 and chance.random() < 0.4:
                pending = pendings.pop(chance.randrange(len(pendings)))
                flag = chance.choice([4, 8])
                moved = Transfer(number << 80, 0, 0, 2**128 - 1 if flag == 4 else 0, 0, 0, flag, pending)
            else:
                debit, credit = chance.sample(ACCOUNTS, 2)
                flag = chance.choice([0, 2]) if number < 79 else 0
                amount = chance.randint(0, 50) if number < 79 else HUGE
                timeout = chance.choice([0, 3]) if flag else 0
                moved = Transfer(number << 80, debit, credit, amount, 1, 10, flag, timeout=timeout)
                pendings += [moved.id] if flag and not timeout else []
            await ask(world, [moved])
            world.ledger.expire()
            moments.append(world.clock.ns)
        await world.settle()
        books = PgAllAccounts(pool)
        for moment in [0, *chance.sample(moments, 20), moments[-1] + 1]:
            found = await books.trial_balance(moment)
            assert found.balances
            assert list(found.lines) == await _summed(world, moment)
        assert found.total(1).debits_posted > HUGE
        assert await books.accounts(2001, before_ns=2**62, limit=2) == [8, 7]
        assert await books.accounts(1001, before_ns=0, limit=2) == []
    finally:
        await pool.close()
        await world.close()


async def _summed(world: PostgresWorld, moment: int) -> list[TrialLine]:
    sums: dict[int, list[int]] = {}
    for id_, code in CODES.items():
        balance = await world.ledger.balance_at(id_, moment)
        if balance is None:
            continue
        parts = (1, balance.debits_pending, balance.debits_posted, balance.credits_pending, balance.credits_posted)
        sums[code] = [was + more for was, more in zip(sums.get(code, [0] * 5), parts, strict=True)]
    return [TrialLine(1, code, *sums[code]) for code in sorted(sums)]


def test_books_that_are_not_even_say_so() -> None:
    assert TrialBalance(0, [TrialLine(1, 1001, 1, 0, 5, 0, 0), TrialLine(1, 2001, 1, 0, 0, 0, 5)]).balances
    assert not TrialBalance(0, [TrialLine(1, 1001, 1, 0, 5, 0, 0), TrialLine(1, 2001, 1, 0, 0, 0, 4)]).balances
    assert not TrialBalance(0, [TrialLine(1, 1001, 1, 5, 0, 0, 0), TrialLine(2, 2001, 1, 0, 0, 5, 0)]).balances
