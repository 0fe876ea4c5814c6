"""What may be read of draws: a campaign's rules and commitments, a day's record, a person's receipts. Read off the rows."""

from collections.abc import Callable
from datetime import date
from functools import partial

import msgspec

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.marketing.campaigns.award import AWARDS, Award, AwardState
from hutong.marketing.campaigns.campaign import Campaign
from hutong.marketing.draws import public_log
from hutong.marketing.draws.draw_service import DRAW, DrawFacts, DrawService, facts_of, released_slot
from hutong.marketing.draws.log_service import PAGE, campaign_text
from hutong.marketing.draws.reasons import DrawReason
from hutong.marketing.draws.record import DayRecord, DayTold, LogPart, PublicDraw, Receipt, SlotTold
from hutong.marketing.draws.seed import KEY_DAY, PHRASES, Phrase
from hutong.marketing.draws.terms import terms_of
from hutong.marketing.draws.views import CommittedDay, DrawCampaignView, OwnDraw, PacingSlot, PacingView
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

PAYMENT_PREFIX = "pay"
SlotAt = Callable[[int], int]


class RecordService:
    """Beside what decides: it reads what is durable."""

    def __init__(self, node: NodeRuntime, draws: DrawService) -> None:
        self._node = node
        self.draws = draws

    def campaigns(self) -> list[DrawCampaignView]:
        """Every campaign of draws, oldest first."""
        return [self.campaign(each.id) for each in self.draws.campaigns()]

    def campaign(self, campaign_id: int) -> DrawCampaignView:
        """A campaign's rules, commitments and seeds. Refuses DRAW_CAMPAIGN_UNKNOWN."""
        campaign = self._campaign(campaign_id)
        terms = terms_of(campaign, campaign.budget, 1)
        seeds = [each for each in self.draws.seeds.everything() if each.campaign_id == campaign_id]
        days = [each for each in seeds if each.day != KEY_DAY]
        head = self.draws.log.head(campaign_id)
        return DrawCampaignView(
            campaign_id=campaign_text(campaign_id),
            name=campaign.name,
            state=campaign.state,
            terms=terms,
            mean=round(terms.distribution.mean),
            key=next(each.commitment for each in seeds if each.day == KEY_DAY),
            head=head.hash,
            entries=head.number,
            days=[
                CommittedDay(
                    day=date.fromordinal(each.day),
                    commitment=each.commitment,
                    seed=(self.draws.revealed(campaign_id, each.day) or b"").hex(),
                )
                for each in sorted(days, key=lambda each: each.day)
            ],
        )

    async def log(self, campaign_id: int, after: int) -> LogPart:
        """A page of the public log. Refuses DRAW_CAMPAIGN_UNKNOWN."""
        self._campaign(campaign_id)
        return await self.draws.log.part(campaign_id, after)

    async def day(self, campaign_id: int, day: date) -> DayRecord:
        """
        A day's record: its part of the log, and once its seed is out every draw that was given.

        Refuses:  DRAW_CAMPAIGN_UNKNOWN; DRAW_DAY_UNKNOWN for a day of which nothing is published yet.
        """
        self._campaign(campaign_id)
        rows = await self.draws.log.of_day(campaign_id, day.toordinal())
        if not rows:
            raise Refusal(DrawReason.DRAW_DAY_UNKNOWN)
        first = rows[0][1].number
        is_out = rows[-1][1].kind == public_log.REVEAL
        last = rows[-1][1].number if is_out else self.draws.log.head(campaign_id).number
        entries: list[public_log.Entry] = []
        before = ""
        while first + len(entries) <= last:
            after = first - 1 + len(entries)
            part = await self.draws.log.part(campaign_id, after, min(PAGE, last - after))
            before = before or part.before
            entries += part.entries
            if not part.entries:
                break  # The newest is not durable yet.
        draws: tuple[PublicDraw, ...] = ()
        if is_out:
            opened = msgspec.json.decode(rows[0][1].text, type=DayTold)
            gates = [(at, msgspec.json.decode(row.text, type=SlotTold).slot) for at, row in rows[1:-1]]
            draws = await self._draws(campaign_id, opened, gates, rows[0][0], rows[-1][0])
        return DayRecord(LogPart(campaign_text(campaign_id), before, tuple(entries)), draws)

    async def own(self, person_id: int, limit: int) -> list[OwnDraw]:
        """A person's newest draws, as receipts."""
        found = await warmed(self._node.journal, lambda: self.draws.awards.of_person(person_id))
        return await self._receipts(person_id, sorted(found, key=lambda each: -each.created_ns), limit)

    async def of_payment(self, person_id: int, payment_id: int) -> list[OwnDraw]:
        """What a person's payment drew, as receipts; nothing of another's."""
        found = await warmed(self._node.journal, lambda: self.draws.awards.of_payment(payment_id))
        return await self._receipts(person_id, [each for each in found if each.person_id == person_id], len(found))

    async def _receipts(self, person_id: int, awards: list[Award], limit: int) -> list[OwnDraw]:
        phrases = [row for _, row in await self._node.store.find(PHRASES, "person_id", [person_id])]
        return [self._own(each, phrases) for each in awards if each.source == DRAW][:limit]

    def pacing(self, campaign_id: int) -> PacingView:
        """Today against its plan, slot by slot. Refuses DRAW_CAMPAIGN_UNKNOWN, DRAW_DAY_UNKNOWN."""
        self._campaign(campaign_id)
        now_ns = self._node.clock.now_ns()
        lived = self.draws.lived(campaign_id, self.draws.calendar.day(now_ns))
        if lived is None:
            raise Refusal(DrawReason.DRAW_DAY_UNKNOWN)
        running = lived.running
        thresholds, given = running.thresholds, running.net
        total = 0
        slots = []
        for slot in range(min(lived.slot_at(now_ns) + 1, len(running.plan.weights))):
            total += given.get(slot, 0)
            planned = running.plan.before[slot + 1]
            slots.append(PacingSlot(planned=planned, given=total, threshold=thresholds.get(slot, 0)))
        return PacingView(
            day=running.opened.day,
            budget=running.opened.budget,
            given=running.given,
            slot_s=running.opened.slot_s,
            slots=slots,
        )

    def _campaign(self, campaign_id: int) -> Campaign:
        for each in self.draws.campaigns():
            if each.id == campaign_id:
                return each
        raise Refusal(DrawReason.DRAW_CAMPAIGN_UNKNOWN)

    async def _draws(
        self, campaign_id: int, opened: DayTold, gates: list[tuple[int, int]], first: int, last: int
    ) -> tuple[PublicDraw, ...]:
        """What was given on a day, from the awards written between two positions; gates are slots, with theirs."""
        found: list[PublicDraw] = []
        open_at: dict[int, int] = {}  # By award: where in the list.
        after, passed, begun = first, 0, -1
        while page := await self._node.store.page(
            AWARDS, "campaign_id", campaign_id, after=after, before=last, limit=PAGE
        ):
            after = page[-1][0]
            for position, award in page:
                while passed < len(gates) and gates[passed][0] < position:
                    begun = max(begun, gates[passed][1] - 1)
                    passed += 1
                if award.source == DRAW and (facts := facts_of(award)).day == opened.day.toordinal():
                    _fold(found, open_at, award, facts, partial(released_slot, opened, begun))
        return tuple(found)

    def _own(self, award: Award, phrases: list[Phrase]) -> OwnDraw:
        facts = facts_of(award)
        day = date.fromordinal(facts.day)
        receipt = Receipt(
            campaign=campaign_text(award.campaign_id),
            day=day,
            turn=facts.turn,
            reference=facts.reference,
            token=self.draws.token(award.campaign_id, award.person_id).hex(),
            phrase=next((row.phrase for row in reversed(phrases) if row.from_day <= facts.day), ""),
            slot=facts.slot,
            at_ms=award.created_ns // NS_PER_MS,
            to_pay=facts.to_pay,
            drawn=facts.drawn,
            given=award.amount,
        )
        return OwnDraw(
            payment_id=id_text(PAYMENT_PREFIX, award.payment_id),
            state=award.state,
            is_revealed=self.draws.revealed(award.campaign_id, facts.day) is not None,
            receipt=receipt,
        )


def _fold(
    found: list[PublicDraw],
    open_at: dict[int, int],
    award: Award,
    facts: DrawFacts,
    slot_of: Callable[[Award], int],
) -> None:
    if award.times > 0:
        open_at[award.id] = len(found)
        draw = PublicDraw(
            reference=facts.reference, turn=facts.turn, slot=facts.slot, drawn=facts.drawn, given=award.amount
        )
        found.append(draw)
    elif award.state == AwardState.RELEASED and award.id in open_at:
        at = open_at.pop(award.id)
        found[at] = msgspec.structs.replace(found[at], released_slot=slot_of(award))
