"""The quick way to a decision is the plain way's decision: whatever runs, whoever pays, and however much was given before."""

from itertools import pairwise
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.institution.payments.cashier import Occasion
from hutong.kernel.ids import seeded_randomness
from hutong.marketing.campaigns.benefit import Benefit
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.combination import _Path, _Search, best_combination
from hutong.marketing.campaigns.rules import RuleRow
from hutong.marketing.campaigns.subsidy import Subsidy
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import Channel
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import Fair
from tests.marketing.campaigns.plain import benefits

_CAMPAIGNS = 14


def _row(random: Random) -> RuleRow:
    when = {}
    if random.random() < 0.6:
        when["amount"] = random.choice((f">= {random.randrange(3_000)}", f"[{random.randrange(900)}..2500)"))
    if random.random() < 0.3:
        when["mcc"] = random.choice(("'5812'", "'5411', '5812'", "'5411'"))
    if random.random() < 0.2:
        when["channel"] = random.choice(("'STATIC'", "'DYNAMIC', 'STATIC'", "'DYNAMIC'"))
    if random.random() < 0.2:
        when["tier"] = random.choice((">= 1", ">= 2"))
    return RuleRow(
        when=when,
        gives=random.random() < 0.9,
        off=random.randrange(400),
        bps=random.choice((0, 0, 0, 500, 2_000)),
        max=random.choice((0, 0, 300)),
        threshold=random.choice((0, 0, 0, 1_000, 2_500)),
    )


def _fair(random: Random) -> tuple[Fair, Person, list[int]]:
    """A house with many campaigns of every sort, and somebody who got something of some of them before."""
    fair = Fair()
    jing = fair.jing
    sponsor, payer, plate = jing.sponsor(10_000_000), jing.user(90_000_000), fair.shop(fair.wei)
    ids = []
    for _ in range(_CAMPAIGNS):
        rows = [_row(random) for _ in range(random.randrange(4))]
        rows.append(RuleRow(off=random.randrange(1, 500), when={"amount": f">= {random.randrange(2_000)}"}))
        caps = Caps(
            day=random.choice((0, 0, 700)),
            place=random.choice((0, 0, 600)),
            person=random.choice((0, 0, 0, 800)),
            person_day=random.choice((0, 0, 0, 500)),
            times=random.choice((0, 0, 0, 2)),
            times_day=random.choice((0, 0, 0, 1)),
        )
        campaign = jing.campaign(
            sponsor,
            random.choice((400, 1_500, 20_000)),
            *rows,
            caps=caps,
            holdout_bps=random.choice((0, 0, 3_000)),
            partial=random.random() < 0.5,
            priority=random.choice((0, 0, 1)),
            exclusive=random.random() < 0.15,
            group=random.choice(("", "", "a", "b")),
        )
        ids.append(campaign.id)
    for _ in range(random.randrange(3)):
        fair.pay(jing, payer, plate, random.randrange(2, 4_000))
    fair.settle()
    return fair, payer, ids


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1 << 40))
def test_an_offer_is_what_asking_every_campaign_by_itself_comes_to(seed: int) -> None:
    random = seeded_randomness(seed)
    fair, payer, ids = _fair(random)
    jing, marketing = fair.jing, fair.jing.marketing
    campaigns = [marketing.campaigns.campaign(id_) for id_ in sorted(ids)]
    for _ in range(12):
        amount, now_ns = random.randrange(1, 4_000), fair.clock.now_ns()
        request_id = random.randrange(3)
        occasion = Occasion(
            payer_id=payer.id,
            debtor_agent="jing",
            creditor_agent="wei",
            request_id=request_id,
            mcc=("5812", "5411", "7011")[request_id],  # What is asked for is one payee's: offers are shown again by it.
            channel=random.choice((Channel.STATIC_CODE, Channel.PAYMENT_CODE)),
            amount=amount,
            currency="CNY",
            now_ns=now_ns,
        )
        offer = now(warmed(jing.journal, lambda: jing.payments.cashier.payer_offer(occasion)))  # noqa: B023  # At once.
        plainly = benefits(
            campaigns,
            {"amount": amount, "mcc": occasion.mcc, "channel": occasion.channel.code, "tier": payer.tier},
            marketing.campaigns.spent,
            marketing.awards.audience.person(payer.id).of,
            unit=payer.id,
            day=marketing.calendar.day(now_ns),
            place="",
            now_ns=now_ns,
        )
        best = best_combination(amount, plainly)
        if offer is None:
            assert best.chosen == ()
            continue
        subsidy = offer[1]
        assert isinstance(subsidy, Subsidy)
        assert tuple(each.benefit for each in subsidy.chosen) == best.chosen
        assert subsidy.amount == best.amount
        by_id = {campaign.id: campaign for campaign in campaigns}
        assert all(each.campaign == by_id[each.benefit.campaign_id] for each in subsidy.chosen)


BENEFITS = st.builds(
    Benefit,
    campaign_id=st.just(1),
    label=st.just("off"),
    source=st.just("campaign"),
    amount=st.integers(0, 60),
    threshold=st.sampled_from([0, 0, 0, 40, 90, 150]),
    priority=st.integers(-1, 1),
    exclusive=st.sampled_from([False] * 9 + [True]),
    group=st.sampled_from(["", "", "", "", "a", "b"]),
)


class _Plain(_Search):
    """Every set is looked through from its beginning, however clear it is that it holds."""

    def _greedy(self, first: list[int]) -> tuple[int, _Path]:
        chosen: list[int] = []
        total = used = 0
        for place in sorted(range(len(first)), key=first.__getitem__, reverse=True):
            if total >= self._room:
                break
            bit = self._bits[place]
            with_it = sorted([*chosen, place])
            if not used & bit and self._holds(with_it):
                chosen, total, used = with_it, total + self._gives[place], used | bit
        path: _Path = None
        for place in chosen:
            path = place, path
        return min(total, self._room), path


@settings(max_examples=300)
@given(st.integers(2, 1_500), st.lists(BENEFITS, min_size=1, max_size=30))
def test_what_is_chosen_at_a_glance_is_what_the_search_finds(amount: int, offered: list[Benefit]) -> None:
    joint = [
        position
        for position, each in enumerate(offered)
        if each.amount > 0 and each.threshold <= amount and not each.exclusive
    ]
    joint.sort(key=lambda at: (-offered[at].priority, offered[at].amount - offered[at].threshold, at))
    together = [each for each in offered if not each.exclusive]
    combination = best_combination(amount, together)
    positions, proved = _Plain(amount, offered, joint).best() if joint else ((), True)
    expected = [offered[position] for position in positions]
    assert [(each.label, each.priority, each.threshold) for each in combination.chosen] == [
        (each.label, each.priority, each.threshold) for each in expected
    ]
    assert all(given.amount <= offer.amount for given, offer in zip(combination.chosen, expected, strict=True))
    assert combination.amount == min(sum(each.amount for each in expected), amount - 1)
    assert combination.proved == proved
    assert all(first.priority >= then.priority for first, then in pairwise(combination.chosen))
