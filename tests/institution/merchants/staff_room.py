"""Where a merchant's staff is tested: one institution's people, merchants and staff, on a store that survives restarts."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from argon2 import PasswordHasher

from hutong.institution.merchants.merchant import MerchantProfile
from hutong.institution.merchants.repository import MerchantRepository
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.shop import Shop, ShopProfile
from hutong.institution.merchants.staff import SignedInStaff, StaffMember
from hutong.institution.merchants.staff_key import Role, StaffKey
from hutong.institution.merchants.staff_service import StaffService
from hutong.institution.notices.repository import NoticeRepository
from hutong.institution.notices.service import Notices
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.service import PeopleService
from hutong.institution.people.settings import PeopleSettings
from hutong.kernel.clock import ManualClock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.ledger.engines.reference import ReferenceLedger
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import decided
from hutong.runtime.tables import MemoryStore

Answer = TypeVar("Answer")
PIN, OTHER_PIN = "483915", "702846"
OWNER, MANAGER, CASHIER = "+8613800138001", "+8613800138002", "+8613800138003"
_SETTINGS = PeopleSettings(
    token_key=b"t" * 32,
    pin_pepper=b"p" * 32,
    sealing_keys=(b"s" * 32,),
    payment_code_key=b"c" * 32,
    payment_code_prefix="31",
    plate_base="https://jing.example",
    operators={"duty": "op_a-long-token"},
)
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class StaffRoom:
    """One institution with a merchant of two shops."""

    def __init__(self, pool: WorkerPool) -> None:
        self.clock = ManualClock()
        self.randomness = seeded_randomness(7)
        self.mint = IdMint(self.clock, self.randomness)
        self.store = MemoryStore()
        self.ledger = ReferenceLedger(self.clock)
        self.codes: dict[tuple[str, Purpose], str] = {}
        self.device = self.mint.mint()
        self._pool = pool
        self._build(0)

    async def open(self) -> None:
        await self._start()
        self.merchant_id, self.owner = await self.merchant("M-1")
        self.shops = [await self.shop(reference) for reference in ("S-1", "S-2")]

    async def restart(self) -> None:
        """Everything in memory is gone; what was durable is not."""
        position = self.journal.durable_position
        self.journal.crash()
        self._build(position)
        await self._start()

    async def ask(self, decide: Callable[[], Answer]) -> Answer:
        """As an edge does."""
        return await decided(self.journal, decide)

    async def merchant(self, reference: str) -> tuple[int, StaffKey]:
        """A merchant, and a key of its owner's."""
        profile = MerchantProfile(
            reference=reference,
            legal_name="北京胡同面馆有限公司",
            name="胡同面馆",
            latin_name="HUTONG NOODLES",
            city="北京",
            latin_city="BEIJING",
            mcc="5812",
        )
        merchant = await self.ask(lambda: self.merchants.onboard(profile, 60))
        key, _ = await self.ask(lambda: self.merchants.issue_owner_key(merchant.id, "office"))
        return merchant.id, key

    async def shop(self, reference: str) -> Shop:
        profile = ShopProfile(reference=reference, name=f"店{reference}", city="北京", latin_city="BEIJING")
        return await self.ask(lambda: self.merchants.open_shop(self.owner, profile))

    async def invite(
        self, phone: str, role: Role, shop_id: int = 0, key: StaffKey | None = None, id_: str = ""
    ) -> StaffMember:
        asking = key or self.owner
        return await self.ask(lambda: self.staff.invite(asking, id_ or phone, "李娜", phone, role, shop_id))

    async def code(self, phone: str, purpose: Purpose) -> str:
        self.clock.advance(seconds=60)
        await self.ask(lambda: self.staff.request_code(phone, purpose))
        return self.codes[phone, purpose]

    async def hire(
        self, phone: str, role: Role, shop_id: int = 0, pin: str = PIN, key: StaffKey | None = None
    ) -> StaffMember:
        """Invited, and come in once, on the till."""
        self.clock.advance(seconds=1)
        member = await self.invite(phone, role, shop_id, key)
        code = self.codes[phone, Purpose.STAFF_PIN]
        if key is not None:
            code = await self.code(phone, Purpose.STAFF_PIN)
        await self.staff.set_pin(phone, code, pin, self.device)
        return next(
            each for each in await self.ask(lambda: self.staff.staff(key or self.owner)) if each.id == member.id
        )

    async def come(self, phone: str, pin: str = PIN, device_id: int = 0, code: str = "") -> tuple[SignedInStaff, str]:
        return await self.staff.sign_in(phone, pin, device_id or self.device, code=code)

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
        self.notices = Notices(node, NoticeRepository(self.journal, self.store))
        self.people = PeopleService(
            node, _SETTINGS, self.notices, sender=self, pool=self._pool, open_wallet=lambda _: None, hasher=_QUICK
        )
        self._repository = MerchantRepository(node)
        pepper = b"a pepper for tests, not for money"
        self.merchants = MerchantService(node, self._repository, self.ledger, pepper=pepper)
        self.staff = StaffService(node, self._repository, self.merchants, self.people, self.notices, pepper=pepper)

    async def _start(self) -> None:
        await self.people.start()
        await self._repository.start()

    def send(self, phone: str, purpose: Purpose, code: str) -> None:
        """Where one-time codes arrive."""
        self.codes[phone, purpose] = code


async def refused(asking: Awaitable[object]) -> str:
    """The name of the no that this must be."""
    with pytest.raises(Refusal) as told:
        await asking
    return told.value.reason.name
