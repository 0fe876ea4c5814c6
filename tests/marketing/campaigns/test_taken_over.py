"""
A node that was paused in the middle of moving an award's money, and taken over meanwhile, goes on where it was.

Its successor has moved that money since, part by part. So the first finds transfers where it was about to make a chain of them:
it must not decide anything on rows that another wrote.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from hutong.app.host import Machine, NodeHost
from hutong.app.wiring import INSTITUTION_KINDS
from hutong.institution.chart import Chart
from hutong.institution.payments.payment import PAYMENT_OUTCOMES, PAYMENTS
from hutong.kernel.clock import NS_PER_DAY
from hutong.marketing.campaigns.award_repository import PgAwardTotals
from hutong.marketing.campaigns.award_service import AwardService
from hutong.marketing.campaigns.benefit import Benefit
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import Campaign, CampaignDraft, CampaignKind, CampaignTerms, Side
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.campaigns.decided import Decided
from hutong.marketing.campaigns.parties import NOWHERE, PayerFacts, PlaceFacts
from hutong.marketing.campaigns.rules import RuleRow, RuleTable
from hutong.marketing.campaigns.sponsor import SponsorKind, SponsorProfile
from hutong.marketing.campaigns.sponsor_service import SponsorService
from hutong.runtime.database import Database, DatabaseUnavailable
from hutong.runtime.journal import durable
from hutong.runtime.shelf import Shelf, warmed

_FUNDED = 1_000
_DAY = 20_000


class Everybody:
    """People and merchants of whom nothing is known."""

    followed = ()

    def payer(self, person_id: int) -> PayerFacts:
        return PayerFacts(3, person_id)

    def place(self, merchant_id: int, shop_id: int) -> PlaceFacts:
        return NOWHERE if merchant_id == shop_id else PlaceFacts("上海")

    def sells_at(self, person_id: int, merchant_id: int) -> bool:
        return person_id == merchant_id

    def check_may_receive(self, person_id: int) -> None: ...

    async def has_paid(self, person_id: int) -> bool:
        return person_id == 0


class Desk:
    """What gives awards, on one life of a node."""

    def __init__(self, machine: Machine) -> None:
        node, ledger, self.machine, self.chart = machine.node, machine.ledger, machine, Chart("jing")
        self.sponsors = SponsorService(node, ledger, self.chart)
        self.campaigns = CampaignService(node, ledger, self.chart, self.sponsors, PgAwardTotals(machine.pool))
        payments, outcomes = (Shelf(each, node.journal, node.store) for each in (PAYMENTS, PAYMENT_OUTCOMES))
        parties = Everybody()
        self.awards = AwardService(
            node, ledger, self.chart, self.campaigns, parties, lambda _: _DAY, payments, outcomes
        )

    def tick(self) -> None: ...

    async def start(self) -> None:
        self.chart.open(self.machine.ledger)
        await self.sponsors.start()
        await self.campaigns.start()
        await self.awards.start()
        self.awards.resume()

    async def decide(self, decision: Callable[[], Any]) -> Any:
        answer = await warmed(self.machine.journal, decision)
        await durable(self.machine.journal)
        return answer

    async def campaign(self) -> Campaign:
        """One that runs, with money of its own."""
        mint = self.machine.node.mint.mint
        profile = SponsorProfile(reference="S-1", kind=SponsorKind.INSTITUTION, name="钱包")
        sponsor = await self.decide(lambda: self.sponsors.register(profile))
        await self.decide(lambda: self.sponsors.deposit(mint(), sponsor.id, _FUNDED, lambda _: None))
        draft = CampaignDraft(
            id=mint(),
            name="立减",
            kind=CampaignKind.DISCOUNT,
            side=Side.PAYER,
            sponsors=[(sponsor.id, 1)],
            budget=_FUNDED,
            terms=CampaignTerms(rules=RuleTable(rows=(RuleRow(off=1),))),
            ends_ns=self.machine.node.clock.now_ns() + NS_PER_DAY,
        )
        await self.decide(lambda: self.campaigns.draft(draft))
        begun = asyncio.get_running_loop().create_future()
        await self.decide(lambda: self.campaigns.begin(draft.id, 0, begun.set_result))
        assert (await begun).funded == _FUNDED
        return self.campaigns.campaign(draft.id)

    async def reserved(self, *campaigns: Campaign) -> int:
        """A payment that was offered something by all of them, and is not decided."""
        payment_id = self.machine.node.mint.mint()

        def reserve() -> None:
            self.awards.audience.person(7)
            given = [
                Decided(Benefit(campaign_id=each.id, amount=10, label="", source="campaign"), "", 0, each, Caps())
                for each in campaigns
            ]
            self.awards.reserve(payment_id, 7, given, self.machine.node.clock.now_ns())
            self.awards.keep(payment_id)

        await self.decide(reserve)
        return payment_id

    async def left(self, campaign: Campaign) -> int:
        (account,) = await self.machine.ledger.lookup_accounts([campaign.account])
        return account.credits_posted - account.debits_posted

    async def moved(self) -> None:
        """Until the ledger has decided what it was asked for."""
        while self.machine.ledger._waiting:
            await asyncio.sleep(0)

    async def hold_errands(self) -> list[Coroutine[Any, Any, None]]:
        """As a process that is paused: what it begins from now on goes on when somebody says so, and it hears of nothing."""
        await self.moved()
        held: list[Coroutine[Any, Any, None]] = []
        self.machine.ledger._spawn = held.append
        self.machine.journal.on_halt = lambda _: None
        return held


@asynccontextmanager
async def desk(database: Database, *, take_over: bool = False) -> AsyncIterator[Desk]:
    found: list[Desk] = []

    async def build(machine: Machine, _stack: AsyncExitStack) -> Desk:
        found.append(Desk(machine))
        await found[0].start()
        return found[0]

    host = NodeHost("jing", database, INSTITUTION_KINDS, build, take_over=take_over)
    await host.start()
    try:
        yield found[0]
    finally:
        await host.stop()


async def test_who_was_taken_over_decides_nothing_on_what_its_successor_wrote(database: Database) -> None:
    async with desk(database) as first:
        campaigns = [await first.campaign(), await first.campaign()]
        payment_id = await first.reserved(*campaigns)
    async with desk(database) as paused:
        await warmed(paused.machine.journal, lambda: paused.awards.of_payment(payment_id))
        held = await paused.hold_errands()
        # Written down and durable; its money waits for a look-up, as the payment is of an earlier life.
        await paused.decide(lambda: paused.awards.release(payment_id))
        (errand,) = held
        async with desk(database, take_over=True) as successor:
            await successor.moved()
            assert [await successor.left(each) for each in campaigns] == [_FUNDED, _FUNDED]
            with pytest.raises(DatabaseUnavailable):
                await errand
