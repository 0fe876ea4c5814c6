"""People and notices on a real PostgreSQL: what the migrations make is what the services need."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from argon2 import PasswordHasher

from hutong.codes.payment_code import PaymentCodeGenerator
from hutong.institution.notices.delivery_service import DeliveryService
from hutong.institution.notices.repository import TABLES as NOTICE_TABLES
from hutong.institution.notices.repository import NoticeRepository
from hutong.institution.notices.service import Notices
from hutong.institution.notices.webhook_service import WebhookService
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.repository import TABLES as PEOPLE_TABLES
from hutong.institution.people.service import PeopleService
from hutong.institution.people.settings import PeopleSettings
from hutong.institution.sealing import SealingKeys
from hutong.kernel.clock import ManualClock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.outbound import Answer, NotAnswered
from hutong.runtime.pgjournal import PgJournal, open_journal
from hutong.runtime.pgstore import PgStore
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import decided
from hutong.runtime.tables import Table

Decision = TypeVar("Decision")
PHONE = "+8613800138000"
PIN = "483915"
MERCHANT = 1 << 90
SETTINGS = PeopleSettings(
    token_key=b"t" * 32,
    pin_pepper=b"p" * 32,
    sealing_keys=(b"s" * 32,),
    payment_code_key=b"c" * 32,
    payment_code_prefix="31",
    plate_base="https://jing.example",
    operators={"duty": "op_a-long-token"},
)


class Inbox:
    """A merchant that fails once, and telephones."""

    def __init__(self) -> None:
        self.codes: dict[Purpose, str] = {}
        self.ids: list[str] = []

    def send(self, _phone: str, purpose: Purpose, code: str) -> None:
        self.codes[purpose] = code

    async def post(self, _url: str, headers: Any, _body: bytes) -> Answer:
        self.ids.append(headers["webhook-id"])
        if len(self.ids) == 1:
            raise NotAnswered("not yet")
        return Answer(204)


class Life:
    """One life of a node's process, on rows that outlive it."""

    def __init__(
        self, database: Database, journal: PgJournal, store: PgStore, clock: ManualClock, inbox: Inbox
    ) -> None:
        randomness = seeded_randomness(clock.now_ns())
        self.journal = journal
        self.mint = IdMint(clock, randomness)
        node = NodeRuntime(database.schema, clock, randomness, self.mint, journal, store, run_now)
        repository = NoticeRepository(journal, store)
        self.notices = Notices(node, repository)
        self.pool = WorkerPool(workers=1)
        self.people = PeopleService(
            node,
            SETTINGS,
            self.notices,
            sender=inbox,
            pool=self.pool,
            open_wallet=lambda _: None,
            hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
        )
        sealing = SealingKeys(SETTINGS.sealing_keys, randomness)
        self.webhooks = WebhookService(node, repository, sealing, private_allowed=True)
        self.deliveries = DeliveryService(node, repository, self.notices, self.webhooks, inbox)

    async def ask(self, decide: Callable[[], Decision]) -> Decision:
        return await decided(self.journal, decide)


@pytest.mark.parametrize("table", [*PEOPLE_TABLES, *NOTICE_TABLES], ids=lambda table: table.name)
def test_every_table_says_its_columns_in_their_order(table: Table[Any]) -> None:
    sql = "\n".join(migration.sql for migration in all_migrations(["institution"]))
    declared = sql.split(f"CREATE TABLE {table.name} (\n")[1].split("\n);")[0].splitlines()
    said = [line.split()[:2] for line in (line.rstrip(",") for line in declared)]
    wanted = [["position", "bigint"]] + [[column.name, column.type.sql] for column in table.columns]
    assert said == wanted
    nullable = {line.split()[0] for line in declared if "NOT NULL" not in line and "PRIMARY KEY" not in line}
    assert nullable == {column.name for column in table.columns if column.nullable}


def test_people_and_notices_live_through_restarts_on_postgresql(database: Database) -> None:
    asyncio.run(_three_lives(database))


async def _three_lives(database: Database) -> None:
    await migrate(database, all_migrations(["runtime", "institution"]))
    clock, inbox = ManualClock(), Inbox()
    told: dict[str, Any] = {}
    for live in (_first, _second, _third):
        journal = await open_journal(database)
        async with await database.open_pool(size_max=2) as pool:
            life = Life(database, journal, PgStore(pool), clock, inbox)
            await life.people.start()
            await life.deliveries.start()
            delivering = asyncio.create_task(life.deliveries.run())
            await live(life, clock, inbox, told)
            delivering.cancel()
            await asyncio.wait([delivering])
            await journal.close()
            life.pool.close()


async def _first(life: Life, clock: ManualClock, inbox: Inbox, told: dict[str, Any]) -> None:
    await life.ask(lambda: life.people.request_code(PHONE, Purpose.SIGN_IN))
    device_id, code_id, endpoint_id = life.mint.mint(), life.mint.mint(), life.mint.mint()
    signed_in = await life.ask(
        lambda: life.people.register(
            phone=PHONE,
            name="王小明",
            code=inbox.codes[Purpose.SIGN_IN],
            registration_id="r1",
            device_id=device_id,
            device_name="phone",
        )
    )
    user_id = signed_in.user.id
    await life.people.pins.set_pin(user_id, PIN)
    with pytest.raises(Refusal, match="PIN_WRONG: tries_left=4"):
        await life.people.pins.check(user_id, "759204")
    keys = await life.ask(lambda: life.people.codes.payment_code_keys(user_id, device_id))
    code = PaymentCodeGenerator(keys.head_today, keys.seed).generate(clock.now_ns())
    holder = await life.ask(lambda: life.people.claim_payment_code(code, 256, "wei"))
    with pytest.raises(Refusal, match="PAYMENT_CODE_WRONG"):
        await life.ask(lambda: life.people.claim_payment_code(keys.head_today + "0" * 7, 256, "wei"))
    made = await life.ask(lambda: life.people.codes.make_personal_code(user_id, code_id, amount=1200, remark="AA"))
    endpoint = await life.ask(lambda: life.webhooks.make(MERCHANT, endpoint_id, "https://shop.example/", []))
    life.notices.tell_merchant(MERCHANT, "payment.completed", {"amount": 1200})
    life.journal.seal()
    async with asyncio.timeout(10):
        while not inbox.ids or life.deliveries._lanes[endpoint_id].is_running:
            await asyncio.sleep(0.01)
    told |= {"signed_in": signed_in, "code": code, "holder": holder, "made": made, "endpoint": endpoint}


async def _second(life: Life, clock: ManualClock, inbox: Inbox, told: dict[str, Any]) -> None:
    signed_in, made, endpoint = told["signed_in"], told["made"], told["endpoint"]
    assert (await life.ask(lambda: life.people.session(signed_in.token))).user_id == signed_in.user.id
    assert await life.ask(lambda: life.people.user_on(PHONE)) == signed_in.user
    with pytest.raises(Refusal, match="PIN_WRONG: tries_left=3"):
        await life.people.pins.check(signed_in.user.id, "759204")
    await life.people.pins.check(signed_in.user.id, PIN)
    assert await life.ask(lambda: life.people.claim_payment_code(told["code"], 256, "wei")) == told["holder"]
    with pytest.raises(Refusal, match="PAYMENT_CODE_REUSED"):
        await life.ask(lambda: life.people.claim_payment_code(told["code"], 512, "wei"))
    assert await life.ask(lambda: life.people.personal_code(made.id)) == made
    assert await life.ask(lambda: life.webhooks.endpoint(MERCHANT, endpoint.id)) == endpoint
    clock.advance(seconds=6)
    life.deliveries.poke()
    async with asyncio.timeout(10):
        while len(inbox.ids) < 2:
            await asyncio.sleep(0.01)
    page = await life.notices.feed(MERCHANT, 0, limit=10)
    assert len(page.events) == 1
    await life.ask(lambda: life.people.close(signed_in.user.id, 0))


async def _third(life: Life, clock: ManualClock, inbox: Inbox, told: dict[str, Any]) -> None:
    clock.advance(seconds=3600)
    with pytest.raises(Refusal, match="SESSION_UNKNOWN"):
        await life.ask(lambda: life.people.session(told["signed_in"].token))
    closed = await life.ask(lambda: life.people.user(told["signed_in"].user.id))
    assert closed.closed
    page = await life.notices.feed(closed.id, 0, limit=10)
    assert [event.type for _, event in page.events] == ["pin.changed", "user.closed"]
    await asyncio.sleep(0.05)
    assert len(set(inbox.ids)) == 1
    assert len(inbox.ids) == 2
