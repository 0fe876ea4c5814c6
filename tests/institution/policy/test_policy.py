"""China's rules as data: what the tables say, when they hold, and that they are asked once."""

from datetime import UTC, date, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from hutong.institution.policy.policy import COUNTERS, TABLES, Limits, Policies, Policy, RecallTerms, shipped_policies
from hutong.kernel.clock import instant_ns
from hutong.scheme.messages import Channel

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON_NS = instant_ns(datetime(2026, 1, 1, 12, tzinfo=SHANGHAI))
ANNUAL = {1: 100_000, 2: 10_000_000, 3: 20_000_000}


@pytest.fixture(scope="module")
def policies() -> Policies:
    return shipped_policies("cn", SHANGHAI)


@pytest.mark.parametrize("tier", [1, 2, 3])
@pytest.mark.parametrize(
    ("channel", "verified", "counter", "daily", "pin_free"),
    [
        (Channel.STATIC_CODE, False, "static", 50_000, 20_000),
        (Channel.STATIC_CODE, True, "static", 50_000, 20_000),
        (Channel.PERSONAL_CODE, True, "static", 50_000, 20_000),
        (Channel.DYNAMIC_CODE, False, "unverified", 100_000, 20_000),
        (Channel.DYNAMIC_CODE, True, "verified", 500_000, 20_000),
        (Channel.PAYMENT_CODE, False, "unverified", 100_000, 100_000),
        (Channel.PAYMENT_CODE, True, "verified", 500_000, 100_000),
    ],
)
def test_tiers_and_codes_are_limited_as_the_rules_say(
    policies: Policies, tier: int, channel: Channel, verified: bool, counter: str, daily: int, pin_free: int
) -> None:
    policy, _, _ = policies.today(NOON_NS)
    assert policy.limits(channel, tier, verified=verified) == Limits(
        COUNTERS.index(counter), pin_free, True, ANNUAL[tier], daily
    )


def test_a_withdrawal_to_ones_own_account_counts_for_nothing_and_always_needs_the_pin(policies: Policies) -> None:
    policy, _, _ = policies.today(NOON_NS)
    assert policy.limits(Channel.WITHDRAWAL, 1, verified=True) == Limits(0, 0, False)


def test_an_unknown_tier_may_pay_nothing(policies: Policies) -> None:
    policy, _, _ = policies.today(NOON_NS)
    assert policy.limits(Channel.STATIC_CODE, 9, verified=True).annual == 0


@pytest.mark.parametrize(("amount", "bps", "fee"), [(100, 60, 1), (83, 60, 0), (84, 60, 1), (1, 10_000, 1)])
def test_a_merchant_pays_its_fee_rounded_half_up(policies: Policies, amount: int, bps: int, fee: int) -> None:
    policy, _, _ = policies.today(NOON_NS)
    assert policy.merchant_fee(Channel.STATIC_CODE, merchant=True).of(amount, bps) == fee
    assert policy.merchant_fee(Channel.PERSONAL_CODE, merchant=False).of(amount, bps) == 0


def test_each_question_is_asked_of_a_table_once(policies: Policies) -> None:
    policy, _, _ = policies.today(NOON_NS)
    once = policy.limits(Channel.STATIC_CODE, 2, verified=False)
    assert policy.limits(Channel.STATIC_CODE, 2, verified=False) is once


def test_a_policy_holds_from_its_date_on_by_the_local_calendar(policies: Policies) -> None:
    old, _, _ = policies.today(NOON_NS)
    new = Policy("cn-2026-07-01", date(2026, 7, 1), dict.fromkeys(TABLES, TABLE))
    both = Policies([new, old], SHANGHAI)
    midnight_ns = instant_ns(datetime(2026, 6, 30, 16, tzinfo=UTC))
    assert both.today(midnight_ns - 1)[0] is old
    assert both.today(midnight_ns)[0] is new
    assert both.today(midnight_ns - 1)[0] is old
    assert both.day_of(midnight_ns)[0] == both.day_of(midnight_ns - 1)[0] + 1
    assert both.day_of(NOON_NS) == (date(2026, 1, 1).toordinal(), 2026)


TABLE = """{"contentType": "application/vnd.gorules.decision", "nodes": [
  {"id": "a", "type": "inputNode", "name": "a", "position": {"x": 0, "y": 0}},
  {"id": "b", "type": "outputNode", "name": "b", "position": {"x": 0, "y": 0}}],
  "edges": [{"id": "e", "type": "edge", "sourceId": "a", "targetId": "b"}]}"""


@pytest.mark.parametrize(
    ("months", "banking_days", "paid_on", "until"),
    [
        (13, 0, date(2026, 1, 31), date(2027, 2, 28)),
        (13, 0, date(2026, 11, 30), date(2027, 12, 30)),
        (1, 0, date(2026, 12, 5), date(2027, 1, 5)),
        (0, 10, date(2026, 1, 1), date(2026, 1, 15)),  # A Thursday: two weekends.
        (0, 1, date(2026, 1, 2), date(2026, 1, 5)),
        (0, 10, date(2026, 1, 3), date(2026, 1, 16)),
    ],
)
def test_a_recall_may_be_asked_until_its_last_day(months: int, banking_days: int, paid_on: date, until: date) -> None:
    terms = RecallTerms(allowed=True, months=months, banking_days=banking_days, answer_hours=1, desk=False)
    assert terms.until(paid_on) == until


@pytest.mark.parametrize("reason", ["FRAD", "DUPL", "AM09", "AC03", "UPAY", "TECH", "CUST"])
@pytest.mark.parametrize("by", ["payer", "operator", "switch"])
def test_every_reason_has_its_terms_whoever_asks(policies: Policies, reason: str, by: str) -> None:
    policy, _, _ = policies.today(NOON_NS)
    terms = policy.recall(reason, by)
    assert terms.allowed == (by != "payer" or reason != "TECH")
    assert terms.desk == (by == "payer")
    assert terms.months == (13 if terms.allowed and (by == "switch" or reason == "FRAD") else 0)


def test_a_table_can_be_read_by_people_and_says_what_it_decides(policies: Policies) -> None:
    ((policy, until),) = policies.everything()
    assert until is None
    tables = {table.key: table for table in policy.tables}
    assert tuple(tables) == TABLES
    daily = tables["daily"]
    assert [column.field for column in daily.inputs] == ["channel", "verified"]
    static = daily.rows[0]
    assert list(static.conditions) == [["STATIC", "PERSON"], []]
    assert list(static.results) == ["static", "50000"]
    assert all(row.why for table in policy.tables for row in table.rows)


def test_each_version_says_until_when_it_is_in_force(policies: Policies) -> None:
    ((first, _),) = policies.everything()
    documents = {key: _document(first, key) for key in TABLES}
    later = Policy("cn-2027-01-01", date(2027, 1, 1), documents)
    both = Policies([later, first], SHANGHAI).everything()
    assert [(policy.version, until) for policy, until in both] == [
        ("cn-2027-01-01", None),
        (first.version, date(2026, 12, 31)),
    ]


def _document(policy: Policy, key: str) -> str:
    return files("hutong.institution.policy").joinpath(policy.version, f"{key}.json").read_text("utf-8")
