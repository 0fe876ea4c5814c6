"""
What makes the samples' payments cheaper, and from whose budget: invented campaigns, coupons and red packets, as data.

Jing's are for tea, books and flowers, wei's for small shops that join or are small: what a visitor pays elsewhere costs what it says.
"""

from dataclasses import dataclass, field
from typing import Any

from hutong.app.samples import BEANS, BUNS, CHEN, HAN, HAWS, LI, NOODLES, WANG, Resident, Stall

_SLOW = "'5942', '5499', '5992', '5441'"  # Books, tea, flowers, sweets.
_EVERYBODY = {"holdout_bps": 0}


@dataclass(frozen=True, slots=True)
class Sponsor:
    """Who pays, at which institution, and how much was paid in. `kind` is one of `sponsor.SponsorKind`."""

    node: str
    reference: str
    kind: str
    name: str
    deposit_minor: int


@dataclass(frozen=True, slots=True)
class Promotion:
    """
    A campaign of an institution's, from the beginning of the week until the end of a day to come.

    `sponsors` pay in these proportions. `terms` are what `CampaignTerms` says over HTTP.
    """

    name: str
    kind: str
    sponsors: tuple[tuple[Sponsor, int], ...]
    budget_minor: int
    days_left: int
    terms: dict[str, Any]
    side: str = "PAYER"

    @property
    def node(self) -> str:
        return self.sponsors[0][0].node


@dataclass(frozen=True, slots=True)
class Voucher:
    """A template of coupons of `COUPONS`; `terms` are what `CouponTerms` says over HTTP."""

    name: str
    stock: int
    terms: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OwnPromotion:
    """A shop's own campaign, from what it sold, begun so many days ago."""

    stall: Stall
    name: str
    budget_minor: int
    days_left: int
    terms: dict[str, Any]
    days_ago: int
    clock: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody takes a coupon; `given_to` somebody else it goes at once."""

    days_ago: int
    clock: str
    person: Resident
    voucher: Voucher
    given_to: Resident | None = None


@dataclass(frozen=True, slots=True)
class Packet:
    """Money in a red packet, and who opens it; `to` is whom alone it is for. `kind` is one of `split.SplitKind`."""

    days_ago: int
    clock: str
    sender: Resident
    kind: str
    amount: int
    count: int
    greeting: str
    opened_by: tuple[Resident, ...] = ()
    to: Resident | None = None


@dataclass(frozen=True, slots=True)
class Regular:
    """Somebody who buys a little every day, and is not to be signed in as."""

    node: str
    name: str
    phone: str
    paid_in_minor: int


@dataclass(frozen=True, slots=True)
class Counter:
    """What is bought at a small shop: one price after the other."""

    stall: Stall
    prices: tuple[int, ...] = field(default=())


JING = Sponsor("jing", "sample-jing", "INSTITUTION", "京付市场部", 900_000)
WEI = Sponsor("wei", "sample-wei", "INSTITUTION", "微包小店基金", 100_000)
CITY = Sponsor("wei", "sample-city", "OUTSIDE", "胡同消费季", 200_000)
SPONSORS = (JING, WEI, CITY)

DAILY = Promotion(
    "天天减",
    "DRAW",
    ((JING, 1),),
    600_000,
    20,
    # So much a day that everybody who comes is let in.
    {**_EVERYBODY, "rules": {"rows": [{"when": {"mcc": _SLOW}}]}, "caps": {"day": 20_000}},
)
COUPONS = Promotion(
    "胡同慢生活", "COUPON", ((JING, 1),), 100_000, 20, {**_EVERYBODY, "rules": {"rows": [{"when": {"mcc": _SLOW}}]}}
)
INVITING = Promotion("邀请有礼", "INVITE", ((JING, 1),), 100_000, 20, {**_EVERYBODY})
# Two pay for it together, and every second hour of a shop gets nothing: so that what it brings can be seen within a week.
SMALL_SHOPS = Promotion(
    "小店立减",
    "DISCOUNT",
    ((CITY, 7), (WEI, 3)),
    20_000,
    6,
    {
        "holdout_bps": 5_000,
        "rules": {
            "rows": [
                {"why": "the afternoon has a programme of its own", "when": {"hour": "[14..17)"}, "gives": False},
                {"why": "a bite to eat", "when": {"small": "true", "amount": "[600..2000)"}, "off": 100},
            ]
        },
    },
    side="PAYEE",
)
AFTERNOON = Promotion(
    "午后茶点补贴",
    "DISCOUNT",
    ((CITY, 1),),
    30_000,
    20,
    {
        **_EVERYBODY,
        "by_joining": True,
        "rules": {"rows": [{"why": "afternoon", "when": {"hour": "[14..17)", "amount": ">= 1000"}, "off": 200}]},
    },
    side="PAYEE",
)
PROMOTIONS = (DAILY, COUPONS, INVITING, SMALL_SHOPS, AFTERNOON)
JOINED = (BEANS, HAWS)  # The noodle shop has not: it is one tap for whoever signs in as its owner.

SLOW_OFF = Voucher(
    "满30减6",
    500,
    {
        "kind": "AMOUNT_OFF",
        "amount_off": 600,
        "threshold": 3_000,
        "validity": {"days": 15},
        "limits": {"per_person": 2, "per_device": 0},
        "transferable": True,
    },
)
FLOWERS_OFF = Voucher(
    "花店九折",
    200,
    {"kind": "PERCENT_OFF", "percent_off_bps": 1_000, "cap": 1_000, "threshold": 2_000, "validity": {"days": 2}},
)
CAKE = Voucher(
    "赠桂花糕一份",
    100,
    {"kind": "FREE_ITEM", "item": "桂花糕", "item_price": 800, "threshold": 4_000, "validity": {"days": 10}},
)
BOOKMARK = Voucher(
    "2元换购书签",
    100,
    {"kind": "EXCHANGE", "item": "黄铜书签", "item_price": 1_200, "exchange_price": 200, "validity": {"days": 15}},
)
VOUCHERS = (SLOW_OFF, FLOWERS_OFF, CAKE, BOOKMARK)

OWN = OwnPromotion(
    NOODLES,
    "老街坊满35减3",
    6_000,
    8,
    {**_EVERYBODY, "rules": {"rows": [{"when": {"amount": ">= 3500"}, "off": 300}]}},
    2,
    "14:00",
)

# One is used by the payment behind it, one given away; one of those left ends today.
CLAIMS = (
    Claim(4, "15:50", LI, SLOW_OFF),
    Claim(3, "21:00", LI, SLOW_OFF, CHEN),
    Claim(1, "20:30", LI, FLOWERS_OFF),
    Claim(1, "20:40", LI, CAKE),
)
PACKETS = (
    Packet(1, "20:00", HAN, "EQUAL", 1_200, 2, "看电影，买爆米花", (LI, WANG)),
    Packet(0, "08:35", LI, "LUCKY", 1_888, 6, "周末愉快", (CHEN, HAN)),
    Packet(0, "08:40", CHEN, "EQUAL", 660, 1, "谢谢你的券", to=LI),
)

REGULARS = (
    Regular("jing", "赵大爷", "+8613700001001", 80_000),
    Regular("wei", "孙阿姨", "+8613700001002", 80_000),
    Regular("zhi", "马师傅", "+8613700001003", 80_000),
)
COUNTERS = (
    Counter(NOODLES, (900, 1_100, 1_600)),
    Counter(BEANS, (600, 800, 700)),
    Counter(BUNS, (1_000, 650, 1_200)),
    Counter(HAWS, (800, 1_500, 1_000)),
)
VISIT_DAYS = (5, 4, 3, 2, 1)
VISIT_CLOCKS = ("07:20", "09:20", "11:20", "18:20", "20:20")
TEA_DAYS, TEA_CLOCK = (3, 2, 1), "15:10"  # When regulars come to shops that joined the afternoon's programme.
TEA_PRICE = 1_400
