"""Conditions of rules, as people read them."""

import pytest

from hutong.marketing.campaigns.rules import FIELDS, RuleRow, RuleTable
from hutong.web.language import words
from hutong.web.offer_wording import row_where, spans, where

NAMES = {"wei": "Wei Wallet"}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (">= 1000", [(1000, None)]),
        ("> 1000", [(1001, None)]),
        ("<= 1000", [(None, 1000)]),
        ("< 1000", [(None, 999)]),
        ("== 5", [(5, 5)]),
        ("[1000..5000)", [(1000, 4999)]),
        ("(1000 .. 5000]", [(1001, 5000)]),
        ("8, 9, [11..13]", [(8, 8), (9, 9), (11, 13)]),
    ],
)
def test_a_condition_of_a_number_is_read_to_its_ends(
    condition: str, found: list[tuple[int | None, int | None]]
) -> None:
    assert spans(condition) == found


@pytest.mark.parametrize(
    ("when", "english", "chinese"),
    [
        (
            {"amount": "[4100..4199]", "small": "true"},
            "¥41.00 – ¥41.99 · at merchants that their institution calls small",
            "¥41.00 – ¥41.99 · 限收款机构认定的小微商户",
        ),
        ({"amount": ">= 2000"}, "from ¥20.00 on", "¥20.00起"),
        ({"amount": "< 2000"}, "up to ¥19.99", "不超过¥19.99"),
        ({"mcc": "'5812', '5814'"}, "at: restaurants and cafés", "限：餐饮店"),
        ({"mcc": "'5411', '5912'"}, "at: food shops / pharmacies", "限：食品店 / 药店"),
        ({"city": "'上海', '苏州'"}, "in 上海 / 苏州", "限上海 / 苏州"),
        ({"new": "true", "hour": "[7..10)"}, "on your first payment · 07:00–10:00", "限首次付款 · 07:00–10:00"),
        ({"weekday": "6, 7"}, "Sat / Sun", "周六 / 周日"),
        ({"tier": ">= 2"}, "tier II / III", "II / III 类账户"),
        ({"age_days": "< 30"}, "within 30 days of opening your wallet", "开通钱包30天内"),
        ({"channel": "'STATIC'"}, "with a shop's plate", "使用门店收款码"),
        ({"creditor_agent": "'wei'"}, "at merchants of Wei Wallet", "限Wei Wallet的商户"),
        (
            {"small": "false"},
            "at merchants that their institution does not call small",
            "收款机构认定的小微商户除外",
        ),
        ({"shop": "'wei/shp_1', 'wei/shp_2'"}, "at chosen shops of Wei Wallet", "限Wei Wallet的指定门店"),
        ({"shop": "'shp_1', 'wei/shp_2'"}, "at chosen shops", "限指定门店"),
        ({"home_city": "'北京'"}, "if you live in 北京", "限住在北京的用户"),
        ({"debtor_agent": "'jing'"}, "", ""),
        ({}, "", ""),
    ],
)
def test_a_row_says_where_it_is_good_in_both_languages(when: dict[str, str], english: str, chinese: str) -> None:
    row = RuleRow(off=100, when=when)
    RuleTable(rows=(row,)).check()
    assert row_where(words("en"), row, NAMES) == english
    assert row_where(words("zh-CN"), row, NAMES) == chinese


def test_a_row_that_gives_nothing_says_where_it_is_not_good() -> None:
    table = RuleTable(rows=(RuleRow(gives=False, when={"city": "'上海'"}), RuleRow(off=100)))
    assert where(words("en"), table, NAMES) == ["Not: in 上海"]


def test_no_condition_is_shown_as_it_is_written_for_the_engine() -> None:
    samples = {"NUMBER": "[2..3]", "TEXT": "'shp_01'", "WORDS": "'student'", "TRUTH": "false"}
    for field, sort in FIELDS.items():
        said = row_where(words("en"), RuleRow(off=1, when={field: samples[sort.name]}), NAMES)
        assert field == "debtor_agent" or said
        assert samples[sort.name] not in said
