"""What campaigns write down, on a real PostgreSQL: tables as declared, sums as counted, and an audit that finds what is damaged."""

import asyncio
import re
from typing import Any

import asyncpg
import pytest

from hutong.marketing.campaigns.award import ALL_AWARDS, AWARDS, EXPOSURES, GRANTED
from hutong.marketing.campaigns.award_repository import (
    _AWARDS_SINCE,
    _PAYMENTS_SINCE,
    PgAwardTotals,
    ScannedAwardTotals,
)
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import CAMPAIGNS, Side
from hutong.marketing.campaigns.enrolment import ENROLMENTS
from hutong.marketing.campaigns.sponsor import SPONSORS
from hutong.marketing.campaigns.trait import STATEMENTS, TRAITS
from hutong.marketing.effects.repository import PgEffectRows, ScannedEffectRows
from hutong.marketing.invitations.referral import REFERRALS
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.pgstore import PgStore
from hutong.runtime.tables import MemoryStore, Table
from tests.gateways.test_audited import copied, each_is_found
from tests.marketing.campaigns.fair import Fair, House, off
from tests.marketing.invitations.village import Village, VillageWorld

TABLES: list[Table[Any]] = [SPONSORS, CAMPAIGNS, AWARDS, EXPOSURES, ENROLMENTS, TRAITS, STATEMENTS]
NOBODY = "00000000-0000-0000-0000-000000000000"
DAMAGES = [
    ("UPDATE campaigns SET funded = 100 WHERE funded > 100", "campaign was given 100, and gave up to"),
    ("UPDATE awards SET change = change + 1 WHERE state = 'RESERVED'", "campaign has"),
    ("DELETE FROM awards WHERE state = 'RELEASED'", "campaign has"),
    ("DELETE FROM awards WHERE state = 'COMMITTED' AND returned > 0", "campaign has"),
    ("UPDATE awards SET day = 1, person_id = payment_id WHERE kind = 'DISCOUNT'", "campaign may give 150 by day"),
    ("UPDATE awards SET times = times + 2 WHERE times > 0", "by times_day, and gave"),
    ("UPDATE awards SET payment_id = id WHERE kind = 'DISCOUNT'", "payment is unknown with a discount of nothing"),
    ("UPDATE payments SET payer_discount = payer_discount + 1 WHERE adjuster <> ''", "its awards are COMMITTED"),
    ("UPDATE payments SET campaign_id = NULL WHERE campaign_id IS NOT NULL", "campaign has"),
    ("UPDATE payments SET award_day = 1 WHERE campaign_id IS NOT NULL", "campaign may give 150 by day"),
    ("UPDATE payments SET campaign_id = id WHERE campaign_id IS NOT NULL", "campaign was given 0, and gave up to"),
    ("DELETE FROM awards WHERE kind = 'REWARD' AND state <> 'RESERVED'", "awarded and on its way: 7"),
    ("UPDATE campaigns SET given_back = given_back - 1 WHERE given_back > 0", "and gave back"),
    ("DELETE FROM receipts WHERE sponsor <> ''", "payment that its payee made cheaper: unknown"),
    ("DELETE FROM payments WHERE sponsor <> ''", "its payee made cheaper: unknown; its awards: 30 less 10"),
    (
        "UPDATE receipts SET payee_discount = 29 WHERE sponsor <> ''",
        "made cheaper: 29 less 12, COMMITTED; its awards: 30 ",
    ),
    (
        "UPDATE awards SET source_id = id WHERE kind = 'DISCOUNT'",
        "made cheaper: unknown; its awards: 30 less 12, COMMITTED",
    ),
    ("UPDATE refunds SET payee_discount = payee_discount - 1 WHERE payee_discount > 0", "30 less 11, COMMITTED; its"),
    ("UPDATE receipts SET sponsor_account = account WHERE sponsor <> ''", "nothing was paid from its budget"),
    ("UPDATE payments SET budget_account = account WHERE adjuster <> ''", "nothing was paid from its budget"),
    ("UPDATE transfer SET user_data_128 = id WHERE code = 92", "award is unknown of 0"),
    ("UPDATE awards SET amount = amount + 1, change = change + times WHERE combined", "and gives"),
    ("UPDATE awards SET person_id = id WHERE kind = 'REWARD' AND state = 'COMMITTED'", "was paid"),
]
INVITATION_DAMAGES = [
    ("UPDATE referrals SET reward = reward + 1 WHERE state = 'PAID'", "and was paid 801; awards say 0 and 800"),
    ("UPDATE referrals SET held = held - 1 WHERE state = 'HELD'", "inviter is promised 799"),
    ("UPDATE referrals SET reward = 1 WHERE state = 'REFUSED'", "inviter is promised"),
    ("UPDATE referrals SET inviter_id = id WHERE state = 'JOINED'", "friend has 2 inviters"),
    ("DELETE FROM referrals WHERE state <> 'JOINED'", "inviter is promised 0 and was paid 0"),
    ("UPDATE awards SET person_id = id WHERE source = 'invitation'", "awards say"),
    ("DELETE FROM awards WHERE source = 'invitation' AND state = 'COMMITTED'", "awards say"),
]


def busy(fair: Fair) -> House:
    """One day of everything."""
    jing, wei = fair.jing, fair.wei
    payer, poor = jing.user(100_000), jing.user(10)
    plates = [fair.shop(jing), fair.shop(wei)]
    sponsor = jing.sponsor(10_000)
    one = jing.campaign(sponsor, 5_000, off(100), caps=Caps(day=150, times_day=2, place=150), partial=True)
    alone = jing.user(100_000)
    for plate, house in zip(plates, (jing, wei), strict=True):  # In the payments' own rows.
        fair.pay(jing, poor, plate, 1_000)
        payment, _ = fair.pay(jing, alone, plate, 1_000)
        fair.refund(house, plate, payment, 333)
    fair.tick(86_400)
    other = jing.campaign(sponsor, 1_000, off(7))
    jing.campaign(sponsor, 90, off(30), side=Side.PAYEE)
    stranger = wei.user(100_000)
    over = jing.campaign(sponsor, 40, off(2))
    for plate, house in zip(plates, (jing, wei), strict=True):
        payment, _ = fair.pay(jing, payer, plate, 1_000)
        fair.refund(house, plate, payment, 333)
        fair.pay(jing, poor, plate, 1_000)
    payment, _ = fair.pay(wei, stranger, plates[0], 1_000)
    fair.refund(jing, plates[0], payment, 400)
    jing.do(lambda: jing.marketing.campaigns.end(over.id))
    fair.tick(86_400)
    payment, _ = fair.pay(jing, payer, plates[1], 500)
    fair.refund(wei, plates[1], payment, 500)
    awards, ids = jing.marketing.awards, [jing.node.mint.mint() for _ in range(3)]
    for number, id_ in enumerate(ids):
        jing.do(lambda id_=id_, n=number: awards.hold(id_, other.id, payer.id, 7 + n, "invite", {}))  # type: ignore[misc]
    jing.do(lambda: awards.pay(ids[1]))
    jing.do(lambda: awards.refuse(ids[2], "SHARED_CARD"))
    fair.tick(1)
    assert one.funded == 5_000
    return jing


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_says_its_columns(table: Table[Any]) -> None:
    sql = "\n".join(migration.sql for migration in all_migrations(["institution"]))
    declared = sql.split(f"CREATE TABLE {table.name} (\n")[1].split("\n);")[0].splitlines()
    said = [line.split()[:2] for line in (line.rstrip(",") for line in declared)]
    said += [list(each) for each in re.findall(rf"ALTER TABLE {table.name} ADD COLUMN (\w+) (\w+)", sql)]
    assert said[0] == ["position", "bigint"]
    assert sorted(said[1:]) == sorted([column.name, column.type.sql] for column in table.columns)  # COPY names them.


def test_the_audit_finds_nothing_in_campaigns_but_what_is_damaged(database: Database) -> None:
    house = busy(Fair())
    asyncio.run(_audited(database, house.store))


def inviting() -> Village:
    """Rewards that were paid, on appeal and behind the campaign's end, too; one refused, one on hold."""
    world = VillageWorld()
    jing, browser = world.jing, world.jing.node.mint.mint()
    me, other = jing.person(browser=browser), jing.person()
    brothers = [jing.person(jing.invite(me), browser=browser) for _ in range(2)]
    friends = [*brothers, jing.person(jing.invite(other))]
    for friend in friends:
        jing.pays(friend, jing.shop())
    world.wait()
    late = jing.person(jing.invite(jing.person()))
    jing.pays(late, jing.shop())
    jing.do(lambda: jing.marketing.campaigns.end(world.campaign_id))
    referral = jing.of(brothers[0])
    jing.does(lambda: jing.rewards.appeal(me.id, referral.id, "他是我弟弟"))
    jing.does(lambda: jing.rewards.grant(referral.id, "duty", ""))
    world.wait(1)
    states = [jing.of(friend).state for friend in (*friends, late)]
    assert states == ["PAID", "REFUSED", "PAID", "HELD"]
    return jing


def test_the_audit_finds_nothing_in_invitations_but_what_is_damaged(database: Database) -> None:
    asyncio.run(_invited(database, inviting().store))


async def _invited(database: Database, store: MemoryStore) -> None:
    await migrate(database, all_migrations(["runtime", "ledger", "institution"]))
    await copied(database, store)
    async with await database.open_pool(size_max=1) as pool:
        for campaign_id in {row.campaign_id for _, row in await store.scan(REFERRALS)}:
            refused = await PgEffectRows(pool, "jing").refused(campaign_id)
            assert refused == await ScannedEffectRows(store, "jing").refused(campaign_id)
            assert [each.reason for each in refused] == ["COLLUSION_SUSPECTED"]
            assert all("SHARED_DEVICE" in each.signals for each in refused)
    await each_is_found(database, INVITATION_DAMAGES)


async def _audited(database: Database, store: MemoryStore) -> None:
    await migrate(database, all_migrations(["runtime", "ledger", "institution"]))
    await copied(database, store)
    async with await database.open_pool(size_max=1) as pool:
        summed = sorted(await PgAwardTotals(pool).totals())
        assert summed == sorted(await ScannedAwardTotals(store).totals())
        for campaign_id, day, *_ in summed:
            for but in (set[int](), {1}):
                given = sorted(await PgAwardTotals(pool).given_on(campaign_id, day, but))
                assert given == sorted(await ScannedAwardTotals(store).given_on(campaign_id, day, but))
                assert bool(given) is (not but and any(each[4] > 0 for each in given))
        await _seen_alike(PgStore(pool), store)
        await _read_in_order(pool)
    await each_is_found(database, DAMAGES)


def test_what_was_given_on_a_day_is_found_without_reading_the_years_before(database: Database) -> None:
    asyncio.run(_found_by_halves(database))


async def _found_by_halves(database: Database) -> None:
    """A hundred rows a day of each table; on the last days the clock is put back for most of the day."""
    await migrate(database, all_migrations(["runtime", "ledger", "institution"]))
    day = "n / 100 - CASE WHEN n >= 2500 AND n % 100 BETWEEN 10 AND 89 THEN 1 ELSE 0 END"
    given = {"campaign_id": f"'{NOBODY}'", "gross": "1000", "position": "n", "version": "1", "award_version": "1"}
    given |= {
        "award_day": day,
        "day": day,
        "times": "1 - n % 2",
        "change": "100",
        "amount": "100",
        "payer_discount": "100",
        "kind": "'DISCOUNT'",
    }
    empty = {"text": "''", "boolean": "false", "bytea": "''", "uuid": "gen_random_uuid()"}
    async with await database.open_pool(size_max=1) as pool:
        totals = PgAwardTotals(pool)
        assert await totals.given_on(0, 7, set()) == []
        for table in ("awards", "payments"):
            found = await pool.fetch(
                "SELECT column_name, data_type FROM information_schema.columns "
                "WHERE table_schema = current_schema() AND table_name = $1",
                table,
            )
            columns = {name: given.get(name, empty.get(kind, "0")) for name, kind in found}
            names, values = (", ".join(each) for each in ([f'"{name}"' for name in columns], columns.values()))
            rows = f"SELECT {values} FROM generate_series(0, 2999) AS n"  # noqa: S608  # Our own words.
            await pool.execute(f"INSERT INTO {table} ({names}) {rows}")
        for at in (0, 7, 27, 29):
            for query in (_PAYMENTS_SINCE, _AWARDS_SINCE):
                assert await pool.fetchval(query, at) in range(max((at - 1) * 100 - 2, -1), max(at * 100, 1))
            assert sum(each.change for each in await totals.given_on(0, at, set())) == await pool.fetchval(
                "SELECT sum(change)::bigint FROM all_awards WHERE day = $1 AND times = 1", at
            )


async def _read_in_order(pool: "asyncpg.Pool[Any]") -> None:
    """A page of what a campaign gave in payments takes as long as the page is, and not as what it gave in all."""
    query = """EXPLAIN SELECT * FROM granted_awards
        WHERE campaign_id = gen_random_uuid() AND position > 0 ORDER BY position DESC LIMIT 3"""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        plan = "\n".join(record[0] for record in await connection.fetch(query))
    assert "Index Scan Backward using payments_granted on payments" in plan
    assert "Sort" not in plan


async def _seen_alike(rows: PgStore, store: MemoryStore) -> None:
    """The view is in SQL what it is in memory, by whatever it is read; positions were given anew."""
    seen = [row for _, row in await store.scan(ALL_AWARDS)]
    assert len(seen) > len(store.rows[AWARDS.name]) > 0
    assert [row for _, row in await rows.scan(ALL_AWARDS)] == seen
    for column in ("id", "payment_id", "person_id"):
        for value in {getattr(row, column) for row in seen}:
            found = [await each.find(ALL_AWARDS, column, [value]) for each in (rows, store)]
            assert [row for _, row in found[0]] == [row for _, row in found[1]]
    assert await rows.scan(GRANTED)
    for view in (ALL_AWARDS, GRANTED):
        assert [row for _, row in await rows.scan(view)] == [row for _, row in await store.scan(view)]
        for campaign_id in {row.campaign_id for row in seen}:
            pages = [
                await each.page(view, "campaign_id", campaign_id, limit=3, newest_first=True) for each in (rows, store)
            ]
            assert [row for _, row in pages[0]] == [row for _, row in pages[1]]
