"""An institution's people on a store that survives, so that a test can restart everything on it."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from argon2 import PasswordHasher

from hutong.institution.notices.repository import NoticeRepository
from hutong.institution.notices.service import Notices
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.service import PeopleService
from hutong.institution.people.settings import PeopleSettings
from hutong.institution.people.signed_in import SignedIn
from hutong.institution.people.user import User
from hutong.kernel.clock import ManualClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import decided
from hutong.runtime.tables import MemoryStore

Answer = TypeVar("Answer")

PHONE = "+8613800138000"
PIN = "483915"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SETTINGS = PeopleSettings(
    token_key=b"t" * 32,
    pin_pepper=b"p" * 32,
    sealing_keys=(b"s" * 32,),
    payment_code_key=b"c" * 32,
    payment_code_prefix="31",
    plate_base="https://jing.example",
    operators={"duty": "op_a-long-token"},
)


class Telephones:
    """Where one-time codes arrive."""

    def __init__(self) -> None:
        self.codes: dict[tuple[str, Purpose], str] = {}
        self.count = 0

    def send(self, phone: str, purpose: Purpose, code: str) -> None:
        self.codes[phone, purpose] = code
        self.count += 1


class Town:
    """One institution, its people and their telephones."""

    def __init__(self, pool: WorkerPool) -> None:
        self.clock = ManualClock()
        self.randomness = seeded_randomness(7)
        self.mint = IdMint(self.clock, self.randomness)
        self.store = MemoryStore()
        self.telephones = Telephones()
        self.wallets: list[int] = []
        self._pool = pool
        self._build(0)

    async def start(self) -> None:
        await self.people.start()

    async def restart(self) -> None:
        """Everything in memory is gone; what was durable is not."""
        position = self.journal.durable_position
        self.journal.crash()
        self._build(position)
        await self.people.start()

    async def ask(self, decide: Callable[[], Answer]) -> Answer:
        """As an edge does."""
        return await decided(self.journal, decide)

    async def code(self, phone: str = PHONE, purpose: Purpose = Purpose.SIGN_IN) -> str:
        await self.ask(lambda: self.people.request_code(phone, purpose))
        return self.telephones.codes[phone, purpose]

    async def user(self, phone: str = PHONE, name: str = "王小明") -> SignedIn:
        code = await self.code(phone)
        device_id = self.mint.mint()
        return await self.ask(
            lambda: self.people.register(
                phone=phone, name=name, code=code, registration_id="r1", device_id=device_id, device_name="phone"
            )
        )

    async def sign_in(self, device_id: int, phone: str = PHONE) -> SignedIn:
        self.clock.advance(seconds=60)
        code = await self.code(phone)
        return await self.ask(
            lambda: self.people.sign_in(phone=phone, code=code, device_id=device_id, device_name="another")
        )

    def _build(self, position: int) -> None:
        self.journal = MemoryJournal(self.store, position=position, immediate=True)
        node = NodeRuntime(
            node_id="jing",
            clock=self.clock,
            randomness=self.randomness,
            mint=self.mint,
            journal=self.journal,
            store=self.store,
            spawn=run_now,
        )
        self.people = PeopleService(
            node,
            SETTINGS,
            Notices(node, NoticeRepository(self.journal, self.store)),
            sender=self.telephones,
            pool=self._pool,
            open_wallet=self._open,
            hasher=QUICK,
        )

    def _open(self, user: User) -> None:
        self.wallets.append(user.wallet_account)


@pytest.fixture(scope="session")
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(workers=1, waiting_max=8)
    yield pool
    pool.close()


@pytest.fixture
async def town(pool: WorkerPool) -> Town:
    town = Town(pool)
    await town.start()
    return town
