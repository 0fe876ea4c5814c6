"""What a merchant's side takes off where the merchant scans the payer's code: said with the charge, set aside with the payment."""

import asyncio
from functools import partial
from typing import Any

import msgspec
import pytest

from hutong.institution import chart
from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.payments.api import PaymentEdge
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.quotes import Quote
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.request_to_pay import Charge, ChargeState, ToPay, ToPayState
from hutong.institution.payments.till_service import TillService
from hutong.institution.requests.draft import RequestDraft
from hutong.institution.requests.request import PaymentRequest, RequestState
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.campaign import Campaign, Side
from hutong.marketing.campaigns.parties import PlaceFacts
from hutong.marketing.campaigns.rules import RuleRow
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import AnyMessage, Channel, RequestStatus, RequestToPay, TransactionStatus, id_hex
from tests.institution.payments.neighbours import Asks, Person, pin_token
from tests.institution.payments.world import Institution, now
from tests.marketing.campaigns.fair import Fair, House, off

PIN_FREE = 100_000
TENTH = RuleRow(bps=1_000, max=500)
OPENING = 1_000_000
where = pytest.mark.parametrize("on_us", [False, True])


class _Desk:
    """Requests as the neighbours keep them."""

    def __init__(self, house: Institution, merchant: int) -> None:
        self._house, self._merchant = house, merchant

    def create(self, _key: StaffKey, draft: RequestDraft) -> PaymentRequest:
        at_ns = self._house.world.clock.now_ns()
        asks = self._house.asks(
            self._merchant,
            fee_bps=60,
            amount=draft.amount,
            kind=draft.channel.value,
            expires_ns=at_ns + 60 * NS_PER_S,
        )
        return PaymentRequest(
            id=asks.id,
            merchant_id=self._merchant,
            user_id=0,
            shop_id=0,
            code_id=0,
            reference=draft.reference,
            reference_key=None,
            amount=draft.amount,
            currency=draft.currency,
            channel=draft.channel.value,
            payer_code=draft.payer_code,
            remark="",
            state=RequestState.OPEN,
            claimed_by=0,
            created_ns=at_ns,
            expires_ns=asks.expires_ns,
            changed_ns=at_ns,
            listed_merchant=None,
            listed_shop=None,
        )

    def payee(self, request_or_code_id: int, now_ns: int) -> Asks:
        return self._house.neighbours.payee(request_or_code_id, now_ns)


class Market(Fair):
    """A till of wei's, where a tenth is taken off, up to CNY 5; the payer's wallet is jing, or wei too."""

    def __init__(self, *rows: RuleRow, on_us: bool = False, budget: int = 2_000, **terms: Any) -> None:
        self.posted: list[AnyMessage] = []
        self.scans = 0
        super().__init__()
        self.fees(20, 5)
        wallet = "wei" if on_us else "jing"
        self.register(wallet, "digits:62:18")
        self[wallet].code_prefix = "62"
        self.restart(wallet)
        self.debtor: House = self.house(wallet)
        self.payer = self.debtor.user(OPENING)
        self.merchant = self.wei.merchant()
        self.campaign: Campaign = self.wei.campaign(
            self.wei.sponsor(max(5_000, budget)), budget, *(rows or (TENTH,)), side=Side.PAYEE, **terms
        )

    def post(self, sender: str, peer: str, messages: list[AnyMessage]) -> None:
        self.posted += messages
        super().post(sender, peer, messages)

    def shows(self, payer: Person | None = None) -> str:
        """A new code on a payer's phone."""
        self.scans += 1
        code = f"62{self.scans:016d}"
        self.debtor.shown[code] = (payer or self.payer).id
        return code

    def scan(self, amount: int, code: str = "") -> tuple[int, list[Charge]]:
        """The till scans a code: the request, and what the till is told."""
        told: list[Charge] = []
        till = TillService(self.wei.node, _Desk(self.wei, self.merchant), self.wei.payments.charges)
        draft = RequestDraft(
            reference="t-1", amount=amount, channel=Channel.PAYMENT_CODE, payer_code=code or self.shows()
        )
        made: list[PaymentRequest] = []
        key: Any = None  # The neighbours ask for none.
        self.wei.do(lambda: made.append(till.charge(key, draft, told.append)))
        return made[0].id, told

    def charge(self, request_id: int) -> Charge:
        found = self.wei.payments.charges.charges.get(request_id)
        assert found is not None
        return found

    def paid(self, request_id: int) -> tuple[Payment, Outcome]:
        """The payment of a charge, at the payer's side."""
        debtor = self.debtor.payments.debtor
        (payment,) = [each for each in debtor.payments.everything() if each.request_id == request_id]
        outcome = debtor.outcomes.get(payment.id)
        assert outcome is not None
        return payment, outcome

    def waiting(self) -> list[ToPay]:
        return now(self.debtor.payments.to_pays.waiting(self.payer.id))

    def quoted(self, row: ToPay) -> Quote:
        to_pays = self.debtor.payments.to_pays
        return now(warmed(self.debtor.journal, lambda: to_pays.quote(self.payer.id, row.id)))

    def approve(self, row: ToPay, quote_id: int = 0) -> None:
        token = pin_token(self.payer.id, row.payment_id, row.amount, row.terms.creditor)
        self.debtor.do(
            lambda: self.debtor.payments.to_pays.approve(
                self.payer.id, row.id, token, lambda *_answer: None, quote_id=quote_id
            )
        )

    @property
    def spent(self) -> int:
        return self.wei.marketing.campaigns.spent[self.campaign.id].total

    def balances(self) -> tuple[int, int]:
        """What the payer has paid, and the merchant got."""
        left = self.debtor.balance(self.payer.wallet_account)
        return OPENING - left, self.wei.balance(chart.merchant_account(self.merchant))


@where
def test_the_merchants_discount_is_taken_off_where_the_merchant_scans(on_us: bool) -> None:
    market = Market(on_us=on_us)
    request_id, told = market.scan(2_000)
    assert [(each.state, each.payee_discount) for each in told] == [(ChargeState.PAID, 200)]
    payment, outcome = market.paid(request_id)
    assert (outcome.completed, payment.gross, payment.payee_discount, payment.paid) == (True, 2_000, 200, 1_800)
    assert market.balances() == (1_800, 2_000 - 12), "the merchant gets the price, less its fee"
    assert (market.spent, market.wei.left(market.campaign)) == (200, 2_000 - 200)
    market.shops["till"] = market.merchant
    for part in (700, 1, 1_299):
        given_back = market.refund(market.wei, "till", payment, part)
        assert given_back is not None
        assert given_back.completed
    assert market.balances()[0] == 0
    assert market.wei.left(market.campaign) == 2_000
    assert all(place.balanced() for place in market.places.values())


@where
def test_who_is_asked_for_the_pin_is_told_what_the_shop_takes_off(on_us: bool) -> None:
    market = Market(on_us=on_us)
    request_id, _ = market.scan(PIN_FREE + 1)
    (row,) = market.waiting()
    assert (row.amount, row.payee_discount) == (PIN_FREE + 1, 500)
    (news,) = [data for _, type_, data in market.debtor.neighbours.said if type_ == "payment.waiting"]
    assert (news["amount"], news["payee_discount"]) == (PIN_FREE + 1, 500)
    assert market.spent == 0, "nothing is set aside by asking"
    market.approve(row)
    payment, outcome = market.paid(request_id)
    assert (outcome.completed, payment.paid) == (True, PIN_FREE + 1 - 500)
    assert market.charge(request_id).state == ChargeState.PAID
    assert market.spent == 500


@where
@pytest.mark.parametrize(("taken_off", "given"), [(994, 994), (995, 0)])
def test_what_would_leave_less_than_the_merchants_fee_is_not_given(taken_off: int, given: int, on_us: bool) -> None:
    market = Market(off(taken_off), on_us=on_us)
    request_id, _ = market.scan(1_000)
    charge = market.charge(request_id)
    assert (charge.state, charge.payee_discount) == (ChargeState.PAID, given)
    assert market.balances() == (1_000 - given, 994)
    assert market.spent == given
    plate = market.shop(market.wei, fee_bps=60)
    assert market.quote(market.debtor, market.payer, plate, 1_000).terms.payee_discount == given
    assert market.pay(market.debtor, market.payer, plate, 1_000)[0].paid == 1_000 - given


def test_both_sides_take_off_and_a_fen_is_left_to_pay() -> None:
    market = Market(off(60))
    own = market.jing.campaign(market.jing.sponsor(5_000), 5_000, off(60))
    request_id, _ = market.scan(1_000)
    assert market.paid(request_id)[0].paid == 880
    small, _ = market.scan(100)
    payment, outcome = market.paid(small)
    assert (outcome.completed, payment.payee_discount, payment.payer_discount, payment.paid) == (True, 60, 39, 1)
    assert market.jing.left(own) == 5_000 - 99


@pytest.mark.parametrize(
    ("row", "on_us", "taken_off"),
    [
        (off(50, channel="'PYMTCD'"), False, 50),
        (off(50, channel="'STATIC'"), False, 0),
        (off(50, mcc="'5812'", amount=">= 1000"), False, 50),
        # Whose wallet a code is of only its own institution knows before it pays.
        (off(50, debtor_agent="'jing'"), False, 0),
        (off(50, debtor_agent="'wei'"), True, 50),
    ],
)
def test_rules_ask_what_is_known_when_the_code_is_scanned_and_no_more_when_it_pays(
    row: RuleRow, on_us: bool, taken_off: int
) -> None:
    market = Market(row, on_us=on_us)
    request_id, (charge,) = market.scan(1_000)
    payment, outcome = market.paid(request_id)
    assert (charge.payee_discount, payment.payee_discount, outcome.completed) == (taken_off, taken_off, True)


def test_what_was_told_without_knowing_whose_wallet_it_is_is_kept_when_that_shows() -> None:
    market = Market(off(80, debtor_agent="'jing'"), off(50))
    request_id, _ = market.scan(1_000)
    payment, outcome = market.paid(request_id)
    assert (payment.payee_discount, outcome.completed) == (50, True)


def test_what_is_taken_of_a_hold_has_its_price_already() -> None:
    market = Market()
    asks = market.wei.asks(market.merchant, amount=2_000, kind=Channel.PAYMENT_CODE.value)

    def off_with(code: str) -> int:
        charges = market.wei.payments.charges
        return now(warmed(market.wei.journal, lambda: charges.discount(asks, asks.id, code, 2_000)))

    assert [off_with(code) for code in ("62" + "0" * 16, "hold:jing:" + "0" * 32 + ":t")] == [200, 0]


def test_what_leaves_nothing_to_pay_is_refused_and_nobody_is_asked() -> None:
    """Another institution may say anything: its till would wait, and the payer be asked what no yes can pay."""
    market = Market()
    market.scan(PIN_FREE + 1)
    (said,) = [each for each in market.posted if isinstance(each, RequestToPay)][:1]
    for left, state in ((0, TransactionStatus.REJECTED), (1, TransactionStatus.PENDING)):
        asked = msgspec.structs.replace(
            said,
            request_id=id_hex(market.wei.node.mint.mint()),
            code=market.shows(),
            creditor_discount=said.amount - left,
        )
        market.posted.clear()
        market.jing.do(partial(market.jing.payments.to_pays.asked, asked))
        (status,) = [each for each in market.posted if isinstance(each, RequestStatus)]
        assert (status.status, status.reason_name) == (state, "" if left else "SHARES_UNSOUND")
    assert len(market.waiting()) == 2


def test_a_discount_is_given_to_whoever_it_was_said_to_and_to_nobody_else() -> None:
    """The other institution takes off what this one would by now, and asked without: of a hold that has its price, say."""
    market = Market()
    market.wei.do(lambda: market.wei.marketing.campaigns.pause(market.campaign.id))
    request_id, _ = market.scan(PIN_FREE + 1)
    (row,) = market.waiting()
    market.wei.do(lambda: market.wei.marketing.campaigns.begin(market.campaign.id))
    market.jing.do(lambda: market.jing.payments.to_pays.rows.put(msgspec.structs.replace(row, payee_discount=500)))
    (row,) = market.waiting()
    market.approve(row)
    outcome = market.paid(request_id)[1]
    assert (outcome.completed, outcome.reason) == (False, "DISCOUNT_GONE")
    assert (market.balances(), market.spent) == ((0, 0), 0)


# What the payer is shown before the PIN.


@where
def test_who_is_asked_for_the_pin_is_shown_what_either_side_takes_off_and_pays_that(on_us: bool) -> None:
    market = Market(on_us=on_us)
    own = market.debtor.campaign(market.debtor.sponsor(5_000, "S-2"), 5_000, off(70))
    request_id, _ = market.scan(PIN_FREE + 1)
    (row,) = market.waiting()
    quote = market.quoted(row)
    assert (quote.discount, quote.discount_label, quote.terms.payee_discount) == (70, "立减", 500)
    assert market.quoted(row).discount == 70, "and nothing is set aside by looking"
    market.approve(row, quote.id)
    payment, outcome = market.paid(request_id)
    assert (outcome.completed, payment.payer_discount, payment.paid) == (True, 70, PIN_FREE + 1 - 570)
    assert market.debtor.left(own) == 5_000 - 70


def test_a_merchant_here_is_known_to_the_rules_of_what_is_shown() -> None:
    market = Market(on_us=True)
    market.wei.parties.is_(market.merchant, PlaceFacts("苏州"))
    market.wei.campaign(market.wei.sponsor(5_000, "S-2"), 5_000, off(70, city="'苏州'"))
    request_id, _ = market.scan(PIN_FREE + 1)
    (row,) = market.waiting()
    quote = market.quoted(row)
    assert quote.discount == 70
    market.approve(row, quote.id)
    assert market.paid(request_id)[0].payer_discount == 70


@where
def test_what_was_shown_and_is_gone_is_not_charged_and_the_price_of_now_may_be_paid(on_us: bool) -> None:
    market = Market(on_us=on_us)
    own = market.debtor.campaign(market.debtor.sponsor(5_000, "S-2"), 5_000, off(70))
    request_id, _ = market.scan(PIN_FREE + 1)
    (row,) = market.waiting()
    quote = market.quoted(row)
    market.debtor.do(lambda: market.debtor.marketing.campaigns.pause(own.id))
    with pytest.raises(Refusal, match="DISCOUNT_GONE") as refused:
        market.approve(row, quote.id)
    assert refused.value.facts["side"] == "payer"
    assert market.waiting() == [row], "the till still waits"
    again = market.quoted(row)
    assert again.discount == 0
    market.approve(row, again.id)
    assert market.paid(request_id)[0].paid == PIN_FREE + 1 - 500


def test_a_quote_is_of_one_request_and_one_payer() -> None:
    market = Market()
    market.scan(PIN_FREE + 1)
    market.scan(PIN_FREE + 2)
    first, second = market.waiting()
    stranger = market.jing.user(OPENING)
    quote = market.quoted(first)
    with pytest.raises(Refusal, match="QUOTE_UNKNOWN"):
        market.approve(second, quote.id)
    with pytest.raises(Refusal, match="REQUEST_TO_PAY_UNKNOWN"):
        market.jing.do(lambda: market.jing.payments.to_pays.quote(stranger.id, first.id))
    theirs = market.jing.payments.consults.quote(stranger, first.terms)
    with pytest.raises(Refusal, match="QUOTE_UNKNOWN"):
        market.approve(first, theirs.id)
    market.clock.advance(seconds=301)
    with pytest.raises(Refusal, match="REQUEST_EXPIRED"):
        market.quoted(first)
    assert market.balances() == (0, 0)


# When it is there no more.


@where
def test_a_discount_that_is_gone_when_the_payer_agrees_is_refused_by_name_and_costs_nobody(on_us: bool) -> None:
    market = Market(on_us=on_us)
    request_id, _ = market.scan(PIN_FREE + 1)
    (row,) = market.waiting()
    market.wei.do(lambda: market.wei.marketing.campaigns.pause(market.campaign.id))
    if on_us:  # Before anything is written.
        with pytest.raises(Refusal, match="DISCOUNT_GONE") as refused:
            market.approve(row)
        for _ in range(2):
            market.wei.do(lambda: market.wei.payments.to_pays.end(market.payer.id, row.id, refused.value))
    else:
        market.approve(row)
        assert not market.paid(request_id)[1].completed
    charge = market.charge(request_id)
    assert (charge.state, charge.reason) == (ChargeState.REJECTED, "DISCOUNT_GONE")
    assert market.waiting() == []
    assert market.balances() == (0, 0)
    assert (market.spent, market.wei.left(market.campaign)) == (0, 2_000)


def test_a_till_is_told_at_once_what_no_yes_of_the_payer_can_pay() -> None:
    """The campaign is paused meanwhile."""
    amount = PIN_FREE + 1
    market = Market(on_us=True)
    request_id, _ = market.scan(amount)
    (row,) = market.waiting()
    market.wei.do(lambda: market.wei.marketing.campaigns.pause(market.campaign.id))
    nobody: Any = None
    edge = PaymentEdge(market.wei.payments, nobody, nobody, nobody)
    token = pin_token(market.payer.id, row.payment_id, amount, row.terms.creditor)
    with pytest.raises(Refusal, match="DISCOUNT_GONE"):
        asyncio.run(edge.approved(market.payer.id, row.id, token))
    market.settle()
    charge = market.charge(request_id)
    assert (charge.state, charge.reason) == (ChargeState.REJECTED, "DISCOUNT_GONE")
    assert (market.waiting(), market.balances(), market.spent) == ([], (0, 0), 0)


def test_the_end_of_what_was_paid_meanwhile_changes_nothing() -> None:
    market = Market()
    request_id, _ = market.scan(PIN_FREE + 1)
    (row,) = market.waiting()
    market.approve(row)
    market.jing.do(
        lambda: market.jing.payments.to_pays.end(market.payer.id, row.id, Refusal(PaymentReason.DISCOUNT_GONE))
    )
    assert market.charge(request_id).state == ChargeState.PAID
    kept = market.jing.payments.to_pays.rows.get(row.id)
    assert kept is not None
    assert kept.state == ToPayState.PAYING
    stranger = market.jing.user()
    with pytest.raises(Refusal, match="REQUEST_TO_PAY_UNKNOWN"):
        market.jing.do(
            lambda: market.jing.payments.to_pays.end(stranger.id, row.id, Refusal(PaymentReason.DISCOUNT_GONE))
        )


def test_the_last_of_a_budget_goes_to_one_of_two_tills_that_were_both_promised_it() -> None:
    market = Market(off(100), budget=150, partial=True)
    market.posting = True  # Nothing is delivered but by hand.
    first, second = market.scan(1_000)[0], market.scan(1_000)[0]
    assert [market.charge(each).payee_discount for each in (first, second)] == [100, 100]
    market.posting = False
    market.settle()
    market.tick(5)
    assert sorted(market.charge(each).state for each in (first, second)) == [ChargeState.PAID, ChargeState.REJECTED]
    assert {market.charge(each).reason for each in (first, second)} == {"", "DISCOUNT_GONE"}
    assert market.spent == 100
    third, _ = market.scan(1_000)
    assert (market.paid(third)[1].completed, market.paid(third)[0].payee_discount) == (True, 50)


def test_it_is_asked_again_in_the_same_words_whatever_became_of_the_campaign_and_after_a_crash() -> None:
    market = Market()
    market.posting = True
    request_id, _ = market.scan(2_000)
    market.flush()
    market.letters.clear()  # Nobody heard it.
    market.wei.do(lambda: market.wei.marketing.campaigns.pause(market.campaign.id))
    market.restart("wei")
    charges = market.wei.payments.charges
    market.wei.do(lambda: charges.collect(market.charge(request_id)))
    asked = [each for each in market.posted if isinstance(each, RequestToPay)]
    assert len(asked) == 2
    assert asked[0] == asked[1]
    assert asked[0].creditor_discount == 200
    market.posting = False
    market.settle()
    assert market.charge(request_id).reason == "DISCOUNT_GONE"
    assert market.balances() == (0, 0)


def test_what_was_told_at_the_end_of_an_hour_holds_when_the_next_has_begun() -> None:
    """Shops are held out by the hour: who is asked for the PIN in between pays what was said."""
    market = Market(holdout_bps=5_000)
    promised = 0
    for _ in range(12):
        into_the_hour_ns = market.clock.now_ns() % NS_PER_HOUR
        market.clock.advance(seconds=(NS_PER_HOUR - into_the_hour_ns) // NS_PER_S - 5)
        market.payer = market.jing.user(OPENING)
        request_id, _ = market.scan(PIN_FREE + 1)
        (row,) = market.waiting()
        market.clock.advance(seconds=10)
        market.approve(row)
        payment, outcome = market.paid(request_id)
        assert (outcome.completed, payment.payee_discount) == (True, row.payee_discount)
        promised += row.payee_discount > 0
    assert 0 < promised < 12, "some of these hours are held out, and others not"
