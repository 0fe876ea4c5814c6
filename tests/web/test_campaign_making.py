"""The console's form of a campaign: what starts is what stands on it, also behind a start that failed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from hutong.institution.merchants.staff_key import StaffKey
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.campaigns.campaign import Campaign, CampaignState
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import decided
from hutong.web.console.campaign_form import read_own
from hutong.web.console.campaign_making import CampaignMaker, Ids, Making
from hutong.web.form import Form
from tests.institution.payments.test_http import Jing

TYPED = {"name": "满十减一", "kind": "amount", "off": "1", "days": "7", "count": "10", "budget": "20"}


class Shop:
    """A corner shop that sold for CNY 100, and a form that it opened."""

    def __init__(self, jing: Jing, key: StaffKey) -> None:
        self.jing, self.key = jing, key
        self.edge = jing.marketing.campaign_edge
        self.maker = CampaignMaker(jing.marketing)
        self.form = Ids(*(jing.mint.mint() for _ in range(3)))

    async def typed(self, **typed: str) -> Making:
        """What stands on the form now."""
        said = Form(TYPED | {"id": id_text("cmp", self.form.campaign_id)} | typed)
        draft, coupon, stock = read_own(said, self.jing.clock.now_ns(), "CNY")
        sponsor = await self.edge.own(self.key)
        return Making(draft.draft(self.key.merchant_id, sponsor.id), coupon, stock)

    async def sends(self, **typed: str) -> Campaign:
        """The form as it is typed now."""
        making = await self.typed(**typed)
        made = await self.maker.begin(self.key, self.form, making, self.jing.clock.now_ns())
        return self.jing.marketing.campaigns.campaign(made)

    async def fails_to_start(self, **typed: str) -> Campaign:
        """Its money is gone between the draft and the start, as where another tab took it back."""
        making = await self.typed(**typed)
        ids = making.named(self.form, self.jing.clock.now_ns())
        await self.edge.campaign(lambda: self.maker._written(ids, making))
        begun = await self.edge.begin(ids.campaign_id, self.key.merchant_id)
        assert (begun.state, begun.reason) == ("DRAFT", "SPONSOR_BUDGET_INSUFFICIENT")
        return self.jing.marketing.campaigns.campaign(ids.campaign_id)

    async def set_aside(self) -> int:
        return await self.edge.sponsors.balance((await self.edge.own(self.key)).id)

    def campaigns(self) -> list[Campaign]:
        return self.jing.marketing.campaigns.everything(self.key.merchant_id)

    def running(self) -> list[tuple[str, int, int]]:
        """By name: the budget, and what is off."""
        return [
            (each.name, each.budget, each.told.rules.rows[0].off)
            for each in self.campaigns()
            if each.state == CampaignState.RUNNING
        ]


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    pool = WorkerPool()
    async with AsyncExitStack() as stack:
        stack.callback(pool.close)
        jing = Jing(pool)
        await jing.start(stack)
        merchant, payer = await jing.merchant(), await jing.user("+8613800138000", 20_000)
        code = (await merchant.post("/v1/plates", 201, {"reference": "counter"}))["text"]
        quote = await payer.post("/v1/codes/consult", 200, {"code": code, "amount": 10_000})
        order = {"payment_id": payer.new_id("pay"), "quote_id": quote["quote_id"], "amount": 10_000}
        assert (await payer.post("/v1/payments", 200, order))["state"] == "COMPLETED"
        merchant_id = parse_id("mer", merchant.id)
        merchants = jing.institution.merchants
        key, _ = await decided(jing.node.journal, lambda: merchants.issue_owner_key(merchant_id, "owner"))
        yield Shop(jing, key)


async def test_what_was_typed_anew_behind_a_failed_start_is_what_starts(shop: Shop) -> None:
    draft = await shop.fails_to_start()
    made = await shop.sends(name="满五减二", off="2", budget="30", days="14")
    assert shop.running() == [("满五减二", 3_000, 200)]
    assert round((made.ends_ns - made.created_ns) / (NS_PER_DAY)) == 14
    assert shop.jing.marketing.campaigns.campaign(draft.id).state == CampaignState.ENDED
    assert await shop.set_aside() == 0, "no more was set aside than its budget"


async def test_the_same_form_again_is_the_same_campaign_whenever_it_comes(shop: Shop) -> None:
    made = await shop.sends()
    shop.jing.clock.advance(seconds=60)
    assert (await shop.sends()).id == made.id
    assert shop.running() == [("满十减一", 2_000, 100)]
    assert await shop.set_aside() == 0


async def test_a_failed_start_is_tried_again_as_it_is(shop: Shop) -> None:
    draft = await shop.fails_to_start()
    assert (await shop.sends()).id == draft.id
    assert shop.running() == [("满十减一", 2_000, 100)]


async def test_several_times_typed_anew_leaves_the_last_one_alone(shop: Shop) -> None:
    for budget in ("20", "25", "30"):
        await shop.fails_to_start(budget=budget)
    await shop.sends(budget="35")
    assert shop.running() == [("满十减一", 3_500, 100)]
    assert [each.state for each in shop.campaigns()].count(CampaignState.ENDED) == 3
    with pytest.raises(Refusal) as refused:
        await shop.sends(budget="36")
    assert refused.value.reason.name == "CAMPAIGN_OTHERWISE"


async def test_from_a_form_that_started_something_nothing_else_starts(shop: Shop) -> None:
    await shop.sends()
    with pytest.raises(Refusal) as refused:
        await shop.sends(off="2")
    assert refused.value.reason.name == "CAMPAIGN_OTHERWISE"
    assert shop.running() == [("满十减一", 2_000, 100)]


async def test_coupons_of_a_form_are_as_it_was_typed_last(shop: Shop) -> None:
    await shop.fails_to_start(way="NONE", count="5")
    made = await shop.sends(way="NONE", count="8", off="3")
    (template,) = [each for each in shop.jing.marketing.coupons.templates.templates() if each.campaign_id == made.id]
    assert (template.stock, template.told.amount_off) == (8, 300)
    assert made.kind == "COUPON"
