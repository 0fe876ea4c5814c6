"""Consumer-presented: the till asks, the payer's side claims the code, pays or asks the payer, and says no by name."""

from dataclasses import dataclass

import pytest

from hutong.institution import chart
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.request_to_pay import Charge, ChargeState, ToPay
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.scheme.messages import Channel
from tests.institution.payments.neighbours import Person, pin_token
from tests.institution.payments.world import Institution, World, now

CODE = "621234567890123456"
PIN_FREE = 100_000


@dataclass
class Till:
    world: World
    wallet: Institution
    shop: Institution
    payer: Person
    merchant: int

    def charge(self, amount: int, *, code: str = CODE, life_s: int = 60) -> list[Charge]:
        """Scan the payer's code: what the till is told, as it is told."""
        asks = self.shop.asks(
            self.merchant,
            fee_bps=60,
            amount=amount,
            kind=Channel.PAYMENT_CODE.value,
            expires_ns=self.world.clock.now_ns() + life_s * NS_PER_S,
        )
        self.asks = asks
        self.sent = Charge(
            id=asks.id,
            merchant_id=self.merchant,
            shop_id=0,
            code=code,
            creditor_name=asks.name,
            mcc=asks.mcc,
            channel=asks.kind,
            amount=amount,
            currency="CNY",
            remark="",
            state=ChargeState.ASKED,
            created_ns=self.world.clock.now_ns(),
            expires_ns=asks.expires_ns,
        )
        return self.again()

    def again(self) -> list[Charge]:
        told: list[Charge] = []
        self.shop.decide(lambda: self.shop.payments.charges.collect(self.sent, told.append))
        return told

    def waiting(self) -> list[ToPay]:
        return now(self.wallet.payments.to_pays.waiting(self.payer.id))

    def approve(self, row: ToPay, token: str = "") -> list[tuple[Payment, Outcome | None]]:
        answers: list[tuple[Payment, Outcome | None]] = []
        token = token or pin_token(self.payer.id, row.payment_id, row.amount, row.terms.creditor)
        self.wallet.decide(
            lambda: self.wallet.payments.to_pays.approve(
                self.payer.id, row.id, token, lambda *answer: answers.append(answer)
            )
        )
        return answers

    @property
    def got(self) -> int:
        return self.shop.balance(chart.merchant_account(self.merchant))


def till(*, on_us: bool, balance: int = 1_000_000) -> Till:
    world = World("zhi", "wei")
    world.fees(20, 5)
    world.register("zhi", "digits:62:18")
    wallet = world["zhi"]
    wallet.code_prefix = "62"
    world.restart("zhi")
    shop = wallet if on_us else world["wei"]
    payer = wallet.user(balance)
    wallet.shown[CODE] = payer.id
    return Till(world, wallet, shop, payer, shop.merchant())


both = pytest.mark.parametrize("on_us", [True, False])


@both
def test_up_to_the_threshold_a_code_pays_at_once_and_the_payer_hears_of_it(on_us: bool) -> None:
    at = till(on_us=on_us)
    (charge,) = at.charge(PIN_FREE)
    assert charge.state == ChargeState.PAID
    assert at.got == PIN_FREE - 600
    assert at.wallet.balance(at.payer.wallet_account) == 900_000
    assert (at.payer.id, "payment.sent") in [(to, type_) for to, type_, _ in at.wallet.neighbours.said]
    assert at.again() == [charge]
    assert at.got == PIN_FREE - 600


@both
def test_a_fen_above_the_threshold_waits_for_the_payer(on_us: bool) -> None:
    at = till(on_us=on_us)
    (charge,) = at.charge(PIN_FREE + 1)
    assert charge.state == ChargeState.WAITING
    assert at.got == 0
    assert at.wallet.balance(at.payer.wallet_account) == 1_000_000
    (row,) = at.waiting()
    ((_, outcome),) = at.approve(row)
    assert outcome is not None
    assert outcome.completed
    assert at.waiting() == []
    assert at.shop.payments.charges.charge(at.merchant, 0, at.sent.id).state == ChargeState.PAID
    assert at.approve(row) == [(_, outcome)]
    assert at.got == PIN_FREE + 1 - 600


@both
def test_what_waits_outlives_a_restart(on_us: bool) -> None:
    at = till(on_us=on_us)
    at.charge(PIN_FREE + 1)
    at.world.restart("zhi")
    (row,) = at.waiting()
    at.approve(row)
    assert at.got == PIN_FREE + 1 - 600


@both
def test_a_payer_may_decline_and_nothing_was_held(on_us: bool) -> None:
    at = till(on_us=on_us)
    at.charge(PIN_FREE + 1)
    (row,) = at.waiting()
    at.wallet.decide(lambda: _none(at.wallet.payments.to_pays.decline(at.payer.id, row.id)))
    charge = at.shop.payments.charges.charge(at.merchant, 0, at.sent.id)
    assert (charge.state, charge.reason) == (ChargeState.REJECTED, "DECLINED_BY_PAYER")
    with pytest.raises(Refusal) as refused:
        at.approve(row)
    assert refused.value.reason is PaymentReason.REQUEST_TO_PAY_DECIDED


@both
def test_a_wrong_pin_token_and_another_user_are_refused(on_us: bool) -> None:
    at = till(on_us=on_us)
    at.charge(PIN_FREE + 1)
    (row,) = at.waiting()
    with pytest.raises(Refusal):
        at.approve(row, "pin:wrong")
    other = at.wallet.user()
    with pytest.raises(Refusal) as refused:
        at.wallet.payments.to_pays.approve(other.id, row.id, "", lambda *_: None)
    assert refused.value.reason is PaymentReason.REQUEST_TO_PAY_UNKNOWN


@both
def test_nobody_approves_what_has_expired(on_us: bool) -> None:
    at = till(on_us=on_us)
    at.charge(PIN_FREE + 1, life_s=30)
    (row,) = at.waiting()
    at.world.tick(30)
    assert at.waiting() == []
    with pytest.raises(Refusal) as refused:
        at.approve(row)
    assert refused.value.reason is PaymentReason.REQUEST_EXPIRED


@both
def test_an_empty_balance_and_a_wrong_or_used_code_are_told_to_the_till(on_us: bool) -> None:
    at = till(on_us=on_us, balance=5)
    (charge,) = at.charge(6)
    assert (charge.state, charge.reason) == (ChargeState.REJECTED, "BALANCE_INSUFFICIENT")
    (charge,) = at.charge(5)
    assert (charge.state, charge.reason) == (ChargeState.REJECTED, "PAYMENT_CODE_REUSED")
    (charge,) = at.charge(5, code="620000000000000000")
    assert (charge.state, charge.reason) == (ChargeState.REJECTED, "PAYMENT_CODE_WRONG")
    assert at.got == 0


def test_a_code_of_nobody_is_refused_by_the_switch() -> None:
    at = till(on_us=False)
    (charge,) = at.charge(5, code="990000000000000000")
    assert charge.state == ChargeState.REJECTED
    assert charge.reason


@both
def test_an_answer_that_was_lost_is_asked_for_again(on_us: bool) -> None:
    at = till(on_us=on_us)
    at.world.posting = True  # Nothing is delivered.
    at.charge(100)
    at.world.letters.clear()
    at.world.posting = False
    at.world.tick(3)
    assert at.got == 99


def _none(_: object) -> None:
    pass


def test_a_number_that_never_changes_pays_nothing_until_the_payer_agrees() -> None:
    street = till(on_us=False)
    street.wallet.shown["28610123456789012345"] = street.payer.id
    street.world.register("zhi", "digits:2861:20")
    (charge,) = street.charge(1, code="28610123456789012345")
    assert charge.state == ChargeState.WAITING
    (waiting,) = now(street.wallet.payments.to_pays.waiting(street.payer.id))
    token = pin_token(street.payer.id, waiting.payment_id, waiting.amount, waiting.terms.creditor)
    answers: list[Outcome | None] = []
    approve = street.wallet.payments.to_pays.approve
    street.wallet.decide(
        lambda: approve(street.payer.id, waiting.id, token, lambda _, outcome: answers.append(outcome))
    )
    assert answers[0] is not None
    assert answers[0].completed
    assert street.again()[-1].state == ChargeState.PAID
