"""A street of merchants to test on: one institution's merchants and requests, on a memory journal and the reference ledger."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hutong.codes.code import CodeReason
from hutong.codes.plate import PlateId
from hutong.institution.merchants.merchant import MerchantProfile
from hutong.institution.merchants.plate_service import PlateService
from hutong.institution.merchants.repository import MerchantRepository
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.shop import ShopProfile
from hutong.institution.merchants.site import Site
from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.requests.draft import RequestDraft
from hutong.institution.requests.repository import RequestRepository
from hutong.institution.requests.request import RequestLimits
from hutong.institution.requests.service import RequestService
from hutong.kernel.clock import ManualClock
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.ledger.engines.reference import ReferenceLedger
from hutong.runtime.journal import Journal, MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.shelf import warmed
from hutong.runtime.tables import MemoryStore, Store

Answer = TypeVar("Answer")
SITE = Site("jing", "https://jing.example")
PEPPER = b"a pepper for tests, not for money"


def noodles(**changed: str) -> MerchantProfile:
    told = {
        "reference": "M-1",
        "legal_name": "北京胡同面馆有限公司",
        "name": "胡同面馆",
        "latin_name": "HUTONG NOODLES",
        "city": "北京",
        "latin_city": "BEIJING",
        "mcc": "5812",
    }
    return MerchantProfile(**(told | changed))


def corner(**changed: str) -> ShopProfile:
    told = {"reference": "S-1", "name": "鼓楼店", "city": "北京", "latin_city": "BEIJING"}
    return ShopProfile(**(told | changed))


@dataclass(frozen=True)
class SomePersonalCode:
    id: int
    plate: PlateId
    user_id: int
    amount: int = 0
    currency: str = "CNY"
    remark: str = ""
    active: bool = True


@dataclass(frozen=True)
class SomePerson:
    id: int
    masked_name: str = "*小明"
    wallet_account: int = 4711
    no: Reason | None = None

    def may_receive(self, now_ns: int, /) -> None:
        assert now_ns
        if self.no is not None:
            raise Refusal(self.no)


class SomePeople:
    """The people whose personal codes a test needs."""

    def __init__(self) -> None:
        self.codes: list[SomePersonalCode] = []
        self.people: dict[int, SomePerson] = {}

    def personal_code(self, code_id: int, /) -> SomePersonalCode:
        for code in self.codes:
            if code.id == code_id:
                return code
        raise Refusal(CodeReason.CODE_UNKNOWN)

    def personal_code_on(self, plate: PlateId, /) -> SomePersonalCode:
        for code in self.codes:
            if code.plate == plate:
                return code
        raise Refusal(CodeReason.CODE_UNKNOWN)

    def user(self, user_id: int, /) -> SomePerson:
        return self.people[user_id]


class ShopStreet:
    """One node's merchants and requests. `restart` forgets everything that is not durable."""

    def __init__(self, *, immediate: bool = True, limits: RequestLimits | None = None) -> None:
        self.prepare(limits)
        self._immediate = immediate
        self.store = MemoryStore()
        self.journal: Journal = MemoryJournal(self.store, immediate=immediate)
        asyncio.run(self.wire(self.journal, self.store))

    def prepare(self, limits: RequestLimits | None = None) -> None:
        """What there is before the services start, on whatever journal they will."""
        self.clock = ManualClock()
        self.randomness = seeded_randomness(7)
        self.mint = IdMint(self.clock, self.randomness)
        self.people = SomePeople()
        self.ledger = ReferenceLedger(self.clock)
        self._limits = limits or RequestLimits()

    def restart(self) -> None:
        journal = self.journal
        assert isinstance(journal, MemoryJournal)
        journal.crash()
        again = MemoryJournal(self.store, position=journal.position, immediate=self._immediate)
        asyncio.run(self.wire(again, self.store))

    def flush(self) -> None:
        """Let what was decided become durable."""
        assert isinstance(self.journal, MemoryJournal)
        self.journal.flush()

    def do(self, decide: Callable[[], Answer]) -> Answer:
        """What an edge does: decide, loading what is cold, and let it become durable."""
        answer = asyncio.run(warmed(self.journal, decide))
        self.journal.seal()
        return answer

    def no(self, decide: Callable[..., object], *given: object) -> Refusal:
        """The refusal that `decide(*given)` must raise, and then nothing was written."""
        before = self.journal.position
        refusal = refusal_of(lambda: self.do(lambda: decide(*given)))
        assert self.journal.position == before
        return refusal

    @property
    def now_ns(self) -> int:
        return self.clock.now_ns()

    def owner(self, reference: str = "M-1") -> StaffKey:
        """An owner's key of a merchant, taken on if need be."""
        merchant = self.do(lambda: self.merchants.onboard(noodles(reference=reference), 60))
        key, _ = self.do(lambda: self.merchants.issue_owner_key(merchant.id, "boss"))
        return key

    async def wire(self, journal: Journal, store: Store) -> None:
        """Start the services afresh on a journal and what it keeps."""
        self.journal = journal
        self.node = NodeRuntime("jing", self.clock, self.randomness, self.mint, journal, store, run_now)
        self.kept = MerchantRepository(self.node)
        self.merchants = MerchantService(self.node, self.kept, self.ledger, pepper=PEPPER)
        self.plates = PlateService(self.node, self.kept, self.merchants, SITE)
        self.kept_requests = RequestRepository(self.node)
        self.requests = RequestService(
            self.node, self.kept_requests, self.merchants, self.plates, self.people, self._limits
        )
        await self.kept.start()
        await self.kept_requests.start()


def draft(**changed: object) -> RequestDraft:
    told: dict[str, object] = {"reference": "order-1", "amount": 1200}
    return RequestDraft(**(told | changed))  # type: ignore[arg-type]  # A test says which.


def refusal_of(decide: Callable[[], object]) -> Refusal:
    """The refusal that `decide` must raise."""
    try:
        answer = decide()
    except Refusal as refusal:
        return refusal
    raise AssertionError(f"not refused: {answer}")
