"""Notifications on a real PostgreSQL: what the migrations make is what the queue needs, and a start finds what is open."""

import asyncio

from hutong.gateways.notification import Cause, GatewayTry, News, NotificationState
from hutong.gateways.notification_service import Due, NotificationService
from hutong.kernel.clock import ManualClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.pgjournal import open_journal
from hutong.runtime.pgstore import PgStore

EVERY = 10


def test_what_is_open_is_found_again_by_marks_and_what_came_later(database: Database) -> None:
    asyncio.run(_lives(database))


async def _lives(database: Database) -> None:
    await migrate(database, all_migrations(["runtime", "institution"]))
    clock, expected = ManualClock(), dict[int, int]()
    mint = IdMint(clock, seeded_randomness(1))
    for life in range(3):
        journal = await open_journal(database)
        async with await database.open_pool(size_max=2) as pool:
            node = NodeRuntime(database.schema, clock, seeded_randomness(2), mint, journal, PgStore(pool), run_now)
            service = NotificationService(node, marked_every=EVERY)
            await service.start()
            found: dict[int, Due] = {}
            service.listen(lambda due, found=found: found.update({due.id: due}))  # type: ignore[misc]
            assert {id_: due.due_ns for id_, due in found.items()} == expected
            assert {due.place for due in found.values()} <= {"https://shop.example/told"}
            for number in range(25):
                clock.advance(seconds=1)
                service.add(life, "test", News.PAID, number, "https://shop.example/told?a=1")
                await journal.flushed()
                newest = max(found)
                state = [NotificationState.TAKEN, NotificationState.GIVEN_UP, NotificationState.WAITING][number % 3]
                next_at_ns = clock.now_ns() + 10**10 if state is NotificationState.WAITING else 0
                service.log(_tried(newest, state, next_at_ns, clock.now_ns()))
                if next_at_ns:
                    expected[newest] = next_at_ns
            await journal.flushed()
            told = await service.told(newest)
            assert told is not None
            assert (told.state, told.plain, len(told.tries)) == (NotificationState.TAKEN, b"\x00words", 1)
            page = await service.page(life, before=None, limit=3)
            assert [each.notification.subject_id for _, each in page] == [24, 23, 22]
            await journal.close()


def _tried(id_: int, state: NotificationState, next_at_ns: int, now_ns: int) -> GatewayTry:
    return GatewayTry(
        notification_id=id_,
        cause=Cause.SCHEDULE.value,
        state=state.value,
        tries=1,
        next_at_ns=next_at_ns,
        status=200,
        note="",
        answer=b"\xff",
        plain=b"\x00words",
        headers=b"{}",
        body=b"",
        took_ns=5,
        at_ns=now_ns,
    )
