"""
The rules of all campaigns that run at one side of the network, asked together.

Every row of every campaign is a bit. Each fact of an occasion leaves the bits of those rows whose condition it meets; the engine is
asked that once for each band of the fact, not for each occasion, campaign or combination of facts. What all facts leave are the
rows that fit, and the lowest bit of each campaign is the row that decides.
"""

from collections.abc import Callable, Sequence
from typing import Any

from hutong.marketing.campaigns.award import CAMPAIGN
from hutong.marketing.campaigns.benefit import Benefit
from hutong.marketing.campaigns.campaign import Campaign, CampaignKind
from hutong.marketing.campaigns.rules import FIELDS, RuleRow, Sieve

_REMEMBERED_MAX = 10_000
_GIVEN_MAX = 1_000  # Amounts of one row: a part of the payment is another one each time.
# What somebody was promised before: a coupon taken is honoured, and who was invited counts. These choose groups themselves.
_PROMISED = frozenset({CampaignKind.COUPON, CampaignKind.INVITE})


class Match:
    """A row of a campaign that fits: what is asked of it for every payment, read once."""

    __slots__ = (
        "_benefits",
        "_fixed",
        "campaign",
        "caps",
        "id",
        "is_capped",
        "is_promised",
        "kind",
        "names_channel",
        "row",
        "rule",
        "terms",
    )

    def __init__(self, campaign: Campaign, row: int, rule: RuleRow) -> None:
        self.campaign = campaign
        self.id = campaign.id
        self.row = row  # Of its rules; 0 where it has none.
        self.rule = rule
        self.terms = campaign.told
        self.caps = self.terms.caps
        self.is_capped = bool(self.caps.day or self.caps.place or self.caps.of_person)
        self.kind = CampaignKind(campaign.kind)
        self.is_promised = self.kind in _PROMISED
        self.names_channel = "channel" in rule.when
        self._fixed = None if rule.bps else min(rule.off, rule.max or rule.off)
        self._benefits: dict[int, Benefit] = {}

    def discount(self, amount: int, left: int) -> Benefit | None:
        """What the row gives a payment of `amount`, if the budgets, of which so much is `left`, have it."""
        fixed = self._fixed
        given = fixed if fixed is not None and fixed < amount else self.rule.amount_of(amount)
        if given > left:
            if not self.terms.partial:
                return None
            given = left
        if not given:
            return None
        return self._benefits.get(given) or self._benefit(given)

    def _benefit(self, given: int) -> Benefit:
        terms = self.terms
        benefit = Benefit(
            campaign_id=self.id,
            amount=given,
            label=self.campaign.name,
            source=CAMPAIGN,
            priority=terms.priority,
            exclusive=terms.exclusive,
            group=terms.group,
            threshold=self.rule.threshold,
        )
        if len(self._benefits) < _GIVEN_MAX:
            self._benefits[given] = benefit
        return benefit


class RuleBook:
    """Made anew when a campaign begins, ends or changes."""

    def __init__(self, campaigns: Sequence[Campaign]) -> None:
        self.campaigns = tuple(campaigns)
        self._rows: list[Match | None] = []  # By bit; none: the row gives nothing, or a campaign's rows end here.
        self._firsts = self._ends = 0  # The bits of each campaign: its first row, and the one behind its last.
        conditions: dict[str, dict[str, int]] = {}
        for campaign in campaigns:
            self._firsts |= 1 << len(self._rows)
            for number, rule in enumerate(campaign.told.rules.rows, 1):
                bit = 1 << len(self._rows)
                for field, condition in rule.when.items():
                    rows = conditions.setdefault(field, {})
                    rows[condition] = rows.get(condition, 0) | bit
                self._rows.append(Match(campaign, number, rule) if rule.gives else None)
            if not campaign.told.rules.rows:
                self._rows.append(Match(campaign, 0, RuleRow()))
            self._ends |= 1 << len(self._rows)
            self._rows.append(None)
        self._all = ((1 << len(self._rows)) - 1) & ~self._ends
        self._sieves = [(each, Sieve(each, self._all, conditions[each])) for each in FIELDS if each in conditions]
        self.fields = tuple(field for field, _ in self._sieves)
        self._answers: dict[int, tuple[Match, ...]] = {}
        self._at_any: dict[int, tuple[Match, ...]] = {}

    def matching(self, fact: Callable[[str], Any]) -> tuple[Match, ...]:
        """The campaigns whose rules fit an occasion; `fact` says what is known of it, by field."""
        fit = self._all
        for field, sieve in self._sieves:
            fit &= sieve.passed(fact(field))
        answer = self._answers.get(fit)
        if answer is None:
            if len(self._answers) >= _REMEMBERED_MAX:
                self._answers.clear()
            answer = self._answers[fit] = self._deciding(fit)
        return answer

    def matching_at_any(self, fact: Callable[[str], Any]) -> tuple[Match, ...]:
        """The campaigns whose rules fit for some amount, each with the rows that do; `fact` is not asked for the amount."""
        fit = self._all
        at_amounts: tuple[int, ...] = (fit,)
        for field, sieve in self._sieves:
            if field == "amount":
                at_amounts = sieve.of_all_bands
            else:
                fit &= sieve.passed(fact(field))
        answer = self._at_any.get(fit)
        if answer is None:
            if len(self._at_any) >= _REMEMBERED_MAX:
                self._at_any.clear()
            found = dict.fromkeys(each for passed in at_amounts for each in self._deciding(fit & passed))
            answer = self._at_any[fit] = tuple(found)
        return answer

    def _deciding(self, fit: int) -> tuple[Match, ...]:
        """The first of each campaign's rows among these."""
        # One less than a campaign's bits, with a lender behind them, has all bits above its lowest as they were, and that one not.
        lowest = fit & ~((fit | self._ends) - self._firsts)
        bits = f"{lowest:b}"[::-1]
        found: list[Match] = []
        at = bits.find("1")
        while at >= 0:
            match = self._rows[at]
            if match is not None:
                found.append(match)
            at = bits.find("1", at + 1)
        return tuple(found)
