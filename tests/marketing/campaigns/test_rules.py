"""Rules are tables that people read and the engine decides; many tables are asked together as each would be alone."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import CampaignKind, CampaignTerms, Side
from hutong.marketing.campaigns.rule_book import RuleBook
from hutong.marketing.campaigns.rules import FIELDS, Band, RuleRow, RuleTable, Sort
from tests.marketing.campaigns.plain import campaign_of, row_of

FACTS: dict[str, Any] = {
    "new": False,
    "tier": 2,
    "age_days": 40,
    "segment": frozenset({"student", "driver"}),
    "mcc": "5812",
    "city": "上海",
    "small": True,
    "tag": frozenset[str](),
    "shop": "",
    "merchant": "mer_1",
    "amount": 1_000,
    "channel": "STATIC",
    "debtor_agent": "jing",
    "creditor_agent": "wei",
    "weekday": 6,
    "hour": 8,
}


def row(rules: RuleTable, facts: Mapping[str, Any]) -> int:
    """The row that decides, 0 if none fits."""
    return next((match.row for match in RuleBook([campaign_of(rules)]).matching(facts.__getitem__)), 0)


def table(*conditions: dict[str, str]) -> RuleTable:
    return RuleTable(rows=tuple(RuleRow(when=when, off=1) for when in conditions))


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ({}, True),
        ({"amount": ">= 1000"}, True),
        ({"amount": "> 1000"}, False),
        ({"amount": "[500..1000]"}, True),
        ({"amount": "[500..1000)"}, False),
        ({"amount": "1, 1000"}, True),
        ({"mcc": "'5411', '5812'"}, True),
        ({"mcc": "'5411'"}, False),
        ({"segment": "'student'"}, True),
        ({"segment": "'nurse', 'driver'"}, True),
        ({"segment": "'nurse'"}, False),
        ({"tag": "'small'"}, False),
        ({"new": "true"}, False),
        ({"small": "true", "city": "'上海'"}, True),
        ({"small": "true", "city": "'北京'"}, False),
        ({"weekday": "6, 7", "hour": "[6..10)"}, True),
        ({"debtor_agent": "'jing'", "creditor_agent": "'wei'"}, True),
        ({"tier": ">= 3"}, False),
        ({"age_days": "< 1"}, False),
        ({"hour": "[20..24), [0..6), [8..8]"}, True),
        ({"channel": "'STATIC', 'PYMTCD'"}, True),
    ],
)
def test_a_condition_fits_or_does_not(when: dict[str, str], fits: bool) -> None:
    rules = table(when)
    rules.check()
    assert row(rules, FACTS) == int(fits)


def test_the_first_row_that_fits_decides() -> None:
    rules = table({"amount": ">= 5000"}, {"mcc": "'5812'"}, {})
    assert row(rules, FACTS) == 2
    assert row(rules, FACTS | {"amount": 5_000}) == 1
    assert row(rules, FACTS | {"mcc": "5411"}) == 3


@pytest.mark.parametrize(
    ("field", "condition"),
    [
        ("amount", "many"),
        ("amount", ">= 10; drop"),
        ("amount", ""),
        ("amount", ">= 10.5"),
        ("mcc", "5812"),
        ("mcc", "'58' + '12'"),
        ("weather", "'fine'"),
        ("new", "1"),
        ("segment", "'a') or true"),
        ("city", "'" + "长" * 81 + "'"),
        ("city", "'上' " * 900),
        ("amount", "１００"),  # As a Chinese keyboard has it; the engine reads ASCII alone.
        ("amount", ">= １００"),
        ("amount", "100\u3000"),
        ("amount", "100，200"),
        ("mcc", "'5812',\u3000'5814'"),
        ("hour", "[22..6)"),  # Nothing is ever in it: a campaign would run and give nothing.
        ("hour", "[6..10), [22..6)"),
        ("hour", "24"),
        ("weekday", "0"),
        ("weekday", "> 7"),
        ("tier", ">= 4"),
        ("amount", "[5..1]"),
        ("amount", "< 0"),
        ("channel", "'STATIC', 'PLATE'"),
    ],
)
def test_what_is_not_understood_is_refused_by_row_and_field(field: str, condition: str) -> None:
    with pytest.raises(Refusal, match=f"RULE_NOT_UNDERSTOOD: row=2, field={field}"):
        table({}, {field: condition}).check()


NUMBERS = st.integers(0, 30)
CONDITIONS = {
    Sort.NUMBER: st.one_of(
        NUMBERS.map(">= {}".format),
        NUMBERS.map(lambda number: f"< {number + 1}"),
        NUMBERS.map(str),
        st.tuples(NUMBERS, st.integers(1, 9)).map(lambda t: f"[{t[0]}..{t[0] + t[1]})"),
    ),
    Sort.TEXT: st.lists(st.sampled_from("abc"), min_size=1).map(lambda names: ", ".join(f"'{n}'" for n in names)),
    Sort.WORDS: st.lists(st.sampled_from("abc"), min_size=1).map(lambda names: ", ".join(f"'{n}'" for n in names)),
    Sort.TRUTH: st.sampled_from(["true", "false"]),
}
VALUES: dict[Sort, st.SearchStrategy[Any]] = {
    Sort.NUMBER: st.integers(0, 40),
    Sort.TEXT: st.sampled_from("abcd"),
    Sort.WORDS: st.frozensets(st.sampled_from("abcd")),
    Sort.TRUTH: st.booleans(),
}
ASKED = ("amount", "mcc", "segment", "new")
ROWS = st.lists(st.fixed_dictionaries({}, optional={each: CONDITIONS[FIELDS[each]] for each in ASKED}), min_size=1)
OCCASIONS = st.lists(st.fixed_dictionaries({each: VALUES[FIELDS[each]] for each in ASKED}), min_size=2, max_size=8)


@given(st.lists(ROWS, max_size=6), OCCASIONS)
def test_many_tables_together_are_decided_as_the_engine_decides_each(
    tables: list[list[dict[str, str]]], occasions: list[dict[str, Any]]
) -> None:
    rules = [
        RuleTable(rows=tuple(RuleRow(when=when, off=1, gives=bool(at % 3)) for at, when in enumerate(rows)))
        for rows in tables
    ]
    for each in rules:
        each.check()
    campaigns = [campaign_of(each) for each in rules]
    book = RuleBook(campaigns)
    for facts in [*occasions, *occasions]:  # The second time from memory.
        fitting = [(campaign.id, row_of(each, facts)) for campaign, each in zip(campaigns, rules, strict=True)]
        giving = [
            (id_, found)
            for (id_, found), each in zip(fitting, rules, strict=True)
            if not each.rows or (found and each.rows[found - 1].gives)
        ]
        assert [(match.id, match.row) for match in book.matching(facts.__getitem__)] == giving


SCRIBBLED = st.text(st.sampled_from("0123456789１２٣.[]()<>=, \u3000\t'ab店🎓{}$#"), max_size=12)


@given(
    st.sampled_from(sorted(FACTS)), st.one_of(st.text(max_size=12), SCRIBBLED, SCRIBBLED.map(lambda said: f"'{said}'"))
)
def test_what_is_understood_is_what_the_engine_can_decide(field: str, condition: str) -> None:
    """Else one campaign's slip of the pen would keep a whole institution from paying."""
    rules = table({field: condition})
    try:
        rules.check()
    except Refusal:
        return
    assert row(rules, FACTS) == row_of(rules, FACTS)


def test_an_amount_is_told_apart_at_its_bounds_alone() -> None:
    band = Band("amount", [">= 1000", "[3000..5000)"])
    found = [band.of(each) for each in (0, 999, 1_000, 1_001, 2_999, 3_000, 3_001, 4_999, 5_000, 9_999)]
    assert found == [0, 0, 1, 2, 2, 3, 4, 4, 5, 6]


def test_what_a_row_gives_leaves_a_fen_to_pay() -> None:
    assert RuleRow(off=500).amount_of(300) == 299
    assert RuleRow(bps=2_000, max=150).amount_of(1_000) == 150
    assert RuleRow(off=10, bps=1_000).amount_of(1_005) == 111
    assert RuleRow(off=5).amount_of(1) == 0


@pytest.mark.parametrize(
    ("terms", "named"),
    [
        (CampaignTerms(rules=table({}), caps=Caps(day=2**63)), "caps.day"),
        (CampaignTerms(rules=table({}), caps=Caps(times=2**64)), "caps.times"),
        (CampaignTerms(rules=RuleTable(rows=(RuleRow(off=2**63),))), "off"),
        (CampaignTerms(rules=RuleTable(rows=(RuleRow(off=1, threshold=2**70),))), "threshold"),
        (CampaignTerms(rules=table({}), priority=2**63), "priority"),
    ],
)
def test_numbers_that_no_database_adds_up_are_refused(terms: CampaignTerms, named: str) -> None:
    """They were kept, and from then on every audit of the institution ended in an error."""
    with pytest.raises(Refusal) as refused:
        terms.check(CampaignKind.DISCOUNT, Side.PAYER)
    assert refused.value.facts["field"] == named
