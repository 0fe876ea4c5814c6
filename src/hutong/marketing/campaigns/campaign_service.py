"""Campaigns from their draft to their end, and the money they are given and give back."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial

import msgspec
from msgspec.structs import replace

from hutong.institution import chart
from hutong.institution.chart import Chart
from hutong.institution.payments.payment import Why, check_new_id
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.ledger import marketing_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, AccountStatus, TransferStatus
from hutong.marketing.campaigns.award_repository import AwardTotals
from hutong.marketing.campaigns.budget import Spent
from hutong.marketing.campaigns.campaign import (
    CAMPAIGNS,
    Campaign,
    CampaignDraft,
    CampaignKind,
    CampaignState,
    CampaignTerms,
    Side,
)
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.marketing.campaigns.rule_book import RuleBook
from hutong.marketing.campaigns.sponsor_service import SponsorService
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import UNFINISHED_WITHIN, Shelf

_ALIVE = frozenset({CampaignState.SCHEDULED.value, CampaignState.RUNNING.value, CampaignState.PAUSED.value})
_THERE = frozenset({AccountStatus.CREATED, AccountStatus.EXISTS})
SALT_BYTES = 16
_TO_PEOPLE = frozenset({CampaignKind.COUPON, CampaignKind.CASH})  # Of a merchant's own.
Answer = Callable[[Campaign], None]
Kept = tuple[int, int]
Reserve = Callable[[int, int], Kept]  # Of a campaign, at a moment: see `CampaignService.reserves`.
_NOTHING_KEPT: Kept = (0, 0)


class CampaignService:
    """Every campaign, newest version, in memory; `spent` is what each has given, by day and place."""

    def __init__(
        self, node: NodeRuntime, ledger: LedgerEngine, own: Chart, sponsors: SponsorService, totals: AwardTotals
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._chart = own
        self._sponsors = sponsors
        self._totals = totals
        self.all = Shelf(CAMPAIGNS, node.journal, node.store)
        self.spent: defaultdict[int, Spent] = defaultdict(Spent)
        self.checks: dict[CampaignKind, Callable[[CampaignTerms], None]] = {}  # What only a kind understands of terms.
        # By kind: so much of an ended campaign's money is kept back, and when it may be less; may raise `Cold`.
        self.reserves: dict[CampaignKind, Reserve] = {}
        self.on_revised: list[Callable[[Campaign, Campaign], None]] = []  # Of a campaign before and now.
        self._kept_until: dict[int, int] = {}  # Ended campaigns that keep something back.
        # By side and whose own it is; empty if none runs.
        self.running: dict[tuple[str, int], dict[int, Campaign]] = {}
        self._books: dict[tuple[str, int], RuleBook] = {}  # Of these, as far as they were asked for.
        self._dirty: set[int] = set()  # Ended campaigns of which more may have come back.
        self._unmoved: list[Campaign] = []  # Versions of the last positions before a restart.
        self._next_ns = 0  # When time alone brings about the next thing.

    async def start(self) -> None:
        """Load them, and what they have given; take up those whose money a crash may have kept from coming."""
        for campaign in await self.all.load_all():
            self._note(campaign)
            if campaign.state == CampaignState.ENDED and campaign.funded > campaign.given_back:
                self._dirty.add(campaign.id)
        for total in await self._totals.totals():
            self.spent[total.campaign_id].count(total.day, total.place, total.change, total.times)
        since = max(0, self._node.journal.position - UNFINISHED_WITHIN)
        self._unmoved = [row for _, row in await self._node.store.scan(CAMPAIGNS, after=since)]
        for campaign in self.all.everything():
            if campaign.state == CampaignState.FUNDING:
                self._fund(campaign, None)
        self._node.journal.seal()

    def resume(self) -> None:
        """Give back again what a crash may have kept from going back; once payments have let go of what they held."""
        for campaign in self._unmoved:
            if campaign.given_back:
                self._give_back(campaign)
        self._unmoved.clear()

    # What others ask.

    def campaign(self, id_: int, merchant_id: int = 0) -> Campaign:
        """Refuses CAMPAIGN_UNKNOWN, for another merchant's, too."""
        campaign = self.all.get(id_)
        if campaign is None or merchant_id not in (0, campaign.merchant_id):
            raise Refusal(CampaignReason.CAMPAIGN_UNKNOWN)
        return campaign

    def everything(self, merchant_id: int = 0) -> list[Campaign]:
        """All of them, or a merchant's own; oldest first."""
        return [each for each in self.all.everything() if merchant_id in (0, each.merchant_id)]

    def met_by(self, person_id: int) -> list[Campaign]:
        """What this person of ours may meet now, oldest first: not where it is held out of."""
        now_ns = self._node.clock.now_ns()
        running = [each for each in self.everything() if each.side == Side.PAYER and each.is_running(now_ns)]
        running = [each for each in running if each.kind != CampaignKind.CASH]
        return [each for each in running if not each.is_held_out(person_id)]

    async def versions(self, id_: int, merchant_id: int = 0) -> list[Campaign]:
        """
        The campaign as each version of its terms began, the oldest first: what an award's version and row mean. Durable ones only.

        Refuses CAMPAIGN_UNKNOWN, for another merchant's, too.
        """
        self.campaign(id_, merchant_id)
        first: dict[int, Campaign] = {}
        for _, row in await self._node.store.find(CAMPAIGNS, "id", [id_]):
            first.setdefault(row.version, row)
        return [first[version] for version in sorted(first)]

    def books(self, side: Side, merchant_id: int) -> list[RuleBook]:
        """The rules of what runs on this side: the operator's, and what is the merchant's own."""
        running = self.running
        if not running:
            return []
        keys = ((side.value, 0), (side.value, merchant_id)) if merchant_id else ((side.value, 0),)
        return [self._books.get(key) or self._book(key) for key in keys if key in running]

    def _book(self, key: tuple[str, int]) -> RuleBook:
        book = self._books[key] = RuleBook([self.running[key][id_] for id_ in sorted(self.running[key])])
        return book

    def left(self, campaign: Campaign) -> int:
        """What its account still has and nobody was awarded."""
        return campaign.funded - campaign.given_back - self.spent[campaign.id].total

    # What their owners do.

    def draft(self, draft: CampaignDraft) -> Campaign:
        """
        Write a campaign down.

        Refuses:  what `CampaignDraft.check` does; SPONSOR_UNKNOWN; SPONSOR_NOT_YOURS; CAMPAIGN_OTHERWISE.
        Repeats:  the campaign as it is.
        """
        now_ns = self._node.clock.now_ns()
        known = self.all.get(draft.id)
        if known is not None:
            return _same(known, draft)
        check_new_id("campaign_id", draft.id, now_ns)
        draft.check()
        self._check_more(draft.kind, draft.terms)
        if draft.ends_ns <= now_ns:
            raise Refusal(CampaignReason.CAMPAIGN_OVER, field="ends_at")
        for sponsor_id, _ in draft.sponsors:
            sponsor = self._sponsors.sponsor(sponsor_id)
            # A merchant pays for its own alone; of the operator's it pays a part, once it has agreed, as others do that are asked.
            if draft.merchant_id and sponsor.merchant_id != draft.merchant_id:
                raise Refusal(CampaignReason.SPONSOR_NOT_YOURS, field="sponsors")
        # A merchant's own is for whoever pays it; its coupons and its money are in the hands of our people.
        if draft.merchant_id and draft.side is not Side.PAYEE and draft.kind not in _TO_PEOPLE:
            raise Refusal(CampaignReason.CAMPAIGN_TERMS_UNSOUND, field="side")
        if draft.kind is CampaignKind.CASH and not draft.merchant_id:
            raise Refusal(CampaignReason.CAMPAIGN_TERMS_UNSOUND, field="kind")
        campaign = Campaign(
            id=draft.id,
            merchant_id=draft.merchant_id,
            kind=draft.kind.value,
            side=draft.side.value,
            name=draft.name,
            sponsors=_sponsors(draft),
            terms=msgspec.json.encode(draft.terms),
            version=1,
            state=CampaignState.DRAFT.value,
            reason="",
            budget=draft.budget,
            funded=0,
            given_back=0,
            backs=b"",
            attempt=0,
            salt=self._node.randomness.randbytes(SALT_BYTES),
            starts_ns=draft.starts_ns,
            ends_ns=draft.ends_ns,
            created_ns=now_ns,
            changed_ns=now_ns,
        )
        self._put(campaign)
        self._ledger.create_accounts([chart.campaign(draft.id, self._chart.currency)], _opened)
        return campaign

    def revise(self, id_: int, terms: CampaignTerms, merchant_id: int = 0, version: int = 0) -> Campaign:
        """
        Other terms from now on: what was awarded keeps the version it was awarded by. `version`: which they are to replace.

        Refuses:  CAMPAIGN_UNKNOWN; CAMPAIGN_REVISED_SINCE; CAMPAIGN_STATE_FORBIDS once it has ended; CAMPAIGN_TERMS_AGREED once
                  sponsors that are asked have put money in by them; what is wrong with the terms.
        Repeats:  nothing changes.
        """
        campaign = self.campaign(id_, merchant_id)
        raw = msgspec.json.encode(terms)
        if raw == campaign.terms:
            return campaign
        if version not in (0, campaign.version):
            raise Refusal(CampaignReason.CAMPAIGN_REVISED_SINCE, version=campaign.version)
        now_ns = self._node.clock.now_ns()
        campaign.in_state(
            now_ns, CampaignState.DRAFT, CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.PAUSED
        )
        if campaign.state != CampaignState.DRAFT and self.asked(campaign):
            raise Refusal(CampaignReason.CAMPAIGN_TERMS_AGREED)
        terms.check(_kind(campaign), Side(campaign.side))
        self._check_more(_kind(campaign), terms)
        # Who agreed to other terms has not agreed to these.
        revised = replace(campaign, terms=raw, version=campaign.version + 1, changed_ns=now_ns, agreed=b"")
        self._put(revised)
        for hook in self.on_revised:
            hook(campaign, revised)
        return revised

    def asked(self, campaign: Campaign) -> dict[int, int]:
        """
        Who is asked before a campaign of the operator's takes their parts, with these: merchants, and who holds a key.

        Whoever agreed stays among them: a key that is ended takes back no agreement.
        """
        if campaign.merchant_id:
            return {}
        parts = [(self._sponsors.sponsor(sponsor_id), part) for sponsor_id, part in campaign.parts()]
        consents = campaign.consents
        return {each.who: part for each, part in parts if self._sponsors.is_asked(each) or each.who in consents}

    def shared_by(self, sponsor_id: int) -> list[Campaign]:
        """Campaigns of the operator's that this sponsor pays a part of, or is to; oldest first."""
        return [each for each in self.all.everything() if not each.merchant_id and sponsor_id in dict(each.shares)]

    def paid_by(self, id_: int, sponsor_id: int) -> Campaign:
        """One of them. Refuses CAMPAIGN_UNKNOWN, for what this sponsor pays nothing of, too."""
        campaign = self.campaign(id_)
        if campaign.merchant_id or sponsor_id not in dict(campaign.shares):
            raise Refusal(CampaignReason.CAMPAIGN_UNKNOWN)
        return campaign

    def waits_for(self, campaign: Campaign) -> list[int]:
        """Of these, who has not agreed to its terms."""
        return [each for each in self.asked(campaign) if each not in campaign.consents]

    def agree(self, id_: int, who: int, version: int, *, agrees: bool, by: int = 0) -> Campaign:
        """
        Who is asked (`Sponsor.who`) agrees to pay their part of the operator's campaign by the terms of this version, or takes that back; `by` is the key.

        Refuses:  CAMPAIGN_UNKNOWN, also where it is not asked; CAMPAIGN_REVISED_SINCE; CAMPAIGN_STATE_FORBIDS, CAMPAIGN_OVER:
                  once its money is in, it stays in until the end.
        Repeats:  the campaign.
        """
        campaign = self.campaign(id_)
        if who not in self.asked(campaign):
            raise Refusal(CampaignReason.CAMPAIGN_UNKNOWN)
        if (who in campaign.consents) == agrees and version in (0, campaign.version):
            return campaign
        if version != campaign.version:
            raise Refusal(CampaignReason.CAMPAIGN_REVISED_SINCE, version=campaign.version)
        now_ns = self._node.clock.now_ns()
        campaign.in_state(now_ns, CampaignState.DRAFT)
        return self._put(campaign.with_consent(who, by, now_ns, agrees=agrees))

    def begin(self, id_: int, merchant_id: int = 0, answer: Answer | None = None) -> None:
        """
        Set its money aside, and let it run as soon as its time comes. What was paused goes on.

        Moves:    each sponsor's budget -> campaign, its part; posted.
        Refuses:  CAMPAIGN_UNKNOWN, CAMPAIGN_OVER, CAMPAIGN_STATE_FORBIDS; CAMPAIGN_NOT_AGREED. A sponsor that has not enough leaves a draft
                  with the reason SPONSOR_BUDGET_INSUFFICIENT.
        Repeats:  the campaign as it is.
        """
        campaign = self.campaign(id_, merchant_id)
        now_ns = self._node.clock.now_ns()
        match campaign.state:
            case CampaignState.RUNNING | CampaignState.SCHEDULED | CampaignState.FUNDING:
                self._say(campaign.id, answer)
            case CampaignState.PAUSED:
                campaign.in_state(now_ns, CampaignState.PAUSED)
                self._put(campaign.moved_to(CampaignState.RUNNING, now_ns))
                self._say(campaign.id, answer)
            case _:
                campaign.in_state(now_ns, CampaignState.DRAFT)
                if waits_for := self.waits_for(campaign):
                    raise Refusal(CampaignReason.CAMPAIGN_NOT_AGREED, sponsors=len(waits_for))
                campaign = replace(campaign.moved_to(CampaignState.FUNDING, now_ns), attempt=campaign.attempt + 1)
                self._put(campaign)
                self._fund(campaign, answer)

    def pause(self, id_: int, merchant_id: int = 0) -> Campaign:
        """Give nothing until it goes on. Refuses CAMPAIGN_UNKNOWN, CAMPAIGN_STATE_FORBIDS. Repeats: the campaign."""
        campaign = self.campaign(id_, merchant_id)
        if campaign.state != CampaignState.PAUSED:
            now_ns = self._node.clock.now_ns()
            campaign.in_state(now_ns, CampaignState.RUNNING)
            campaign = self._put(campaign.moved_to(CampaignState.PAUSED, now_ns))
        return campaign

    def end(self, id_: int, merchant_id: int = 0) -> Campaign:
        """
        For good: what is left goes back to its sponsors, and so does what later comes back of what it gave.

        What is kept back for those who may still be given something goes back when they can't any more.

        Moves:    campaign -> each sponsor's budget; posted.
        Refuses:  CAMPAIGN_UNKNOWN; CAMPAIGN_STATE_FORBIDS while its money is on its way.
        Repeats:  the campaign.
        """
        campaign = self.campaign(id_, merchant_id)
        if campaign.state == CampaignState.FUNDING:
            raise Refusal(CampaignReason.CAMPAIGN_STATE_FORBIDS, state=str(campaign.state))
        if campaign.state != CampaignState.ENDED:
            self._end(campaign, self._kept(campaign))
        return self.campaign(id_)

    # Time.

    def tick(self) -> None:
        """Begin and end what is due, and give back what came back since the end."""
        now_ns = self._node.clock.now_ns()
        self._dirty.update([id_ for id_, until_ns in self._kept_until.items() if until_ns <= now_ns])
        if now_ns < self._next_ns and not self._dirty:
            return
        self._node.decide(partial(self._due, now_ns))

    def touch(self, campaign: Campaign) -> None:
        """Something came back to it."""
        if campaign.state == CampaignState.ENDED:
            self._dirty.add(campaign.id)

    def _due(self, now_ns: int) -> None:
        campaigns = self.all.everything()
        ending = [each for each in campaigns if each.state in _ALIVE and each.ends_ns <= now_ns]
        swept = [self.campaign(id_) for id_ in sorted(self._dirty)]
        kept = {each.id: self._kept(each) for each in (*ending, *swept)}  # Before anything is written.
        next_ns = 1 << 62
        for campaign in campaigns:
            match campaign.state:
                case CampaignState.SCHEDULED | CampaignState.RUNNING | CampaignState.PAUSED:
                    if campaign.ends_ns <= now_ns:
                        self._end(campaign, kept[campaign.id])
                        continue
                    if campaign.state == CampaignState.SCHEDULED and campaign.starts_ns <= now_ns:
                        self._put(campaign.moved_to(CampaignState.RUNNING, now_ns))
                        next_ns = min(next_ns, campaign.ends_ns)
                    elif campaign.state == CampaignState.SCHEDULED:
                        next_ns = min(next_ns, campaign.starts_ns)
                    else:
                        next_ns = min(next_ns, campaign.ends_ns)
                case _:
                    pass
        self._next_ns = next_ns
        for campaign in swept:
            self._sweep(campaign.id, kept[campaign.id])

    # The money.

    def _fund(self, campaign: Campaign, answer: Answer | None) -> None:
        self._ledger.create_accounts([chart.campaign(campaign.id, self._chart.currency)], _opened)
        transfers = marketing_recipes.fund(
            campaign.id,
            campaign=campaign.account,
            parts=[
                (
                    derive(campaign.id, f"fund/{campaign.attempt}/{sponsor_id:032x}"),
                    chart.budget_account(sponsor_id, self._chart.currency),
                    amount,
                )
                for sponsor_id, amount in campaign.parts()
                if amount
            ],
            ledger=self._chart.currency.ledger,
            code=Why.CAMPAIGN_FUNDED,
        )
        self._ledger.create_transfers(transfers, partial(self._funded, campaign.id, answer))

    def _funded(self, id_: int, answer: Answer | None, statuses: list[TransferStatus]) -> None:
        campaign = self.campaign(id_)
        if campaign.state == CampaignState.FUNDING:
            now_ns = self._node.clock.now_ns()
            if statuses[0] in TRANSFER_DONE:
                running = campaign.starts_ns <= now_ns
                state = CampaignState.RUNNING if running else CampaignState.SCHEDULED
                self._put(replace(campaign.moved_to(state, now_ns), funded=campaign.budget))
            else:
                self._put(
                    campaign.moved_to(CampaignState.DRAFT, now_ns, CampaignReason.SPONSOR_BUDGET_INSUFFICIENT.name)
                )
        self._say(id_, answer)

    def _end(self, campaign: Campaign, kept: Kept) -> None:
        self._put(campaign.moved_to(CampaignState.ENDED, self._node.clock.now_ns()))
        self._sweep(campaign.id, kept)

    def _kept(self, campaign: Campaign) -> Kept:
        """What is kept back, and until when it is looked at again. May raise `Cold`."""
        reserve = self.reserves.get(_kind(campaign))
        return _NOTHING_KEPT if reserve is None else reserve(campaign.id, self._node.clock.now_ns())

    def _sweep(self, id_: int, kept: Kept) -> None:
        """Give back what an ended campaign has left and does not keep, if there is anything."""
        self._dirty.discard(id_)
        self._kept_until.pop(id_, None)
        campaign = self.campaign(id_)
        if kept[1]:
            self._kept_until[id_] = kept[1]
        left = self.left(campaign) - kept[0]
        if left > 0:
            campaign = campaign.giving_back(left, self._node.clock.now_ns())
            self._put(campaign)
            self._give_back(campaign)

    def _give_back(self, campaign: Campaign) -> None:
        transfers = marketing_recipes.give_back(
            campaign.id,
            campaign=campaign.account,
            parts=[
                (
                    derive(campaign.id, f"give-back/{campaign.given_back}/{sponsor_id:032x}"),
                    chart.budget_account(sponsor_id, self._chart.currency),
                    part,
                )
                for (sponsor_id, _), (_, part) in zip(campaign.shares, campaign.back, strict=True)
                if part
            ],
            ledger=self._chart.currency.ledger,
            code=Why.CAMPAIGN_FUNDED,
        )
        self._ledger.create_transfers(transfers, _gone_back)

    def _check_more(self, kind: CampaignKind, terms: CampaignTerms) -> None:
        if kind in self.checks:
            self.checks[kind](terms)

    def _put(self, campaign: Campaign) -> Campaign:
        self.all.put(campaign)
        self._note(campaign)
        self._next_ns = 0
        return campaign

    def _note(self, campaign: Campaign) -> None:
        key = campaign.side, campaign.merchant_id
        self._books.pop(key, None)
        if campaign.state == CampaignState.RUNNING and campaign.kind != CampaignKind.CASH:
            self.running.setdefault(key, {})[campaign.id] = campaign
        elif key in self.running:
            self.running[key].pop(campaign.id, None)
            if not self.running[key]:
                del self.running[key]

    def _say(self, id_: int, answer: Answer | None) -> None:
        if answer is not None:
            self._node.journal.effect(lambda: answer(self.campaign(id_)))


def _kind(campaign: Campaign) -> CampaignKind:
    return CampaignKind(campaign.kind)


def _sponsors(draft: CampaignDraft) -> bytes:
    return msgspec.json.encode([(f"{sponsor:032x}", proportion) for sponsor, proportion in draft.sponsors])


def _same(known: Campaign, draft: CampaignDraft) -> Campaign:
    """Refuses CAMPAIGN_OTHERWISE, naming the field in which it was drafted otherwise before."""
    if known.merchant_id != draft.merchant_id:
        raise Refusal(CampaignReason.CAMPAIGN_OTHERWISE, field="campaign_id")
    asked = {
        "name": draft.name,
        "kind": draft.kind.value,
        "side": draft.side.value,
        "sponsors": _sponsors(draft),
        "budget": draft.budget,
        "starts_ns": draft.starts_ns,
        "ends_ns": draft.ends_ns,
    }
    if known.version == 1:
        asked["terms"] = msgspec.json.encode(draft.terms)
    for field, value in asked.items():
        if getattr(known, field) != value:
            raise Refusal(CampaignReason.CAMPAIGN_OTHERWISE, field=field)
    return known


def _opened(statuses: list[AccountStatus]) -> None:
    assert statuses[0] in _THERE, statuses


def _gone_back(statuses: list[TransferStatus]) -> None:
    assert statuses[0] in TRANSFER_DONE, statuses  # It is what the campaign has, and nobody else takes it.
