"""
Daily draws of an institution's people: what was committed to, published, drawn and given.

A `BenefitSource` of subsidies. It keeps no rows of draws: each is an award, whose facts say what was drawn; the counters of the
running day are folded from the awards after a restart, as budgets are.
"""

from collections import deque
from collections.abc import Sequence
from datetime import date
from functools import partial
from operator import itemgetter

import msgspec
from msgspec.structs import replace

from hutong.institution.payments.cashier import Occasion
from hutong.institution.sealing import SealingKeys
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_MS, NS_PER_S
from hutong.kernel.text import check_text
from hutong.marketing.campaigns.award import AWARDS, Award, AwardState
from hutong.marketing.campaigns.award_service import AwardService
from hutong.marketing.campaigns.benefit import Benefit
from hutong.marketing.campaigns.calendar import Calendar
from hutong.marketing.campaigns.campaign import Campaign, CampaignKind, CampaignState
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.draws import public_log
from hutong.marketing.draws.draw import (
    PHRASE_LENGTH_MAX,
    SEED_BYTES,
    Draw,
    commitment_of,
    drawn,
    key_commitment_of,
    reference_of,
    token_of,
)
from hutong.marketing.draws.log_service import LogService, campaign_text
from hutong.marketing.draws.record import Commitment, CommitmentsTold, DayTold, RevealTold, SlotTold
from hutong.marketing.draws.running_day import RunningDay
from hutong.marketing.draws.seed import KEY_DAY, PHRASES, SEEDS, Phrase, Seed, seed_id
from hutong.marketing.draws.terms import terms_of
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf

DRAW = "draw"
AHEAD_DAYS = 31  # So far ahead are seeds committed to.
_OPENED_AHEAD_NS = 12 * NS_PER_HOUR  # So long before a day is published what it goes by.
_REVEALED_AFTER_NS = 60 * NS_PER_S  # What was begun before midnight is decided by then, mostly.
_ALIVE = frozenset({CampaignState.SCHEDULED.value, CampaignState.RUNNING.value, CampaignState.PAUSED.value})


class DrawFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an award keeps of its draw."""

    day: int
    slot: int
    turn: int
    drawn: int
    number: int
    reference: str
    to_pay: int


class Lived:
    """A day that is published: its seed, its counts, and whose turns are taken."""

    def __init__(self, opened: DayTold, seed: bytes) -> None:
        self.running = RunningDay(opened)
        self.seed = seed
        self.turns: dict[int, set[int]] = {}  # By person.

    def slot_at(self, now_ns: int) -> int:
        return self.running.opened.slot_at(now_ns // NS_PER_MS)

    def next_turn(self, person_id: int) -> int | None:
        """The first turn that is not taken; None if all are."""
        taken = self.turns.get(person_id, ())
        return next((turn for turn in range(1, self.running.opened.turns + 1) if turn not in taken), None)

    def count(self, award: Award, facts: DrawFacts) -> None:
        """A version of an award was written down."""
        turns = self.turns.setdefault(award.person_id, set())
        if award.times > 0:
            self.running.gave(facts.slot, award.amount)
            turns.add(facts.turn)
        elif award.state == AwardState.RELEASED:
            slot = released_slot(self.running.opened, self.running.begun, award)
            self.running.came_back(slot, award.amount)
            turns.discard(facts.turn)


class DrawService:
    """Draws of every campaign that has them."""

    def __init__(
        self,
        node: NodeRuntime,
        sealing: SealingKeys,
        campaigns: CampaignService,
        awards: AwardService,
        calendar: Calendar,
    ) -> None:
        self._node = node
        self._sealing = sealing
        self._campaigns = campaigns
        self.awards = awards
        self.calendar = calendar
        self.log = LogService(node)
        self.seeds = Shelf(SEEDS, node.journal, node.store)
        self.phrases = Shelf(PHRASES, node.journal, node.store, key="person_id")
        self._keys: dict[int, bytes] = {}
        self._lived: dict[tuple[int, int], Lived] = {}  # By campaign and day: yesterday's, today's and tomorrow's.

    async def start(self) -> None:
        """Load what was published, and count what was given today; after the campaigns, before anything is decided."""
        seeds = await self.seeds.load_all()
        await self.phrases.load_all()
        for campaign_id in {seed.campaign_id for seed in seeds}:
            await self.log.load(campaign_id)
        today = self.calendar.day(self._node.clock.now_ns())
        began_at: list[int] = []
        gates: list[tuple[int, Lived, SlotTold]] = []
        for seed in seeds:
            if seed.day == KEY_DAY:
                self._keys[seed.campaign_id] = self._sealing.unseal(seed.sealed, seed.label)
            elif seed.day <= today + 1 and not seed.revealed:
                began_at += await self._load_day(seed, gates)
        gates.sort(key=itemgetter(0))
        await self._count_since(min(began_at, default=0), deque(gates))

    async def _count_since(self, began_at: int, gates: "deque[tuple[int, Lived, SlotTold]]") -> None:
        """Go through gates and awards as they came: what a gate did not know yet is counted behind it."""
        for position, award in await self._node.store.scan(AWARDS, after=began_at) if began_at else ():
            while gates and gates[0][0] < position:
                _, lived, told = gates.popleft()
                lived.running.opened_slot(told)
            if award.source == DRAW:
                self._count(award)
        for _, lived, told in gates:
            lived.running.opened_slot(told)

    # What payments get.

    def benefits(self, occasion: Occasion, campaigns: Sequence[Campaign]) -> list[Benefit]:
        """What each campaign's draw gives this person now, if a turn is left and the slot lets it in."""
        found = []
        for campaign in campaigns:
            lived = self._lived.get((campaign.id, self.calendar.day(occasion.now_ns)))
            turn = lived.next_turn(occasion.payer_id) if lived is not None and occasion.payer_id else None
            if lived is None or turn is None:
                continue
            slot = lived.slot_at(occasion.now_ns)
            phrase = self.phrase(occasion.payer_id, lived.running.opened.day.toordinal())
            reference = self._reference(campaign.id, lived, occasion.payer_id, phrase)
            draw = self._drawn(campaign.id, lived, reference, turn)
            given = min(lived.running.comes_to(draw, slot, occasion.amount), self._campaigns.left(campaign))
            if given > 0:
                facts = DrawFacts(
                    day=self.calendar.day(occasion.now_ns),
                    slot=slot,
                    turn=turn,
                    drawn=draw.amount,
                    number=draw.number,
                    reference=reference,
                    to_pay=occasion.amount,
                )
                terms = campaign.told
                found.append(
                    Benefit(
                        campaign_id=campaign.id,
                        amount=given,
                        label=campaign.name,
                        source=DRAW,
                        priority=terms.priority,
                        exclusive=terms.exclusive,
                        group=terms.group,
                        facts=msgspec.structs.asdict(facts),
                    )
                )
        return found

    def look_up(self, award: Award) -> None:
        """Everything is in memory."""

    def reserved(self, award: Award) -> None:
        self._count(award)

    def committed(self, award: Award) -> None:
        """It is counted since it was set aside."""

    def released(self, award: Award) -> None:
        """The person meets the same draw again."""
        self._count(award)

    def returned(self, award: Award, amount: int, left: int) -> None:
        """The turn stays taken: whoever is given a refund does not draw again."""

    # What people may know and say.

    def token(self, campaign_id: int, person_id: int) -> bytes:
        """What makes a person's references at a campaign."""
        return token_of(self._keys[campaign_id], campaign_text(campaign_id), person_id)

    def phrase(self, person_id: int, day: int) -> str:
        """What this person put into the draws of a day."""
        row = self.phrases.get(person_id)
        return row.on(day) if row is not None else ""

    def say(self, person_id: int, phrase: str) -> Phrase:
        """
        A phrase of the person's own, from tomorrow on: today's draw is drawn.

        Refuses:  the text refusals.
        Repeats:  the same.
        """
        check_text("phrase", phrase, length_max=PHRASE_LENGTH_MAX, empty=True)
        today = self.calendar.day(self._node.clock.now_ns())
        known = self.phrases.get(person_id)
        if known is not None and known.phrase == phrase:
            return known
        row = Phrase(person_id=person_id, phrase=phrase, from_day=today + 1, before=self.phrase(person_id, today))
        self.phrases.put(row)
        return row

    def campaigns(self) -> list[Campaign]:
        """Those that draws were ever committed to for."""
        return [each for each in self._campaigns.everything() if each.id in self._keys]

    def lived(self, campaign_id: int, day: int) -> Lived | None:
        """A day near today, as far as it is published."""
        return self._lived.get((campaign_id, day))

    def revealed(self, campaign_id: int, day: int) -> bytes | None:
        """A day's seed, if it is out."""
        row = self.seeds.get(seed_id(campaign_id, day))
        return self._seed(campaign_id, day) if row is not None and row.revealed else None

    # What time brings about.

    def tick(self) -> None:
        """Commit, publish and reveal what is due."""
        now_ns = self._node.clock.now_ns()
        if any(each.kind == CampaignKind.DRAW for each in self._campaigns.all.everything()):
            self._node.decide(partial(self._due, now_ns))

    def _due(self, now_ns: int) -> None:
        today = self.calendar.day(now_ns)
        for campaign in self._campaigns.everything():
            if campaign.kind == CampaignKind.DRAW and campaign.state in _ALIVE:
                first, last = self.calendar.day(campaign.starts_ns), self.calendar.day(campaign.ends_ns - 1)
                self._commit(campaign.id, max(today, first), min(last, today + AHEAD_DAYS))
                for day in (today, today + 1):
                    if first <= day <= last:
                        self._open(campaign, day, now_ns)
                self._publish_gates(campaign.id, today, now_ns)
        for key in [key for key, lived in self._lived.items() if _is_over(lived, now_ns)]:
            self._reveal(*key)

    def _commit(self, campaign_id: int, first: int, last: int) -> None:
        """Make seeds and publish their commitments, in good time: when half of those ahead are used up."""
        soon = min(last, first + AHEAD_DAYS // 2)
        if campaign_id in self._keys and self.seeds.get(seed_id(campaign_id, soon)) is not None:
            return
        text = campaign_text(campaign_id)
        if campaign_id not in self._keys:
            key = self._keys[campaign_id] = self._node.randomness.randbytes(SEED_BYTES)
            self._keep(campaign_id, KEY_DAY, key, key_commitment_of(text, key))
        made = []
        for ordinal in range(first, last + 1):
            if self.seeds.get(seed_id(campaign_id, ordinal)) is None:
                seed, day = self._node.randomness.randbytes(SEED_BYTES), date.fromordinal(ordinal)
                row = self._keep(campaign_id, ordinal, seed, commitment_of(text, day, seed))
                made.append(Commitment(day, row.commitment))
        told = CommitmentsTold(self._kept(campaign_id, KEY_DAY).commitment, tuple(made))
        self.log.publish(campaign_id, public_log.COMMITMENTS, told)

    def _open(self, campaign: Campaign, day: int, now_ns: int) -> None:
        """Publish what a day goes by: half a day before it, or at once."""
        begins_ns, ends_ns = self.calendar.midnight_ns(day), self.calendar.midnight_ns(day + 1)
        if (campaign.id, day) in self._lived or now_ns < begins_ns - _OPENED_AHEAD_NS:
            return
        left = self._campaigns.left(campaign) if campaign.funded else campaign.budget
        running = self._lived.get((campaign.id, day - 1))
        if running is not None:
            left -= running.running.opened.budget - running.running.given
        last = self.calendar.day(campaign.ends_ns - 1)
        terms = terms_of(campaign, max(left, 0), last - day + 1)
        opened = DayTold(
            day=date.fromordinal(day),
            begins_ms=begins_ns // NS_PER_MS,
            ends_ms=ends_ns // NS_PER_MS,
            commitment=self._kept(campaign.id, day).commitment,
            key=self._kept(campaign.id, KEY_DAY).commitment,
            budget=terms.budget,
            hours=terms.hours,
            slot_s=terms.slot_s,
            turns=terms.turns,
            distribution=terms.distribution,
        )
        self.log.publish(campaign.id, public_log.DAY, opened, day)
        self._lived[campaign.id, day] = Lived(opened, self._seed(campaign.id, day))

    def _publish_gates(self, campaign_id: int, today: int, now_ns: int) -> None:
        """Of the slot that runs, where it has none yet, and of the next one."""
        lived = self._lived.get((campaign_id, today))
        if lived is None:
            return
        slot, slots = lived.slot_at(now_ns), len(lived.running.plan.weights)
        for each in (slot, slot + 1):
            if each < slots:
                self._publish_gate(campaign_id, today, each)
            elif (campaign_id, today + 1) in self._lived:
                self._publish_gate(campaign_id, today + 1, 0)

    def _publish_gate(self, campaign_id: int, day: int, slot: int) -> None:
        running = self._lived[campaign_id, day].running
        if not running.has_gate(slot):
            told = running.next_gate(slot)
            self.log.publish(campaign_id, public_log.SLOT, told, day)
            running.opened_slot(told)

    def _reveal(self, campaign_id: int, day: int) -> None:
        lived = self._lived.pop((campaign_id, day))
        self.log.publish(campaign_id, public_log.REVEAL, RevealTold(date.fromordinal(day), lived.seed.hex()), day)
        self.seeds.put(replace(self._kept(campaign_id, day), revealed=True))

    # What is kept.

    def _reference(self, campaign_id: int, lived: Lived, person_id: int, phrase: str) -> str:
        token, day = self.token(campaign_id, person_id), lived.running.opened.day
        return reference_of(campaign_text(campaign_id), day, token, phrase)

    def _count(self, award: Award) -> None:
        facts = facts_of(award)
        lived = self._lived.get((award.campaign_id, facts.day))
        if lived is not None:  # What is decided later than its day's reveal changes no gate any more.
            lived.count(award, facts)

    def _drawn(self, campaign_id: int, lived: Lived, reference: str, turn: int) -> Draw:
        opened = lived.running.opened
        return drawn(lived.seed, opened.distribution, campaign_text(campaign_id), opened.day, reference, turn)

    def _keep(self, campaign_id: int, day: int, secret: bytes, commitment: str) -> Seed:
        row = Seed(
            id=seed_id(campaign_id, day),
            campaign_id=campaign_id,
            day=day,
            sealed=b"",
            commitment=commitment,
            revealed=False,
        )
        row = replace(row, sealed=self._sealing.seal(secret, row.label))
        self.seeds.put(row)
        return row

    def _kept(self, campaign_id: int, day: int) -> Seed:
        row = self.seeds.get(seed_id(campaign_id, day))
        assert row is not None, "seeds are made before anything else of their day"
        return row

    def _seed(self, campaign_id: int, day: int) -> bytes:
        row = self._kept(campaign_id, day)
        return self._sealing.unseal(row.sealed, row.label)

    async def _load_day(self, seed: Seed, gates: list[tuple[int, Lived, SlotTold]]) -> list[int]:
        """Where in the journal the day's publication begins; nowhere for one that is not published. Adds its gates."""
        rows = await self.log.of_day(seed.campaign_id, seed.day)
        if not rows:
            return []
        opened = msgspec.json.decode(rows[0][1].text, type=DayTold)
        lived = self._lived[seed.campaign_id, seed.day] = Lived(opened, self._seed(seed.campaign_id, seed.day))
        gates += [(position, lived, msgspec.json.decode(row.text, type=SlotTold)) for position, row in rows[1:]]
        return [rows[0][0]]


def facts_of(award: Award) -> DrawFacts:
    """What an award keeps of its draw."""
    return msgspec.json.decode(award.facts, type=DrawFacts)


def released_slot(opened: DayTold, begun: int, award: Award) -> int:
    """In which slot a draw came back: in none that is over, even if the clock was put back into it."""
    return max(begun, opened.slot_at(award.decided_ns // NS_PER_MS))


def _is_over(lived: Lived, now_ns: int) -> bool:
    return now_ns >= lived.running.opened.ends_ms * NS_PER_MS + _REVEALED_AFTER_NS
