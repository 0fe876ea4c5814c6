"""The rules of all campaigns that run at one side of the network, asked together: one key says which of them fit."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import Campaign, CampaignKind, CampaignTerms
from hutong.marketing.campaigns.rules import Compiled, RuleRow, RuleTable, bands, compiled

_REMEMBERED_MAX = 50_000


class Match(NamedTuple):
    """A campaign that fits: what is asked of it for every payment, read once."""

    campaign: Campaign
    row: int  # Of its rules; 0 where it has none.
    rule: RuleRow
    terms: CampaignTerms
    caps: Caps
    kind: CampaignKind


class RuleBook:
    """Made anew when a campaign begins, ends or changes."""

    def __init__(self, campaigns: Sequence[Campaign]) -> None:
        self.campaigns = tuple(campaigns)
        tables: list[tuple[Campaign, Compiled | None]] = []
        for campaign in campaigns:
            table = campaign.told.rules
            tables.append((campaign, _compiled(table) if table.rows else None))
        self._tables = tables
        self._bands = bands([table.table for _, table in tables if table is not None])
        self.fields = tuple(self._bands)
        self._answers: dict[tuple[Any, ...], tuple[Match, ...]] = {}
        self._at_any: dict[tuple[Any, ...], tuple[Match, ...]] = {}

    def matching(self, fact: Callable[[str], Any]) -> tuple[Match, ...]:
        """The campaigns whose rules fit an occasion; `fact` says what is known of it, by field."""
        facts = {field: fact(field) for field in self.fields}
        key = tuple([band.of(facts[field]) for field, band in self._bands.items()])
        answer = self._answers.get(key)
        if answer is None:
            if len(self._answers) >= _REMEMBERED_MAX:
                self._answers.clear()
            answer = self._answers[key] = tuple(self._asked(facts))
        return answer

    def matching_at_any(self, fact: Callable[[str], Any]) -> tuple[Match, ...]:
        """The campaigns whose rules fit for some amount, each with the rows that do; `fact` is not asked for the amount."""
        facts = {field: fact(field) for field in self.fields if field != "amount"}
        key = tuple([self._bands[field].of(value) for field, value in facts.items()])
        answer = self._at_any.get(key)
        if answer is None:
            if len(self._at_any) >= _REMEMBERED_MAX:
                self._at_any.clear()
            amounts = self._bands["amount"].samples if "amount" in self._bands else (1,)
            found = {
                (each.campaign.id, each.row): each
                for amount in amounts
                for each in self._asked({**facts, "amount": amount})
            }
            answer = self._at_any[key] = tuple(found.values())
        return answer

    def _asked(self, facts: dict[str, Any]) -> list[Match]:
        found: list[Match] = []
        for campaign, table in self._tables:
            if table is None:
                found.append(_match(campaign, 0, RuleRow()))
                continue
            row = table.row(facts)
            if row and (rule := table.table.rows[row - 1]).gives:
                found.append(_match(campaign, row, rule))
        return found


def _match(campaign: Campaign, row: int, rule: RuleRow) -> Match:
    terms = campaign.told
    return Match(campaign, row, rule, terms, terms.caps, CampaignKind(campaign.kind))


def _compiled(table: RuleTable) -> Compiled:
    return compiled(msgspec.json.encode(table))
