"""What plugs into the cashier: discounts of the payer's side and the payee's, and other sources of money."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from hutong.institution import chart
from hutong.institution.payments.cashier import Cashier, Discount, DiscountPart, Occasion, Weighed
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.refund import Refund, RefundOrder
from hutong.kernel.errors import Refusal
from hutong.ledger.transfer import AccountStatus
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import Channel
from tests.institution.payments.neighbours import Person
from tests.institution.payments.test_refunds import own_accounts
from tests.institution.payments.world import Institution, World, now

SPONSOR = 0x77 << 80
PLATE = "https://wei.example/q/1"


@dataclass
class Coupon:
    """So much off, once a party; each step is written down to be checked."""

    name: str
    amount: int
    budget_account: int
    steps: list[tuple[str, int]] = field(default_factory=list)
    gone: bool = False

    def still_gives(self, discount: Discount, occasion: Occasion, now_ns: int) -> bool:
        raise AssertionError(discount, occasion, now_ns)  # It grants nothing.

    def offer(self, occasion: Occasion) -> Discount | None:
        if self.gone or occasion.amount <= self.amount:
            return None
        return Discount(self.amount, self.budget_account, "立减", (DiscountPart("立减", self.amount),))

    def asks_amount(self, occasion: Occasion) -> bool:
        del occasion
        return not self.gone

    def explain(self, occasion: Occasion) -> list[Weighed]:
        why = "GIVES_NOTHING" if self.offer(occasion) is None else "TAKEN"
        return [Weighed(label="立减", source="coupon", could_give=self.amount, gives=self.amount, why=why)]

    def reserve(self, payment_id: int, occasion: Occasion, discount: Discount, paid_id: int = 0) -> None:
        del occasion, discount, paid_id
        self.steps.append(("reserve", payment_id))

    def keep(self, payment_id: int) -> None:
        self.steps.append(("keep", payment_id))

    def commit(self, payment_id: int) -> None:
        self.steps.append(("commit", payment_id))

    def release(self, payment_id: int) -> None:
        self.steps.append(("release", payment_id))

    def look_up(self, payment_id: int) -> None: ...

    def returned(self, payment_id: int, refund_id: int, amount: int) -> None:
        del payment_id, refund_id
        self.steps.append(("returned", amount))


@dataclass
class CreditLine:
    """Pays from an account of its own."""

    account_id: int
    name: str = "credit"

    def account(self, _payer: object, _amount: int) -> int:
        return self.account_id

    def reserve(self, payer: object, payment_id: int, amount: int) -> None: ...

    def commit(self, payment: object) -> None: ...

    def release(self, payment: object) -> None: ...


def _opened(statuses: list[AccountStatus]) -> None:
    assert statuses == [AccountStatus.CREATED]


class Fair:
    """A merchant, across or on us, with a coupon for the payer and a sponsor for the payee."""

    def __init__(self, *, on_us: bool, payer_discount: int, payee_discount: int, amount: int) -> None:
        self.world = World("jing", "wei")
        self.world.fees(20, 5)
        self.world.register("wei", "url:https://wei.example/q/")
        self.creditor = self.world["wei"]
        self.debtor = self.creditor if on_us else self.world["jing"]
        budget = chart.budget_account(SPONSOR)
        self.coupon = Coupon("coupon", payer_discount, budget)
        self.sponsor = Coupon("sponsor", payee_discount, chart.budget_account(SPONSOR + (1 << 80)))
        adjusters = (self.coupon,) if payer_discount else ()
        sponsors = (self.sponsor,) if payee_discount else ()
        for place in {self.debtor.node_id: self.debtor, self.creditor.node_id: self.creditor}.values():
            place.cashier = Cashier(
                sources=(CreditLine(chart.budget_account(SPONSOR + (2 << 80))),),
                adjusters=adjusters if place is self.debtor else (),
                sponsors=sponsors if place is self.creditor else (),
            )
            self.world.restart(place.node_id)
        self.fund(self.debtor, SPONSOR, payer_discount)
        self.fund(self.creditor, SPONSOR + (1 << 80), payee_discount)
        self.payer: Person = self.debtor.user(1_000_000)
        self.merchant = self.creditor.merchant()
        self.creditor.asks(self.merchant, code=PLATE, amount=amount, fee_bps=60, kind=Channel.DYNAMIC_CODE.value)

    def fund(self, place: Institution, sponsor_id: int, amount: int) -> None:
        place.ledger.create_accounts([chart.budget(sponsor_id)], _opened)
        place.pay_in(chart.budget_account(sponsor_id), amount)

    def pay(self, **fields: Any) -> tuple[Payment, Outcome]:
        order = self.debtor.order(self.debtor.quote(self.payer, PLATE), **fields)
        ((payment, outcome),) = self.debtor.pay(self.payer, order)
        assert outcome is not None
        return payment, outcome

    def refund(self, payment: Payment, amount: int) -> Outcome:
        answers: list[tuple[Refund, Outcome | None]] = []
        order = RefundOrder(refund_id=self.creditor.node.mint.mint(), payment_id=payment.id, amount=amount)
        refunds = self.creditor.payments.refunds
        self.creditor.decide(lambda: refunds.refund(self.merchant, order, lambda *answer: answers.append(answer)))
        ((_, outcome),) = answers
        assert outcome is not None
        return outcome


where = pytest.mark.parametrize("on_us", [True, False])


@where
@pytest.mark.parametrize(("payer_discount", "payee_discount"), [(50, 0), (0, 49), (50, 49)])
def test_discounts_are_carried_by_their_sponsors_and_come_back_with_refunds(
    on_us: bool, payer_discount: int, payee_discount: int
) -> None:
    fair = Fair(on_us=on_us, payer_discount=payer_discount, payee_discount=payee_discount, amount=100)
    payment, outcome = fair.pay()
    assert outcome.completed
    budgets = (chart.budget_account(SPONSOR), chart.budget_account(SPONSOR + (1 << 80)))
    assert fair.debtor.balance(fair.payer.wallet_account) == 1_000_000 - (100 - payer_discount - payee_discount)
    assert fair.debtor.balance(budgets[0]) == 0
    assert fair.creditor.balance(budgets[1]) == 0
    assert fair.creditor.balance(chart.merchant_account(fair.merchant)) == 99
    for coupon, amount in ((fair.coupon, payer_discount), (fair.sponsor, payee_discount)):
        # On us it is decided in the decision that reserves it; across it is kept until the switch has decided.
        steps = ["reserve", "commit"] if on_us else ["reserve", "keep", "commit"]
        assert [step for step, _ in coupon.steps] == (steps if amount else [])
        assert len({id_ for _, id_ in coupon.steps}) <= 1
    for amount in (1, 33, 1, 64, 1):
        assert fair.refund(payment, amount).completed
    assert fair.debtor.balance(fair.payer.wallet_account) == 1_000_000
    assert fair.debtor.balance(budgets[0]) == payer_discount
    assert fair.creditor.balance(budgets[1]) == payee_discount
    for coupon, amount in ((fair.coupon, payer_discount), (fair.sponsor, payee_discount)):
        assert sum(came for step, came in coupon.steps if step == "returned") == amount
    assert not any(own_accounts(fair.creditor)[1:])
    assert not any(own_accounts(fair.debtor)[1:])
    assert all(place.balanced() for place in fair.world.places.values())


@where
def test_a_rejected_payment_releases_the_discount(on_us: bool) -> None:
    fair = Fair(on_us=on_us, payer_discount=50, payee_discount=0, amount=2_000_000)
    fair.payer = fair.debtor.user(1)
    fair.creditor.asks(fair.merchant, code=PLATE, amount=10_000, kind=Channel.DYNAMIC_CODE.value)
    payment, outcome = fair.pay()
    assert outcome.reason == "BALANCE_INSUFFICIENT"
    steps = ["reserve", "release"] if on_us else ["reserve", "keep", "release"]
    assert fair.coupon.steps == [(step, payment.id) for step in steps]


@where
def test_a_payer_is_never_charged_more_than_the_quote_showed(on_us: bool) -> None:
    fair = Fair(on_us=on_us, payer_discount=50, payee_discount=0, amount=100)
    order = fair.debtor.order(fair.debtor.quote(fair.payer, PLATE))
    fair.coupon.gone = True
    with pytest.raises(Refusal) as refused:
        fair.debtor.pay(fair.payer, order)
    assert refused.value.reason.name == "DISCOUNT_GONE"
    assert fair.debtor.balance(fair.payer.wallet_account) == 1_000_000


@where
def test_an_empty_budget_ends_the_discount_by_name(on_us: bool) -> None:
    fair = Fair(on_us=on_us, payer_discount=50, payee_discount=0, amount=100)
    fair.debtor.pay_out(chart.budget_account(SPONSOR), 1)
    _, outcome = fair.pay()
    assert outcome.reason == "DISCOUNT_GONE"
    assert fair.debtor.balance(fair.payer.wallet_account) == 1_000_000


@where
def test_another_source_of_money_pays_and_is_paid_back(on_us: bool) -> None:
    fair = Fair(on_us=on_us, payer_discount=0, payee_discount=0, amount=100)
    fair.fund(fair.debtor, SPONSOR + (2 << 80), 500)
    credit = chart.budget_account(SPONSOR + (2 << 80))
    payment, outcome = fair.pay(funding="credit")
    assert outcome.completed
    assert fair.debtor.balance(credit) == 400
    assert fair.debtor.balance(fair.payer.wallet_account) == 1_000_000
    assert fair.refund(payment, 100).completed
    assert fair.debtor.balance(credit) == 500


def test_what_was_paid_past_the_wallet_still_counts_after_a_restart() -> None:
    fair = Fair(on_us=False, payer_discount=0, payee_discount=0, amount=700)
    fair.fund(fair.debtor, SPONSOR + (2 << 80), 1_000_000)
    debtor = fair.debtor
    spent = []
    for funding in ("balance", "credit"):
        _, outcome = fair.pay(funding=funding)
        assert outcome.completed
        fair.world.restart(debtor.node_id)
        payer, usages = fair.payer, debtor.payments.debtor.usages
        spent.append(now(warmed(debtor.journal, lambda: usages.of(payer.id, payer.wallet_account))).year_spent)  # noqa: B023
        fair.creditor.asks(fair.merchant, code=PLATE, amount=700, fee_bps=60, kind=Channel.DYNAMIC_CODE.value)
    assert spent == [700, 1_400]
