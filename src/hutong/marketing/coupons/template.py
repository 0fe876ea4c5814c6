"""What coupons are alike in: what they give, when they are good, how many there are and who may have one."""

from enum import StrEnum
from functools import lru_cache

import msgspec

from hutong.kernel.errors import Refusal
from hutong.kernel.money import BPS, MINOR_MAX
from hutong.kernel.text import check_text
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.validity import Validity
from hutong.runtime.tables import BigInt, Bytes, Text, Uuid

TEMPLATE_PREFIX = "ctp"
NAME_LENGTH_MAX = 40
ITEM_LENGTH_MAX = 60
GROUP_LENGTH_MAX = 60
STOCK_MAX = 1_000_000_000


class CouponKind(StrEnum):
    AMOUNT_OFF = "AMOUNT_OFF"  # 满减: so much less from a threshold on.
    PERCENT_OFF = "PERCENT_OFF"  # 折扣: a share less, up to a cap.
    GOODS = "GOODS"  # 商品券: one good is so much cheaper.
    FREE_ITEM = "FREE_ITEM"  # 赠品券: one good comes free with what is bought.
    EXCHANGE = "EXCHANGE"  # 换购: one good for a small price.


class CodeKind(StrEnum):
    NONE = "NONE"  # Whoever sees it may claim one.
    SHARED = "SHARED"  # One code, typed by many.
    UNIQUE = "UNIQUE"  # A code for each coupon.


class OnRefund(StrEnum):
    """Where a coupon goes when all of its payment is refunded. Its money goes back to the budget either way."""

    PERSON = "PERSON"  # Back to the person, as long as it is still good.
    BUDGET = "BUDGET"  # It is spent.


class ClaimLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many can be claimed; 0: no limit."""

    per_person: int = 1
    per_person_day: int = 0
    per_device: int = 1
    per_day: int = 0  # By all together.


class Stacking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it stands together with: see `Benefit`."""

    exclusive: bool = False
    priority: int = 0
    group: str = ""  # Empty: one of its template for a payment.


class CouponTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is promised to whoever claims one: it never changes afterwards."""

    kind: CouponKind
    amount_off: int = 0  # AMOUNT_OFF, GOODS.
    percent_off_bps: int = 0  # PERCENT_OFF.
    cap: int = 0  # PERCENT_OFF: at most so much.
    threshold: int = 0  # What a payment needs to be at least.
    item: str = ""  # GOODS, FREE_ITEM, EXCHANGE: what it is for.
    item_price: int = 0
    exchange_price: int = 0  # EXCHANGE: what the item costs with it.
    validity: Validity
    limits: ClaimLimits = ClaimLimits()
    stacking: Stacking = Stacking()
    code: CodeKind = CodeKind.NONE
    transferable: bool = False  # To another person, once.
    on_refund: OnRefund = OnRefund.PERSON

    def check(self, *, at_till: bool = False) -> None:
        """Refuses COUPON_TERMS_UNSOUND, naming the field; the text refusals. At a till, the merchant knows its own prices."""
        self.validity.check()
        wrong = _unsound(self, _AT_TILL if at_till else frozenset())
        if wrong:
            raise Refusal(CouponReason.COUPON_TERMS_UNSOUND, field=wrong)
        is_item = self.kind in {CouponKind.GOODS, CouponKind.FREE_ITEM, CouponKind.EXCHANGE}
        check_text("item", self.item, length_max=ITEM_LENGTH_MAX, empty=not is_item)
        check_text("stacking.group", self.stacking.group, length_max=GROUP_LENGTH_MAX, empty=True)

    @property
    def needed(self) -> int:
        """The least payment that it makes cheaper: a good that is paid for is part of what is paid."""
        return max(self.threshold, self.item_price)

    def gives(self, amount: int) -> int:
        """What it takes off a payment of `amount`; nothing below its threshold. A share is rounded down."""
        if amount < self.needed:
            return 0
        match self.kind:
            case CouponKind.AMOUNT_OFF | CouponKind.GOODS:
                return self.amount_off
            case CouponKind.PERCENT_OFF:
                off = amount * self.percent_off_bps // BPS
                return min(off, self.cap) if self.cap else off
            case CouponKind.FREE_ITEM:
                return self.item_price
            case CouponKind.EXCHANGE:
                return self.item_price - self.exchange_price


def _unsound(terms: CouponTerms, left_out: frozenset[str]) -> str:
    """The first field that makes no sense, or none."""
    stands, limits = _STANDS[terms.kind], terms.limits
    for field in ("amount_off", "percent_off_bps", "cap", "threshold", "item_price", "exchange_price"):
        value = getattr(terms, field)
        # What its kind does not look at must not be said: somebody would believe it.
        if not 0 <= value <= MINOR_MAX // 2 or (value and field not in stands and field != "threshold"):
            return field
        if not value and field in stands and field not in {"cap", "exchange_price"} | left_out:
            return field
    if terms.percent_off_bps >= BPS:
        return "percent_off_bps"
    if terms.kind is CouponKind.GOODS and terms.amount_off > terms.item_price:
        return "amount_off"
    if terms.kind is CouponKind.EXCHANGE and not left_out and not 0 < terms.exchange_price < terms.item_price:
        return "exchange_price"
    if terms.item and "item_price" not in stands:
        return "item"
    for field in limits.__struct_fields__:
        if not 0 <= getattr(limits, field) <= STOCK_MAX:
            return f"limits.{field}"
    return ""


_AT_TILL = frozenset({"item_price"})
_STANDS = {
    CouponKind.AMOUNT_OFF: {"amount_off"},
    CouponKind.PERCENT_OFF: {"percent_off_bps", "cap"},
    CouponKind.GOODS: {"amount_off", "item_price"},
    CouponKind.FREE_ITEM: {"item_price"},
    CouponKind.EXCHANGE: {"item_price", "exchange_price"},
}


class TemplateState(StrEnum):
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"  # None can be claimed; what was claimed stays good.
    ENDED = "ENDED"  # For good.


class CouponTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a template. Only its stock and its state ever change; of one for the till its name, too."""

    id: Uuid
    campaign_id: Uuid  # Whose rules say where it is good, and whose budget pays; 0: its merchant takes it at the till.
    merchant_id: Uuid  # Whose own it is, and so where alone it is good; 0: the operator's.
    name: Text  # As people are shown it.
    terms: Bytes  # JSON: `CouponTerms`.
    stock: BigInt  # How many can be claimed in all.
    state: Text
    created_ns: BigInt
    changed_ns: BigInt

    @property
    def told(self) -> CouponTerms:
        """The terms, read."""
        return _terms(self.terms)

    @property
    def is_for_till(self) -> bool:
        """Whether its merchant takes its coupons, and no payment does."""
        return not self.campaign_id

    @property
    def group(self) -> str:
        """Of those that share it, one payment gets one at most."""
        return self.told.stacking.group or f"coupon/{self.id:032x}"

    def moved_to(self, state: TemplateState, now_ns: int) -> "CouponTemplate":
        """The same in another state; itself if it is there already. Refuses COUPON_NOT_ON_OFFER: ended is for good."""
        if self.state == state:
            return self
        if self.state == TemplateState.ENDED:
            raise Refusal(CouponReason.COUPON_NOT_ON_OFFER, state=str(self.state))
        return msgspec.structs.replace(self, state=state.value, changed_ns=now_ns)

    def stocked(self, stock: int, claimed: int, now_ns: int) -> "CouponTemplate":
        """The same with another stock. Refuses COUPON_TERMS_UNSOUND, COUPON_STOCK_BELOW_CLAIMED."""
        check_stock(stock)
        if stock < claimed:
            raise Refusal(CouponReason.COUPON_STOCK_BELOW_CLAIMED, field="stock", claimed=claimed)
        return self if stock == self.stock else msgspec.structs.replace(self, stock=stock, changed_ns=now_ns)


def check_stock(stock: int) -> None:
    """Refuses COUPON_TERMS_UNSOUND."""
    if not 0 < stock <= STOCK_MAX:
        raise Refusal(CouponReason.COUPON_TERMS_UNSOUND, field="stock", most=STOCK_MAX)


@lru_cache(5_000)
def _terms(raw: bytes) -> CouponTerms:
    return msgspec.json.decode(raw, type=CouponTerms)
