"""Forms of campaigns and coupons: what a page shows of terms is read back as the same terms, and a no names the page's own field."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import Campaign, CampaignKind, CampaignTerms, Side
from hutong.marketing.campaigns.rules import RuleRow, RuleTable
from hutong.marketing.coupons.template import (
    ClaimLimits,
    CodeKind,
    CouponKind,
    CouponTerms,
    OnRefund,
    Stacking,
)
from hutong.marketing.coupons.validity import Hours, Validity
from hutong.marketing.invitations.terms import read_terms as read_inviting_terms
from hutong.web.campaign_wording import row_told
from hutong.web.console import campaign_form as console_form
from hutong.web.coupon_form import USUAL, at_field, read_coupon
from hutong.web.form import Form
from hutong.web.institution_desk import campaign_form as desk_form
from hutong.web.language import words

SHANGHAI = ZoneInfo("Asia/Shanghai")
ROWS = (
    RuleRow(why="none at pumps", when={"mcc": "'5541', '5542'"}, gives=False),
    RuleRow(why="new", when={"new": "true", "amount": ">= 1000"}, off=500, threshold=1_000),
    RuleRow(when={"hour": "[6..10)"}, bps=1_250, max=300),
    RuleRow(bps=2_000, off=50),
    RuleRow(when={"weekday": "6, 7"}, off=1),
)
CAPS = Caps(day=1_000_000, place=5_050, place_is="shop", person=20_000, person_day=500, times=9, times_day=1)
DISTRIBUTION = {"bands": [{"weight": 9, "low": 10, "high": 100}, {"weight": 1, "low": 101, "high": 3_000}]}
STEPS = [{"friends": 1, "total": 100}, {"friends": 3, "total": 500}]
INVITING = {"steps": STEPS, "person_max": 500, "hold_hours": 0, "weights": {"RING": 9}}
BESIDE: dict[str, Any] = {"priority": 7, "exclusive": True, "group": "festival", "partial": True, "by_joining": True}


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        (CampaignKind.DISCOUNT, CampaignTerms(rules=RuleTable(rows=ROWS), caps=CAPS, holdout_bps=250, **BESIDE)),
        (CampaignKind.DISCOUNT, CampaignTerms(rules=RuleTable(rows=ROWS * 4), holdout_bps=0)),
        (CampaignKind.DRAW, CampaignTerms(caps=CAPS, more={"distribution": DISTRIBUTION, "hours": [1] * 24})),
        (CampaignKind.COUPON, CampaignTerms(caps=Caps(day=8_000))),
    ],
)
def test_an_editor_that_is_sent_as_it_was_shown_changes_nothing(kind: CampaignKind, terms: CampaignTerms) -> None:
    shown = desk_form.typed_of(terms, kind)
    assert msgspec.json.encode(desk_form.read_terms(Form(shown), kind, terms)) == msgspec.json.encode(terms)


def test_terms_of_inviting_are_shown_whole_and_read_back() -> None:
    terms = CampaignTerms(more=INVITING)
    shown = desk_form.typed_of(terms, CampaignKind.INVITE)
    read = desk_form.read_terms(Form(shown), CampaignKind.INVITE, terms)
    unweighed = read_inviting_terms(INVITING)
    assert read_inviting_terms(read.more) == unweighed
    assert read.more["weights"] == dict(unweighed.weights)
    assert (unweighed.weights["RING"], unweighed.weights["SHARED_DEVICE"]) == (9, 100)
    shown |= {"friends3": "5", "total3": "9.00", "person_max": "9", "weight_RING": "100", "hold_hours": "24"}
    changed = read_inviting_terms(desk_form.read_terms(Form(shown), CampaignKind.INVITE, terms).more)
    assert (changed.friends_max, changed.total(5), changed.person_max, changed.hold_hours) == (5, 900, 900, 24)
    assert changed.weights["RING"] == 100


@pytest.mark.parametrize(
    ("typed", "reason", "field"),
    [
        ({"friends3": "3", "total3": "9"}, "NUMBER_OUT_OF_RANGE", "friends3"),
        ({"friends3": "4", "total3": "5"}, "AMOUNT_OUT_OF_BOUNDS", "total3"),
        ({"friends3": "4", "total3": "5.01"}, "AMOUNT_OUT_OF_BOUNDS", "total3"),
        ({"friends3": "4"}, "FIELD_EMPTY", "total3"),
        ({"amount_min": "0"}, "AMOUNT_OUT_OF_BOUNDS", "amount_min"),
        ({"tier_min": "4"}, "NUMBER_OUT_OF_RANGE", "tier_min"),
        ({"friends1": "", "total1": "", "friends2": "", "total2": ""}, "FIELD_EMPTY", "friends1"),
    ],
)
def test_a_no_to_steps_names_the_step(typed: dict[str, str], reason: str, field: str) -> None:
    shown = desk_form.typed_of(CampaignTerms(more=INVITING), CampaignKind.INVITE) | typed
    with pytest.raises(Refusal) as refused:
        desk_form.read_terms(Form(shown), CampaignKind.INVITE)
    assert (refused.value.reason.name, refused.value.facts["field"]) == (reason, field)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"when2": "colour 'red'", "off2": "1"}, "when2"),
        ({"off1": "", "when1": "hour 8"}, "off1"),
        ({"holdout": "half"}, "holdout"),
        ({"percent3": "100.5"}, "percent3"),
        ({"person": "x"}, "person"),
    ],
)
def test_a_no_to_terms_names_the_field_of_the_page(typed: dict[str, str], field: str) -> None:
    form = Form({"off1": "2", "holdout": "5"} | typed)
    with pytest.raises(Refusal) as refused:
        desk_form.read_terms(form, CampaignKind.DISCOUNT).check(CampaignKind.DISCOUNT, Side.PAYER)
    assert desk_form.at_field(refused.value).facts["field"] == field


WHOLE = USUAL | {
    "coupon_name": "周末早餐",
    "coupon_kind": "EXCHANGE",
    "coupon_item": "豆浆",
    "coupon_price": "6.00",
    "coupon_for": "1.00",
    "coupon_least": "20",
    "coupon_days": "9",
    "coupon_waits": "1",
    "coupon_first": "2026-12-01",
    "coupon_last": "2026-12-31",
    "coupon_weekday6": "1",
    "coupon_weekday7": "1",
    "coupon_from1": "06:30",
    "coupon_until1": "10:00",
    "coupon_from2": "22:00",
    "coupon_until2": "02:00",
    "coupon_each_day": "2",
    "coupon_device": "",
    "coupon_of_day": "50",
    "coupon_code": "UNIQUE",
    "coupon_giving": "1",
    "coupon_refund": "BUDGET",
    "coupon_priority": "5",
    "coupon_group": "breakfast",
    "coupon_alone": "1",
}


def test_everything_that_coupons_promise_can_be_typed() -> None:
    name, terms, stock = read_coupon(Form(WHOLE), SHANGHAI)
    assert (name, stock) == ("周末早餐", 100)
    assert terms == CouponTerms(
        kind=CouponKind.EXCHANGE,
        threshold=2_000,
        item="豆浆",
        item_price=600,
        exchange_price=100,
        validity=Validity(
            from_ms=1_764_518_400_000 + 365 * 86_400_000,
            until_ms=1_764_518_400_000 + (365 + 31) * 86_400_000,  # The last day is whole.
            waits_days=1,
            days=9,
            weekdays=(6, 7),
            hours=(Hours(0, 120), Hours(390, 600), Hours(1320, 1440)),
        ),
        limits=ClaimLimits(per_person=1, per_person_day=2, per_device=0, per_day=50),
        stacking=Stacking(exclusive=True, priority=5, group="breakfast"),
        code=CodeKind.UNIQUE,
        transferable=True,
        on_refund=OnRefund.BUDGET,
    )


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"coupon_for": "6"}, "coupon_for"),
        ({"coupon_kind": "AMOUNT_OFF"}, "coupon_off"),
        ({"coupon_kind": "GOODS", "coupon_off": "7"}, "coupon_off"),
        ({"coupon_kind": "PERCENT_OFF", "coupon_percent": "100"}, "coupon_percent"),
        ({"coupon_days": "", "coupon_last": ""}, "coupon_days"),
        ({"coupon_last": "2026-11-30"}, "coupon_last"),
        ({"coupon_last": "soon"}, "coupon_last"),
        ({"coupon_until1": ""}, "coupon_until1"),
        ({"coupon_from1": "25:00"}, "coupon_from1"),
        ({"coupon_stock": "0"}, "coupon_stock"),
        ({"coupon_each": "many"}, "coupon_each"),
        ({"coupon_price": "1.005"}, "coupon_price"),
        ({"coupon_name": ""}, "coupon_name"),
    ],
)
def test_a_no_to_a_coupon_names_the_field_of_the_page(typed: dict[str, str], field: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_coupon(Form(WHOLE | typed), SHANGHAI)
    assert at_field(refused.value).facts["field"] == field


def _own(terms: CampaignTerms, kind: str = "DISCOUNT") -> Campaign:
    texts = dict.fromkeys(("name", "state", "reason"), "")
    numbers = ("id", "merchant_id", "version", "budget", "funded", "given_back", "attempt")
    moments = ("starts_ns", "ends_ns", "created_ns", "changed_ns")
    raw = dict.fromkeys(("sponsors", "backs", "salt"), b"") | {"terms": msgspec.json.encode(terms)}
    return Campaign(kind=kind, side="PAYEE", **texts, **dict.fromkeys((*numbers, *moments), 0), **raw)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "row",
    [
        RuleRow(off=200),
        RuleRow(off=200, threshold=1_000, when={"amount": ">= 1000"}),
        RuleRow(bps=1_000, max=500, why="as the API called it", when={"hour": "[10..14)"}),
    ],
)
def test_three_steps_that_are_sent_as_they_were_shown_change_nothing(row: RuleRow) -> None:
    terms = CampaignTerms(rules=RuleTable(rows=(row,)), caps=Caps(day=500), holdout_bps=700, group="x")
    campaign = _own(terms)
    typed = console_form.revisable(campaign)
    assert typed is not None
    assert console_form.read_terms(Form(typed), campaign, "CNY") == terms
    changed = console_form.read_terms(Form(typed | {"of_day": "7"}), campaign, "CNY")
    assert changed == msgspec.structs.replace(terms, caps=Caps(day=700))


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ROWS[:2],
        (RuleRow(off=1, bps=1),),
        (RuleRow(bps=1_250),),
        (RuleRow(off=1, when={"hour": "[3..4)"}),),
        (RuleRow(off=1, when={"city": "'上海'"}),),
        (RuleRow(off=1, when={"amount": ">= 7"}),),
    ],
)
def test_what_three_steps_can_not_say_they_do_not_offer_to_change(rows: tuple[RuleRow, ...]) -> None:
    assert console_form.revisable(_own(CampaignTerms(rules=RuleTable(rows=rows)))) is None


@pytest.mark.parametrize(
    ("row", "english", "chinese"),
    [
        (RuleRow(off=200), "¥2.00 off", "减¥2.00"),
        (
            RuleRow(off=200, threshold=1_000, when={"amount": ">= 1000"}),
            "¥2.00 off · If you pay ¥10.00 or more",
            "减¥2.00 · 满¥10.00可用",
        ),
        (
            RuleRow(off=500, when={"new": "true", "amount": ">= 1000", "weekday": "7, 6"}),
            "¥5.00 off · on your first payment · from ¥10.00 on · Sun / Sat",
            "减¥5.00 · 限首次付款 · ¥10.00起 · 周日 / 周六",
        ),
        (
            RuleRow(bps=2_000, max=300, when={"hour": "[6..10)", "amount": "[1000..2000)"}),
            "20% off, at most ¥3.00 · 06:00–10:00 · ¥10.00 – ¥19.99",
            "减20%，最多减¥3.00 · 06:00–10:00 · ¥10.00 – ¥19.99",
        ),
    ],
)
def test_a_payer_is_told_the_conditions_of_a_row(row: RuleRow, english: str, chinese: str) -> None:
    assert row_told(words("en"), row) == english
    assert row_told(words("zh-CN"), row) == chinese


@pytest.mark.parametrize(
    ("typed", "bps"), [("0", 0), ("50", 5_000), ("50.01", 5_001), ("99.5", 9_950), ("100", 10_000)]
)
def test_the_editor_holds_out_whatever_the_api_does(typed: str, bps: int) -> None:
    terms = CampaignTerms(rules=RuleTable(rows=(RuleRow(off=1),)), holdout_bps=bps)
    terms.check(CampaignKind.DISCOUNT, Side.PAYER)
    shown = desk_form.typed_of(terms, CampaignKind.DISCOUNT)
    read = desk_form.read_terms(Form(shown | {"holdout": typed}), CampaignKind.DISCOUNT, terms)
    assert read == terms


def test_more_than_all_is_held_out_by_nobody() -> None:
    terms = CampaignTerms(rules=RuleTable(rows=(RuleRow(off=1),)))
    shown = desk_form.typed_of(terms, CampaignKind.DISCOUNT) | {"holdout": "100.01"}
    read = desk_form.read_terms(Form(shown), CampaignKind.DISCOUNT, terms)
    with pytest.raises(Refusal) as refused:
        read.check(CampaignKind.DISCOUNT, Side.PAYER)
    assert desk_form.at_field(refused.value).facts["field"] == "holdout"
