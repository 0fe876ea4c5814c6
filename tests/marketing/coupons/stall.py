"""A breakfast stall's coupons: the services on a memory journal, with campaigns and payments that do as they are told."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hutong.institution.payments.cashier import Occasion
from hutong.kernel.clock import ManualClock
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.ids import IdMint, derive, seeded_randomness
from hutong.marketing.campaigns.calendar import Calendar
from hutong.marketing.campaigns.combination import best_combination
from hutong.marketing.coupons.claim_service import Claimant, ClaimService
from hutong.marketing.coupons.code import Codes
from hutong.marketing.coupons.coupon import Coupon
from hutong.marketing.coupons.redemption_service import RedemptionService
from hutong.marketing.coupons.repository import CouponRepository
from hutong.marketing.coupons.template import CouponKind, CouponTemplate, CouponTerms
from hutong.marketing.coupons.template_service import TemplateService
from hutong.marketing.coupons.till_service import TillService
from hutong.marketing.coupons.validity import Validity
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.shelf import warmed
from hutong.runtime.tables import MemoryStore
from hutong.scheme.messages import Channel

Answer = TypeVar("Answer")
KEY = b"a key for tests, not for coupons"
ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar(ZONE)
FIVE_OFF = CouponTerms(kind=CouponKind.AMOUNT_OFF, amount_off=500, threshold=2_000, validity=Validity(days=7))


def terms(**changed: Any) -> CouponTerms:
    return msgspec.structs.replace(FIVE_OFF, **changed)


@dataclass
class SomeCampaign:
    id: int
    kind: str = "COUPON"
    merchant_id: int = 0
    version: int = 1
    running: bool = True

    def is_running(self, _now_ns: int, /) -> bool:
        return self.running


@dataclass
class SomeCampaigns:
    """Campaigns that run, and whom they hold out."""

    all: dict[int, SomeCampaign] = field(default_factory=dict)
    held_out: set[int] = field(default_factory=set)

    def campaign(self, campaign_id: int, /) -> SomeCampaign:
        return self.all[campaign_id]

    def is_held_out(self, _campaign_id: int, person_id: int, /) -> bool:
        return person_id in self.held_out


@dataclass(frozen=True)
class SomeAward:
    id: int
    payment_id: int
    source_id: int
    amount: int


class Told:
    """What people were told."""

    def __init__(self) -> None:
        self.news: list[tuple[int, str]] = []

    def tell_user(self, user_id: int, type_: str, data: dict[str, Any], /) -> None:
        assert data
        self.news.append((user_id, type_))


class Stall:
    """One institution's coupons, on a store that survives."""

    def __init__(self, *, immediate: bool = True) -> None:
        self.clock = ManualClock()
        self.randomness = seeded_randomness(7)
        self.mint = IdMint(self.clock, self.randomness)
        self.store = MemoryStore()
        self.campaigns = SomeCampaigns()
        self.told = Told()
        self.immediate = immediate
        self.build(0)

    def build(self, position: int) -> None:
        self.journal = MemoryJournal(self.store, position=position, immediate=self.immediate)
        node = NodeRuntime("jing", self.clock, self.randomness, self.mint, self.journal, self.store, run_now)
        repository, codes = CouponRepository(node), Codes(KEY)
        self.templates = TemplateService(node, repository, self.campaigns, codes)
        self.claims = ClaimService(node, repository, self.templates, self.campaigns, CALENDAR, self.told)
        self.redemptions = RedemptionService(node, repository, self.templates, self.campaigns, CALENDAR)
        self.till = TillService(node, repository, self.templates, self.claims, self.redemptions)
        self.repository = repository
        now(repository.start())
        now(self.templates.start())

    def restart(self) -> None:
        """Kill the node: what was not flushed is gone, and so is everything in memory."""
        position = self.journal.durable_position
        self.journal.crash()
        self.build(position)

    def ask(self, decide: Callable[[], Answer]) -> Answer:
        """As an edge does."""
        answer = now(warmed(self.journal, decide))
        self.journal.seal()
        return answer

    def campaign(self, **told: Any) -> SomeCampaign:
        campaign = SomeCampaign(self.mint.mint(), **told)
        self.campaigns.all[campaign.id] = campaign
        return campaign

    def template(self, told: CouponTerms = FIVE_OFF, *, stock: int = 100, **campaign: Any) -> CouponTemplate:
        of = self.campaign(**campaign)
        return self.ask(lambda: self.templates.create(self.mint.mint(), of.id, "早餐满20减5", told, stock))

    def claim(self, template: CouponTemplate, person_id: int, device_id: int = 0) -> Coupon:
        who = Claimant(person_id, device_id or person_id + 1)
        claim_id = self.mint.mint()
        return self.ask(lambda: self.claims.claim(claim_id, template.id, who))

    def coupon(self, coupon: Coupon, person_id: int = 0) -> Coupon:
        return self.ask(lambda: self.redemptions.coupon(coupon.id, person_id or coupon.person_id))

    def occasion(self, person_id: int, amount: int = 3_000, **told: Any) -> Occasion:
        return Occasion(
            payer_id=person_id,
            debtor_agent="jing",
            creditor_agent="jing",
            request_id=1,
            mcc="5812",
            channel=Channel.STATIC_CODE,
            amount=amount,
            currency="CNY",
            now_ns=self.clock.now_ns(),
            **told,
        )

    def pay(self, person_id: int, amount: int = 3_000, **told: Any) -> list[SomeAward]:
        """Begin a payment with the best coupons: they are reserved."""
        payment_id = self.mint.mint()

        def decide() -> list[SomeAward]:
            occasion = self.occasion(person_id, amount, **told)
            offered = self.redemptions.benefits(occasion, list(self.campaigns.all.values()))
            awards = [
                SomeAward(derive(payment_id, f"{each.source_id}"), payment_id, each.source_id, each.amount)
                for each in best_combination(amount, offered).chosen
            ]
            for award in awards:
                self.redemptions.reserved(award)
            return awards

        return self.ask(decide)

    def then(self, verb: Callable[[SomeAward], None], awards: list[SomeAward]) -> None:
        """Commit or release what was reserved."""
        for award in awards:
            self.ask(lambda award=award: self._looked_up(award, verb))  # type: ignore[misc]

    def returned(self, award: SomeAward, amount: int, left: int) -> None:
        self.ask(lambda: self._looked_up(award, lambda found: self.redemptions.returned(found, amount, left)))

    def _looked_up(self, award: SomeAward, verb: Callable[[SomeAward], None]) -> None:
        self.redemptions.look_up(award)
        verb(award)

    def refused(self, reason: Reason, decide: Callable[[], Any]) -> dict[str, Any]:
        """The facts of the refusal that this must get."""
        with pytest.raises(Refusal) as caught:
            self.ask(decide)
        assert caught.value.reason is reason, caught.value
        return caught.value.facts


def now(errand: Coroutine[Any, Any, Answer]) -> Answer:
    """The result of an errand that waits for nothing."""
    try:
        errand.send(None)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    raise AssertionError("it waited for the world, and here there is none")
