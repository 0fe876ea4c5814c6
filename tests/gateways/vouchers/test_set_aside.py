"""What a merchant sets aside reaches its campaign once and comes home once, whenever the node dies meanwhile and starts again."""

import asyncio
from itertools import product

import pytest

from hutong.gateways.cash_campaigns.cash_campaign import CAMPAIGNS, CashCampaign
from hutong.gateways.vouchers.set_aside import SetAside
from hutong.institution import chart
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.campaign import CampaignDraft, CampaignKind, CampaignState, CampaignTerms
from hutong.runtime.shelf import Shelf
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import DAY_S, Fair, House

BUDGET, HAD = 700, 1_000
LOOP = asyncio.new_event_loop()  # Of answers alone: nothing runs on it.
STEPS = 7  # Commits from the merchant's word to the last row, and one more.


class Stand(House):
    """An institution whose merchants set money aside."""

    def wire(self) -> None:
        super().wire()
        self.rows = Shelf(CAMPAIGNS, self.journal, self.store, by=("number_key",))
        now(self.rows.load_all())
        self.money = SetAside(self.node, self.marketing.sponsors, self.marketing.campaigns, self.rows)

    def boot(self) -> None:
        super().boot()
        self.money.resume()

    def tick(self) -> None:
        super().tick()
        self.money.tick()


class StandFair(Fair):
    institution = Stand


class Scene:
    """A merchant with money and a campaign of its own, written down; nothing has moved."""

    def __init__(self, had: int = HAD) -> None:
        self.fair = StandFair(immediate=False)
        self.merchant = self.stand.merchant()
        self.stand.pay_in(chart.merchant_account(self.merchant), had)
        self.id = self.stand.node.mint.mint()
        self.stand.do(self._write)
        self.calm()

    @property
    def stand(self) -> Stand:
        stand = self.fair.places["wei"]
        assert isinstance(stand, Stand)
        return stand

    @property
    def row(self) -> CashCampaign:
        row = self.stand.rows.get(self.id)
        assert row is not None
        return row

    def _write(self) -> None:
        stand = self.stand
        sponsor = stand.marketing.sponsors.of_merchant(self.merchant, "面馆")
        draft = CampaignDraft(
            id=self.id,
            name="红包",
            kind=CampaignKind.CASH,
            sponsors=[(sponsor.id, 1)],
            budget=BUDGET,
            terms=CampaignTerms(holdout_bps=0),
            ends_ns=self.fair.clock.now_ns() + 30 * DAY_S * 10**9,
            merchant_id=self.merchant,
        )
        stand.marketing.campaigns.draft(draft)
        row = CashCampaign(
            id=self.id,
            account_id=1,
            merchant_id=self.merchant,
            number="1",
            number_key=1,
            message="",
            is_random=False,
            count=1,
            frequency="L1",
            starting=False,
            attempt=0,
            started_ns=0,
            taken_home=0,
            last_home=0,
            created_ns=1,
        )
        stand.rows.put(row)

    def begin(self) -> "asyncio.Future[None]":
        """What the merchant asks for, as often as it likes."""
        stand = self.stand
        answered: asyncio.Future[None] = LOOP.create_future()
        if self.row.started_ns:
            answered.set_result(None)
        else:
            stand.do(lambda: stand.money.begin(self.row, answered))
        return answered

    def crash_after(self, commits: int) -> None:
        """So many commits more, and then the node dies: what was decided meanwhile is gone."""
        for _ in range(commits):
            self.fair.flush()
        self.fair.restart("wei")

    def calm(self) -> None:
        """Until nothing is under way."""
        for _ in range(2 * STEPS):
            self.fair.flush()
            self.fair.settle()

    def money(self) -> tuple[int, int, int]:
        """The merchant's, its budget's and the campaign's."""
        campaign = self.stand.marketing.campaigns.campaign(self.id)
        budget = chart.budget_account(campaign.shares[0][0])
        accounts = (chart.merchant_account(self.merchant), budget, campaign.account)
        merchant, between, set_aside = (self.stand.balance(each) for each in accounts)
        return merchant, between, set_aside


@pytest.mark.parametrize(("first", "second"), [*product(range(STEPS), (0, 1, 3))])
def test_it_is_set_aside_once_whenever_the_node_dies(first: int, second: int) -> None:
    scene = Scene()
    scene.begin()
    scene.crash_after(first)
    if first % 2:  # The merchant asks again, or nobody does.
        scene.begin()
    scene.crash_after(second)
    scene.calm()
    scene.begin()
    scene.calm()
    assert scene.money() == (HAD - BUDGET, 0, BUDGET)
    assert scene.stand.marketing.campaigns.campaign(scene.id).state == CampaignState.RUNNING
    assert scene.row.started_ns
    assert not scene.row.starting


@pytest.mark.parametrize("commits", range(1, STEPS))
def test_what_was_written_down_goes_on_by_itself(commits: int) -> None:
    scene = Scene()
    scene.begin()
    scene.crash_after(commits)
    scene.calm()
    assert scene.money() == (HAD - BUDGET, 0, BUDGET)
    assert scene.row.started_ns


@pytest.mark.parametrize(("first", "second"), [*product(range(STEPS), (0, 2))])
def test_it_comes_home_once_whenever_the_node_dies(first: int, second: int) -> None:
    scene = Scene()
    scene.begin()
    scene.calm()
    scene.stand.do(lambda: scene.stand.marketing.campaigns.end(scene.id))
    scene.crash_after(first)
    scene.fair.tick(1)
    scene.crash_after(second)
    for _ in range(3):
        scene.calm()
        scene.fair.tick(1)
    scene.calm()
    if scene.stand.marketing.campaigns.campaign(scene.id).state != CampaignState.ENDED:
        scene.stand.do(lambda: scene.stand.marketing.campaigns.end(scene.id))
        for _ in range(3):
            scene.calm()
            scene.fair.tick(1)
    scene.calm()
    assert scene.money() == (HAD, 0, 0)
    assert scene.row.taken_home == BUDGET


@pytest.mark.parametrize("first", range(STEPS))
def test_who_has_less_starts_nothing_and_may_try_again(first: int) -> None:
    scene = Scene(had=BUDGET - 1)
    scene.begin()
    scene.crash_after(first)
    scene.calm()
    answered = scene.begin()
    scene.calm()
    assert isinstance(answered.exception(), Refusal)
    assert scene.money() == (BUDGET - 1, 0, 0)
    scene.stand.pay_in(chart.merchant_account(scene.merchant), 1)
    scene.calm()
    scene.begin()
    scene.calm()
    assert scene.money() == (0, 0, BUDGET)


@pytest.mark.parametrize("commits", range(STEPS))
@pytest.mark.parametrize("waits", [True, False])
def test_what_is_ended_while_its_money_is_on_its_way_gives_it_back(commits: int, waits: bool) -> None:
    scene = Scene()
    answered = scene.begin()
    campaigns = scene.stand.marketing.campaigns
    if campaigns.campaign(scene.id).state == CampaignState.DRAFT:
        scene.stand.do(lambda: campaigns.end(scene.id))
    if waits:
        scene.calm()
        assert isinstance(answered.exception(), Refusal)
    scene.crash_after(commits)
    scene.calm()
    if scene.stand.marketing.campaigns.campaign(scene.id).state != CampaignState.ENDED:  # Nothing of it was durable.
        scene.stand.do(lambda: scene.stand.marketing.campaigns.end(scene.id))
    for _ in range(3):
        scene.calm()
        scene.fair.tick(1)
    assert scene.money() == (HAD, 0, 0)
    assert not scene.row.starting


@pytest.mark.parametrize("commits", range(STEPS))
def test_a_node_that_comes_back_behind_the_end_starts_and_gives_it_back(commits: int) -> None:
    scene = Scene()
    scene.begin()
    scene.crash_after(commits)
    scene.fair.tick(31 * DAY_S)
    for _ in range(3):
        scene.fair.restart("wei")
        scene.calm()
        scene.fair.tick(1)
    scene.calm()
    assert scene.money() == (HAD, 0, 0)
    assert not scene.row.starting
