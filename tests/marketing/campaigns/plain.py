"""A decision on a discount made the plain way, campaign by campaign, as a measure of the quick way."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

import msgspec
from zen import ZenDecision, ZenEngine

from hutong.marketing.campaigns.benefit import Benefit
from hutong.marketing.campaigns.budget import PersonSpent, Spent, room
from hutong.marketing.campaigns.campaign import HELD_OUT, Campaign, CampaignKind, CampaignState, CampaignTerms, Side
from hutong.marketing.campaigns.rules import RuleRow, RuleTable

_numbers = count(1)


def campaign_of(rules: RuleTable, **terms: Any) -> Campaign:
    """A running campaign with these rules."""
    told = CampaignTerms(rules=rules, **({"holdout_bps": 0} | terms))
    return Campaign(
        id=next(_numbers),
        merchant_id=0,
        kind=CampaignKind.DISCOUNT.value,
        side=Side.PAYER.value,
        name="立减",
        sponsors=b"[]",
        terms=msgspec.json.encode(told),
        version=1,
        state=CampaignState.RUNNING.value,
        reason="",
        budget=1_000,
        funded=1_000,
        given_back=0,
        backs=b"",
        attempt=0,
        salt=b"",
        starts_ns=0,
        ends_ns=1 << 62,
        created_ns=0,
        changed_ns=0,
    )


@lru_cache(1_000)
def _decision(document: bytes) -> ZenDecision:
    return ZenEngine().create_decision(document.decode())


def row_of(rules: RuleTable, facts: Mapping[str, Any]) -> int:
    """What the engine says of a whole table: the number of the row that fits, 0 if none does."""
    told = {field: facts[field] for field in rules.fields}
    result: dict[str, Any] = _decision(msgspec.json.encode(rules.document("rules"))).evaluate(told)["result"]
    return int(result["row"]) if result else 0


def benefits(
    campaigns: Sequence[Campaign],
    facts: Mapping[str, Any],
    spent: Mapping[int, Spent],
    person: Callable[[int], PersonSpent],
    *,
    unit: int,
    day: int,
    place: str,
    now_ns: int,
) -> list[Benefit]:
    """What each campaign would give, asked one by one."""
    found: list[Benefit] = []
    for campaign in campaigns:
        terms = campaign.told
        row = row_of(terms.rules, facts) if terms.rules.rows else 0
        if not campaign.is_running(now_ns) or (terms.rules.rows and not row):
            continue
        rule = terms.rules.rows[row - 1] if row else RuleRow()
        left, _ = room(campaign.funded, terms.caps, spent[campaign.id], person(campaign.id), day, place)
        if not rule.gives or not left or campaign.arm(unit) == HELD_OUT:
            continue
        given = rule.amount_of(facts["amount"])
        if given > left:
            given = left if terms.partial else 0
        if given:
            found.append(
                Benefit(
                    campaign_id=campaign.id,
                    amount=given,
                    label=campaign.name,
                    source="campaign",
                    priority=terms.priority,
                    exclusive=terms.exclusive,
                    group=terms.group,
                    threshold=rule.threshold,
                )
            )
    return found
