"""
What makes payments cheaper: the campaigns that fit, what each would give, and the best that may go together.

`Subsidies` gives it to our people wherever they pay, `Sponsorships` at our merchants to whoever pays. Where no campaign
runs on a side, a payment costs it one look.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from hutong.institution.chart import Chart
from hutong.institution.payments.cashier import Discount, DiscountPart, Grant, Occasion, Weighed
from hutong.institution.payments.quotes import QUOTE_LIFE_NS
from hutong.kernel.clock import NS_PER_DAY, NS_PER_HOUR
from hutong.kernel.ids import derive
from hutong.marketing.campaigns.audience_service import Known
from hutong.marketing.campaigns.award import CAMPAIGN, MERCHANT_SAID, Award
from hutong.marketing.campaigns.award_service import AwardService
from hutong.marketing.campaigns.benefit import Benefit
from hutong.marketing.campaigns.budget import NOTHING, Level, room
from hutong.marketing.campaigns.calendar import Calendar
from hutong.marketing.campaigns.campaign import HELD_OUT, Campaign, CampaignKind, Side
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.campaigns.combination import Combination, best_combination
from hutong.marketing.campaigns.decided import Decided
from hutong.marketing.campaigns.explanation import explanation
from hutong.marketing.campaigns.parties import NOWHERE, Followed, Parties, PlaceFacts, elsewhere
from hutong.marketing.campaigns.place_service import PlaceService
from hutong.marketing.campaigns.programme_service import ProgrammeService
from hutong.marketing.campaigns.rule_book import Match, RuleBook
from hutong.marketing.campaigns.subsidy import Offered, Room, Subsidy
from hutong.scheme.messages import Channel, MerchantFacts

_SHOWN_NS = QUOTE_LIFE_NS
_OFFERED_MAX = 50_000
# Nothing is bought: two friends who send each other the same money, or one person who takes it to the bank and back, would
# empty any budget. Only a row that asks for such a channel by its name gives there.
NO_SALES = frozenset({Channel.PERSONAL_CODE, Channel.TOP_UP, Channel.WITHDRAWAL})


class BenefitSource(Protocol):
    """What some kinds of campaigns give, and the state of their own that goes with it."""

    def benefits(self, occasion: Occasion, campaigns: Sequence[Campaign]) -> list[Benefit]:
        """What these campaigns, whose rules fit, would give this payment. May raise `Cold`."""
        ...

    def look_up(self, award: Award) -> None:
        """Bring into memory what the others change. May raise `Cold`."""
        ...

    def reserved(self, award: Award) -> None: ...

    def committed(self, award: Award) -> None: ...

    def released(self, award: Award) -> None: ...

    def returned(self, award: Award, amount: int, left: int) -> None:
        """A refund brought so much of it back; `left` is what is still given."""
        ...


_Allowed = tuple[Match, str, int]  # A campaign that fits, the place it counts at, and what its budgets allow.
_Asked = tuple[int, int, int, Channel, str]


class Subsidies:
    """The `PriceAdjuster` of campaigns on the payer's side."""

    name = "campaigns"
    side = Side.PAYER
    told = True  # The payment's own outcome is in our rows.

    def __init__(
        self,
        campaigns: CampaignService,
        awards: AwardService,
        parties: Parties,
        programmes: ProgrammeService,
        places: PlaceService,
        calendar: Calendar,
        own: Chart,
    ) -> None:
        self._campaigns = campaigns
        self._programmes = programmes
        self._places = places
        self._awards = awards
        self._grants = awards.grants
        self._parties = parties
        self._calendar = calendar
        self._chart = own
        self.sources: dict[str, BenefitSource] = {}  # By what their benefits call themselves.
        self._offered: dict[_Asked, Subsidy] = {}
        self._followed: tuple[Followed, ...] = (campaigns.all, programmes.all, *parties.followed)

    def offer(self, occasion: Occasion) -> Subsidy | None:
        """
        The best that may go together; what was just shown for the same is shown again while all budgets have it.

        Who sells there gets nothing there: else anybody with a shop would take discounts out of a till that is his own.
        May raise `Cold`.
        """
        if not self._campaigns.running:
            return None
        asked = occasion.payer_id, occasion.request_id, occasion.amount, occasion.channel, occasion.debtor_agent
        shown = self._offered.get(asked)
        if shown is not None and self._holds(shown, occasion):
            return shown
        books = self._books(occasion)
        if not books:
            return None
        subsidy = self._best(occasion, books)
        if subsidy is not None and not self._places.is_any_held_back and self._may_be_kept(subsidy, books):
            if len(self._offered) >= _OFFERED_MAX:
                self._offered.clear()
            subsidy = self._offered[asked] = replace(subsidy, offered=self._kept(subsidy, occasion))
        return subsidy

    def still_gives(self, discount: Discount, occasion: Occasion, now_ns: int) -> bool:
        """Of a person of ours, to whom it was just shown. May raise `Cold`."""
        assert isinstance(discount, Subsidy), "what was shown was offered here"
        return discount.offered is not None and self._has(discount.offered, occasion, now_ns)

    def explain(self, occasion: Occasion) -> list[Weighed]:
        """Everything that fits this payment, what each gives, and why the rest does not. May raise `Cold`."""
        place = self._place(occasion)
        matches = self._matches(occasion, self._books(occasion), place)
        if not matches:
            return []
        unit_id, known = self._unit(occasion)
        closed: list[tuple[Campaign, Level]] = []
        benefits, allowed = self._benefits(occasion, matches, place, unit_id, known, closed)
        fit, combination = self._combination(occasion, benefits, allowed)
        gives = {each.campaign_id for each in benefits}
        campaigns = [match.campaign for match, _, _ in allowed.values()]
        undrawn = [each for each in campaigns if each.kind == CampaignKind.DRAW and each.id not in gives]
        return explanation(fit, combination, [each for each in benefits if each not in fit], closed, undrawn)

    def fitting(self, occasion: Occasion) -> frozenset[int]:
        """The campaigns whose rules take this payment, whatever their budgets have. May raise `Cold`."""
        matches = self._matches(occasion, self._books(occasion), self._place(occasion))
        return frozenset(match.campaign.id for match in matches)

    def _books(self, occasion: Occasion) -> Sequence[RuleBook]:
        """The rules that this payment may meet; none for who sells there. May raise `Cold`."""
        books = self._campaigns.books(self.side, occasion.merchant_id)
        if not books or (self.side is Side.PAYER and not occasion.payer_id):
            return ()
        is_here = self.side is Side.PAYER and occasion.merchant_id
        if is_here and self._parties.sells_at(occasion.payer_id, occasion.merchant_id):
            return ()
        return books

    def _may_be_kept(self, subsidy: Subsidy, books: Sequence[RuleBook]) -> bool:
        """Not what draws and coupons give, which have a state of their own; nor where somebody's first payment counts."""
        own = all(each.benefit.source == CAMPAIGN for each in subsidy.chosen)
        return own and not any("new" in book.fields for book in books)

    def _kept(self, subsidy: Subsidy, occasion: Occasion) -> Offered:
        spent, calendar = self._campaigns.spent, self._calendar
        today = calendar.day(occasion.now_ns)
        return Offered(
            sum(each.changes for each in self._followed),
            # It says which day's it is.
            max(calendar.midnight_ns(today), *(each.campaign.starts_ns for each in subsidy.chosen)),
            min(
                occasion.now_ns + _SHOWN_NS,
                calendar.midnight_ns(today + 1),
                *(each.campaign.ends_ns for each in subsidy.chosen),
            ),
            occasion.merchant_id,
            occasion.shop_id,
            occasion.chosen,
            occasion.said,
            # Each is of another campaign: only coupons come two of one.
            tuple(
                Room(
                    each.benefit.amount,
                    each.campaign.funded,
                    spent[each.campaign.id],
                    each.caps if each.caps.any else None,
                    each.campaign.id,
                    each.place,
                )
                for each in subsidy.chosen
            ),
        )

    def _holds(self, shown: Subsidy, occasion: Occasion) -> bool:
        """Whether what was shown can still be given, and that it is asked for the same. May raise `Cold`."""
        offered = shown.offered
        return (
            offered is not None
            and occasion.merchant_id == offered.merchant_id
            and occasion.shop_id == offered.shop_id
            and occasion.chosen == offered.chosen
            and occasion.said == offered.said
            and self._has(offered, occasion, occasion.now_ns)
        )

    def _has(self, offered: Offered, occasion: Occasion, now_ns: int) -> bool:
        """Whether nothing changed but what budgets have, and they have it. May raise `Cold`."""
        left, since_ns, until_ns, _, _, _, _, rooms = offered
        if not since_ns <= now_ns < until_ns:
            return False
        for each in self._followed:
            left -= each.changes
        if left:
            return False  # There were changes since.
        for amount, funded, spent, caps, campaign_id, place in rooms:
            if funded - spent.total < amount:
                return False
            if caps is not None:
                person = self._unit(occasion)[1].of(campaign_id)
                if room(funded, caps, spent, person, self._calendar.day(now_ns), place)[0] < amount:
                    return False
        return True

    def _matches(self, occasion: Occasion, books: Sequence[RuleBook], place: PlaceFacts) -> list[Match]:
        """The campaigns whose rules fit. May raise `Cold`."""
        fact = partial(self._fact, occasion, place)
        matches = [match for book in books for match in book.matching(fact) if self._counts(match, occasion)]
        if occasion.channel in NO_SALES:
            return [match for match in matches if match.names_channel]
        return matches

    def _best(self, occasion: Occasion, books: Sequence[RuleBook]) -> Subsidy | None:
        place = self._place(occasion)
        matches = self._matches(occasion, books, place)
        if not matches:
            return None
        unit_id, known = self._unit(occasion)
        benefits, allowed = self._benefits(occasion, matches, place, unit_id, known)
        chosen = self._combined(occasion, benefits, allowed)
        if not chosen:
            return None
        campaigns = {each.benefit.campaign_id for each in chosen}
        budget = self._campaigns.campaign(chosen[0].benefit.campaign_id).account
        return Subsidy(
            sum(each.benefit.amount for each in chosen),
            self._chart.awarded if len(campaigns) > 1 else budget,
            " + ".join(each.benefit.label for each in chosen),
            tuple(
                DiscountPart(
                    each.benefit.label, each.benefit.amount, each.benefit.source_id or each.benefit.campaign_id
                )
                for each in chosen
            ),
            self._grant(chosen, occasion),
            chosen,
        )

    def _grant(self, chosen: Sequence[Decided], occasion: Occasion) -> Grant | None:
        """What the payment's row says by itself: of a person of ours, of one campaign, and of nothing that keeps a state or was told."""
        only = chosen[0]
        if not self.told or len(chosen) > 1 or only.benefit.source != CAMPAIGN or only.benefit.facts:
            return None
        assert not only.benefit.source_id, "and comes from nothing else"
        campaign, day = only.campaign, self._calendar.day(occasion.now_ns)
        return Grant(campaign.id, campaign.version, only.row, day, only.place)

    def reserve(self, payment_id: int, occasion: Occasion, discount: Discount, paid_id: int = 0) -> None:
        """Set aside what was just offered."""
        assert isinstance(discount, Subsidy), "what is reserved was offered here"
        grant = discount.grant
        if grant is not None:
            self._grants.give(payment_id, occasion.payer_id, grant, discount.amount)
            return
        sources, chosen = self.sources, discount.chosen
        if len(chosen) == 1 and chosen[0].benefit.source not in sources:
            self._awards.reserve_plain(payment_id, occasion.payer_id, chosen[0], occasion.now_ns, paid_id)
            return
        for award in self._awards.reserve(payment_id, occasion.payer_id, chosen, occasion.now_ns, paid_id):
            if award.source in sources:
                sources[award.source].reserved(award)

    def keep(self, payment_id: int) -> None:
        if not self._grants.keep(payment_id):
            self._awards.keep(payment_id)

    def look_up(self, payment_id: int) -> None:
        """May raise `Cold`."""
        if self._grants.is_waiting(payment_id):
            return
        for award in self._awards.of_payment(payment_id):
            if award.source in self.sources:
                self.sources[award.source].look_up(award)

    def commit(self, payment_id: int) -> None:
        if self._grants.commit(payment_id):
            return
        sources = self.sources
        for award in self._awards.commit(payment_id, told=self.told):
            if award.source in sources:
                sources[award.source].committed(award)

    def release(self, payment_id: int) -> None:
        for award in self._awards.release(payment_id):
            if award.source in self.sources:
                self.sources[award.source].released(award)

    def returned(self, payment_id: int, refund_id: int, amount: int) -> None:  # noqa: ARG002  # Told once of each refund.
        """So much of the discount came back, by a refund."""
        for award, part in self._awards.returned(payment_id, amount):
            if award.source in self.sources:
                self.sources[award.source].returned(award, part, award.left)

    # What fits, and what it gives.

    def _benefits(
        self,
        occasion: Occasion,
        matches: Sequence[Match],
        place: PlaceFacts,
        unit_id: int,
        known: Known,
        closed: list[tuple[Campaign, Level]] | None = None,
    ) -> tuple[list[Benefit], dict[int, _Allowed]]:
        """What each campaign would give; and of each what its budgets allow. `closed` is told which allow nothing, and why."""
        allowed: dict[int, _Allowed] = {}
        of_kind: dict[CampaignKind, list[Campaign]] = {}
        benefits: list[Benefit] = []
        day, amount = self._calendar.day(occasion.now_ns), occasion.amount
        spent, arms, uncounted = self._campaigns.spent, known.arms, self._places.waiting
        for match in matches:
            id_, campaign = match.id, match.campaign
            at, level, left = "", Level.CAMPAIGN, campaign.funded - spent[id_].total
            if match.is_capped:
                at = match.caps.place_of(place)
                left, level = room(campaign.funded, match.caps, spent[id_], known.of(id_), day, at)
                if id_ in uncounted and not self._places.is_counted(id_):
                    left, level = 0, Level.PLACE
            if left <= 0:
                if closed is not None and not campaign.is_held_out(unit_id):
                    closed.append((campaign, level))
                continue
            if not match.is_promised:
                arm = arms.get(id_) or self._awards.audience.expose(campaign, unit_id, known, occasion.now_ns)
                if arm == HELD_OUT:
                    continue
            allowed[id_] = match, at, left
            if match.kind is CampaignKind.DISCOUNT:
                benefit = match.discount(amount, left)
                if benefit is not None:
                    benefits.append(benefit)
                elif closed is not None and match.rule.amount_of(amount) > left:
                    closed.append((campaign, level))
            else:
                of_kind.setdefault(match.kind, []).append(campaign)
        for kind, campaigns in of_kind.items():
            source = self.sources.get(kind.lower())
            if source is not None:
                benefits += source.benefits(occasion, campaigns)
        return benefits, allowed

    def _combined(
        self, occasion: Occasion, benefits: Sequence[Benefit], allowed: Mapping[int, _Allowed]
    ) -> tuple[Decided, ...]:
        """The best combination that every budget has room for."""
        said = occasion.said if not occasion.merchant_id else None
        if len(benefits) == 1:
            (only,) = benefits
            is_whole = only.amount < occasion.amount and only.threshold <= occasion.amount
            if is_whole and 0 < only.amount <= allowed[only.campaign_id][2]:
                return (_decided(only, allowed, said),)  # As most are: nothing is to be chosen.
        _, combination = self._combination(occasion, benefits, allowed)
        return tuple([_decided(each, allowed, said) for each in combination.chosen]) if combination else ()

    def _combination(
        self, occasion: Occasion, benefits: Sequence[Benefit], allowed: Mapping[int, _Allowed]
    ) -> tuple[list[Benefit], Combination | None]:
        """What the budgets have room for, and the best of it."""
        fit = [each for each in benefits if 0 < each.amount <= allowed[each.campaign_id][2]]
        while fit:
            combination = best_combination(occasion.amount, fit)
            over = _over_room(combination.chosen, allowed)
            if over is None:
                return fit, combination
            # Two of one campaign, and its budget has room for one: the lesser is left out, and we choose anew.
            fit = [each for each in fit if _which(each) != _which(over)]
        return fit, None

    # What is known.

    def _unit(self, occasion: Occasion) -> tuple[int, Known]:
        """Who gets it, or does not for having been held out."""
        return occasion.payer_id, self._awards.audience.person(occasion.payer_id)

    def _place(self, occasion: Occasion) -> PlaceFacts:
        if not occasion.merchant_id:
            said = occasion.said
            return NOWHERE if said is None else elsewhere(occasion.creditor_agent, said)
        return self._parties.place(occasion.merchant_id, occasion.shop_id)

    def _counts(self, match: Match, occasion: Occasion) -> bool:
        """Whether a campaign whose rules fit is there at this hour, and for this merchant."""
        if not match.campaign.is_running(occasion.now_ns):
            return False
        return not match.terms.by_joining or self._programmes.has_joined(match.campaign.id, occasion.merchant_id)

    def _fact(self, occasion: Occasion, place: PlaceFacts, field: str) -> Any:
        """What is known of an occasion. May raise `Cold`."""
        match field:
            case "amount" | "mcc" | "debtor_agent" | "creditor_agent":
                return getattr(occasion, field)
            case "channel":
                return occasion.channel.code
            case "weekday" | "hour":
                return getattr(self._calendar, field)(occasion.now_ns)
            case "city" | "shop" | "merchant":
                return getattr(place, field)
            case "small":
                return place.small
            case "tag":
                return place.tags
        if field == "new":
            return self._awards.audience.is_new(occasion.payer_id)
        payer = self._parties.payer(occasion.payer_id)
        match field:
            case "tier":
                return payer.tier
            case "age_days":
                return (occasion.now_ns - payer.since_ns) // NS_PER_DAY
            case "segment":
                return payer.segments
            case "home_city":
                return payer.home_city
        raise AssertionError(field)


class Sponsorships(Subsidies):
    """The same on the payee's side, where nobody knows who pays: no person's budgets, and hours of shops are held out."""

    name = "sponsorships"
    side = Side.PAYEE
    told = False

    def asks_amount(self, occasion: Occasion) -> bool:
        """
        Whether some amount would get something here: a campaign fits, and its budgets have anything left.

        Whether this hour is held out is left to the offer: so that neither this nor a second question tells a wallet which are.
        """
        books = self._campaigns.books(self.side, occasion.merchant_id)
        if not books:
            return False
        place = self._place(occasion)
        day, spent = self._calendar.day(occasion.now_ns), self._campaigns.spent
        fact = partial(self._fact, occasion, place)
        for match in (match for book in books for match in book.matching_at_any(fact)):
            campaign, caps = match.campaign, match.caps
            if (
                self._counts(match, occasion)
                and (match.names_channel or occasion.channel not in NO_SALES)
                and self._places.is_counted(campaign.id)
                and room(campaign.funded, caps, spent[campaign.id], NOTHING, day, caps.place_of(place))[0]
            ):
                return True
        return False

    def _unit(self, occasion: Occasion) -> tuple[int, Known]:
        hour = occasion.now_ns // (NS_PER_HOUR)
        unit_id = derive(occasion.shop_id or occasion.merchant_id, f"hour/{hour}")
        return unit_id, self._awards.audience.unit(unit_id)


def _decided(benefit: Benefit, allowed: Mapping[int, _Allowed], said: MerchantFacts | None) -> Decided:
    """What its award will say; with what another institution said of its merchant, where that counted."""
    match, place, _ = allowed[benefit.campaign_id]
    if said is not None and match.asks_place:
        benefit = replace(benefit, facts=benefit.facts | {MERCHANT_SAID: msgspec.to_builtins(said)})
    return Decided(benefit, place, match.row, match.campaign, match.caps)


def _over_room(chosen: Sequence[Benefit], allowed: Mapping[int, _Allowed]) -> Benefit | None:
    """The least of what one campaign would give together, where its budgets have not so much."""
    if len({each.campaign_id for each in chosen}) == len(chosen):
        return None  # Each has room for its own.
    sums: dict[int, int] = {}
    for each in chosen:
        sums[each.campaign_id] = sums.get(each.campaign_id, 0) + each.amount
    for campaign_id, total in sums.items():
        if total > allowed[campaign_id][2]:
            return min((each for each in chosen if each.campaign_id == campaign_id), key=lambda each: each.amount)
    return None


def _which(benefit: Benefit) -> tuple[int, str, int]:
    return benefit.campaign_id, benefit.source, benefit.source_id
