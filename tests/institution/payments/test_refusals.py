"""Every no a payer can hear: by name, with the field, and nothing has moved."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hutong.institution import chart
from hutong.institution.payments.payment import Order
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import KernelReason, Reason, Refusal
from hutong.kernel.ids import RANDOM_BITS
from hutong.scheme.messages import Channel
from tests.institution.payments.neighbours import Person, pin_token
from tests.institution.payments.world import Institution, World

OURS, THEIRS = "plate", "https://wei.example/q/1"
across = pytest.mark.parametrize("code", [OURS, THEIRS])


class Shop:
    """One plate on us and one across, and a payer."""

    def __init__(self, *, balance: int = 10_000_000, tier: int = 3, cap: int = 100_000_000, **plate: Any) -> None:
        self.world = World("jing", "wei", cap=cap)
        self.world.register("wei", "url:https://wei.example/q/")
        self.jing, self.wei = self.world["jing"], self.world["wei"]
        self.payer: Person = self.jing.user(balance, tier)
        self.merchants = {OURS: self.jing.merchant(), THEIRS: self.wei.merchant()}
        self.asked = {
            OURS: self.jing.asks(self.merchants[OURS], code=OURS, **plate),
            THEIRS: self.wei.asks(self.merchants[THEIRS], code=THEIRS, **plate),
        }

    def at(self, code: str) -> Institution:
        return self.jing if code == OURS else self.wei

    def order(self, code: str, amount: int = 0, **fields: Any) -> Order:
        return self.jing.order(self.jing.quote(self.payer, code), amount, **fields)

    def with_pin(self, code: str, amount: int) -> Order:
        quote = self.jing.quote(self.payer, code)
        order = self.jing.order(quote, amount)
        token = pin_token(self.payer.id, order.payment_id, amount, quote.terms.creditor)
        return msgspec.structs.replace(order, pin_token=token)

    def said(self, order: Order) -> str:
        """COMPLETED, or why not, refused or rejected."""
        try:
            ((_, outcome),) = self.jing.pay(self.payer, order)
        except Refusal as refusal:
            return refusal.reason.name
        assert outcome is not None
        return outcome.reason or "COMPLETED"

    def refusal(self, order: Order) -> Refusal:
        with pytest.raises(Refusal) as refused:
            self.jing.pay(self.payer, order)
        return refused.value

    @property
    def balance(self) -> int:
        (account,) = self.jing.accounts(self.payer.wallet_account)
        return account.credits_posted - account.debits_posted - account.debits_pending


@across
def test_the_whole_balance_can_be_paid_and_not_a_fen_more(code: str) -> None:
    shop = Shop(balance=1_000)
    assert shop.said(shop.order(code, 1_001)) == "BALANCE_INSUFFICIENT"
    assert shop.balance == 1_000
    assert shop.said(shop.order(code, 1_000)) == "COMPLETED"
    assert shop.balance == 0


@across
def test_who_heard_no_hears_no_again_under_the_same_id(code: str) -> None:
    shop = Shop(balance=10)
    order = shop.order(code, 11)
    assert shop.said(order) == "BALANCE_INSUFFICIENT"
    shop.jing.pay_in(shop.payer.wallet_account, 100)
    assert shop.said(order) == "BALANCE_INSUFFICIENT"
    shop.world.restart("jing")
    assert shop.said(order) == "BALANCE_INSUFFICIENT"
    assert shop.said(shop.order(code, 11)) == "COMPLETED"


@across
@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (-1, PaymentReason.AMOUNT_NOT_POSITIVE),
        (0, PaymentReason.AMOUNT_MISSING),
        (2**63, PaymentReason.AMOUNT_OUT_OF_RANGE),
    ],
)
def test_an_amount_that_is_none_is_refused(code: str, amount: int, reason: PaymentReason) -> None:
    shop = Shop()
    assert shop.refusal(shop.order(code, amount)).reason is reason


@across
def test_a_codes_own_amount_is_what_is_paid(code: str) -> None:
    shop = Shop(amount=997, kind=Channel.DYNAMIC_CODE.value)
    refusal = shop.refusal(shop.order(code, 996))
    assert (refusal.reason, refusal.facts) == (PaymentReason.AMOUNT_DIFFERS, {"field": "amount", "asked": 997})
    assert shop.said(shop.order(code)) == "COMPLETED"
    assert shop.balance == 10_000_000 - 997


@across
def test_a_dynamic_code_is_paid_once(code: str) -> None:
    shop = Shop(amount=997, kind=Channel.DYNAMIC_CODE.value)
    orders = [shop.order(code), shop.order(code)]
    assert shop.said(orders[0]) == "COMPLETED"
    assert shop.said(orders[1]) == "REQUEST_EXPIRED"  # What the neighbours here say of anything no longer open.
    assert shop.balance == 10_000_000 - 997


@across
def test_another_currency_is_refused(code: str) -> None:
    shop = Shop()
    refusal = shop.refusal(shop.order(code, 5, currency="USD"))
    assert (refusal.reason, refusal.facts["currency"]) == (PaymentReason.CURRENCY_DIFFERS, "CNY")
    shop = Shop(currency="USD")
    assert shop.refusal(shop.order(code, 5)).reason is PaymentReason.CURRENCY_DIFFERS


Change = Callable[[Order], Order]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda order: replaced(order, payment_id=order.payment_id | 1), KernelReason.ID_MALFORMED),
        (
            lambda order: replaced(order, payment_id=order.payment_id + (61_000 << RANDOM_BITS)),
            PaymentReason.ID_FROM_THE_FUTURE,
        ),
        (lambda order: replaced(order, quote_id=7), PaymentReason.QUOTE_UNKNOWN),
        (lambda order: replaced(order, funding="gold"), PaymentReason.FUNDING_UNKNOWN),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(change: Change, reason: Reason) -> None:
    shop = Shop()
    assert shop.refusal(change(shop.order(OURS, 5))).reason is reason


@pytest.mark.parametrize("remark", ["a\0b", "\u202egnirts", "x" * 141])
def test_a_remark_that_cannot_be_kept_or_misleads_is_refused(remark: str) -> None:
    shop = Shop()
    assert shop.refusal(shop.order(OURS, 5, remark=remark)).facts["field"] == "remark"
    assert shop.said(shop.order(OURS, 5, remark="午饭 🍜")) == "COMPLETED"


def test_a_quote_is_for_who_asked_and_for_some_minutes() -> None:
    shop = Shop()
    order = shop.order(OURS, 5)
    other = shop.jing.user(100)
    with pytest.raises(Refusal) as refused:
        shop.jing.pay(other, order)
    assert refused.value.reason is PaymentReason.QUOTE_UNKNOWN
    shop.world.tick(299)
    assert shop.said(order) == "COMPLETED"
    order = shop.order(OURS, 5)
    shop.world.tick(300)
    assert shop.said(order) == "QUOTE_UNKNOWN"


def test_nobody_pays_himself() -> None:
    shop = Shop()
    shop.jing.asks(user=shop.payer, code="me")
    assert shop.said(shop.order("me", 5)) == "PAYING_ONESELF"


def test_somebody_else_is_paid_by_a_personal_code_without_a_fee() -> None:
    shop = Shop()
    friend = shop.jing.user()
    shop.jing.asks(user=friend, code="friend")
    assert shop.said(shop.order("friend", 500)) == "COMPLETED"
    assert shop.jing.balance(friend.wallet_account) == 500
    assert (friend.id, "payment.received") in [(to, type_) for to, type_, _ in shop.jing.neighbours.said]


def test_a_payment_elsewhere_of_the_same_id_does_not_pass_for_the_one_that_claims_a_request() -> None:
    shop = Shop(amount=997, kind=Channel.DYNAMIC_CODE.value)
    order = shop.order(THEIRS)
    shop.world.posting = True
    shop.jing.pay(shop.payer, order)
    shop.world.deliver(shop.world.letters.pop(0))
    shop.world.deliver(shop.world.letters.pop(0))  # Claimed at wei, and not decided.
    twin = shop.wei.user(10_000)
    quote = shop.wei.payments.consults.quote(twin, replace(shop.jing.quotes(order).terms, creditor_agent="wei"))
    with pytest.raises(Refusal) as refused:
        shop.wei.pay(twin, replaced(order, quote_id=quote.id))
    assert refused.value.reason is PaymentReason.REQUEST_EXPIRED
    assert shop.wei.balance(twin.wallet_account) == 10_000


# PINs and limits.


@across
def test_up_to_the_threshold_no_pin_is_needed_and_a_fen_above_it_is(code: str) -> None:
    shop = Shop()
    assert shop.said(shop.order(code, 20_000)) == "COMPLETED"
    refusal = shop.refusal(shop.order(code, 20_001))
    assert (refusal.reason, refusal.facts["pin_free"]) == (PaymentReason.PIN_NEEDED, 20_000)
    assert shop.said(shop.with_pin(code, 20_001)) == "COMPLETED"


def test_a_pin_token_for_another_amount_pays_nothing() -> None:
    shop = Shop()
    order = shop.with_pin(OURS, 20_001)
    assert shop.refusal(replaced(order, amount=20_002)).reason is PaymentReason.PIN_NEEDED
    assert shop.balance == 10_000_000


@across
def test_a_static_code_takes_500_yuan_a_payer_and_day(code: str) -> None:
    shop = Shop()
    assert shop.said(shop.with_pin(code, 49_999)) == "COMPLETED"
    refusal = shop.refusal(shop.order(code, 2))
    assert (refusal.reason, refusal.facts["left"]) == (PaymentReason.DAILY_LIMIT_EXCEEDED, 1)
    assert shop.said(shop.order(code, 1)) == "COMPLETED"
    shop.world.restart("jing")
    assert shop.said(shop.order(code, 1)) == "DAILY_LIMIT_EXCEEDED"
    shop.world.tick(24 * 3600)
    assert shop.said(shop.order(code, 1)) == "COMPLETED"


@pytest.mark.parametrize(("with_pin", "limit"), [(False, 100_000), (True, 500_000)])
def test_dynamic_codes_are_limited_by_how_the_payer_was_verified(with_pin: bool, limit: int) -> None:
    shop = Shop()
    step = 20_000
    for paid in range(0, limit, step):
        code = f"dynamic {paid}"
        shop.jing.asks(shop.merchants[OURS], code=code, amount=step, kind=Channel.DYNAMIC_CODE.value)
        assert shop.said(shop.with_pin(code, step) if with_pin else shop.order(code)) == "COMPLETED"
    shop.jing.asks(shop.merchants[OURS], code="one more", amount=1, kind=Channel.DYNAMIC_CODE.value)
    order = shop.with_pin("one more", 1) if with_pin else shop.order("one more")
    assert shop.said(order) == "DAILY_LIMIT_EXCEEDED"


@across
def test_a_tier_one_account_pays_1000_yuan_a_year(code: str) -> None:
    shop = Shop(tier=1)
    assert shop.said(shop.with_pin(code, 50_000)) == "COMPLETED"
    shop.world.tick(24 * 3600)
    assert shop.said(shop.with_pin(code, 49_999)) == "COMPLETED"
    shop.world.tick(24 * 3600)
    assert shop.said(shop.order(code, 2)) == "ANNUAL_LIMIT_EXCEEDED"
    assert shop.said(shop.order(code, 1)) == "COMPLETED"
    shop.world.tick(365 * 24 * 3600)
    assert shop.said(shop.order(code, 2)) == "COMPLETED"


@across
def test_a_payment_that_was_refused_gives_its_part_of_the_limit_back(code: str) -> None:
    shop = Shop(balance=100)
    assert shop.said(shop.with_pin(code, 50_000)) == "BALANCE_INSUFFICIENT"
    shop.world.restart("jing")
    shop.jing.pay_in(shop.payer.wallet_account, 49_900)
    assert shop.said(shop.with_pin(code, 50_000)) == "COMPLETED"


# The network's no.


def test_the_net_debit_cap_can_be_reached_and_not_passed() -> None:
    shop = Shop(cap=10_000)
    assert shop.said(shop.order(THEIRS, 10_001)) == "NET_DEBIT_CAP_EXCEEDED"
    assert shop.balance == 10_000_000
    assert shop.said(shop.order(THEIRS, 10_000)) == "COMPLETED"
    assert shop.said(shop.order(THEIRS, 1)) == "NET_DEBIT_CAP_EXCEEDED"


def test_a_suspended_participant_is_neither_paid_nor_asked() -> None:
    shop = Shop()
    order = shop.order(THEIRS, 5)
    shop.world.switch.switch.admission.suspend("wei")
    shop.world.switch.journal.seal()
    assert shop.said(order) == "PARTICIPANT_SUSPENDED"
    with pytest.raises(Refusal) as refused:
        shop.order(THEIRS, 5)
    assert refused.value.reason is PaymentReason.CODE_NOT_RESOLVED
    assert shop.balance == 10_000_000


def test_a_participant_suspended_mid_payment_still_ends_it_alike() -> None:
    shop = Shop()
    order = shop.order(THEIRS, 5)
    shop.world.posting = True
    answers = shop.jing.pay(shop.payer, order)
    shop.world.posting = False
    shop.world.deliver(shop.world.letters.pop(0))  # Reserved and offered.
    shop.world.switch.switch.admission.suspend("wei")
    shop.world.switch.journal.seal()
    shop.world.settle()
    ((_, outcome),) = answers
    assert outcome is not None
    assert outcome.completed
    assert shop.wei.balance(chart.merchant_account(shop.merchants[THEIRS])) == 5


def test_an_unknown_code_is_refused_by_name() -> None:
    shop = Shop()
    with pytest.raises(Refusal) as refused:
        shop.jing.quote(shop.payer, "https://nobody.example/q/1")
    assert refused.value.reason is PaymentReason.CODE_NOT_RESOLVED
    assert refused.value.facts["because"]


def test_who_waits_too_long_is_told_that_it_is_undecided_and_hears_the_end_later() -> None:
    shop = Shop()
    order = shop.order(THEIRS, 5)
    shop.world.posting = True
    answers = shop.jing.pay(shop.payer, order)
    shop.world.letters.clear()
    shop.world.posting = False
    assert answers == []
    shop.world.tick(2)
    assert [outcome for _, outcome in answers] == [None]
    ((_, outcome),) = shop.jing.pay(shop.payer, order)
    assert outcome is not None
    assert outcome.completed


def replaced(order: Order, **fields: Any) -> Order:
    return msgspec.structs.replace(order, **fields)
