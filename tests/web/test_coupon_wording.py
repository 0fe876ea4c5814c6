"""What a coupon promises, in words: its days are those of whose coupon it is."""

from zoneinfo import ZoneInfo

import pytest

from hutong.marketing.coupons.template import CouponKind, CouponTerms
from hutong.marketing.coupons.validity import Validity
from hutong.web.coupon_wording import promised
from hutong.web.language import words

MIDNIGHT_MS = 1_798_732_800_000  # 2026-12-31 16:00 UTC: a new year begins in Shanghai.


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Asia/Shanghai", "from 2027-01-01 00:00 +08:00 · until 2027-01-01 23:59 +08:00"),
        ("America/New_York", "from 2026-12-31 11:00 -05:00 · until 2027-01-01 10:59 -05:00"),
    ],
)
def test_the_days_of_a_coupon_are_told_in_the_zone_of_its_institution_and_with_it(zone: str, said: str) -> None:
    validity = Validity(from_ms=MIDNIGHT_MS, until_ms=MIDNIGHT_MS + 86_400_000)
    terms = CouponTerms(kind=CouponKind.AMOUNT_OFF, amount_off=500, validity=validity)
    told = dict(promised(words("en"), terms, ZoneInfo(zone)))
    assert told["When it is good"] == said
