"""
Awards: set aside in the decision that writes the payment down, and carried out, released or returned with it.

A discount of one campaign is paid from that campaign's account by the payment's own legs. One that several campaigns give
together comes by way of the node's account of what was awarded, and so does a reward.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from operator import itemgetter

from msgspec.structs import replace

from hutong.institution import chart
from hutong.institution.chart import Chart
from hutong.institution.payments.payment import Outcome, Payment, Why
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import split
from hutong.ledger import marketing_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.sharing_recipes import chained
from hutong.ledger.transfer import TRANSFER_DONE, Transfer, TransferStatus
from hutong.marketing.campaigns.audience_service import ROWS_MAX, AudienceService
from hutong.marketing.campaigns.award import (
    AWARDS,
    GRANTED,
    Award,
    AwardKind,
    AwardState,
    award_id,
    only_award_id,
)
from hutong.marketing.campaigns.benefit import Benefit
from hutong.marketing.campaigns.budget import NOTHING, Caps, room
from hutong.marketing.campaigns.campaign import Campaign
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.campaigns.decided import COMMITTED, RESERVED, Decided, first_reward, first_version
from hutong.marketing.campaigns.grant_service import AwardShelf, Grants
from hutong.marketing.campaigns.parties import Parties
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import UNFINISHED_WITHIN, Shelf

_LOOKED_MAX = 10_000
DayOf = Callable[[int], int]


class AwardService:
    """Every award, and the counters it changes."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        own: Chart,
        campaigns: CampaignService,
        parties: Parties,
        day_of: DayOf,
        payments: Shelf[Payment],
        outcomes: Shelf[Outcome],
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._chart = own
        self._campaigns = campaigns
        self._parties = parties
        self._day_of = day_of
        self._outcomes = outcomes  # Of payments of people of ours.
        self.all = AwardShelf(node, payments, rows_max=ROWS_MAX)
        self.audience = AudienceService(node, parties, self.all)
        self.grants = Grants(campaigns, self.audience, self.all, payments)
        # By payment, within the decision that set them aside: not written yet. The first of what nobody else follows.
        self._plain: dict[int, tuple[int, Decided, int, int]] = {}
        self._fresh: dict[int, list[Award]] = {}
        self._reserved: dict[int, list[Award]] = {}  # By payment: of this life, written down and still undecided.
        self._unmoved: list[Award] = []  # Versions of the last positions before a restart.
        self._looked: dict[int, list[Award]] = {}  # What somebody is about to decide.

    async def start(self) -> None:
        """Learn of what a crash may have kept the ledger from moving."""
        await self.all.start()
        since = max(0, self._node.journal.position - UNFINISHED_WITHIN)
        self._unmoved = [award for _, award in await self._node.store.scan(AWARDS, after=since) if award.combined]

    def resume(self) -> None:
        """
        Move it, in the order in which it was decided: what was moved answers `exists`.

        What payments held by then and let go of is free again, else a budget's last fen is not there to be set aside; and
        what was never held is not held yet, else it is held from what is not set aside.
        """
        for award in self._unmoved:
            self._move_again(award)
        self._unmoved.clear()

    # What others ask.

    def room(self, campaign_id: int, person_id: int, now_ns: int, place: str = "") -> int:
        """What every budget still allows this person to be given. Refuses CAMPAIGN_UNKNOWN. May raise `Cold`."""
        campaign = self._campaigns.campaign(campaign_id)
        if not campaign.is_running(now_ns):
            return 0
        spent = self.audience.person(person_id).of(campaign_id) if person_id else NOTHING
        return room(
            campaign.funded, campaign.told.caps, self._campaigns.spent[campaign_id], spent, self._day_of(now_ns), place
        )[0]

    def award(self, id_: int) -> Award:
        """Refuses AWARD_UNKNOWN. May raise `Cold`."""
        award = self.all.get(id_)
        if award is None:
            raise Refusal(CampaignReason.AWARD_UNKNOWN)
        return award

    def of_person(self, person_id: int) -> list[Award]:
        """All that a person got, oldest first. May raise `Cold`."""
        return [self._standing(each) for each in self.all.find("person_id", person_id)]

    def of_payment(self, payment_id: int) -> list[Award]:
        """What a payment got. May raise `Cold`."""
        known = self._reserved.get(payment_id) or self._looked.get(payment_id)
        if known is None and (waiting := self.grants.waiting(payment_id)) is not None:
            return [waiting]
        if known is None:
            known = [self._standing(each) for each in self.all.find("payment_id", payment_id)]
            if len(self._looked) >= _LOOKED_MAX:
                del self._looked[next(iter(self._looked))]
            self._looked[payment_id] = known
        return known

    async def page(self, campaign_id: int, before: int | None, limit: int) -> list[tuple[int, Award]]:
        """Versions of a campaign's awards with their positions, newest first, as they stand. Durable ones only."""
        pages = [
            await self._node.store.page(each, "campaign_id", campaign_id, before=before, limit=limit, newest_first=True)
            for each in (AWARDS, GRANTED)
        ]
        found = sorted([entry for page in pages for entry in page], key=itemgetter(0), reverse=True)[:limit]
        await self._outcomes.load({row.payment_id for _, row in found if row.state == RESERVED and row.payment_id})
        return [(at, self._standing(row)) for at, row in found]

    # Of payments.

    def reserve(
        self, payment_id: int, person_id: int, chosen: Sequence[Decided], now_ns: int, paid_id: int = 0
    ) -> list[Award]:
        """
        Set aside what a payment was offered, in the decision that offered it. Whoever reserves then says `commit` or
        `release`, or else `keep`, before that decision ends: what is decided at once is written down once.

        `paid_id`: see `Award.source_id`.
        Moves:    campaign -> awarded, where several give together; posted.
        """
        day = self._day_of(now_ns)
        combined = len({each.benefit.campaign_id for each in chosen}) > 1
        name = _id if len(chosen) > 1 else _only_id
        awards = self._fresh[payment_id] = [
            first_version(
                name(payment_id, each.benefit), payment_id, person_id, each, day, now_ns, paid_id, combined=combined
            )
            for each in chosen
        ]
        if combined:
            self._ledger.create_transfers(chained([self._set_aside(award) for award in awards]), _moved)
        return awards

    def reserve_plain(self, payment_id: int, person_id: int, only: Decided, now_ns: int, paid_id: int = 0) -> None:
        """As `reserve`, of the one thing that a payment is given, as most are: it is made when it is written."""
        self._plain[payment_id] = person_id, only, now_ns, paid_id

    def keep(self, payment_id: int) -> None:
        """Write down what was reserved: nobody has decided yet. Repeats: nothing."""
        awards = self._fresh.pop(payment_id, None)
        plain = self._plain.pop(payment_id, None)
        if plain is not None:
            awards = [self._made(payment_id, plain)]
        if awards is not None:
            self._reserved[payment_id] = awards
            for award in awards:
                self._put(award)

    def commit(self, payment_id: int, *, told: bool = False) -> list[Award]:
        """
        Its payment was made. Returns what has just been decided, of which others have a state; on a repeat nothing.

        `told`: the payment is one of ours, whose outcome is in the same commit, and says so.
        """
        plain = self._plain.pop(payment_id, None)
        if plain is not None:
            self._put(self._made(payment_id, plain, COMMITTED))
            return []
        fresh = self._fresh.pop(payment_id, None)
        if fresh is None:
            return self._follow(payment_id) if told else self._decide(payment_id, AwardState.COMMITTED)
        now_ns = self._now()
        return [self._put(replace(award, state=COMMITTED, decided_ns=now_ns)) for award in fresh]

    def release(self, payment_id: int) -> list[Award]:
        """
        Its payment did not come about: every budget has it again.

        Moves:    awarded -> campaign, where several gave together; posted.
        """
        self.keep(payment_id)  # What was set aside and came back is told as both.
        given = self.grants.take_back(payment_id)
        if given is not None:
            self._reserved[payment_id] = [given]
        released = self._decide(payment_id, AwardState.RELEASED)
        back = [self._take_back(award, award.amount, "release") for award in released if award.combined]
        if back:
            self._ledger.create_transfers(chained(back), _moved)
        return released

    def returned(self, payment_id: int, amount: int) -> list[tuple[Award, int]]:
        """
        A refund brought so much of a discount back: of each award in proportion to what it still gives, to the fen.

        Moves:    awarded -> campaign, where several gave together; posted.
        """
        awards = [award for award in self.of_payment(payment_id) if award.left]
        parts = split(amount, [award.left for award in awards])
        changed: list[tuple[Award, int]] = []
        for award, part in zip(awards, parts, strict=True):
            if part:
                back = replace(award, returned=award.returned + part, change=-part, times=0)
                assert back.returned <= back.amount, "no more comes back than was given"
                changed.append((self._put(back), part))
        moved = [self._take_back(award, part, f"return/{award.returned}") for award, part in changed if award.combined]
        if moved:
            self._ledger.create_transfers(chained(moved), _moved)
        self._looked.pop(payment_id, None)
        return changed

    # Rewards.

    def hold(
        self, award_id: int, campaign_id: int, person_id: int, amount: int, source: str, facts: dict[str, object]
    ) -> Award:
        """
        Set a reward aside for a person.

        Moves:    campaign -> awarded; posted.
        Refuses:  CAMPAIGN_UNKNOWN, CAMPAIGN_NOT_RUNNING; BUDGET_EXHAUSTED, saying at which level; AWARD_OTHERWISE for other
                  content under the same id.
        Repeats:  the award as it is.
        """
        known = self._held_before(award_id, campaign_id, person_id, amount)
        if known is not None:
            return known
        now_ns = self._node.clock.now_ns()
        campaign = self._campaigns.campaign(campaign_id)
        if not campaign.is_running(now_ns):
            raise Refusal(CampaignReason.CAMPAIGN_NOT_RUNNING, state=str(campaign.state))
        spent = self.audience.person(person_id).of(campaign_id)
        day, caps = self._day_of(now_ns), campaign.told.caps
        left, level = room(campaign.funded, caps, self._campaigns.spent[campaign_id], spent, day, "")
        if left < amount:
            raise Refusal(CampaignReason.BUDGET_EXHAUSTED, level=level.value, left=left)
        return self._set_aside_for(award_id, campaign, person_id, amount, source, facts)

    def hold_behind_end(
        self, award_id: int, campaign_id: int, person_id: int, amount: int, source: str, facts: dict[str, object]
    ) -> Award:
        """
        Set a reward aside behind the campaign's end: out of what was kept back, which no day's budget counts any more.

        Moves:    campaign -> awarded; posted.
        Refuses:  CAMPAIGN_UNKNOWN; BUDGET_EXHAUSTED, of the campaign or the person; AWARD_OTHERWISE.
        Repeats:  the award as it is.
        """
        known = self._held_before(award_id, campaign_id, person_id, amount)
        if known is not None:
            return known
        campaign = self._campaigns.campaign(campaign_id)
        spent, all_caps = self.audience.person(person_id).of(campaign_id), campaign.told.caps
        caps, day = Caps(person=all_caps.person, times=all_caps.times), self._day_of(self._now())
        budget = campaign.funded - campaign.given_back
        left, level = room(budget, caps, self._campaigns.spent[campaign_id], spent, day, "")
        if left < amount:
            raise Refusal(CampaignReason.BUDGET_EXHAUSTED, level=level.value, left=left)
        return self._set_aside_for(award_id, campaign, person_id, amount, source, facts)

    def _held_before(self, award_id: int, campaign_id: int, person_id: int, amount: int) -> Award | None:
        """Refuses AWARD_OTHERWISE. May raise `Cold`."""
        known = self.all.get(award_id)
        if known is not None:
            for field, value in (("campaign_id", campaign_id), ("person_id", person_id), ("amount", amount)):
                if getattr(known, field) != value:
                    raise Refusal(CampaignReason.AWARD_OTHERWISE, field=field)
        return known

    def _set_aside_for(
        self, award_id: int, campaign: Campaign, person_id: int, amount: int, source: str, facts: dict[str, object]
    ) -> Award:
        now_ns = self._now()
        award = first_reward(award_id, campaign, person_id, amount, source, facts, self._day_of(now_ns), now_ns)
        self._put(award)
        self._ledger.create_transfers([self._set_aside(award)], _moved)
        return award

    def look_up(self, award_id: int) -> None:
        """Before a reward is paid or refused: all that takes. May raise `Cold`."""
        award = self.all.get(award_id)
        if award is not None:
            self.audience.person(award.person_id)
            with suppress(Refusal):
                self._parties.check_may_receive(award.person_id)

    def pay(self, award_id: int, amount: int | None = None) -> Award:
        """
        A reward reaches its person: all of it, or so much; the campaign has the rest again.

        Moves:    awarded -> wallet; awarded -> campaign, what is not paid; posted.
        Refuses:  AWARD_UNKNOWN; AWARD_DECIDED once it was refused; who may not receive.
        Repeats:  the award.
        """
        award = self.award(award_id)
        if award.state != AwardState.COMMITTED:
            self._undecided(award)
            self._parties.check_may_receive(award.person_id)
            rest = 0 if amount is None else award.amount - amount
            assert 0 <= rest < award.amount, "something is paid, and no more than was set aside"
            paid = replace(
                award,
                state=AwardState.COMMITTED.value,
                returned=rest,
                change=-rest,
                times=0,
                decided_ns=self._now(),
            )
            award = self._put(paid)
            self._ledger.create_transfers([self._reward(award)], _moved)
            if rest:
                self._ledger.create_transfers([self._take_back(award, rest, f"return/{rest}")], _moved)
        return award

    def refuse(self, award_id: int, reason: str) -> Award:
        """
        A reward is not paid, and why: its campaign has it again.

        Moves:    awarded -> campaign; posted.
        Refuses:  AWARD_UNKNOWN; AWARD_DECIDED once it was paid.
        Repeats:  the award.
        """
        award = self.award(award_id)
        if award.state != AwardState.RELEASED:
            self._undecided(award)
            award = self._put(_released(award, self._now(), reason))
            self._ledger.create_transfers([self._take_back(award, award.amount, "release")], _moved)
        return award

    # Within a decision.

    def _standing(self, award: Award) -> Award:
        """May raise `Cold`."""
        waits = award.state == RESERVED and award.payment_id
        return award.standing(self._outcomes.get(award.payment_id)) if waits else award

    def _follow(self, payment_id: int) -> list[Award]:
        """What was reserved stands as its payment from now on: nothing is written."""
        awards = self._reserved.pop(payment_id, None) or self.of_payment(payment_id)
        self._looked.pop(payment_id, None)
        followed = [award for award in awards if award.state == RESERVED]
        for award in followed:
            self.audience.paid(award.person_id, payment_id)
        return followed

    def _decide(self, payment_id: int, state: AwardState) -> list[Award]:
        awards = self._reserved.pop(payment_id, None) or self.of_payment(payment_id)
        self._looked.pop(payment_id, None)
        now_ns = self._now()
        decided = []
        for award in awards:
            if award.state != AwardState.RESERVED:
                continue
            if state is AwardState.RELEASED:
                award = _released(award, now_ns, "")  # noqa: PLW2901  # Its next version.
            else:
                award = replace(award, state=state.value, change=0, times=0, decided_ns=now_ns)  # noqa: PLW2901  # Same.
            decided.append(self._put(award))
        return decided

    def _made(self, payment_id: int, plain: tuple[int, Decided, int, int], state: str = RESERVED) -> Award:
        person_id, only, now_ns, paid_id = plain
        return first_version(
            payment_id | 1,  # `only_award_id`, without a call.
            payment_id,
            person_id,
            only,
            self._day_of(now_ns),
            now_ns,
            paid_id,
            combined=False,
            state=state,
        )

    def _put(self, award: Award) -> Award:
        self.all.put(award)
        if award.person_id:
            self.audience.count(award)
        change = award.change
        if change or award.times:
            self._campaigns.spent[award.campaign_id].count(award.day, award.place, change, award.times)
            if change < 0:
                self._campaigns.touch(self._campaign(award))
        return award

    def _undecided(self, award: Award) -> None:
        if award.state != AwardState.RESERVED:
            raise Refusal(CampaignReason.AWARD_DECIDED, state=str(award.state))

    def _campaign(self, award: Award) -> Campaign:
        return self._campaigns.campaign(award.campaign_id)

    def _now(self) -> int:
        return self._node.clock.now_ns()

    # The money.

    def _move_again(self, award: Award) -> None:
        """After a restart: what this version of an award moved, with the same id."""
        if award.change > 0:
            transfer = self._set_aside(award)
        elif award.state == AwardState.RELEASED:
            transfer = self._take_back(award, award.amount, "release")
        elif award.change < 0:
            transfer = self._take_back(award, -award.change, f"return/{award.returned}")
            if award.kind == AwardKind.REWARD:
                self._ledger.create_transfers([self._reward(award)], _moved_again)
        elif award.kind == AwardKind.REWARD:
            transfer = self._reward(award)
        else:
            return
        self._ledger.create_transfers([transfer], _moved_again)

    def _set_aside(self, award: Award) -> Transfer:
        return marketing_recipes.award(
            derive(award.id, "award"),
            award.id,
            campaign=self._campaign(award).account,
            awarded=self._chart.awarded,
            amount=award.amount,
            ledger=self._chart.currency.ledger,
            code=Why.AWARDED,
        )

    def _take_back(self, award: Award, amount: int, label: str) -> Transfer:
        return marketing_recipes.take_back(
            derive(award.id, label),
            award.id,
            awarded=self._chart.awarded,
            campaign=self._campaign(award).account,
            amount=amount,
            ledger=self._chart.currency.ledger,
            code=Why.AWARDED,
        )

    def _reward(self, award: Award) -> Transfer:
        return marketing_recipes.reward(
            derive(award.id, "reward"),
            award.id,
            awarded=self._chart.awarded,
            wallet=chart.user_account(award.person_id, self._chart.currency),
            amount=award.left,
            ledger=self._chart.currency.ledger,
            code=Why.REWARDED,
        )


def _id(payment_id: int, benefit: Benefit) -> int:
    return award_id(payment_id, benefit.campaign_id, benefit.source, benefit.source_id)


def _only_id(payment_id: int, _: Benefit) -> int:
    return only_award_id(payment_id)


def _released(award: Award, now_ns: int, reason: str) -> Award:
    return replace(
        award,
        state=AwardState.RELEASED.value,
        change=award.returned - award.amount,
        times=-1,
        decided_ns=now_ns,
        reason=reason,
    )


def _moved(statuses: Sequence[TransferStatus]) -> None:
    """Counters said that there is room, and the awarded money is there: a no is our bug."""
    assert all(status in TRANSFER_DONE or status is TransferStatus.LINKED_EVENT_FAILED for status in statuses), statuses
    assert statuses[0] in TRANSFER_DONE, statuses


def _moved_again(statuses: Sequence[TransferStatus]) -> None:
    """It may have been one of a chain."""
    assert statuses[0] in TRANSFER_DONE or statuses[0] is TransferStatus.EXISTS_WITH_DIFFERENT_FLAGS, statuses
