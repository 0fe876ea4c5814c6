"""What coupons look like over HTTP."""

from typing import Annotated

import msgspec
from msgspec import Meta

from hutong.institution.merchants.views import MERCHANT_PREFIX
from hutong.institution.payments.payment import check_amount
from hutong.institution.payments.views import payment_id_text
from hutong.institution.people.views import USER_PREFIX
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX
from hutong.marketing.coupons.code import BATCH_PREFIX, CODES_MAX, CodeBatch, Use
from hutong.marketing.coupons.coupon import COUPON_PREFIX, Claim, Coupon, CouponState
from hutong.marketing.coupons.template import (
    STOCK_MAX,
    TEMPLATE_PREFIX,
    CouponTemplate,
    CouponTerms,
    TemplateState,
)

CouponId = Annotated[
    str,
    Meta(
        description="Your own id of it: `cpn_` and 26 letters of a ULID, minted and kept before the first try. The same again "
        "gets the same coupon, another claim under it COUPON_CLAIM_OTHERWISE.",
        examples=["cpn_01JD3V7M8Y5ZK2Q4R6T8W0X100"],
    ),
]
TemplateId = Annotated[str, Meta(examples=["ctp_01JD3V7M8Y5ZK2Q4R6T8W0X100"])]
_EXAMPLE = {
    "kind": "AMOUNT_OFF",
    "amount_off": 500,
    "threshold": 2_000,
    "validity": {"days": 7, "weekdays": [6, 7], "hours": [{"from_minute": 390, "until_minute": 600}]},
    "limits": {"per_person": 1, "per_device": 1, "per_day": 200},
    "stacking": {"priority": 5},
    "on_refund": "PERSON",
}
EXPIRED, NOT_YET_VALID = "EXPIRED", "NOT_YET_VALID"


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon to be claimed, and what it promises."""

    template_id: str
    campaign_id: str
    merchant_id: Annotated[str, Meta(description="Where alone it is good; empty: wherever its campaign's rules say.")]
    label: str
    terms: CouponTerms
    left: Annotated[int, Meta(description="How many can still be claimed in all.")]


class CouponView(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon of yours."""

    coupon_id: str
    template_id: str
    merchant_id: str
    label: str
    terms: CouponTerms
    state: Annotated[
        str, Meta(description="AVAILABLE, NOT_YET_VALID, EXPIRED, RESERVED (a payment is under way) or REDEEMED.")
    ]
    valid_from_ms: int
    valid_until_ms: int
    payment_id: Annotated[str, Meta(description="What it is used for, or was.")]
    was_given: bool
    till_code: Annotated[str, Meta(description="What its merchant takes it by at the till; empty: payments use it.")]
    claimed_at_ms: int


class ClaimBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take a coupon."""

    coupon_id: CouponId
    template_id: TemplateId


class ClaimByCodeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take the coupon that a code leads to."""

    coupon_id: CouponId
    code: Annotated[str, Meta(max_length=64, examples=["7K2Q-4R6T-8W0X-1A0B"])]


class GiveBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To whom: by telephone number or by id, one of them."""

    phone: Annotated[str, Meta(examples=["+8613800138000"])] = ""
    user_id: Annotated[str, Meta(examples=["usr_01JD3V7M8Y5ZK2Q4R6T8W0X1E0"])] = ""


class ValidateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment that one means to make: the code as it was scanned, and how much."""

    code: Annotated[str, Meta(min_length=1, max_length=512, examples=["https://jing.hutong.example/q/P2YX1JHGES2ESF"])]
    amount: Annotated[int, Meta(ge=0, examples=[2_500])] = 0

    def checked_amount(self, own: int) -> int:
        """The code's own amount or the one said. Refuses AMOUNT_NOT_POSITIVE."""
        amount = own or self.amount
        check_amount(amount)
        return amount


class WorthView(msgspec.Struct, frozen=True, kw_only=True):
    """What a coupon would give a payment, or why not."""

    coupon_id: str
    label: str
    gives: Annotated[int, Meta(description="By itself; what goes together, the consult's `discount_parts` say.")]
    reason: Annotated[str, Meta(description="Why it gives nothing; empty if it does.")]
    missing: Annotated[int, Meta(description="How much more the payment would have to be.")]


class TemplateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template of coupons. Its terms never change; its stock and state do."""

    template_id: Annotated[
        str,
        Meta(
            description="Your own id of it: `ctp_` and 26 letters of a ULID.",
            examples=["ctp_01JD3V7M8Y5ZK2Q4R6T8W0X100"],
        ),
    ]
    campaign_id: Annotated[str, Meta(examples=["cmp_01JD3V7M8Y5ZK2Q4R6T8W0X1A0"])]
    name: Annotated[str, Meta(examples=["早餐满20减5"])]
    terms: Annotated[CouponTerms, Meta(examples=[_EXAMPLE])]
    stock: Annotated[int, Meta(ge=1, le=STOCK_MAX, examples=[1_000])]


class TemplateView(msgspec.Struct, frozen=True, kw_only=True):
    """A template, and how it stands."""

    template_id: str
    campaign_id: str
    merchant_id: str
    name: str
    terms: CouponTerms
    stock: int
    claimed: int
    claimed_today: int
    state: TemplateState
    created_at_ms: int
    changed_at_ms: int


class StockBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many can be claimed in all."""

    stock: Annotated[int, Meta(ge=1, le=STOCK_MAX, examples=[2_000])]


class CodesBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Codes to be made: one where the template's code is shared."""

    batch_id: Annotated[
        str,
        Meta(
            description="Your own id of them: `ccb_` and 26 letters of a ULID.",
            examples=["ccb_01JD3V7M8Y5ZK2Q4R6T8W0X1D0"],
        ),
    ]
    count: Annotated[int, Meta(ge=1, le=CODES_MAX, examples=[500])] = 1


class BatchView(msgspec.Struct, frozen=True, kw_only=True):
    """Codes that were made together."""

    batch_id: str
    template_id: str
    count: int
    shared: bool
    made_by: str
    made_at_ms: int
    claimed: Annotated[int, Meta(description="How many coupons were claimed by them.")]
    used: Annotated[int, Meta(description="How many of these were paid with.")]


class SendBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A coupon for somebody who did not ask for it."""

    coupon_id: CouponId
    user_id: Annotated[str, Meta(examples=["usr_01JD3V7M8Y5ZK2Q4R6T8W0X1E0"])]


class RedemptionView(msgspec.Struct, frozen=True, kw_only=True):
    """A claim of a template's, and what became of its coupon."""

    coupon_id: str
    user_id: Annotated[str, Meta(description="Whose it is; the institution's operator alone is told.")]
    number: int
    by_code: bool
    state: CouponState
    payment_id: str
    returns: int
    claimed_at_ms: int
    changed_at_ms: int


class RedemptionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Claims, newest first, and where to go on."""

    claims: list[RedemptionView]
    next_cursor: str | None


def shown_state(coupon: Coupon, now_ns: int) -> str:
    """What a person is told of it."""
    if coupon.state != CouponState.AVAILABLE:
        return str(coupon.state)
    if now_ns >= coupon.until_ns:
        return EXPIRED
    return NOT_YET_VALID if now_ns < coupon.from_ns else str(coupon.state)


def offer_view(template: CouponTemplate, claimed: int) -> OfferView:
    return OfferView(
        template_id=id_text(TEMPLATE_PREFIX, template.id),
        campaign_id=id_text(CAMPAIGN_PREFIX, template.campaign_id),
        merchant_id=_merchant_text(template.merchant_id),
        label=template.name,
        terms=template.told,
        left=template.stock - claimed,
    )


def coupon_view(coupon: Coupon, template: CouponTemplate, now_ns: int, till_code: str = "") -> CouponView:
    return CouponView(
        coupon_id=id_text(COUPON_PREFIX, coupon.id),
        template_id=id_text(TEMPLATE_PREFIX, coupon.template_id),
        merchant_id=_merchant_text(template.merchant_id),
        label=template.name,
        terms=template.told,
        state=shown_state(coupon, now_ns),
        valid_from_ms=coupon.from_ns // NS_PER_MS,
        valid_until_ms=coupon.until_ns // NS_PER_MS,
        payment_id=payment_id_text(coupon.payment_id) if coupon.payment_id else "",
        was_given=bool(coupon.given_by),
        till_code=till_code,
        claimed_at_ms=coupon.claimed_ns // NS_PER_MS,
    )


def template_view(template: CouponTemplate, claimed: int, today: int) -> TemplateView:
    return TemplateView(
        template_id=id_text(TEMPLATE_PREFIX, template.id),
        campaign_id=id_text(CAMPAIGN_PREFIX, template.campaign_id),
        merchant_id=_merchant_text(template.merchant_id),
        name=template.name,
        terms=template.told,
        stock=template.stock,
        claimed=claimed,
        claimed_today=today,
        state=TemplateState(template.state),
        created_at_ms=template.created_ns // NS_PER_MS,
        changed_at_ms=template.changed_ns // NS_PER_MS,
    )


def batch_view(batch: CodeBatch, use: Use) -> BatchView:
    return BatchView(
        batch_id=id_text(BATCH_PREFIX, batch.id),
        template_id=id_text(TEMPLATE_PREFIX, batch.template_id),
        count=batch.count,
        shared=batch.shared,
        made_by=batch.made_by,
        made_at_ms=batch.created_ns // NS_PER_MS,
        claimed=use.claimed,
        used=use.used,
    )


def redemption_view(claim: Claim, coupon: Coupon, *, named: bool) -> RedemptionView:
    return RedemptionView(
        coupon_id=id_text(COUPON_PREFIX, coupon.id),
        user_id=id_text(USER_PREFIX, coupon.person_id) if named else "",
        number=claim.number,
        by_code=claim.code_id is not None or claim.batch_id is not None,
        state=CouponState(coupon.state),
        payment_id=payment_id_text(coupon.payment_id) if coupon.payment_id else "",
        returns=coupon.returns,
        claimed_at_ms=claim.claimed_ns // NS_PER_MS,
        changed_at_ms=coupon.changed_ns // NS_PER_MS,
    )


def coupon_id_of(text: str) -> int:
    """Refuses ID_MALFORMED, ID_OF_OTHER_KIND."""
    return parse_id(COUPON_PREFIX, text)


def template_id_of(text: str) -> int:
    """Refuses as `coupon_id_of`."""
    return parse_id(TEMPLATE_PREFIX, text)


def _merchant_text(merchant_id: int) -> str:
    return id_text(MERCHANT_PREFIX, merchant_id) if merchant_id else ""
